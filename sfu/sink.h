// Where do a sub's packets go?
// SPDX-License-Identifier: MIT
//
// The seam behind forwarding: a browser (transport.c), a recorder, a test's capture. Worker thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sfu/packet.h"

struct sink;

struct sink_ops {
    // A handle for an outgoing SSRC, and its end. Handles are small numbers; SINK_NO_STREAM when the sink is full.
    uint16_t (*stream_open)(struct sink *sink, uint32_t ssrc);
    void (*stream_close)(struct sink *sink, uint16_t stream);

    // Takes ownership of a plain RTP packet whose stream, twcc_offset and video are set. Never fails: a sink that
    // cannot take it counts and drops it.
    void (*tx)(struct sink *sink, struct packet *out);

    // Several packets have been given and more may not come soon. NULL: the sink does not care.
    void (*flush)(struct sink *sink);
};

enum { SINK_NO_STREAM = 0xffff };

// Embedded in each implementation. `ready` is false while there is nobody to receive (keys not agreed yet).
struct sink {
    const struct sink_ops *ops;
    bool ready;

    // How this sink wants house codecs and extensions numbered (negotiated); 0: not negotiated, leave out.
    uint8_t pt[CODEC_COUNT];     // payload type by codec
    uint8_t rtx_pt[CODEC_COUNT]; // payload type of its RTX; 0: nothing is sent again
    uint8_t ext_id[EXT_HOUSE_COUNT];
};
