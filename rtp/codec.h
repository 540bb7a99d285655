// What does a forwarder need to know about this packet's payload, whatever its codec?
// SPDX-License-Identifier: MIT
//
// codec_inspect() runs once per received packet; the answer is kept with the packet and read once per subscriber, so
// the questions asked there are single ANDs:
//
//     wanted:    info.layers & codec_layer_bit(spatial, temporal)
//     marker:    codec_marker(&info, marker, spatial)
//     join:      info.keyframe
//     more fps:  temporal = codec_switch_up(&info, temporal, wanted)
//
// A received packet is never changed: codec_rewrite() works on the subscriber's copy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/dd.h"

enum codec {
    CODEC_OPUS,
    CODEC_RED, // RFC 2198 around Opus
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_VP8,
    CODEC_VP9,
    CODEC_H264,
    CODEC_AV1,
    CODEC_COUNT,
};

struct codec_info {
    bool keyframe;       // a decoder that has nothing may start with this packet (spatial layer 0 of a key picture)
    bool start_of_frame; // first packet of a frame of one spatial layer (H.264: see codec_h264.h)
    bool end_of_frame;   // last packet of a frame of one spatial layer
    bool discardable;    // no later frame refers to this one
    bool silence;        // audio: nothing to hear (Opus DTX)
    uint8_t spatial, temporal; // 0..7; 0 when the packet does not tell
    uint8_t switch_up;         // bit t: who receives temporal layers below t may take layer t too from this frame on
    uint64_t layers;           // who needs this packet, see codec_layer_bit()

    bool has_picture_id, has_tl0picidx, has_frame_number;
    uint8_t picture_id_bits; // 7 or 15
    uint8_t tl0picidx;
    uint16_t picture_id;   // VP8, VP9
    uint16_t frame_number; // dependency descriptor, 16 bits

    uint16_t width, height; // of this spatial layer, as far as it was told by now, else 0
    uint16_t duration_ts;   // audio: length in clock ticks; 0: not known

    // Where in the payload, for codec_rewrite(); where in the descriptor, for dd_rewrite().
    uint8_t picture_id_at, tl0picidx_at;
    uint8_t dd_target_count;
    uint16_t dd_active_at;
};

// What the packets of one SSRC and of its RTX taught so far. All zero at first.
struct codec_state {
    struct dd_state dd;
    uint16_t width[DD_SPATIAL_MAX], height[DD_SPATIAL_MAX]; // by spatial layer
    uint8_t av1_spatial, av1_temporal; // of the last OBU extension, for the fragments that follow it
};

// The bit in codec_info.layers of a receiver that wants at most this spatial and temporal layer (each 0..7; 7: the
// highest there is).
static inline uint64_t codec_layer_bit(unsigned spatial, unsigned temporal)
{
    return dd_layer_bit(spatial, temporal);
}

// The RTP marker for a receiver of spatial layers up to `spatial`: who drops the upper layers ends the picture with
// the last packet of the highest layer that is kept.
static inline bool codec_marker(const struct codec_info *info, bool marker, unsigned spatial)
{
    return marker || (info->end_of_frame && info->spatial == spatial);
}

// The highest temporal layer, at most `want`, that a receiver of spatial layers up to this packet's and temporal
// layers up to `current` may have from this packet on. Down is allowed at any frame.
static inline unsigned codec_switch_up(const struct codec_info *info, unsigned current, unsigned want)
{
    while (info->start_of_frame && current < want && info->switch_up >> (current + 1) & 1)
        current++;
    return current < want ? current : want;
}

// Looks at one payload (not empty: packets of only padding are the caller's to skip). `marker` is the RTP header's;
// `dd` the dependency descriptor's bytes, or NULL. Returns 0, or -EBADMSG: the payload is malformed and no usable
// descriptor describes it (an encrypted payload is fine with one). Then *info is all zero.
int codec_inspect(enum codec codec, struct codec_state *state, const uint8_t *payload, size_t len, bool marker,
                  const uint8_t *dd, size_t dd_len, struct codec_info *info);

// Puts another picture id and TL0PICIDX into a copy of the payload, where it has them; the length stays, a 7 bit id
// takes the lowest 7 bits. `info` is the packet's, so nothing is parsed again.
void codec_rewrite(const struct codec_info *info, uint8_t *payload, uint16_t picture_id, uint8_t tl0picidx);

// As in SDP (a=rtpmap): "opus", 48000, 2.
const char *codec_name(enum codec codec);
unsigned codec_clock_hz(enum codec codec);
unsigned codec_channels(enum codec codec); // 0 for video
bool codec_is_video(enum codec codec);

// Finds the codec of an rtpmap; names compare without case (RFC 8866 section 6.6). channels 0: not stated, then 1.
bool codec_find(const char *name, size_t name_len, unsigned clock_hz, unsigned channels, enum codec *codec);
