// What do a codec's format parameters mean, and are two payload types the same codec?
// SPDX-License-Identifier: MIT
#pragma once

#include "rtp/sdp.h"

// Finds key in "key=value;key=value". False: it is not there. A key without "=" has the empty value. Keys compare
// without case (RFC 6838 section 4.3).
bool sdp_param(struct sdp_span fmtp, const char *key, struct sdp_span *value);

// The same for a decimal value; fallback when it is absent or not a number of 0..INT32_MAX.
int32_t sdp_param_int(struct sdp_span fmtp, const char *key, int32_t fallback);

// The payload type the RTX codec repairs (RFC 4588 section 8.1), or -1: not RTX, or without a proper apt.
int sdp_rtx_apt(const struct sdp_codec *codec);

// The RTX codec of the m-section that repairs pt, or NULL.
const struct sdp_codec *sdp_find_rtx(const struct sdp_media *media, uint8_t pt);

// RFC 6184 section 8.1, table 5 and H.264 A.2. What one decoder takes and another does not.
enum sdp_h264_profile {
    SDP_H264_UNKNOWN, // never the same as anything
    SDP_H264_CONSTRAINED_BASELINE,
    SDP_H264_BASELINE,
    SDP_H264_EXTENDED,
    SDP_H264_MAIN,
    SDP_H264_CONSTRAINED_HIGH,
    SDP_H264_HIGH,
    SDP_H264_HIGH_10,
    SDP_H264_HIGH_422,
    SDP_H264_HIGH_444,
};

struct sdp_h264 {
    enum sdp_h264_profile profile;
    uint8_t level;        // times ten: 31 is level 3.1; 9 is level 1b, which lies between 10 and 11
    uint8_t mode;         // packetization-mode 0..2
    bool level_asymmetry; // level-asymmetry-allowed=1
};

// Reads an H264 fmtp; what is absent has the default of RFC 6184 section 8.1: Baseline, level 1, mode 0.
// 0, or -EBADMSG: profile-level-id is not six hex digits or the mode is not 0..2.
int sdp_h264_parse(struct sdp_h264 *h264, struct sdp_span fmtp);
