// Is every RTP header read right, and every broken one refused for the right reason? (rtp/rtp.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "rtp/rtp.h"

// The packet in a heap block of exactly its size, so that ASan sees the first octet read beyond.
static enum rtp_reject parse_exact(struct rtp *rtp, const uint8_t *buf, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    memcpy(exact, buf, len);
    enum rtp_reject reject = rtp_parse(rtp, exact, len);
    free(exact);
    return reject;
}

static void plain_header(void **state)
{
    (void)state;
    const uint8_t buf[] = {0x80, 0xe0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0x01, 0x02, 0x03, 0x04, 0xaa, 0xbb};
    struct rtp rtp;
    assert_int_equal(parse_exact(&rtp, buf, sizeof(buf)), RTP_OK);
    assert_true(rtp.marker);
    assert_int_equal(rtp.pt, 96);
    assert_int_equal(rtp.seq, 0x1234);
    assert_int_equal(rtp.ts, 0xdeadbeef);
    assert_int_equal(rtp.ssrc, 0x01020304);
    assert_int_equal(rtp.csrc_count, 0);
    assert_int_equal(rtp.ext_off, 0);
    assert_int_equal(rtp.padding_len, 0);
    assert_int_equal(rtp.payload_off, 12);
    assert_int_equal(rtp.payload_len, 2);
    assert_int_equal(rtp_header_len(&rtp), 12);
}

static void everything_at_once(void **state)
{
    (void)state;
    const uint8_t buf[] = {0xb2, 0x6f, 0x00, 0x01, 0,    0,    0, 2,  0, 0, 0, 3, // padding, extension, 2 CSRCs
                           0,    0,    0,    10,   0,    0,    0, 11,             // CSRCs
                           0xbe, 0xde, 0x00, 0x01, 0x10, 0x55, 0, 0,              // extension
                           0x99, 0x98, 0x97, 0,    0,    3};                      // payload, padding
    struct rtp rtp;
    assert_int_equal(parse_exact(&rtp, buf, sizeof(buf)), RTP_OK);
    assert_false(rtp.marker);
    assert_int_equal(rtp.pt, 111);
    assert_int_equal(rtp.csrc_count, 2);
    assert_int_equal(rtp.ext_profile, 0xbede);
    assert_int_equal(rtp.ext_off, 24);
    assert_int_equal(rtp.ext_len, 4);
    assert_int_equal(rtp.payload_off, 28);
    assert_int_equal(rtp.payload_len, 3);
    assert_int_equal(rtp.padding_len, 3);
    assert_int_equal(rtp_header_len(&rtp), 28);

    struct rtp head;
    assert_int_equal(rtp_parse_header(&head, buf, sizeof(buf)), RTP_OK);
    assert_int_equal(head.payload_len, 6);
    assert_int_equal(head.padding_len, 0);
}

static void rejects(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t first;
        uint8_t tail[8]; // behind the fixed header
        size_t len;
        enum rtp_reject want;
    } cases[] = {
        {"header only", 0x80, {0}, 12, RTP_OK},
        {"one octet less", 0x80, {0}, 11, RTP_SHORT},
        {"empty", 0x80, {0}, 0, RTP_SHORT},
        {"version 1", 0x40, {0}, 12, RTP_BAD_VERSION},
        {"version 3", 0xc0, {0}, 12, RTP_BAD_VERSION},
        {"a CSRC too few", 0x82, {0}, 16, RTP_BAD_CSRC},
        {"all CSRCs", 0x82, {0}, 20, RTP_OK},
        {"no extension head", 0x90, {0}, 15, RTP_BAD_EXTENSION},
        {"empty extension", 0x90, {0xbe, 0xde, 0, 0}, 16, RTP_OK},
        {"extension cut", 0x90, {0xbe, 0xde, 0, 1}, 19, RTP_BAD_EXTENSION},
        {"extension whole", 0x90, {0xbe, 0xde, 0, 1}, 20, RTP_OK},
        {"huge extension", 0x90, {0xbe, 0xde, 0xff, 0xff}, 20, RTP_BAD_EXTENSION},
        {"extension of 2^16 octets", 0x90, {0xbe, 0xde, 0x40, 0x00}, 20, RTP_BAD_EXTENSION},
        {"padding of the header", 0xa0, {0}, 12, RTP_BAD_PADDING},
        {"padding of 0", 0xa0, {0}, 13, RTP_BAD_PADDING},
        {"only padding", 0xa0, {0, 0, 3}, 15, RTP_OK},
        {"padding too long", 0xa0, {0, 0, 4}, 15, RTP_BAD_PADDING},
        {"padding into the extension", 0xb0, {0xbe, 0xde, 0, 0, 2}, 17, RTP_BAD_PADDING},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t buf[20] = {cases[i].first, 0x60, 0, 1, 0, 0, 0, 2, 1, 1, 1, 1};
        memcpy(buf + 12, cases[i].tail, 8);
        struct rtp rtp;
        enum rtp_reject got = parse_exact(&rtp, buf, cases[i].len);
        if (got != cases[i].want)
            fail_msg("%s: %s", cases[i].what, rtp_reject_name(got));
    }
}

static void longest(void **state)
{
    (void)state;
    uint8_t *buf = calloc(1, RTP_PACKET_MAX + 1);
    buf[0] = 0x80;
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, buf, RTP_PACKET_MAX), RTP_OK);
    assert_int_equal(rtp.payload_len, RTP_PACKET_MAX - RTP_HEADER_LEN);
    assert_int_equal(rtp_parse(&rtp, buf, RTP_PACKET_MAX + 1), RTP_LONG);
    free(buf);
}

static void write_and_parse(void **state)
{
    (void)state;
    const struct rtp want = {.ts = 0xfffffffe, .ssrc = 0x80000001, .seq = 65535, .pt = 127, .marker = true};
    uint8_t buf[RTP_HEADER_LEN + 4] = {0};
    struct rtp got;
    assert_int_equal(rtp_header_write(&want, false, buf, 11), 0);
    assert_int_equal(rtp_header_write(&want, false, buf, sizeof(buf)), RTP_HEADER_LEN);
    assert_int_equal(rtp_parse(&got, buf, RTP_HEADER_LEN), RTP_OK);
    assert_int_equal(got.ts, want.ts);
    assert_int_equal(got.ssrc, want.ssrc);
    assert_int_equal(got.seq, want.seq);
    assert_int_equal(got.pt, want.pt);
    assert_true(got.marker);
    assert_int_equal(got.ext_off, 0);

    assert_int_equal(rtp_header_write(&want, true, buf, sizeof(buf)), RTP_HEADER_LEN);
    wr32(buf + RTP_HEADER_LEN, 0xbede0000);
    assert_int_equal(rtp_parse(&got, buf, sizeof(buf)), RTP_OK);
    assert_int_equal(got.ext_off, 16);
    assert_int_equal(got.ext_len, 0);
}

static void a_stale_view_writes_a_clean_header(void **state)
{
    (void)state;
    const struct rtp view = {.pt = 0xff, .csrc_count = 3, .padding_len = 9, .ext_off = 28, .ext_len = 4};
    uint8_t buf[RTP_HEADER_LEN];
    struct rtp got;
    rtp_header_write(&view, false, buf, sizeof(buf));
    assert_int_equal(rtp_parse(&got, buf, sizeof(buf)), RTP_OK);
    assert_int_equal(got.pt, 127);
    assert_false(got.marker);
    assert_int_equal(got.payload_off, RTP_HEADER_LEN);
}

static void padding(void **state)
{
    (void)state;
    uint8_t buf[300] = {0x80};
    struct rtp rtp;
    for (unsigned n = 1; n <= 255; n++) {
        buf[0] = 0x80;
        size_t len = rtp_pad(buf, 20, sizeof(buf), (uint8_t)n);
        assert_int_equal(len, 20 + n);
        assert_int_equal(rtp_parse(&rtp, buf, len), RTP_OK);
        assert_int_equal(rtp.padding_len, n);
        assert_int_equal(rtp.payload_len, 8);
    }
    buf[0] = 0x80;
    assert_int_equal(rtp_pad(buf, 20, sizeof(buf), 0), 0);
    assert_int_equal(rtp_pad(buf, 20, 21, 2), 0);
    assert_int_equal(rtp_pad(buf, 20, 19, 1), 0);
    assert_int_equal(rtp_pad(buf, 11, sizeof(buf), 1), 0);
    assert_int_equal(buf[0], 0x80);
    assert_int_equal(rtp_pad(buf, 20, 22, 2), 22);
}

static void print(void **state)
{
    (void)state;
    const struct rtp rtp = {.ts = 90000,
                            .ssrc = 0xabc,
                            .seq = 7,
                            .pt = 96,
                            .marker = true,
                            .payload_len = 1100,
                            .ext_off = 16,
                            .ext_profile = 0xbede,
                            .ext_len = 8,
                            .padding_len = 1};
    char line[160];
    size_t len = rtp_print(&rtp, line, sizeof(line));
    assert_string_equal(line, "ssrc 00000abc pt 96 seq 7 ts 90000 payload 1100 marker ext bede+8 padding 1");
    assert_int_equal(len, strlen(line));
    assert_int_equal(rtp_print(&rtp, line, 5), 4);
    assert_string_equal(line, "ssrc");
    for (int i = 0; i < RTP_REJECT_COUNT; i++)
        assert_non_null(rtp_reject_name((enum rtp_reject)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_header),    cmocka_unit_test(everything_at_once),
        cmocka_unit_test(rejects),         cmocka_unit_test(longest),
        cmocka_unit_test(write_and_parse), cmocka_unit_test(a_stale_view_writes_a_clean_header),
        cmocka_unit_test(padding),         cmocka_unit_test(print),
    };
    return cmocka_run_group_tests_name("rtp/rtp", tests, NULL, NULL);
}
