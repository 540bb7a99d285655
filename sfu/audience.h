// Which ears does a room have? (its recording, its taps)
// SPDX-License-Identifier: MIT
//
// Worker thread.
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "sfu/command.h"
#include "sfu/ear.h"
#include "sfu/peer.h"
#include "sfu/record_queue.h"
#include "sfu/worker.h"

TAILQ_HEAD(peer_list, peer);

struct audience {
    // fixed at birth
    struct worker *worker;
    struct mailbox *events;
    struct flow *tapped;        // of the worker: what taps have sent
    struct record_inbox *inbox; // NULL: nothing can be recorded
    uint64_t room;
    const struct peer_list *peers; // of the room

    TAILQ_HEAD(, ear) ears;
    struct ear *recording;      // one of them; NULL: none
    const struct peer *speaker; // as the ears were told; NULL: nobody
    unsigned tap_count;
};

// The fields fixed at birth are set.
void audience_init(struct audience *a);
// The room ends: its recording and its taps do too.
void audience_close(struct audience *a);

bool audience_means(enum command_type type); // is it a command for audience_command()?
void audience_command(struct audience *a, const struct command *command, int64_t now_us);

// What happens in the room. Cheap when nobody listens.
void audience_joined(struct audience *a, struct peer *peer);
void audience_leaving(struct audience *a, struct peer *peer); // before its tracks end
void audience_published(struct audience *a, struct peer *peer, struct track *track);
void audience_unpublished(struct audience *a, struct track *track); // before it is freed
void audience_speaker(struct audience *a, const struct peer *peer); // NULL: nobody
void audience_tick(struct audience *a, int64_t now_us, int64_t wall_us);
