// At which moment of the recording was this RTP timestamp sampled?
// SPDX-License-Identifier: MIT
//
// Three clocks meet in a recording: each track's sampling clock, its publisher's wall clock, and our monotonic clock,
// which all tracks of a room share. Sender reports (RFC 3550 section 6.4.1) tie the first to the second; when they
// arrive ties the second to the third. All three drift, so both ties are renewed all the time and the answer follows
// them gently: sound is never torn, and after an hour the tracks of a room are still together.
//
// Pure: no clock, no heap, any thread. Microseconds; "our time" is the monotonic clock of `arrival_us`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    RECORD_WALL_WINDOW_US = 15000000, // the quickest report of the last one or two windows counts: the least delayed
    RECORD_WALL_JUMP_US = 500000,     // so far off, three times in a row: the publisher's clock was set
    RECORD_CLOCK_SLEW_PPM = 20000,    // how fast an error is worked off
    RECORD_CLOCK_JUMP_US = 1000000,   // a larger error is not worked off but jumped over
};

// ---- one publisher's wall clock against ours: one for all its tracks ---------------------------------------------

struct record_wall {
    bool known, has_before;
    int64_t since_us;              // when the window began
    int64_t least_us, before_us;   // least (arrival - report) of this window and the one before
    int64_t rtt_us, rtt_before_us; // least round trip of the same; INT64_MAX: not known
    unsigned off;                  // reports in a row that were RECORD_WALL_JUMP_US off
};

// A report of any of its tracks came: its wall clock (microseconds since 1970), our time, and the round trip to it
// (0: not known).
void record_wall_rx(struct record_wall *w, int64_t wall_us, int64_t arrival_us, int64_t rtt_us);

// ---- one track's sampling clock ----------------------------------------------------------------------------------

struct record_clock {
    uint32_t clock_hz;
    int64_t delay_us; // how much later than its sampling a packet can be sent at best: the length of an audio frame

    bool started;
    uint32_t newest_ts;
    int64_t newest;   // the same, counted on from 0 without wrap
    int64_t least_us; // least (arrival - sampling): the tie before the first report

    bool reported;
    int64_t report; // the last report's timestamp, counted as `newest`
    int64_t report_wall_us;

    bool told; // the last answer:
    int64_t told_at, told_us;
};

void record_clock_init(struct record_clock *c, uint32_t clock_hz, int64_t delay_us);

// A packet with this timestamp arrived; in any order.
void record_clock_rx(struct record_clock *c, uint32_t ts, int64_t arrival_us);

// A sender report came: at the publisher's wall clock `wall_us` the timestamp is `ts`. Ignored before the first
// packet.
void record_clock_sr(struct record_clock *c, uint32_t ts, int64_t wall_us);

// Our time at which the frame with this timestamp was sampled. Ask once per frame, in order; never less than the
// answer before.
int64_t record_clock_us(struct record_clock *c, const struct record_wall *wall, uint32_t ts);
