// What does one subscriber receive of one track? Its life, its wishes, its reports.
// SPDX-License-Identifier: MIT
#include "sfu/sub.h"

#include <glib.h>

#include "rtp/ntp.h"

enum { FIRST_SEQ_MAX = 0x8000 }; // RFC 3711 section 3.3.1: no roll-over before the receiver has synchronised

// ---- life ------------------------------------------------------------------------------------------------

static bool open_streams(struct sub *sub)
{
    struct sink *sink = sub->sink;
    sub->rtx_stream = SINK_NO_STREAM;
    sub->stream = sink->ops->stream_open(sink, sub->ssrc);
    if (sub->stream == SINK_NO_STREAM)
        return false;
    if (!sub->rtx_ssrc)
        return true;
    sub->rtx_stream = sink->ops->stream_open(sink, sub->rtx_ssrc);
    if (sub->rtx_stream != SINK_NO_STREAM)
        return true;
    sink->ops->stream_close(sink, sub->stream);
    return false;
}

struct sub *sub_new(const struct sub_config *cfg)
{
    struct track *track = cfg->track;
    struct sub *sub = g_new0(struct sub, 1);
    sub->sink = cfg->sink;
    sub->ssrc = cfg->ssrc;
    sub->rtx_ssrc = cfg->rtx_ssrc;
    if (!open_streams(sub)) {
        g_free(sub);
        return NULL;
    }
    sub->track = track;
    sub->video = track->video;
    sub->peer_stats = cfg->stats;
    sub->paused = cfg->paused;
    sub->epoch = track->epoch;
    layers_init(&sub->layers, track->svc);
    layers_set_alive(&sub->layers, track->alive);
    timeline_init(&sub->timeline, g_new0(struct timeline_span, SUB_SPANS_FIRST), SUB_SPANS_FIRST, track->clock_hz,
                  (uint16_t)g_random_int_range(0, FIRST_SEQ_MAX));
    sendstats_init(&sub->sendstats, sub->ssrc, track->clock_hz);
    sub->rtx_seq = (uint16_t)g_random_int_range(0, FIRST_SEQ_MAX);
    resend_init(&sub->resend);
    TAILQ_INSERT_TAIL(&track->subs, sub, of_track);
    return sub;
}

static void detach(struct sub *sub)
{
    if (sub->track)
        TAILQ_REMOVE(&sub->track->subs, sub, of_track);
    sub->track = NULL;
}

void sub_free(struct sub *sub)
{
    detach(sub);
    sub->sink->ops->stream_close(sub->sink, sub->stream);
    if (sub->rtx_stream != SINK_NO_STREAM)
        sub->sink->ops->stream_close(sub->sink, sub->rtx_stream);
    resend_clear(&sub->resend);
    g_free(sub->timeline.span);
    g_free(sub);
}

void sub_detach_all(struct track *track)
{
    while (!TAILQ_EMPTY(&track->subs))
        detach(TAILQ_FIRST(&track->subs));
}

// ---- control ---------------------------------------------------------------------------------------------

static void want_keyframe(struct sub *sub, int rank, int64_t now_us)
{
    struct track *track = sub->track;
    if (!track || track->muted || sub->paused || !sub->sink->ready || rank < 0)
        return;
    track_want_keyframe(track, track->svc ? &track->layer[0] : track_layer_of_rank(track, (unsigned)rank), now_us);
}

void sub_keyframe(struct sub *sub, int64_t now_us)
{
    int rank = layers_current(&sub->layers);
    sub->keyframe_asks++;
    want_keyframe(sub, rank >= 0 ? rank : layers_wants_keyframe(&sub->layers), now_us);
}

void sub_set_layer(struct sub *sub, int spatial, int temporal, int64_t now_us)
{
    layers_want(&sub->layers, spatial < 0 ? LAYERS_HIGHEST : spatial,
                temporal < 0 ? LAYERS_HIGHEST : (unsigned)temporal);
    sub_tick(sub, now_us);
}

void sub_set_paused(struct sub *sub, bool paused, int64_t now_us)
{
    if (sub->paused == paused)
        return;
    sub->paused = paused;
    layers_restart(&sub->layers);
    sub_tick(sub, now_us);
}

// What may be asked for again should be in the timeline. Where layers are left out all the time that takes many
// spans.
static void grow_timeline(struct sub *sub, int64_t now_us)
{
    struct timeline *t = &sub->timeline;
    if (t->mask < SUB_SPANS_VIDEO - 1 && t->count - sub->spans_before > SUB_SPANS_FIRST) {
        struct timeline_span *old = t->span;
        timeline_move(t, g_new0(struct timeline_span, SUB_SPANS_VIDEO), SUB_SPANS_VIDEO);
        g_free(old);
    }
    if (now_us < sub->spans_us + TRACK_KEEP_US)
        return;
    sub->spans_us = now_us;
    sub->spans_before = t->count;
}

void sub_tick(struct sub *sub, int64_t now_us)
{
    if (!sub->track || !sub->video)
        return;
    grow_timeline(sub, now_us);
    if (sub->layers.alive != sub->track->alive)
        layers_set_alive(&sub->layers, sub->track->alive);
    want_keyframe(sub, layers_wants_keyframe(&sub->layers), now_us);
}

// ---- reports ---------------------------------------------------------------------------------------------

bool sub_report(struct sub *sub, int64_t now_us, int64_t wall_us, struct rtcp_sr *sr)
{
    if (!sub->track || !sub->report_us || now_us < sub->report_us)
        return false;
    sub->report_us = now_us + SUB_REPORT_US;
    const struct uplink *uplink = sub->track->uplink;
    const struct layer *layer = track_find_layer(sub->track, sub->source_id);
    if (layer && layer->recvstats.has_sr && uplink->has_clock)
        sendstats_map(&sub->sendstats, timeline_ts(&sub->timeline, layer->recvstats.sr_ts),
                      ntp_to_us(layer->recvstats.sr_ntp) + uplink->clock_offset_us);
    return sendstats_sr(&sub->sendstats, now_us, ntp_from_us(wall_us), sr);
}

void sub_stats(struct sub *sub, int64_t now_us, struct line *line)
{
    const struct sendstats *ss = &sub->sendstats;
    line_number(line, "ssrc", sub->ssrc);
    line_number(line, "paused", sub->paused);
    line_number(line, "spatial", layers_current(&sub->layers));
    line_number(line, "temporal", sub->layers.now.temporal);
    line_number(line, "bps", (int64_t)sendstats_bps(&sub->sendstats, now_us));
    line_number(line, "lost", ss->lost);
    line_number(line, "fraction_lost", ss->fraction_lost);
    line_number(line, "jitter_us", ss->clock_hz ? ss->jitter_ts * INT64_C(1000000) / ss->clock_hz : 0);
    line_number(line, "rtt_us", ss->rtt_us);
    line_number(line, "nacks", (int64_t)sub->nacks);
    line_number(line, "resent", (int64_t)sub->resent_packets);
    line_number(line, "keyframe_asks", (int64_t)sub->keyframe_asks);
    line_stats(line, &sub->stats);
}
