// Which NAL units are in this H.264 packet?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// RFC 6184 section 5.2, table 1; H.264 table 7-1
enum h264_nal {
    H264_NAL_SLICE = 1,
    H264_NAL_IDR = 5,
    H264_NAL_SEI = 6,
    H264_NAL_SPS = 7,
    H264_NAL_PPS = 8,
    H264_NAL_AUD = 9,
    H264_NAL_STAP_A = 24,
    H264_NAL_STAP_B = 25,
    H264_NAL_FU_A = 28,
    H264_NAL_FU_B = 29,
};

struct h264_payload {
    bool has_sps, has_idr;  // such a unit begins in this packet
    bool start_of_frame;    // something that begins an access unit begins here: AUD, SPS, PPS, SEI or a first slice.
                            // A frame in several packets may have more than one such packet.
    bool reference;         // nal_ref_idc of some unit is not 0
    uint16_t width, height; // of an SPS in this packet, after cropping; 0: none, or not readable
};

// Single NAL unit packets, STAP-A and FU-A (packetization-mode 0 and 1), STAP-B and FU-B alike. 0, or -EBADMSG: cut
// short, an empty unit, or a type that WebRTC does not use (MTAP, reserved).
int h264_parse(struct h264_payload *h264, const uint8_t *payload, size_t len);

// The picture size of a sequence parameter set, NAL header included (H.264 7.3.2.1.1). 0 or -EBADMSG.
int h264_sps_parse(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height);
