// What does forwarding one packet to one more receiver cost? (in process: no socket, no encryption)
// SPDX-License-Identifier: MIT
//
// One publisher, N receivers whose sinks throw away what they get. Prints nanoseconds per received packet and per
// copy; the difference between rows of N is what a receiver adds.
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/ingress.h"
#include "sfu/now.h"
#include "sfu/sub.h"

enum { PT = 96, OUT_PT = 100, SSRC = 1, SUBS_MAX = 500, COPIES = 4000000, FRAME_PACKETS = 4 };

static uint16_t stream_open(struct sink *sink, uint32_t ssrc)
{
    (void)sink;
    return (uint16_t)ssrc;
}

static void stream_close(struct sink *sink, uint16_t stream)
{
    (void)sink;
    (void)stream;
}

static void throw_away(struct sink *sink, struct packet *out)
{
    (void)sink;
    packet_unref(out);
}

static const struct sink_ops null_ops = {stream_open, stream_close, throw_away, NULL};

struct scene {
    const char *name;
    enum codec codec;
    size_t payload_len;
};

// One packet as a browser sends it: transport-wide number, and an audio level or a VP8 descriptor.
static size_t write_packet(const struct scene *scene, uint32_t n, uint8_t *buf)
{
    bool video = codec_is_video(scene->codec);
    uint32_t frame = video ? n / FRAME_PACKETS : n;
    bool first = n % FRAME_PACKETS == 0, key = frame == 0;
    struct rtp head = {.ts = frame * 3000, .ssrc = SSRC, .seq = (uint16_t)n, .pt = PT};
    head.marker = video && n % FRAME_PACKETS == FRAME_PACKETS - 1;
    uint8_t twcc[2], level = 30;
    struct ext_list list = {0};
    ext_list_add(&list, EXT_TWCC, twcc, ext_twcc_write(twcc, (uint16_t)n));
    if (!video)
        ext_list_add(&list, EXT_AUDIO_LEVEL, &level, 1);
    rtp_header_write(&head, true, buf, RTP_HEADER_LEN);
    uint8_t *p = buf + RTP_HEADER_LEN + ext_list_write(&list, buf + RTP_HEADER_LEN, 64);
    memset(p, 0, 16);
    if (video) { // RFC 7741: X and S; I and L; 15-bit picture id; TL0PICIDX; then the frame's first octet
        p[0] = first ? 0x90 : 0x80;
        p[1] = 0xc0;
        wr16(p + 2, (uint16_t)(0x8000 | frame));
        p[5] = !key;
    } else {
        p[0] = 0xfc;
    }
    return (size_t)(p - buf) + scene->payload_len;
}

static void receive(struct ingress *in, struct pool *pool, const struct scene *scene, uint32_t n)
{
    int64_t now_us = 1000000 + n * INT64_C(1000);
    struct packet *packet = packet_new(pool);
    packet->len = (uint16_t)write_packet(scene, n, packet->buf);
    packet->received_us = now_us;
    rtp_parse(&packet->rtp, packet->buf, packet->len);
    ingress_rx(in, packet, now_us);
    ingress_flush(in, now_us);
    packet_unref(packet);
}

static void run(const struct scene *scene, unsigned subs)
{
    static struct ingress in;
    struct stats stats = {0};
    struct sink sink = {.ops = &null_ops, .ready = true};
    struct sub *sub[SUBS_MAX];
    struct pool *pool = pool_new(4096);
    bool video = codec_is_video(scene->codec);
    uint32_t packets = COPIES / (subs + 10);

    ingress_init(&in, pool, &stats);
    in.uplink.pt[PT] = (struct uplink_pt){.kind = UPLINK_MEDIA, .codec = scene->codec};
    sink.pt[scene->codec] = OUT_PT;
    const enum ext_house exts[] = {EXT_TWCC, EXT_AUDIO_LEVEL};
    for (unsigned i = 0; i < G_N_ELEMENTS(exts); i++) {
        ext_map_add(&in.uplink.ext, (uint8_t)exts[i], exts[i]);
        sink.ext_id[exts[i]] = (uint8_t)(exts[i] + 1);
    }
    struct track_config cfg = {.uplink = &in.uplink, .mid = "0", .cname = "bench", .video = video};
    struct track *track = track_new(&cfg);
    track_accept_pt(track, PT);
    ingress_declare(&in, track, 0, false, SSRC);
    for (unsigned i = 0; i < subs; i++) {
        struct sub_config sub_cfg = {.track = track, .sink = &sink, .stats = &stats, .ssrc = 100 + i};
        sub[i] = sub_new(&sub_cfg);
    }

    for (uint32_t n = 0; n < 1000; n++)
        receive(&in, pool, scene, n);
    int64_t start_us = now_monotonic_us();
    for (uint32_t n = 1000; n < 1000 + packets; n++)
        receive(&in, pool, scene, n);
    double ns = (double)(now_monotonic_us() - start_us) * 1000;
    g_assert_cmpuint(stats.tx.packets, ==, (uint64_t)(1000 + packets) * subs);
    printf("%-5s %5zu bytes  1 -> %-3u  %8.0f ns per packet", scene->name, scene->payload_len, subs, ns / packets);
    if (subs)
        printf("  %6.1f ns per copy", ns / packets / subs);
    printf("\n");

    for (unsigned i = 0; i < subs; i++)
        sub_free(sub[i]);
    ingress_forget(&in, track);
    track_free(track);
    ingress_clear(&in);
    pool_free(pool);
}

int main(void)
{
    static const struct scene scenes[] = {{"opus", CODEC_OPUS, 120}, {"vp8", CODEC_VP8, 1100}};
    static const unsigned subs[] = {0, 1, 10, 50, 200, 500};
    for (unsigned i = 0; i < G_N_ELEMENTS(scenes); i++)
        for (unsigned j = 0; j < G_N_ELEMENTS(subs); j++)
            run(&scenes[i], subs[j]);
    return 0;
}
