// Is whatever a browser describes refused without a trace, or answered with the same m-lines? (sfu/negotiate.c)
// SPDX-License-Identifier: MIT
#include <glib.h>

#include "sfu/negotiate.h"
#include "sfu/uplink.h"
#include "tests/fuzz/fuzz.h"

static const struct transport_local local = {
    .ufrag = "abcd",
    .pwd = "abcdefghijklmnopqrstuvwx",
    .fingerprint = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:FF",
    .candidates = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host",
    .complete = true,
};

static struct sdp theirs, ours; // 0.4 MB each
static char ours_text[SFU_SDP_MAX];

// What we said last is SDP, and every m-line of theirs is in it.
static void check_ours(int len, const struct sdp *asked)
{
    struct sdp_error err;
    assert(len > 0 && sdp_parse(&ours, ours_text, (size_t)len, &err) == 0);
    for (unsigned i = 0; asked && i < asked->media_count; i++) {
        assert(i < ours.media_count && ours.media[i].kind == asked->media[i].kind);
        bool rejected = sdp_is_rejected(&ours.media[i]);
        assert(rejected || sdp_span_same(ours.media[i].mid, asked->media[i].mid));
        assert(rejected || !sdp_is_rejected(&asked->media[i]));
        assert(!asked || ours.media_count == asked->media_count);
    }
}

static void check_numbers(const struct negotiate *n)
{
    static struct uplink uplink;
    struct sink sink = {0};
    memset(&uplink, 0, sizeof(uplink));
    negotiate_fill_uplink(n, &uplink);
    negotiate_fill_sink(n, &sink);
    for (int codec = 0; codec < CODEC_COUNT; codec++)
        assert(sink.pt[codec] <= 127 && sink.rtx_pt[codec] <= 127);
}

static void take_offer(struct negotiate *n, const char *text)
{
    struct sdp_error err;
    struct transport_remote remote;
    struct refusal refusal = {0};
    if (sdp_parse(&theirs, text, strlen(text), &err))
        return;
    unsigned before = n->agreed_count; // m-lines of an offer of ours that nobody answered may go
    if (negotiate_offer(n, &theirs, NULL, 0, &remote, &refusal) < 0) {
        assert(refusal.text[0] && refusal.reason != SFU_OK && n->agreed_count == before);
        return;
    }
    assert(!remote.ufrag || (remote.pwd && remote.fingerprint_len == 32)); // no ufrag: no m-line needs a transport
    check_ours(negotiate_print_answer(n, &local, ours_text, sizeof(ours_text)), &theirs);
    check_numbers(n);
}

static void take_answer(struct negotiate *n, const char *text)
{
    struct sdp_error err;
    struct transport_remote remote;
    struct refusal refusal = {0};
    if (sdp_parse(&theirs, text, strlen(text), &err))
        return;
    if (negotiate_answer(n, &theirs, NULL, 0, &remote, &refusal) < 0)
        assert(refusal.text[0] && refusal.reason != SFU_OK);
    else
        check_numbers(n);
}

// Offers, and takes our own words as the answer, seen from the other side.
static void offer_and_echo(struct negotiate *n)
{
    static char text[SFU_SDP_MAX];
    if (n->state != NEGOTIATE_STABLE)
        return;
    check_ours(negotiate_print_offer(n, &local, ours_text, sizeof(ours_text)), NULL);
    ours.session_id = n->has_remote ? n->remote_session_id : 7;
    for (unsigned i = 0; i < ours.media_count; i++) {
        struct sdp_media *m = &ours.media[i];
        m->direction = sdp_direction_reverse(m->direction);
        m->transport.setup = SDP_SETUP_ACTIVE;
        if (n->has_remote)
            m->transport.fingerprint = n->fingerprint;
        m->ssrc_count = m->group_count = 0;
    }
    assert(sdp_print(&ours, text, sizeof(text)) > 0);
    take_answer(n, text);
    if (n->state == NEGOTIATE_LOCAL_OFFER)
        negotiate_rollback(n);
}

// Texts with a NUL behind each. What the first octet says to do: take an offer, take an answer, offer, or begin to
// send another stream.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum { STREAMS = 4 };
    static struct outgoing streams[STREAMS];
    struct negotiate *n = negotiate_new();
    unsigned added = 0;
    char *script = fuzz_text(data, len);
    for (size_t at = 0; at < len; at += strlen(script + at) + 1) {
        if (script[at] == 'o')
            take_offer(n, script + at + 1);
        if (script[at] == 'a')
            take_answer(n, script + at + 1);
        if (script[at] == 'p')
            offer_and_echo(n);
        if (script[at] != 's' || added == STREAMS)
            continue;
        bool video = added % 2 == 0;
        streams[added] = (struct outgoing){.video = video,
                                           .codec = video ? CODEC_VP8 : CODEC_OPUS,
                                           .ssrc = 100 + added,
                                           .rtx_ssrc = video ? 200 + added : 0,
                                           .user = "ana",
                                           .track_id = "track"};
        negotiate_add(n, &streams[added++]);
    }
    while (added)
        negotiate_remove(n, &streams[--added]);
    negotiate_free(n);
    free(script);
    return 0;
}
