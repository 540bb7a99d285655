// When did each packet of a transport arrive, told to its sender?
// SPDX-License-Identifier: MIT
//
// draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1: RTPFB with FMT 15. The receiving half (twcc_recv)
// notes arrivals and writes feedback; the sending half reads it (twcc_parse, twcc_next).
//
//     |                    SSRC of packet sender                      |
//     |                    SSRC of media source                       |
//     |      base sequence number     |      packet status count      |
//     |                 reference time                | fb pkt. count |
//     |    packet chunks, 16 bits each (run length or status vector)  |
//     |    recv deltas, 8 or 16 bits each, then zero padding          |
#pragma once

#include "rtp/bytes.h"
#include "rtp/rtcpfb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TWCC_TICK_US = 250,  // unit of a receive delta
    TWCC_REF_US = 64000, // unit of the reference time

    TWCC_RING = 1024,          // packets the receiver remembers
    TWCC_INTERVAL_US = 100000, // feedback at least this often while packets arrive
    TWCC_INTERVAL_MIN_US = 50000,
    TWCC_MANY = 50,  // packets that make feedback due after the shorter interval
    TWCC_FULL = 512, // packets that make it due at once

    TWCC_WRITE_MIN = 64,    // octets of room a feedback packet needs
    TWCC_COUNT_MAX = 32768, // statuses in one packet: half the circle of sequence numbers
};

// ---- receiver: one per transport that sends to us ---------------------------------------------------------------

struct twcc_recv {
    uint64_t base;            // first extended sequence number not yet reported
    uint64_t end;             // one past the newest received, 0: none; base == end: nothing to report
    int64_t since_us;         // arrival of the first packet not yet reported
    uint8_t fb_count;         // number of the next feedback packet
    int64_t ticks[TWCC_RING]; // arrival of extended number n at [n % TWCC_RING], in TWCC_TICK_US; TWCC_LOST: not seen
};

#define TWCC_LOST INT64_MIN

void twcc_recv_init(struct twcc_recv *recv);

// Notes that transport-wide number seq arrived now (>= 0). Duplicates keep the first arrival. A packet that comes
// after its loss was reported is reported again, with all that follow it; one TWCC_RING / 2 or more behind the newest
// is ignored. A jump ahead by more than TWCC_RING forgets all before it.
void twcc_recv_rx(struct twcc_recv *recv, uint16_t seq, int64_t now_us);

// Is it time to write feedback?
bool twcc_recv_due(const struct twcc_recv *recv, int64_t now_us);

// Writes one feedback packet and counts what it reports as told. Returns its length; 0 when there is nothing to
// report or cap is under TWCC_WRITE_MIN. What did not fit stays for the next call: call until it returns 0.
size_t twcc_recv_write(struct twcc_recv *recv, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t *buf, size_t cap);

// ---- sender: reading feedback -----------------------------------------------------------------------------------

struct twcc {
    uint32_t ref_time; // 24 bits, in TWCC_REF_US; wraps: see twcc_clock
    uint16_t base_seq;
    uint16_t count; // statuses
    uint8_t fb_count;
    struct reader chunks, deltas;
};

// 0, or -EBADMSG when fb is not of kind RTCPFB_TWCC, claims more than TWCC_COUNT_MAX statuses, its chunks or deltas
// do not add up to `count`, or a status is the reserved one: then nothing of it is to be believed.
int twcc_parse(const struct rtcpfb *fb, struct twcc *out);

// One line of text, always terminated, cut to fit. Returns its length.
size_t twcc_print(const struct twcc *twcc, char *out, size_t cap);

struct twcc_status {
    uint16_t seq;
    bool received;
    int32_t delta_us;  // since the previous received packet, the first one: since the reference time; may be negative
    int64_t offset_us; // arrival since the reference time: the sum of the deltas so far
};

struct twcc_iter {
    struct reader chunks, deltas;
    uint16_t seq;   // of the next status
    uint16_t left;  // statuses not yet returned
    uint16_t chunk; // being walked
    uint16_t chunk_pos, chunk_len;
    int64_t offset_us;
};

struct twcc_iter twcc_iter(const struct twcc *fb);

// The next status, in sequence order; false after `count` of them.
bool twcc_next(struct twcc_iter *it, struct twcc_status *out);

// Unwraps reference times of successive feedback, so that arrivals of different packets compare. Zeroed is ready.
struct twcc_clock {
    int64_t ref; // newest reference time, extended
    bool started;
};

// Microseconds of a feedback's reference time on the receiver's clock (which begins anywhere).
int64_t twcc_clock_rx(struct twcc_clock *clock, uint32_t ref_time);
