// Do the cursors stay inside their buffers and tell when they could not? (rtp/bytes.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/bytes.h"

static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void reads_big_endian(void **state)
{
    (void)state;
    struct reader r = reader_of(octets, sizeof(octets));
    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u16(&r), 0x0203);
    assert_int_equal(reader_u24(&r), 0x040506);
    assert_int_equal(reader_u32(&r), 0x0708090a);
    assert_int_equal(reader_u64(&r), 0x0b0c0d0e0f101112);
    assert_true(r.ok);
    assert_int_equal(reader_left(&r), 0);
}

static void high_bits_do_not_spread(void **state)
{
    (void)state;
    uint8_t ones[8];
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(rd16(ones), 0xffff);
    assert_int_equal(rd24(ones), 0xffffff);
    assert_int_equal(rd32(ones), 0xffffffff);
    assert_true(rd64(ones) == UINT64_MAX);
}

static void reading_past_the_end_is_sticky(void **state)
{
    (void)state;
    struct reader r = reader_of(octets, 3);
    assert_int_equal(reader_u16(&r), 0x0102);
    assert_int_equal(reader_u16(&r), 0);
    assert_false(r.ok);
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(reader_u8(&r), 0);
    assert_null(reader_bytes(&r, 0));
    assert_false(r.ok);
}

// Not inlined: gcc would warn of the very reads that are refused.
__attribute__((noinline)) static void read_each_width(const uint8_t *exact, size_t have)
{
    struct reader r8 = reader_of(exact, have), r16 = r8, r24 = r8, r32 = r8, r64 = r8;
    reader_u8(&r8);
    reader_u16(&r16);
    reader_u24(&r24);
    reader_u32(&r32);
    reader_u64(&r64);
    assert_int_equal(r8.ok, have >= 1);
    assert_int_equal(r16.ok, have >= 2);
    assert_int_equal(r24.ok, have >= 3);
    assert_int_equal(r32.ok, have >= 4);
    assert_int_equal(r64.ok, have >= 8);
}

static void each_width_refuses_one_octet_less(void **state)
{
    (void)state;
    for (size_t have = 0; have <= 8; have++) {
        uint8_t *exact = calloc(1, have ? have : 1);
        read_each_width(exact, have);
        free(exact);
    }
}

static void a_sub_reader_is_confined(void **state)
{
    (void)state;
    struct reader r = reader_of(octets, 6);
    struct reader sub = reader_sub(&r, 2);
    assert_int_equal(reader_u8(&r), 3);
    assert_int_equal(reader_u16(&sub), 0x0102);
    reader_u8(&sub);
    assert_false(sub.ok);
    assert_true(r.ok);

    struct reader too_long = reader_sub(&r, 4);
    assert_false(too_long.ok);
    assert_false(r.ok);
    assert_int_equal(reader_left(&too_long), 0);
}

static void nothing_at_all_can_be_read(void **state)
{
    (void)state;
    struct reader r = reader_of(NULL, 0);
    assert_int_equal(reader_left(&r), 0);
    reader_skip(&r, 0);
    assert_true(r.ok);
    reader_skip(&r, SIZE_MAX);
    assert_false(r.ok);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t buf[sizeof(octets)];
    struct writer w = writer_of(buf, sizeof(buf));
    writer_u8(&w, 0x01);
    writer_u16(&w, 0x0203);
    writer_u24(&w, 0x040506);
    writer_u32(&w, 0x0708090a);
    writer_u64(&w, 0x0b0c0d0e0f101112);
    assert_true(w.ok);
    assert_int_equal(writer_len(&w), sizeof(octets));
    assert_memory_equal(buf, octets, sizeof(octets));
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    uint8_t buf[4] = {9, 9, 9, 9};
    struct writer w = writer_of(buf, 3);
    writer_u16(&w, 0x0102);
    writer_u16(&w, 0x0304);
    assert_false(w.ok);
    assert_int_equal(writer_len(&w), 2);
    writer_u8(&w, 5);
    writer_bytes(&w, octets, 1);
    writer_fill(&w, 7, 1);
    assert_int_equal(writer_len(&w), 2);
    assert_int_equal(buf[2], 9);
    assert_int_equal(buf[3], 9);
}

static void bytes_and_fill(void **state)
{
    (void)state;
    uint8_t buf[5];
    struct writer w = writer_of(buf, sizeof(buf));
    writer_bytes(&w, octets, 2);
    writer_bytes(&w, NULL, 0);
    writer_fill(&w, 0xee, 3);
    const uint8_t want[] = {1, 2, 0xee, 0xee, 0xee};
    assert_true(w.ok);
    assert_int_equal(writer_left(&w), 0);
    assert_memory_equal(buf, want, sizeof(want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_big_endian),
        cmocka_unit_test(high_bits_do_not_spread),
        cmocka_unit_test(reading_past_the_end_is_sticky),
        cmocka_unit_test(each_width_refuses_one_octet_less),
        cmocka_unit_test(a_sub_reader_is_confined),
        cmocka_unit_test(nothing_at_all_can_be_read),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(bytes_and_fill),
    };
    return cmocka_run_group_tests_name("rtp/bytes", tests, NULL, NULL);
}
