// What does a receiver report say about a layer, and which packet is this really?
// SPDX-License-Identifier: MIT
//
// RFC 3550 appendix A.1 (which sequence numbers to believe), A.3 (loss) and A.8 (jitter), one per received SSRC. It
// is the first to see a packet, so it also makes the extended sequence number by which history, loss and timeline
// know the packet. No probation: SRTP has proven the sender.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rate.h"
#include "rtp/rtcp.h"
#include "rtp/seq.h"

enum {
    RECVSTATS_DROPOUT_MAX = 3000,  // RFC 3550 A.1 MAX_DROPOUT: a larger step ahead is a new beginning
    RECVSTATS_MISORDER_MAX = 1000, // A.1 MAX_MISORDER is 100; late packets of video are later than that
};

struct recvstats {
    uint32_t ssrc;
    uint32_t clock_hz;

    struct seq_unwrap unwrap; // newest: 0 until the first packet
    uint64_t base;            // first extended number since the (re)start
    uint32_t suspect;         // a sequence number that would confirm a new beginning; > 65535: none
    uint64_t received;        // since the (re)start; counts duplicates (A.3)
    uint64_t expected_prior, received_prior;
    uint64_t packets, bytes; // ever
    uint64_t restarts;

    bool has_transit;
    uint32_t transit_ts; // arrival minus timestamp of the last packet (A.8)
    uint32_t jitter_q4;  // 16 times the jitter (A.8)

    bool has_sr;
    uint64_t sr_ntp;
    uint32_t sr_ts;
    int64_t sr_us; // when it arrived

    struct rate rate;
};

void recvstats_init(struct recvstats *rs, uint32_t ssrc, uint32_t clock_hz);

// A packet arrived in its own stream. Returns its extended sequence number, or 0 for one to drop: it jumps so far
// that only a second packet right behind it makes it credible (A.1). After such a new beginning the numbers go on
// upwards with a step of more than RECVSTATS_DROPOUT_MAX.
uint64_t recvstats_rx(struct recvstats *rs, uint16_t seq, uint32_t ts, int64_t now_us, size_t len);

// The extended number of a packet that came in another stream (RTX, RFC 4588), which counts nothing here. 0: none
// yet.
static inline uint64_t recvstats_find(const struct recvstats *rs, uint16_t seq)
{
    return rs->unwrap.newest ? seq_unwrap_peek(&rs->unwrap, seq) : 0;
}

// A sender report came: at the publisher's wall clock `ntp` the layer's timestamp is `rtp_ts`.
void recvstats_sr(struct recvstats *rs, uint64_t ntp, uint32_t rtp_ts, int64_t now_us);

// Fills the whole report block and begins the next interval (fraction lost). False: nothing received, no block.
bool recvstats_block(struct recvstats *rs, int64_t now_us, struct rtcp_report *out);

uint64_t recvstats_bps(struct recvstats *rs, int64_t now_us);

// The publisher's wall clock (microseconds since 1970) at which `ts` was sampled. False before the first SR.
bool recvstats_wall_us(const struct recvstats *rs, uint32_t ts, int64_t *wall_us);

// The timestamp that `to` gives the instant which `from` calls `ts` (two layers of one publisher): for
// timeline_switch(). False while either has no SR.
bool recvstats_same_instant(const struct recvstats *from, uint32_t ts, const struct recvstats *to, uint32_t *out);
