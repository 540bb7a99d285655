// May this packet be sent again now?
// SPDX-License-Identifier: MIT
//
// Requests come from the network and cost more to answer than to make: 4 octets of NACK name 17 packets. So no packet
// is sent twice within a round trip, and what is sent again stays a fraction of what is sent. One per sub.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/stats.h"

enum {
    RESEND_SLOTS = 128,         // numbers remembered
    RESEND_WAIT_MIN_US = 20000, // between two sendings of one packet: a round trip, but within these
    RESEND_WAIT_MAX_US = 100000,
    RESEND_BURST = 96 * 1024,  // octets that may be sent again at once
    RESEND_FLOOR_BPS = 300000, // in the long run: this, or half of what the stream sends if that is more
};

// A number that was sent again, or late.
struct resend_slot {
    uint32_t at_ms; // 0: never; wraps after 49 days, when nobody asks any more
    uint16_t seq;
    bool empty;
};

struct resend {
    int64_t tokens; // octets that may be sent again now
    int64_t counted_us;
    struct resend_slot *slot; // RESEND_SLOTS of them, by seq; NULL until there is something to remember
};

void resend_init(struct resend *r);
void resend_clear(struct resend *r);

// This number was sent late, the first time, so a request for it may be on its way already. `empty`: as padding,
// because its packet is not for this receiver and came too late to be left out.
void resend_note(struct resend *r, uint16_t seq, bool empty, int64_t now_us);

// Asks for `octets` of the packet `seq` and, when granted, notes that it is sent. DROP_COUNT: granted; *empty: send
// padding again. Else why not. stream_bps: what the stream sends; rtt_us 0: not known.
enum drop resend_ask(struct resend *r, uint16_t seq, size_t octets, uint64_t stream_bps, int64_t rtt_us,
                     int64_t now_us, bool *empty);
