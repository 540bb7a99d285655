// What does the payload descriptor of a VP8 packet say?
// SPDX-License-Identifier: MIT
#include "rtp/codec_vp8.h"

#include <errno.h>

#include "rtp/bytes.h"

// RFC 7741 section 4.2: required byte, extension byte, TID byte.
enum {
    BIT_X = 0x80,
    BIT_N = 0x20,
    BIT_S = 0x10,
    MASK_PID = 0x07,
    BIT_I = 0x80,
    BIT_L = 0x40,
    BIT_T = 0x20,
    BIT_K = 0x10,
    BIT_M = 0x80,
    BIT_Y = 0x20,
    MASK_KEYIDX = 0x1f,
};

static void read_picture_id(struct reader *r, struct vp8_descriptor *d, const uint8_t *payload)
{
    d->picture_id_at = (uint8_t)(r->p - payload);
    d->picture_id = reader_u8(r);
    d->picture_id_bits = 7;
    if (!(d->picture_id & BIT_M))
        return;
    d->picture_id = (uint16_t)((d->picture_id & 0x7f) << 8 | reader_u8(r));
    d->picture_id_bits = 15;
}

static void read_extensions(struct reader *r, struct vp8_descriptor *d, const uint8_t *payload)
{
    uint8_t x = reader_u8(r);

    if (x & BIT_I)
        read_picture_id(r, d, payload);
    d->has_tl0picidx = x & BIT_L;
    if (d->has_tl0picidx) {
        d->tl0picidx_at = (uint8_t)(r->p - payload);
        d->tl0picidx = reader_u8(r);
    }
    d->has_tid = x & BIT_T;
    d->has_keyidx = x & BIT_K;
    if (!d->has_tid && !d->has_keyidx)
        return;
    uint8_t tk = reader_u8(r);
    if (d->has_tid) {
        d->tid = tk >> 6;
        d->layer_sync = tk & BIT_Y;
    }
    if (d->has_keyidx)
        d->keyidx = tk & MASK_KEYIDX;
}

// RFC 6386 section 9.1: three bytes of frame tag whose first bit is 0 for a key frame; there the start code and
// two sizes of fourteen bits follow, little-endian, below two bits of scaling.
static void read_frame_header(struct reader *r, struct vp8_descriptor *d)
{
    d->keyframe = !(reader_u8(r) & 1);
    if (!d->keyframe || reader_left(r) < 9)
        return;
    reader_skip(r, 2);
    if (reader_u24(r) != 0x9d012a)
        return;
    uint8_t low = reader_u8(r);
    d->width = (uint16_t)((reader_u8(r) & 0x3f) << 8 | low);
    low = reader_u8(r);
    d->height = (uint16_t)((reader_u8(r) & 0x3f) << 8 | low);
}

int vp8_parse(struct vp8_descriptor *d, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t head = reader_u8(&r);

    *d = (struct vp8_descriptor){
        .non_reference = head & BIT_N,
        .start = head & BIT_S,
        .partition = head & MASK_PID,
    };
    if (head & BIT_X)
        read_extensions(&r, d, payload);
    if (!r.ok || !reader_left(&r))
        return -EBADMSG;
    d->size = (uint8_t)(r.p - payload);
    d->start_of_frame = d->start && !d->partition;
    if (d->start_of_frame)
        read_frame_header(&r, d);
    return 0;
}
