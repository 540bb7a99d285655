// Is what we print what we would parse, and does no damaged description hurt? (rtp/sdp_write.c, rtp/sdp_parse.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/sdp.h"
#include "tests/rtp/sdp_files.h"
#include "tests/rtp/sdp_same.h"

static struct sdp first, second; // 0.4 MB each
static char printed[1 << 20];

// parse(print(x)) == x, for x = what is in `first`.
static void check_round_trip(const char *name)
{
    struct sdp_error err;
    int len = sdp_print(&first, printed, sizeof(printed));
    assert_true(len > 0);
    assert_int_equal(strlen(printed), len);
    if (sdp_parse(&second, printed, (size_t)len, &err))
        fail_msg("%s printed is refused at line %d: %s\n%s", name, err.line, err.what, printed);
    const char *difference = sdp_difference(&first, &second);
    if (difference)
        fail_msg("%s printed differs in %s\n%s", name, difference, printed);
}

static void parse_and_print(const struct sdp_file *file, void *arg)
{
    struct sdp_error err;
    if (sdp_parse(&first, file->text, file->len, &err))
        return;
    check_round_trip(file->name);
    ++*(int *)arg;
}

static void test_printed_files_parse_the_same(void **state)
{
    (void)state;
    int count = 0;
    sdp_files_each("real-clients", parse_and_print, &count);
    sdp_files_each("jsep-draft", parse_and_print, &count);
    assert_int_equal(count, 37);
    sdp_files_each("sdp-transform", parse_and_print, &count);
    assert_true(count >= 57);
}

static struct sdp_span span(const char *text)
{
    return sdp_span_of(text);
}

// A description of our own, with every field in use.
static void build(struct sdp *sdp)
{
    sdp_init(sdp);
    sdp->session_id = UINT64_MAX;
    sdp->session_version = 3;
    sdp->ice_lite = true;
    sdp->has_bundle = true;
    sdp->bundle[sdp->bundle_count++] = span("a");
    sdp->bundle[sdp->bundle_count++] = span("d");
    sdp->media_count = 2;

    struct sdp_media *m = &sdp->media[0];
    sdp_media_init(m, SDP_VIDEO);
    m->port = 9;
    m->proto = span("UDP/TLS/RTP/SAVPF");
    m->mid = span("a");
    m->rtcp_mux = m->rtcp_rsize = m->extmap_allow_mixed = true;
    m->direction = SDP_SENDONLY;
    m->transport = (struct sdp_transport){.ufrag = span("abcd"),
                                          .pwd = span("0123456789012345678901"),
                                          .ice_options = span("trickle"),
                                          .setup = SDP_SETUP_PASSIVE,
                                          .end_of_candidates = true};
    m->transport.fingerprint = (struct sdp_fingerprint){.hash = SDP_SHA1, .len = 20, .value = {0xab, 1}};
    m->candidates[m->candidate_count++] = span("candidate:1 1 udp 1 192.0.2.1 9 typ host");
    m->msid = (struct sdp_msid){span("alice"), span("camera")};
    m->as_kbps = 500;
    m->tias_bps = 500000;
    m->codecs[m->codec_count++] = (struct sdp_codec){
        .pt = 96, .feedback = 0x1f, .clock_hz = 90000, .name = span("VP8"), .fmtp = span("max-fs=3600")};
    m->extmaps[m->extmap_count++] = (struct sdp_extmap){3, SDP_SENDONLY, span("urn:x")};
    m->ssrcs[m->ssrc_count++] = (struct sdp_ssrc){7, span("cname")};
    m->groups[m->group_count++] = (struct sdp_ssrc_group){SDP_SIM, 3, {7, 8, 9}};
    m->rids[m->rid_count++] = (struct sdp_rid){span("q"), true, span("max-width=320")};
    m->rids[m->rid_count++] = (struct sdp_rid){span("h"), true, {0}};
    m->simulcast_recv.count = 2;
    m->simulcast_recv.rids[0] = (struct sdp_simulcast_rid){span("q"), false, false};
    m->simulcast_recv.rids[1] = (struct sdp_simulcast_rid){span("h"), true, false};

    m = &sdp->media[1];
    sdp_media_init(m, SDP_APPLICATION);
    m->bundle_only = true;
    m->proto = span("UDP/DTLS/SCTP");
    m->formats = span("webrtc-datachannel");
    m->mid = span("d");
    m->sctp_port = 5000;
    m->max_message_size = 262144;
}

static const char expected[] = "v=0\r\n"
                               "o=- 18446744073709551615 3 IN IP4 0.0.0.0\r\n"
                               "s=-\r\n"
                               "t=0 0\r\n"
                               "a=ice-lite\r\n"
                               "a=group:BUNDLE a d\r\n"
                               "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
                               "c=IN IP4 0.0.0.0\r\n"
                               "b=AS:500\r\n"
                               "b=TIAS:500000\r\n"
                               "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
                               "a=end-of-candidates\r\n"
                               "a=ice-ufrag:abcd\r\n"
                               "a=ice-pwd:0123456789012345678901\r\n"
                               "a=ice-options:trickle\r\n"
                               "a=fingerprint:sha-1 AB:01:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n"
                               "a=setup:passive\r\n"
                               "a=mid:a\r\n"
                               "a=extmap-allow-mixed\r\n"
                               "a=extmap:3/sendonly urn:x\r\n"
                               "a=sendonly\r\n"
                               "a=msid:alice camera\r\n"
                               "a=rtcp-mux\r\n"
                               "a=rtcp-rsize\r\n"
                               "a=rtpmap:96 VP8/90000\r\n"
                               "a=rtcp-fb:96 nack\r\n"
                               "a=rtcp-fb:96 nack pli\r\n"
                               "a=rtcp-fb:96 ccm fir\r\n"
                               "a=rtcp-fb:96 goog-remb\r\n"
                               "a=rtcp-fb:96 transport-cc\r\n"
                               "a=fmtp:96 max-fs=3600\r\n"
                               "a=rid:q recv max-width=320\r\n"
                               "a=rid:h recv\r\n"
                               "a=simulcast:recv q;~h\r\n"
                               "a=ssrc-group:SIM 7 8 9\r\n"
                               "a=ssrc:7 cname:cname\r\n"
                               "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                               "c=IN IP4 0.0.0.0\r\n"
                               "a=mid:d\r\n"
                               "a=bundle-only\r\n"
                               "a=sctp-port:5000\r\n"
                               "a=max-message-size:262144\r\n";

static void test_our_own_description(void **state)
{
    (void)state;
    build(&first);
    assert_int_equal(sdp_print(&first, printed, sizeof(printed)), sizeof(expected) - 1);
    assert_string_equal(printed, expected);
    first.username = span("-"); // printed for an empty one
    check_round_trip("our own");
    assert_false(sdp_is_rejected(&first.media[1]));
}

static void test_rejected_media_has_a_format(void **state)
{
    (void)state;
    sdp_init(&first);
    first.media_count = 1;
    sdp_media_init(&first.media[0], SDP_AUDIO);
    first.media[0].proto = span("UDP/TLS/RTP/SAVPF");
    assert_true(sdp_print(&first, printed, sizeof(printed)) > 0);
    assert_non_null(strstr(printed, "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n"));
    assert_true(sdp_is_rejected(&first.media[0]));
}

// Every buffer that is too small is left terminated, with whole lines only.
static void test_small_buffers(void **state)
{
    (void)state;
    build(&first);
    for (size_t cap = 1; cap < sizeof(expected); cap++) {
        char *buf = malloc(cap);
        assert_int_equal(sdp_print(&first, buf, cap), -ENOSPC);
        size_t len = strlen(buf);
        assert_true(len < cap);
        assert_memory_equal(buf, expected, len);
        free(buf);
    }
    char *buf = malloc(sizeof(expected));
    assert_int_equal(sdp_print(&first, buf, sizeof(expected)), sizeof(expected) - 1);
    free(buf);
}

static void test_writer_stops_for_good(void **state)
{
    (void)state;
    char buf[16];
    struct sdp_writer w;
    sdp_writer_init(&w, buf, sizeof(buf));
    sdp_write_line(&w, "a=%d", 1);
    sdp_write_line(&w, "a=much too long for it");
    sdp_write_line(&w, "a=2");
    assert_false(w.ok);
    assert_string_equal(buf, "a=1\r\n");
    assert_int_equal(w.len, 5);
}

// ---- damage ----------------------------------------------------------------------------------------------

// A description in a block of exactly its size, so that ASan sees every read beyond it.
static void parse_exact(const char *text, size_t len)
{
    struct sdp_error err;
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    int result = sdp_parse(&first, copy, len, &err);
    assert_true(result == 0 || ((result == -EBADMSG || result == -E2BIG) && err.what));
    if (result == 0)
        check_round_trip("a damaged description");
    free(copy);
}

static void parse_prefixes(const struct sdp_file *file, void *arg)
{
    for (size_t len = 0; len <= file->len; len += *(const size_t *)arg)
        parse_exact(file->text, len);
}

static void test_every_prefix(void **state)
{
    (void)state;
    struct sdp_file file = sdp_file_read("real-clients", "firefox153esr-vp8_sim.offer.sdp");
    size_t step = 1;
    parse_prefixes(&file, &step);
    free(file.text);
    step = 7;
    sdp_files_each("sdp-transform", parse_prefixes, &step);
    step = 23;
    sdp_files_each("real-clients", parse_prefixes, &step);
    sdp_files_each("jsep-draft", parse_prefixes, &step);
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static size_t random_below(size_t n) // xorshift64*
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (size_t)((random_state * 0x2545f4914f6cdd1du) >> 33) % n;
}

struct line {
    const char *p;
    size_t len; // with its line end
};

static size_t split(const char *text, size_t len, struct line *lines, size_t max)
{
    size_t count = 0;
    for (const char *end = text + len; text < end && count < max; count++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        lines[count] = (struct line){text, newline ? (size_t)(newline + 1 - text) : (size_t)(end - text)};
        text += lines[count].len;
    }
    return count;
}

// Copies the line with one thing wrong: cut, a byte changed, a span repeated, a number made large.
static size_t damage(char *out, const struct line *line)
{
    static const char bytes[] = "\0 ,;:/=~*\r\n\t-09aZ\x7f\xff";
    size_t at = random_below(line->len), len = line->len;
    memcpy(out, line->p, len);
    switch (random_below(5)) {
    case 0:
        return at;
    case 1:
        out[at] = bytes[random_below(sizeof(bytes) - 1)];
        return len;
    case 2:
        out[at] = (char)random_below(256);
        return len;
    case 3:
        memcpy(out + at, line->p, len);
        return at + len;
    default:
        memcpy(out + at, "99999999999999999999", 20);
        memcpy(out + at + 20, line->p + at, len - at);
        return len + 20;
    }
}

// One line of the file is damaged, dropped, doubled, or comes from another file.
static size_t mutate(char *out, const struct sdp_file *file, const struct sdp_file *other)
{
    struct line lines[512], others[512];
    size_t count = split(file->text, file->len, lines, 512), len = 0;
    size_t other_count = split(other->text, other->len, others, 512);
    size_t victim = random_below(count), how = random_below(8);
    for (size_t i = 0; i < count; i++) {
        const struct line *line = &lines[i];
        int copies = i != victim || how > 1 ? 1 : how == 1 ? 2 : 0;
        if (i == victim && how == 2)
            line = &others[random_below(other_count)];
        if (i == victim && how > 2) {
            len += damage(out + len, line);
            continue;
        }
        for (int c = 0; c < copies; c++, len += line->len)
            memcpy(out + len, line->p, line->len);
    }
    return len;
}

static void test_random_line_mutations(void **state)
{
    (void)state;
    static const char *const names[] = {
        "chromium156-vp8_sim.offer.sdp",
        "chromium156-h264_sim.answer.sdp",
        "firefox153esr-vp8_sim.offer.sdp",
        "firefox153esr-vp8_sim.answer.sdp",
        "werift.offer.sdp",
        "gstreamer122-webrtcbin-vp9.offer.sdp",
        "roamhq-wrtc-simulcast.offer.sdp",
    };
    enum { FILES = sizeof(names) / sizeof(names[0]), ROUNDS = 10000 };
    static char out[65536];
    struct sdp_file files[FILES];
    for (size_t i = 0; i < FILES; i++)
        files[i] = sdp_file_read("real-clients", names[i]);
    for (int round = 0; round < ROUNDS; round++)
        parse_exact(out, mutate(out, &files[random_below(FILES)], &files[random_below(FILES)]));
    for (size_t i = 0; i < FILES; i++)
        free(files[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printed_files_parse_the_same), cmocka_unit_test(test_our_own_description),
        cmocka_unit_test(test_rejected_media_has_a_format),  cmocka_unit_test(test_small_buffers),
        cmocka_unit_test(test_writer_stops_for_good),        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_random_line_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
