// Which track and layer does a received packet belong to?
// SPDX-License-Identifier: MIT
#include "sfu/ingress.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "sfu/forward.h"

enum { TAKEOVER_US = 1000000 }; // silence after which a packet that names no mid may take a layer's place

void ingress_init(struct ingress *in, struct pool *pool, struct stats *stats)
{
    memset(in, 0, sizeof(*in));
    uplink_init(&in->uplink, pool, stats);
}

void ingress_clear(struct ingress *in)
{
    assert(!in->tables || in->tables->batch.count == 0);
    uplink_clear(&in->uplink);
    g_free(in->tables);
    in->tables = NULL;
}

// ---- the table: open addressing, half empty at least -----------------------------------------------------

static unsigned bucket_of(uint32_t ssrc)
{
    return ssrc * UINT32_C(2654435769) >> 25; // Fibonacci hashing to 7 bits
}
_Static_assert(INGRESS_BUCKETS == 1 << 7, "bucket_of() gives 7 bits");

// Where the SSRC is, or the free place where it would be.
static struct ingress_ssrc *place_of(struct ingress_tables *tables, uint32_t ssrc)
{
    unsigned i = bucket_of(ssrc);
    while (tables->bucket[i].track && tables->bucket[i].ssrc != ssrc)
        i = (i + 1) % INGRESS_BUCKETS;
    return &tables->bucket[i];
}

const struct ingress_ssrc *ingress_find(const struct ingress *in, uint32_t ssrc)
{
    if (!in->tables)
        return NULL;
    const struct ingress_ssrc *found = place_of(in->tables, ssrc);
    return found->track ? found : NULL;
}

// Puts in again what is still marked with a track, at its right place.
static void rehash(struct ingress *in)
{
    struct ingress_ssrc old[INGRESS_BUCKETS];
    memcpy(old, in->tables->bucket, sizeof(old));
    memset(in->tables->bucket, 0, sizeof(old));
    in->count = 0;
    for (unsigned i = 0; i < INGRESS_BUCKETS; i++) {
        if (!old[i].track)
            continue;
        *place_of(in->tables, old[i].ssrc) = old[i];
        in->count++;
    }
}

void ingress_forget(struct ingress *in, const struct track *track)
{
    if (!in->tables)
        return;
    assert(in->tables->batch.count == 0);
    for (unsigned i = 0; i < INGRESS_BUCKETS; i++)
        if (in->tables->bucket[i].track == track)
            in->tables->bucket[i].track = NULL;
    rehash(in);
}

// A layer's SSRCs go together: who comes back does so with a new pair. RTX may also change alone.
static void forget_layer(struct ingress *in, struct track *track, unsigned index, bool only_rtx)
{
    for (unsigned i = 0; i < INGRESS_BUCKETS; i++) {
        struct ingress_ssrc *entry = &in->tables->bucket[i];
        if (entry->track == track && entry->layer == index && (entry->rtx || !only_rtx))
            entry->track = NULL;
    }
    track->layer[index].rtx_ssrc = 0;
    rehash(in);
}

void ingress_bye(struct ingress *in, uint32_t ssrc)
{
    const struct ingress_ssrc *found = ingress_find(in, ssrc);
    if (!found)
        return;
    struct ingress_ssrc gone = *found;
    if (!gone.rtx)
        track_unbind(gone.track, &gone.track->layer[gone.layer]);
    forget_layer(in, gone.track, gone.layer, gone.rtx);
}

// ---- learning --------------------------------------------------------------------------------------------

int ingress_declare(struct ingress *in, struct track *track, unsigned index, bool rtx, uint32_t ssrc)
{
    if (!in->tables)
        in->tables = g_new0(struct ingress_tables, 1);
    struct layer *layer = &track->layer[index];
    uint32_t before = rtx ? layer->rtx_ssrc : layer->ssrc;
    const struct ingress_ssrc *known = ingress_find(in, before);
    if (known && known->track == track && known->layer == index && known->rtx == rtx && before != ssrc)
        forget_layer(in, track, index, rtx);
    struct ingress_ssrc *place = place_of(in->tables, ssrc);
    if (!place->track && in->count == INGRESS_SSRCS_MAX)
        return -ENOSPC;
    in->count += !place->track;
    *place = (struct ingress_ssrc){ssrc, rtx, (uint8_t)index, track};
    if (rtx)
        layer->rtx_ssrc = ssrc;
    else
        track_bind(track, layer, ssrc);
    return 0;
}

static bool read_text(const struct packet *packet, enum ext_house house, char *text)
{
    struct ext ext = ext_view_get(&packet->ext, packet->buf, house);
    return ext_text_parse(&ext, text) == 0;
}

// The only track with this payload type, or NULL.
static struct track *only_track_of_pt(const struct uplink *uplink, uint8_t pt)
{
    struct track *track, *found = NULL;
    TAILQ_FOREACH (track, &uplink->tracks, entry) {
        if (!track_accepts_pt(track, pt))
            continue;
        if (found)
            return NULL;
        found = track;
    }
    return found;
}

// A packet without a mid must not push out a layer that is sending: it may be a straggler of its predecessor.
static bool may_take_over(const struct layer *layer, bool rtx, int64_t now_us)
{
    if (rtx)
        return !layer->rtx_ssrc;
    return !layer->bound || now_us - layer->last_us >= TAKEOVER_US;
}

static struct layer *claim_layer(struct track *track, const struct packet *packet)
{
    char rid[EXT_TEXT_MAX + 1];
    if (track->layer_count == 1)
        return &track->layer[0];
    if (!read_text(packet, EXT_RID, rid) && !read_text(packet, EXT_RRID, rid))
        return NULL;
    return track_find_rid(track, rid);
}

// RFC 9143 section 9.2: by mid, else by payload type.
static const struct ingress_ssrc *learn(struct ingress *in, const struct packet *packet, int64_t now_us)
{
    struct uplink *uplink = &in->uplink;
    char mid[EXT_TEXT_MAX + 1];
    bool named = read_text(packet, EXT_MID, mid);
    bool rtx = uplink->pt[packet->rtp.pt].kind == UPLINK_RTX;
    struct track *track = named ? track_find_mid(uplink, mid) : only_track_of_pt(uplink, packet->rtp.pt);
    struct layer *layer = track && track_accepts_pt(track, packet->rtp.pt) ? claim_layer(track, packet) : NULL;
    if (!layer || (!named && !may_take_over(layer, rtx, now_us))) {
        stats_drop(uplink->stats, DROP_UNKNOWN_SSRC);
        return NULL;
    }
    if (ingress_declare(in, track, (unsigned)(layer - track->layer), rtx, packet->rtp.ssrc) < 0) {
        stats_drop(uplink->stats, DROP_TABLE_FULL);
        return NULL;
    }
    return ingress_find(in, packet->rtp.ssrc);
}

// ---- receiving -------------------------------------------------------------------------------------------

// Every packet counts for the publisher's bandwidth estimate, also one that is of no use to us.
static void note_arrival(struct uplink *uplink, const struct packet *packet, int64_t now_us)
{
    struct ext ext = ext_view_get(&packet->ext, packet->buf, EXT_TWCC);
    uint16_t seq;
    if (ext_twcc_parse(&ext, &seq) < 0)
        return;
    if (!uplink->twcc) {
        uplink->twcc = g_new(struct twcc_recv, 1);
        twcc_recv_init(uplink->twcc);
    }
    twcc_recv_rx(uplink->twcc, seq, packet->received_us);
    if (twcc_recv_due(uplink->twcc, now_us))
        uplink_expect(uplink, now_us);
}

static void hold(struct ingress *in, struct track *track, struct packet *packet, int64_t now_us)
{
    struct ingress_batch *batch = &in->tables->batch;
    if (batch->count == INGRESS_BATCH)
        ingress_flush(in, now_us);
    batch->track[batch->count] = track;
    batch->packet[batch->count++] = packet_ref(packet);
}

// The packets of the track of entry `first`, in order; their entries are emptied.
static unsigned take_track(struct ingress_batch *batch, unsigned first, const struct packet *packets[INGRESS_BATCH])
{
    struct track *track = batch->track[first];
    unsigned count = 0;
    for (unsigned i = first; i < batch->count; i++) {
        if (batch->track[i] != track)
            continue;
        packets[count++] = batch->packet[i];
        batch->track[i] = NULL;
    }
    return count;
}

void ingress_flush(struct ingress *in, int64_t now_us)
{
    if (!in->tables)
        return;
    struct ingress_batch *batch = &in->tables->batch;
    const struct packet *packets[INGRESS_BATCH];
    for (unsigned i = 0; i < batch->count; i++) {
        struct track *track = batch->track[i];
        if (track)
            forward(track, packets, take_track(batch, i, packets), now_us);
    }
    for (unsigned i = 0; i < batch->count; i++)
        packet_unref(batch->packet[i]);
    batch->count = 0;
}

void ingress_rx(struct ingress *in, struct packet *packet, int64_t now_us)
{
    struct uplink *uplink = &in->uplink;
    flow_add(&uplink->stats->rx, packet->len);
    ext_view_init(&packet->ext, &packet->rtp, packet->buf, &uplink->ext);
    note_arrival(uplink, packet, now_us);

    const struct uplink_pt *pt = &uplink->pt[packet->rtp.pt];
    const struct ingress_ssrc *from = ingress_find(in, packet->rtp.ssrc);
    if (!from) {
        ingress_flush(in, now_us); // a layer that begins anew must not take the old one's packets with it
        from = learn(in, packet, now_us);
    }
    if (!from)
        return;
    if (from->rtx != (pt->kind == UPLINK_RTX) || !track_accepts_pt(from->track, packet->rtp.pt)) {
        stats_drop(uplink->stats, DROP_UNKNOWN_PT);
        return;
    }
    uplink->media_ssrc = packet->rtp.ssrc;
    if (track_rx(from->track, &from->track->layer[from->layer], packet, now_us))
        hold(in, from->track, packet, now_us);
}
