// What does every participant of a swarm send and answer?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/bytes.h"
#include "sfu/cipher.h"

struct traffic {
    const char *address;         // the participants' own IPv4 address
    enum cipher_profile profile; // the only SRTP profile they agree to
    double fps;                  // video frames a second
    unsigned frame_bytes;        // RTP packets of one frame, headers included, tags not
    unsigned packet_bytes;       // none is longer; those of a frame differ by one byte at most
    double vary;                 // frames are this share larger or smaller, at random
    unsigned key_factor;         // a key frame is that many times larger
    double audio_pps;            // Opus packets a second
    unsigned audio_bytes;
    bool twcc;       // transport-wide feedback, where it is agreed
    unsigned sample; // one received packet in so many is opened, its time of travel measured
};

// Every payload carries the moment it left, on the wall clock in ns.
enum {
    STAMP_MAGIC = 0x524f4441,
    STAMP_AT = 16, // bytes into the payload, behind what a server may rewrite
    STAMP_LEN = 12,
};

static inline void stamp_write(uint8_t *payload, int64_t now_ns)
{
    wr32(payload + STAMP_AT, STAMP_MAGIC);
    wr32(payload + STAMP_AT + 4, (uint32_t)((uint64_t)now_ns >> 32));
    wr32(payload + STAMP_AT + 8, (uint32_t)now_ns);
}

// 0: there is no stamp.
static inline int64_t stamp_read(const uint8_t *payload, unsigned len)
{
    if (len < STAMP_AT + STAMP_LEN || rd32(payload + STAMP_AT) != STAMP_MAGIC)
        return 0;
    return (int64_t)((uint64_t)rd32(payload + STAMP_AT + 4) << 32 | rd32(payload + STAMP_AT + 8));
}
