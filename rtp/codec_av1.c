// Which OBUs are in this AV1 packet?
// SPDX-License-Identifier: MIT
#include "rtp/codec_av1.h"

#include <errno.h>

#include "rtp/bits.h"

// "RTP Payload Format For AV1" section 4.4
enum {
    BIT_Z = 0x80,
    BIT_Y = 0x40,
    SHIFT_W = 4,
    BIT_N = 0x08,
};

// AV1 5.3.2: OBU header
enum {
    BIT_FORBIDDEN = 0x80,
    SHIFT_TYPE = 3,
    BIT_EXTENSION = 0x04,
    BIT_HAS_SIZE = 0x02,
};

uint32_t av1_leb128(struct reader *r)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = reader_u8(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80 && shift < 56); // AV1 4.10.5: at most eight bytes
    if (byte & 0x80 || value > UINT32_MAX)
        reader_skip(r, reader_left(r) + 1);
    return r->ok ? (uint32_t)value : 0;
}

// AV1 5.5.1, timing_info and decoder_model_info. Returns the bits of a decoder delay; 0: there is no decoder model.
static unsigned skip_timing(struct bit_reader *r)
{
    if (!bit_read_flag(r))
        return 0;
    bit_skip(r, 64); // num_units_in_display_tick, time_scale
    if (bit_read_flag(r))
        bit_read_ue(r); // num_ticks_per_picture_minus_1
    if (!bit_read_flag(r))
        return 0;
    unsigned delay_bits = bit_read(r, 5) + 1;
    bit_skip(r, 32 + 5 + 5); // num_units_in_decoding_tick and two lengths
    return delay_bits;
}

// AV1 5.5.1: what a sequence header that is not reduced says before the frame size. Returns the highest spatial
// layer: bits 8..11 of operating_point_idc are the layers it has, none of them means that there is only one
// (AV1 6.4.1).
static unsigned read_operating_points(struct bit_reader *r)
{
    unsigned spatial_mask = 0, top = 0;
    unsigned delay_bits = skip_timing(r);
    bool has_display_delay = bit_read_flag(r);
    unsigned count = bit_read(r, 5) + 1;

    while (count-- && r->ok) {
        spatial_mask |= bit_read(r, 12) >> 8;
        if (bit_read(r, 5) > 7) // seq_level_idx
            bit_skip(r, 1);     // seq_tier
        if (delay_bits && bit_read_flag(r))
            bit_skip(r, 2 * delay_bits + 1);
        if (has_display_delay && bit_read_flag(r))
            bit_skip(r, 4);
    }
    while (spatial_mask >> (top + 1))
        top++;
    return top;
}

// AV1 5.5.1, from the first bit after the OBU header. Leaves *av1 alone when the header is not whole.
static void read_sequence_header(struct av1_payload *av1, const uint8_t *data, size_t len)
{
    struct bit_reader r;
    unsigned top = 0;

    bit_reader_init(&r, data, len);
    bit_skip(&r, 3 + 1); // seq_profile, still_picture
    if (bit_read_flag(&r))
        bit_skip(&r, 5); // reduced_still_picture_header: only seq_level_idx
    else
        top = read_operating_points(&r);
    unsigned width_bits = bit_read(&r, 4) + 1;
    unsigned height_bits = bit_read(&r, 4) + 1;
    uint32_t width = bit_read(&r, width_bits) + 1, height = bit_read(&r, height_bits) + 1;
    if (!r.ok || width > UINT16_MAX || height > UINT16_MAX)
        return;
    av1->top_spatial = (uint8_t)top;
    av1->width = (uint16_t)width;
    av1->height = (uint16_t)height;
}

// Looks at the beginning of an OBU (AV1 5.3). A fragment may end anywhere after its first byte.
static void read_obu(struct av1_payload *av1, struct reader r)
{
    uint8_t head = reader_u8(&r);
    unsigned type = head >> SHIFT_TYPE & 15;

    if (head & BIT_EXTENSION && reader_left(&r)) {
        uint8_t extension = reader_u8(&r);
        av1->has_layers = true;
        av1->temporal = extension >> 5;
        av1->spatial = extension >> 3 & 3;
    }
    if (head & BIT_HAS_SIZE)
        av1_leb128(&r);
    if (type == AV1_OBU_FRAME || type == AV1_OBU_FRAME_HEADER)
        av1->has_frame = true;
    if (type != AV1_OBU_SEQUENCE_HEADER)
        return;
    av1->has_sequence = true;
    read_sequence_header(av1, r.p, reader_left(&r));
}

// The next element's bytes: the last of W elements has no length before it. Not ok: there is no such element.
static struct reader next_element(struct reader *r, bool has_length)
{
    size_t len = has_length ? av1_leb128(r) : reader_left(r);
    struct reader element = reader_sub(r, len);

    if (!reader_left(&element))
        element.ok = false;
    return element;
}

int av1_parse(struct av1_payload *av1, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t head = reader_u8(&r);
    unsigned wanted = head >> SHIFT_W & 3, count = 0;

    *av1 = (struct av1_payload){
        .continues = head & BIT_Z,
        .continued = head & BIT_Y,
        .new_sequence = head & BIT_N,
    };
    if (!reader_left(&r) || (av1->continues && av1->new_sequence))
        return -EBADMSG;
    while (reader_left(&r)) {
        struct reader element = next_element(&r, ++count != wanted);
        if (!element.ok)
            return -EBADMSG;
        if (count == 1 && av1->continues)
            continue;
        if (element.p[0] & BIT_FORBIDDEN)
            return -EBADMSG;
        read_obu(av1, element);
    }
    return wanted && count != wanted ? -EBADMSG : 0;
}
