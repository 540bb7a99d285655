// How do H.264 payloads become a picture in a file? (RFC 6184)
// SPDX-License-Identifier: MIT
#include "sfu/record_depay_h264.h"

#include <errno.h>

#include "rtp/bytes.h"
#include "rtp/codec_h264.h"

enum {
    MASK_TYPE = 0x1f, // RFC 6184 section 1.3: NAL unit header
    MASK_REFERENCE = 0xe0,
    BIT_FU_START = 0x80, // section 5.8
    BIT_FU_END = 0x40,
    FIRST_MB_IN_SLICE_0 = 0x80, // H.264 7.3.3: the slice header begins with ue(v) 0, a single 1 bit
};

static const uint8_t start_code[] = {0, 0, 0, 1}; // H.264 annex B

static void append_unit(GByteArray *to, const uint8_t *nal, size_t len)
{
    g_byte_array_append(to, start_code, sizeof(start_code));
    g_byte_array_append(to, nal, (guint)len);
}

// The sets of the newest sequence parameter set and those that follow it.
static void note_parameters(struct record_picture *picture, const uint8_t *nal, size_t len)
{
    uint16_t width, height;
    if ((nal[0] & MASK_TYPE) == H264_NAL_SPS) {
        g_byte_array_set_size(picture->config, 0);
        if (h264_sps_parse(nal, len, &width, &height) == 0) {
            picture->width = width;
            picture->height = height;
        }
    }
    if (picture->config->len + len + sizeof(start_code) <= RECORD_CONFIG_MAX)
        append_unit(picture->config, nal, len);
}

static int add_unit(struct record_picture *picture, const uint8_t *nal, size_t len)
{
    unsigned type = len ? nal[0] & MASK_TYPE : 0;
    if (!type || type >= H264_NAL_STAP_A || picture->unit_open)
        return -EBADMSG;
    if (type == H264_NAL_AUD) // Matroska and MP4 know where pictures begin
        return 0;
    if (type == H264_NAL_SPS || type == H264_NAL_PPS)
        note_parameters(picture, nal, len);
    bool first = len > 1 && nal[1] & FIRST_MB_IN_SLICE_0; // else the picture's beginning was lost
    picture->keyframe |= type == H264_NAL_IDR && first && picture->config->len;
    append_unit(picture->data, nal, len);
    return 0;
}

static int add_aggregate(struct record_picture *picture, struct reader *r)
{
    while (reader_left(r)) {
        uint16_t len = reader_u16(r);
        const uint8_t *nal = reader_bytes(r, len);
        if (!nal || add_unit(picture, nal, len) < 0)
            return -EBADMSG;
    }
    return 0;
}

static int add_fragment(struct record_picture *picture, struct reader *r, uint8_t indicator)
{
    uint8_t fu = reader_u8(r);
    if (!reader_left(r) || picture->unit_open != !(fu & BIT_FU_START))
        return -EBADMSG;
    if (fu & BIT_FU_START) {
        uint8_t head[] = {(uint8_t)((indicator & MASK_REFERENCE) | (fu & MASK_TYPE)), reader_u8(r)};
        if (add_unit(picture, head, sizeof(head)) < 0)
            return -EBADMSG;
    }
    picture->unit_open = !(fu & BIT_FU_END);
    record_picture_append(picture, r->p, reader_left(r));
    return 0;
}

static int add(struct record_picture *picture, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t head = reader_u8(&r);
    switch (head & MASK_TYPE) {
    case H264_NAL_STAP_A:
        return add_aggregate(picture, &r);
    case H264_NAL_FU_A:
        return add_fragment(picture, &r, head);
    default:
        return add_unit(picture, payload, len);
    }
}

static int end(struct record_picture *picture)
{
    return picture->data->len && !picture->unit_open ? 0 : -EBADMSG;
}

const struct record_depay_ops record_depay_h264 = {add, end};
