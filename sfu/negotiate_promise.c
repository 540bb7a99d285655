// Which streams are announced before anybody sends them?
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <string.h>

#include "sfu/negotiate.h"

void negotiate_expect(struct negotiate *n, const char *user, uint32_t taken_ssrc)
{
    char *expected = user && user[0] ? g_strdup(user) : NULL;
    g_free(n->expected);
    n->expected = expected;
    n->taken_ssrc = taken_ssrc;
}

bool negotiate_has_promised(const struct negotiate *n, uint32_t ssrc)
{
    for (unsigned i = 0; i < n->mline_count; i++) {
        const struct mline *mline = n->mlines[i];
        if (mline->promised && (mline->promised_ssrc == ssrc || mline->promised_rtx_ssrc == ssrc))
            return true;
    }
    return false;
}

static bool is_taken(const struct negotiate *n, uint32_t ssrc)
{
    const struct outgoing *out;
    TAILQ_FOREACH (out, &n->outgoing, entry) {
        if (out->ssrc == ssrc || out->rtx_ssrc == ssrc)
            return true;
    }
    return ssrc == 0 || ssrc == n->taken_ssrc || negotiate_has_promised(n, ssrc);
}

uint32_t negotiate_new_ssrc(const struct negotiate *n)
{
    uint32_t ssrc;
    do {
        ssrc = g_random_int();
    } while (is_taken(n, ssrc));
    return ssrc;
}

// Does the browser receive there, and could something be sent?
static bool is_two_way(const struct mline *mline)
{
    return mline->publishing && mline->remote_receives && !mline->stopped && !mline->outgoing;
}

// As it is: what the m-line says of codecs was agreed for the other direction.
static bool carries(const struct mline *mline, bool video, enum codec codec, bool red)
{
    bool has_red = false;
    for (unsigned i = 0; i < mline->codec_count; i++)
        has_red = has_red || mline->codecs[i].codec == CODEC_RED;
    return mline->kind == (video ? SDP_VIDEO : SDP_AUDIO) && mline->publication.codec == codec && (!red || has_red);
}

struct mline *negotiate_two_way(const struct negotiate *n, const struct outgoing *out)
{
    bool is_expected = n->expected && strcmp(n->expected, out->user) == 0;
    for (unsigned i = 0; is_expected && i < n->mline_count; i++) {
        if (is_two_way(n->mlines[i]) && carries(n->mlines[i], out->video, out->codec, out->red))
            return n->mlines[i];
    }
    return NULL;
}

void negotiate_make_promises(struct negotiate *n)
{
    for (unsigned i = 0; n->expected && i < n->mline_count; i++) {
        struct mline *mline = n->mlines[i];
        if (mline->promised || !is_two_way(mline))
            continue;
        mline->promised_ssrc = negotiate_new_ssrc(n);
        mline->promised = true;
        mline->promised_rtx_ssrc = mline->kind == SDP_VIDEO ? negotiate_new_ssrc(n) : 0;
    }
}

struct mline *negotiate_promised(const struct negotiate *n, const char *user, const struct publication *publication)
{
    bool video = publication->source == SFU_CAMERA;
    if (!n->expected || strcmp(n->expected, user) != 0 || (!video && publication->source != SFU_MICROPHONE))
        return NULL;
    for (unsigned i = 0; i < n->mline_count; i++) {
        struct mline *mline = n->mlines[i];
        if (mline->promised && is_two_way(mline) && carries(mline, video, publication->codec, publication->red))
            return mline;
    }
    return NULL;
}

void negotiate_keep(struct negotiate *n, struct mline *mline, struct outgoing *out)
{
    g_assert(mline->promised && out->ssrc == mline->promised_ssrc);
    negotiate_add(n, out);
    mline->promised = false;
    mline->outgoing = out;
    out->mline = mline;
    out->agreed = true;
}
