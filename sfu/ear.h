// Who listens to a room without being in it?
// SPDX-License-Identifier: MIT
//
// A recording (record_room.h) or a tap (tap.h). The room tells it who comes and goes and what they publish; it makes
// subs of its own, with a sink that is no browser. An ear that is new to the room is told of everybody who is there.
// Worker thread.
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "sfu/peer.h"
#include "sfu/track.h"

struct ear;

// Any but tick and free may be NULL.
struct ear_ops {
    void (*joined)(struct ear *ear, struct peer *peer);
    void (*leaving)(struct ear *ear, struct peer *peer); // its tracks are still there
    void (*published)(struct ear *ear, struct peer *peer, struct track *track);
    void (*unpublished)(struct ear *ear, struct track *track);      // it is still whole
    void (*speaker)(struct ear *ear, const struct peer *peer);      // NULL: nobody
    void (*tick)(struct ear *ear, int64_t now_us, int64_t wall_us); // at every tick
    void (*free)(struct ear *ear, enum sfu_reason reason);          // the room has taken it out of its list
};

// Embedded first in each.
struct ear {
    const struct ear_ops *ops;
    TAILQ_ENTRY(ear) entry; // in its room
};
