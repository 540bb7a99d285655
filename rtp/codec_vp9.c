// What does the payload descriptor of a VP9 packet say?
// SPDX-License-Identifier: MIT
#include "rtp/codec_vp9.h"

#include <errno.h>

#include "rtp/bits.h"
#include "rtp/bytes.h"

// RFC 9628 section 4.2, the required byte; 4.2.1, the first byte of the structure.
enum {
    BIT_I = 0x80,
    BIT_P = 0x40,
    BIT_L = 0x20,
    BIT_F = 0x10,
    BIT_B = 0x08,
    BIT_E = 0x04,
    BIT_V = 0x02,
    BIT_Z = 0x01,
    BIT_M = 0x80,
    BIT_Y = 0x10,
    BIT_G = 0x08,
};

// VP9 bitstream specification 6.1, 7.2
enum {
    FRAME_MARKER = 2,
    SYNC_CODE = 0x498342,
    COLOR_SPACE_RGB = 7,
};

static void read_picture_id(struct reader *r, struct vp9_descriptor *d, const uint8_t *payload)
{
    d->picture_id_at = (uint8_t)(r->p - payload);
    d->picture_id = reader_u8(r);
    d->picture_id_bits = 7;
    if (!(d->picture_id & BIT_M))
        return;
    d->picture_id = (uint16_t)((d->picture_id & 0x7f) << 8 | reader_u8(r));
    d->picture_id_bits = 15;
}

static void read_layer_indices(struct reader *r, struct vp9_descriptor *d, const uint8_t *payload)
{
    uint8_t layer = reader_u8(r);

    d->tid = layer >> 5;
    d->switch_up = layer >> 4 & 1;
    d->sid = layer >> 1 & 7;
    d->inter_layer = layer & 1;
    if (d->flexible)
        return;
    d->has_tl0picidx = true;
    d->tl0picidx_at = (uint8_t)(r->p - payload);
    d->tl0picidx = reader_u8(r);
}

static void read_references(struct reader *r, struct vp9_descriptor *d)
{
    uint8_t reference;

    do {
        reference = reader_u8(r);
        d->reference[d->reference_count++] = reference >> 1;
    } while (reference & 1 && d->reference_count < VP9_REFERENCES_MAX);
    if (reference & 1)
        reader_skip(r, reader_left(r) + 1); // a fourth reference: malformed
}

static void read_structure(struct reader *r, struct vp9_descriptor *d)
{
    uint8_t head = reader_u8(r);

    d->spatial_count = (uint8_t)((head >> 5) + 1);
    if (head & BIT_Y) {
        for (unsigned i = 0; i < d->spatial_count; i++) {
            d->structure_width[i] = reader_u16(r);
            d->structure_height[i] = reader_u16(r);
        }
    }
    if (!(head & BIT_G))
        return;
    for (unsigned pictures = reader_u8(r); pictures; pictures--)
        reader_skip(r, reader_u8(r) >> 2 & 3); // the picture's P_DIFFs
}

// The size in the uncompressed header of a key frame (VP9 bitstream specification 6.2). Anything else, and what an
// end-to-end cipher made of it, lacks the sync code.
static void read_frame_size(struct reader *payload, struct vp9_descriptor *d)
{
    struct bit_reader r;

    bit_reader_init(&r, payload->p, reader_left(payload));
    bool marked = bit_read(&r, 2) == FRAME_MARKER;
    unsigned profile = bit_read(&r, 1);
    profile |= bit_read(&r, 1) << 1;
    bit_skip(&r, profile == 3);
    bool shows_existing = bit_read_flag(&r), inter = bit_read_flag(&r);
    bit_skip(&r, 2); // show_frame, error_resilient_mode
    if (!marked || shows_existing || inter || bit_read(&r, 24) != SYNC_CODE)
        return;
    bit_skip(&r, profile >= 2); // ten_or_twelve_bit
    bool rgb = bit_read(&r, 3) == COLOR_SPACE_RGB;
    bit_skip(&r, !rgb);                              // color_range
    bit_skip(&r, profile & 1 ? (rgb ? 1U : 3U) : 0); // subsampling and a reserved bit
    uint16_t width = (uint16_t)(bit_read(&r, 16) + 1), height = (uint16_t)(bit_read(&r, 16) + 1);
    if (!r.ok)
        return;
    d->width = width;
    d->height = height;
}

int vp9_parse(struct vp9_descriptor *d, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t head = reader_u8(&r);

    *d = (struct vp9_descriptor){
        .inter_picture = head & BIT_P,
        .has_layers = head & BIT_L,
        .flexible = head & BIT_F,
        .start_of_frame = head & BIT_B,
        .end_of_frame = head & BIT_E,
        .has_structure = head & BIT_V,
        .not_above = head & BIT_Z,
    };
    if (head & BIT_I)
        read_picture_id(&r, d, payload);
    if (d->has_layers)
        read_layer_indices(&r, d, payload);
    if (d->flexible && d->inter_picture)
        read_references(&r, d);
    if (d->has_structure)
        read_structure(&r, d);
    if (!r.ok || !reader_left(&r))
        return -EBADMSG;
    d->size = (uint16_t)(r.p - payload);
    if (d->start_of_frame && !d->inter_picture)
        read_frame_size(&r, d);
    return 0;
}
