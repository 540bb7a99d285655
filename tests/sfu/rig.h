// What does one publisher's packet become for one receiver? (the media path with nothing around it)
// SPDX-License-Identifier: MIT
//
// One publisher with one track, one receiver whose sink keeps copies of the last packets. Include it once per test:
// it takes the place of transport.c.
#pragma once

#include <glib.h>
#include <string.h>

#include "sfu/feedback.h"
#include "sfu/ingress.h"
#include "sfu/sub.h"

enum {
    RIG_OUT_MAX = 1024,
    RIG_RTCP_MAX = 64,
    RIG_PT = 96,
    RIG_RTX_PT = 97,
    RIG_OUT_PT = 100,
    RIG_OUT_RTX_PT = 101,
    RIG_SSRC = 0x1111,
    RIG_RTX_SSRC = 0x2222,
    RIG_OUT_SSRC = 0x3333,
    RIG_OUT_RTX_SSRC = 0x4444,
};

struct rig_out {
    uint8_t buf[PACKET_ROOM];
    size_t len;
    struct rtp rtp;
    uint16_t stream, twcc_offset;
    bool video;
};

struct rig_rtcp {
    uint8_t buf[FEEDBACK_PACKET_MAX];
    size_t len;
};

struct transport {
    unsigned count; // compounds ever
    struct rig_rtcp rtcp[RIG_RTCP_MAX];
};

struct rig {
    struct pool *pool;
    struct stats publisher, receiver;
    struct transport upstream, downstream;
    struct ingress ingress, none;
    struct feedback hears, tells; // the receiver's, the publisher's
    struct sub_list subs, no_subs;
    struct sink sink;
    unsigned streams; // open handles
    unsigned count;   // packets ever sent
    bool keep;        // copies of them; off for measurements
    struct rig_out *out;
    struct track *track;
    struct sub *sub;
    int64_t now_us;
};

void transport_hurry(struct transport *transport, int64_t now_us)
{
    (void)transport, (void)now_us; // here everything is heard at once
}

void transport_tx_rtcp(struct transport *transport, const uint8_t *data, size_t len)
{
    struct rig_rtcp *rtcp = &transport->rtcp[transport->count++ % RIG_RTCP_MAX];
    g_assert(len <= sizeof(rtcp->buf));
    memcpy(rtcp->buf, data, len);
    rtcp->len = len;
}

static inline struct rig *rig_of(struct sink *sink)
{
    return (void *)((char *)sink - offsetof(struct rig, sink));
}

static inline uint16_t rig_stream_open(struct sink *sink, uint32_t ssrc)
{
    rig_of(sink)->streams++;
    return (uint16_t)ssrc;
}

static inline void rig_stream_close(struct sink *sink, uint16_t stream)
{
    (void)stream;
    rig_of(sink)->streams--;
}

static inline void rig_tx(struct sink *sink, struct packet *packet)
{
    struct rig *rig = rig_of(sink);
    struct rig_out *out = &rig->out[rig->count++ % RIG_OUT_MAX];
    if (rig->keep) {
        memcpy(out->buf, packet->buf, packet->len);
        out->len = packet->len;
        out->stream = packet->stream;
        out->twcc_offset = packet->twcc_offset;
        out->video = packet->video;
        g_assert_cmpint(rtp_parse(&out->rtp, out->buf, out->len), ==, RTP_OK);
    }
    packet_unref(packet);
}

// The n-th packet from the end: 0 is the last.
static inline const struct rig_out *rig_last(const struct rig *rig, unsigned n)
{
    g_assert(n < rig->count && n < RIG_OUT_MAX);
    return &rig->out[(rig->count - 1 - n) % RIG_OUT_MAX];
}

// A publisher and a receiver who have agreed on nothing yet, so that a test may say what.
static inline void rig_init(struct rig *rig)
{
    static const struct sink_ops ops = {rig_stream_open, rig_stream_close, rig_tx, NULL};
    memset(rig, 0, sizeof(*rig));
    rig->now_us = 1000000;
    rig->pool = pool_new(4096);
    rig->out = g_new0(struct rig_out, RIG_OUT_MAX);
    rig->keep = true;
    rig->sink.ops = &ops;
    rig->sink.ready = true;
    TAILQ_INIT(&rig->subs);
    TAILQ_INIT(&rig->no_subs);
    ingress_init(&rig->ingress, rig->pool, &rig->publisher);
    ingress_init(&rig->none, rig->pool, &rig->receiver);
    struct feedback_config tells = {.transport = &rig->upstream,
                                    .ingress = &rig->ingress,
                                    .subs = &rig->no_subs,
                                    .stats = &rig->publisher,
                                    .ssrc = 1,
                                    .cname = "roda"};
    struct feedback_config hears = {.transport = &rig->downstream,
                                    .ingress = &rig->none,
                                    .subs = &rig->subs,
                                    .stats = &rig->receiver,
                                    .ssrc = 1,
                                    .cname = "roda"};
    feedback_init(&rig->tells, &tells);
    feedback_init(&rig->hears, &hears);
}

// One codec from RIG_PT to RIG_OUT_PT, every house extension under its own number on both sides.
static inline void rig_agree(struct rig *rig, enum codec codec)
{
    struct uplink *uplink = &rig->ingress.uplink;
    uplink->pt[RIG_PT] = (struct uplink_pt){.kind = UPLINK_MEDIA, .codec = codec};
    uplink->pt[RIG_RTX_PT] = (struct uplink_pt){.kind = UPLINK_RTX, .apt = RIG_PT};
    rig->sink.pt[codec] = RIG_OUT_PT;
    rig->sink.rtx_pt[codec] = RIG_OUT_RTX_PT;
    for (enum ext_house house = EXT_NONE + 1; house < EXT_HOUSE_COUNT; house++) {
        g_assert_cmpint(ext_map_add(&uplink->ext, (uint8_t)house, house), ==, 0);
        rig->sink.ext_id[house] = (uint8_t)(EXT_HOUSE_COUNT - house);
    }
}

static inline void rig_publish(struct rig *rig, bool video)
{
    struct track_config cfg = {.uplink = &rig->ingress.uplink,
                               .mid = "m",
                               .cname = "ann",
                               .source = video ? SFU_CAMERA : SFU_MICROPHONE,
                               .video = video,
                               .nack = true,
                               .pli = true};
    rig->track = track_new(&cfg);
    track_accept_pt(rig->track, RIG_PT);
    track_accept_pt(rig->track, RIG_RTX_PT);
    g_assert_cmpint(ingress_declare(&rig->ingress, rig->track, 0, false, RIG_SSRC), ==, 0);
    g_assert_cmpint(ingress_declare(&rig->ingress, rig->track, 0, true, RIG_RTX_SSRC), ==, 0);
}

static inline struct sub *rig_subscribe(struct rig *rig)
{
    struct sub_config cfg = {.track = rig->track,
                             .sink = &rig->sink,
                             .stats = &rig->receiver,
                             .ssrc = RIG_OUT_SSRC,
                             .rtx_ssrc = RIG_OUT_RTX_SSRC};
    struct sub *sub = sub_new(&cfg);
    TAILQ_INSERT_TAIL(&rig->subs, sub, of_peer);
    return sub;
}

static inline void rig_unsubscribe(struct rig *rig, struct sub *sub)
{
    TAILQ_REMOVE(&rig->subs, sub, of_peer);
    sub_free(sub);
}

static inline void rig_open(struct rig *rig, enum codec codec)
{
    rig_init(rig);
    rig_agree(rig, codec);
    rig_publish(rig, codec_is_video(codec));
    rig->sub = rig_subscribe(rig);
}

static inline void rig_unpublish(struct rig *rig)
{
    sub_detach_all(rig->track);
    ingress_forget(&rig->ingress, rig->track);
    track_free(rig->track);
    rig->track = NULL;
}

static inline void rig_close(struct rig *rig)
{
    while (!TAILQ_EMPTY(&rig->subs))
        rig_unsubscribe(rig, TAILQ_FIRST(&rig->subs));
    if (rig->track)
        rig_unpublish(rig);
    g_assert_cmpuint(rig->streams, ==, 0);
    g_assert_cmpuint(pool_in_use(rig->pool), ==, 0);
    ingress_clear(&rig->ingress);
    ingress_clear(&rig->none);
    pool_free(rig->pool);
    g_free(rig->out);
}

// ---- packets -------------------------------------------------------------------------------------------------

// Bytes arrive from the publisher.
static inline void rig_rx(struct rig *rig, const uint8_t *buf, size_t len)
{
    struct packet *packet = packet_new(rig->pool);
    g_assert(packet && len <= sizeof(packet->buf));
    memcpy(packet->buf, buf, len);
    packet->len = (uint16_t)len;
    packet->received_us = rig->now_us;
    g_assert_cmpint(rtp_parse(&packet->rtp, packet->buf, len), ==, RTP_OK);
    ingress_rx(&rig->ingress, packet, rig->now_us);
    ingress_flush(&rig->ingress, rig->now_us);
    packet_unref(packet);
}

// A packet to be; the extension list's data is borrowed.
struct rig_packet {
    uint16_t seq;
    uint32_t ts;
    uint32_t ssrc; // 0: RIG_SSRC
    uint8_t pt;    // 0: RIG_PT
    bool marker;
    const void *payload;
    size_t len; // 0: only padding
    struct ext_list ext;
};

static inline void rig_send(struct rig *rig, const struct rig_packet *p)
{
    uint8_t buf[PACKET_ROOM];
    struct rtp head = {.ts = p->ts, .seq = p->seq, .marker = p->marker};
    head.ssrc = p->ssrc ? p->ssrc : RIG_SSRC;
    head.pt = p->pt ? p->pt : RIG_PT;
    rtp_header_write(&head, p->ext.n > 0, buf, sizeof(buf));
    struct writer w = writer_of(buf, sizeof(buf));
    writer_room(&w, RTP_HEADER_LEN + ext_list_write(&p->ext, buf + RTP_HEADER_LEN, sizeof(buf) - RTP_HEADER_LEN));
    writer_bytes(&w, p->payload, p->len);
    g_assert(w.ok);
    rig_rx(rig, buf, p->len ? writer_len(&w) : rtp_pad(buf, writer_len(&w), sizeof(buf), 10));
}

// A whole VP8 frame in one packet: 15-bit picture id, TL0PICIDX, temporal layer.
static inline void rig_vp8(struct rig *rig, uint16_t seq, uint16_t picture_id, unsigned temporal, bool key)
{
    uint8_t payload[40] = {0x90, 0xe0, 0x80 | picture_id >> 8, (uint8_t)picture_id, 7, (uint8_t)(temporal << 6),
                           !key};
    static const uint8_t start[] = {0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00};
    memcpy(payload + 9, start, key ? sizeof(start) : 0);
    payload[39] = (uint8_t)seq;
    struct rig_packet p = {
        .seq = seq, .ts = picture_id * 3000u, .marker = true, .payload = payload, .len = sizeof(payload)};
    rig_send(rig, &p);
}

// ---- RTCP ----------------------------------------------------------------------------------------------------

static inline void rig_nack(struct rig *rig, const uint16_t *seqs, size_t n)
{
    uint8_t buf[FEEDBACK_PACKET_MAX];
    struct writer w = writer_of(buf, sizeof(buf));
    g_assert_cmpuint(rtcpfb_nack_write(&w, 9, RIG_OUT_SSRC, seqs, n), ==, n);
    feedback_rx(&rig->hears, buf, writer_len(&w), rig->now_us);
}

static inline void rig_tick(struct rig *rig, int64_t us)
{
    for (int64_t end = rig->now_us + us; rig->now_us < end;) {
        rig->now_us += 10000;
        if (feedback_due(&rig->tells) <= rig->now_us)
            feedback_tick(&rig->tells, rig->now_us, rig->now_us);
        if (feedback_due(&rig->hears) <= rig->now_us)
            feedback_tick(&rig->hears, rig->now_us, rig->now_us);
    }
}

// How many packets of a kind (`fmt` -1: any) the transport was given since its `from`-th compound.
static inline unsigned rig_count(const struct transport *transport, unsigned from, enum rtcp_type type, int fmt)
{
    unsigned n = 0;
    for (; from < transport->count; from++) {
        const struct rig_rtcp *c = &transport->rtcp[from % RIG_RTCP_MAX];
        struct reader r = reader_of(c->buf, c->len);
        struct rtcp rtcp;
        while (rtcp_next(&r, &rtcp))
            n += rtcp.type == type && (fmt < 0 || rtcp.count == fmt);
        g_assert(r.ok);
    }
    return n;
}
