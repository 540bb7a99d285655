// Which packets of a layer must be asked for again, and when?
// SPDX-License-Identifier: MIT
//
// The receiver's side of generic NACK (RFC 4585 section 6.2.1), one per layer. A gap opens when a newer packet
// arrives; it closes when the missing one does. It is asked for after a short wait, because packets overtake one
// another, then again every round trip. `seq` is the layer's extended number (seq_unwrap_rx, recvstats_rx).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOSS_MAX = 256,             // packets missing at one time; more: ask for a key frame instead
    LOSS_REORDER_PACKETS = 3,   // so many newer packets, or
    LOSS_REORDER_US = 10000,    // so much time, before the first ask
    LOSS_REPEAT_MIN_US = 20000, // between two asks; else one round trip
    LOSS_ASKS_MAX = 10,         // per packet
    LOSS_AGE_MAX_US = 1000000,  // then it is given up
};

struct loss_gap {
    uint64_t seq;
    int64_t opened_us;
    int64_t asked_us; // the last ask
    uint8_t asks;
    bool wanted; // a subscriber waits for it: no reorder wait
};

// All zero is ready.
struct loss {
    uint64_t newest; // 0: nothing yet
    uint64_t floor;  // older ones are nobody's concern
    bool keyframe;   // loss_keyframe_needed()
    uint16_t count;
    struct loss_gap gap[LOSS_MAX]; // by rising seq

    // statistics
    uint64_t asked, recovered, given_up;
};

// A packet arrived, by any way (retransmitted ones too; duplicates do no harm).
void loss_rx(struct loss *l, uint64_t seq, int64_t now_us);

// A subscriber asked for a packet that the history does not have. It is asked for with the next loss_due().
void loss_want(struct loss *l, uint64_t seq, int64_t now_us);

// Writes up to `cap` sequence numbers to ask for now, in rising order, and takes note that they are asked for. Gives
// up on the old ones. rtt_us: of the path to the publisher; 0: not known. Call it every 5..20 ms while
// loss_pending().
size_t loss_due(struct loss *l, int64_t now_us, int64_t rtt_us, uint16_t *out, size_t cap);

static inline bool loss_pending(const struct loss *l)
{
    return l->count > 0;
}

// True once after more was lost than can be asked for: everything missing was forgotten, only a key frame helps.
bool loss_keyframe_needed(struct loss *l);

// A key frame begins at `seq`: what was lost before it is no longer asked for.
void loss_forget_before(struct loss *l, uint64_t seq);
