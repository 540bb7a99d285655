// Does a browser that sends and receives on the same m-lines get the other's streams without another offer?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sfu/description.h"

// What addTrack() alone makes: video and audio that go both ways.
static struct description two_way(void)
{
    struct description offer = load("chromium156-vp8.offer");
    for (unsigned i = 0; i < offer.sdp->media_count; i++)
        offer.sdp->media[i].direction = SDP_SENDRECV;
    return offer;
}

static struct negotiate *expecting(const char *user)
{
    struct negotiate *n = negotiate_new();
    negotiate_expect(n, user, 5);
    struct description offer = two_way();
    take(n, &offer);
    drop(offer);
    return n;
}

static void test_promised_and_kept(void **state)
{
    (void)state;
    struct negotiate *n = expecting("bia");
    struct description answer = answer_of(n);
    for (unsigned i = 0; i < answer.sdp->media_count; i++) {
        const struct sdp_media *m = &answer.sdp->media[i];
        assert_int_equal(m->direction, SDP_SENDRECV);
        assert_true(sdp_span_is(m->msid.stream, "bia"));
        assert_int_equal(m->ssrc_count, m->kind == SDP_VIDEO ? 2 : 1);
        assert_int_equal(m->ssrcs[0].ssrc, n->mlines[i]->promised_ssrc);
        assert_true(negotiate_has_promised(n, m->ssrcs[0].ssrc));
    }
    drop(answer);
    assert_false(negotiate_wants_offer(n));

    const struct publication camera = {.source = SFU_CAMERA, .codec = CODEC_VP8};
    struct mline *mline = negotiate_promised(n, "bia", &camera);
    assert_ptr_equal(mline, n->mlines[0]);
    struct outgoing out = video_of("bia", mline->promised_ssrc);
    negotiate_keep(n, mline, &out);
    assert_true(out.agreed);
    assert_ptr_equal(out.mline, mline);
    assert_false(negotiate_wants_offer(n));
    assert_null(negotiate_promised(n, "bia", &camera)); // kept once
    assert_false(negotiate_has_promised(n, out.ssrc));

    negotiate_remove(n, &out);
    assert_true(negotiate_wants_offer(n)); // that it is over has to be said
    struct description offer = offer_of(n);
    assert_int_equal(offer.sdp->media[0].direction, SDP_RECVONLY);
    assert_int_equal(offer.sdp->media[1].direction, SDP_SENDRECV); // the microphone is promised still
    drop(offer);
    negotiate_free(n);
}

static void test_not_for_everybody(void **state)
{
    (void)state;
    struct negotiate *n = expecting("bia");
    drop(answer_of(n));
    const struct publication wrong[] = {
        {.source = SFU_SCREEN, .codec = CODEC_VP8},
        {.source = SFU_CAMERA, .codec = CODEC_H264},
        {.source = SFU_SCREEN_AUDIO, .codec = CODEC_OPUS},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_null(negotiate_promised(n, "bia", &wrong[i]));
    assert_null(negotiate_promised(n, "caio", &(struct publication){.source = SFU_CAMERA, .codec = CODEC_VP8}));
    struct outgoing stranger = video_of("caio", 1000);
    negotiate_add(n, &stranger);
    assert_true(negotiate_wants_offer(n)); // as ever
    negotiate_remove(n, &stranger);
    negotiate_free(n);
}

static void test_who_publishes_already(void **state)
{
    (void)state;
    struct negotiate *n = expecting("bia");
    struct outgoing camera = video_of("bia", 1000), other = video_of("caio", 2000);
    negotiate_add(n, &other);
    negotiate_add(n, &camera);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].direction, SDP_SENDRECV);
    assert_int_equal(answer.sdp->media[0].ssrcs[0].ssrc, 1000);
    assert_true(camera.agreed);
    assert_false(other.agreed);
    drop(answer);
    negotiate_remove(n, &camera);
    negotiate_remove(n, &other);
    negotiate_free(n);
}

static void test_nothing_is_promised_unasked(void **state)
{
    (void)state;
    struct negotiate *n = expecting(NULL);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].direction, SDP_RECVONLY);
    drop(answer);
    negotiate_free(n);

    n = negotiate_new(); // expected, but the browser does not receive where it sends
    negotiate_expect(n, "bia", 5);
    struct description offer = load("chromium156-vp8.offer");
    take(n, &offer);
    drop(offer);
    answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].direction, SDP_RECVONLY);
    drop(answer);
    negotiate_free(n);
}

// The browser changes its mind: an m-line that only sends carries no promise any more.
static void test_withdrawn(void **state)
{
    (void)state;
    struct negotiate *n = expecting("bia");
    drop(answer_of(n));
    struct description offer = two_way();
    offer.sdp->media[0].direction = SDP_SENDONLY;
    take(n, &offer);
    drop(offer);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].direction, SDP_RECVONLY);
    assert_int_equal(answer.sdp->media[1].direction, SDP_SENDRECV);
    assert_null(negotiate_promised(n, "bia", &(struct publication){.source = SFU_CAMERA, .codec = CODEC_VP8}));
    drop(answer);
    negotiate_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promised_and_kept),
        cmocka_unit_test(test_not_for_everybody),
        cmocka_unit_test(test_who_publishes_already),
        cmocka_unit_test(test_nothing_is_promised_unasked),
        cmocka_unit_test(test_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
