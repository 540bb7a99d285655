// How do packets in order become frames for a file?
// SPDX-License-Identifier: MIT
//
// Nothing is decoded. A video frame is the picture of one timestamp with all its spatial layers; a sound frame is one
// Opus packet, taken out of RED where it comes so (and what RED repeats fills in for packets that were lost). After a
// loss, video frames are held back until the next key frame, so that what is in the file can always be decoded.
// Writer thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "rtp/rtp.h"

struct record_frame {
    const uint8_t *data; // borrowed
    size_t len;
    uint32_t ts;
    uint32_t duration_ts;   // of sound; 0: not known
    bool keyframe;          // of sound: always
    uint16_t width, height; // of the last key frame; 0: it did not say

    const uint8_t *config; // what goes into the file's head (record_picture.h); borrowed
    size_t config_len;
};

struct record_depay;

typedef void record_frame_h(void *arg, const struct record_frame *frame);

// CODEC_OPUS (takes CODEC_RED too), or a video codec.
struct record_depay *record_depay_new(enum codec codec, record_frame_h *handler, void *arg);
void record_depay_free(struct record_depay *d);
bool record_depay_can(enum codec codec);

// The next packet. `lost`: packets are missing before it. `codec`: as its payload type says.
void record_depay_rx(struct record_depay *d, enum codec codec, const struct rtp *rtp, const uint8_t *packet,
                     bool lost);

// The stream or its file begins anew: hold frames back until a key frame.
void record_depay_restart(struct record_depay *d);

// Is a key frame being waited for? The publisher should be asked.
bool record_depay_wants_keyframe(const struct record_depay *d);

uint64_t record_depay_dropped(const struct record_depay *d); // frames held back or spoilt so far
