// Is RTCP heard, told, and no weapon? (sfu/feedback.c, sfu/feedback_tell.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/ntp.h"
#include "tests/rtp/dice.h"
#include "tests/sfu/rig.h"

static void hear(struct feedback *fb, const struct writer *w, int64_t now_us)
{
    assert_true(w->ok);
    feedback_rx(fb, w->start, writer_len(w), now_us);
}

// ---- storms ----------------------------------------------------------------------------------------------

static void a_nack_storm_is_bounded(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig.keep = false;
    uint16_t first = (uint16_t)rig.sub->timeline.newest.seq + 1;
    for (unsigned i = 0; i < TRACK_HISTORY_VIDEO; i++) {
        rig_vp8(&rig, (uint16_t)i, (uint16_t)i, 0, i == 0);
        rig.now_us += 10000;
    }
    uint64_t media = rig.sub->stats.tx.bytes, octets = 0;
    for (unsigned round = 0; round < 1000; round++) { // everything, a hundred times a second, for ten seconds
        uint16_t seqs[TRACK_HISTORY_VIDEO];
        for (unsigned i = 0; i < TRACK_HISTORY_VIDEO; i++)
            seqs[i] = (uint16_t)(first + i);
        rig_nack(&rig, seqs, TRACK_HISTORY_VIDEO);
        octets += 4 * TRACK_HISTORY_VIDEO / 17;
        rig.now_us += 10000;
    }
    uint64_t again = rig.sub->stats.tx.bytes - media;
    assert_true(again <= RESEND_BURST + 11 * RESEND_FLOOR_BPS / 8);
    assert_true(rig.sub->nacks <= 101 * FEEDBACK_NACKS_MAX);
    rig_close(&rig);
}

static void a_pli_storm_is_bounded(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    unsigned asked = 0, from = rig.upstream.count;
    for (unsigned i = 0; i < 1000; i++) { // a hundred a second for ten seconds, each answered by a key frame
        uint8_t buf[64];
        struct writer w = writer_of(buf, sizeof(buf));
        struct rtcpfb_fir fir = {RIG_OUT_SSRC, (uint8_t)i};
        rtcpfb_pli_write(&w, 9, RIG_OUT_SSRC);
        rtcpfb_fir_write(&w, 9, &fir, 1);
        hear(&rig.hears, &w, rig.now_us);
        rig_tick(&rig, 10000);
        unsigned n = rig_count(&rig.upstream, from, RTCP_PSFB, PSFB_PLI);
        from = rig.upstream.count;
        asked += n;
        if (n)
            rig_vp8(&rig, (uint16_t)(2 + i), (uint16_t)(2 + i), 0, true);
    }
    assert_in_range(asked, 19, 21);
    assert_int_equal(rig.hears.plis_rx, 1000);
    assert_int_equal(rig.hears.firs_rx, 1000);
    rig_close(&rig);
}

// ---- junk ------------------------------------------------------------------------------------------------

static void junk_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    static const char *const junk[] = {
        "\200",
        "\200\310",
        "\200\310\000\001aaaa",
        "\201\311\000\001aaaa",
        "\200\316\000\000",
        "\201\316\000\001aaaa",
        "\217\315\000\002aaaabbbb",
        "\201\313\000\000",
        "\100\310\000\000",
        "\200\310\377\377aaaa",
    };
    static const size_t len[] = {1, 2, 8, 8, 4, 8, 12, 4, 4, 8};
    for (unsigned i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
        uint64_t before = rig.receiver.drops[DROP_BAD_RTCP] + rig.hears.twccs_rx;
        feedback_rx(&rig.hears, (const uint8_t *)junk[i], len[i], rig.now_us);
        assert_int_equal(rig.receiver.drops[DROP_BAD_RTCP] + rig.hears.twccs_rx, before + 1);
    }
    feedback_rx(&rig.hears, NULL, 0, rig.now_us);
    assert_int_equal(rig.count, 1);
    rig_close(&rig);
}

static void noise_does_no_harm(void **state)
{
    (void)state;
    struct rig rig;
    struct dice dice = {5};
    rig_open(&rig, CODEC_VP8);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t buf[128];
        size_t len = dice_below(&dice, sizeof(buf));
        for (size_t j = 0; j < len; j++)
            buf[j] = (uint8_t)dice_next(&dice);
        if (len >= 12 && dice_chance(&dice, 90)) { // likely enough to be looked into
            buf[0] = 0x80 | (buf[0] & 0x1f);
            buf[1] = (uint8_t)(200 + dice_below(&dice, 8));
            wr16(buf + 2, (uint16_t)(len / 4 - 1));
            wr32(buf + 4, dice_chance(&dice, 50) ? RIG_OUT_SSRC : RIG_SSRC);
            wr32(buf + 8, dice_chance(&dice, 50) ? RIG_OUT_SSRC : RIG_SSRC);
        }
        feedback_rx(dice_chance(&dice, 50) ? &rig.hears : &rig.tells, buf, len, rig.now_us);
        rig_vp8(&rig, (uint16_t)i, (uint16_t)i, 0, i % 100 == 0);
        rig_tick(&rig, 10000);
    }
    assert_true(rig.count > 10000);
    rig_close(&rig);
}

static void what_speaks_of_others_is_ignored(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t buf[256];
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    struct writer w = writer_of(buf, sizeof(buf));
    const uint32_t ssrc = RIG_SSRC;
    struct rtcp_sr sr = {.ssrc = RIG_SSRC, .ntp = 1, .ts = 1};
    struct rtcp_report report = {.ssrc = 4711, .fraction_lost = 255};
    uint16_t seq = rig_last(&rig, 0)->rtp.seq;
    rtcp_bye_write(&w, &ssrc, 1); // the receiver says BYE for the publisher
    rtcp_sr_write(&w, &sr, &report, 1);
    rtcpfb_pli_write(&w, 9, RIG_SSRC);
    rtcpfb_nack_write(&w, 9, RIG_SSRC, &seq, 1);
    hear(&rig.hears, &w, rig.now_us);
    rig_tick(&rig, 20000);
    assert_true(rig.track->layer[0].bound);
    assert_false(rig.track->layer[0].recvstats.has_sr);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_PSFB, PSFB_PLI), 0);
    rig_close(&rig);
}

// ---- reports ---------------------------------------------------------------------------------------------

static const struct rig_rtcp *find(const struct transport *transport, enum rtcp_type type, struct rtcp *rtcp)
{
    for (unsigned i = transport->count; i-- > 0;) {
        const struct rig_rtcp *c = &transport->rtcp[i % RIG_RTCP_MAX];
        struct reader r = reader_of(c->buf, c->len);
        while (rtcp_next(&r, rtcp))
            if (rtcp->type == type)
                return c;
    }
    return NULL;
}

static void the_publisher_is_told_how_it_arrives(void **state)
{
    (void)state;
    struct rig rig;
    struct rtcp rtcp;
    struct reader reports;
    struct rtcp_report report;
    struct rtcp_sdes sdes;
    uint32_t ssrc;
    rig_open(&rig, CODEC_VP8);
    rig_tick(&rig, 3000000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_RR, -1), 0); // nothing to say
    uint8_t buf[64];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtcp_sr sr = {.ssrc = RIG_SSRC, .ntp = UINT64_C(0xe5f0112233445566), .ts = 5};
    for (uint16_t i = 0; i < 100; i += 2) // every other packet
        rig_vp8(&rig, i, i, 0, i == 0);
    rtcp_sr_write(&w, &sr, NULL, 0);
    hear(&rig.tells, &w, rig.now_us);
    rig_tick(&rig, 1000000);
    assert_non_null(find(&rig.upstream, RTCP_RR, &rtcp));
    assert_int_equal(rtcp_rr_parse(&rtcp, &ssrc, &reports), 0);
    assert_true(rtcp_report_next(&reports, &report));
    assert_false(rtcp_report_next(&reports, &report));
    assert_int_equal(report.ssrc, RIG_SSRC);
    assert_in_range(report.fraction_lost, 120, 130);
    assert_int_equal(report.lost, 49);
    assert_int_equal(report.ext_seq, 98);
    assert_int_equal(report.lsr, 0x11223344);
    assert_in_range(report.dlsr, 0, 65536);
    assert_non_null(find(&rig.upstream, RTCP_SDES, &rtcp));
    assert_true(rtcp_sdes_next(&rtcp.body, &sdes));
    assert_int_equal(sdes.cname_len, 4);
    unsigned count = rig.upstream.count;
    rig_tick(&rig, 5000000);
    assert_in_range(rig_count(&rig.upstream, count, RTCP_RR, -1), 4, 5);
    rig_close(&rig);
}

static void the_receiver_is_told_by_whom_and_when(void **state)
{
    (void)state;
    struct rig rig;
    struct rtcp rtcp;
    struct rtcp_sdes sdes;
    rig_open(&rig, CODEC_VP8);
    rig_tick(&rig, 3000000);
    assert_int_equal(rig.downstream.count, 0);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_tick(&rig, 200000);
    assert_int_equal(rig_count(&rig.downstream, 0, RTCP_SR, -1), 1); // soon after the beginning
    rig_tick(&rig, 5000000);
    assert_in_range(rig_count(&rig.downstream, 0, RTCP_SR, -1), 5, 6);
    assert_non_null(find(&rig.downstream, RTCP_SDES, &rtcp));
    assert_true(rtcp_sdes_next(&rtcp.body, &sdes));
    assert_int_equal(sdes.ssrc, RIG_OUT_SSRC);
    assert_memory_equal(sdes.cname, "ann", 3);
    rig_close(&rig);
}

static void many_subs_share_compounds(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    for (unsigned i = 0; i < 30; i++)
        rig_subscribe(&rig);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_tick(&rig, 300000);
    assert_int_equal(rig_count(&rig.downstream, 0, RTCP_SR, -1), 31);
    assert_in_range(rig.downstream.count, 2, 4); // none over FEEDBACK_PACKET_MAX, or the rig had stopped
    rig_close(&rig);
}

static void the_round_trip_is_known(void **state)
{
    (void)state;
    struct rig rig;
    struct rtcp rtcp;
    struct reader none;
    struct rtcp_sr sr;
    uint8_t buf[64];
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_tick(&rig, 200000);
    assert_non_null(find(&rig.downstream, RTCP_SR, &rtcp));
    assert_int_equal(rtcp_sr_parse(&rtcp, &sr, &none), 0);
    struct rtcp_report report = {.ssrc = RIG_OUT_SSRC, .lsr = ntp_compact(sr.ntp), .fraction_lost = 10};
    int64_t sent_us = ntp_to_us(sr.ntp); // in this test our wall clock is the rig's
    rig.now_us = sent_us + 45000;
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_rr_write(&w, 9, &report, 1);
    hear(&rig.hears, &w, rig.now_us);
    assert_in_range(rig.sub->sendstats.rtt_us, 44900, 45100);
    assert_int_equal(rig.sub->sendstats.fraction_lost, 10);
    assert_int_equal(rig.none.uplink.rtt_us, rig.sub->sendstats.rtt_us);
    rig_close(&rig);
}

static void estimates_are_noted(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t buf[128];
    uint32_t ssrc = RIG_OUT_SSRC;
    rig_open(&rig, CODEC_VP8);
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_remb_write(&w, 9, 2000000, &ssrc, 1);
    hear(&rig.hears, &w, rig.now_us);
    assert_int_equal(rig.hears.rembs_rx, 1);
    assert_in_range(rig.hears.remb_bps, 1990000, 2000000);
    rig_close(&rig);
}

// ---- cadence ---------------------------------------------------------------------------------------------

static void it_is_due_when_there_is_something_to_tell(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_tick(&rig, 100000);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_tick(&rig, 600000);
    feedback_tick(&rig.tells, rig.now_us, rig.now_us);
    assert_int_equal(feedback_due(&rig.tells), rig.now_us + FEEDBACK_IDLE_US);
    rig_vp8(&rig, 3, 3, 0, false);
    assert_int_equal(feedback_due(&rig.tells), rig.now_us + LOSS_REORDER_US);
    feedback_tick(&rig.tells, rig.now_us, rig.now_us);
    assert_int_equal(feedback_due(&rig.tells), rig.now_us + FEEDBACK_TICK_US);
    sub_keyframe(rig.sub, rig.now_us);
    assert_true(feedback_due(&rig.tells) <= rig.now_us);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nack_storm_is_bounded),
        cmocka_unit_test(a_pli_storm_is_bounded),
        cmocka_unit_test(junk_is_counted_and_changes_nothing),
        cmocka_unit_test(noise_does_no_harm),
        cmocka_unit_test(what_speaks_of_others_is_ignored),
        cmocka_unit_test(the_publisher_is_told_how_it_arrives),
        cmocka_unit_test(the_receiver_is_told_by_whom_and_when),
        cmocka_unit_test(many_subs_share_compounds),
        cmocka_unit_test(the_round_trip_is_known),
        cmocka_unit_test(estimates_are_noted),
        cmocka_unit_test(it_is_due_when_there_is_something_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
