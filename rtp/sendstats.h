// What does a sender report say about an outgoing stream, and what does its receiver answer?
// SPDX-License-Identifier: MIT
//
// RFC 3550 section 6.4.1, one per SSRC we send.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rate.h"
#include "rtp/rtcp.h"

struct sendstats {
    uint32_t ssrc;
    uint32_t clock_hz;
    uint64_t packets, octets; // octets of payload, without header and padding

    // One instant of the stream: at `at_us` its timestamp is `ts`.
    uint32_t ts;
    int64_t at_us;
    bool timed;  // the two are known,
    bool mapped; // and said by sendstats_map(), not guessed from when packets leave

    // What the receiver's last report block said.
    bool has_rr;
    uint8_t fraction_lost; // of 256
    int32_t lost;
    uint32_t jitter_ts;
    uint32_t ext_seq;
    int64_t rtt_us; // 0: not known yet
    int64_t rr_us;  // when it came

    struct rate rate;
};

void sendstats_init(struct sendstats *ss, uint32_t ssrc, uint32_t clock_hz);

// A packet leaves. Retransmissions in a stream of their own (RTX) count there.
void sendstats_tx(struct sendstats *ss, uint32_t ts, size_t payload_len, int64_t now_us);

// The outgoing timestamp `ts` was sampled at `at_us`: known from the publisher's sender report, and the same clock
// for its audio and video, so that the receiver can play lips and voice together.
void sendstats_map(struct sendstats *ss, uint32_t ts, int64_t at_us);

// A new source feeds the stream: the mapping no longer holds, timestamps are guessed until the next sendstats_map().
void sendstats_unmap(struct sendstats *ss);

// The sender report for now; `ntp` is the wall clock at now_us. False: nothing was sent, no report.
bool sendstats_sr(const struct sendstats *ss, int64_t now_us, uint64_t ntp, struct rtcp_sr *out);

// A report block about this stream came; `ntp` is the wall clock at now_us, the one sendstats_sr() is given.
void sendstats_rr(struct sendstats *ss, const struct rtcp_report *report, int64_t now_us, uint64_t ntp);

uint64_t sendstats_bps(struct sendstats *ss, int64_t now_us);
