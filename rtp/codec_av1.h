// Which OBUs are in this AV1 packet?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/bytes.h"

// AV1 6.2.2
enum av1_obu {
    AV1_OBU_SEQUENCE_HEADER = 1,
    AV1_OBU_TEMPORAL_DELIMITER = 2,
    AV1_OBU_FRAME_HEADER = 3,
    AV1_OBU_TILE_GROUP = 4,
    AV1_OBU_METADATA = 5,
    AV1_OBU_FRAME = 6,
    AV1_OBU_REDUNDANT_FRAME_HEADER = 7,
    AV1_OBU_TILE_LIST = 8,
    AV1_OBU_PADDING = 15,
};

// The aggregation header ("RTP Payload Format For AV1" section 4.4) and what the OBU elements begin with.
struct av1_payload {
    bool continues;         // Z: the first element continues an OBU of the packet before
    bool continued;         // Y: the last element goes on in the packet after
    bool new_sequence;      // N: a coded video sequence begins
    bool has_sequence;      // a sequence header OBU begins here
    bool has_frame;         // a frame or frame header OBU begins here
    bool has_layers;        // an OBU extension header told spatial and temporal
    uint8_t spatial;        // 0..3
    uint8_t temporal;       // 0..7
    uint8_t top_spatial;    // the highest spatial layer that the sequence header names; 0: one layer only
    uint16_t width, height; // of that layer; 0: no sequence header, or it is not whole
};

// 0, or -EBADMSG: a length leads out of the packet, an element is empty, or the counts disagree.
int av1_parse(struct av1_payload *av1, const uint8_t *payload, size_t len);

// A number in leb128 (AV1 4.10.5) of at most 32 bits; what is longer makes the reader not ok.
uint32_t av1_leb128(struct reader *r);
