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
#include "sfu/negotiate.h"

static const struct transport_local local = {
    .ufrag = "abcd",
    .pwd = "abcdefghijklmnopqrstuvwx",
    .fingerprint = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:FF",
    .candidates = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host\ncandidate:2 1 udp 2130706430 192.0.2.2 "
                  "50001 typ host",
    .complete = true,
};

// A browser's description and the text it points into.
struct description {
    char *text;
    struct sdp *sdp;
};

// The Chromium ones were recorded without encryption, so they have no fingerprint of their own.
static void add_dtls(struct sdp *sdp, enum sdp_setup setup)
{
    for (unsigned i = 0; i < sdp->media_count; i++) {
        struct sdp_transport *t = &sdp->media[i].transport;
        if (t->fingerprint.hash)
            continue;
        t->fingerprint = (struct sdp_fingerprint){.hash = SDP_SHA256, .len = 32, .value = {1, 2, 3}};
        t->setup = setup;
    }
}

static struct description parse(char *text, enum sdp_setup setup)
{
    struct description d = {text, g_new(struct sdp, 1)};
    struct sdp_error error;
    assert_int_equal(sdp_parse(d.sdp, text, strlen(text), &error), 0);
    add_dtls(d.sdp, setup);
    return d;
}

static struct description load(const char *name)
{
    char *path = g_strdup_printf("%s/sdp/real-clients/%s.sdp", VECTORS, name), *text;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_free(path);
    return parse(text, SDP_SETUP_ACTPASS);
}

static void drop(struct description d)
{
    g_free(d.text);
    g_free(d.sdp);
}

static struct description answer_of(struct negotiate *n)
{
    char *text = g_malloc(SFU_SDP_MAX);
    assert_true(negotiate_print_answer(n, &local, text, SFU_SDP_MAX) > 0);
    return parse(text, SDP_SETUP_PASSIVE);
}

static struct description offer_of(struct negotiate *n)
{
    char *text = g_malloc(SFU_SDP_MAX);
    assert_true(negotiate_print_offer(n, &local, text, SFU_SDP_MAX) > 0);
    return parse(text, SDP_SETUP_ACTPASS);
}

static void take(struct negotiate *n, const struct description *d)
{
    struct transport_remote remote;
    struct refusal refusal = {0};
    if (negotiate_offer(n, d->sdp, NULL, 0, &remote, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
    assert_non_null(remote.ufrag);
    assert_int_equal(remote.fingerprint_len, 32);
}

static enum sfu_reason refused(struct negotiate *n, const struct description *d, bool answer)
{
    struct transport_remote remote;
    struct refusal refusal = {0};
    int rc = answer ? negotiate_answer(n, d->sdp, NULL, 0, &remote, &refusal)
                    : negotiate_offer(n, d->sdp, NULL, 0, &remote, &refusal);
    if (rc == 0)
        return SFU_OK;
    assert_true(refusal.text[0]);
    return refusal.reason;
}

// What a browser would say to our offer: the same m-lines, seen from the other side.
static struct description browser_answers(const struct negotiate *n, const struct description *offer,
                                          enum sdp_kind rejected)
{
    char *text = g_malloc(SFU_SDP_MAX);
    struct sdp *sdp = g_memdup2(offer->sdp, sizeof(*offer->sdp));
    sdp->session_id = n->has_remote ? n->remote_session_id : 77;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        struct sdp_media *m = &sdp->media[i];
        m->direction = sdp_direction_reverse(m->direction);
        m->transport.setup = SDP_SETUP_ACTIVE;
        if (n->has_remote)
            m->transport.fingerprint = n->fingerprint;
        m->ssrc_count = m->group_count = 0;
        if (m->kind == rejected)
            m->port = 0;
    }
    assert_true(sdp_print(sdp, text, SFU_SDP_MAX) > 0);
    g_free(sdp);
    return parse(text, SDP_SETUP_ACTIVE);
}

static void take_answer(struct negotiate *n, const struct description *offer)
{
    struct description d = browser_answers(n, offer, SDP_OTHER);
    struct transport_remote remote;
    struct refusal refusal = {0};
    if (negotiate_answer(n, d.sdp, NULL, 0, &remote, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
    drop(d);
}

static struct outgoing video_of(const char *user, uint32_t ssrc)
{
    return (struct outgoing){
        .video = true, .codec = CODEC_VP8, .ssrc = ssrc, .rtx_ssrc = ssrc + 1, .user = user, .track_id = "camera"};
}

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

// ---- bounds ------------------------------------------------------------------------------------------------------

enum { VIDEOS_MAX = SDP_MEDIA_MAX + 1 };

static void add_videos(struct negotiate *n, struct outgoing *videos, unsigned count, const char *user)
{
    for (unsigned i = 0; i < count; i++) {
        videos[i] = video_of(user, UINT32_C(4000000000) + 2 * i);
        g_strlcpy(videos[i].track_id, "screen-audio-12345678", sizeof(videos[i].track_id));
        negotiate_add(n, &videos[i]);
    }
}

static void remove_videos(struct negotiate *n, struct outgoing *videos, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        negotiate_remove(n, &videos[i]);
}

// The largest offer there is, in a room of people with the longest names: it is answered.
static void test_largest_description(void **state)
{
    (void)state;
    char user[SFU_USER_MAX + 1] = "", *fmtp = g_strnfill(MLINE_FMTP_MAX - 3, '7'),
                             *text = g_malloc(NEGOTIATE_TEXT_MAX);
    memset(user, 'u', SFU_USER_MAX);
    struct description offer = load("chromium156-vp8.offer");
    struct sdp *sdp = offer.sdp;
    struct sdp_media largest = sdp->media[0];
    char mids[SDP_MEDIA_MAX][SDP_MID_MAX + 1], *x = g_strdup_printf("x=%s", fmtp);
    for (unsigned i = 0; i < largest.codec_count; i++) {
        if (sdp_span_is(largest.codecs[i].name, "VP8"))
            largest.codecs[i].fmtp = sdp_span_of(x);
    }
    for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
        g_snprintf(mids[i], sizeof(mids[i]), "%032u", i);
        sdp->media[i] = largest;
        sdp->media[i].mid = sdp->bundle[i] = sdp_span_of(mids[i]);
        sdp->media[i].direction = SDP_RECVONLY;
    }
    sdp->media_count = sdp->bundle_count = SDP_MEDIA_MAX;

    struct negotiate *n = negotiate_new();
    static struct outgoing videos[VIDEOS_MAX];
    add_videos(n, videos, SDP_MEDIA_MAX, user);
    take(n, &offer);
    assert_true(negotiate_print_answer(n, &local, text, NEGOTIATE_TEXT_MAX) > SFU_SDP_MAX);
    assert_true(videos[SDP_MEDIA_MAX - 1].agreed);
    remove_videos(n, videos, SDP_MEDIA_MAX);
    negotiate_free(n);
    g_free(text);
    g_free(fmtp);
    g_free(x);
    drop(offer);
}

// One stream more than there are m-lines waits, without offers that say nothing new, until somebody leaves.
static void test_more_streams_than_mlines(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    static struct outgoing videos[VIDEOS_MAX];
    add_videos(n, videos, VIDEOS_MAX, "ana");
    struct description offer = offer_of(n);
    take_answer(n, &offer);
    assert_null(videos[SDP_MEDIA_MAX].mline);
    assert_false(negotiate_wants_offer(n));
    negotiate_remove(n, &videos[0]);
    assert_true(negotiate_wants_offer(n));
    drop(offer);
    offer = offer_of(n);
    take_answer(n, &offer);
    assert_true(videos[SDP_MEDIA_MAX].agreed);
    assert_false(negotiate_wants_offer(n));
    remove_videos(n, videos + 1, VIDEOS_MAX - 1);
    drop(offer);
    negotiate_free(n);
}

// A browser that uses our usual numbers for something else: ours are moved, each to a number of its own.
static void test_numbers_are_unique(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\r\no=- 77 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n"
        "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
        "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 98 45\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\n"
        "a=rtpmap:98 opus/48000/2\r\na=rtpmap:45 red/48000/2\r\n"
        "a=extmap:5 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n";
    struct negotiate *n = negotiate_new();
    struct description first = parse(g_strdup(text), SDP_SETUP_ACTPASS);
    take(n, &first);
    drop(answer_of(n));
    struct outgoing out[] = {video_of("a", 1000), video_of("b", 2000), video_of("c", 3000), video_of("d", 4000)};
    out[1].codec = CODEC_VP9;
    out[2].codec = CODEC_AV1;
    for (unsigned i = 0; i < G_N_ELEMENTS(out); i++)
        negotiate_add(n, &out[i]);
    struct description offer = offer_of(n);
    const struct sdp_codec *known[128] = {0};
    struct sdp_span uris[256] = {{0}};
    for (unsigned i = 0; i < offer.sdp->media_count; i++) {
        const struct sdp_media *m = &offer.sdp->media[i];
        for (unsigned c = 0; c < m->codec_count; c++) {
            const struct sdp_codec *line = &m->codecs[c], *before = known[line->pt];
            print_message("m-line %u: %u %.*s %.*s\n", i, line->pt, SDP_SPAN_ARG(line->name),
                          SDP_SPAN_ARG(line->fmtp));
            assert_true(!before || (before->name.len == line->name.len &&
                                    !memcmp(before->name.p, line->name.p, line->name.len)));
            if (before && sdp_rtx_apt(line) >= 0)
                assert_int_equal(sdp_rtx_apt(before), sdp_rtx_apt(line));
            known[line->pt] = line;
        }
        for (unsigned e = 0; e < m->extmap_count; e++) {
            struct sdp_span *uri = &uris[m->extmaps[e].id];
            assert_true(!uri->len ||
                        (uri->len == m->extmaps[e].uri.len && !memcmp(uri->p, m->extmaps[e].uri.p, uri->len)));
            *uri = m->extmaps[e].uri;
        }
    }
    take_answer(n, &offer);
    for (unsigned i = 0; i < G_N_ELEMENTS(out); i++) {
        assert_true(out[i].agreed);
        negotiate_remove(n, &out[i]);
    }
    drop(offer);
    drop(first);
    negotiate_free(n);
}

// Who is the DTLS client stays so, whatever a later offer leaves open (RFC 8842 section 5.3).
static void test_roles_stay(void **state)
{
    (void)state;
    struct negotiate *n = negotiate_new();
    struct description first = load("firefox153esr-vp8.offer");
    for (unsigned i = 0; i < first.sdp->media_count; i++)
        first.sdp->media[i].transport.setup = SDP_SETUP_PASSIVE;
    take(n, &first);
    struct description answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].transport.setup, SDP_SETUP_ACTIVE);
    drop(answer);
    for (unsigned i = 0; i < first.sdp->media_count; i++)
        first.sdp->media[i].transport.setup = SDP_SETUP_ACTPASS;
    take(n, &first);
    answer = answer_of(n);
    assert_int_equal(answer.sdp->media[0].transport.setup, SDP_SETUP_ACTIVE);
    drop(answer);
    drop(first);
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
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_largest_description),
        cmocka_unit_test(test_more_streams_than_mlines),
        cmocka_unit_test(test_numbers_are_unique),
        cmocka_unit_test(test_roles_stay),
        cmocka_unit_test(test_refused_offers_change_nothing),
        cmocka_unit_test(test_later_offers_keep_the_session),
        cmocka_unit_test(test_mline_stops_and_is_recycled),
        cmocka_unit_test(test_other_browsers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
