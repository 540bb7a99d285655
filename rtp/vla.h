// Which layers does a sender encode now, how large are they and how many bits do they take?
// SPDX-License-Identifier: MIT
//
// The header extension "video-layers-allocation00" (webrtc.org, docs/native-code/rtp-hdrext). Browsers add it to a
// packet now and then when the stream has layers.
//
//     |RID| NS| sl_bm |  the RTP stream it came on, streams - 1, active spatial layers (0: each stream has its own)
//     |sl0_bm |sl1_bm |  when sl_bm is 0: four bits per stream
//     |#tl|#tl|#tl|#tl|  temporal layers - 1 of each active spatial layer
//     : kbit/s, leb128:  of each temporal layer
//     : size, rate    :  optional: width - 1 (16), height - 1 (16), frames per second (8) of each spatial layer
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    VLA_STREAMS_MAX = 4,
    VLA_SPATIAL_MAX = 4,
    VLA_TEMPORAL_MAX = 4,
    VLA_LAYERS_MAX = VLA_STREAMS_MAX * VLA_SPATIAL_MAX,
};

struct vla_layer {
    uint8_t stream, spatial;
    uint8_t temporal_count;                 // 1..4
    uint32_t bitrate_bps[VLA_TEMPORAL_MAX]; // to receive up to that temporal layer, and the spatial layers below
    uint16_t width, height;                 // 0: not told
    uint8_t fps;                            // 0: not told
};

struct vla {
    uint8_t stream;       // index of the RTP stream that brought it
    uint8_t stream_count; // 1..4
    uint8_t layer_count;  // active layers, ordered by stream and spatial layer; 0: the sender is silent
    struct vla_layer layer[VLA_LAYERS_MAX];
};

// 0 or -EBADMSG.
int vla_parse(struct vla *vla, const uint8_t *data, size_t len);
