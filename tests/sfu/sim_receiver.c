// How does a whole room behave? A browser that receives, and believes nothing.
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <string.h>

#include "rtp/codec_opus.h"
#include "rtp/codec_vp8.h"
#include "rtp/ntp.h"
#include "rtp/rtx.h"
#include "tests/sfu/sim.h"

enum {
    BEGIN_US = 60000,     // from the first packet to playing it
    PATIENCE_US = 700000, // for a missing packet
    PLI_US = 300000,      // between two of them
    VP8_KEY_HEAD = 10,
    VP8_INTER_HEAD = 3,
};

static uint32_t clock_hz(const struct sim_receiver *r)
{
    return r->from->media.video ? 90000 : 48000;
}

// ---- the decoder -----------------------------------------------------------------------------------------

static void check_time(struct sim_receiver *r, uint32_t ts)
{
    if (!r->has_last) {
        r->first_ts = ts;
        r->first_capture_us = r->stamp.capture_us;
        return;
    }
    g_assert_cmpint(ts_diff(ts, r->last_ts), >, 0);
    int64_t by_ts_us = ntp_ts_to_us((uint32_t)(ts - r->first_ts), clock_hz(r));
    int64_t error_us = by_ts_us - (int64_t)(r->stamp.capture_us - r->first_capture_us);
    r->ts_error_max_us = MAX(r->ts_error_max_us, ABS(error_us));
}

static void check_sync(struct sim_receiver *r, uint32_t ts)
{
    if (!r->has_sr)
        return;
    int64_t wall_us = ntp_to_us(r->sr.ntp) + ntp_ts_to_us(ts_diff(ts, r->sr.ts), clock_hz(r));
    r->skew_us = wall_us - (int64_t)r->stamp.capture_us;
    r->has_skew = true;
}

static bool can_decode(const struct sim_receiver *r)
{
    const struct sim_stamp *s = &r->stamp;
    if (!r->from->media.video || !s->ref)
        return true;
    return r->stream == s->stream && r->decoded[s->ref % 256] == s->ref;
}

static void count_frame(struct sim_receiver *r)
{
    const struct sim_stamp *s = &r->stamp;
    r->frames++;
    r->keyframes += r->from->media.video && !s->ref;
    r->per_temporal[s->temporal]++;
    for (unsigned i = 0; i < r->from->stream_count; i++)
        r->per_layer[i] += r->from->stream[i].ssrc == s->stream;
    r->delay_max_us = MAX(r->delay_max_us, r->peer->sim->now_us - (int64_t)s->capture_us);
}

static void decode(struct sim_receiver *r, uint32_t ts)
{
    const struct sim_stamp *s = &r->stamp;
    check_time(r, ts);
    if (s->ref && r->has_last && !r->gap && !r->padded) // with a key frame ids may skip what was never seen
        g_assert_cmpuint((r->picture_id - r->last_picture_id) & 0x7fff, ==, 1);
    r->has_last = true;
    r->last_ts = ts;
    r->last_picture_id = r->picture_id;
    r->gap = r->padded = false;
    if (!can_decode(r)) {
        r->undecodable++;
        if (!r->frozen_us)
            r->frozen_us = r->peer->sim->now_us;
        return;
    }
    r->frozen_us = 0;
    if (r->stream != s->stream)
        memset(r->decoded, 0, sizeof(r->decoded));
    r->stream = s->stream;
    r->decoded[s->frame % 256] = s->frame;
    check_sync(r, ts);
    count_frame(r);
}

// ---- frames out of packets -------------------------------------------------------------------------------

static void read_stamp(struct reader *rd, struct sim_stamp *stamp)
{
    stamp->stream = reader_u32(rd);
    stamp->frame = reader_u32(rd);
    stamp->ref = reader_u32(rd);
    stamp->capture_us = reader_u64(rd);
    stamp->index = reader_u16(rd);
    stamp->count = reader_u16(rd);
    stamp->temporal = reader_u8(rd);
    g_assert(rd->ok);
    for (size_t i = 0; reader_left(rd); i++)
        g_assert_cmpuint(reader_u8(rd), ==, (uint8_t)(stamp->frame + stamp->index + i));
}

static void read_payload(struct sim_receiver *r, const struct sim_got *got, struct sim_stamp *stamp)
{
    struct reader rd = reader_of(got->buf, got->len);
    struct vp8_descriptor d;
    if (!r->from->media.video) {
        g_assert_cmpuint(reader_u8(&rd), ==, 0xfc);
        read_stamp(&rd, stamp);
        return;
    }
    g_assert_cmpint(vp8_parse(&d, got->buf, got->len), ==, 0);
    g_assert_cmpuint(d.picture_id_bits, ==, 15);
    reader_skip(&rd, d.size);
    if (d.start_of_frame)
        reader_skip(&rd, d.keyframe ? VP8_KEY_HEAD : VP8_INTER_HEAD);
    read_stamp(&rd, stamp);
    g_assert(stamp->index > 0 || d.start_of_frame);
    g_assert(stamp->index == 0 || r->gap || r->padded || d.picture_id == r->picture_id);
    r->picture_id = d.picture_id;
}

static void play(struct sim_receiver *r, const struct sim_got *got)
{
    struct sim_stamp stamp;
    if (got->padding) { // perhaps a picture left out too late to close the gap in picture ids
        r->padded = true;
        r->gap |= r->have > 0; // or a packet from before an interruption, which nobody gets any more
        r->have = 0;
        return;
    }
    read_payload(r, got, &stamp);
    if (stamp.index == 0) {
        // No frame is left half done, unless packets were given up or a key frame takes over (another layer,
        // unmuted).
        r->gap |= r->have && !stamp.ref;
        g_assert(r->have == 0 || r->gap);
        r->have = 0;
        r->stamp = stamp;
    }
    bool fits = stamp.index == r->have && stamp.frame == r->stamp.frame && stamp.stream == r->stamp.stream;
    r->gap |= r->padded && !fits;
    g_assert(fits || r->gap);
    g_assert(!r->from->media.video || got->marker == (stamp.index + 1 == stamp.count));
    if (!fits)
        return;
    if (++r->have < stamp.count)
        return;
    r->have = 0;
    decode(r, got->ts);
}

// What was overtaken by the first packet to come comes before it, unless there is a hole: nobody asks for that.
static void find_beginning(struct sim_receiver *r)
{
    while (r->got[(r->next - 1) % SIM_BUFFER].seq == r->next - 1)
        r->next--;
    r->playing = true;
}

static bool read_key(const struct sim_got *got, uint16_t *count)
{
    struct reader rd = reader_of(got->buf, got->len);
    struct vp8_descriptor d;
    struct sim_stamp stamp;
    if (got->padding || vp8_parse(&d, got->buf, got->len) < 0 || !d.keyframe)
        return false;
    reader_skip(&rd, (size_t)d.size + VP8_KEY_HEAD);
    read_stamp(&rd, &stamp);
    *count = stamp.count;
    return true;
}

// Where a whole key frame begins behind what is missing; 0: nowhere. No decoder waits when it has one.
static uint64_t find_key(const struct sim_receiver *r)
{
    uint16_t count, have = 0;
    for (uint64_t seq = r->next + 1; seq <= r->recvstats.unwrap.newest && r->from->media.video; seq++) {
        const struct sim_got *got = &r->got[seq % SIM_BUFFER];
        if (got->seq != seq || !read_key(got, &count))
            continue;
        for (have = 1; have < count && r->got[(seq + have) % SIM_BUFFER].seq == seq + have;)
            have++;
        if (have == count)
            return seq;
    }
    return 0;
}

static void give_up_until(struct sim_receiver *r, uint64_t seq)
{
    r->next = seq;
    r->gap = true;
    r->have = 0;
    r->waiting_us = 0;
}

static void play_all(struct sim_receiver *r, int64_t now_us)
{
    if (!r->playing)
        find_beginning(r);
    while (r->next <= r->recvstats.unwrap.newest) {
        struct sim_got *got = &r->got[r->next % SIM_BUFFER];
        uint64_t key = got->seq == r->next ? 0 : find_key(r);
        if (got->seq == r->next) {
            r->waiting_us = 0;
            r->next++;
            play(r, got);
        } else if (key) {
            r->jumped += key - r->next;
            give_up_until(r, key);
        } else if (!r->waiting_us) {
            r->waiting_us = now_us;
        } else if (!r->nack || now_us - r->waiting_us >= PATIENCE_US) {
            r->skipped++;
            give_up_until(r, r->next + 1);
        } else {
            return;
        }
    }
}

// ---- packets ---------------------------------------------------------------------------------------------

static void check_head(const struct sim_receiver *r, const struct rtp *rtp, const uint8_t *buf)
{
    const struct sim_peer *peer = r->peer;
    enum codec codec =
        r->from->media.codec == CODEC_RED && !peer->sink.pt[CODEC_RED] ? CODEC_OPUS : r->from->media.codec;
    bool rtx = rtp->ssrc == r->rtx_ssrc;
    struct ext ext;
    g_assert_cmpuint(rtp->pt, ==, rtx ? sim_rtx_pt(peer, codec) : sim_pt(peer, codec));
    g_assert(ext_find(rtp, buf, sim_ext(peer, EXT_TWCC), &ext) && ext.len == 2);
    g_assert(!ext_find(rtp, buf, sim_ext(peer, EXT_MID), &ext)); // the publisher's mid is not the receiver's
    if (r->from->media.video || rtp->padding_len)
        return;
    struct ext_audio_level level;
    g_assert(ext_find(rtp, buf, sim_ext(peer, EXT_AUDIO_LEVEL), &ext));
    g_assert_cmpint(ext_audio_level_parse(&ext, &level), ==, 0);
    g_assert_cmpuint(level.level_db, ==, r->from->level_db);
}

static void strip_red(const struct sim_receiver *r, const uint8_t **payload, size_t *len)
{
    struct red_block block[RED_BLOCKS_MAX];
    if (r->from->media.codec != CODEC_RED || !r->peer->sink.pt[CODEC_RED])
        return;
    g_assert_cmpint(red_parse(block, *payload, *len), ==, 2);
    g_assert_cmpuint(block[0].pt, ==, sim_pt(r->peer, CODEC_OPUS));
    g_assert_cmpuint(block[1].pt, ==, sim_pt(r->peer, CODEC_OPUS));
    *payload += block[1].offset;
    *len = block[1].len;
}

static void keep(struct sim_receiver *r, const struct rtp *rtp, const uint8_t *buf, uint64_t seq)
{
    struct sim_got *got = &r->got[seq % SIM_BUFFER];
    const uint8_t *payload = buf + rtp->payload_off;
    size_t len = rtp->payload_len;
    *got = (struct sim_got){.seq = seq, .marker = rtp->marker, .ts = rtp->ts, .padding = !len};
    if (!len) {
        r->paddings++;
        return;
    }
    strip_red(r, &payload, &len);
    memcpy(got->buf, payload, len);
    got->len = (uint16_t)len;
}

void sim_receiver_rtp(struct sim_receiver *r, const struct rtp *packet, const uint8_t *buf, size_t len)
{
    int64_t now_us = r->peer->sim->now_us;
    struct rtp rtp = *packet;
    uint64_t seq;
    check_head(r, &rtp, buf);
    if (rtp.ssrc == r->rtx_ssrc) {
        r->rtx_packets++;
        g_assert_cmpint(rtx_unwrap(&rtp, buf, 0, r->ssrc), ==, 0);
        seq = recvstats_find(&r->recvstats, rtp.seq);
    } else {
        r->packets++;
        seq = recvstats_rx(&r->recvstats, rtp.seq, rtp.ts, now_us, len);
    }
    g_assert_cmpuint(seq, !=, 0);
    if (!r->begin_us) {
        r->begin_us = now_us + BEGIN_US;
        r->next = seq;
        r->gap = true;
    }
    bool early = now_us < r->begin_us && r->next - seq < SIM_BUFFER; // it overtook the first
    if ((seq < r->next && !early) || r->got[seq % SIM_BUFFER].seq == seq) {
        r->duplicates++;
        return;
    }
    loss_rx(&r->loss, seq, now_us);
    keep(r, &rtp, buf, seq);
}

// ---- asking ----------------------------------------------------------------------------------------------

static void ask_again(struct sim_receiver *r, int64_t now_us)
{
    const struct sim_peer *peer = r->peer;
    uint16_t seqs[LOSS_MAX];
    uint8_t buf[FEEDBACK_PACKET_MAX];
    struct writer w = writer_of(buf, sizeof(buf));
    int64_t rtt_us = peer->up.quality.delay_us + peer->down.quality.delay_us + 2 * peer->up.quality.jitter_us;
    size_t count = loss_due(&r->loss, now_us, rtt_us, seqs, LOSS_MAX);
    if (!count || !r->nack)
        return;
    g_assert_cmpuint(rtcpfb_nack_write(&w, 1, r->ssrc, seqs, count), ==, count);
    r->nacks += count;
    sim_up(r->peer, buf, writer_len(&w), true);
}

static void ask_keyframe(struct sim_receiver *r, int64_t now_us)
{
    uint8_t buf[16];
    struct writer w = writer_of(buf, sizeof(buf));
    if (!r->frozen_us || now_us - r->asked_us < PLI_US)
        return;
    r->asked_us = now_us;
    r->plis++;
    rtcpfb_pli_write(&w, 1, r->ssrc);
    sim_up(r->peer, buf, writer_len(&w), true);
}

void sim_receiver_tick(struct sim_receiver *r)
{
    int64_t now_us = r->peer->sim->now_us;
    if (!r->begin_us || now_us < r->begin_us)
        return;
    if (now_us % 5000 == 0)
        ask_again(r, now_us);
    play_all(r, now_us);
    ask_keyframe(r, now_us);
}

void sim_receiver_free(struct sim_receiver *r)
{
    g_free(r->got);
    g_free(r);
}
