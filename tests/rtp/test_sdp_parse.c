// Does each line mean what its RFC says, and is a wrong one refused by number? (rtp/sdp_parse.c, sdp_attr*.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/sdp.h"

static struct sdp parsed; // 0.4 MB

static bool is(struct sdp_span s, const char *text)
{
    if (sdp_span_is(s, text))
        return true;
    print_message("'%.*s' is not '%s'\n", SDP_SPAN_ARG(s), text);
    return false;
}

static int parse(const char *text, struct sdp_error *err)
{
    return sdp_parse(&parsed, text, strlen(text), err);
}

__attribute__((format(printf, 2, 3))) static void add(char *out, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + len, 4096 - len, format, args);
    va_end(args);
}

// ---- small descriptions ----------------------------------------------------------------------------------

#define HEAD  "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"

static void test_session_values_are_inherited(void **state)
{
    (void)state;
    struct sdp_error err;
    assert_int_equal(
        parse(HEAD "a=setup:actpass\r\na=ice-ufrag:aaaa\r\na=ice-pwd:0123456789012345678901\r\n"
                   "a=ice-options:trickle ice2\r\na=recvonly\r\na=extmap-allow-mixed\r\n"
                   "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n" VIDEO
                   "a=setup:active\r\na=ice-ufrag:bbbb\r\na=sendonly\r\n"
                   "a=fingerprint:SHA-1 ff:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n" VIDEO,
              &err),
        0);
    const struct sdp_media *own = &parsed.media[0], *inherited = &parsed.media[1];
    assert_true(is(own->transport.ufrag, "bbbb") && is(inherited->transport.ufrag, "aaaa"));
    assert_true(is(own->transport.pwd, "0123456789012345678901"));
    assert_true(sdp_span_has_word(inherited->transport.ice_options, "ice2"));
    assert_false(sdp_span_has_word(inherited->transport.ice_options, "ice"));
    assert_int_equal(own->transport.setup, SDP_SETUP_ACTIVE);
    assert_int_equal(inherited->transport.setup, SDP_SETUP_ACTPASS);
    assert_int_equal(own->direction, SDP_SENDONLY);
    assert_int_equal(inherited->direction, SDP_RECVONLY);
    assert_int_equal(own->transport.fingerprint.value[0], 0xff);
    assert_int_equal(inherited->transport.fingerprint.value[0], 0x00);
    assert_true(own->extmap_allow_mixed && inherited->extmap_allow_mixed);
}

static void test_the_strongest_fingerprint_is_kept(void **state)
{
    (void)state;
    struct sdp_error err;
    const char *sha1 = "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n";
    const char *sha256 = "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
                         "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n";
    char text[1024];
    for (int turn = 0; turn < 2; turn++) {
        snprintf(text, sizeof(text), HEAD VIDEO "%sa=fingerprint:md5 00:01\r\n%s", turn ? sha1 : sha256,
                 turn ? sha256 : sha1);
        assert_int_equal(parse(text, &err), 0);
        assert_int_equal(parsed.media[0].transport.fingerprint.hash, SDP_SHA256);
        assert_int_equal(parsed.media[0].transport.fingerprint.len, 32);
        assert_int_equal(parsed.media[0].transport.fingerprint.value[31], 0x1f);
    }
    snprintf(text, sizeof(text), HEAD "%s" VIDEO "%s", sha256, sha1);
    assert_int_equal(parse(text, &err), 0);
    assert_int_equal(parsed.media[0].transport.fingerprint.hash, SDP_SHA1);
}

static void test_wildcard_and_unlisted_feedback(void **state)
{
    (void)state;
    struct sdp_error err;
    assert_int_equal(parse(HEAD VIDEO "a=rtcp-fb:* nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 nack rpsi\r\n"
                                      "a=rtcp-fb:99 ccm fir\r\na=rtpmap:96 VP8/90000\r\n" VIDEO,
                           &err),
                     0);
    assert_int_equal(parsed.media[0].codecs[0].feedback, SDP_FB_NACK | SDP_FB_NACK_PLI);
    assert_int_equal(parsed.media[0].codecs[1].feedback, SDP_FB_NACK);
    assert_int_equal(parsed.media[1].codecs[0].feedback, 0);
}

static void test_simulcast_lists(void **state)
{
    (void)state;
    struct sdp_error err;
    assert_int_equal(parse(HEAD VIDEO "a=rid:1 send max-width=1280;max-fps=30\r\na=rid:2 send\r\na=rid:c recv\r\n"
                                      "a=simulcast:send 1,~4;2 recv c\r\n",
                           &err),
                     0);
    const struct sdp_media *m = &parsed.media[0];
    const struct sdp_simulcast *send = &m->simulcast_send;
    assert_int_equal(send->count, 3);
    assert_true(is(send->rids[1].rid, "4") && send->rids[1].paused && send->rids[1].alternative);
    assert_true(is(send->rids[2].rid, "2") && !send->rids[2].paused && !send->rids[2].alternative);
    assert_int_equal(m->simulcast_recv.count, 1);
    assert_true(is(sdp_find_rid(m, sdp_span_of("1"))->params, "max-width=1280;max-fps=30"));
    assert_true(sdp_find_rid(m, sdp_span_of("c"))->recv);
}

static void test_legacy_data_channel(void **state)
{
    (void)state;
    struct sdp_error err;
    assert_int_equal(parse(HEAD "m=application 9 DTLS/SCTP 5000\na=sctpmap:5000 webrtc-datachannel 1024\nb=AS:30\n"
                                "m=message 0 TCP/MSRP *\n",
                           &err),
                     0);
    assert_true(is(parsed.media[0].formats, "5000"));
    assert_int_equal(parsed.media[0].sctp_port, 5000);
    assert_int_equal(parsed.media[0].max_message_size, 65536);
    assert_int_equal(parsed.media[0].as_kbps, 30);
    assert_int_equal(parsed.media[1].kind, SDP_OTHER);
    assert_true(is(parsed.media[1].kind_name, "message") && is(parsed.media[1].formats, "*"));
    assert_true(sdp_is_rejected(&parsed.media[1]));
}

static void test_static_payload_types(void **state)
{
    (void)state;
    struct sdp_error err;
    assert_int_equal(parse(HEAD "m=audio 9 RTP/AVP 0 8 26\r\nm=video 9 RTP/AVP 26 8\r\n", &err), 0);
    assert_true(is(parsed.media[0].codecs[0].name, "PCMU") && is(parsed.media[0].codecs[1].name, "PCMA"));
    assert_int_equal(parsed.media[0].codecs[0].clock_hz, 8000);
    assert_int_equal(parsed.media[0].codecs[2].name.len, 0);
    assert_true(is(parsed.media[1].codecs[0].name, "JPEG"));
    assert_int_equal(parsed.media[1].codecs[1].clock_hz, 0);
}

static void test_further_candidates_are_dropped(void **state)
{
    (void)state;
    struct sdp_error err;
    char text[4096] = HEAD VIDEO;
    for (int i = 0; i < SDP_CANDIDATES_MAX + 5; i++)
        add(text, "a=candidate:%d 1 udp 1 192.0.2.1 9 typ host\r\n", i);
    assert_int_equal(parse(text, &err), 0);
    assert_int_equal(parsed.media[0].candidate_count, SDP_CANDIDATES_MAX);
}

static void test_directions(void **state)
{
    (void)state;
    assert_int_equal(sdp_direction_reverse(SDP_SENDONLY), SDP_RECVONLY);
    assert_int_equal(sdp_direction_reverse(SDP_RECVONLY), SDP_SENDONLY);
    assert_int_equal(sdp_direction_reverse(SDP_SENDRECV), SDP_SENDRECV);
    assert_int_equal(sdp_direction_reverse(SDP_INACTIVE), SDP_INACTIVE);
}

// ---- refusals --------------------------------------------------------------------------------------------

#define PWD "a=ice-pwd:0123456789012345678901\r\n"

static const struct refusal {
    const char *text;
    int result, line;
    const char *what; // a part of the sentence
} refusals[] = {
    {"", -EBADMSG, 0, "no o= line"},
    {"\r\n" HEAD, -EBADMSG, 1, "form x=value"},
    {"s=-\r\n", -EBADMSG, 1, "v=0 must be the first"},
    {"v=1\r\n", -EBADMSG, 1, "version"},
    {"v=0\r\nv=0\r\n", -EBADMSG, 2, "v=0 must be the first"},
    {"v=0\r\ns=-\r\n", -EBADMSG, 0, "no o= line"},
    {"v=0\r\no=- x 2 IN IP4 0.0.0.0\r\n", -EBADMSG, 2, "session id"},
    {"v=0\r\no=- 1 -2 IN IP4 0.0.0.0\r\n", -EBADMSG, 2, "session version"},
    {"v=0\r\no=- 18446744073709551616 2 IN IP4 0.0.0.0\r\n", -EBADMSG, 2, "session id"},
    {HEAD "o=- 1 2 IN IP4 0.0.0.0\r\n", -EBADMSG, 5, "o="},
    {HEAD "hello\r\n", -EBADMSG, 5, "form x=value"},
    {HEAD "A=setup:active\r\n", -EBADMSG, 5, "form x=value"},
    {HEAD "a=mid:0\rm=evil\r\n", -EBADMSG, 5, "control"},
    {HEAD "m=video\r\n", -EBADMSG, 5, "port"},
    {HEAD "m=\r\n", -EBADMSG, 5, "media type"},
    {HEAD "m=video 65536 RTP/AVP 96\r\n", -EBADMSG, 5, "port"},
    {HEAD "m=video 9\r\n", -EBADMSG, 5, "protocol"},
    {HEAD "m=video 9 UDP/TLS/RTP/SAVPF\r\n", -EBADMSG, 5, "format"},
    {HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96 128\r\n", -EBADMSG, 5, "payload type"},
    {HEAD "m=video 9 UDP/TLS/RTP/SAVPF vp8\r\n", -EBADMSG, 5, "payload type"},
    {HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96 96\r\n", -EBADMSG, 5, "twice"},
    {HEAD VIDEO "a=mid:\r\n", -EBADMSG, 6, "mid"},
    {HEAD VIDEO "a=mid:a b\r\n", -EBADMSG, 6, "mid"},
    {HEAD VIDEO "a=mid:a\r\na=mid:b\r\n", -EBADMSG, 7, "second mid"},
    {HEAD VIDEO "a=mid:a\r\n" VIDEO "a=mid:a\r\n", -EBADMSG, 8, "earlier"},
    {HEAD VIDEO "a=mid:012345678901234567890123456789012\r\n", -E2BIG, 6, "32 bytes"},
    {HEAD "a=group:BUNDLE a\r\n" VIDEO "a=mid:b\r\n", -EBADMSG, 5, "no m-section"},
    {HEAD "a=group:BUNDLE b b\r\n" VIDEO "a=mid:b\r\n", -EBADMSG, 5, "twice"},
    {HEAD "a=ice-ufrag:abc\r\n", -EBADMSG, 5, "ice-ufrag"},
    {HEAD "a=ice-ufrag:ab\"c\r\n", -EBADMSG, 5, "ice-ufrag"},
    {HEAD "a=ice-options:\r\n", -EBADMSG, 5, "ice-options"},
    {HEAD VIDEO "a=ice-pwd:tooshort\r\n", -EBADMSG, 6, "ice-pwd"},
    {HEAD VIDEO PWD "a=setup:maybe\r\n", -EBADMSG, 7, "setup"},
    {HEAD VIDEO "a=fingerprint:\r\n", -EBADMSG, 6, "hash name"},
    {HEAD VIDEO "a=fingerprint:sha-256 00:01\r\n", -EBADMSG, 6, "hex"},
    {HEAD VIDEO "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:1G\r\n", -EBADMSG, 6,
     "hex"},
    {HEAD VIDEO "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12-13\r\n", -EBADMSG, 6,
     "hex"},
    {HEAD VIDEO "a=candidate:\r\n", -EBADMSG, 6, "candidate"},
    {HEAD VIDEO "a=rtpmap:VP8/90000\r\n", -EBADMSG, 6, "rtpmap"},
    {HEAD VIDEO "a=rtpmap:96 /90000\r\n", -EBADMSG, 6, "codec name"},
    {HEAD VIDEO "a=rtpmap:96 VP8\r\n", -EBADMSG, 6, "clock"},
    {HEAD VIDEO "a=rtpmap:96 VP8/0\r\n", -EBADMSG, 6, "clock"},
    {HEAD "m=audio 9 RTP/AVP 96\r\na=rtpmap:96 opus/48000/0\r\n", -EBADMSG, 6, "channels"},
    {HEAD VIDEO "a=fmtp:apt=96\r\n", -EBADMSG, 6, "fmtp"},
    {HEAD VIDEO "a=rtcp-fb:x nack\r\n", -EBADMSG, 6, "rtcp-fb"},
    {HEAD VIDEO "a=extmap:0 urn:x\r\n", -EBADMSG, 6, "id"},
    {HEAD VIDEO "a=extmap:256 urn:x\r\n", -EBADMSG, 6, "id"},
    {HEAD VIDEO "a=extmap:1\r\n", -EBADMSG, 6, "URI"},
    {HEAD VIDEO "a=extmap:1/up urn:x\r\n", -EBADMSG, 6, "direction"},
    {HEAD VIDEO "a=extmap:1 urn:x\r\na=extmap:1 urn:y\r\n", -EBADMSG, 7, "twice"},
    {HEAD VIDEO "a=msid:\r\n", -EBADMSG, 6, "msid"},
    {HEAD VIDEO "a=ssrc:4294967296 cname:x\r\n", -EBADMSG, 6, "ssrc"},
    {HEAD VIDEO "a=ssrc-group:FID\r\n", -EBADMSG, 6, "without SSRCs"},
    {HEAD VIDEO "a=ssrc-group:FID 1 x\r\n", -EBADMSG, 6, "not an SSRC"},
    {HEAD VIDEO "a=ssrc-group:SIM 1 2 3 4 5 6 7 8 9\r\n", -E2BIG, 6, "8 SSRCs"},
    {HEAD VIDEO "a=rid:q\r\n", -EBADMSG, 6, "neither"},
    {HEAD VIDEO "a=rid:q! send\r\n", -EBADMSG, 6, "letters"},
    {HEAD VIDEO "a=rid:q send\r\na=rid:q send\r\n", -EBADMSG, 7, "twice"},
    {HEAD VIDEO "a=rid:01234567890123456 send\r\n", -E2BIG, 6, "16 bytes"},
    {HEAD VIDEO "a=simulcast:\r\n", -EBADMSG, 6, "neither"},
    {HEAD VIDEO "a=simulcast:send\r\n", -EBADMSG, 6, "without rids"},
    {HEAD VIDEO "a=simulcast:send a;;b\r\n", -EBADMSG, 6, "not a rid"},
    {HEAD VIDEO "a=simulcast:send a send b\r\n", -EBADMSG, 6, "twice"},
    {HEAD VIDEO "a=simulcast: send rid=1;2\r\n", -EBADMSG, 6, "not a rid"},
    {HEAD VIDEO "a=simulcast:send 1;2;3;4;5;6;7;8;9\r\n", -E2BIG, 6, "8 rids"},
    {HEAD VIDEO "a=sctp-port:65536\r\n", -EBADMSG, 6, "sctp-port"},
    {HEAD VIDEO "a=sctpmap:x\r\n", -EBADMSG, 6, "sctpmap"},
    {HEAD VIDEO "a=max-message-size:big\r\n", -EBADMSG, 6, "max-message-size"},
    {HEAD VIDEO "b=AS:much\r\n", -EBADMSG, 6, "bandwidth"},
    {HEAD VIDEO "a=sendrecv:no\r\n", -EBADMSG, 6, "direction"},
};

static void test_refusals_name_line_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *want = &refusals[i];
        struct sdp_error err;
        int result = parse(want->text, &err);
        if (result != want->result || err.line != want->line || !strstr(err.what, want->what))
            fail_msg("%s\ngave %d at line %d: %s", want->text, result, err.line, result ? err.what : "");
    }
}

// Says what becomes of a description with `count` lines "<before><i><after>" in it.
static int parse_many(int count, const char *intro, const char *before, const char *after)
{
    static char text[16384];
    struct sdp_error err;
    size_t len = (size_t)snprintf(text, sizeof(text), "%s%s", HEAD, intro);
    for (int i = 1; i <= count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d%s\r\n", before, i, after);
    return parse(text, &err);
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        int max;
        const char *intro, *before, *after;
    } bounds[] = {
        {SDP_MEDIA_MAX, "", VIDEO "a=mid:", ""},       {SDP_EXTMAPS_MAX, VIDEO, "a=extmap:", " urn:x"},
        {SDP_SSRCS_MAX, VIDEO, "a=ssrc:", " cname:x"}, {SDP_GROUPS_MAX, VIDEO, "a=ssrc-group:FID ", ""},
        {SDP_RIDS_MAX, VIDEO, "a=rid:", " send"},
    };
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        assert_int_equal(parse_many(bounds[i].max, bounds[i].intro, bounds[i].before, bounds[i].after), 0);
        assert_int_equal(parse_many(bounds[i].max + 1, bounds[i].intro, bounds[i].before, bounds[i].after), -E2BIG);
    }
}

static void test_codec_bound(void **state)
{
    (void)state;
    struct sdp_error err;
    char text[4096] = HEAD "m=video 9 RTP/AVPF";
    for (int pt = 0; pt < SDP_CODECS_MAX; pt++)
        add(text, " %d", pt);
    assert_int_equal(parse(text, &err), 0);
    assert_int_equal(parsed.media[0].codec_count, SDP_CODECS_MAX);
    add(text, " 127");
    assert_int_equal(parse(text, &err), -E2BIG);
    assert_int_equal(err.line, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_values_are_inherited),
        cmocka_unit_test(test_the_strongest_fingerprint_is_kept),
        cmocka_unit_test(test_wildcard_and_unlisted_feedback),
        cmocka_unit_test(test_simulcast_lists),
        cmocka_unit_test(test_legacy_data_channel),
        cmocka_unit_test(test_static_payload_types),
        cmocka_unit_test(test_further_candidates_are_dropped),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_refusals_name_line_and_reason),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_codec_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
