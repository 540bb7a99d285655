// Is the length of Opus packets right, and does the primary come out of RED? (rtp/codec_opus.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/codec_opus.h"
#include "tests/rtp/octets.h"

static int parse(struct opus_packet *opus, const char *hex)
{
    struct octets o = octets_of(hex);
    int err = opus_parse(opus, o.data, o.len);
    free(o.data);
    return err;
}

static void configurations(void **state)
{
    (void)state;
    // RFC 6716 section 3.1, table 2: 32 configurations, in units of 2.5 ms
    static const uint8_t units[32] = {4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 4, 8,
                                      1, 2, 4,  8,  1, 2, 4,  8,  1, 2, 4,  8,  1, 2, 4, 8};
    for (unsigned i = 0; i < 32; i++) {
        uint8_t packet[3] = {(uint8_t)(i << 3 | (i % 2 ? 4 : 0)), 1, 2};
        struct opus_packet opus;
        assert_int_equal(opus_parse(&opus, packet, sizeof(packet)), 0);
        assert_int_equal(opus.frame_ts, 120 * units[i]);
        assert_int_equal(opus.duration_ts, opus.frame_ts);
        assert_int_equal(opus.frame_count, 1);
        assert_int_equal(opus.stereo, i % 2);
        assert_int_equal(opus.mode, i < 12 ? OPUS_SILK : i < 16 ? OPUS_HYBRID : OPUS_CELT);
        assert_false(opus.dtx);
    }
}

static void frame_counts(void **state)
{
    (void)state;
    struct opus_packet opus;
    assert_int_equal(parse(&opus, "79 aabb"), 0); // two of 20 ms and equal size
    assert_int_equal(opus.frame_count, 2);
    assert_int_equal(opus.duration_ts, 1920);
    assert_int_equal(parse(&opus, "79 aabbcc"), -EBADMSG); // which three octets are not
    assert_int_equal(parse(&opus, "7a 01 aabb"), 0);
    assert_int_equal(opus.frame_count, 2);
    assert_int_equal(parse(&opus, "7a"), -EBADMSG);
    assert_int_equal(parse(&opus, "7b c6 aabb"), 0); // six of 20 ms; padding and VBR bits are no count
    assert_int_equal(opus.frame_count, 6);
    assert_int_equal(opus.duration_ts, OPUS_DURATION_MAX_TS);
    assert_int_equal(parse(&opus, "7b 07 aabb"), -EBADMSG); // 140 ms
    assert_int_equal(parse(&opus, "83 30 aabb"), 0);
    assert_int_equal(opus.frame_count, OPUS_FRAMES_MAX);
    assert_int_equal(parse(&opus, "83 31 aabb"), -EBADMSG);
    assert_int_equal(parse(&opus, "7b 00 aabb"), -EBADMSG);
    assert_int_equal(parse(&opus, "7b"), -EBADMSG);
    assert_int_equal(parse(&opus, ""), -EBADMSG);
}

static void silence(void **state)
{
    (void)state;
    struct opus_packet opus;
    assert_int_equal(parse(&opus, "78"), 0);
    assert_true(opus.dtx);
    assert_int_equal(opus.duration_ts, 960);
    assert_int_equal(parse(&opus, "7801"), 0);
    assert_true(opus.dtx);
    assert_int_equal(parse(&opus, "780102"), 0);
    assert_false(opus.dtx);
}

static int parse_red(struct red_block block[static RED_BLOCKS_MAX], const char *hex)
{
    struct octets o = octets_of(hex);
    struct red_block primary;
    int n = red_parse(block, o.data, o.len), err = red_primary(&primary, o.data, o.len);
    assert_int_equal(err, n < 0 ? n : 0);
    if (n > 0)
        assert_memory_equal(&primary, &block[n - 1], sizeof(primary));
    free(o.data);
    return n;
}

static void red_blocks(void **state)
{
    (void)state;
    struct red_block block[RED_BLOCKS_MAX];

    assert_int_equal(parse_red(block, "6f 78aabb"), 1); // only the primary
    assert_int_equal(block[0].pt, 111);
    assert_int_equal(block[0].offset, 1);
    assert_int_equal(block[0].len, 3);
    assert_int_equal(block[0].timestamp_offset, 0);

    // 40 ms and 20 ms old, of 2 and 3 octets
    assert_int_equal(parse_red(block, "ef 1e0002 ef 0f0003 6f 0102 030405 78aabbcc"), 3);
    assert_int_equal(block[0].timestamp_offset, 1920);
    assert_int_equal(block[0].offset, 9);
    assert_int_equal(block[0].len, 2);
    assert_int_equal(block[1].timestamp_offset, 960);
    assert_int_equal(block[1].offset, 11);
    assert_int_equal(block[1].len, 3);
    assert_int_equal(block[2].offset, 14);
    assert_int_equal(block[2].len, 4);

    assert_int_equal(parse_red(block, "ef ffffff 6f"), -EBADMSG); // 1023 octets that are not there
    assert_int_equal(block[0].timestamp_offset, 0x3fff);
    assert_int_equal(parse_red(block, "ef 0f0000 6f"), 2); // both empty
    assert_int_equal(block[1].len, 0);
    assert_int_equal(parse_red(block, "ef 0f00"), -EBADMSG);
    assert_int_equal(parse_red(block, "ef 0f0001 6f"), -EBADMSG);
    assert_int_equal(parse_red(block, ""), -EBADMSG);
}

static void red_bounds(void **state)
{
    (void)state;
    uint8_t packet[4 * RED_BLOCKS_MAX + 2];
    struct red_block block[RED_BLOCKS_MAX];
    for (unsigned count = 1; count <= RED_BLOCKS_MAX + 1; count++) {
        memset(packet, 0, sizeof(packet));
        for (unsigned i = 0; i + 1 < count; i++)
            packet[4 * i] = 0x80 | 111;
        struct octets o = octets_copy(packet, 4 * (count - 1) + 1);
        int n = red_parse(block, o.data, o.len);
        assert_int_equal(n, count <= RED_BLOCKS_MAX ? (int)count : -EBADMSG);
        free(o.data);
    }
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct opus_packet opus;
    struct red_block block[RED_BLOCKS_MAX];
    (void)arg;
    if (opus_parse(&opus, data, len) == 0)
        assert_in_range(opus.duration_ts, 120, OPUS_DURATION_MAX_TS);
    int n = red_parse(block, data, len);
    for (int i = 0; i < n; i++)
        assert_true((size_t)block[i].offset + block[i].len <= len);
    if (n > 0)
        assert_int_equal((size_t)block[n - 1].offset + block[n - 1].len, len);
}

static void anything(void **state)
{
    (void)state;
    struct octets o = octets_of("ef 1e0002 ef 0f0003 6f 0102 030405 78aabbcc");
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 1, try_parse, NULL);
    free(o.data);
    octets_try_random(40, 20000, 2, try_parse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations), cmocka_unit_test(frame_counts), cmocka_unit_test(silence),
        cmocka_unit_test(red_blocks),     cmocka_unit_test(red_bounds),   cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/codec_opus", tests, NULL, NULL);
}
