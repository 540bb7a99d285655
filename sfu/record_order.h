// Which packet of a recorded track comes next?
// SPDX-License-Identifier: MIT
//
// A recorder need not hurry: it waits for what the network has delayed, or for what the publisher sends again, and
// only then goes on without it. In order, nothing is copied. One per recorded track; writer thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/seq.h"

enum {
    RECORD_ORDER_WAIT_US = 500000, // how long a packet is held back for those missing before it
    RECORD_ORDER_MAX = 1024,       // packets held back, a power of two
};

struct record_order;

// The next packet; `lost`: packets before it are given up. Borrowed.
typedef void record_order_h(void *arg, const uint8_t *data, size_t len, int64_t at_us, bool lost);

struct record_order *record_order_new(record_order_h *handler, void *arg);
void record_order_free(struct record_order *o);

// A packet with this sequence number arrived at at_us. What comes twice or too late is dropped.
void record_order_rx(struct record_order *o, uint16_t seq, const uint8_t *data, size_t len, int64_t at_us);

// Gives up what has been waited for long enough.
void record_order_tick(struct record_order *o, int64_t now_us);

// Nothing more will come: hands over everything.
void record_order_flush(struct record_order *o);

uint64_t record_order_lost(const struct record_order *o); // packets given up so far
