// What does one subscriber receive of one track? Its packets, first and again.
// SPDX-License-Identifier: MIT
#include "sfu/sub.h"

#include <glib.h>

#include "sfu/copy.h"

enum { RTX_HEAD = 40 }; // octets in front of a payload that is sent again, about

// ---- sending ---------------------------------------------------------------------------------------------

static void give(struct sub *sub, struct packet *out)
{
    flow_add(&sub->stats.tx, out->len);
    flow_add(&sub->peer_stats->tx, out->len);
    sub->sink->ops->tx(sub->sink, out);
}

// The decode targets within what this receiver gets, told to it with each structure (AV1 RTP, A.4); 0: all.
static uint32_t active_targets(const struct sub *sub, const struct layer *layer)
{
    const struct layers_choice *now = &sub->layers.now;
    bool all = now->spatial == LAYERS_HIGHEST && now->temporal == LAYERS_HIGHEST;
    if (!sub->layers.svc || now->spatial < 0 || all)
        return 0;
    return layer->codec.dd.active & dd_targets_within(&layer->codec.dd, (unsigned)now->spatial, now->temporal);
}

static struct copy copy_of(const struct sub *sub, const struct layer *layer, const struct packet *in,
                           const struct timeline_packet *at, bool marker)
{
    return (struct copy){
        .in = in,
        .sink = sub->sink,
        .at = at,
        .marker = in->rtp.marker || marker,
        .empty = !in->rtp.payload_len,
        .dd_active = in->info.dd_active_at ? active_targets(sub, layer) : 0,
        .stream = sub->stream,
        .ssrc = sub->ssrc,
    };
}

static void send(struct sub *sub, const struct copy *copy, int64_t now_us)
{
    enum drop why;
    struct packet *out = copy_write(copy, sub->track->uplink->pool, now_us, &why);
    if (!out) {
        stats_drop(&sub->stats, why);
        return;
    }
    sendstats_tx(&sub->sendstats, copy->at->ts, copy->empty ? 0 : copy->in->rtp.payload_len, now_us);
    if (!sub->report_us)
        sub->report_us = now_us + SUB_REPORT_FIRST_US;
    give(sub, out);
}

static struct timeline_packet numbers(const struct packet *in, const struct layer *layer)
{
    return (struct timeline_packet){
        .seq = in->seq,
        .ts = in->rtp.ts,
        .picture_id = in->info.has_picture_id ? in->info.picture_id : in->info.frame_number,
        .tl0picidx = in->info.tl0picidx,
        .layer = layer->id,
    };
}

// The packet is not for this receiver: what follows closes up. Too late for that, its number is used for padding.
static void leave_out(struct sub *sub, const struct packet *in, const struct layer *layer, bool whole_picture,
                      int64_t now_us)
{
    struct timeline_packet n = numbers(in, layer), at;
    if (in->rtp.payload_len)
        stats_drop(&sub->stats, DROP_OTHER_LAYER);
    if (!timeline_drop(&sub->timeline, &n, whole_picture, &at))
        return;
    resend_note(&sub->resend, (uint16_t)at.seq, true, now_us);
    struct copy copy = copy_of(sub, layer, in, &at, false);
    copy.empty = true;
    send(sub, &copy, now_us);
}

static void pass(struct sub *sub, const struct packet *in, const struct layer *layer, bool marker, int64_t now_us)
{
    struct timeline_packet n = numbers(in, layer), at;
    if (timeline_forward(&sub->timeline, &n, now_us, &at) < 0) {
        stats_drop(&sub->stats, DROP_UNPLACED);
        return;
    }
    if (in->retransmitted)
        resend_note(&sub->resend, (uint16_t)at.seq, false, now_us);
    struct copy copy = copy_of(sub, layer, in, &at, marker);
    send(sub, &copy, now_us);
}

// The timestamp that the layer sent so far gives the instant of this packet; NULL: nobody knows.
static const uint32_t *same_instant(struct sub *sub, const struct packet *in, const struct layer *layer, uint32_t *ts)
{
    const struct layer *before = track_find_layer(sub->track, sub->source_id);
    *ts = in->rtp.ts;
    if (before == layer)
        return ts;
    return before && recvstats_same_instant(&layer->recvstats, in->rtp.ts, &before->recvstats, ts) ? ts : NULL;
}

// The first packet of a layer. `anew`: nothing was sent just before, so packets have passed by unseen.
static void begin(struct sub *sub, const struct packet *in, const struct layer *layer, bool marker, bool anew,
                  int64_t now_us)
{
    struct timeline_packet n = numbers(in, layer), at;
    uint32_t ts;
    if (timeline_switch(&sub->timeline, &n, same_instant(sub, in, layer, &ts), now_us, &at) < 0) {
        layers_restart(&sub->layers);
        stats_drop(&sub->stats, DROP_UNPLACED);
        return;
    }
    if (sub->source_id != layer->id)
        sendstats_unmap(&sub->sendstats);
    sub->source_id = layer->id;
    if (anew)
        sub->first_seq = at.seq;
    struct copy copy = copy_of(sub, layer, in, &at, marker);
    send(sub, &copy, now_us);
}

// Takes over what has changed in the track.
static void follow(struct sub *sub, const struct layer *layer)
{
    const struct track *track = sub->track;
    int current = layers_current(&sub->layers);
    bool renewed = layer->id != sub->source_id && (track->svc || current == layer->rank);
    if (sub->epoch != track->epoch || (renewed && current != LAYERS_NONE))
        layers_restart(&sub->layers);
    sub->epoch = track->epoch;
    if (sub->layers.alive != track->alive)
        layers_set_alive(&sub->layers, track->alive);
}

// Why nothing at all can be sent now; DROP_COUNT: it can.
static enum drop closed(const struct sub *sub, enum codec codec)
{
    if (sub->paused || !sub->sink->ready)
        return DROP_NOT_READY;
    return copy_codec(sub->sink, codec) == CODEC_COUNT ? DROP_NO_CODEC : DROP_COUNT;
}

void sub_tx(struct sub *sub, const struct packet *in, int64_t now_us)
{
    const struct layer *layer = &sub->track->layer[in->layer];
    enum drop why = closed(sub, in->codec);
    if (why != DROP_COUNT) {
        layers_restart(&sub->layers);
        stats_drop(&sub->stats, why);
        return;
    }
    follow(sub, layer);
    bool anew = layers_current(&sub->layers) == LAYERS_NONE;
    enum layers_verdict verdict = layers_rx(&sub->layers, layer->rank, in->seq, in->rtp.marker, &in->info);
    switch (verdict) {
    case LAYERS_IGNORE:
        stats_drop(&sub->stats, anew ? DROP_NO_KEYFRAME : DROP_OTHER_LAYER);
        return;
    case LAYERS_DROP:
        leave_out(sub, in, layer, false, now_us);
        return;
    case LAYERS_DROP_PICTURE: // VP9's ids and frame numbers are what frames are referred to by: they keep their gaps
        leave_out(sub, in, layer, in->codec == CODEC_VP8 && in->info.has_picture_id, now_us);
        return;
    case LAYERS_FORWARD:
    case LAYERS_FORWARD_MARKER:
        pass(sub, in, layer, verdict == LAYERS_FORWARD_MARKER, now_us);
        return;
    case LAYERS_SWITCH:
    case LAYERS_SWITCH_MARKER:
        begin(sub, in, layer, verdict == LAYERS_SWITCH_MARKER, anew, now_us);
        return;
    }
}

// ---- sending again ---------------------------------------------------------------------------------------

// The packet is not here. Lost on its way to us, the publisher is asked; gone for good, only a key frame helps.
static void miss(struct sub *sub, struct layer *layer, uint64_t seq, int64_t now_us)
{
    struct track *track = sub->track;
    stats_drop(&sub->stats, DROP_RESEND_GONE);
    if (!track->nack || seq < layer->floor || seq + layer->history.mask < layer->history.newest) {
        track_want_keyframe(track, layer, now_us);
        return;
    }
    loss_want(&layer->loss, seq, now_us);
    uplink_wake(track->uplink, now_us);
}

// The marker as it was: it ends the picture for who gets no higher spatial layer.
static bool marker_then(const struct sub *sub, const struct packet *in)
{
    const struct layers_choice *choice = in->seq >= sub->layers.now.since ? &sub->layers.now : &sub->layers.before;
    if (!sub->layers.svc || choice->spatial == LAYERS_NONE)
        return in->rtp.marker;
    return codec_marker(&in->info, in->rtp.marker, (unsigned)choice->spatial);
}

// Is this outgoing number of a time before the last interruption? What came while nothing was sent has never been
// judged: it is for nobody, least of all what was muted. Padding lets the receiver stop asking.
static bool is_bygone(const struct sub *sub, uint64_t out_seq)
{
    const struct track *track = sub->track;
    bool interrupted = track->muted || sub->epoch != track->epoch || layers_current(&sub->layers) == LAYERS_NONE;
    return interrupted || out_seq < sub->first_seq;
}

// Always inside RTX: the same sequence number under the same key must never carry other bytes (RFC 7714 section 8.1),
// and a new transport-wide number is enough for that.
static void send_again(struct sub *sub, const struct packet *in, const struct layer *layer, bool empty,
                       int64_t now_us)
{
    struct timeline_packet n = numbers(in, layer), at;
    if (timeline_forward(&sub->timeline, &n, now_us, &at) < 0) {
        stats_drop(&sub->stats, DROP_UNPLACED);
        return;
    }
    struct copy copy = copy_of(sub, layer, in, &at, marker_then(sub, in));
    copy.empty |= empty || is_bygone(sub, at.seq);
    copy.stream = sub->rtx_stream;
    copy.ssrc = sub->rtx_ssrc;
    copy.rtx_seq = &sub->rtx_seq;

    enum drop why;
    struct packet *out = copy_write(&copy, sub->track->uplink->pool, now_us, &why);
    if (!out) {
        stats_drop(&sub->stats, why);
        return;
    }
    sub->rtx_seq++;
    sub->resent_packets++;
    give(sub, out);
}

void sub_resend(struct sub *sub, uint16_t out_seq, int64_t now_us)
{
    uint16_t id;
    uint64_t seq;
    sub->nacks++;
    if (!sub->track || sub->paused || !sub->sink->ready || !sub->rtx_ssrc)
        return;
    struct layer *layer = NULL;
    if (timeline_reverse(&sub->timeline, out_seq, &id, &seq))
        layer = track_find_layer(sub->track, id);
    if (!layer) {
        stats_drop(&sub->stats, DROP_RESEND_GONE);
        return;
    }
    const struct packet *in = history_get(&layer->history, seq);
    if (!in) {
        miss(sub, layer, seq, now_us);
        return;
    }
    enum codec codec = copy_codec(sub->sink, in->codec);
    if (codec == CODEC_COUNT || !sub->sink->rtx_pt[codec]) {
        stats_drop(&sub->stats, DROP_NO_CODEC);
        return;
    }
    bool empty;
    enum drop why = resend_ask(&sub->resend, out_seq, in->rtp.payload_len + RTX_HEAD,
                               sendstats_bps(&sub->sendstats, now_us), sub->sendstats.rtt_us, now_us, &empty);
    if (why != DROP_COUNT) {
        stats_drop(&sub->stats, why);
        return;
    }
    send_again(sub, in, layer, empty, now_us);
}
