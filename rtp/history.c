// Which stored packet has this sequence number?
// SPDX-License-Identifier: MIT
#include "rtp/history.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

void history_init(struct history *h, struct history_slot *slot, size_t capacity)
{
    assert(capacity && !(capacity & (capacity - 1)));
    memset(slot, 0, capacity * sizeof *slot);
    *h = (struct history){.slot = slot, .mask = capacity - 1};
}

void *history_put(struct history *h, uint64_t seq, void *packet)
{
    struct history_slot *s = &h->slot[seq & h->mask];
    bool late = seq <= h->newest;
    if (late && h->newest - seq > h->mask)
        return packet;
    if (s->packet && s->seq == seq)
        return packet;

    void *out = s->packet;
    *s = (struct history_slot){seq, packet};
    if (!late)
        h->newest = seq;
    return out;
}

void history_clear(struct history *h, void (*release)(void *packet, void *arg), void *arg)
{
    for (uint64_t i = 0; i <= h->mask; i++) {
        void *packet = h->slot[i].packet;
        h->slot[i] = (struct history_slot){0};
        if (packet)
            release(packet, arg);
    }
    h->newest = 0;
}
