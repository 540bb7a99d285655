// How do an outgoing stream's numbers relate to its layers' numbers?
// SPDX-License-Identifier: MIT
//
// A subscriber sees ONE stream: sequence numbers without holes of our making, timestamps that never jump, picture
// ids that count on. Behind it are up to three layers and all that we leave out. The timeline is a ring of spans, the
// oldest falling out; a span says "from this input number of this layer on, add these differences". It is the whole
// memory of what was sent: the same spans answer which packet a NACK means.
//
//     layer 1:   100 101 102 103     105 106              layer 0:  9 10 11
//                  |   |  drop drop    |   |   switch                |  | |
//     output:     40  41              43  44                        45 46 47
//                                   ^ 42: 104 was lost on the way to us, so it is missing here too
//     spans:     {40 = 1/100}        {42 = 1/104}                  {45 = 0/9}
//
// What holds: no two packets get one number; the order of a layer is kept; a late packet gets the number it would
// have had; what is dropped leaves no hole; what the network lost does leave one, so that the subscriber asks for it;
// timeline_reverse() undoes timeline_forward(). A packet that is sent again goes through timeline_forward() again and
// gets the same numbers.
//
// `seq` is the layer's extended number (recvstats_rx). `layer` is the caller's name for an SSRC: a publisher that
// comes back with a new SSRC is a new layer. Muted is: no calls at all, then timeline_switch() to the same layer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIMELINE_GAP_MAX = 3000, // a larger hole is shown as one missing packet (SRTP's roll-over guess bears no jumps)
};

// One packet's numbers, of the layer (in) or of the subscriber's stream (out). The ids are counted modulo 2^16 and
// 2^8: cut picture_id to the bits its field has; also for the dependency descriptor's frame_number. 0 where there is
// none.
struct timeline_packet {
    uint64_t seq; // out: cut to 16 bits for the wire
    uint32_t ts;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint16_t layer; // out: the same
};

struct timeline_span {
    uint64_t in, out; // the first input number and the output number it gets; it ends where the next begins
    uint32_t ts_delta;
    uint16_t picture_id_delta;
    uint16_t layer;
    uint8_t tl0picidx_delta;
};

struct timeline {
    struct timeline_span *span; // the caller's
    uint32_t mask;
    uint64_t count; // spans ever begun; the newest is span[(count - 1) & mask]
    uint32_t kept;  // of them in the ring
    uint32_t clock_hz;

    uint64_t newest_in;            // highest number of the newest span's layer, sent or dropped
    struct timeline_packet newest; // output numbers of the newest packet sent; ts: dropped ones count
    int64_t newest_us;
    int32_t ts_ahead;    // how far the newest span runs ahead of the truth, so that time did not go backwards
    bool dropping;       // the last packet in order was dropped, and
    uint32_t dropped_ts; // this was its timestamp
};

// `span` is memory for `capacity` spans, a power of two; it outlives the timeline. A run of dropped packets costs a
// span: 128 keep two to four seconds of video with temporal layers dropped, 16 suit audio. `first_seq` is the first
// packet's number: below 2^15, at best random (RFC 3550 section 5.1, RFC 3711 section 3.3.1).
void timeline_init(struct timeline *t, struct timeline_span *span, size_t capacity, uint32_t clock_hz,
                   uint16_t first_seq);

// Moves to `span`, memory for a larger capacity as above; the memory before is the caller's again.
void timeline_move(struct timeline *t, struct timeline_span *span, size_t capacity);

// The numbers of a packet to send. In order or late, once or again. Returns 0, or -ESTALE: it must not be sent (it
// was dropped, it is of a layer that was left or not yet switched to, or of a time before the oldest span).
int timeline_forward(struct timeline *t, const struct timeline_packet *in, int64_t now_us,
                     struct timeline_packet *out);

// The packet is left out; what follows closes up. `whole_picture`: nothing of its picture is sent, so picture ids
// close up too (only for codecs whose frames do not refer to each other by number: VP8 yes; VP9 and the dependency
// descriptor no). Returns true when it comes too late for that: its number *out is already spoken for, and the
// receiver will ask for it until it gets the packet or one of only padding with that number.
bool timeline_drop(struct timeline *t, const struct timeline_packet *in, bool whole_picture,
                   struct timeline_packet *out);

// The same as timeline_forward() for the first packet of another layer, of a stream that begins, or of one that goes
// on after a pause. Numbers and picture ids go on by one (ids by more where packets are missing that may still come).
// Time goes on by `same_instant_ts`, the timestamp that the layer sent so far gives the instant of this packet
// (recvstats_same_instant; after a pause of the same layer: its own `ts`), or by the time elapsed when that is NULL
// or out of all proportion; at least by one tick. What of the layer came before `in` stays unsent. Returns 0, or
// -ESTALE: the packet is not newer than what was sent of its layer; nothing has changed.
int timeline_switch(struct timeline *t, const struct timeline_packet *in, const uint32_t *same_instant_ts,
                    int64_t now_us, struct timeline_packet *out);

// Which packet had this number on the wire? False: none (never sent, or too long ago). True also for one that was
// lost before it reached us: the history does not have it.
bool timeline_reverse(const struct timeline *t, uint16_t seq, uint16_t *layer, uint64_t *in_seq);

// The outgoing timestamp for one of the layer that is being sent, for sender reports.
uint32_t timeline_ts(const struct timeline *t, uint32_t ts);

// Has anything been forwarded yet?
static inline bool timeline_started(const struct timeline *t)
{
    return t->count > 0;
}
