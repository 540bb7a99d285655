// How is a VP9 frame hidden?
// SPDX-License-Identifier: MIT
//
// A browser that sends several spatial layers marks the frame of each as shown; the receiver is to show the highest.
// In a file a superframe must show one frame (VP9 bitstream specification, annex B.3), or players show them all. To
// clear show_frame in a frame's uncompressed header (section 6.2) a bit must be put in, so the header is read to its
// end. Writer thread.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_VP9_SLOTS = 8 }; // section 2, NUM_REF_FRAMES

// The sizes of the frames kept for reference. All zero at first; begins anew with each key frame.
struct record_vp9 {
    uint16_t width[RECORD_VP9_SLOTS], height[RECORD_VP9_SLOTS];
};

// Every frame of the stream in order: appends it to `to`, hidden if `hide`, as it came if its header cannot be read.
void record_vp9_append(struct record_vp9 *v, GByteArray *to, const uint8_t *frame, size_t len, bool hide);
