// How do VP9 payloads become a picture in a file? (RFC 9628)
// SPDX-License-Identifier: MIT
#include "sfu/record_depay_vp9.h"

#include <errno.h>

#include "rtp/codec_vp9.h"

enum {
    SUPERFRAME_MARKER = 0xc0, // VP9 bitstream specification, annex B.2: marker, then size of sizes and frame count
    SUPERFRAME_SIZE_LEN = 4,
    SUPERFRAME_SIZE_SHIFT = 3,
};

static void learn_size(struct record_picture *picture, uint16_t width, uint16_t height)
{
    if ((uint32_t)width * height <= (uint32_t)picture->width * picture->height)
        return;
    picture->width = width;
    picture->height = height;
}

static int begin_part(struct record_picture *picture)
{
    if (picture->part_count == RECORD_PARTS_MAX)
        return -EBADMSG;
    picture->part_at[picture->part_count++] = picture->data->len;
    return 0;
}

static int add(struct record_picture *picture, const uint8_t *payload, size_t len)
{
    struct vp9_descriptor d;
    if (vp9_parse(&d, payload, len) < 0)
        return -EBADMSG;
    if (d.start_of_frame ? begin_part(picture) < 0 : !picture->part_count)
        return -EBADMSG;
    if (picture->data->len == 0 && !d.inter_picture && !d.inter_layer)
        picture->keyframe = true;
    learn_size(picture, d.width, d.height);
    for (unsigned i = 0; i < d.spatial_count; i++)
        learn_size(picture, d.structure_width[i], d.structure_height[i]);
    record_picture_append(picture, payload + d.size, len - d.size);
    picture->may_end = d.end_of_frame;
    return 0;
}

static size_t part_len(const struct record_picture *picture, unsigned i)
{
    size_t end = i + 1 < picture->part_count ? picture->part_at[i + 1] : picture->data->len;
    return end - picture->part_at[i];
}

// Frames of several spatial layers become a superframe: all but the highest are hidden, and behind them an index says
// how long each is.
static void append_parts(struct record_picture *picture, GByteArray *to)
{
    uint8_t marker =
        (uint8_t)(SUPERFRAME_MARKER | (SUPERFRAME_SIZE_LEN - 1) << SUPERFRAME_SIZE_SHIFT | (picture->part_count - 1));
    uint32_t lens[RECORD_PARTS_MAX];
    for (unsigned i = 0; i < picture->part_count; i++) {
        size_t before = to->len;
        record_vp9_append(&picture->vp9, to, picture->data->data + picture->part_at[i], part_len(picture, i),
                          i + 1 < picture->part_count);
        lens[i] = GUINT32_TO_LE((uint32_t)(to->len - before));
    }
    if (picture->part_count == 1)
        return;
    g_byte_array_append(to, &marker, 1);
    g_byte_array_append(to, (const uint8_t *)lens, picture->part_count * SUPERFRAME_SIZE_LEN);
    g_byte_array_append(to, &marker, 1);
}

static int end(struct record_picture *picture)
{
    if (!picture->part_count)
        return -EBADMSG;
    append_parts(picture, picture->unit);
    GByteArray *parts = picture->data;
    picture->data = picture->unit;
    picture->unit = parts;
    return 0;
}

const struct record_depay_ops record_depay_vp9 = {add, end};
