// What reached one participant, and what does it tell its sender about it?
// SPDX-License-Identifier: MIT
//
// Counts every packet by the header in the clear and checks that the numbers of each stream have no gap; of one
// packet in `sample` it also asks to have it opened and notes how long it travelled.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/histogram.h"
#include "bench/load/traffic.h"
#include "rtp/twcc.h"

enum {
    LISTENER_STREAMS_MAX = 64,
    LISTENER_REPORT_MAX = 1200, // bytes of one RTCP packet it writes, without SRTCP's trailer
    PROBATION_SSRC = 1234,      // mediasoup's bandwidth probes
};

struct stream {
    uint32_t ssrc;
    uint64_t first, newest; // extended sequence numbers
    uint64_t received;

    // since listener_begin()
    uint64_t window_base, window_received;

    // reports
    uint64_t told_expected, told_received;
    uint32_t lsr;
    int64_t sr_us;
};

struct listener {
    uint32_t own_ssrc; // of its reports
    struct stream streams[LISTENER_STREAMS_MAX];
    unsigned stream_count;
    uint32_t resends[LISTENER_STREAMS_MAX]; // SSRCs of RTX: not counted
    unsigned resend_count;
    uint32_t lot; // decides which packets are sampled
    struct twcc_recv twcc;
    bool is_full; // a stream more than it can hold came
};

// What all listeners found since the last begin.
struct tally {
    uint64_t packets, bytes;     // sealed, as they came
    uint64_t late;               // not newer than one seen before: overtaken, or twice
    uint64_t asked, opened;      // of the sample; the difference did not verify
    uint64_t expected, received; // by sequence numbers
    uint64_t streams, silent;    // silent: not a packet since begin
    struct histogram delay;
};

void listener_init(struct listener *listener, uint32_t own_ssrc);
// Notes from the text of a description which SSRCs are RTX.
void listener_learn(struct listener *listener, const char *sdp);

// A packet as it came. twcc_id 0: none. True: open it.
bool listener_rx_sealed(struct listener *listener, struct tally *tally, const struct traffic *traffic,
                        const uint8_t *data, size_t len, uint8_t twcc_id, int64_t arrived_ns);
void listener_rx_opened(struct listener *listener, struct tally *tally, const uint8_t *data, size_t len,
                        int64_t arrived_ns);
void listener_rx_rtcp(struct listener *listener, const uint8_t *data, size_t len, int64_t now_us);

void listener_begin(struct listener *listener);
void listener_end(const struct listener *listener, struct tally *tally);

// One RTCP packet into buf of LISTENER_REPORT_MAX; its length, 0: nothing to say. Feedback: call until it gives 0.
size_t listener_report(struct listener *listener, uint8_t *buf, int64_t now_us);
size_t listener_feedback(struct listener *listener, uint8_t *buf);
