// Does one receiver get what it should, and no more? (sfu/sub.c, sfu/forward.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/ntp.h"
#include "rtp/rtx.h"
#include "tests/sfu/rig.h"

static uint16_t last_seq(const struct rig *rig)
{
    return rig_last(rig, 0)->rtp.seq;
}

// ---- beginning and going on ------------------------------------------------------------------------------

static void video_begins_with_a_key_frame(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, false);
    rig_vp8(&rig, 2, 2, 0, false);
    assert_int_equal(rig.count, 0);
    assert_int_equal(rig.sub->stats.drops[DROP_NO_KEYFRAME], 2);
    rig_tick(&rig, 100000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_PSFB, PSFB_PLI), 1);
    rig_vp8(&rig, 3, 3, 0, true);
    assert_int_equal(rig.count, 1);
    assert_true(last_seq(&rig) < 0x8001); // RFC 3711: room before the first roll-over
    rig_close(&rig);
}

static void streams_are_closed_with_the_sub(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    assert_int_equal(rig.streams, 2);
    rig_unsubscribe(&rig, rig.sub);
    assert_int_equal(rig.streams, 0);
    assert_true(TAILQ_EMPTY(&rig.track->subs));
    rig_close(&rig);
}

static uint16_t full(struct sink *sink, uint32_t ssrc)
{
    return ssrc == RIG_OUT_SSRC ? rig_stream_open(sink, ssrc) : SINK_NO_STREAM;
}

static void a_full_sink_refuses(void **state)
{
    (void)state;
    const struct sink_ops ops = {full, rig_stream_close, rig_tx, NULL};
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_unsubscribe(&rig, rig.sub);
    rig.sink.ops = &ops;
    struct sub_config cfg = {.track = rig.track,
                             .sink = &rig.sink,
                             .stats = &rig.receiver,
                             .ssrc = RIG_OUT_SSRC,
                             .rtx_ssrc = RIG_OUT_RTX_SSRC};
    assert_null(sub_new(&cfg)); // and what it had opened is closed
    assert_int_equal(rig.streams, 0);
    assert_true(TAILQ_EMPTY(&rig.track->subs));
    rig_close(&rig);
}

static void paused_is_silent_and_asks_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    sub_set_paused(rig.sub, true, rig.now_us);
    rig_vp8(&rig, 1, 1, 0, true);
    sub_keyframe(rig.sub, rig.now_us);
    rig_tick(&rig, 1000000);
    assert_int_equal(rig.count, 0);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_PSFB, PSFB_PLI), 0);
    sub_set_paused(rig.sub, false, rig.now_us);
    rig_tick(&rig, 20000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_PSFB, PSFB_PLI), 1);
    rig_vp8(&rig, 2, 2, 0, true);
    assert_int_equal(rig.count, 1);
    rig_close(&rig);
}

// ---- sending again ---------------------------------------------------------------------------------------

static void one_packet_once_per_round_trip(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    uint16_t seq = last_seq(&rig);
    for (unsigned i = 0; i < 50; i++)
        rig_nack(&rig, &seq, 1);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.sub->stats.drops[DROP_RESEND_TWICE], 49);
    rig.now_us += 25000;
    rig_nack(&rig, &seq, 1);
    assert_int_equal(rig.count, 3);
    assert_int_equal(rig_last(&rig, 0)->rtp.seq, (uint16_t)(rig_last(&rig, 1)->rtp.seq + 1)); // RTX counts by itself
    assert_int_equal(rig.sub->resent_packets, 2);
    rig_close(&rig);
}

static void what_was_never_sent_is_not_sent_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    uint16_t seq = 5;
    rig_nack(&rig, &seq, 1); // before anything
    rig_vp8(&rig, 1, 1, 0, true);
    unsigned count = rig.count, compounds = rig.upstream.count;
    for (unsigned i = 1; i < 0x10000; i += 97) {
        seq = (uint16_t)(last_seq(&rig) + i);
        rig_nack(&rig, &seq, 1);
        rig.now_us += 10000;
    }
    assert_int_equal(rig.count, count);
    rig_tick(&rig, 100000);
    assert_int_equal(rig_count(&rig.upstream, compounds, RTCP_PSFB, PSFB_PLI), 0); // nor is a key frame asked for
    rig_close(&rig);
}

static void what_is_missing_here_is_asked_of_the_publisher(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_vp8(&rig, 3, 3, 0, false);
    uint16_t seq = (uint16_t)(last_seq(&rig) - 1);
    rig_nack(&rig, &seq, 1);
    rig_tick(&rig, 10000);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_RTPFB, RTPFB_NACK), 1);
    rig_vp8(&rig, 2, 2, 0, false);
    assert_int_equal(last_seq(&rig), seq);
    rig_close(&rig);
}

static void what_is_long_gone_takes_a_key_frame(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    uint16_t seq = last_seq(&rig);
    for (unsigned i = 0; i < TRACK_HISTORY_VIDEO + 10; i++)
        rig_vp8(&rig, (uint16_t)(2 + i), (uint16_t)(2 + i), 0, false);
    rig_nack(&rig, &seq, 1);
    rig_tick(&rig, 10000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_PSFB, PSFB_PLI), 1);
    assert_int_equal(rig.sub->stats.drops[DROP_RESEND_GONE], 1);
    rig_close(&rig);
}

// AES-GCM does not bear one number with two contents, and a new transport-wide number is other content.
static void without_rtx_nothing_is_sent_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig.sink.rtx_pt[CODEC_VP8] = 0;
    rig_vp8(&rig, 1, 1, 0, true);
    uint16_t seq = last_seq(&rig);
    rig_nack(&rig, &seq, 1);
    assert_int_equal(rig.count, 1);
    rig_close(&rig);
}

// ---- leaving out -----------------------------------------------------------------------------------------

// A packet of a layer that this receiver does not get comes late: its number is taken, so it becomes padding.
static void a_late_packet_left_out_becomes_padding(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    sub_set_layer(rig.sub, -1, 0, rig.now_us);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_vp8(&rig, 2, 2, 1, false); // in order: closed up
    rig_vp8(&rig, 4, 4, 0, false); // 3 is missing
    uint16_t hole = (uint16_t)(last_seq(&rig) - 1);
    assert_int_equal(rig.count, 2);
    rig_vp8(&rig, 3, 3, 1, false);
    assert_int_equal(rig.count, 3);
    assert_int_equal(last_seq(&rig), hole);
    assert_int_equal(rig_last(&rig, 0)->rtp.payload_len, 0);
    assert_true(rig_last(&rig, 0)->rtp.padding_len > 0);

    rig.now_us += 100000; // asked for again, it is still only padding
    rig_nack(&rig, &hole, 1);
    struct rig_out again = *rig_last(&rig, 0);
    assert_int_equal(again.rtp.ssrc, RIG_OUT_RTX_SSRC);
    assert_int_equal(rtx_unwrap(&again.rtp, again.buf, RIG_OUT_PT, RIG_OUT_SSRC), 0);
    assert_int_equal(again.rtp.seq, hole);
    assert_int_equal(again.rtp.payload_len, 0);
    rig_close(&rig);
}

// Every second picture is left out: each takes a span, of which there are few at first.
static void what_was_left_out_does_not_shorten_the_memory(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    sub_set_layer(rig.sub, -1, 0, rig.now_us);
    uint16_t first = 0;
    for (uint16_t i = 0; i < 5 * SUB_SPANS_FIRST; i++) {
        rig_vp8(&rig, i, i, i % 2, i == 0);
        rig_tick(&rig, 30000);
        if (i == 2 * SUB_SPANS_FIRST)
            first = last_seq(&rig);
    }
    unsigned sent = rig.count;
    rig_nack(&rig, &first, 1);
    assert_int_equal(rig.count, sent + 1);
    assert_int_equal(rig.sub->stats.drops[DROP_RESEND_GONE], 0);
    rig_close(&rig);
}

static void muted_forwards_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    track_set_muted(rig.track, true, rig.now_us);
    for (uint16_t i = 2; i < 50; i++)
        rig_vp8(&rig, i, i, 0, i % 10 == 0);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.track->layer[0].stats.drops[DROP_MUTED], 48);
    for (uint16_t i = 1; i < 60; i++) { // nor can it be had by asking
        uint16_t seq = (uint16_t)(rig_last(&rig, 0)->rtp.seq + i);
        rig_nack(&rig, &seq, 1);
    }
    assert_int_equal(rig.count, 1);
    track_set_muted(rig.track, false, rig.now_us);
    rig_vp8(&rig, 50, 50, 0, false);
    assert_int_equal(rig.count, 1);
    rig_vp8(&rig, 51, 51, 0, true);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig_last(&rig, 0)->rtp.seq, (uint16_t)(rig_last(&rig, 1)->rtp.seq + 1));
    rig_close(&rig);
}

// A packet lost before the mute comes again during it: its content is not for those who ask later.
static void what_came_while_muted_is_never_sent(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_vp8(&rig, 3, 3, 0, false);
    uint16_t hole = (uint16_t)(last_seq(&rig) - 1);
    track_set_muted(rig.track, true, rig.now_us);
    rig_vp8(&rig, 2, 2, 0, false);
    assert_int_equal(rig.count, 2);
    for (unsigned round = 0; round < 3; round++) {
        rig.now_us += 100000;
        rig_nack(&rig, &hole, 1);
        assert_int_equal(rig_last(&rig, 0)->rtp.ssrc, RIG_OUT_RTX_SSRC);
        assert_int_equal(rig_last(&rig, 0)->rtp.payload_len, RTX_OSN_LEN); // the number, and nothing
        if (round == 0)
            track_set_muted(rig.track, false, rig.now_us);
        if (round == 1)
            rig_vp8(&rig, 4, 4, 0, true);
    }
    rig_close(&rig);
}

// ---- reports ---------------------------------------------------------------------------------------------

static void reports_follow_the_publishers_clock(void **state)
{
    (void)state;
    struct rig rig;
    struct rtcp_sr sr;
    rig_open(&rig, CODEC_VP8);
    int64_t wall_us = INT64_C(1700000000000000);
    assert_false(sub_report(rig.sub, rig.now_us, wall_us, &sr));
    rig_vp8(&rig, 1, 100, 0, true); // its timestamp is 300,000
    assert_false(sub_report(rig.sub, rig.now_us, wall_us, &sr));

    // The publisher, whose clock is years off, says: 300,000 was 20 ms ago.
    uint64_t ntp = ntp_from_us(INT64_C(1000000000000000));
    rig.ingress.uplink.has_clock = true;
    rig.ingress.uplink.clock_offset_us = rig.now_us - INT64_C(1000000000000000);
    recvstats_sr(&rig.track->layer[0].recvstats, ntp, 300000 + 1800, rig.now_us);
    assert_true(sub_report(rig.sub, rig.now_us + SUB_REPORT_FIRST_US, wall_us, &sr));
    assert_int_equal(sr.ssrc, RIG_OUT_SSRC);
    assert_int_equal(sr.ntp, ntp_from_us(wall_us));
    assert_int_equal(sr.packets, 1);
    assert_in_range(sr.ts - rig_last(&rig, 0)->rtp.ts, 1800 + 9000 - 1, 1800 + 9000 + 1);
    assert_false(sub_report(rig.sub, rig.now_us + SUB_REPORT_FIRST_US + 1, wall_us, &sr));
    rig_close(&rig);
}

static void a_sub_outlives_its_track(void **state)
{
    (void)state;
    struct rig rig;
    struct rtcp_sr sr;
    char buf[512];
    struct line line = line_of(buf, sizeof(buf));
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    uint16_t seq = last_seq(&rig);
    rig_unpublish(&rig);
    assert_null(rig.sub->track);
    rig_nack(&rig, &seq, 1);
    sub_keyframe(rig.sub, rig.now_us);
    sub_set_layer(rig.sub, 0, 0, rig.now_us);
    sub_set_paused(rig.sub, true, rig.now_us);
    sub_set_paused(rig.sub, false, rig.now_us);
    assert_false(sub_report(rig.sub, rig.now_us + 10000000, 0, &sr));
    rig_tick(&rig, 2000000);
    sub_stats(rig.sub, rig.now_us, &line);
    assert_int_equal(rig.count, 1);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video_begins_with_a_key_frame),
        cmocka_unit_test(streams_are_closed_with_the_sub),
        cmocka_unit_test(a_full_sink_refuses),
        cmocka_unit_test(paused_is_silent_and_asks_nothing),
        cmocka_unit_test(one_packet_once_per_round_trip),
        cmocka_unit_test(what_was_never_sent_is_not_sent_again),
        cmocka_unit_test(what_is_missing_here_is_asked_of_the_publisher),
        cmocka_unit_test(what_is_long_gone_takes_a_key_frame),
        cmocka_unit_test(without_rtx_nothing_is_sent_again),
        cmocka_unit_test(a_late_packet_left_out_becomes_padding),
        cmocka_unit_test(what_was_left_out_does_not_shorten_the_memory),
        cmocka_unit_test(muted_forwards_nothing),
        cmocka_unit_test(what_came_while_muted_is_never_sent),
        cmocka_unit_test(reports_follow_the_publishers_clock),
        cmocka_unit_test(a_sub_outlives_its_track),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
