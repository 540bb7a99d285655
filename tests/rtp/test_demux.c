// Is every datagram sent to the protocol it belongs to? (rtp/demux.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/demux.h"
#include "tests/rtp/rtpdump.h"

static void all_first_octets(void **state)
{
    (void)state;
    static const struct {
        unsigned from, to;
        enum demux want;
    } ranges[] = {
        {0, 3, DEMUX_STUN},           {4, 15, DEMUX_UNKNOWN},   {16, 19, DEMUX_ZRTP},  {20, 63, DEMUX_DTLS},
        {64, 79, DEMUX_TURN_CHANNEL}, {80, 127, DEMUX_UNKNOWN}, {128, 191, DEMUX_RTP}, {192, 255, DEMUX_UNKNOWN},
    };
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        for (unsigned b = ranges[i].from; b <= ranges[i].to; b++, seen++)
            assert_int_equal(demux_first((uint8_t)b), ranges[i].want);
    assert_int_equal(seen, 256);
}

static void rtp_or_rtcp(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t buf[2] = {0x80, (uint8_t)type};
        assert_int_equal(demux(buf, 2), type >= 192 && type <= 223 ? DEMUX_RTCP : DEMUX_RTP);
    }
    const uint8_t stun[2] = {0, 200};
    assert_int_equal(demux(stun, 2), DEMUX_STUN);
}

static void too_short(void **state)
{
    (void)state;
    const uint8_t rtp = 0x80, dtls = 22;
    assert_int_equal(demux(NULL, 0), DEMUX_UNKNOWN);
    assert_int_equal(demux(&rtp, 1), DEMUX_UNKNOWN);
    assert_int_equal(demux(&dtls, 1), DEMUX_DTLS);
}

static void expect_file(const char *name, enum demux want)
{
    size_t len;
    uint8_t *buf = vector_read(name, &len);
    assert_int_equal(demux(buf, len), want);
    free(buf);
}

static void real_datagrams(void **state)
{
    (void)state;
    expect_file("stun-rfc5769/request.bin", DEMUX_STUN);
    expect_file("stun-rfc5769/request-longterm.bin", DEMUX_STUN);
    expect_file("stun-rfc5769/response-ipv4.bin", DEMUX_STUN);
    expect_file("stun-rfc5769/response-ipv6.bin", DEMUX_STUN);
    expect_file("dtls-clienthello/chromium156-clienthello-1.bin", DEMUX_DTLS);
    expect_file("dtls-clienthello/chromium156-clienthello-2.bin", DEMUX_DTLS);
    expect_file("dtls-clienthello/firefox153esr-clienthello-1.bin", DEMUX_DTLS);
    expect_file("dtls-clienthello/firefox153esr-clienthello-2.bin", DEMUX_DTLS);
}

static void real_media(void **state)
{
    (void)state;
    unsigned rtp = 0, rtcp = 0;
    struct rtpdump d;
    rtpdump_open(&d, "chromium156-plain-rtp/vp8.a2b.rtpdump");
    while (rtpdump_next(&d)) {
        enum demux kind = demux(d.buf, d.len);
        rtp += kind == DEMUX_RTP;
        rtcp += kind == DEMUX_RTCP;
    }
    assert_int_equal(d.count, 346);
    assert_int_equal(rtp, 341);
    assert_int_equal(rtcp, 5);
    rtpdump_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_first_octets), cmocka_unit_test(rtp_or_rtcp), cmocka_unit_test(too_short),
        cmocka_unit_test(real_datagrams),   cmocka_unit_test(real_media),
    };
    return cmocka_run_group_tests_name("rtp/demux", tests, NULL, NULL);
}
