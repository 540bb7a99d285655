// Which stored packet has this sequence number?
// SPDX-License-Identifier: MIT
//
// One per layer, shared by all its subscribers: a ring of the newest packets, found by sequence number in one step.
// `seq` is everywhere the layer's extended number (seq_unwrap_rx, recvstats_rx), which does not wrap.
//
// The history holds opaque pointers and never looks behind them. Whoever puts a packet gives away one reference;
// whatever falls out is handed back to be released.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct history_slot {
    uint64_t seq;
    void *packet; // NULL: empty
};

struct history {
    struct history_slot *slot; // the caller's
    uint64_t mask;
    uint64_t newest; // 0: nothing yet
};

// `slot` is memory for `capacity` packets, a power of two; it outlives the history. 512 suit video, 64 audio.
void history_init(struct history *h, struct history_slot *slot, size_t capacity);

// Stores a packet. Returns what the caller must release now: NULL, the packet that made room, or `packet` itself when
// it is refused: its number is already stored (a duplicate) or older than the ring goes back.
void *history_put(struct history *h, uint64_t seq, void *packet);

// NULL: never came, or already fell out.
static inline void *history_get(const struct history *h, uint64_t seq)
{
    const struct history_slot *s = &h->slot[seq & h->mask];
    return s->seq == seq && h->newest - seq <= h->mask ? s->packet : NULL;
}

// Empties the ring; `release` gets every packet once. Numbers seen before may be stored again.
void history_clear(struct history *h, void (*release)(void *packet, void *arg), void *arg);
