// What does the payload descriptor of a VP8 packet say?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// RFC 7741 section 4.2. Offsets are into the payload.
//
//      0 1 2 3 4 5 6 7
//     |X|R|N|S|R| PID |  (required)
//  X: |I|L|T|K| RSV   |
//  I: |M| PictureID   |  M: a second byte follows, fifteen bits in all
//  L: |   TL0PICIDX   |
// TK: |TID|Y| KEYIDX  |
struct vp8_descriptor {
    bool non_reference;      // N: may be dropped without harm to any other frame
    bool start;              // S: a partition begins
    uint8_t partition;       // PID
    uint8_t picture_id_bits; // 0: none, else 7 or 15
    uint16_t picture_id;
    uint8_t picture_id_at;
    bool has_tl0picidx;
    uint8_t tl0picidx;
    uint8_t tl0picidx_at;
    bool has_tid;
    uint8_t tid;     // temporal layer 0..3; 0 when absent
    bool layer_sync; // Y: refers to layer 0 only
    bool has_keyidx;
    uint8_t keyidx;
    uint8_t size;           // bytes of the descriptor
    bool start_of_frame;    // S and PID 0
    bool keyframe;          // start of a key frame (RFC 6386 section 9.1)
    uint16_t width, height; // of a key frame whose header is whole and starts with its start code, else 0
};

// 0, or -EBADMSG: the descriptor is cut short or nothing follows it.
int vp8_parse(struct vp8_descriptor *d, const uint8_t *payload, size_t len);
