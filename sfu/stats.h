// What was taken, sent and dropped, and why?
// SPDX-License-Identifier: MIT
//
// One `struct stats` per worker, peer, track and sub: plain numbers, counted on their worker thread. Every packet
// that is not forwarded is counted under exactly one reason; no reason is logged per packet.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum drop {
    // a datagram, by the transport
    DROP_NOT_MEDIA,      // none of the protocols of RFC 7983
    DROP_WRONG_PATH,     // from an address ICE did not select
    DROP_NOT_CONNECTED,  // no keys agreed, or no longer
    DROP_BAD_TAG,        // SRTP or SRTCP that does not verify
    DROP_REPLAYED,       // SRTP seen before, or too old to tell
    DROP_BAD_RTP,        // verified, but not RTP
    DROP_BAD_RTCP,       // verified, but not RTCP, or cut short
    DROP_POOL_EXHAUSTED, // no packet left in the worker's pool
    DROP_QUEUE_FULL,     // waiting to be sent, and too many
    DROP_SEND_FAILED,    // the kernel did not take it
    DROP_BAD_MESSAGE,    // a data channel message out of bounds

    // a received packet, by ingress and track
    DROP_UNKNOWN_SSRC, // no m-line of this peer claims it
    DROP_UNKNOWN_PT,   // a payload type that was not negotiated for its m-line
    DROP_TABLE_FULL,   // too many SSRCs from one peer
    DROP_BAD_PAYLOAD,  // its codec cannot read it
    DROP_DUPLICATE,    // came before (also: a retransmission nobody waits for)
    DROP_TOO_LATE,     // older than the history
    DROP_PADDING,      // a bandwidth probe: noted, not forwarded
    DROP_MUTED,        // the track is muted

    // a packet for one receiver, by the sub
    DROP_NOT_READY,    // nobody to send to yet
    DROP_NO_CODEC,     // the receiver did not negotiate this codec
    DROP_OTHER_LAYER,  // the receiver gets another layer
    DROP_NO_KEYFRAME,  // the receiver still waits for a key frame
    DROP_UNPLACED,     // too late to have a number in the outgoing stream
    DROP_TOO_LONG,     // does not fit a packet once rewritten
    DROP_RESEND_TWICE, // asked for again before it could have arrived
    DROP_RESEND_RATE,  // more retransmissions than the stream may have
    DROP_RESEND_GONE,  // no longer in the history, or never sent
    DROP_COUNT,
};

// One word per reason: "wrong_path".
const char *drop_name(enum drop drop);

// Packets and their bytes: whole RTP packets in the clear, header included.
struct flow {
    uint64_t packets, bytes;
};

struct stats {
    struct flow rx, tx;
    uint64_t drops[DROP_COUNT];
};

static inline void flow_add(struct flow *flow, size_t bytes)
{
    flow->packets++;
    flow->bytes += bytes;
}

static inline void stats_drop(struct stats *stats, enum drop drop)
{
    stats->drops[drop]++;
}

uint64_t stats_dropped(const struct stats *stats); // all reasons

// ---- text: `key=value` pairs with one space between them ---------------------------------------------------------

// A line being written. It is always terminated; what does not fit is left out whole and clears `ok`.
struct line {
    char *buf;
    size_t cap, len;
    bool ok;
};

struct line line_of(char *buf, size_t cap); // cap >= 1
void line_number(struct line *line, const char *key, int64_t value);
void line_text(struct line *line, const char *key, const char *value); // no spaces in value

// rx_packets, rx_bytes, tx_packets, tx_bytes, then one drop_<name> per reason that happened.
void line_stats(struct line *line, const struct stats *stats);
