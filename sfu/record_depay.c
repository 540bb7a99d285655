// How do packets in order become frames for a file?
// SPDX-License-Identifier: MIT
#include "sfu/record_depay.h"

#include <glib.h>

#include "rtp/codec_opus.h"
#include "rtp/seq.h"
#include "sfu/record_depay_av1.h"
#include "sfu/record_depay_h264.h"
#include "sfu/record_depay_vp8.h"
#include "sfu/record_depay_vp9.h"

struct record_depay {
    enum codec codec;
    const struct record_depay_ops *ops; // NULL: sound
    record_frame_h *handler;
    void *arg;
    uint64_t dropped;

    // video
    struct record_picture picture;
    bool collecting, spoilt; // a picture is being collected; nothing will come of it
    uint32_t ts;             // its timestamp
    bool wants_keyframe;
    uint16_t width, height;

    // sound
    bool heard;
    uint32_t newest_ts; // of the last frame handed over
};

static const struct record_depay_ops *ops_of(enum codec codec)
{
    switch (codec) {
    case CODEC_VP8:
        return &record_depay_vp8;
    case CODEC_VP9:
        return &record_depay_vp9;
    case CODEC_H264:
        return &record_depay_h264;
    case CODEC_AV1:
        return &record_depay_av1;
    default:
        return NULL;
    }
}

bool record_depay_can(enum codec codec)
{
    return codec == CODEC_OPUS || ops_of(codec);
}

struct record_depay *record_depay_new(enum codec codec, record_frame_h *handler, void *arg)
{
    g_assert(record_depay_can(codec));
    struct record_depay *d = g_new0(struct record_depay, 1);
    d->codec = codec;
    d->ops = ops_of(codec);
    d->handler = handler;
    d->arg = arg;
    d->picture.data = g_byte_array_new();
    d->picture.config = g_byte_array_new();
    d->picture.unit = g_byte_array_new();
    d->wants_keyframe = d->ops != NULL;
    return d;
}

void record_depay_free(struct record_depay *d)
{
    g_byte_array_unref(d->picture.data);
    g_byte_array_unref(d->picture.config);
    g_byte_array_unref(d->picture.unit);
    g_free(d);
}

// ---- sound -------------------------------------------------------------------------------------------------------

static void hand_over_sound(struct record_depay *d, const uint8_t *data, size_t len, uint32_t ts)
{
    struct opus_packet opus;
    if (d->heard && !ts_newer(ts, d->newest_ts))
        return;
    if (opus_parse(&opus, data, len) < 0) {
        d->dropped++;
        return;
    }
    d->heard = true;
    d->newest_ts = ts;
    struct record_frame frame = {
        .data = data, .len = len, .ts = ts, .duration_ts = opus.duration_ts, .keyframe = true};
    d->handler(d->arg, &frame);
}

// Blocks come oldest first; those that came before as packets of their own are not newer than what was handed over.
static void rx_red(struct record_depay *d, const uint8_t *payload, size_t len, uint32_t ts)
{
    struct red_block block[RED_BLOCKS_MAX];
    int count = red_parse(block, payload, len);
    if (count < 0)
        d->dropped++;
    for (int i = 0; i < count; i++) {
        bool repeats = i < count - 1;
        if (block[i].len && (!repeats || d->heard))
            hand_over_sound(d, payload + block[i].offset, block[i].len, ts - block[i].timestamp_offset);
    }
}

// ---- video -------------------------------------------------------------------------------------------------------

static void clear_picture(struct record_depay *d)
{
    struct record_picture *p = &d->picture;
    g_byte_array_set_size(p->data, 0);
    g_byte_array_set_size(p->unit, 0);
    p->keyframe = p->may_end = p->unit_open = false;
    p->width = p->height = 0;
    p->part_count = 0;
    d->collecting = d->spoilt = false;
}

static void spoil(struct record_depay *d)
{
    d->spoilt = true;
    d->wants_keyframe = true;
}

static void hand_over_picture(struct record_depay *d)
{
    struct record_picture *p = &d->picture;
    if (p->keyframe && p->width) {
        d->width = p->width;
        d->height = p->height;
    }
    struct record_frame frame = {.data = p->data->data,
                                 .len = p->data->len,
                                 .ts = d->ts,
                                 .keyframe = p->keyframe,
                                 .width = d->width,
                                 .height = d->height,
                                 .config = p->config->data,
                                 .config_len = p->config->len};
    d->wants_keyframe = false;
    d->handler(d->arg, &frame);
}

static void end_picture(struct record_depay *d)
{
    if (!d->spoilt && d->ops->end(&d->picture) < 0)
        spoil(d);
    if (d->spoilt || (d->wants_keyframe && !d->picture.keyframe))
        d->dropped++;
    else
        hand_over_picture(d);
    clear_picture(d);
}

static void rx_video(struct record_depay *d, const struct rtp *rtp, const uint8_t *payload)
{
    if (d->collecting && rtp->ts != d->ts) {
        if (!d->picture.may_end) // its end was left out when the layer was changed
            spoil(d);
        end_picture(d);
    }
    d->collecting = true;
    d->ts = rtp->ts;
    bool fits = d->picture.data->len + d->picture.unit->len + rtp->payload_len <= RECORD_PICTURE_MAX;
    if (!d->spoilt && (!fits || d->ops->add(&d->picture, payload, rtp->payload_len) < 0))
        spoil(d);
    if (rtp->marker)
        end_picture(d);
}

// What is lost may have been any picture's.
static void note_loss(struct record_depay *d)
{
    d->wants_keyframe = true;
    if (d->collecting)
        spoil(d);
}

void record_depay_rx(struct record_depay *d, enum codec codec, const struct rtp *rtp, const uint8_t *packet,
                     bool lost)
{
    const uint8_t *payload = packet + rtp->payload_off;
    bool is_red = codec == CODEC_RED && d->codec == CODEC_OPUS;
    if (lost && d->ops)
        note_loss(d);
    if (!rtp->payload_len)
        return;
    if (codec != d->codec && !is_red)
        d->dropped++;
    else if (d->ops)
        rx_video(d, rtp, payload);
    else if (is_red)
        rx_red(d, payload, rtp->payload_len, rtp->ts);
    else
        hand_over_sound(d, payload, rtp->payload_len, rtp->ts);
}

void record_depay_restart(struct record_depay *d)
{
    if (d->ops)
        note_loss(d);
}

bool record_depay_wants_keyframe(const struct record_depay *d)
{
    return d->wants_keyframe;
}

uint64_t record_depay_dropped(const struct record_depay *d)
{
    return d->dropped;
}
