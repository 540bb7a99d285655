// What does a forwarder need to know about this packet's payload, whatever its codec?
// SPDX-License-Identifier: MIT
#include "rtp/codec.h"

#include <errno.h>
#include <strings.h>

#include "rtp/bytes.h"
#include "rtp/codec_av1.h"
#include "rtp/codec_h264.h"
#include "rtp/codec_opus.h"
#include "rtp/codec_vp8.h"
#include "rtp/codec_vp9.h"

enum { VP_PICTURE_ID_LONG = 0x8000 }; // RFC 7741 section 4.2, RFC 9628 section 4.2: the M bit before fifteen bits

// RFC 7587 section 7, RFC 2198, RFC 3551 section 6, RFC 7741 section 6, RFC 9628 section 6, RFC 6184 section 8,
// "RTP Payload Format For AV1" section 7
static const struct {
    const char *name;
    unsigned clock_hz, channels;
} table[CODEC_COUNT] = {
    [CODEC_OPUS] = {"opus", 48000, 2}, [CODEC_RED] = {"red", 48000, 2}, [CODEC_PCMU] = {"PCMU", 8000, 1},
    [CODEC_PCMA] = {"PCMA", 8000, 1},  [CODEC_VP8] = {"VP8", 90000, 0}, [CODEC_VP9] = {"VP9", 90000, 0},
    [CODEC_H264] = {"H264", 90000, 0}, [CODEC_AV1] = {"AV1", 90000, 0},
};

static void learn_size(struct codec_state *state, unsigned spatial, uint16_t width, uint16_t height)
{
    if (!width || !height)
        return;
    state->width[spatial] = width;
    state->height[spatial] = height;
}

static void inspect_opus(const uint8_t *payload, size_t len, struct codec_info *info)
{
    struct opus_packet opus;

    if (opus_parse(&opus, payload, len) < 0)
        return; // end-to-end encrypted, perhaps: it plays for who has the key
    info->silence = opus.dtx;
    info->duration_ts = opus.duration_ts;
}

static int inspect_red(const uint8_t *payload, size_t len, struct codec_info *info)
{
    struct red_block primary;
    int err = red_primary(&primary, payload, len);

    if (!err)
        inspect_opus(payload + primary.offset, primary.len, info);
    return err;
}

static int inspect_vp8(struct codec_state *state, const uint8_t *payload, size_t len, struct codec_info *info)
{
    struct vp8_descriptor d;

    if (vp8_parse(&d, payload, len) < 0)
        return -EBADMSG;
    learn_size(state, 0, d.width, d.height);
    info->keyframe = d.keyframe;
    info->start_of_frame = d.start_of_frame;
    info->discardable = d.non_reference;
    info->temporal = d.tid;
    info->switch_up = d.layer_sync ? (uint8_t)(1U << d.tid) : 0;
    info->has_picture_id = d.picture_id_bits;
    info->picture_id_bits = d.picture_id_bits;
    info->picture_id = d.picture_id;
    info->picture_id_at = d.picture_id_at;
    info->has_tl0picidx = d.has_tl0picidx;
    info->tl0picidx = d.tl0picidx;
    info->tl0picidx_at = d.tl0picidx_at;
    return 0;
}

static int inspect_vp9(struct codec_state *state, const uint8_t *payload, size_t len, struct codec_info *info)
{
    struct vp9_descriptor d;

    if (vp9_parse(&d, payload, len) < 0)
        return -EBADMSG;
    learn_size(state, d.sid, d.width, d.height);
    for (unsigned i = 0; i < d.spatial_count; i++)
        learn_size(state, i, d.structure_width[i], d.structure_height[i]);
    info->keyframe = d.start_of_frame && !d.inter_picture && !(d.sid && d.inter_layer);
    info->start_of_frame = d.start_of_frame;
    info->end_of_frame = d.end_of_frame;
    info->spatial = d.sid;
    info->temporal = d.tid;
    info->switch_up = d.switch_up ? (uint8_t)(1U << d.tid) : 0;
    info->has_picture_id = d.picture_id_bits;
    info->picture_id_bits = d.picture_id_bits;
    info->picture_id = d.picture_id;
    info->picture_id_at = d.picture_id_at;
    info->has_tl0picidx = d.has_tl0picidx;
    info->tl0picidx = d.tl0picidx;
    info->tl0picidx_at = d.tl0picidx_at;
    return 0;
}

static int inspect_h264(struct codec_state *state, const uint8_t *payload, size_t len, struct codec_info *info)
{
    struct h264_payload h264;

    if (h264_parse(&h264, payload, len) < 0)
        return -EBADMSG;
    learn_size(state, 0, h264.width, h264.height);
    info->keyframe = h264.has_sps || (h264.has_idr && h264.start_of_frame);
    info->start_of_frame = h264.start_of_frame;
    info->discardable = !h264.reference;
    return 0;
}

static int inspect_av1(struct codec_state *state, const uint8_t *payload, size_t len, struct codec_info *info)
{
    struct av1_payload av1;

    if (av1_parse(&av1, payload, len) < 0)
        return -EBADMSG;
    if (av1.has_layers) {
        state->av1_spatial = av1.spatial;
        state->av1_temporal = av1.temporal;
    } else if (av1.has_sequence) {
        state->av1_spatial = state->av1_temporal = 0;
    }
    info->spatial = state->av1_spatial;
    info->temporal = state->av1_temporal;
    learn_size(state, av1.top_spatial, av1.width, av1.height);
    info->start_of_frame = av1.has_sequence || av1.has_frame;
    info->keyframe = !av1.continues && (av1.new_sequence || av1.has_sequence);
    return 0;
}

static int inspect_payload(enum codec codec, struct codec_state *state, const uint8_t *payload, size_t len,
                           struct codec_info *info)
{
    switch (codec) {
    case CODEC_OPUS:
        inspect_opus(payload, len, info);
        return 0;
    case CODEC_RED:
        return inspect_red(payload, len, info);
    case CODEC_VP8:
        return inspect_vp8(state, payload, len, info);
    case CODEC_VP9:
        return inspect_vp9(state, payload, len, info);
    case CODEC_H264:
        return inspect_h264(state, payload, len, info);
    case CODEC_AV1:
        return inspect_av1(state, payload, len, info);
    case CODEC_PCMU:
    case CODEC_PCMA:
        info->duration_ts = (uint16_t)(len <= UINT16_MAX ? len : 0); // RFC 3551 section 4.5.14: a byte is a sample
        return 0;
    case CODEC_COUNT:
        break;
    }
    return -EBADMSG;
}

// What the descriptor says is said by the encoder about this very frame: it goes before what the payload suggests.
static void apply_descriptor(struct codec_state *state, const struct dd_frame *frame, struct codec_info *info)
{
    info->start_of_frame = frame->start_of_frame;
    info->end_of_frame = frame->end_of_frame;
    info->keyframe = frame->start_of_frame && frame->has_structure && !frame->fdiff_count;
    info->discardable = frame->discardable;
    info->spatial = frame->spatial;
    info->temporal = frame->temporal;
    info->switch_up = frame->switch_up;
    info->layers = frame->layers;
    info->has_frame_number = true;
    info->frame_number = frame->frame_number;
    info->dd_target_count = frame->target_count;
    info->dd_active_at = frame->active_at;
    learn_size(state, frame->spatial, frame->width, frame->height);
}

int codec_inspect(enum codec codec, struct codec_state *state, const uint8_t *payload, size_t len, bool marker,
                  const uint8_t *dd, size_t dd_len, struct codec_info *info)
{
    struct dd_frame frame;

    *info = (struct codec_info){0};
    if (!len)
        return -EBADMSG;
    int err = inspect_payload(codec, state, payload, len, info);
    if (err)
        *info = (struct codec_info){0};

    if (!codec_is_video(codec)) {
        info->keyframe = info->start_of_frame = info->end_of_frame = !err;
        info->layers = err ? 0 : UINT64_MAX;
        return err;
    }
    int dd_err = dd ? dd_parse(&state->dd, dd, dd_len, &frame) : -EBADMSG;
    bool described = !dd_err;
    if (err && !described)
        return err;

    info->end_of_frame |= marker;
    info->layers = dd_layers_from(info->spatial, info->temporal);
    if (described)
        apply_descriptor(state, &frame, info);
    if (dd_err == -ENOENT) { // its structure is still on the way: the receiver will wait for it too
        info->has_frame_number = true;
        info->frame_number = frame.frame_number;
    }
    if (info->keyframe)
        info->switch_up = UINT8_MAX;
    info->width = state->width[info->spatial];
    info->height = state->height[info->spatial];
    return 0;
}

void codec_rewrite(const struct codec_info *info, uint8_t *payload, uint16_t picture_id, uint8_t tl0picidx)
{
    if (info->has_picture_id && info->picture_id_bits == 15)
        wr16(payload + info->picture_id_at, picture_id | VP_PICTURE_ID_LONG);
    else if (info->has_picture_id)
        payload[info->picture_id_at] = picture_id & 0x7f;
    if (info->has_tl0picidx)
        payload[info->tl0picidx_at] = tl0picidx;
}

const char *codec_name(enum codec codec)
{
    return table[codec].name;
}

unsigned codec_clock_hz(enum codec codec)
{
    return table[codec].clock_hz;
}

unsigned codec_channels(enum codec codec)
{
    return table[codec].channels;
}

bool codec_is_video(enum codec codec)
{
    return !table[codec].channels;
}

bool codec_find(const char *name, size_t name_len, unsigned clock_hz, unsigned channels, enum codec *codec)
{
    for (unsigned i = 0; i < CODEC_COUNT; i++) {
        bool same_channels = table[i].channels == channels || (table[i].channels <= 1 && channels <= 1);
        if (table[i].clock_hz != clock_hz || !same_channels || strlen(table[i].name) != name_len ||
            strncasecmp(table[i].name, name, name_len) != 0)
            continue;
        *codec = (enum codec)i;
        return true;
    }
    return false;
}
