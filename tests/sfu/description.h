// What does a browser say, and what do we answer? (descriptions as the tests of negotiation need them)
// SPDX-License-Identifier: MIT
//
// A description owns its text: drop() it. Include it behind cmocka.h.
#pragma once

#include <glib.h>
#include <string.h>

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
static inline void add_dtls(struct sdp *sdp, enum sdp_setup setup)
{
    for (unsigned i = 0; i < sdp->media_count; i++) {
        struct sdp_transport *t = &sdp->media[i].transport;
        if (t->fingerprint.hash)
            continue;
        t->fingerprint = (struct sdp_fingerprint){.hash = SDP_SHA256, .len = 32, .value = {1, 2, 3}};
        t->setup = setup;
    }
}

static inline struct description parse(char *text, enum sdp_setup setup)
{
    struct description d = {text, g_new(struct sdp, 1)};
    struct sdp_error error;
    assert_int_equal(sdp_parse(d.sdp, text, strlen(text), &error), 0);
    add_dtls(d.sdp, setup);
    return d;
}

static inline struct description load(const char *name)
{
    char *path = g_strdup_printf("%s/sdp/real-clients/%s.sdp", VECTORS, name), *text;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_free(path);
    return parse(text, SDP_SETUP_ACTPASS);
}

static inline void drop(struct description d)
{
    g_free(d.text);
    g_free(d.sdp);
}

static inline struct description answer_of(struct negotiate *n)
{
    char *text = g_malloc(SFU_SDP_MAX);
    assert_true(negotiate_print_answer(n, &local, text, SFU_SDP_MAX) > 0);
    return parse(text, SDP_SETUP_PASSIVE);
}

static inline struct description offer_of(struct negotiate *n)
{
    char *text = g_malloc(SFU_SDP_MAX);
    assert_true(negotiate_print_offer(n, &local, text, SFU_SDP_MAX) > 0);
    return parse(text, SDP_SETUP_ACTPASS);
}

static inline void take(struct negotiate *n, const struct description *d)
{
    struct transport_remote remote;
    struct refusal refusal = {0};
    if (negotiate_offer(n, d->sdp, NULL, 0, &remote, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
    assert_non_null(remote.ufrag);
    assert_int_equal(remote.fingerprint_len, 32);
}

static inline enum sfu_reason refused(struct negotiate *n, const struct description *d, bool answer)
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
static inline struct description browser_answers(const struct negotiate *n, const struct description *offer,
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

static inline void take_answer(struct negotiate *n, const struct description *offer)
{
    struct description d = browser_answers(n, offer, SDP_OTHER);
    struct transport_remote remote;
    struct refusal refusal = {0};
    if (negotiate_answer(n, d.sdp, NULL, 0, &remote, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
    drop(d);
}

static inline struct outgoing video_of(const char *user, uint32_t ssrc)
{
    return (struct outgoing){
        .video = true, .codec = CODEC_VP8, .ssrc = ssrc, .rtx_ssrc = ssrc + 1, .user = user, .track_id = "camera"};
}
