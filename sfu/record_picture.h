// What has been collected of one picture, out of packets, for a file?
// SPDX-License-Identifier: MIT
//
// Filled packet by packet by the part of its codec (record_depay_vp8.h and so on), emptied by record_depay.c. Writer
// thread.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/record_vp9.h"

enum {
    RECORD_PICTURE_MAX = 8 << 20, // octets; a larger picture is given up
    RECORD_CONFIG_MAX = 4096,     // octets of parameter sets or of a sequence header
    RECORD_PARTS_MAX = 8,         // VP9: frames of one picture
};

struct record_picture {
    GByteArray *data;       // as the file wants it
    bool keyframe;          // a player may start here
    bool may_end;           // VP9, AV1: it may be whole though no marker said so (the upper layers were not sent)
    uint16_t width, height; // as far as it told; 0: it did not

    // What a player must know before the first picture; stays from picture to picture until it is told anew.
    GByteArray *config; // H.264: parameter sets behind start codes; AV1: the sequence header OBU; else empty

    // in between packets
    GByteArray *unit;                 // AV1: the OBU that goes on in the next packet
    bool unit_open;                   // H.264, AV1: a unit goes on in the next packet
    unsigned part_count;              // VP9
    size_t part_at[RECORD_PARTS_MAX]; // VP9: where in data its frames begin
    struct record_vp9 vp9;            // stays from picture to picture
};

struct record_depay_ops {
    // One payload (not empty) in order. -EBADMSG: malformed, or the picture does not begin with it but should.
    int (*add)(struct record_picture *picture, const uint8_t *payload, size_t len);
    // That was the last. -EBADMSG: something is missing.
    int (*end)(struct record_picture *picture);
};

static inline void record_picture_append(struct record_picture *picture, const uint8_t *data, size_t len)
{
    g_byte_array_append(picture->data, data, (guint)len);
}
