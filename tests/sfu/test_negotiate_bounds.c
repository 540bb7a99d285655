// Do we keep our word with a browser at the bounds? (the most m-lines, the longest names, numbers taken, roles open)
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

// One payload type for two codecs in one bundle cannot be told apart (RFC 9143 section 9.1).
static void test_number_with_two_meanings(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\r\no=- 77 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n"
        "a=rtpmap:111 opus/48000/2\r\na=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\n"
        "a=rtpmap:111 VP8/90000\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
    struct negotiate *n = negotiate_new();
    struct description offer = parse(g_strdup(text), SDP_SETUP_ACTPASS);
    assert_int_equal(refused(n, &offer, false), SFU_BAD_SDP);
    assert_int_equal(n->mline_count, 0);
    offer.sdp->media[1].codecs[0].pt = 96;
    assert_int_equal(refused(n, &offer, false), SFU_OK); // a second number for mid stays unknown
    offer.sdp->media[1].extmaps[0] = (struct sdp_extmap){.id = 3, .uri = sdp_span_of(ext_uri(EXT_TWCC))};
    drop(answer_of(n));
    assert_int_equal(refused(n, &offer, false), SFU_BAD_SDP);
    drop(offer);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_largest_description), cmocka_unit_test(test_more_streams_than_mlines),
        cmocka_unit_test(test_numbers_are_unique),  cmocka_unit_test(test_number_with_two_meanings),
        cmocka_unit_test(test_roles_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
