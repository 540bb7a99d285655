// How does a whole room behave? A browser that sends pictures and sound.
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <string.h>

#include "rtp/ntp.h"
#include "rtp/rtx.h"
#include "tests/sfu/sim.h"

enum {
    FILL = 60,      // octets of filler behind the stamp of a small packet
    FILL_MAX = 900, // of a large one
    VP8_X = 0x80,
    VP8_S = 0x10,
    VP8_I = 0x80,
    VP8_L = 0x40,
    VP8_T = 0x20,
    VP8_Y = 0x20,     // RFC 7741 section 4.2
    VP8_INTER = 1,    // RFC 6386 section 9.1: the first bit of a frame that is not a key frame
    OPUS_TOC = 0xfc,  // RFC 6716 section 3.1: CELT, full band, 20 ms, stereo
    RED_OFFSET = 960, // RFC 2198: how much older the redundant block is
};

const struct sim_media sim_camera = {.video = true,
                                     .codec = CODEC_VP8,
                                     .temporal = 1,
                                     .frame_us = 33333,
                                     .packets = 2,
                                     .key_packets = 6,
                                     .first_seq = 1000};
const struct sim_media sim_simulcast = {.video = true,
                                        .codec = CODEC_VP8,
                                        .layers = 3,
                                        .temporal = 3,
                                        .frame_us = 33333,
                                        .packets = 1,
                                        .key_packets = 2,
                                        .first_seq = 2000};
const struct sim_media sim_microphone = {.codec = CODEC_OPUS, .frame_us = 20000, .packets = 1, .first_seq = 3000};

static const uint8_t patterns[4][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0, 2, 1, 2}};

static uint32_t clock_hz(const struct sim_sender *sender)
{
    return sender->media.video ? 90000 : 48000;
}

static uint32_t ts_at(const struct sim_sender *sender, const struct sim_stream *s, int64_t us)
{
    return s->ts_base + (uint32_t)ntp_us_to_ts(us, clock_hz(sender));
}

// ---- packets ---------------------------------------------------------------------------------------------

static size_t write_extensions(struct sim_sender *sender, struct sim_stream *s, bool rtx, uint8_t *buf, size_t cap)
{
    struct sim_peer *peer = sender->peer;
    const char *rid = sender->track->layer[s - sender->stream].rid;
    struct ext_list list = {0};
    uint8_t twcc[2], level[1];
    ext_list_add(&list, sim_ext(peer, EXT_TWCC), twcc, ext_twcc_write(twcc, peer->twcc_out++));
    if (rtx ? !sender->media.declared : s->named) { // RTX is named until it is reported about, which it is not
        s->named -= !rtx;
        ext_list_add(&list, sim_ext(peer, EXT_MID), sender->mid, (uint8_t)strlen(sender->mid));
        if (rid[0])
            ext_list_add(&list, sim_ext(peer, rtx ? EXT_RRID : EXT_RID), rid, (uint8_t)strlen(rid));
    }
    if (!sender->media.video) {
        struct ext_audio_level value = {.voice = true, .level_db = sender->level_db};
        ext_list_add(&list, sim_ext(peer, EXT_AUDIO_LEVEL), level, ext_audio_level_write(level, &value));
    }
    return ext_list_write(&list, buf, cap);
}

static void emit(struct sim_sender *sender, struct sim_stream *s, const struct sim_sent *sent, bool rtx, bool probe)
{
    struct sim_peer *peer = sender->peer;
    uint8_t buf[SIM_PACKET_MAX];
    struct rtp head = {.marker = sent->marker, .ts = sent->ts};
    head.ssrc = rtx ? s->rtx_ssrc : s->ssrc;
    head.seq = rtx ? s->rtx_seq++ : sent->seq;
    head.pt = rtx ? sim_rtx_pt(peer, sender->media.codec) : sim_pt(peer, sender->media.codec);
    rtp_header_write(&head, true, buf, sizeof(buf));
    struct writer w = writer_of(buf, sizeof(buf));
    writer_room(&w, RTP_HEADER_LEN +
                        write_extensions(sender, s, rtx, buf + RTP_HEADER_LEN, sizeof(buf) - RTP_HEADER_LEN));
    if (rtx && !probe)
        writer_u16(&w, sent->seq);
    writer_bytes(&w, sent->payload, probe ? 0 : sent->len);
    g_assert(w.ok);
    size_t len = writer_len(&w);
    if (probe || !sent->len)
        len = rtp_pad(buf, len, sizeof(buf), 200);
    sim_up(peer, buf, len, false);
}

static struct sim_sent *next_sent(struct sim_stream *s, uint32_t ts, bool marker)
{
    struct sim_sent *sent = &s->sent[s->seq % SIM_SENT_MAX];
    sent->used = true;
    sent->seq = s->seq++;
    sent->ts = ts;
    sent->marker = marker;
    sent->len = 0;
    return sent;
}

// ---- payloads --------------------------------------------------------------------------------------------

static void write_stamp(struct writer *w, const struct sim_stamp *stamp, size_t fill)
{
    writer_u32(w, stamp->stream);
    writer_u32(w, stamp->frame);
    writer_u32(w, stamp->ref);
    writer_u64(w, stamp->capture_us);
    writer_u16(w, stamp->index);
    writer_u16(w, stamp->count);
    writer_u8(w, stamp->temporal);
    for (size_t i = 0; i < fill; i++)
        writer_u8(w, (uint8_t)(stamp->frame + stamp->index + i));
}

static void write_vp8(struct writer *w, const struct sim_sender *sender, const struct sim_stream *s,
                      const struct sim_stamp *stamp, bool sync)
{
    bool first = stamp->index == 0, layered = sender->media.temporal > 0;
    unsigned index = (unsigned)(s - sender->stream);
    unsigned size = sender->media.high_first ? sender->stream_count - 1 - index : index;
    writer_u8(w, VP8_X | (first ? VP8_S : 0));
    writer_u8(w, VP8_I | (layered ? VP8_L | VP8_T : 0));
    writer_u16(w, 0x8000 | s->picture_id);
    if (layered) {
        writer_u8(w, s->tl0picidx);
        writer_u8(w, (uint8_t)(stamp->temporal << 6 | (sync ? VP8_Y : 0)));
    }
    if (!first)
        return;
    writer_u8(w, stamp->ref ? VP8_INTER : 0);
    writer_fill(w, 0, 2);
    if (stamp->ref)
        return;
    const uint8_t key[] = {0x9d, 0x01, 0x2a, 0, (uint8_t)(1 << size), 180, 0}; // width 256 << size, height 180
    writer_bytes(w, key, sizeof(key));
}

static void write_opus(struct writer *w, const struct sim_sender *sender, const struct sim_stamp *stamp)
{
    uint8_t pt = sim_pt(sender->peer, CODEC_OPUS);
    if (sender->media.codec == CODEC_RED) {
        writer_u8(w, 0x80 | pt);
        writer_u24(w, RED_OFFSET << 10 | 3);
        writer_u8(w, pt);
        writer_fill(w, OPUS_TOC, 3);
    }
    writer_u8(w, OPUS_TOC);
    write_stamp(w, stamp, FILL);
}

// ---- frames ----------------------------------------------------------------------------------------------

// Which earlier frame a frame of this temporal layer refers to; *sync: to none of its own layer or above.
static uint32_t reference(const struct sim_stream *s, unsigned temporal, bool *sync)
{
    *sync = temporal == 1 || (temporal == 2 && s->last_at[0] > s->last_at[1]);
    if (temporal == 2)
        return MAX(s->last_at[0], s->last_at[1]);
    return s->last_at[0];
}

static void encode_video(struct sim_sender *sender, struct sim_stream *s, int64_t capture_us)
{
    const struct sim_media *media = &sender->media;
    bool key = s->keyframe, sync = false;
    unsigned size = media->high_first ? sender->stream_count - 1 - (unsigned)(s - sender->stream)
                                      : (unsigned)(s - sender->stream);
    s->phase = key ? 0 : s->phase + 1;
    struct sim_stamp stamp = {.stream = s->ssrc, .frame = ++s->frame, .capture_us = (uint64_t)capture_us};
    stamp.temporal = patterns[media->temporal][s->phase % 4];
    stamp.ref = key ? 0 : reference(s, stamp.temporal, &sync);
    stamp.count = (uint16_t)((key ? media->key_packets : media->packets) << size);
    if (stamp.temporal == 0)
        s->tl0picidx++;
    for (unsigned i = 0; i < 3 && key; i++)
        s->last_at[i] = s->frame;
    s->last_at[stamp.temporal] = s->frame;
    s->keyframes += key;
    s->keyframe = false;
    for (stamp.index = 0; stamp.index < stamp.count; stamp.index++) {
        struct sim_sent *sent = next_sent(s, ts_at(sender, s, capture_us), stamp.index + 1 == stamp.count);
        struct writer w = writer_of(sent->payload, sizeof(sent->payload));
        write_vp8(&w, sender, s, &stamp, sync);
        write_stamp(&w, &stamp, stamp.index + 1 == stamp.count ? FILL : FILL_MAX);
        sent->len = (uint16_t)writer_len(&w);
        s->packets++;
        s->octets += sent->len;
        emit(sender, s, sent, false, false);
    }
    s->picture_id = (s->picture_id + 1) & 0x7fff;
}

static void encode_audio(struct sim_sender *sender, struct sim_stream *s, int64_t capture_us)
{
    struct sim_stamp stamp = {.stream = s->ssrc, .frame = ++s->frame, .capture_us = (uint64_t)capture_us, .count = 1};
    struct sim_sent *sent = next_sent(s, ts_at(sender, s, capture_us), false);
    struct writer w = writer_of(sent->payload, sizeof(sent->payload));
    write_opus(&w, sender, &stamp);
    sent->len = (uint16_t)writer_len(&w);
    s->packets++;
    s->octets += sent->len;
    emit(sender, s, sent, false, false);
}

static void report(struct sim_sender *sender)
{
    struct sim_peer *peer = sender->peer;
    int64_t now_us = peer->sim->now_us;
    uint8_t buf[256];
    struct writer w = writer_of(buf, sizeof(buf));
    for (unsigned i = 0; i < sender->stream_count; i++) {
        const struct sim_stream *s = &sender->stream[i];
        struct rtcp_sr sr = {.ssrc = s->ssrc,
                             .ntp = ntp_from_us(now_us + peer->clock_us),
                             .ts = ts_at(sender, s, now_us),
                             .packets = (uint32_t)s->packets,
                             .octets = (uint32_t)s->octets};
        if (!s->off)
            rtcp_sr_write(&w, &sr, NULL, 0);
    }
    sim_up(peer, buf, writer_len(&w), true);
}

void sim_sender_tick(struct sim_sender *sender)
{
    int64_t now_us = sender->peer->sim->now_us;
    for (; sender->next_us <= now_us; sender->next_us += sender->media.frame_us)
        for (unsigned i = 0; i < sender->stream_count; i++) {
            struct sim_stream *s = &sender->stream[i];
            if (sender->silent || s->off)
                continue;
            if (sender->media.video)
                encode_video(sender, s, sender->next_us);
            else
                encode_audio(sender, s, sender->next_us);
        }
    if (now_us < sender->report_us || sender->silent)
        return;
    sender->report_us += 1000000;
    report(sender);
}

// ---- what it is asked ------------------------------------------------------------------------------------

void sim_sender_nack(struct sim_sender *sender, uint32_t ssrc, uint16_t seq)
{
    for (unsigned i = 0; i < sender->stream_count && sender->track; i++) {
        struct sim_stream *s = &sender->stream[i];
        const struct sim_sent *sent = &s->sent[seq % SIM_SENT_MAX];
        if (s->ssrc != ssrc || !sent->used || sent->seq != seq)
            continue;
        s->resent++;
        emit(sender, s, sent, true, false);
    }
}

void sim_sender_keyframe(struct sim_sender *sender, uint32_t ssrc, bool fir)
{
    for (unsigned i = 0; i < sender->stream_count; i++) {
        struct sim_stream *s = &sender->stream[i];
        if (s->ssrc != ssrc)
            continue;
        s->keyframe = true;
        s->plis += !fir;
        s->firs += fir;
    }
}

void sim_sender_probe(struct sim_sender *sender, unsigned stream, bool on_rtx, unsigned count)
{
    struct sim_stream *s = &sender->stream[stream];
    uint32_t ts = ts_at(sender, s, sender->next_us - sender->media.frame_us);
    struct sim_sent none = {.ts = ts};
    for (unsigned i = 0; i < count; i++)
        emit(sender, s, on_rtx ? &none : next_sent(s, ts, false), on_rtx, true);
}

void sim_sender_free(struct sim_sender *sender)
{
    for (unsigned i = 0; i < sender->stream_count; i++)
        g_free(sender->stream[i].sent);
    g_free(sender);
}
