// How does a packet look in one receiver's numbers?
// SPDX-License-Identifier: MIT
//
// The received packet is never changed: each subscriber gets its own copy, with its payload type, SSRC, sequence
// number, timestamp, extension ids and picture ids. A packet that is sent again is the same copy inside RTX (RFC
// 4588).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/timeline.h"
#include "sfu/cipher.h"
#include "sfu/packet.h"
#include "sfu/sink.h"
#include "sfu/stats.h"

enum { COPY_MAX = PACKET_ROOM - CIPHER_TRAILER_MAX }; // octets of a copy: sealing still has room

struct copy {
    const struct packet *in;
    const struct sink *sink;
    const struct timeline_packet *at; // its numbers in the outgoing stream
    bool marker;
    bool empty;         // only padding: the number is used, the payload is not for this receiver
    uint32_t dd_active; // decode targets this receiver gets (dd.h); 0: all that the sender produces

    // the stream it goes out on; with rtx_seq these are RTX's
    uint16_t stream;
    uint32_t ssrc;
    const uint16_t *rtx_seq; // NULL: the media stream
};

// The codec a receiver gets for a packet of `codec`: Opus out of RED for one that does not know RED. CODEC_COUNT: it
// cannot be sent to this sink.
enum codec copy_codec(const struct sink *sink, enum codec codec);

// A packet of one reference, ready for sink_ops.tx; NULL and *why when there is none.
struct packet *copy_write(const struct copy *copy, struct pool *pool, int64_t now_us, enum drop *why);
