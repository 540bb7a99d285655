// Does a packet survive its retransmission stream? (rtp/rtx.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "rtp/rtx.h"

#include <errno.h>

// Marker, padding, one CSRC, an extension, four octets of payload.
static const uint8_t original[] = {0xb1, 0xe0, 0x12, 0x34, 0, 0,    0,    9, 0, 0,   0,   7,   0,   0, 0,
                                   5,    0xbe, 0xde, 0,    1, 0x10, 0x55, 0, 0, 'd', 'a', 't', 'a', 0, 2};

static void expect_original(const struct rtp *rtp, const uint8_t *buf)
{
    assert_int_equal(rtp->seq, 0x1234);
    assert_int_equal(rtp->pt, 96);
    assert_int_equal(rtp->ssrc, 7);
    assert_int_equal(rtp->ts, 9);
    assert_true(rtp->marker);
    assert_int_equal(rtp->csrc_count, 1);
    assert_int_equal(rtp->ext_len, 4);
    assert_int_equal(buf[rtp->ext_off + 1], 0x55);
    assert_int_equal(rtp->payload_len, 4);
    assert_memory_equal(buf + rtp->payload_off, "data", 4);
}

static void wrap_and_unwrap(void **state)
{
    (void)state;
    struct rtp in, out;
    uint8_t buf[64];
    assert_int_equal(rtp_parse(&in, original, sizeof(original)), RTP_OK);
    size_t len = rtx_wrap(&in, original, 97, 0xabcd, 500, buf, sizeof(buf));
    assert_int_equal(len, sizeof(original)); // two octets of OSN more, two of padding less
    assert_int_equal(rtp_parse(&out, buf, len), RTP_OK);
    assert_int_equal(out.pt, 97);
    assert_int_equal(out.ssrc, 0xabcd);
    assert_int_equal(out.seq, 500);
    assert_int_equal(out.padding_len, 0);
    assert_int_equal(rtx_unwrap(&out, buf, 96, 7), 0);
    expect_original(&out, buf);
}

static void an_unwrapped_packet_wraps_again(void **state)
{
    (void)state;
    struct rtp view;
    uint8_t first[64], second[64];
    assert_int_equal(rtp_parse(&view, original, sizeof(original)), RTP_OK);
    size_t len = rtx_wrap(&view, original, 97, 1, 1, first, sizeof(first));
    assert_int_equal(rtp_parse(&view, first, len), RTP_OK);
    assert_int_equal(rtx_unwrap(&view, first, 96, 7), 0);
    len = rtx_wrap(&view, first, 99, 2, 2, second, sizeof(second));
    assert_int_equal(rtp_parse(&view, second, len), RTP_OK);
    assert_int_equal(view.pt, 99);
    assert_int_equal(rtx_unwrap(&view, second, 96, 7), 0);
    expect_original(&view, second);
}

static void it_must_fit(void **state)
{
    (void)state;
    struct rtp in;
    assert_int_equal(rtp_parse(&in, original, sizeof(original)), RTP_OK);
    for (size_t cap = 0; cap <= sizeof(original); cap++) {
        uint8_t *exact = malloc(cap ? cap : 1);
        assert_int_equal(rtx_wrap(&in, original, 97, 1, 1, exact, cap), cap < sizeof(original) ? 0 : cap);
        free(exact);
    }
}

static void probes_have_no_original(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        uint8_t buf[13] = {0x80, 97, 0, 1};
        struct rtp rtp;
        assert_int_equal(rtp_parse(&rtp, buf, 12 + n), RTP_OK);
        assert_int_equal(rtx_unwrap(&rtp, buf, 96, 7), -ENODATA);
        assert_int_equal(rtp.pt, 97);
        assert_int_equal(rtp.payload_len, n);
    }
    uint8_t padded[15] = {0xa0, 97, 0, 1, [14] = 3};
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, padded, sizeof(padded)), RTP_OK);
    assert_int_equal(rtx_unwrap(&rtp, padded, 96, 7), -ENODATA);
}

static void an_empty_original(void **state)
{
    (void)state;
    const uint8_t buf[14] = {0x80, 97, 0, 1, [12] = 0xff, 0xfe};
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, buf, sizeof(buf)), RTP_OK);
    assert_int_equal(rtx_unwrap(&rtp, buf, 96, 7), 0);
    assert_int_equal(rtp.seq, 0xfffe);
    assert_int_equal(rtp.payload_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrap_and_unwrap),   cmocka_unit_test(an_unwrapped_packet_wraps_again),
        cmocka_unit_test(it_must_fit),       cmocka_unit_test(probes_have_no_original),
        cmocka_unit_test(an_empty_original),
    };
    return cmocka_run_group_tests_name("rtp/rtx", tests, NULL, NULL);
}
