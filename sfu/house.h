// Which codecs and header extensions does the house speak, and how are they written in SDP?
// SPDX-License-Identifier: MIT
//
// To add a codec: its inspector in rtp/, a row here. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "rtp/ext.h"
#include "rtp/sdp.h"
#include "sfu/sink.h"

struct house_codec {
    enum codec codec;
    uint8_t pt, rtx_pt; // our own numbers, used where the browser has not chosen others; rtx_pt 0: no RTX
    uint8_t feedback;   // SDP_FB_ bits
    const char *fmtp;   // as we offer it; "" none
};

// The row of a codec; never NULL.
const struct house_codec *house_codec(enum codec codec);

// The row with this payload type of ours, or NULL.
const struct house_codec *house_find_pt(uint8_t pt);

// Numbers a sink that is no browser: everything the house speaks, in its own payload types; no header extensions, and
// nothing is sent again. The counterpart of negotiate_fill_sink().
void house_fill_sink(struct sink *sink);

// The codec of a line of somebody's SDP, if it is one that everybody in the house can receive: H264 is
// constrained baseline in packetization mode 1 (RFC 6184), VP9 and AV1 are profile 0.
bool house_find(const struct sdp_codec *line, enum codec *codec);

// The header extensions we take part in on an m-line of this codec: a bit per enum ext_house.
uint32_t house_exts(enum codec codec, bool simulcast);
