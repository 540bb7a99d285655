// Are bits read and written right, and never beyond the end? (rtp/bits.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/bits.h"
#include "tests/rtp/octets.h"

// '0' and '1', blanks skipped, zero bits at the end.
static struct octets from_bits(const char *text)
{
    uint8_t buf[64] = {0};
    size_t n = 0;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if (*text == '1')
            buf[n / 8] |= (uint8_t)(0x80 >> n % 8);
        n++;
    }
    return octets_copy(buf, (n + 7) / 8);
}

static void numbers(void **state)
{
    (void)state;
    struct octets o = octets_of("a5 0f ff 12 34 56 78 9a");
    struct bit_reader r;
    bit_reader_init(&r, o.data, o.len);
    assert_int_equal(bit_read(&r, 0), 0);
    assert_int_equal(bit_read(&r, 1), 1);
    assert_int_equal(bit_read(&r, 3), 2);
    assert_int_equal(bit_read(&r, 8), 0x50);
    assert_int_equal(bit_read(&r, 32), 0xfff12345);
    assert_int_equal(bit_read(&r, 12), 0x678);
    assert_true(r.ok);
    assert_int_equal(r.end - r.at, 8);
    assert_int_equal(bit_read(&r, 9), 0);
    assert_false(r.ok);
    assert_int_equal(bit_read(&r, 1), 0); // once past the end, always past the end
    assert_int_equal(r.at, 56);
    free(o.data);
}

static void skipping(void **state)
{
    (void)state;
    struct octets o = octets_of("ff00ff");
    struct bit_reader r;
    bit_reader_init(&r, o.data, o.len);
    bit_skip(&r, 15);
    assert_int_equal(bit_read(&r, 2), 1);
    bit_skip(&r, 7);
    assert_true(r.ok);
    bit_skip(&r, 1);
    assert_false(r.ok);
    free(o.data);
}

static void non_symmetric(void **state)
{
    (void)state;
    // AV1 RTP payload A.8.2, the table for n = 5: 0 to 4
    struct octets o = from_bits("00 01 10 110 111");
    struct bit_reader r;
    bit_reader_init(&r, o.data, o.len);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(bit_read_ns(&r, 5), i);
    assert_int_equal(r.at, 12);

    // a power of two is plain binary, and the only number of one is no bits
    bit_reader_init(&r, o.data, o.len);
    assert_int_equal(bit_read_ns(&r, 16), 1);
    assert_int_equal(r.at, 4);
    assert_int_equal(bit_read_ns(&r, 1), 0);
    assert_int_equal(r.at, 4);
    assert_true(r.ok);
    assert_int_equal(bit_read_ns(&r, 0), 0);
    assert_false(r.ok);
    free(o.data);
}

static void exp_golomb(void **state)
{
    (void)state;
    static const int32_t mapped[] = {0, 1, -1, 2, -2, 3, -3, 4};
    // H.264 9.1, table 9-2: code numbers 0 to 7
    struct octets o = from_bits("1 010 011 00100 00101 00110 00111 0001000");
    struct bit_reader r;
    bit_reader_init(&r, o.data, o.len);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(bit_read_ue(&r), i);
    bit_reader_init(&r, o.data, o.len);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(bit_read_se(&r), mapped[i]);
    free(o.data);

    o = from_bits("0000000000000000000000000000000 1 1111111111111111111111111111111");
    bit_reader_init(&r, o.data, o.len);
    assert_int_equal(bit_read_ue(&r), UINT32_C(0xfffffffe));
    assert_true(r.ok);
    bit_reader_init(&r, o.data, o.len);
    assert_int_equal(bit_read_se(&r), -INT32_MAX);
    free(o.data);

    o = from_bits("00000000000000000000000000000000 1 11111111111111111111111111111111");
    bit_reader_init(&r, o.data, o.len);
    assert_int_equal(bit_read_ue(&r), 0);
    assert_false(r.ok);
    free(o.data);

    o = octets_of("0000");
    bit_reader_init(&r, o.data, o.len);
    assert_int_equal(bit_read_ue(&r), 0);
    assert_false(r.ok);
    free(o.data);
}

static void writing(void **state)
{
    (void)state;
    uint8_t buf[4] = {0xff, 0xff, 0xff, 0xff};
    struct bit_writer w;
    bit_writer_init(&w, buf, 3);
    bit_write(&w, 5, 3);
    bit_write(&w, 0xffffff01, 8); // only the lowest eight count
    bit_write(&w, 0, 0);
    assert_int_equal(bit_writer_finish(&w), 2);
    assert_true(w.ok);
    assert_int_equal(buf[0], 0xa0);
    assert_int_equal(buf[1], 0x20);
    bit_write(&w, 0, 9);
    assert_false(w.ok);
    bit_write(&w, 0, 1);
    assert_int_equal(buf[2], 0xff);
    assert_int_equal(buf[3], 0xff);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t *buf = malloc(16), *copy = malloc(16);
        uint32_t value[16];
        unsigned width[16], n = 0, total = 0;
        struct bit_writer w;
        struct bit_reader r;

        bit_writer_init(&w, buf, 16);
        for (; n < 16; n++) {
            width[n] = octets_random(&seed) % 33;
            if (total + width[n] > 128)
                break;
            total += width[n];
            value[n] = width[n] ? octets_random(&seed) >> (32 - width[n]) : 0;
            bit_write(&w, value[n], width[n]);
        }
        size_t len = bit_writer_finish(&w);
        assert_true(w.ok);
        assert_int_equal(len, (total + 7) / 8);

        bit_reader_init(&r, buf, len);
        bit_writer_init(&w, copy, 16);
        bit_copy(&w, &r, total);
        assert_int_equal(bit_writer_finish(&w), len);
        assert_memory_equal(buf, copy, len);

        bit_reader_init(&r, copy, len);
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(bit_read(&r, width[i]), value[i]);
        assert_true(r.ok);
        free(buf);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),    cmocka_unit_test(skipping), cmocka_unit_test(non_symmetric),
        cmocka_unit_test(exp_golomb), cmocka_unit_test(writing),  cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests_name("rtp/bits", tests, NULL, NULL);
}
