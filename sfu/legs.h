// What does one participant receive?
// SPDX-License-Identifier: MIT
//
// A leg is one track of somebody else on its way to this browser: the stream that carries it (sub.h) and that
// stream's place in the descriptions (negotiate.h). Part of a peer's session; worker thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sfu/negotiate.h"
#include "sfu/sfu.h"
#include "sfu/sink.h"
#include "sfu/stats.h"
#include "sfu/sub.h"
#include "sfu/tally.h"
#include "sfu/track.h"

struct leg {
    struct outgoing outgoing;
    struct sub *sub;
    struct track *track;
    uint64_t publisher; // peer id
    char user[SFU_USER_MAX + 1];
    TAILQ_ENTRY(leg) entry;
};

// All belong to the peer.
struct legs_config {
    struct negotiate *negotiate;
    struct sink *sink;
    struct stats *stats;
    struct tally *tally; // gets what was counted by what goes
};

struct legs {
    struct legs_config cfg;
    struct sub_list subs; // the streams of all legs, by of_peer
    TAILQ_HEAD(, leg) list;
};

void legs_init(struct legs *legs, const struct legs_config *cfg);
void legs_clear(struct legs *legs);

// What there is to receive.
struct leg_source {
    struct track *track;
    const struct publication *publication;
    uint64_t publisher; // peer id
    const char *user;
};
// A stream that was promised to the browser flows at once (outgoing.agreed), any other when an offer has placed it.
// NULL when the sink has no more streams.
struct leg *legs_add(struct legs *legs, const struct leg_source *source, int64_t now_us);
void legs_remove(struct legs *legs, const struct track *track);

// Lets flow what the browser has agreed to receive, and nothing else.
void legs_settle(struct legs *legs, int64_t now_us);
// Every video begins again with a key frame.
void legs_want_keyframes(struct legs *legs, int64_t now_us);
// Which layer of this publisher's source from now on; see sub_set_layer().
void legs_set_layer(struct legs *legs, uint64_t publisher, enum sfu_source source, int spatial, int temporal,
                    int64_t now_us);

// What is on which m-line; returns how many.
size_t legs_tracks(const struct legs *legs, struct sfu_track tracks[SDP_MEDIA_MAX]);
// What they have counted and not yet given to cfg.tally.
void legs_tally(const struct legs *legs, struct tally *sum);
// The pairs of a leg's line: publisher, source and those of its sub.
void leg_stats(const struct leg *leg, int64_t now_us, struct line *line);
