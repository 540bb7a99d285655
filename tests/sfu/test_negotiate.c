// Do we agree with real browsers on what they publish and receive, without the descriptions growing?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "rtp/sdp_codec.h"
#include "tests/sfu/description.h"

// ---- publishing --------------------------------------------------------------------------------------------------

static void test_publishes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum codec codec;
        uint8_t pt, rtx_pt;
        unsigned layers;
    } cases[] = {
        {"chromium156-vp8.offer", CODEC_VP8, 96, 97, 1},         {"chromium156-vp8_sim.offer", CODEC_VP8, 96, 97, 3},
        {"chromium156-vp9_l3t3.offer", CODEC_VP9, 98, 99, 1},    {"chromium156-av1_l3t3.offer", CODEC_AV1, 45, 46, 1},
        {"chromium156-h264_sim.offer", CODEC_H264, 108, 109, 3}, {"firefox153esr-vp8.offer", CODEC_VP8, 120, 124, 1},
        {"firefox153esr-vp8_sim.offer", CODEC_VP8, 120, 124, 3}, {"firefox153esr-vp9.offer", CODEC_VP9, 121, 125, 1},
        {"firefox153esr-av1.offer", CODEC_AV1, 99, 100, 1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        print_message("%s\n", cases[i].name);
        struct negotiate *n = negotiate_new();
        struct description offer = load(cases[i].name);
        take(n, &offer);
        const struct mline *video = n->mlines[0];
        assert_true(video->publishing);
        assert_int_equal(video->publication.codec, cases[i].codec);
        assert_int_equal(video->publication.layer_count, cases[i].layers);
        assert_int_equal(video->publication.source, SFU_CAMERA);
        assert_int_equal(n->mlines[1]->publication.source, SFU_MICROPHONE);
        assert_true(video->publication.nack && video->publication.pli);

        struct description answer = answer_of(n);
        const struct sdp_media *m = &answer.sdp->media[0];
        assert_int_equal(answer.sdp->media_count, offer.sdp->media_count);
        assert_int_equal(m->direction, SDP_RECVONLY);
        assert_int_equal(m->codec_count, 2);
        assert_int_equal(m->codecs[0].pt, cases[i].pt);
        assert_int_equal(m->codecs[1].pt, cases[i].rtx_pt);
        assert_int_equal(sdp_rtx_apt(&m->codecs[1]), cases[i].pt);
        assert_true(m->codecs[0].feedback & SDP_FB_NACK);
        assert_int_equal(m->simulcast_recv.count, cases[i].layers > 1 ? cases[i].layers : 0);
        assert_int_equal(m->transport.setup, SDP_SETUP_PASSIVE);
        assert_int_equal(m->candidate_count, 2);
        assert_true(m->transport.end_of_candidates);
        assert_int_equal(m->transport.fingerprint.value[31], 0xff);
        assert_int_equal(answer.sdp->media[1].candidate_count, 0);
        assert_int_equal(n->state, NEGOTIATE_STABLE);
        drop(answer);
        drop(offer);
        negotiate_free(n);
    }
}

static void test_sources_are_named(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description offer = load("chromium156-vp8.offer");
    struct sfu_mid_source sources[] = {{"0", SFU_SCREEN}, {"1", SFU_CAMERA}};
    struct transport_remote remote;
    struct refusal refusal;
    assert_int_equal(negotiate_offer(n, offer.sdp, sources, 2, &remote, &refusal), 0);
    assert_int_equal(n->mlines[0]->publication.source, SFU_SCREEN);
    assert_int_equal(n->mlines[1]->publication.source, SFU_MICROPHONE); // a camera is not heard
    drop(offer);
    negotiate_free(n);
}

static void test_data_channel(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description offer = load("firefox153esr-vp8.offer");
    struct transport_remote remote;
    struct refusal refusal;
    assert_int_equal(negotiate_offer(n, offer.sdp, NULL, 0, &remote, &refusal), 0);
    assert_int_equal(remote.sctp_port, 5000);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[2].kind, SDP_APPLICATION);
    assert_int_equal(answer.sdp->media[2].sctp_port, 5000);
    assert_int_equal(answer.sdp->media[2].max_message_size, 65536);
    drop(answer);
    drop(offer);
    negotiate_free(n);
}

static void test_red_when_preferred(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description offer = load("chromium156-red.offer");
    take(n, &offer);
    assert_true(n->mlines[1]->publication.red);
    assert_int_equal(n->mlines[1]->publication.codec, CODEC_OPUS);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[1].codec_count, 2);
    assert_int_equal(answer.sdp->media[1].codecs[0].pt, 63);
    assert_true(sdp_span_is(answer.sdp->media[1].codecs[0].fmtp, "111/111"));
    drop(answer);
    drop(offer);
    negotiate_free(n);
}

// ---- receiving ---------------------------------------------------------------------------------------------------

static void test_offers_streams(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description first = load("firefox153esr-vp8.offer");
    take(n, &first);
    drop(answer_of(n));
    assert_false(negotiate_wants_offer(n));

    struct outgoing camera = video_of("ana", 1000);
    negotiate_add(n, &camera);
    assert_true(negotiate_wants_offer(n));
    struct description offer = offer_of(n);
    assert_int_equal(offer.sdp->media_count, 4);
    const struct sdp_media *m = &offer.sdp->media[3];
    assert_int_equal(m->direction, SDP_SENDONLY);
    assert_true(sdp_span_is(m->msid.stream, "ana"));
    assert_int_equal(m->codecs[0].pt, 120); // Firefox' number for VP8
    assert_int_equal(m->ssrcs[0].ssrc, 1000);
    assert_int_equal(m->groups[0].ssrcs[1], 1001);
    assert_int_equal(offer.sdp->media[0].direction, SDP_RECVONLY);
    assert_int_equal(m->transport.setup, SDP_SETUP_ACTPASS);
    take_answer(n, &offer);
    assert_true(camera.agreed);
    assert_int_equal(n->state, NEGOTIATE_STABLE);
    drop(offer);

    negotiate_remove(n, &camera);
    negotiate_free(n);
    drop(first);
}

// A day of comings and goings: one publisher at a time, always the same m-line.
static void test_mlines_are_reused(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description first = load("firefox153esr-vp8.offer");
    take(n, &first);
    drop(answer_of(n));
    for (uint32_t i = 0; i < 100; i++) {
        struct outgoing camera = video_of("someone", 1000 + 2 * i);
        negotiate_add(n, &camera);
        struct description offer = offer_of(n);
        assert_int_equal(offer.sdp->media_count, 4);
        take_answer(n, &offer);
        assert_true(camera.agreed);
        drop(offer);
        negotiate_remove(n, &camera);
        if (i % 2 == 0)
            continue; // the next one comes before anybody was told
        offer = offer_of(n);
        assert_int_equal(offer.sdp->media[3].direction, SDP_INACTIVE);
        take_answer(n, &offer);
        drop(offer);
    }
    assert_int_equal(n->mline_count, 4);
    negotiate_free(n);
    drop(first);
}

static void test_first_offer_is_ours(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct outgoing camera = video_of("ana", 1000);
    negotiate_add(n, &camera);
    struct description offer = offer_of(n);
    assert_int_equal(offer.sdp->media_count, 1);
    assert_int_equal(offer.sdp->media[0].codecs[0].pt, 96);
    assert_non_null(sdp_find_extmap(&offer.sdp->media[0], ext_uri(EXT_TWCC)));
    take_answer(n, &offer);
    assert_true(camera.agreed);
    struct sink sink = {0};
    negotiate_fill_sink(n, &sink);
    assert_int_equal(sink.pt[CODEC_VP8], 96);
    assert_int_equal(sink.rtx_pt[CODEC_VP8], 97);
    assert_true(sink.ext_id[EXT_TWCC]);
    negotiate_remove(n, &camera);
    drop(offer);
    negotiate_free(n);
}

static void test_rejected_stream_is_not_offered_again(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct outgoing camera = video_of("ana", 1000);
    negotiate_add(n, &camera);
    struct description offer = offer_of(n), answer = browser_answers(n, &offer, SDP_VIDEO);
    assert_int_equal(refused(n, &answer, true), SFU_OK);
    assert_true(camera.refused);
    assert_false(camera.agreed);
    assert_false(negotiate_wants_offer(n));
    negotiate_remove(n, &camera);
    drop(answer);
    drop(offer);
    negotiate_free(n);
}

// A browser that offers to receive gets what waits in the answer: no second round.
static void test_recvonly_mline_is_used(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct outgoing camera = video_of("ana", 1000);
    negotiate_add(n, &camera);
    struct description offer = load("chromium156-vp8.offer");
    offer.sdp->media[0].direction = SDP_RECVONLY;
    take(n, &offer);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].direction, SDP_SENDONLY);
    assert_int_equal(answer.sdp->media[0].ssrcs[0].ssrc, 1000);
    assert_true(camera.agreed);
    assert_false(negotiate_wants_offer(n));
    negotiate_remove(n, &camera);
    drop(answer);
    drop(offer);
    negotiate_free(n);
}

static void test_lost_offer_is_rolled_back(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description first = load("firefox153esr-vp8.offer");
    take(n, &first);
    drop(answer_of(n));
    struct outgoing camera = video_of("ana", 1000);
    negotiate_add(n, &camera);
    drop(offer_of(n));
    assert_int_equal(refused(n, &first, false), SFU_GLARE);
    negotiate_rollback(n);
    assert_true(negotiate_wants_offer(n));
    assert_int_equal(refused(n, &first, false), SFU_OK); // the browser does not know of our m-line
    assert_int_equal(n->mline_count, 3);
    drop(answer_of(n));
    struct description offer = offer_of(n);
    assert_int_equal(offer.sdp->media_count, 4);
    take_answer(n, &offer);
    assert_true(camera.agreed);
    negotiate_remove(n, &camera);
    drop(offer);
    drop(first);
    negotiate_free(n);
}

// A browser that has taken our offer while its answer got lost meets the same m-lines in the next one: it refuses a
// description that names them anew.
static void test_lost_answer(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description first = load("firefox153esr-vp8.offer");
    take(n, &first);
    drop(answer_of(n));
    struct outgoing camera = video_of("ana", 1000), other = video_of("bob", 2000);
    negotiate_add(n, &camera);
    struct description lost = offer_of(n);
    negotiate_rollback(n);
    negotiate_remove(n, &camera);
    negotiate_add(n, &other);
    struct description offer = offer_of(n);
    assert_int_equal(offer.sdp->media_count, 4);
    assert_memory_equal(offer.sdp->media[3].mid.p, lost.sdp->media[3].mid.p, lost.sdp->media[3].mid.len);
    assert_int_equal(offer.sdp->media[3].ssrcs[0].ssrc, 2000);
    take_answer(n, &offer);
    assert_true(other.agreed);
    negotiate_remove(n, &other);
    drop(offer);
    drop(lost);
    drop(first);
    negotiate_free(n);
}

// A browser whose first offer collides with ours and cannot be rolled back makes another RTCPeerConnection.
static void test_collision_then_another_connection(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct outgoing camera = video_of("ana", 1000);
    negotiate_add(n, &camera);
    drop(offer_of(n));
    struct description offer = load("firefox153esr-vp8.offer");
    assert_false(negotiate_is_other_session(n, offer.sdp));
    assert_int_equal(refused(n, &offer, false), SFU_GLARE);
    assert_false(negotiate_is_other_session(n, offer.sdp));
    offer.sdp->session_id++;
    assert_true(negotiate_is_other_session(n, offer.sdp));
    negotiate_remove(n, &camera);
    drop(offer);
    negotiate_free(n);
}

// ---- what is refused ---------------------------------------------------------------------------------------------

static void no_bundle(struct sdp *sdp)
{
    sdp->has_bundle = false;
    sdp->bundle_count = 0;
}
static void no_mid(struct sdp *sdp)
{
    sdp->media[1].mid = (struct sdp_span){0};
}
static void no_mux(struct sdp *sdp)
{
    sdp->media[0].rtcp_mux = false;
}
static void no_ufrag(struct sdp *sdp)
{
    sdp->media[0].transport.ufrag = (struct sdp_span){0};
}
static void weak_hash(struct sdp *sdp)
{
    sdp->media[0].transport.fingerprint.hash = SDP_SHA1;
}
static void holdconn(struct sdp *sdp)
{
    sdp->media[0].transport.setup = SDP_SETUP_HOLDCONN;
}
static void too_many_senders(struct sdp *sdp)
{
    static const char *const mids[] = {"10", "11", "12", "13", "14", "15", "16", "17", "18"};
    for (unsigned i = 0; i < G_N_ELEMENTS(mids); i++) {
        sdp->media[sdp->media_count] = sdp->media[0];
        sdp->media[sdp->media_count++].mid = sdp_span_of(mids[i]);
        sdp->bundle[sdp->bundle_count++] = sdp_span_of(mids[i]);
    }
}

static void test_refused_offers_change_nothing(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct sdp *sdp);
        enum sfu_reason reason;
    } cases[] = {{no_bundle, SFU_BAD_SDP},        {no_mid, SFU_BAD_SDP},    {no_mux, SFU_BAD_SDP},
                 {no_ufrag, SFU_BAD_SDP},         {weak_hash, SFU_BAD_SDP}, {holdconn, SFU_BAD_SDP},
                 {too_many_senders, SFU_TOO_MANY}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct negotiate *n = negotiate_new();
        struct description offer = load("firefox153esr-vp8.offer");
        cases[i].spoil(offer.sdp);
        assert_int_equal(refused(n, &offer, false), cases[i].reason);
        assert_int_equal(n->mline_count, 0);
        assert_int_equal(n->state, NEGOTIATE_STABLE);
        drop(offer);
        negotiate_free(n);
    }
}

static void test_later_offers_keep_the_session(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description offer = load("firefox153esr-vp8.offer");
    take(n, &offer);
    drop(answer_of(n));
    assert_int_equal(refused(n, &offer, true), SFU_NO_OFFER);

    struct sdp *sdp = offer.sdp;
    struct sdp good = *sdp;
    sdp->media[1].mid = sdp_span_of("other");
    assert_int_equal(refused(n, &offer, false), SFU_BAD_SDP);
    *sdp = good;
    sdp->media_count = 2;
    assert_int_equal(refused(n, &offer, false), SFU_BAD_SDP);
    *sdp = good;
    sdp->media[0].transport.fingerprint.value[5] ^= 1;
    assert_int_equal(refused(n, &offer, false), SFU_BAD_SDP);
    *sdp = good;
    sdp->media[0].codecs[0].name = sdp_span_of("VP9"); // 120 was VP8
    assert_int_equal(refused(n, &offer, false), SFU_BAD_SDP);
    *sdp = good;
    assert_int_equal(refused(n, &offer, false), SFU_OK);

    assert_false(negotiate_is_other_session(n, sdp));
    sdp->session_id++;
    assert_true(negotiate_is_other_session(n, sdp));
    drop(offer);
    negotiate_free(n);
}

// An m-line that stops sending, is stopped, and comes back as another.
static void test_mline_stops_and_is_recycled(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description offer = load("firefox153esr-vp8.offer");
    take(n, &offer);
    drop(answer_of(n));
    offer.sdp->media[1].direction = SDP_INACTIVE;
    take(n, &offer);
    assert_false(n->mlines[1]->publishing);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[1].direction, SDP_INACTIVE);
    drop(answer);
    offer.sdp->media[1].port = 0;
    take(n, &offer);
    answer = answer_of(n);
    assert_int_equal(answer.sdp->media[1].port, 0);
    assert_int_equal(answer.sdp->bundle_count, 2);
    drop(answer);
    offer.sdp->media[1].port = 9;
    offer.sdp->media[1].mid = offer.sdp->bundle[1] = sdp_span_of("7");
    offer.sdp->media[1].direction = SDP_SENDONLY;
    take(n, &offer);
    assert_true(n->mlines[1]->publishing);
    assert_string_equal(n->mlines[1]->mid, "7");
    drop(answer_of(n));
    drop(offer);
    negotiate_free(n);
}

static void test_other_browsers(void **state)
{
    (void)state;
    static const char *const names[] = {"gstreamer122-webrtcbin-vp9.offer", "roamhq-wrtc-simulcast.offer",
                                        "werift.offer"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        print_message("%s\n", names[i]);
        struct negotiate *n = negotiate_new();
        struct description offer = load(names[i]);
        take(n, &offer);
        struct description answer = answer_of(n);
        assert_int_equal(answer.sdp->media_count, offer.sdp->media_count);
        drop(answer);
        drop(offer);
        negotiate_free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publishes),
        cmocka_unit_test(test_sources_are_named),
        cmocka_unit_test(test_data_channel),
        cmocka_unit_test(test_red_when_preferred),
        cmocka_unit_test(test_offers_streams),
        cmocka_unit_test(test_mlines_are_reused),
        cmocka_unit_test(test_first_offer_is_ours),
        cmocka_unit_test(test_rejected_stream_is_not_offered_again),
        cmocka_unit_test(test_recvonly_mline_is_used),
        cmocka_unit_test(test_lost_offer_is_rolled_back),
        cmocka_unit_test(test_collision_then_another_connection),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_refused_offers_change_nothing),
        cmocka_unit_test(test_later_offers_keep_the_session),
        cmocka_unit_test(test_mline_stops_and_is_recycled),
        cmocka_unit_test(test_other_browsers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
