// What does one publisher send, and what happens to a packet before it is forwarded?
// SPDX-License-Identifier: MIT
#include "sfu/track.h"

#include <glib.h>
#include <string.h>

#include "rtp/rtx.h"

// ---- life ------------------------------------------------------------------------------------------------

static void layer_init(struct layer *layer, const char *rid, unsigned rank, bool video)
{
    size_t capacity = video ? TRACK_HISTORY_VIDEO : TRACK_HISTORY_AUDIO;
    g_strlcpy(layer->rid, rid ? rid : "", sizeof(layer->rid));
    layer->rank = (uint8_t)rank;
    layer->slots = g_new(struct history_slot, capacity);
    history_init(&layer->history, layer->slots, capacity);
}

static void release(void *packet, void *arg)
{
    (void)arg;
    packet_unref(packet);
}

struct track *track_new(const struct track_config *cfg)
{
    g_assert(cfg->rid_count <= TRACK_LAYERS_MAX);
    struct track *track = g_new0(struct track, 1);
    track->uplink = cfg->uplink;
    g_strlcpy(track->mid, cfg->mid, sizeof(track->mid));
    g_strlcpy(track->cname, cfg->cname, sizeof(track->cname));
    track->source = cfg->source;
    track->video = cfg->video;
    track->clock_hz = cfg->clock_hz ? cfg->clock_hz : cfg->video ? 90000 : 48000;
    track->nack = cfg->nack;
    track->pli = cfg->pli;
    track->fir = cfg->fir;
    track->layer_count = MAX(1, cfg->rid_count);
    track->svc = track->layer_count == 1;
    for (unsigned i = 0; i < track->layer_count; i++)
        layer_init(&track->layer[i], cfg->rid_count ? cfg->rids[i] : NULL, i, cfg->video);
    TAILQ_INIT(&track->subs);
    TAILQ_INSERT_TAIL(&track->uplink->tracks, track, entry);
    uplink_expect(track->uplink, 0);
    return track;
}

void track_free(struct track *track)
{
    g_assert(TAILQ_EMPTY(&track->subs));
    TAILQ_REMOVE(&track->uplink->tracks, track, entry);
    for (unsigned i = 0; i < track->layer_count; i++) {
        history_clear(&track->layer[i].history, release, NULL);
        g_free(track->layer[i].slots);
    }
    g_free(track);
}

// ---- finding ---------------------------------------------------------------------------------------------

void track_accept_pt(struct track *track, uint8_t pt)
{
    track->pts[pt >> 6 & 1] |= UINT64_C(1) << (pt & 63);
}

struct track *track_find_mid(const struct uplink *uplink, const char *mid)
{
    struct track *track;
    TAILQ_FOREACH (track, &uplink->tracks, entry)
        if (strcmp(track->mid, mid) == 0)
            return track;
    return NULL;
}

struct layer *track_find_rid(struct track *track, const char *rid)
{
    for (unsigned i = 0; i < track->layer_count; i++)
        if (strcmp(track->layer[i].rid, rid) == 0)
            return &track->layer[i];
    return NULL;
}

struct layer *track_find_layer(struct track *track, uint16_t id)
{
    for (unsigned i = 0; i < track->layer_count; i++)
        if (track->layer[i].id == id && id)
            return &track->layer[i];
    return NULL;
}

struct layer *track_layer_of_rank(struct track *track, unsigned rank)
{
    for (unsigned i = 0; i < track->layer_count; i++)
        if (track->layer[i].rank == rank)
            return &track->layer[i];
    return &track->layer[0];
}

// ---- which layers there are ------------------------------------------------------------------------------

void track_bind(struct track *track, struct layer *layer, uint32_t ssrc)
{
    if (layer->bound && layer->ssrc == ssrc)
        return;
    history_clear(&layer->history, release, NULL);
    recvstats_init(&layer->recvstats, ssrc, track->clock_hz);
    memset(&layer->loss, 0, sizeof(layer->loss));
    memset(&layer->codec, 0, sizeof(layer->codec));
    layer->bound = true;
    layer->ssrc = ssrc;
    layer->last_us = 0;
    layer->floor = 0;
    if (++track->last_id == 0) // 0 means unbound
        track->last_id = 1;
    layer->id = track->last_id;
}

void track_unbind(struct track *track, struct layer *layer)
{
    layer->bound = false;
    layer->rtx_ssrc = 0;
    layer->keyframe_wanted = false;
    memset(&layer->loss, 0, sizeof(layer->loss));
    layer->last_us = 0;
    track->alive &= (uint8_t) ~(1U << layer->rank);
}

// A layer is dead when it is silent while another is not: a still screen has no dead layers.
static uint8_t alive_now(const struct track *track)
{
    uint8_t alive = 0;
    int64_t newest_us = 0;
    for (unsigned i = 0; i < track->layer_count; i++)
        newest_us = MAX(newest_us, track->layer[i].last_us);
    for (unsigned i = 0; i < track->layer_count; i++) {
        const struct layer *layer = &track->layer[i];
        if (layer->last_us && newest_us - layer->last_us < TRACK_DEAD_US)
            alive |= (uint8_t)(1U << layer->rank);
    }
    return alive;
}

// Gives back to the pool what nobody will ask for any more. What is gone from here cannot be told from what never
// came, so nothing as old is taken again: it would be forwarded twice.
static void expire(struct layer *layer, int64_t now_us)
{
    const struct history *h = &layer->history;
    uint64_t oldest = h->newest > h->mask ? h->newest - h->mask : 1;
    for (uint64_t seq = MAX(layer->floor, oldest); seq <= h->newest; seq++) {
        struct history_slot *slot = &layer->slots[seq & h->mask];
        struct packet *packet = slot->seq == seq ? slot->packet : NULL;
        if (!packet)
            continue;
        if (now_us - packet->received_us < TRACK_KEEP_US)
            return;
        packet_unref(packet);
        slot->packet = NULL;
        layer->floor = seq + 1;
    }
}

void track_tick(struct track *track, int64_t now_us)
{
    track->alive = alive_now(track);
    for (unsigned i = 0; i < track->layer_count; i++)
        expire(&track->layer[i], now_us);
}

// Swaps two layers that stand in the wrong order. False: there are none.
static bool swap_ranks(struct track *track)
{
    for (struct layer *a = track->layer; a < track->layer + track->layer_count; a++)
        for (struct layer *b = track->layer; b < track->layer + track->layer_count; b++) {
            if (!a->area || !b->area || a->area >= b->area || a->rank < b->rank)
                continue;
            uint8_t rank = a->rank;
            a->rank = b->rank;
            b->rank = rank;
            return true;
        }
    return false;
}

// A page may name its rids in any order; what counts is the size of the pictures.
static void learn_area(struct track *track, struct layer *layer, uint32_t area)
{
    if (area == layer->area)
        return;
    layer->area = area;
    if (!swap_ranks(track))
        return;
    while (swap_ranks(track))
        continue;
    track->alive = alive_now(track);
    track->epoch++;
}

// ---- receiving -------------------------------------------------------------------------------------------

// Places a packet in its layer: sets packet->seq. Returns DROP_COUNT, or why it is of no use.
static enum drop number(struct track *track, struct layer *layer, struct packet *packet, int64_t now_us)
{
    const struct uplink_pt *pt = &track->uplink->pt[packet->rtp.pt];
    packet->retransmitted = pt->kind == UPLINK_RTX;
    if (packet->retransmitted) {
        if (rtx_unwrap(&packet->rtp, packet->buf, pt->apt, layer->ssrc) < 0)
            return DROP_PADDING;
        pt = &track->uplink->pt[pt->apt];
        packet->seq = recvstats_find(&layer->recvstats, packet->rtp.seq);
    } else {
        packet->seq = recvstats_rx(&layer->recvstats, packet->rtp.seq, packet->rtp.ts, now_us, packet->len);
    }
    if (pt->kind != UPLINK_MEDIA)
        return DROP_UNKNOWN_PT;
    packet->codec = pt->codec;

    const struct history *h = &layer->history;
    if (!packet->seq || packet->seq < layer->floor || packet->seq + h->mask < h->newest)
        return DROP_TOO_LATE;
    return history_get(h, packet->seq) ? DROP_DUPLICATE : DROP_COUNT;
}

// What cannot be read is from here on a packet of only padding: subs close the gap instead of waiting for it.
static void inspect(struct track *track, struct layer *layer, struct packet *packet)
{
    struct rtp *rtp = &packet->rtp;
    struct ext dd = ext_view_get(&packet->ext, packet->buf, EXT_DEPENDENCY_DESCRIPTOR);
    packet->info = (struct codec_info){0};
    if (!rtp->payload_len) {
        stats_drop(&layer->stats, DROP_PADDING);
        return;
    }
    if (codec_inspect(packet->codec, &layer->codec, packet->buf + rtp->payload_off, rtp->payload_len, rtp->marker,
                      dd.data, dd.len, &packet->info) < 0) {
        stats_drop(&layer->stats, DROP_BAD_PAYLOAD);
        rtp->payload_len = 0;
        return;
    }
    if (!track->video || !packet->info.keyframe)
        return;
    layer->keyframes++;
    layer->keyframe_wanted = false;
    loss_forget_before(&layer->loss, packet->seq);
    if (!track->svc && packet->info.width)
        learn_area(track, layer, (uint32_t)packet->info.width * packet->info.height);
}

static void hear(const struct track *track, const struct layer *layer, const struct packet *packet, int64_t now_us)
{
    struct uplink *uplink = track->uplink;
    struct ext ext = ext_view_get(&packet->ext, packet->buf, EXT_AUDIO_LEVEL);
    struct ext_audio_level level;
    bool late = packet->seq != layer->recvstats.unwrap.newest;
    if (!uplink->speaker || track->source != SFU_MICROPHONE || track->muted || late)
        return;
    if (ext_audio_level_parse(&ext, &level) == 0)
        speaker_rx(uplink->speaker, uplink->speaker_index, level.level_db, level.voice, now_us);
}

static void note_loss(struct track *track, struct layer *layer, uint64_t seq, int64_t now_us)
{
    loss_rx(&layer->loss, seq, now_us);
    if (!loss_pending(&layer->loss) && !layer->loss.keyframe)
        return;
    uplink_wake(track->uplink, now_us + LOSS_REORDER_US);
    if (loss_keyframe_needed(&layer->loss) && track->video)
        track_want_keyframe(track, layer, now_us);
}

bool track_rx(struct track *track, struct layer *layer, struct packet *packet, int64_t now_us)
{
    flow_add(&layer->stats.rx, packet->len);
    enum drop drop = number(track, layer, packet, now_us);
    if (drop != DROP_COUNT) {
        stats_drop(&layer->stats, drop);
        return false;
    }
    packet->layer = (uint8_t)(layer - track->layer);
    layer->last_us = now_us;
    track->alive |= (uint8_t)(1U << layer->rank);

    note_loss(track, layer, packet->seq, now_us);
    inspect(track, layer, packet);
    if (!track->video)
        hear(track, layer, packet, now_us);
    packet_unref(history_put(&layer->history, packet->seq, packet_ref(packet)));
    return true;
}

// ---- control ---------------------------------------------------------------------------------------------

void track_want_keyframe(struct track *track, struct layer *layer, int64_t now_us)
{
    if (layer->keyframe_wanted || !track->video || !layer->bound)
        return;
    layer->keyframe_wanted = true;
    uplink_wake(track->uplink,
                layer->keyframe_asked_us ? MAX(layer->keyframe_asked_us + TRACK_KEYFRAME_US, now_us) : now_us);
}

void track_set_muted(struct track *track, bool muted, int64_t now_us)
{
    if (track->muted == muted)
        return;
    track->muted = muted;
    if (muted)
        return;
    track->epoch++;
    for (unsigned i = 0; i < track->layer_count; i++)
        track_want_keyframe(track, &track->layer[i], now_us);
}

void layer_stats(struct layer *layer, int64_t now_us, struct line *line)
{
    const struct loss *loss = &layer->loss;
    const struct recvstats *rs = &layer->recvstats;
    if (layer->rid[0])
        line_text(line, "rid", layer->rid);
    line_number(line, "spatial", layer->rank);
    line_number(line, "ssrc", layer->ssrc);
    line_number(line, "bps", (int64_t)recvstats_bps(&layer->recvstats, now_us));
    line_number(line, "expected", rs->unwrap.newest ? (int64_t)(rs->unwrap.newest - rs->base + 1) : 0);
    line_number(line, "received", (int64_t)rs->received);
    line_number(line, "jitter_us", rs->clock_hz ? (rs->jitter_q4 >> 4) * INT64_C(1000000) / rs->clock_hz : 0);
    line_number(line, "asked", (int64_t)loss->asked);
    line_number(line, "recovered", (int64_t)loss->recovered);
    line_number(line, "given_up", (int64_t)loss->given_up);
    line_number(line, "keyframes", (int64_t)layer->keyframes);
    line_number(line, "keyframe_asks", (int64_t)layer->keyframe_asks);
    line_stats(line, &layer->stats);
}

void track_stats(const struct track *track, struct line *line)
{
    line_text(line, "mid", track->mid);
    line_text(line, "source", sfu_source_name(track->source));
    line_number(line, "muted", track->muted);
}
