// Which codecs and header extensions does the house speak, and how are they written in SDP?
// SPDX-License-Identifier: MIT
#include "sfu/house.h"

#include <assert.h>

#include "rtp/sdp_codec.h"

#define FEEDBACK_AUDIO SDP_FB_TRANSPORT_CC
#define FEEDBACK_VIDEO (SDP_FB_NACK | SDP_FB_NACK_PLI | SDP_FB_CCM_FIR | SDP_FB_TRANSPORT_CC)

// No rows for PCMU and PCMA. Payload types: dynamic ones (RFC 3551 section 6) outside 64..95, which RTCP needs (RFC
// 5761 section 4); Chromium's where it has one, so that most browsers need no translation.
static const struct house_codec house[CODEC_COUNT] = {
    [CODEC_OPUS] = {CODEC_OPUS, 111, 0, FEEDBACK_AUDIO, "minptime=10;useinbandfec=1"},
    [CODEC_RED] = {CODEC_RED, 63, 0, 0, ""}, // its fmtp names Opus' payload type
    [CODEC_VP8] = {CODEC_VP8, 96, 97, FEEDBACK_VIDEO, ""},
    [CODEC_VP9] = {CODEC_VP9, 98, 99, FEEDBACK_VIDEO, "profile-id=0"},
    [CODEC_H264] = {CODEC_H264, 102, 103, FEEDBACK_VIDEO,
                    "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
    [CODEC_AV1] = {CODEC_AV1, 45, 46, FEEDBACK_VIDEO, "level-idx=5;profile=0;tier=0"},
};

const struct house_codec *house_codec(enum codec codec)
{
    assert(codec < CODEC_COUNT);
    return &house[codec];
}

const struct house_codec *house_find_pt(uint8_t pt)
{
    for (enum codec codec = 0; codec < CODEC_COUNT; codec++) {
        if (house[codec].pt && house[codec].pt == pt)
            return &house[codec];
    }
    return NULL;
}

void house_fill_sink(struct sink *sink)
{
    for (enum codec codec = 0; codec < CODEC_COUNT; codec++)
        sink->pt[codec] = house[codec].pt;
}

static bool is_profile_zero(const struct sdp_codec *line, const char *key)
{
    return sdp_param_int(line->fmtp, key, 0) == 0;
}

static bool is_house_h264(const struct sdp_codec *line)
{
    struct sdp_h264 h264;
    return sdp_h264_parse(&h264, line->fmtp) == 0 && h264.mode == 1 && h264.profile == SDP_H264_CONSTRAINED_BASELINE;
}

bool house_find(const struct sdp_codec *line, enum codec *codec)
{
    if (!codec_find(line->name.p, line->name.len, line->clock_hz, line->channels, codec))
        return false;
    switch (*codec) {
    case CODEC_PCMU: // every WebRTC endpoint has Opus (RFC 7874 section 3)
    case CODEC_PCMA:
        return false;
    case CODEC_H264:
        return is_house_h264(line);
    case CODEC_VP9:
        return is_profile_zero(line, "profile-id");
    case CODEC_AV1:
        return is_profile_zero(line, "profile");
    default:
        return true;
    }
}

uint32_t house_exts(enum codec codec, bool simulcast)
{
    uint32_t exts = 1u << EXT_MID | 1u << EXT_TWCC;
    if (!codec_is_video(codec))
        return exts | 1u << EXT_AUDIO_LEVEL;
    exts |= 1u << EXT_PLAYOUT_DELAY;
    if (simulcast)
        exts |= 1u << EXT_RID | 1u << EXT_RRID;
    if (codec == CODEC_AV1)
        exts |= 1u << EXT_DEPENDENCY_DESCRIPTOR;
    return exts;
}
