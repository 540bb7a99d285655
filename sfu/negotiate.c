// What is agreed with one browser?
// SPDX-License-Identifier: MIT
#include "sfu/negotiate.h"

#include <glib.h>
#include <string.h>

#include "rtp/sdp_codec.h"
#include "sfu/house.h"

__attribute__((format(printf, 3, 4))) static int refuse(struct refusal *refusal, enum sfu_reason reason,
                                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    refusal->reason = reason;
    g_vsnprintf(refusal->text, sizeof(refusal->text), format, args);
    va_end(args);
    return -1;
}

struct negotiate *negotiate_new(void)
{
    struct negotiate *n = g_new0(struct negotiate, 1);
    TAILQ_INIT(&n->outgoing);
    // RFC 8866 section 5.2: numeric and unique; JSEP wants 62 bits at most.
    n->session_id = ((uint64_t)g_random_int() << 29 ^ g_random_int()) & INT64_MAX >> 1;
    return n;
}

void negotiate_free(struct negotiate *n)
{
    if (!n)
        return;
    g_assert(TAILQ_EMPTY(&n->outgoing));
    for (unsigned i = 0; i < n->mline_count; i++)
        g_free(n->mlines[i]);
    g_free(n->expected);
    g_free(n);
}

bool negotiate_is_other_session(const struct negotiate *n, const struct sdp *sdp)
{
    return n->has_session && n->remote_session_id != sdp->session_id;
}

void negotiate_add(struct negotiate *n, struct outgoing *out)
{
    out->mline = NULL;
    out->agreed = out->refused = false;
    TAILQ_INSERT_TAIL(&n->outgoing, out, entry);
}

static void unplace(struct outgoing *out)
{
    if (out->mline)
        out->mline->outgoing = NULL;
    out->mline = NULL;
    out->agreed = false;
}

void negotiate_remove(struct negotiate *n, struct outgoing *out)
{
    n->stale = n->stale || out->mline;
    unplace(out);
    TAILQ_REMOVE(&n->outgoing, out, entry);
}

bool negotiate_wants_offer(const struct negotiate *n)
{
    const struct outgoing *out;
    TAILQ_FOREACH (out, &n->outgoing, entry) {
        if (!out->mline && !out->refused && negotiate_has_place(n, out))
            return true;
    }
    return n->stale;
}

// ---- is it acceptable? -------------------------------------------------------------------------------------

static bool is_media(const struct sdp_media *media)
{
    return media->kind == SDP_AUDIO || media->kind == SDP_VIDEO;
}

// A payload type or extension id that changes its meaning would be misread in packets already on their way.
static int check_numbers(const struct negotiate *n, const struct sdp_media *media, struct refusal *refusal)
{
    for (unsigned i = 0; i < media->codec_count; i++) {
        const struct sdp_codec *line = &media->codecs[i];
        enum codec codec;
        if (house_find(line, &codec) && n->pt_known[line->pt] &&
            (n->pt_codec[line->pt] != codec || n->pt_rtx[line->pt]))
            return refuse(refusal, SFU_BAD_SDP, "payload type %u has another meaning on an earlier m-line", line->pt);
    }
    for (unsigned i = 0; i < media->extmap_count; i++) {
        const struct sdp_extmap *line = &media->extmaps[i];
        enum ext_house house = ext_by_uri(line->uri.p, line->uri.len);
        uint8_t known = line->id <= 255 ? n->ext.to_house[line->id] : 0;
        if (house != EXT_NONE && known && known != house)
            return refuse(refusal, SFU_BAD_SDP, "extmap id %u has another meaning on an earlier m-line", line->id);
    }
    return 0;
}

// The same within one description.
static int check_meanings(const struct sdp *sdp, struct refusal *refusal)
{
    bool known[128] = {false};
    enum codec meaning[128], codec;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];
        for (unsigned c = 0; c < media->codec_count && !sdp_is_rejected(media); c++) {
            uint8_t pt = media->codecs[c].pt;
            if (!house_find(&media->codecs[c], &codec))
                continue;
            if (known[pt] && meaning[pt] != codec)
                return refuse(refusal, SFU_BAD_SDP, "payload type %u has another meaning on an earlier m-line", pt);
            known[pt] = true;
            meaning[pt] = codec;
        }
    }
    return 0;
}

static int check_known(const struct mline *mline, const struct sdp_media *media, unsigned index,
                       struct refusal *refusal)
{
    if (mline->stopped)
        return 0; // rejected as before or recycled, RFC 9429 section 5.2.2
    if (mline->kind != media->kind)
        return refuse(refusal, SFU_BAD_SDP, "m-line %u has changed its kind", index);
    if (!sdp_is_rejected(media) && !sdp_span_is(media->mid, mline->mid))
        return refuse(refusal, SFU_BAD_SDP, "m-line %u has changed its mid, which was %s", index, mline->mid);
    return 0;
}

static int check_media(const struct negotiate *n, const struct sdp *sdp, unsigned index, struct refusal *refusal)
{
    const struct sdp_media *media = &sdp->media[index];
    if (index < n->mline_count && check_known(n->mlines[index], media, index, refusal) < 0)
        return -1;
    if (sdp_is_rejected(media))
        return 0;
    if (media->mid.len == 0)
        return refuse(refusal, SFU_BAD_SDP, "m-line %u has no a=mid", index);
    if (!sdp_is_bundled(sdp, media))
        return refuse(refusal, SFU_BAD_SDP, "m-line %u is not in a=group:BUNDLE", index);
    if (is_media(media) && !media->rtcp_mux)
        return refuse(refusal, SFU_BAD_SDP, "m-line %u has no a=rtcp-mux", index);
    return check_numbers(n, media, refusal);
}

// The m-section whose transport carries the bundle: the first that is not rejected. NULL: everything is rejected.
static const struct sdp_media *carrier(const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count; i++) {
        if (!sdp_is_rejected(&sdp->media[i]))
            return &sdp->media[i];
    }
    return NULL;
}

static int check_transport(const struct negotiate *n, const struct sdp *sdp, bool answer, struct refusal *refusal)
{
    const struct sdp_media *media = carrier(sdp);
    if (!media)
        return 0;
    const struct sdp_transport *t = &media->transport;
    if (t->ufrag.len == 0 || t->pwd.len == 0)
        return refuse(refusal, SFU_BAD_SDP, "a=ice-ufrag or a=ice-pwd is missing");
    if (t->fingerprint.hash != SDP_SHA256)
        return refuse(refusal, SFU_BAD_SDP, "a=fingerprint:sha-256 is missing");
    if (n->fingerprint.hash && memcmp(n->fingerprint.value, t->fingerprint.value, n->fingerprint.len) != 0)
        return refuse(refusal, SFU_BAD_SDP, "a=fingerprint has changed: make a new RTCPeerConnection");
    if (t->setup == SDP_SETUP_HOLDCONN || (answer && t->setup == SDP_SETUP_ACTPASS))
        return refuse(refusal, SFU_BAD_SDP, "a=setup must be %s", answer ? "active or passive" : "actpass");
    return 0;
}

static int check(const struct negotiate *n, const struct sdp *sdp, bool answer, struct refusal *refusal)
{
    unsigned publishing = 0;
    if (sdp->media_count < n->mline_count || (answer && sdp->media_count != n->mline_count))
        return refuse(refusal, SFU_BAD_SDP, "%u m-lines, but %u were agreed on", sdp->media_count, n->mline_count);
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];
        if (check_media(n, sdp, i, refusal) < 0)
            return -1;
        if (is_media(media) && !sdp_is_rejected(media) && media->direction & SDP_SENDONLY)
            publishing++;
    }
    if (publishing > SFU_TRACKS_MAX)
        return refuse(refusal, SFU_TOO_MANY, "%u m-lines send, at most %u may", publishing, SFU_TRACKS_MAX);
    return check_meanings(sdp, refusal) < 0 ? -1 : check_transport(n, sdp, answer, refusal);
}

// ---- learning its numbers ----------------------------------------------------------------------------------

static void learn_codec(struct negotiate *n, const struct sdp_media *media, const struct sdp_codec *line)
{
    enum codec codec;
    if (!house_find(line, &codec))
        return;
    n->pt_known[line->pt] = true;
    n->pt_codec[line->pt] = codec;
    if (!n->pt[codec])
        n->pt[codec] = line->pt;
    const struct sdp_codec *rtx = sdp_find_rtx(media, line->pt);
    if (!rtx || n->pt_known[rtx->pt])
        return;
    n->pt_known[rtx->pt] = n->pt_rtx[rtx->pt] = true;
    n->pt_codec[rtx->pt] = codec;
    n->pt_apt[rtx->pt] = line->pt;
    if (n->pt[codec] == line->pt)
        n->rtx_pt[codec] = rtx->pt;
}

static void learn_numbers(struct negotiate *n, const struct sdp_media *media)
{
    for (unsigned i = 0; i < media->codec_count; i++)
        learn_codec(n, media, &media->codecs[i]);
    for (unsigned i = 0; i < media->extmap_count; i++) {
        const struct sdp_extmap *line = &media->extmaps[i];
        enum ext_house house = ext_by_uri(line->uri.p, line->uri.len);
        if (house != EXT_NONE && line->id <= 255)
            (void)ext_map_add(&n->ext, (uint8_t)line->id, house); // a second id for the same extension stays unknown
    }
}

// ---- codecs of an m-line -----------------------------------------------------------------------------------

static struct mline_codec *mline_codec(struct mline *mline, enum codec codec)
{
    for (unsigned i = 0; i < mline->codec_count; i++) {
        if (mline->codecs[i].codec == codec)
            return &mline->codecs[i];
    }
    return NULL;
}

// The first line of the browser's m-section with this codec; NULL: it has none.
static const struct sdp_codec *find_line(const struct sdp_media *media, enum codec wanted)
{
    enum codec codec;
    for (unsigned i = 0; i < media->codec_count; i++) {
        if (house_find(&media->codecs[i], &codec) && codec == wanted)
            return &media->codecs[i];
    }
    return NULL;
}

// Accepts a line of the browser's m-section, with its numbers and parameters.
static void accept_line(struct mline *mline, const struct sdp_media *media, const struct sdp_codec *line)
{
    enum codec codec;
    if (!house_find(line, &codec) || mline_codec(mline, codec) || mline->codec_count == MLINE_CODECS_MAX)
        return;
    struct mline_codec *c = &mline->codecs[mline->codec_count++];
    const struct house_codec *house = house_codec(codec);
    const struct sdp_codec *rtx = house->rtx_pt ? sdp_find_rtx(media, line->pt) : NULL;
    *c = (struct mline_codec){
        .codec = codec, .pt = line->pt, .rtx_pt = rtx ? rtx->pt : 0, .feedback = line->feedback & house->feedback};
    if (codec == CODEC_OPUS || sdp_span_copy(line->fmtp, c->fmtp, sizeof(c->fmtp)) < 0)
        g_strlcpy(c->fmtp, house->fmtp, sizeof(c->fmtp));
}

// The codec to publish with: the browser's first that the house has. RED is taken with Opus when it comes before it.
static const struct sdp_codec *choose_line(const struct sdp_media *media, const struct sdp_codec **red)
{
    enum codec codec;
    *red = NULL;
    for (unsigned i = 0; i < media->codec_count; i++) {
        const struct sdp_codec *line = &media->codecs[i];
        if (!house_find(line, &codec))
            continue;
        if (codec != CODEC_RED)
            return line;
        *red = line;
    }
    return NULL;
}

static void set_exts(struct mline *mline, const struct sdp_media *media, bool simulcast)
{
    uint32_t wanted = house_exts(mline->codecs[0].codec, simulcast);
    mline->exts = 0;
    for (unsigned i = 0; i < media->extmap_count; i++) {
        const struct sdp_extmap *line = &media->extmaps[i];
        enum ext_house house = ext_by_uri(line->uri.p, line->uri.len);
        if (house != EXT_NONE)
            mline->exts |= wanted & 1u << house;
    }
    mline->allow_mixed = media->extmap_allow_mixed;
}

// ---- what it publishes -------------------------------------------------------------------------------------

static bool source_taken(const struct negotiate *n, const struct mline *but, enum sfu_source source)
{
    for (unsigned i = 0; i < n->mline_count; i++) {
        const struct mline *mline = n->mlines[i];
        if (mline != but && mline->publishing && mline->publication.source == source)
            return true;
    }
    return false;
}

static enum sfu_source source_of(const struct negotiate *n, const struct mline *mline,
                                 const struct sfu_mid_source *sources, size_t count)
{
    bool video = mline->kind == SDP_VIDEO;
    for (size_t i = 0; i < count; i++) {
        bool is_video = sources[i].source == SFU_CAMERA || sources[i].source == SFU_SCREEN;
        if (strcmp(sources[i].mid, mline->mid) == 0 && is_video == video)
            return sources[i].source;
    }
    if (mline->publishing)
        return mline->publication.source;
    enum sfu_source first = video ? SFU_CAMERA : SFU_MICROPHONE;
    enum sfu_source second = video ? SFU_SCREEN : SFU_SCREEN_AUDIO;
    return source_taken(n, mline, first) ? second : first;
}

static void take_simulcast(struct publication *p, const struct sdp_media *media)
{
    for (unsigned i = 0; i < media->simulcast_send.count && p->layer_count < NEGOTIATE_LAYERS_MAX; i++) {
        const struct sdp_simulcast_rid *rid = &media->simulcast_send.rids[i];
        if (!rid->alternative && sdp_span_copy(rid->rid, p->rid[p->layer_count], sizeof(p->rid[0])) == 0)
            p->layer_count++;
    }
    if (p->layer_count > 1)
        return;
    p->layer_count = 1;
    p->ssrc[0] = media->ssrc_count ? media->ssrcs[0].ssrc : 0;
    for (unsigned i = 0; i < media->group_count; i++) {
        const struct sdp_ssrc_group *group = &media->groups[i];
        if (group->semantics == SDP_FID && group->count == 2 && group->ssrcs[0] == p->ssrc[0])
            p->rtx_ssrc[0] = group->ssrcs[1];
    }
}

// True when the m-line publishes now. An m-line that goes on keeps its codec as long as the browser still lists it.
static bool take_publication(struct negotiate *n, struct mline *mline, const struct sdp_media *media,
                             const struct sfu_mid_source *sources, size_t source_count)
{
    const struct sdp_codec *red, *line = choose_line(media, &red);
    if (mline->publishing && find_line(media, mline->publication.codec))
        line = find_line(media, mline->publication.codec);
    if (!line)
        return false;
    struct publication p = {.source = source_of(n, mline, sources, source_count), .red = red != NULL};
    (void)house_find(line, &p.codec);
    p.nack = line->feedback & SDP_FB_NACK;
    p.pli = line->feedback & SDP_FB_NACK_PLI;
    p.fir = line->feedback & SDP_FB_CCM_FIR;
    take_simulcast(&p, media);
    mline->publication = p;
    if (red)
        accept_line(mline, media, red);
    accept_line(mline, media, line);
    return true;
}

// ---- applying a description ----------------------------------------------------------------------------------

static void stop_mline(struct mline *mline)
{
    if (mline->outgoing)
        unplace(mline->outgoing);
    mline->publishing = mline->promised = false;
    mline->stopped = true;
    mline->codec_count = 0;
}

static void apply_outgoing(struct mline *mline, const struct sdp_media *media, bool answer)
{
    struct outgoing *out = mline->outgoing;
    const struct sdp_codec *line = find_line(media, out->codec);
    if (!line) {
        unplace(out);
        out->refused = answer; // it was offered just this codec and has not taken it
        return;
    }
    out->agreed = mline->remote_receives;
    accept_line(mline, media, line);
}

static void apply_rtp(struct negotiate *n, struct mline *mline, const struct sdp_media *media, bool answer,
                      const struct sfu_mid_source *sources, size_t source_count)
{
    learn_numbers(n, media);
    mline->codec_count = 0;
    mline->publishing = mline->remote_sends && take_publication(n, mline, media, sources, source_count);
    if (mline->outgoing)
        apply_outgoing(mline, media, answer);
    mline->promised = mline->promised && mline->publishing && mline->remote_receives;
    for (unsigned i = 0; i < media->codec_count && mline->codec_count == 0; i++)
        accept_line(mline, media, &media->codecs[i]);
    if (mline->codec_count == 0)
        stop_mline(mline); // nothing we understand
    else
        set_exts(mline, media, mline->publishing && mline->publication.layer_count > 1);
}

static void apply_media(struct negotiate *n, unsigned index, const struct sdp_media *media, bool answer,
                        const struct sfu_mid_source *sources, size_t source_count)
{
    if (index == n->mline_count) {
        n->mlines[n->mline_count++] = g_new0(struct mline, 1);
        n->mlines[index]->kind = media->kind;
    }
    struct mline *mline = n->mlines[index];
    mline->fresh = false;
    if (sdp_is_rejected(media)) {
        if (mline->outgoing)
            mline->outgoing->refused = answer;
        mline->kind = media->kind; // we may have wanted to recycle it as another
        stop_mline(mline);
        return;
    }
    if (mline->stopped || !mline->mid[0]) {
        struct track *track = mline->track;
        *mline = (struct mline){.kind = media->kind, .track = track, .track_codec = mline->track_codec};
        (void)sdp_span_copy(media->mid, mline->mid, sizeof(mline->mid));
    }
    mline->remote_sends = media->direction & SDP_SENDONLY;
    mline->remote_receives = media->direction & SDP_RECVONLY;
    if (is_media(media))
        apply_rtp(n, mline, media, answer, sources, source_count);
    else if (media->kind != SDP_APPLICATION || media->sctp_port == 0)
        stop_mline(mline);
}

static void apply(struct negotiate *n, const struct sdp *sdp, bool answer, const struct sfu_mid_source *sources,
                  size_t source_count)
{
    for (unsigned i = 0; i < sdp->media_count; i++)
        apply_media(n, i, &sdp->media[i], answer, sources, source_count);
    n->agreed_count = n->mline_count;
    n->has_remote = n->has_session = true;
    n->remote_session_id = sdp->session_id;
}

// ufrag and pwd become NUL-terminated copies in `n`: the SDP's text is not.
static void fill_remote(struct negotiate *n, const struct sdp *sdp, struct transport_remote *remote)
{
    const struct sdp_media *media = carrier(sdp);
    *remote = (struct transport_remote){0};
    if (!media)
        return;
    const struct sdp_transport *t = &media->transport;
    if (!n->fingerprint.hash) // later descriptions go on with the association of the first, RFC 8842 section 5.5
        n->dtls_client = t->setup == SDP_SETUP_PASSIVE;
    n->fingerprint = t->fingerprint;
    (void)sdp_span_copy(t->ufrag, n->remote_ufrag, sizeof(n->remote_ufrag));
    (void)sdp_span_copy(t->pwd, n->remote_pwd, sizeof(n->remote_pwd));
    *remote = (struct transport_remote){.ufrag = n->remote_ufrag,
                                        .pwd = n->remote_pwd,
                                        .fingerprint_algorithm = "sha-256",
                                        .fingerprint = t->fingerprint.value,
                                        .fingerprint_len = t->fingerprint.len,
                                        .client = n->dtls_client};
    for (unsigned i = 0; i < sdp->media_count; i++) {
        if (sdp->media[i].kind == SDP_APPLICATION && !sdp_is_rejected(&sdp->media[i]))
            remote->sctp_port = sdp->media[i].sctp_port;
    }
}

// The browser may have taken an offer of ours though its answer never came. If not, its description does not know the
// m-lines that offer made.
static void forget_unknown(struct negotiate *n, const struct sdp *sdp)
{
    for (unsigned i = 0; i < n->mline_count; i++) {
        struct mline *mline = n->mlines[i];
        if (mline->fresh && (i >= sdp->media_count || !sdp_span_is(sdp->media[i].mid, mline->mid)))
            stop_mline(mline);
    }
    while (n->mline_count > MAX(n->agreed_count, sdp->media_count) ||
           (n->mline_count > n->agreed_count && n->mlines[n->mline_count - 1]->stopped))
        g_free(n->mlines[--n->mline_count]);
}

// Also of an offer that is refused: a browser that cannot roll its first offer back begins anew with another
// connection.
static void note_session(struct negotiate *n, const struct sdp *sdp)
{
    n->has_session = true;
    n->remote_session_id = sdp->session_id;
}

int negotiate_offer(struct negotiate *n, const struct sdp *sdp, const struct sfu_mid_source *sources,
                    size_t source_count, struct transport_remote *remote, struct refusal *refusal)
{
    note_session(n, sdp);
    if (n->state == NEGOTIATE_LOCAL_OFFER)
        return refuse(refusal, SFU_GLARE, "an offer of the server is on its way: roll back and answer it");
    if (n->state == NEGOTIATE_REMOTE_OFFER)
        return refuse(refusal, SFU_TOO_MANY, "the last offer has not been answered yet");
    forget_unknown(n, sdp);
    if (check(n, sdp, false, refusal) < 0)
        return -1;
    fill_remote(n, sdp, remote);
    apply(n, sdp, false, sources, source_count);
    n->state = NEGOTIATE_REMOTE_OFFER;
    return 0;
}

int negotiate_answer(struct negotiate *n, const struct sdp *sdp, const struct sfu_mid_source *sources,
                     size_t source_count, struct transport_remote *remote, struct refusal *refusal)
{
    if (n->state != NEGOTIATE_LOCAL_OFFER || negotiate_is_other_session(n, sdp))
        return refuse(refusal, SFU_NO_OFFER, "there is no offer to answer");
    if (check(n, sdp, true, refusal) < 0)
        return -1;
    fill_remote(n, sdp, remote);
    apply(n, sdp, true, sources, source_count);
    n->state = NEGOTIATE_STABLE;
    return 0;
}

void negotiate_rollback(struct negotiate *n)
{
    g_assert(n->state == NEGOTIATE_LOCAL_OFFER);
    n->state = NEGOTIATE_STABLE;
    n->stale = true;
}

// ---- numbers -------------------------------------------------------------------------------------------------

void negotiate_fill_uplink(const struct negotiate *n, struct uplink *uplink)
{
    for (unsigned pt = 0; pt < G_N_ELEMENTS(n->pt_known); pt++) {
        enum uplink_kind kind = !n->pt_known[pt] ? UPLINK_NONE : n->pt_rtx[pt] ? UPLINK_RTX : UPLINK_MEDIA;
        uplink->pt[pt] = (struct uplink_pt){.kind = kind, .codec = n->pt_codec[pt], .apt = n->pt_apt[pt]};
    }
    uplink->ext = n->ext;
}

void negotiate_fill_sink(const struct negotiate *n, struct sink *sink)
{
    memcpy(sink->pt, n->pt, sizeof(sink->pt));
    memcpy(sink->rtx_pt, n->rtx_pt, sizeof(sink->rtx_pt));
    static const enum ext_house sent[] = {EXT_TWCC, EXT_AUDIO_LEVEL, EXT_PLAYOUT_DELAY, EXT_DEPENDENCY_DESCRIPTOR};
    for (unsigned i = 0; i < G_N_ELEMENTS(sent); i++)
        sink->ext_id[sent[i]] = n->ext.from_house[sent[i]];
}
