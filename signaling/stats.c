// How is the media of a room?
// SPDX-License-Identifier: MIT
#include "signaling/stats.h"

#include <string.h>

// ---- pairs --------------------------------------------------------------------------------------------------

bool pairs_line(struct pairs *pairs, const char **text)
{
    if (!**text)
        return false;
    size_t len = strcspn(*text, "\n");
    pairs->at = *text;
    pairs->end = *text + len;
    *text = *pairs->end ? pairs->end + 1 : pairs->end;
    return true;
}

static void copy_word(char out[STATS_WORD_MAX], const char *from, const char *to)
{
    size_t len = MIN((size_t)(to - from), (size_t)STATS_WORD_MAX - 1);
    memcpy(out, from, len);
    out[len] = '\0';
}

bool pairs_next(struct pairs *pairs)
{
    while (pairs->at < pairs->end) {
        const char *space = memchr(pairs->at, ' ', (size_t)(pairs->end - pairs->at));
        const char *end = space ? space : pairs->end;
        const char *equals = memchr(pairs->at, '=', (size_t)(end - pairs->at));
        const char *begin = pairs->at;
        pairs->at = space ? space + 1 : end;
        if (!equals)
            continue;
        copy_word(pairs->key, begin, equals);
        copy_word(pairs->value, equals + 1, end);
        return true;
    }
    return false;
}

void pairs_take(const struct pairs *pairs, const struct pairs_number *table, void *into)
{
    for (; table->key; table++)
        if (strcmp(table->key, pairs->key) == 0)
            *(int64_t *)((char *)into + table->at) = g_ascii_strtoll(pairs->value, NULL, 10);
}

// ---- reading ------------------------------------------------------------------------------------------------

#define LAYER(field)                                                                                                 \
    {                                                                                                                \
#field, offsetof(struct stats_layer, field)                                                                  \
    }
#define RECEIVED(field)                                                                                              \
    {                                                                                                                \
#field, offsetof(struct stats_received, field)                                                               \
    }
#define PEER(field)                                                                                                  \
    {                                                                                                                \
#field, offsetof(struct stats_peer, field)                                                                   \
    }

static const struct pairs_number layer_numbers[] = {
    LAYER(spatial), LAYER(ssrc),      LAYER(bps),      LAYER(expected),  LAYER(received),      LAYER(jitter_us),
    LAYER(asked),   LAYER(recovered), LAYER(given_up), LAYER(keyframes), LAYER(keyframe_asks), {0},
};

static const struct pairs_number received_numbers[] = {
    RECEIVED(paused),        RECEIVED(spatial),
    RECEIVED(temporal),      RECEIVED(bps),
    RECEIVED(lost),          RECEIVED(fraction_lost),
    RECEIVED(jitter_us),     RECEIVED(rtt_us),
    RECEIVED(nacks),         RECEIVED(resent),
    RECEIVED(keyframe_asks), RECEIVED(tx_packets),
    RECEIVED(tx_bytes),      {0},
};

static const struct pairs_number peer_numbers[] = {
    PEER(rtt_us),
    PEER(remb_bps),
    PEER(rx_packets),
    PEER(rx_bytes),
    PEER(tx_packets),
    PEER(tx_bytes),
    PEER(nacks_tx),
    PEER(nacks_rx),
    PEER(plis_tx),
    PEER(plis_rx),
    PEER(firs_tx),
    PEER(firs_rx),
    {0},
};

static uint64_t value_id(const struct pairs *pairs)
{
    return g_ascii_strtoull(pairs->value, NULL, 10);
}

static bool key_is(const struct pairs *pairs, const char *key)
{
    return strcmp(pairs->key, key) == 0;
}

static void take_drop(const struct pairs *pairs, int64_t *dropped)
{
    if (g_str_has_prefix(pairs->key, "drop_"))
        *dropped += g_ascii_strtoll(pairs->value, NULL, 10);
}

static void peer_free(struct stats_peer *peer)
{
    g_array_free(peer->received, TRUE);
    g_free(peer);
}

static struct stats_peer *read_peer(struct stats_room *room, struct pairs *pairs)
{
    if (room->peers->len >= STATS_PEERS_MAX)
        return NULL;
    struct stats_peer *peer = g_new0(struct stats_peer, 1);
    peer->received = g_array_new(FALSE, TRUE, sizeof(struct stats_received));
    peer->peer = value_id(pairs);
    g_ptr_array_add(room->peers, peer);
    while (pairs_next(pairs)) {
        pairs_take(pairs, peer_numbers, peer);
        take_drop(pairs, &peer->dropped);
        if (key_is(pairs, "state"))
            g_strlcpy(peer->state, pairs->value, sizeof(peer->state));
    }
    return peer;
}

static struct stats_track *read_track(struct stats_peer *peer, struct pairs *pairs)
{
    if (!peer || peer->track_count == SFU_TRACKS_MAX)
        return NULL;
    struct stats_track *track = &peer->tracks[peer->track_count++];
    while (pairs_next(pairs)) {
        if (key_is(pairs, "mid"))
            g_strlcpy(track->mid, pairs->value, sizeof(track->mid));
        else if (key_is(pairs, "source"))
            g_strlcpy(track->source, pairs->value, sizeof(track->source));
        else if (key_is(pairs, "muted"))
            track->muted = g_ascii_strtoll(pairs->value, NULL, 10);
    }
    return track;
}

static void read_layer(struct stats_track *track, struct pairs *pairs)
{
    if (!track || track->layer_count == STATS_LAYERS_MAX)
        return;
    struct stats_layer *layer = &track->layers[track->layer_count++];
    while (pairs_next(pairs)) {
        pairs_take(pairs, layer_numbers, layer);
        take_drop(pairs, &layer->dropped);
        if (key_is(pairs, "rid"))
            g_strlcpy(layer->rid, pairs->value, sizeof(layer->rid));
    }
}

static void read_received(struct stats_peer *peer, struct pairs *pairs)
{
    struct stats_received received = {0};
    if (!peer || peer->received->len >= STATS_RECEIVED_MAX)
        return;
    while (pairs_next(pairs)) {
        pairs_take(pairs, received_numbers, &received);
        take_drop(pairs, &received.dropped);
        if (key_is(pairs, "publisher"))
            received.publisher = value_id(pairs);
        else if (key_is(pairs, "source"))
            g_strlcpy(received.source, pairs->value, sizeof(received.source));
    }
    g_array_append_val(peer->received, received);
}

// ---- loss ---------------------------------------------------------------------------------------------------

static const struct stats_layer *find_layer(const struct stats_peer *peer, int64_t ssrc)
{
    for (unsigned i = 0; peer && i < peer->track_count; i++)
        for (unsigned k = 0; k < peer->tracks[i].layer_count; k++)
            if (peer->tracks[i].layers[k].ssrc == ssrc)
                return &peer->tracks[i].layers[k];
    return NULL;
}

// A stream that has begun anew (fewer expected than before) has no interval but its own.
static void measure_loss(struct stats_layer *layer, const struct stats_layer *before)
{
    bool goes_on = before && layer->expected >= before->expected;
    int64_t expected = layer->expected - (goes_on ? before->expected : 0);
    int64_t received = layer->received - (goes_on ? before->received : 0);
    layer->loss_percent =
        expected > 0 && received < expected ? 100.0 * (double)(expected - received) / (double)expected : 0;
}

static void measure_losses(struct stats_peer *peer, const struct stats_room *before)
{
    const struct stats_peer *earlier = before ? stats_find_peer(before, peer->peer) : NULL;
    for (unsigned i = 0; i < peer->track_count; i++)
        for (unsigned k = 0; k < peer->tracks[i].layer_count; k++)
            measure_loss(&peer->tracks[i].layers[k], find_layer(earlier, peer->tracks[i].layers[k].ssrc));
}

// ---- a snapshot ---------------------------------------------------------------------------------------------

struct stats_room *stats_read(const char *text, const struct stats_room *before, int64_t now_us)
{
    struct stats_room *room = g_new0(struct stats_room, 1);
    struct stats_peer *peer = NULL;
    struct stats_track *track = NULL;
    struct pairs pairs;
    room->measured_us = now_us;
    room->peers = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);
    while (pairs_line(&pairs, &text)) {
        if (!pairs_next(&pairs))
            continue;
        if (key_is(&pairs, "peer"))
            peer = read_peer(room, &pairs), track = NULL;
        else if (key_is(&pairs, "publisher"))
            track = read_track(peer, &pairs);
        else if (key_is(&pairs, "layer"))
            read_layer(track, &pairs);
        else if (key_is(&pairs, "subscriber"))
            read_received(peer, &pairs);
    }
    for (guint i = 0; i < room->peers->len; i++)
        measure_losses(room->peers->pdata[i], before);
    return room;
}

void stats_room_free(struct stats_room *room)
{
    if (!room)
        return;
    g_ptr_array_free(room->peers, TRUE);
    g_free(room);
}

const struct stats_peer *stats_find_peer(const struct stats_room *room, uint64_t id)
{
    for (guint i = 0; i < room->peers->len; i++) {
        const struct stats_peer *peer = room->peers->pdata[i];
        if (peer->peer == id)
            return peer;
    }
    return NULL;
}

// ---- telling ------------------------------------------------------------------------------------------------

static json_t *ms_of(int64_t us)
{
    return json_real((double)us / 1000.0);
}

static json_t *layer_json(const struct stats_layer *layer)
{
    return json_pack("{s:s?, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:I, s:I, s:I, s:I, s:I}", "rid",
                     layer->rid[0] ? layer->rid : NULL, "spatialLayer", (json_int_t)layer->spatial, "bitrateBps",
                     (json_int_t)layer->bps, "packetsExpected", (json_int_t)layer->expected, "packetsReceived",
                     (json_int_t)layer->received, "packetsLost",
                     (json_int_t)MAX(layer->expected - layer->received, 0), "lossPercent", layer->loss_percent,
                     "jitterMs", ms_of(layer->jitter_us), "packetsRecovered", (json_int_t)layer->recovered,
                     "packetsGivenUp", (json_int_t)layer->given_up, "packetsDropped", (json_int_t)layer->dropped,
                     "keyframes", (json_int_t)layer->keyframes, "keyframeRequests", (json_int_t)layer->keyframe_asks);
}

static json_t *track_json(const struct stats_track *track)
{
    json_t *layers = json_array();
    json_int_t bps = 0;
    for (unsigned i = 0; i < track->layer_count; i++) {
        bps += track->layers[i].bps;
        json_array_append_new(layers, layer_json(&track->layers[i]));
    }
    return json_pack("{s:s, s:s, s:b, s:I, s:o}", "mid", track->mid, "source", track->source, "muted",
                     track->muted != 0, "bitrateBps", bps, "layers", layers);
}

static json_t *received_json(const struct stats_received *r, const char *user)
{
    return json_pack("{s:s?, s:s, s:b, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "userId",
                     user, "source", r->source, "paused", r->paused != 0, "spatialLayer", (json_int_t)r->spatial,
                     "temporalLayer", (json_int_t)r->temporal, "bitrateBps", (json_int_t)r->bps, "packetsLost",
                     (json_int_t)r->lost, "lossPercent", 100.0 * (double)r->fraction_lost / 256.0, "jitterMs",
                     ms_of(r->jitter_us), "rttMs", ms_of(r->rtt_us), "packetsSent", (json_int_t)r->tx_packets,
                     "bytesSent", (json_int_t)r->tx_bytes, "packetsResent", (json_int_t)r->resent, "packetsDropped",
                     (json_int_t)r->dropped, "nacks", (json_int_t)r->nacks, "keyframeRequests",
                     (json_int_t)r->keyframe_asks);
}

json_t *stats_peer_json(const struct stats_peer *peer, const char *(*user_of)(void *arg, uint64_t peer), void *arg)
{
    json_t *published = json_array(), *received = json_array();
    for (unsigned i = 0; i < peer->track_count; i++)
        json_array_append_new(published, track_json(&peer->tracks[i]));
    for (guint i = 0; i < peer->received->len; i++) {
        const struct stats_received *one = &g_array_index(peer->received, struct stats_received, i);
        json_array_append_new(received, received_json(one, user_of(arg, one->publisher)));
    }
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "state", peer->state,
                     "rttMs", ms_of(peer->rtt_us), "receiverEstimateBps", (json_int_t)peer->remb_bps,
                     "packetsReceived", (json_int_t)peer->rx_packets, "bytesReceived", (json_int_t)peer->rx_bytes,
                     "packetsSent", (json_int_t)peer->tx_packets, "bytesSent", (json_int_t)peer->tx_bytes,
                     "packetsDropped", (json_int_t)peer->dropped, "nacksSent", (json_int_t)peer->nacks_tx,
                     "nacksReceived", (json_int_t)peer->nacks_rx, "keyframeRequestsSent",
                     (json_int_t)(peer->plis_tx + peer->firs_tx), "keyframeRequestsReceived",
                     (json_int_t)(peer->plis_rx + peer->firs_rx), "published", published, "received", received);
}
