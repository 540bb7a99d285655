// Which NAL units are in this H.264 packet?
// SPDX-License-Identifier: MIT
#include "rtp/codec_h264.h"

#include <errno.h>

#include "rtp/bits.h"
#include "rtp/bytes.h"

// RFC 6184 section 5.3 (NAL header) and 5.8 (FU header)
enum {
    MASK_NRI = 0x60,
    MASK_TYPE = 0x1f,
    BIT_FU_START = 0x80,
    DON_LEN = 2,
    NAL_SINGLE_MAX = 23,
};

enum {
    SPS_MAX = 512,              // ours: bytes looked at, all of the lists of a High profile set and what comes before
    SPS_SIDE_MAX = 4096,        // ours: macroblocks; the widest level allows 1055 (H.264 A.3.1)
    SPS_POC_CYCLE_MAX = 255,    // H.264 7.4.2.1.1: num_ref_frames_in_pic_order_cnt_cycle
    FIRST_MB_IN_SLICE_0 = 0x80, // ue(v) of 0 is a single 1 bit (H.264 7.3.3)
};

// Copies without the emulation prevention bytes (H.264 7.4.1). Returns the length.
static size_t unescape(uint8_t out[static SPS_MAX], const uint8_t *nal, size_t len)
{
    size_t n = 0;
    unsigned zeros = 0;

    for (size_t i = 0; i < len && n < SPS_MAX; i++) {
        bool escape = zeros >= 2 && nal[i] == 3;
        zeros = nal[i] ? 0 : zeros + 1;
        if (!escape)
            out[n++] = nal[i];
    }
    return n;
}

// H.264 7.3.2.1.1.1
static void skip_scaling_list(struct bit_reader *r, unsigned size)
{
    unsigned last = 8, next = 8;

    for (unsigned i = 0; i < size && next && r->ok; i++) {
        next = (last + (unsigned)bit_read_se(r)) % 256;
        last = next ? next : last;
    }
}

// The part that only the High profiles have (H.264 7.3.2.1.1). Returns ChromaArrayType; r tells whether it was read.
static unsigned read_high_profile(struct bit_reader *r)
{
    uint32_t chroma = bit_read_ue(r);
    bool separate = chroma == 3 && bit_read_flag(r);

    bit_read_ue(r); // bit_depth_luma_minus8
    bit_read_ue(r); // bit_depth_chroma_minus8
    bit_skip(r, 1); // qpprime_y_zero_transform_bypass_flag
    bool has_lists = bit_read_flag(r);
    for (unsigned i = 0; has_lists && i < (chroma == 3 ? 12 : 8); i++)
        if (bit_read_flag(r))
            skip_scaling_list(r, i < 6 ? 16 : 64);
    if (chroma > 3)
        r->ok = false;
    return separate ? 0 : chroma;
}

static bool is_high_profile(unsigned profile)
{
    static const uint8_t high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};

    for (size_t i = 0; i < sizeof(high); i++)
        if (high[i] == profile)
            return true;
    return false;
}

static void skip_picture_order(struct bit_reader *r)
{
    uint32_t type = bit_read_ue(r);

    if (type == 0)
        bit_read_ue(r); // log2_max_pic_order_cnt_lsb_minus4
    if (type != 1)
        return;
    bit_skip(r, 1);
    bit_read_se(r);
    bit_read_se(r);
    uint32_t cycle = bit_read_ue(r);
    if (cycle > SPS_POC_CYCLE_MAX)
        r->ok = false;
    while (r->ok && cycle--)
        bit_read_se(r);
}

// What a set says about the picture's size.
struct geometry {
    unsigned chroma;        // ChromaArrayType
    uint32_t columns, rows; // of macroblocks, less one
    unsigned fields;        // 2: a row is two rows of a frame whose fields may be coded apart, else 1
    uint32_t crop[4];       // left, right, top, bottom
};

static struct geometry read_geometry(struct bit_reader *r)
{
    struct geometry g = {.chroma = 1};

    bit_skip(r, 8); // NAL header
    unsigned profile = bit_read(r, 8);
    bit_skip(r, 16); // constraint flags, level_idc
    bit_read_ue(r);  // seq_parameter_set_id
    if (is_high_profile(profile))
        g.chroma = read_high_profile(r);
    bit_read_ue(r); // log2_max_frame_num_minus4
    skip_picture_order(r);
    bit_read_ue(r); // max_num_ref_frames
    bit_skip(r, 1); // gaps_in_frame_num_value_allowed_flag
    g.columns = bit_read_ue(r);
    g.rows = bit_read_ue(r);
    g.fields = bit_read_flag(r) ? 1 : 2;
    bit_skip(r, g.fields); // mb_adaptive_frame_field_flag, if fields; direct_8x8_inference_flag
    if (bit_read_flag(r))
        for (unsigned i = 0; i < 4; i++)
            g.crop[i] = bit_read_ue(r);
    return g;
}

int h264_sps_parse(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height)
{
    uint8_t rbsp[SPS_MAX];
    struct bit_reader r;

    bit_reader_init(&r, rbsp, unescape(rbsp, nal, len));
    struct geometry g = read_geometry(&r);
    if (!r.ok || g.columns >= SPS_SIDE_MAX || g.rows >= SPS_SIDE_MAX / 2)
        return -EBADMSG;

    // H.264 7.4.2.1.1, frame_cropping: in units of chroma samples
    uint64_t unit_x = g.chroma == 1 || g.chroma == 2 ? 2 : 1;
    uint64_t unit_y = g.chroma == 1 ? 2 * g.fields : g.fields;
    uint64_t full_x = UINT64_C(16) * (g.columns + 1), full_y = UINT64_C(16) * (g.rows + 1) * g.fields;
    uint64_t cut_x = unit_x * ((uint64_t)g.crop[0] + g.crop[1]), cut_y = unit_y * ((uint64_t)g.crop[2] + g.crop[3]);
    if (cut_x >= full_x || cut_y >= full_y || full_x > UINT16_MAX || full_y > UINT16_MAX)
        return -EBADMSG;
    *width = (uint16_t)(full_x - cut_x);
    *height = (uint16_t)(full_y - cut_y);
    return 0;
}

// Notes the beginning of a unit of `type`; `body` is what follows its header.
static void note_unit(struct h264_payload *h264, unsigned type, const uint8_t *body, size_t body_len)
{
    bool first = body_len && body[0] & FIRST_MB_IN_SLICE_0;

    switch (type) {
    case H264_NAL_SLICE:
        h264->start_of_frame |= first;
        break;
    case H264_NAL_IDR:
        h264->has_idr = true;
        h264->start_of_frame |= first;
        break;
    case H264_NAL_SPS:
        h264->has_sps = true;
        h264->start_of_frame = true;
        break;
    case H264_NAL_SEI:
    case H264_NAL_PPS:
    case H264_NAL_AUD:
        h264->start_of_frame = true;
        break;
    default:
        break;
    }
}

static int read_unit(struct h264_payload *h264, const uint8_t *nal, size_t len)
{
    unsigned type = nal[0] & MASK_TYPE;

    if (!type || type > NAL_SINGLE_MAX)
        return -EBADMSG;
    h264->reference |= (nal[0] & MASK_NRI) != 0;
    note_unit(h264, type, nal + 1, len - 1);
    if (type == H264_NAL_SPS && h264_sps_parse(nal, len, &h264->width, &h264->height) < 0)
        h264->width = h264->height = 0;
    return 0;
}

// RFC 6184 section 5.7.1
static int read_aggregate(struct h264_payload *h264, struct reader *r)
{
    int err = -EBADMSG;

    while (reader_left(r)) {
        uint16_t len = reader_u16(r);
        const uint8_t *nal = reader_bytes(r, len);
        if (!nal || !len)
            return -EBADMSG;
        err = read_unit(h264, nal, len);
        if (err)
            return err;
    }
    return err;
}

// RFC 6184 section 5.8. The FU-B's decoding order number follows the FU header.
static int read_fragment(struct h264_payload *h264, struct reader *r, uint8_t indicator)
{
    uint8_t fu = reader_u8(r);

    if ((indicator & MASK_TYPE) == H264_NAL_FU_B)
        reader_skip(r, DON_LEN);
    unsigned type = fu & MASK_TYPE;
    if (!reader_left(r) || !type || type > NAL_SINGLE_MAX)
        return -EBADMSG;
    h264->reference |= (indicator & MASK_NRI) != 0;
    if (fu & BIT_FU_START)
        note_unit(h264, type, r->p, reader_left(r));
    return 0;
}

int h264_parse(struct h264_payload *h264, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t head = reader_u8(&r);

    *h264 = (struct h264_payload){0};
    if (!r.ok)
        return -EBADMSG;
    switch (head & MASK_TYPE) {
    case H264_NAL_STAP_B:
        reader_skip(&r, DON_LEN);
        return read_aggregate(h264, &r);
    case H264_NAL_STAP_A:
        return read_aggregate(h264, &r);
    case H264_NAL_FU_A:
    case H264_NAL_FU_B:
        return read_fragment(h264, &r, head);
    default:
        return read_unit(h264, payload, len);
    }
}
