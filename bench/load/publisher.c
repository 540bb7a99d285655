// What does one participant send?
// SPDX-License-Identifier: MIT
#include "bench/load/publisher.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#include "rtp/ext.h"
#include "rtp/ntp.h"
#include "rtp/rtcp.h"
#include "rtp/rtcpfb.h"
#include "rtp/rtp.h"

enum {
    REPORT_US = 1000000,
    BEHIND_US = 100000, // a frame this late is left out
    VIDEO_HZ = 90000,
    AUDIO_HZ = 48000,
    ROOM = 1536,
    PAYLOAD_MIN = 40,
};

// Packets of one frame. The content is noise, as that of an encoder.
static uint8_t packets[PUPPET_BATCH][ROOM];
static uint8_t noise[ROOM];

static int64_t wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

// Header and extension; returns where the payload begins.
static size_t write_head(struct publisher *p, const struct rtp *rtp, uint8_t *buf)
{
    uint8_t number[2], id = p->traffic->twcc ? puppet_twcc_id(p->puppet) : 0;
    struct ext_list list = {0};
    size_t len = rtp_header_write(rtp, id != 0, buf, ROOM);
    if (!id)
        return len;
    ext_list_add(&list, id, number, ext_twcc_write(number, p->twcc_seq++));
    return len + ext_list_write(&list, buf + len, ROOM - len);
}

static size_t write_packet(struct publisher *p, const struct rtp *rtp, uint8_t *buf, size_t len)
{
    size_t head = write_head(p, rtp, buf);
    g_assert(len >= head + PAYLOAD_MIN);
    memcpy(buf + head, noise, len - head);
    return head;
}

// RFC 7741 section 4.2: X, S in the first packet, then a picture id of 15 bits; RFC 6386 section 9.1.
static void write_vp8(struct publisher *p, uint8_t *payload, bool first, bool key)
{
    static const uint8_t key_head[] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
    payload[0] = first ? 0x90 : 0x80;
    payload[1] = 0x80;
    wr16(payload + 2, 0x8000 | (p->picture_id & 0x7fff));
    if (first && key)
        memcpy(payload + 4, key_head, sizeof(key_head));
    else if (first)
        payload[4] = 0x11;
}

static void send_frame(struct publisher *p)
{
    const struct traffic *t = p->traffic;
    bool key = p->key_next;
    double bytes = t->frame_bytes * (1 + t->vary * (2 * g_random_double() - 1)) * (key ? t->key_factor : 1);
    unsigned total = (unsigned)bytes, count = CLAMP((total + t->packet_bytes - 1) / t->packet_bytes, 1, PUPPET_BATCH);
    uint8_t *frame[PUPPET_BATCH];
    size_t lens[PUPPET_BATCH], heads[PUPPET_BATCH];
    for (unsigned i = 0; i < count; i++) {
        struct rtp rtp = {.ts = p->video_ts,
                          .ssrc = puppet_ssrc(p->puppet, true),
                          .seq = p->video_seq++,
                          .pt = PUPPET_VIDEO_PT,
                          .marker = i == count - 1};
        lens[i] = MIN(total / count + (i >= count - total % count), t->packet_bytes);
        frame[i] = packets[i];
        heads[i] = write_packet(p, &rtp, frame[i], lens[i]);
        write_vp8(p, frame[i] + heads[i], i == 0, key);
    }
    int64_t now_ns = wall_ns();
    for (unsigned i = 0; i < count; i++)
        stamp_write(frame[i] + heads[i], now_ns);
    if (!puppet_send_frame(p->puppet, frame, lens, count))
        p->output->refused += count;
    p->output->packets += count;
    p->output->frames++;
    p->output->key_frames += key;
    p->video_packets += count;
    p->picture_id++;
    p->key_next = false;
}

static void send_audio(struct publisher *p)
{
    struct rtp rtp = {
        .ts = p->audio_ts, .ssrc = puppet_ssrc(p->puppet, false), .seq = p->audio_seq++, .pt = PUPPET_AUDIO_PT};
    size_t len = p->traffic->audio_bytes, head = write_packet(p, &rtp, packets[0], len);
    packets[0][head] = 0x78; // RFC 6716 section 3.1: 20 ms of CELT
    stamp_write(packets[0] + head, wall_ns());
    if (!puppet_send_rtp(p->puppet, packets[0], len))
        p->output->refused++;
    p->output->packets++;
    p->audio_packets++;
}

// When the next one is due. Who is far behind leaves out what nobody could have sent.
static int64_t next_us(struct publisher *p, const struct timer *timer, double per_s, int64_t now_us)
{
    int64_t period_us = (int64_t)(1e6 / per_s), due_us = timer->due_us + period_us;
    while (due_us < now_us - BEHIND_US) {
        due_us += period_us;
        p->output->behind++;
    }
    return due_us;
}

static void frame_due(void *arg, int64_t now_us)
{
    struct publisher *p = arg;
    timers_set(p->timers, &p->frame, next_us(p, &p->frame, p->traffic->fps, now_us));
    p->video_ts += (uint32_t)(VIDEO_HZ / p->traffic->fps);
    send_frame(p);
}

static void audio_due(void *arg, int64_t now_us)
{
    struct publisher *p = arg;
    timers_set(p->timers, &p->audio, next_us(p, &p->audio, p->traffic->audio_pps, now_us));
    p->audio_ts += (uint32_t)(AUDIO_HZ / p->traffic->audio_pps);
    send_audio(p);
}

static void send_report(struct publisher *p, bool video)
{
    uint8_t buf[256];
    struct writer w = writer_of(buf, sizeof(buf) - CIPHER_TRAILER_MAX);
    struct rtcp_sr sr = {.ssrc = puppet_ssrc(p->puppet, video),
                         .ntp = ntp_from_us(wall_ns() / 1000),
                         .ts = video ? p->video_ts : p->audio_ts,
                         .packets = video ? p->video_packets : p->audio_packets,
                         .octets = video ? p->video_packets * p->traffic->packet_bytes
                                         : p->audio_packets * p->traffic->audio_bytes};
    rtcp_sr_write(&w, &sr, NULL, 0);
    rtcp_sdes_write(&w, sr.ssrc, "puppet", 6);
    puppet_send_rtcp(p->puppet, buf, writer_len(&w), sizeof(buf));
}

static void report_due(void *arg, int64_t now_us)
{
    struct publisher *p = arg;
    timers_set(p->timers, &p->report, now_us + REPORT_US);
    if (p->has_audio)
        send_report(p, false);
    if (p->has_video)
        send_report(p, true);
}

static void start_timer(struct publisher *p, struct timer *timer, void (*run)(void *, int64_t), double per_s,
                        int64_t now_us)
{
    timer->run = run;
    timer->arg = p;
    timers_set(p->timers, timer, now_us + (int64_t)(g_random_double() * 1e6 / per_s));
}

void publisher_start(struct publisher *p, const struct publisher_config *cfg, int64_t now_us)
{
    *p = (struct publisher){.puppet = cfg->puppet,
                            .traffic = cfg->traffic,
                            .timers = cfg->timers,
                            .output = cfg->output,
                            .has_audio = cfg->audio && cfg->traffic->audio_pps > 0,
                            .has_video = cfg->video && cfg->traffic->fps > 0,
                            .key_next = true};
    for (size_t i = 0; noise[0] == 0 && i < sizeof(noise); i++)
        noise[i] = (uint8_t)g_random_int_range(1, 256);
    p->audio_seq = (uint16_t)g_random_int();
    p->video_seq = (uint16_t)g_random_int();
    p->picture_id = (uint16_t)g_random_int();
    if (p->has_video)
        start_timer(p, &p->frame, frame_due, p->traffic->fps, now_us);
    if (p->has_audio)
        start_timer(p, &p->audio, audio_due, p->traffic->audio_pps, now_us);
    start_timer(p, &p->report, report_due, 1e6 / REPORT_US, now_us);
}

void publisher_stop(struct publisher *p)
{
    if (!p->timers)
        return;
    timers_cancel(p->timers, &p->frame);
    timers_cancel(p->timers, &p->audio);
    timers_cancel(p->timers, &p->report);
}

static void hear_feedback(struct publisher *p, const struct rtcp *packet)
{
    struct rtcpfb fb;
    uint16_t seq;
    if (rtcpfb_parse(packet, &fb) < 0)
        return;
    if (fb.kind == RTCPFB_PLI || fb.kind == RTCPFB_FIR) {
        p->output->asked++;
        p->key_next = true;
    }
    p->output->feedback += fb.kind == RTCPFB_TWCC;
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(&fb);
    while (fb.kind == RTCPFB_NACK && rtcpfb_nack_next(&it, &seq))
        p->output->nacked++;
}

void publisher_rx_rtcp(struct publisher *p, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct rtcp packet;
    while (p->timers && rtcp_next(&r, &packet)) {
        if (packet.type == RTCP_RTPFB || packet.type == RTCP_PSFB)
            hear_feedback(p, &packet);
    }
}
