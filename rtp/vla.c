// Which layers does a sender encode now, how large are they and how many bits do they take?
// SPDX-License-Identifier: MIT
#include "rtp/vla.h"

#include <errno.h>

#include "rtp/bytes.h"
#include "rtp/codec_av1.h"

enum { KBPS_MAX = UINT32_MAX / 1000 };

// One four-bit mask per stream; each that is active gets its entry.
static void read_masks(struct reader *r, struct vla *vla, unsigned common)
{
    uint8_t pair = 0;

    for (unsigned stream = 0; stream < vla->stream_count; stream++) {
        if (!common && stream % 2 == 0)
            pair = reader_u8(r);
        unsigned mask = common ? common : pair >> (stream % 2 ? 0 : 4) & 15;
        for (unsigned spatial = 0; spatial < VLA_SPATIAL_MAX; spatial++) {
            if (!(mask >> spatial & 1))
                continue;
            vla->layer[vla->layer_count++] =
                (struct vla_layer){.stream = (uint8_t)stream, .spatial = (uint8_t)spatial};
        }
    }
}

static void read_temporal_counts(struct reader *r, struct vla *vla)
{
    uint8_t four = 0;

    for (unsigned i = 0; i < vla->layer_count; i++) {
        if (i % 4 == 0)
            four = reader_u8(r);
        vla->layer[i].temporal_count = (uint8_t)((four >> (6 - i % 4 * 2) & 3) + 1);
    }
}

static void read_bitrates(struct reader *r, struct vla_layer *layer)
{
    for (unsigned i = 0; i < layer->temporal_count; i++) {
        uint32_t kbps = av1_leb128(r);
        layer->bitrate_bps[i] = 1000 * (kbps < KBPS_MAX ? kbps : KBPS_MAX);
    }
}

static void read_size(struct reader *r, struct vla_layer *layer)
{
    uint16_t width = reader_u16(r), height = reader_u16(r);

    layer->width = width < UINT16_MAX ? width + 1 : UINT16_MAX;
    layer->height = height < UINT16_MAX ? height + 1 : UINT16_MAX;
    layer->fps = reader_u8(r);
}

int vla_parse(struct vla *vla, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    uint8_t head = reader_u8(&r);

    *vla = (struct vla){.stream = head >> 6, .stream_count = (uint8_t)((head >> 4 & 3) + 1)};
    if (!len || vla->stream >= vla->stream_count)
        return -EBADMSG;
    if (len == 1 && !(head & 15))
        return 0; // nothing is encoded
    read_masks(&r, vla, head & 15);
    read_temporal_counts(&r, vla);
    for (unsigned i = 0; i < vla->layer_count; i++)
        read_bitrates(&r, &vla->layer[i]);
    for (unsigned i = 0; reader_left(&r) && i < vla->layer_count; i++)
        read_size(&r, &vla->layer[i]);
    return r.ok ? 0 : -EBADMSG;
}
