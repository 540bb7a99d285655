// What does the payload descriptor of a VP9 packet say?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VP9_SPATIAL_MAX = 8,    // RFC 9628 section 4.2.1: N_S has three bits
    VP9_REFERENCES_MAX = 3, // RFC 9628 section 4.2: P_DIFF appears up to three times
};

// RFC 9628 section 4.2. Offsets are into the payload.
//
//       0 1 2 3 4 5 6 7
//      |I|P|L|F|B|E|V|Z|  (required)
//   I: |M| PICTURE ID  |  M: a second byte follows, fifteen bits in all
//   L: | TID |U| SID |D|
//      |   TL0PICIDX   |  L and not F
// P,F: | P_DIFF      |N|  N: another follows
//   V: | scalability structure
struct vp9_descriptor {
    uint8_t picture_id_bits; // 0: none, else 7 or 15
    uint16_t picture_id;
    uint8_t picture_id_at;
    bool inter_picture;  // P: refers to earlier pictures
    bool flexible;       // F
    bool start_of_frame; // B: of this spatial layer
    bool end_of_frame;   // E: of this spatial layer
    bool has_structure;  // V
    bool not_above;      // Z: no higher spatial layer of this picture refers to this frame
    bool has_layers;     // L
    uint8_t tid, sid;    // 0..7
    bool switch_up;   // U: this layer may be taken up here. (RFC 9628 says: the layers above it. Browsers set it as
                      // VP8's Y, where a frame refers to lower layers only.)
    bool inter_layer; // D: refers to the spatial layer below
    bool has_tl0picidx;
    uint8_t tl0picidx;
    uint8_t tl0picidx_at;
    uint8_t reference_count;
    uint8_t reference[VP9_REFERENCES_MAX]; // how many pictures back (flexible mode only)
    uint8_t spatial_count;                 // of the structure: 1..8; 0 without one
    uint16_t structure_width[VP9_SPATIAL_MAX], structure_height[VP9_SPATIAL_MAX]; // 0: not told
    uint16_t size;                                                                // bytes of the descriptor
    uint16_t width, height; // in a key frame's own header where that begins here and can be read, else 0
};

// 0, or -EBADMSG: the descriptor is cut short, contradicts itself, or nothing follows it.
int vp9_parse(struct vp9_descriptor *d, const uint8_t *payload, size_t len);
