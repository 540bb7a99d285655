// What do a codec's format parameters mean, and are two payload types the same codec?
// SPDX-License-Identifier: MIT
#include "rtp/sdp_codec.h"

#include <errno.h>

bool sdp_param(struct sdp_span fmtp, const char *key, struct sdp_span *value)
{
    while (fmtp.len) {
        struct sdp_span param = sdp_span_cut(&fmtp, ';');
        struct sdp_span name = sdp_span_trim(sdp_span_cut(&param, '='));
        if (!sdp_span_is_nocase(name, key))
            continue;
        *value = sdp_span_trim(param);
        return true;
    }
    return false;
}

int32_t sdp_param_int(struct sdp_span fmtp, const char *key, int32_t fallback)
{
    struct sdp_span text;
    uint64_t value;
    if (!sdp_param(fmtp, key, &text) || !sdp_span_number(text, INT32_MAX, &value))
        return fallback;
    return (int32_t)value;
}

int sdp_rtx_apt(const struct sdp_codec *codec)
{
    if (!sdp_span_is_nocase(codec->name, "rtx"))
        return -1;
    int32_t apt = sdp_param_int(codec->fmtp, "apt", -1);
    return apt <= 127 ? apt : -1;
}

const struct sdp_codec *sdp_find_rtx(const struct sdp_media *media, uint8_t pt)
{
    for (size_t i = 0; i < media->codec_count; i++)
        if (sdp_rtx_apt(&media->codecs[i]) == pt)
            return &media->codecs[i];
    return NULL;
}

// RFC 6184 section 8.1, table 5: profile_idc and the bits of profile-iop that tell its profiles apart. The first
// row that fits counts, so the narrower stand first.
static const struct h264_profile {
    uint8_t idc, iop_mask, iop;
    enum sdp_h264_profile profile;
} h264_profiles[] = {
    {0x42, 0x4f, 0x40, SDP_H264_CONSTRAINED_BASELINE},
    {0x4d, 0x8f, 0x80, SDP_H264_CONSTRAINED_BASELINE},
    {0x58, 0xcf, 0xc0, SDP_H264_CONSTRAINED_BASELINE},
    {0x42, 0x4f, 0x00, SDP_H264_BASELINE},
    {0x58, 0xcf, 0x80, SDP_H264_BASELINE},
    {0x58, 0xcf, 0x00, SDP_H264_EXTENDED},
    {0x4d, 0xaf, 0x00, SDP_H264_MAIN},
    {0x64, 0xff, 0x0c, SDP_H264_CONSTRAINED_HIGH},
    {0x64, 0xff, 0x00, SDP_H264_HIGH},
    {0x6e, 0xff, 0x00, SDP_H264_HIGH_10},
    {0x7a, 0xff, 0x00, SDP_H264_HIGH_422},
    {0xf4, 0xff, 0x00, SDP_H264_HIGH_444},
};

enum { IOP_SET3 = 0x10, LEVEL_1B = 9 }; // constraint_set3_flag: with level_idc 11 it means level 1b

// Profiles that say "level 1b" by constraint_set3_flag; the others by level_idc 9 (H.264 section A.3.2).
static bool has_1b_flag(uint8_t idc)
{
    return idc == 0x42 || idc == 0x4d || idc == 0x58;
}

static enum sdp_h264_profile find_profile(uint8_t idc, uint8_t iop)
{
    for (size_t i = 0; i < sizeof(h264_profiles) / sizeof(h264_profiles[0]); i++)
        if (h264_profiles[i].idc == idc && (iop & h264_profiles[i].iop_mask) == h264_profiles[i].iop)
            return h264_profiles[i].profile;
    return SDP_H264_UNKNOWN;
}

static bool parse_profile_level_id(struct sdp_h264 *h264, struct sdp_span text)
{
    uint32_t id = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        int digit = sdp_span_hex(text.p[i]);
        if (digit < 0 || text.len != 6)
            return false;
        id = id << 4 | (uint32_t)digit;
    }
    uint8_t idc = (uint8_t)(id >> 16), iop = (uint8_t)(id >> 8), level = (uint8_t)id;
    h264->profile = find_profile(idc, iop);
    h264->level = level == 11 && has_1b_flag(idc) && (iop & IOP_SET3) ? LEVEL_1B : level;
    return text.len == 6;
}

int sdp_h264_parse(struct sdp_h264 *h264, struct sdp_span fmtp)
{
    struct sdp_span id, mode_text;
    uint64_t mode = 0;
    *h264 = (struct sdp_h264){.profile = SDP_H264_BASELINE, .level = 10};
    if (sdp_param(fmtp, "profile-level-id", &id) && !parse_profile_level_id(h264, id))
        return -EBADMSG;
    if (sdp_param(fmtp, "packetization-mode", &mode_text) && !sdp_span_number(mode_text, 2, &mode))
        return -EBADMSG;
    h264->mode = (uint8_t)mode;
    h264->level_asymmetry = sdp_param_int(fmtp, "level-asymmetry-allowed", 0) == 1;
    return 0;
}
