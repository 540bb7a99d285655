// Is understood what Chromium says of what Chromium sent? (rtp/twcc.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/demux.h"
#include "rtp/ext.h"
#include "rtp/rtp.h"
#include "rtp/twcc.h"
#include "tests/rtp/rtpdump.h"

struct sent {
    bool sent[65536];
    uint32_t at_ms[65536];
    unsigned n;
};

// Numbers of the RTP packets with the transport-wide extension, which has id 4 in every recorded offer.
static struct sent *sent_read(const char *name)
{
    struct sent *sent = calloc(1, sizeof(*sent));
    struct rtpdump d;
    rtpdump_open(&d, name);
    while (rtpdump_next(&d)) {
        struct rtp rtp;
        struct ext e;
        uint16_t seq;
        if (demux(d.buf, d.len) != DEMUX_RTP || rtp_parse(&rtp, d.buf, d.len))
            continue;
        if (!ext_find(&rtp, d.buf, 4, &e) || ext_twcc_parse(&e, &seq))
            continue;
        sent->sent[seq] = true;
        sent->at_ms[seq] = d.at_ms;
        sent->n++;
    }
    rtpdump_close(&d);
    return sent;
}

struct told {
    unsigned packets, received, lost;
    uint8_t next_fb;
    struct twcc_clock clock;
    int64_t lag_min_us, lag_max_us; // arrival less departure, on clocks that began at different times
};

static void told_rx(struct told *told, const struct sent *sent, const struct twcc *t)
{
    if (told->packets++)
        assert_int_equal(t->fb_count, told->next_fb);
    told->next_fb = (uint8_t)(t->fb_count + 1);
    int64_t base_us = twcc_clock_rx(&told->clock, t->ref_time);
    struct twcc_iter it = twcc_iter(t);
    struct twcc_status s;
    while (twcc_next(&it, &s)) {
        if (!s.received) {
            told->lost++;
            continue;
        }
        assert_true(sent->sent[s.seq]);
        int64_t lag_us = base_us + s.offset_us - (int64_t)sent->at_ms[s.seq] * 1000;
        if (!told->received++)
            told->lag_min_us = told->lag_max_us = lag_us;
        if (lag_us < told->lag_min_us)
            told->lag_min_us = lag_us;
        if (lag_us > told->lag_max_us)
            told->lag_max_us = lag_us;
    }
    assert_int_equal(reader_left(&it.deltas), 0);
}

static void recorded(const char *a2b, const char *b2a)
{
    struct sent *sent = sent_read(a2b);
    struct told told = {0};
    struct rtpdump d;
    rtpdump_open(&d, b2a);
    while (rtpdump_next(&d)) {
        struct reader r = reader_of(d.buf, d.len);
        struct rtcp p;
        struct rtcpfb fb;
        struct twcc t;
        while (rtcp_next(&r, &p))
            if (!rtcpfb_parse(&p, &fb) && fb.kind == RTCPFB_TWCC) {
                assert_int_equal(twcc_parse(&fb, &t), 0);
                told_rx(&told, sent, &t);
            }
        assert_true(r.ok);
    }
    rtpdump_close(&d);
    print_message("%s: %u sent, %u feedback packets tell %u received, %u lost, lag within %lld us\n", a2b, sent->n,
                  told.packets, told.received, told.lost, (long long)(told.lag_max_us - told.lag_min_us));
    assert_true(told.packets > 50);
    assert_int_equal(told.lost, 0);
    assert_in_range(told.received, sent->n * 9 / 10, sent->n);
    assert_in_range(told.lag_max_us - told.lag_min_us, 0, 100000);
    free(sent);
}

static void chromium(void **state)
{
    (void)state;
    recorded("chromium156-plain-rtp/vp8.a2b.rtpdump", "chromium156-plain-rtp/vp8.b2a.rtpdump");
    recorded("chromium156-plain-rtp/h264cb.a2b.rtpdump", "chromium156-plain-rtp/h264cb.b2a.rtpdump");
    recorded("chromium156-plain-rtp/av1.a2b.rtpdump", "chromium156-plain-rtp/av1.b2a.rtpdump");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chromium),
    };
    return cmocka_run_group_tests_name("rtp/twcc_recorded", tests, NULL, NULL);
}
