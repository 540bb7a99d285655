// What has one worker done since it started? (for all the rooms and peers it ever had)
// SPDX-License-Identifier: MIT
//
// Peers count for themselves; what they counted is added here when a part of them goes, and on a copy when somebody
// asks, so no packet pays for it. Worker thread.
#pragma once

#include "sfu/feedback.h"
#include "sfu/stats.h"
#include "sfu/sub.h"
#include "sfu/track.h"
#include "sfu/transport.h"

struct tally {
    struct flow tx;             // to receivers; what was received is the worker's own count
    struct flow tapped;         // to programs outside, counted by the taps themselves
    uint64_t drops[DROP_COUNT]; // of peers, tracks and subs; the transports' are the worker's own
    uint64_t connected, ice_failed, dtls_failed;
    uint64_t nacks_tx, nacks_rx;         // messages
    uint64_t keyframes_tx, keyframes_rx; // PLI and FIR
    uint64_t resent;                     // packets
};

void tally_add_drops(struct tally *sum, const struct stats *stats);

// The part that goes, or is there now.
void tally_add_track(struct tally *sum, const struct track *track);
void tally_add_sub(struct tally *sum, const struct sub *sub);
void tally_add_feedback(struct tally *sum, const struct feedback *feedback);

// A peer's transport has come to this state.
void tally_state(struct tally *sum, enum sfu_state state, struct transport_fault fault);

// Everything as one line's pairs: rx_* of the worker and its drops included; tap_packets, tap_bytes.
void tally_print(const struct tally *tally, const struct stats *worker, struct line *line);
