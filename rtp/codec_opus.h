// How much sound is in this Opus packet, and which part of a RED packet is the packet itself?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OPUS_CLOCK_HZ = 48000,       // RFC 7587 section 4.1, whatever the audio bandwidth
    OPUS_FRAMES_MAX = 48,        // RFC 6716 section 3.2.5: at most 120 ms of 2.5 ms frames
    OPUS_DURATION_MAX_TS = 5760, // RFC 6716 section 3.2.5: 120 ms
    OPUS_DTX_LEN_MAX = 2,        // ours: bytes that hold a table of contents and no sound
    RED_BLOCKS_MAX = 16,         // ours: blocks of one packet; more is malformed
};

// RFC 6716 section 3.1, table 2
enum opus_mode { OPUS_SILK, OPUS_HYBRID, OPUS_CELT };

struct opus_packet {
    enum opus_mode mode;
    bool stereo;
    bool dtx;             // nothing to hear: the packet holds no frame data to speak of
    uint8_t frame_count;  // 1..48
    uint16_t frame_ts;    // length of one frame in 1/48000 s
    uint16_t duration_ts; // of the whole packet
};

// Reads the TOC byte and the frame count (RFC 6716 section 3). 0 or -EBADMSG.
int opus_parse(struct opus_packet *packet, const uint8_t *payload, size_t len);

// One block of a RED packet (RFC 2198 section 3).
struct red_block {
    uint8_t pt;
    uint16_t timestamp_offset; // how much older than the packet; 0 for the primary
    uint16_t offset, len;      // where in the payload
};

// Reads all blocks, redundant ones first, the primary last. Returns their count (>= 1) or -EBADMSG.
int red_parse(struct red_block block[static RED_BLOCKS_MAX], const uint8_t *payload, size_t len);

// The primary block alone: what a receiver without RED gets. 0 or -EBADMSG.
int red_primary(struct red_block *primary, const uint8_t *payload, size_t len);
