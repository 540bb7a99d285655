// Which track and layer does a received packet belong to?
// SPDX-License-Identifier: MIT
//
// One per peer. SSRCs are found in constant time; an unknown one is learned, RFC 8843 section 9.2 and RFC 8852: it
// was declared in SDP, or the packet names its mid and rid, or only one m-line has its payload type. A publisher that
// comes back on the same mid and rid with another SSRC takes the place of its old one. Worker thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sfu/packet.h"
#include "sfu/stats.h"
#include "sfu/track.h"

enum {
    INGRESS_SSRCS_MAX = 64, // SFU_TRACKS_MAX tracks of TRACK_LAYERS_MAX layers with RTX fit
    INGRESS_BUCKETS = 128,
    INGRESS_BATCH = 32, // packets that go forward together
};

struct ingress_ssrc {
    uint32_t ssrc;
    bool rtx;
    uint8_t layer;
    struct track *track; // NULL: the place is free
};

// What came in one receive call waits here and goes forward together: a subscriber's copies of one video frame are
// written, sealed and sent while they are still in the cache.
struct ingress_batch {
    unsigned count;
    struct track *track[INGRESS_BATCH];
    struct packet *packet[INGRESS_BATCH]; // one reference each
};

struct ingress_tables {
    struct ingress_ssrc bucket[INGRESS_BUCKETS];
    struct ingress_batch batch;
};

struct ingress {
    struct uplink uplink;
    unsigned count;                // of SSRCs
    struct ingress_tables *tables; // NULL until it publishes
};

void ingress_init(struct ingress *in, struct pool *pool, struct stats *stats);
void ingress_clear(struct ingress *in); // its tracks are gone

// One packet from the peer's transport (transport_handlers.rtp): to its track, and with the next ingress_flush()
// forward.
void ingress_rx(struct ingress *in, struct packet *packet, int64_t now_us);

// Forwards what waits. To be called after the last packet of a receive call and before anything else is done with
// the peer, so that the batch is empty outside the receive path.
void ingress_flush(struct ingress *in, int64_t now_us);

// SDP says that this SSRC is the layer's (a=ssrc), or its RTX (a=ssrc-group:FID). -ENOSPC: too many.
int ingress_declare(struct ingress *in, struct track *track, unsigned layer, bool rtx, uint32_t ssrc);

// Everything about a track that goes away, before track_free().
void ingress_forget(struct ingress *in, const struct track *track);

// NULL: unknown.
const struct ingress_ssrc *ingress_find(const struct ingress *in, uint32_t ssrc);

// The publisher said BYE for this SSRC (RFC 3550 section 6.6). Others' SSRCs are ignored.
void ingress_bye(struct ingress *in, uint32_t ssrc);
