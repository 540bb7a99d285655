// What do a peer and we tell each other about the packets in between? (RTCP)
// SPDX-License-Identifier: MIT
//
// One per peer. As a publisher it hears which packets to send again, when a key frame is wanted, and how its packets
// arrived; as a subscriber it gets sender reports and says what it misses. RFC 3550 section 6, RFC 4585, RFC 5104,
// RFC 5506 (reduced size). Worker thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/ingress.h"
#include "sfu/stats.h"
#include "sfu/sub.h"
#include "sfu/transport.h"

enum {
    FEEDBACK_PACKET_MAX = 1200,   // octets of one compound
    FEEDBACK_TICK_US = 10000,     // while something is missing or wanted
    FEEDBACK_IDLE_US = 50000,     // else
    FEEDBACK_REPORT_US = 1000000, // between two receiver reports
    FEEDBACK_NACKS_MAX = 512,     // packets one peer may ask for again per FEEDBACK_NACK_US, all subs together
    FEEDBACK_NACK_US = 100000,
};

struct feedback {
    // fixed at birth; all belong to the peer
    struct transport *transport;
    struct ingress *ingress;
    struct sub_list *subs;
    struct stats *stats;
    uint32_t ssrc; // ours, as the sender of reports and feedback
    char cname[SFU_USER_MAX + 1];

    int64_t due_us;         // of the subscriber's half; the publisher's is ingress->uplink.due_us
    int64_t report_us;      // next receiver report; 0: nothing received yet
    int64_t alive_us;       // next track_tick()
    int64_t wall_offset_us; // wall clock minus monotonic clock, as of the last tick
    int64_t nacks_since_us;
    unsigned nacks_taken;

    // counted
    uint64_t nacks_tx, plis_tx, firs_tx, reports_tx, twccs_tx;
    uint64_t nacks_rx, plis_rx, firs_rx, reports_rx, rembs_rx, twccs_rx;
    uint64_t remb_bps; // the last one
};

struct feedback_config {
    struct transport *transport;
    struct ingress *ingress;
    struct sub_list *subs; // the peer's subs, by of_peer
    struct stats *stats;
    uint32_t ssrc;
    const char *cname; // of this server
};

void feedback_init(struct feedback *fb, const struct feedback_config *cfg);

// One compound from the peer (transport_handlers.rtcp). What is malformed, or speaks of SSRCs that are not its own or
// not sent to it, is counted or ignored.
void feedback_rx(struct feedback *fb, const uint8_t *data, size_t len, int64_t now_us);

// Sends what is due. `wall_us`: the wall clock at now_us.
void feedback_tick(struct feedback *fb, int64_t now_us, int64_t wall_us);

// When feedback_tick() has something to do. Cheap: ask every turn.
static inline int64_t feedback_due(const struct feedback *fb)
{
    return fb->due_us < fb->ingress->uplink.due_us ? fb->due_us : fb->ingress->uplink.due_us;
}

// The pairs of a peer's line: rtt, what was asked and reported.
void feedback_stats(const struct feedback *fb, struct line *line);
