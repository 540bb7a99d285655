// How is what was agreed said in SDP?
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "sfu/house.h"
#include "sfu/negotiate.h"

enum {
    MEDIA_PORT = 9, // RFC 8839 section 4.2.1.1: candidates say the real ones
    TEXT_CHUNK = 4096,
};

// One description being written. Its texts live in `chunk`.
struct draft {
    struct sdp sdp;
    GStringChunk *chunk;
    const struct transport_local *local;
    struct ext_map ext;   // theirs, and what this description adds
    const char *expected; // whose streams are promised
    enum sdp_setup setup;
    bool offer;
};

__attribute__((format(printf, 2, 3))) static struct sdp_span text(struct draft *d, const char *format, ...)
{
    char buf[512];
    va_list args;
    va_start(args, format);
    g_vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    return sdp_span_of(g_string_chunk_insert(d->chunk, buf));
}

// ---- numbers -------------------------------------------------------------------------------------------------

static bool is_house_pt(uint8_t pt)
{
    for (int codec = 0; codec < CODEC_COUNT; codec++) {
        const struct house_codec *house = house_codec((enum codec)codec);
        if (house->pt == pt || house->rtx_pt == pt)
            return true;
    }
    return false;
}

// Does the browser use that number, or an m-line of ours?
static bool is_taken_pt(const struct negotiate *n, uint8_t pt)
{
    for (unsigned i = 0; i < n->mline_count; i++) {
        const struct mline *mline = n->mlines[i];
        for (unsigned c = 0; c < mline->codec_count; c++) {
            if (mline->codecs[c].pt == pt || mline->codecs[c].rtx_pt == pt)
                return true;
        }
    }
    return n->pt_known[pt];
}

// `wanted`, or when that has another meaning one that nobody uses; 0: there is none.
static uint8_t free_pt(const struct negotiate *n, uint8_t wanted)
{
    if (!is_taken_pt(n, wanted))
        return wanted;
    for (uint8_t pt = 127; pt >= 96; pt--) {
        if (!is_taken_pt(n, pt) && !is_house_pt(pt))
            return pt;
    }
    return 0;
}

// What an m-line says of that codec already; NULL: none does.
static const struct mline_codec *said_of(const struct negotiate *n, enum codec codec)
{
    for (unsigned i = 0; i < n->mline_count; i++) {
        const struct mline *mline = n->mlines[i];
        for (unsigned c = 0; c < mline->codec_count; c++) {
            if (mline->codecs[c].codec == codec)
                return &mline->codecs[c];
        }
    }
    return NULL;
}

// The numbers browsers give by themselves. Chromium does not look for others when it adds m-lines of its own to what
// we offered first, and then finds one number with two meanings.
static const uint8_t usual_ext_ids[EXT_HOUSE_COUNT] = {
    [EXT_MID] = 4,
    [EXT_RID] = 10,
    [EXT_RRID] = 11,
    [EXT_TWCC] = 3,
    [EXT_ABS_SEND_TIME] = 2,
    [EXT_AUDIO_LEVEL] = 1,
    [EXT_DEPENDENCY_DESCRIPTOR] = 12,
    [EXT_VIDEO_ORIENTATION] = 13,
    [EXT_PLAYOUT_DELAY] = 5,
    [EXT_VLA] = 9,
    [EXT_COLOR_SPACE] = 8,
};

// The browser's number of an extension, else the usual one, else the first that nobody uses; 0: there is none.
static uint8_t ext_id(const struct ext_map *map, uint8_t house)
{
    uint8_t usual = usual_ext_ids[house];
    if (map->from_house[house])
        return map->from_house[house];
    if (!map->to_house[usual])
        return usual;
    for (uint8_t id = 14; id > 0; id--) { // RFC 8285 section 4.2: 1..14 fit the one-byte form
        if (!map->to_house[id] && !memchr(usual_ext_ids, id, sizeof(usual_ext_ids)))
            return id;
    }
    return 0;
}

// ---- m-lines to offer on -------------------------------------------------------------------------------------

static void offer_codec(const struct negotiate *n, struct mline *mline, enum codec codec)
{
    for (unsigned i = 0; i < mline->codec_count; i++) {
        if (mline->codecs[i].codec == codec)
            return;
    }
    const struct house_codec *house = house_codec(codec);
    const struct mline_codec *said = said_of(n, codec);
    uint8_t pt = n->pt[codec] ? n->pt[codec] : said ? said->pt : free_pt(n, house->pt);
    uint8_t rtx_pt = n->rtx_pt[codec] ? n->rtx_pt[codec] : said ? said->rtx_pt : 0;
    if (!pt || mline->codec_count == MLINE_CODECS_MAX)
        return;
    struct mline_codec *c = &mline->codecs[mline->codec_count++];
    *c = (struct mline_codec){.codec = codec, .pt = pt, .rtx_pt = rtx_pt, .feedback = house->feedback};
    if (house->rtx_pt && !rtx_pt)
        c->rtx_pt = free_pt(n, house->rtx_pt);
    g_strlcpy(c->fmtp, house->fmtp, sizeof(c->fmtp));
}

// The publication's codecs stay, those of an earlier outgoing stream go.
static void offer_outgoing(const struct negotiate *n, struct mline *mline)
{
    if (!mline->publishing)
        mline->codec_count = 0;
    offer_codec(n, mline, mline->outgoing->codec);
    if (mline->outgoing->red)
        offer_codec(n, mline, CODEC_RED);
    mline->exts |= house_exts(mline->outgoing->codec, false);
    mline->allow_mixed = true;
}

static bool is_free_for(const struct mline *mline, const struct outgoing *out)
{
    return mline->kind == (out->video ? SDP_VIDEO : SDP_AUDIO) && !mline->stopped && !mline->outgoing &&
           !mline->publishing && !mline->remote_sends;
}

static void place(struct mline *mline, struct outgoing *out)
{
    mline->outgoing = out;
    mline->promised = false;
    out->mline = mline;
}

static void make_mid(struct negotiate *n, struct mline *mline)
{
    bool taken;
    do {
        snprintf(mline->mid, sizeof(mline->mid), "s%u", ++n->last_mid);
        taken = false;
        for (unsigned i = 0; i < n->mline_count; i++)
            taken = taken || (n->mlines[i] != mline && strcmp(n->mlines[i]->mid, mline->mid) == 0);
    } while (taken);
}

static bool is_recyclable(const struct mline *mline)
{
    return mline->stopped && !mline->track;
}

// A stopped m-line to use again, or a new one at the end; NULL when there are too many.
static struct mline *new_mline(struct negotiate *n, enum sdp_kind kind)
{
    struct mline *mline = NULL;
    for (unsigned i = 0; i < n->mline_count && !mline; i++) {
        if (is_recyclable(n->mlines[i]))
            mline = n->mlines[i];
    }
    if (!mline && n->mline_count < SDP_MEDIA_MAX)
        mline = n->mlines[n->mline_count++] = g_new0(struct mline, 1);
    if (!mline)
        return NULL;
    *mline = (struct mline){.kind = kind, .fresh = true};
    make_mid(n, mline);
    return mline;
}

static struct mline *find_free(const struct negotiate *n, const struct outgoing *out, bool answer)
{
    for (unsigned i = 0; i < n->mline_count; i++) {
        struct mline *mline = n->mlines[i];
        if (is_free_for(mline, out) && (!answer || (mline->remote_receives && n->pt[out->codec])))
            return mline;
    }
    return NULL;
}

bool negotiate_has_place(const struct negotiate *n, const struct outgoing *out)
{
    bool recyclable = false;
    for (unsigned i = 0; i < n->mline_count && !recyclable; i++)
        recyclable = is_recyclable(n->mlines[i]);
    return recyclable || n->mline_count < SDP_MEDIA_MAX || find_free(n, out, false);
}

static void place_waiting(struct negotiate *n, bool answer)
{
    struct outgoing *out;
    TAILQ_FOREACH (out, &n->outgoing, entry) {
        if (out->mline || out->refused)
            continue;
        struct mline *two_way = answer ? negotiate_two_way(n, out) : NULL;
        struct mline *mline = two_way ? two_way : find_free(n, out, answer);
        if (!mline && !answer)
            mline = new_mline(n, out->video ? SDP_VIDEO : SDP_AUDIO);
        if (!mline)
            continue; // it waits until one is free
        place(mline, out);
        if (!two_way)
            offer_outgoing(n, mline);
        out->agreed = answer;
    }
}

// ---- one m-section -------------------------------------------------------------------------------------------

static void write_codec(struct draft *d, struct sdp_media *media, const struct mline *mline,
                        const struct mline_codec *c)
{
    struct sdp_codec *line = &media->codecs[media->codec_count++];
    uint32_t clock_hz = codec_clock_hz(c->codec);
    *line = (struct sdp_codec){.pt = c->pt,
                               .feedback = c->feedback,
                               .channels = (uint8_t)codec_channels(c->codec),
                               .clock_hz = clock_hz,
                               .name = sdp_span_of(codec_name(c->codec))};
    if (c->fmtp[0])
        line->fmtp = text(d, "%s", c->fmtp);
    for (unsigned i = 0; i < mline->codec_count && c->codec == CODEC_RED && !c->fmtp[0]; i++) {
        if (mline->codecs[i].codec == CODEC_OPUS)
            line->fmtp = text(d, "%u/%u", mline->codecs[i].pt, mline->codecs[i].pt);
    }
    if (!c->rtx_pt)
        return;
    media->codecs[media->codec_count++] = (struct sdp_codec){
        .pt = c->rtx_pt, .clock_hz = clock_hz, .name = sdp_span_of("rtx"), .fmtp = text(d, "apt=%u", c->pt)};
}

static void write_exts(struct draft *d, struct sdp_media *media, const struct mline *mline)
{
    for (uint8_t house = 1; house < EXT_HOUSE_COUNT; house++) {
        if (!(mline->exts & 1u << house))
            continue;
        uint8_t id = ext_id(&d->ext, house);
        if (ext_map_add(&d->ext, id, (enum ext_house)house) == 0)
            media->extmaps[media->extmap_count++] = (struct sdp_extmap){
                .id = id, .direction = SDP_SENDRECV, .uri = sdp_span_of(ext_uri((enum ext_house)house))};
    }
    media->extmap_allow_mixed = mline->allow_mixed;
}

static void write_simulcast(struct sdp_media *media, const struct publication *p)
{
    if (p->layer_count < 2)
        return;
    for (unsigned i = 0; i < p->layer_count; i++) {
        struct sdp_span rid = sdp_span_of(p->rid[i]);
        media->rids[media->rid_count++] = (struct sdp_rid){.id = rid, .recv = true};
        media->simulcast_recv.rids[media->simulcast_recv.count++] = (struct sdp_simulcast_rid){.rid = rid};
    }
}

static void write_outgoing(struct sdp_media *media, const struct outgoing *out, bool rtx)
{
    struct sdp_span cname = sdp_span_of(out->user);
    media->msid = (struct sdp_msid){.stream = cname, .track = sdp_span_of(out->track_id)};
    media->ssrcs[media->ssrc_count++] = (struct sdp_ssrc){.ssrc = out->ssrc, .cname = cname};
    if (!rtx)
        return;
    media->ssrcs[media->ssrc_count++] = (struct sdp_ssrc){.ssrc = out->rtx_ssrc, .cname = cname};
    media->groups[media->group_count++] =
        (struct sdp_ssrc_group){.semantics = SDP_FID, .count = 2, .ssrcs = {out->ssrc, out->rtx_ssrc}};
}

static void write_promise(struct draft *d, struct sdp_media *media, const struct mline *mline, bool rtx)
{
    enum sfu_source source = mline->kind == SDP_VIDEO ? SFU_CAMERA : SFU_MICROPHONE;
    struct outgoing out = {.ssrc = mline->promised_ssrc, .rtx_ssrc = mline->promised_rtx_ssrc, .user = d->expected};
    write_outgoing(media, &out, rtx);
    media->msid.track = text(d, "%s-%08x", sfu_source_name(source), mline->promised_ssrc);
}

static enum sdp_direction direction(const struct draft *d, const struct mline *mline)
{
    bool sends = (mline->outgoing || mline->promised) && (d->offer || mline->remote_receives);
    return (enum sdp_direction)((sends ? SDP_SENDONLY : 0) | (mline->publishing ? SDP_RECVONLY : 0));
}

static void write_rtp(struct draft *d, struct sdp_media *media, const struct mline *mline)
{
    bool rtx = false;
    media->proto = sdp_span_of("UDP/TLS/RTP/SAVPF");
    media->rtcp_mux = media->rtcp_rsize = true;
    media->direction = direction(d, mline);
    for (unsigned i = 0; i < mline->codec_count; i++) {
        write_codec(d, media, mline, &mline->codecs[i]);
        rtx = rtx || mline->codecs[i].rtx_pt;
    }
    write_exts(d, media, mline);
    if (mline->publishing)
        write_simulcast(media, &mline->publication);
    if (mline->promised)
        write_promise(d, media, mline, rtx);
    else if (media->direction & SDP_SENDONLY)
        write_outgoing(media, mline->outgoing, rtx);
}

static void write_transport(struct draft *d, struct sdp_media *media)
{
    struct sdp_transport *t = &media->transport;
    t->ufrag = sdp_span_of(d->local->ufrag);
    t->pwd = sdp_span_of(d->local->pwd);
    t->ice_options = sdp_span_of("trickle");
    t->setup = d->setup;
    t->fingerprint = (struct sdp_fingerprint){.hash = SDP_SHA256, .len = 32};
    const char *hex = d->local->fingerprint;
    for (unsigned i = 0; i < 32; i++)
        t->fingerprint.value[i] =
            (uint8_t)(g_ascii_xdigit_value(hex[3 * i]) << 4 | g_ascii_xdigit_value(hex[3 * i + 1]));
}

// RFC 9143 section 7.3.1: candidates stand in the m-section that carries the bundle, the first one.
static void write_candidates(struct draft *d, struct sdp_media *media)
{
    struct sdp_span rest = sdp_span_of(d->local->candidates);
    while (rest.len && media->candidate_count < SDP_CANDIDATES_MAX)
        media->candidates[media->candidate_count++] = sdp_span_cut(&rest, '\n');
    media->transport.end_of_candidates = d->local->complete;
}

static void write_mline(struct draft *d, const struct mline *mline)
{
    struct sdp_media *media = &d->sdp.media[d->sdp.media_count++];
    sdp_media_init(media, mline->kind);
    media->mid = sdp_span_of(mline->mid);
    media->proto = sdp_span_of(mline->kind == SDP_APPLICATION ? "UDP/DTLS/SCTP" : "UDP/TLS/RTP/SAVPF");
    if (mline->kind == SDP_APPLICATION)
        media->formats = sdp_span_of("webrtc-datachannel");
    if (mline->kind == SDP_OTHER)
        media->kind_name = sdp_span_of("text");
    media->direction = SDP_INACTIVE;
    if (mline->stopped)
        return; // port 0
    media->port = MEDIA_PORT;
    write_transport(d, media);
    if (mline->kind == SDP_APPLICATION) {
        media->direction = SDP_SENDRECV;
        media->sctp_port = 5000; // RFC 8841 section 5.1: any; both ends of WebRTC use 5000
        media->max_message_size = DATACHAN_MESSAGE_MAX;
    } else {
        write_rtp(d, media, mline);
    }
    if (d->sdp.bundle_count == 0)
        write_candidates(d, media);
    d->sdp.bundle[d->sdp.bundle_count++] = media->mid;
}

static int print(struct negotiate *n, const struct transport_local *local, bool offer, char *buf, size_t cap)
{
    struct draft *d = g_new(struct draft, 1);
    d->chunk = g_string_chunk_new(TEXT_CHUNK);
    d->local = local;
    d->expected = n->expected;
    d->ext = n->ext;
    // RFC 8842 section 5
    d->setup = offer ? SDP_SETUP_ACTPASS : n->dtls_client ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    d->offer = offer;
    sdp_init(&d->sdp);
    d->sdp.session_id = n->session_id;
    d->sdp.session_version = ++n->version;
    d->sdp.ice_lite = local->lite;
    d->sdp.msid_semantic = sdp_span_of("WMS *");
    d->sdp.has_bundle = true;
    for (unsigned i = 0; i < n->mline_count; i++)
        write_mline(d, n->mlines[i]);
    int len = sdp_print(&d->sdp, buf, cap);
    g_string_chunk_free(d->chunk);
    g_free(d);
    return len;
}

int negotiate_print_answer(struct negotiate *n, const struct transport_local *local, char *buf, size_t cap)
{
    g_assert(n->state == NEGOTIATE_REMOTE_OFFER);
    place_waiting(n, true);
    negotiate_make_promises(n);
    n->state = NEGOTIATE_STABLE;
    return print(n, local, false, buf, cap);
}

int negotiate_print_offer(struct negotiate *n, const struct transport_local *local, char *buf, size_t cap)
{
    g_assert(n->state == NEGOTIATE_STABLE);
    place_waiting(n, false);
    n->stale = false;
    n->state = NEGOTIATE_LOCAL_OFFER;
    return print(n, local, true, buf, cap);
}
