// What is a packet here, and where does its memory come from?
// SPDX-License-Identifier: MIT
//
// A packet is received bytes and their parsed view. It is IMMUTABLE once a track has taken it: subscribers write
// their own output packets. Packets come from their worker's pool and never leave its thread, so the reference count
// is a plain number. An exhausted pool is a counted drop, never an allocation failure. Under ASan the pool is malloc,
// so that overruns and use after free are seen.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "rtp/ext.h"
#include "rtp/rtp.h"

enum {
    PACKET_ROOM = 1536,       // bytes of one packet: the largest Ethernet payload and what sealing adds
    PACKET_POOL_MAX = 131072, // two seconds of some two hundred publishers with video
};

struct pool;
struct cipher_stream;

struct packet {
    struct packet *next; // in the pool's free list, or in one queue
    struct pool *pool;
    uint32_t refs;
    uint16_t len; // bytes in buf

    // Received packets: filled by worker_receive() (received_us), the transport (rtp), the track (the rest).
    int64_t received_us;
    struct rtp rtp;
    struct ext_view ext;
    uint64_t seq; // extended number in its layer; rtp.seq does not wrap here
    enum codec codec;
    struct codec_info info;
    uint8_t layer;      // index of the layer it came on
    bool retransmitted; // it came as RTX; rtp is the original's view (rtx_unwrap)

    // Packets on their way out: filled by the sub for its sink.
    uint16_t stream;      // the sink's handle of the outgoing SSRC
    uint16_t twcc_offset; // where the sink writes its transport-wide sequence number; 0: nowhere
    bool video;
    struct cipher_stream *cipher; // outbox.c: who seals it; NULL: it is sealed

    _Alignas(16) uint8_t buf[PACKET_ROOM];
};

// `max`: packets that may exist at once (at most PACKET_POOL_MAX); memory is taken in slabs as it is first needed.
struct pool *pool_new(unsigned max);
// Every packet must have come back.
void pool_free(struct pool *pool);
unsigned pool_in_use(const struct pool *pool);

// A packet with one reference and only `pool`, `refs` set; NULL when the pool is exhausted (counted).
struct packet *packet_new(struct pool *pool);
uint64_t pool_exhausted(const struct pool *pool); // how often packet_new() gave NULL

static inline struct packet *packet_ref(struct packet *packet)
{
    packet->refs++;
    return packet;
}

// Gives one reference back; NULL is allowed.
void packet_unref(struct packet *packet);
