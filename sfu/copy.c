// How does a packet look in one receiver's numbers?
// SPDX-License-Identifier: MIT
#include "sfu/copy.h"

#include <string.h>

#include "rtp/codec_opus.h"
#include "rtp/rtx.h"

enum {
    RED_MORE = 0x80,    // RFC 2198 section 3: another block header follows this one
    RED_HEADER_LEN = 4, // of every block but the last
    EMPTY_PADDING = 1,  // octets of padding of a packet that is only padding
    ONE_BYTE_HEAD = 1,  // RFC 8285 section 4.2: octets before an element's data
    TWO_BYTE_HEAD = 2,  // section 4.3
};

// Passed on as they came.
static const enum ext_house passed_on[] = {
    EXT_AUDIO_LEVEL, EXT_VIDEO_ORIENTATION, EXT_PLAYOUT_DELAY, EXT_COLOR_SPACE, EXT_VLA,
};

enum codec copy_codec(const struct sink *sink, enum codec codec)
{
    if (codec == CODEC_RED && !sink->pt[CODEC_RED])
        codec = CODEC_OPUS;
    return sink->pt[codec] ? codec : CODEC_COUNT;
}

// ---- extensions ------------------------------------------------------------------------------------------

// What the extension list borrows until it is written.
struct ext_data {
    uint8_t twcc[2], abs_send_time[3];
    uint8_t dd[DD_LEN_MAX + DD_ACTIVE_GROWTH];
};

// VP8 and VP9 have picture ids, which say as much and are counted otherwise; for the others the descriptor is needed.
static void add_descriptor(const struct copy *copy, struct ext_list *list, struct ext_data *data)
{
    const struct packet *in = copy->in;
    uint8_t id = copy->sink->ext_id[EXT_DEPENDENCY_DESCRIPTOR];
    if (!id || !in->info.has_frame_number || in->info.has_picture_id)
        return;
    struct ext ext = ext_view_get(&in->ext, in->buf, EXT_DEPENDENCY_DESCRIPTOR);
    uint32_t active = in->info.dd_active_at ? copy->dd_active : 0;
    int len = dd_rewrite(data->dd, sizeof(data->dd), ext.data, ext.len, copy->at->picture_id, active,
                         in->info.dd_active_at, in->info.dd_target_count);
    if (len > 0 && len <= DD_LEN_MAX)
        ext_list_add(list, id, data->dd, (uint8_t)len);
}

static size_t write_extensions(const struct copy *copy, struct ext_data *data, int64_t now_us, uint8_t *buf,
                               size_t cap)
{
    const struct packet *in = copy->in;
    const uint8_t *id = copy->sink->ext_id;
    struct ext_list list;
    list.n = 0;
    if (id[EXT_TWCC]) // first, so that its place is known
        ext_list_add(&list, id[EXT_TWCC], data->twcc, ext_twcc_write(data->twcc, 0));
    else if (id[EXT_ABS_SEND_TIME])
        ext_list_add(&list, id[EXT_ABS_SEND_TIME], data->abs_send_time,
                     ext_abs_send_time_write(data->abs_send_time, now_us));
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
        struct ext ext = ext_view_get(&in->ext, in->buf, passed_on[i]);
        if (ext.data)
            ext_list_add(&list, id[passed_on[i]], ext.data, ext.len);
    }
    add_descriptor(copy, &list, data);
    return ext_list_write(&list, buf, cap);
}

// Where the data of the first element lies: behind the fixed header, the block's head and its own.
static uint16_t first_element(const uint8_t *buf)
{
    bool one_byte = rd16(buf + RTP_HEADER_LEN) == EXT_ONE_BYTE;
    return RTP_HEADER_LEN + RTP_EXT_HEAD_LEN + (one_byte ? ONE_BYTE_HEAD : TWO_BYTE_HEAD);
}

// ---- payload ---------------------------------------------------------------------------------------------

// The blocks of RED name the publisher's payload type for Opus: the receiver has its own (RFC 2198 section 3).
static void renumber_red(uint8_t *payload, size_t len, uint8_t opus_pt)
{
    size_t at = 0;
    for (; at < len && payload[at] & RED_MORE; at += RED_HEADER_LEN)
        payload[at] = RED_MORE | opus_pt;
    if (at < len)
        payload[at] = opus_pt;
}

static void write_payload(const struct copy *copy, enum codec codec, struct writer *w)
{
    const struct packet *in = copy->in;
    const uint8_t *payload = in->buf + in->rtp.payload_off;
    size_t len = in->rtp.payload_len;
    struct red_block primary;
    if (in->codec == CODEC_RED && codec == CODEC_OPUS && red_primary(&primary, payload, len) == 0) {
        payload += primary.offset;
        len = primary.len;
    }
    uint8_t *out = writer_room(w, len);
    if (!out)
        return;
    memcpy(out, payload, len);
    if (codec == CODEC_RED)
        renumber_red(out, len, copy->sink->pt[CODEC_OPUS]);
    codec_rewrite(&in->info, out, copy->at->picture_id, copy->at->tl0picidx);
}

// ---- packet ----------------------------------------------------------------------------------------------

static size_t write_all(const struct copy *copy, enum codec codec, int64_t now_us, struct packet *out)
{
    const struct sink *sink = copy->sink;
    struct ext_data data;
    struct rtp head = {
        .ts = copy->at->ts,
        .ssrc = copy->ssrc,
        .seq = copy->rtx_seq ? *copy->rtx_seq : (uint16_t)copy->at->seq,
        .pt = copy->rtx_seq ? sink->rtx_pt[codec] : sink->pt[codec],
        .marker = copy->marker,
    };
    size_t ext_len = write_extensions(copy, &data, now_us, out->buf + RTP_HEADER_LEN, COPY_MAX - RTP_HEADER_LEN);
    rtp_header_write(&head, ext_len > 0, out->buf, RTP_HEADER_LEN);
    if (ext_len && sink->ext_id[EXT_TWCC])
        out->twcc_offset = first_element(out->buf);

    struct writer w = writer_of(out->buf, COPY_MAX);
    writer_room(&w, RTP_HEADER_LEN + ext_len);
    if (copy->rtx_seq)
        writer_u16(&w, (uint16_t)copy->at->seq);
    if (!copy->empty)
        write_payload(copy, codec, &w);
    if (!w.ok)
        return 0;
    size_t len = writer_len(&w);
    return copy->empty && !copy->rtx_seq ? rtp_pad(out->buf, len, COPY_MAX, EMPTY_PADDING) : len;
}

struct packet *copy_write(const struct copy *copy, struct pool *pool, int64_t now_us, enum drop *why)
{
    enum codec codec = copy_codec(copy->sink, copy->in->codec);
    struct packet *out = packet_new(pool);
    if (!out) {
        *why = DROP_POOL_EXHAUSTED;
        return NULL;
    }
    out->twcc_offset = 0;
    out->stream = copy->stream;
    out->video = codec_is_video(codec);
    out->len = (uint16_t)write_all(copy, codec, now_us, out);
    if (!out->len) {
        packet_unref(out);
        *why = DROP_TOO_LONG;
        return NULL;
    }
    return out;
}
