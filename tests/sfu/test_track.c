// What is kept, counted and asked for before a packet is forwarded? (sfu/track.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/rtx.h"
#include "tests/sfu/rig.h"

static const struct layer *layer_of(const struct rig *rig)
{
    return &rig->track->layer[0];
}

// The VP8 frame of this number, sent again inside RTX.
static void send_rtx(struct rig *rig, uint16_t rtx_seq, uint16_t seq, uint16_t picture_id)
{
    uint8_t payload[] = {seq >> 8, (uint8_t)seq, 0x90, 0xe0, 0x80 | picture_id >> 8, (uint8_t)picture_id, 7, 0, 1, 0,
                         0};
    struct rig_packet p = {.seq = rtx_seq,
                           .ts = picture_id * 3000u,
                           .ssrc = RIG_RTX_SSRC,
                           .pt = RIG_RTX_PT,
                           .marker = true,
                           .payload = payload,
                           .len = sizeof(payload)};
    rig_send(rig, &p);
}

static void rtx_becomes_the_original(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 10, 1, 0, true);
    rig_vp8(&rig, 12, 3, 0, false);
    assert_int_equal(layer_of(&rig)->loss.count, 1);
    send_rtx(&rig, 500, 11, 2);
    assert_int_equal(rig.count, 3);
    const struct rig_out *out = rig_last(&rig, 0);
    assert_int_equal(out->rtp.pt, RIG_OUT_PT);
    assert_int_equal(out->rtp.ssrc, RIG_OUT_SSRC);
    assert_int_equal(out->rtp.seq, rig_last(&rig, 1)->rtp.seq - 1);
    assert_int_equal(out->rtp.ts, 2 * 3000);
    assert_int_equal(out->rtp.payload_len, 9);
    assert_int_equal(layer_of(&rig)->loss.count, 0);

    send_rtx(&rig, 501, 11, 2); // twice
    rig_vp8(&rig, 12, 3, 0, false);
    assert_int_equal(rig.count, 3);
    assert_int_equal(layer_of(&rig)->stats.drops[DROP_DUPLICATE], 2);
    rig_close(&rig);
}

static void rtx_before_media_or_long_after_is_of_no_use(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    send_rtx(&rig, 500, 11, 2);
    assert_int_equal(layer_of(&rig)->stats.drops[DROP_TOO_LATE], 1);
    for (unsigned i = 0; i < TRACK_HISTORY_VIDEO + 20; i++)
        rig_vp8(&rig, (uint16_t)(1000 + i), (uint16_t)(100 + i), 0, i == 0);
    unsigned count = rig.count;
    send_rtx(&rig, 501, 1001, 101);
    assert_int_equal(rig.count, count);
    assert_int_equal(layer_of(&rig)->stats.drops[DROP_TOO_LATE], 2);
    rig_close(&rig);
}

static void only_padding_leaves_no_hole(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    struct rig_packet probe = {.seq = 11}, rtx_probe = {.seq = 1, .ssrc = RIG_RTX_SSRC, .pt = RIG_RTX_PT};
    rig_vp8(&rig, 10, 1, 0, true);
    rig_send(&rig, &probe);
    rig_send(&rig, &rtx_probe);
    rig_vp8(&rig, 12, 2, 0, false);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig_last(&rig, 0)->rtp.seq, rig_last(&rig, 1)->rtp.seq + 1);
    assert_int_equal(layer_of(&rig)->stats.drops[DROP_PADDING], 2);
    rig_close(&rig);
}

static void what_cannot_be_read_leaves_no_hole(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    struct rig_packet broken = {.seq = 11, .payload = "\200\200\200", .len = 3}; // ends within its descriptor
    rig_vp8(&rig, 10, 1, 0, true);
    rig_send(&rig, &broken);
    rig_vp8(&rig, 12, 2, 0, false);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig_last(&rig, 0)->rtp.seq, rig_last(&rig, 1)->rtp.seq + 1);
    assert_int_equal(layer_of(&rig)->stats.drops[DROP_BAD_PAYLOAD], 1);
    rig_close(&rig);
}

// ---- key frames ------------------------------------------------------------------------------------------

static unsigned plis(struct rig *rig)
{
    return rig_count(&rig->upstream, 0, RTCP_PSFB, PSFB_PLI);
}

static void key_frames_are_asked_for_until_one_comes(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_unsubscribe(&rig, rig.sub);
    struct layer *layer = &rig.track->layer[0];
    rig_tick(&rig, 100000);
    track_want_keyframe(rig.track, layer, rig.now_us);
    rig_tick(&rig, 10000); // at once
    assert_int_equal(plis(&rig), 1);
    for (unsigned i = 0; i < 40; i++) { // everybody wants one
        track_want_keyframe(rig.track, layer, rig.now_us);
        rig_tick(&rig, 10000);
    }
    assert_int_equal(plis(&rig), 1);
    rig_tick(&rig, 2000000); // none comes: it is asked for every half second
    assert_int_equal(plis(&rig), 5);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_tick(&rig, 5000000);
    assert_int_equal(plis(&rig), 5);
    track_want_keyframe(rig.track, layer, rig.now_us);
    rig_tick(&rig, 10000);
    assert_int_equal(plis(&rig), 6);
    assert_int_equal(layer->keyframe_asks, 6);
    rig_close(&rig);
}

// A wish for a tick that is past would make the next one look late.
static void nobody_wants_a_tick_in_the_past(void **state)
{
    (void)state;
    struct rig rig;
    struct ticker ticker = {0};
    rig_init(&rig);
    rig_agree(&rig, CODEC_VP8);
    rig.ingress.uplink.ticker = &ticker;
    ticker_tick(&ticker, rig.now_us);
    rig.now_us += TICKER_QUIET_US - 1;
    rig_publish(&rig, true);
    struct layer *layer = &rig.track->layer[0];
    rig_vp8(&rig, 1, 0, 0, true);
    assert_true(ticker_due(&ticker) > rig.now_us); // nobody waits
    for (unsigned i = 0; i < 2; i++) {
        track_want_keyframe(rig.track, layer, rig.now_us);
        assert_int_equal(ticker_due(&ticker), rig.now_us);
        ticker_tick(&ticker, rig.now_us);
        feedback_tick(&rig.tells, rig.now_us, rig.now_us);
        assert_int_equal(layer->keyframe_asks, i + 1);
        rig_vp8(&rig, (uint16_t)(2 + i), (uint16_t)(1 + i), 0, true);
        rig.now_us += 2 * TRACK_KEYFRAME_US;
        ticker_tick(&ticker, rig.now_us);
        rig.now_us += TICKER_QUIET_US - 1;
    }
    rig_close(&rig);
}

static void a_track_that_understands_neither_is_not_asked(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig.track->pli = false;
    track_want_keyframe(rig.track, &rig.track->layer[0], rig.now_us);
    rig_tick(&rig, 2000000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_PSFB, -1), 0);
    rig_close(&rig);
}

static void too_much_lost_needs_a_key_frame(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 1, 0, true);
    rig_tick(&rig, 100000);
    rig_vp8(&rig, 1 + LOSS_MAX + 10, 2, 0, false);
    rig_tick(&rig, 20000);
    assert_int_equal(plis(&rig), 1);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_RTPFB, RTPFB_NACK), 0);
    rig_close(&rig);
}

// ---- losses ----------------------------------------------------------------------------------------------

static void losses_are_asked_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 65534, 1, 0, true);
    rig_vp8(&rig, 2, 2, 0, false); // 65535, 0 and 1 are missing
    rig_tick(&rig, 20000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_RTPFB, RTPFB_NACK), 1);
    const struct rig_rtcp *c = &rig.upstream.rtcp[rig.upstream.count - 1];
    struct reader r = reader_of(c->buf, c->len);
    struct rtcp rtcp;
    struct rtcpfb fb;
    uint16_t seq;
    while (rtcp_next(&r, &rtcp) && rtcp.type != RTCP_RTPFB)
        ;
    assert_int_equal(rtcpfb_parse(&rtcp, &fb), 0);
    assert_int_equal(fb.media_ssrc, RIG_SSRC);
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(&fb);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rtcpfb_nack_next(&it, &seq));
        assert_int_equal(seq, (uint16_t)(65535 + i));
    }
    assert_false(rtcpfb_nack_next(&it, &seq));
    rig_close(&rig);
}

static void not_of_who_cannot_answer(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig.track->nack = false;
    rig_vp8(&rig, 1, 1, 0, true);
    rig_vp8(&rig, 5, 2, 0, false);
    rig_tick(&rig, 3000000);
    assert_int_equal(rig_count(&rig.upstream, 0, RTCP_RTPFB, RTPFB_NACK), 0);
    assert_int_equal(layer_of(&rig)->loss.count, 0); // and forgotten all the same
    rig_close(&rig);
}

// ---- layers ----------------------------------------------------------------------------------------------

// Two layers of VP8, of SSRC 10 and 11.
static struct track *publish_layers(struct rig *rig)
{
    struct track_config cfg = {.uplink = &rig->ingress.uplink,
                               .mid = "1",
                               .cname = "a",
                               .video = true,
                               .rid_count = 2,
                               .rids = {"a", "b"},
                               .pli = true};
    rig_init(rig);
    struct track *track = track_new(&cfg);
    rig->ingress.uplink.pt[RIG_PT] = (struct uplink_pt){.kind = UPLINK_MEDIA, .codec = CODEC_VP8};
    track_accept_pt(track, RIG_PT);
    for (unsigned i = 0; i < 2; i++)
        ingress_declare(&rig->ingress, track, i, false, 10 + i);
    return track;
}

// A browser that is asked begins all its layers anew, and the one it has switched off never answers.
static void a_dead_layer_is_not_asked_until_it_is_back(void **state)
{
    (void)state;
    struct rig rig;
    struct track *track = publish_layers(&rig);
    struct rig_packet p = {.seq = 1, .ssrc = 10, .payload = "\220\200\001aaaa", .len = 7};
    rig_send(&rig, &p);
    p.ssrc = 11;
    rig_send(&rig, &p);
    rig_tick(&rig, TRACK_DEAD_US);
    p.seq++;
    rig_send(&rig, &p);
    rig_tick(&rig, 200000);
    assert_int_equal(track->alive, 2);
    track_set_muted(track, true, rig.now_us);
    track_set_muted(track, false, rig.now_us);
    rig_tick(&rig, 4 * TRACK_KEYFRAME_US);
    assert_int_equal(track->layer[0].keyframe_asks, 0);
    assert_in_range(track->layer[1].keyframe_asks, 3, 5);
    p.ssrc = 10;
    rig_send(&rig, &p);
    rig_tick(&rig, 60000);
    assert_int_equal(track->layer[0].keyframe_asks, 1);
    ingress_forget(&rig.ingress, track);
    track_free(track);
    rig_close(&rig);
}

static void a_still_screen_has_no_dead_layers(void **state)
{
    (void)state;
    struct rig rig;
    struct track *track = publish_layers(&rig);
    struct rig_packet p = {.seq = 1, .ssrc = 10, .payload = "\220\200\001aaaa", .len = 7};
    rig_send(&rig, &p);
    p.ssrc = 11;
    rig_send(&rig, &p);
    assert_int_equal(track->alive, 3);
    rig_tick(&rig, 4000000); // both silent
    assert_int_equal(track->alive, 3);
    p.seq++;
    rig_send(&rig, &p);
    rig_tick(&rig, 200000); // one goes on, the other not
    assert_int_equal(track->alive, 2);
    p.ssrc = 10;
    rig_send(&rig, &p);
    assert_int_equal(track->alive, 3);
    ingress_bye(&rig.ingress, 10);
    assert_int_equal(track->alive, 2);
    ingress_forget(&rig.ingress, track);
    track_free(track);
    rig_close(&rig);
}

static void old_packets_go_back_to_the_pool(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    for (unsigned i = 0; i < 1000; i++) { // 50 packets a second, one of ten lost
        if (i % 10 != 5)
            rig_vp8(&rig, (uint16_t)(65000 + i), (uint16_t)i, 0, i == 0);
        rig_tick(&rig, 20000);
        assert_true(pool_in_use(rig.pool) <= 50 * TRACK_KEEP_US / 1000000);
    }
    assert_in_range(pool_in_use(rig.pool), 85, 95);
    rig_tick(&rig, TRACK_KEEP_US + 200000);
    assert_int_equal(pool_in_use(rig.pool), 0);

    unsigned count = rig.count;
    send_rtx(&rig, 1, (uint16_t)(65000 + 998), 998); // was forwarded already: its number must not be used twice
    send_rtx(&rig, 2, (uint16_t)(65000 + 985), 985); // never came, and is too late now
    assert_int_equal(rig.count, count);
    assert_int_equal(layer_of(&rig)->stats.drops[DROP_TOO_LATE], 2);
    rig_vp8(&rig, (uint16_t)(65000 + 1000), 1000, 0, false);
    assert_int_equal(rig.count, count + 1);
    rig_close(&rig);
}

static void an_exhausted_pool_drops(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 0, 0, true);
    struct packet *all[4096];
    unsigned n = 0;
    while (n < 4094 && (all[n] = packet_new(rig.pool)))
        n++;
    rig_vp8(&rig, 2, 1, 0, false); // the last packet there is; none for the copy
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.sub->stats.drops[DROP_POOL_EXHAUSTED], 1);
    while (n)
        packet_unref(all[--n]);
    uint16_t missing = (uint16_t)(rig_last(&rig, 0)->rtp.seq + 1);
    rig_vp8(&rig, 3, 2, 0, false);
    rig_nack(&rig, &missing, 1); // it is kept, so it can be had
    assert_int_equal(rig_last(&rig, 0)->rtp.ssrc, RIG_OUT_RTX_SSRC);
    rig_close(&rig);
}

static void a_track_prints_itself(void **state)
{
    (void)state;
    struct rig rig;
    char buf[1024];
    struct line line = line_of(buf, sizeof(buf));
    rig_open(&rig, CODEC_VP8);
    rig_vp8(&rig, 1, 0, 0, true);
    track_stats(rig.track, &line);
    layer_stats(&rig.track->layer[0], rig.now_us, &line);
    sub_stats(rig.sub, rig.now_us, &line);
    feedback_stats(&rig.hears, &line);
    assert_true(line.ok);
    assert_non_null(strstr(buf, "mid=m source=camera muted=0 spatial=0 ssrc=4369 "));
    assert_non_null(strstr(buf, " expected=1 received=1 jitter_us=0 "));
    assert_non_null(strstr(buf, " keyframes=1 "));
    assert_non_null(strstr(buf, " tx_packets=1 "));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtx_becomes_the_original),
        cmocka_unit_test(rtx_before_media_or_long_after_is_of_no_use),
        cmocka_unit_test(only_padding_leaves_no_hole),
        cmocka_unit_test(what_cannot_be_read_leaves_no_hole),
        cmocka_unit_test(key_frames_are_asked_for_until_one_comes),
        cmocka_unit_test(nobody_wants_a_tick_in_the_past),
        cmocka_unit_test(a_track_that_understands_neither_is_not_asked),
        cmocka_unit_test(too_much_lost_needs_a_key_frame),
        cmocka_unit_test(losses_are_asked_for),
        cmocka_unit_test(not_of_who_cannot_answer),
        cmocka_unit_test(a_dead_layer_is_not_asked_until_it_is_back),
        cmocka_unit_test(a_still_screen_has_no_dead_layers),
        cmocka_unit_test(old_packets_go_back_to_the_pool),
        cmocka_unit_test(an_exhausted_pool_drops),
        cmocka_unit_test(a_track_prints_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
