// What reached one participant, and what does it tell its sender about it?
// SPDX-License-Identifier: MIT
#include "bench/load/listener.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "rtp/ext.h"
#include "rtp/rtcp.h"
#include "rtp/rtp.h"

void listener_init(struct listener *l, uint32_t own_ssrc)
{
    memset(l, 0, sizeof(*l));
    l->own_ssrc = own_ssrc;
    l->lot = g_random_int() | 1;
    twcc_recv_init(&l->twcc);
}

void listener_learn(struct listener *l, const char *sdp)
{
    static const char line[] = "a=ssrc-group:FID ";
    unsigned media, resend;
    while ((sdp = strstr(sdp, line))) {
        sdp += sizeof(line) - 1;
        if (sscanf(sdp, "%u %u", &media, &resend) == 2 && l->resend_count < LISTENER_STREAMS_MAX)
            l->resends[l->resend_count++] = resend;
    }
}

static struct stream *find(struct listener *l, uint32_t ssrc)
{
    for (unsigned i = 0; i < l->stream_count; i++) {
        if (l->streams[i].ssrc == ssrc)
            return &l->streams[i];
    }
    return NULL;
}

static bool is_media(const struct listener *l, uint32_t ssrc)
{
    for (unsigned i = 0; i < l->resend_count; i++) {
        if (l->resends[i] == ssrc)
            return false;
    }
    return ssrc != PROBATION_SSRC;
}

static struct stream *begin_stream(struct listener *l, uint32_t ssrc, uint16_t seq)
{
    if (l->stream_count == LISTENER_STREAMS_MAX) {
        l->is_full = true;
        return NULL;
    }
    struct stream *s = &l->streams[l->stream_count++];
    *s = (struct stream){.ssrc = ssrc, .first = UINT64_C(65536) + seq};
    s->newest = s->window_base = s->first - 1;
    return s;
}

static void count(struct stream *s, struct tally *tally, uint16_t seq, size_t len)
{
    int16_t ahead = (int16_t)(seq - (uint16_t)s->newest);
    tally->packets++;
    tally->bytes += len;
    s->received++;
    if (ahead <= 0)
        tally->late++;
    else
        s->newest += (uint64_t)ahead;
    s->window_received++;
}

// Xorshift: a fixed step would meet the same packet of every frame.
static bool is_sampled(struct listener *l, unsigned one_in)
{
    l->lot ^= l->lot << 13;
    l->lot ^= l->lot >> 17;
    l->lot ^= l->lot << 5;
    return l->lot % one_in == 0;
}

bool listener_rx_sealed(struct listener *l, struct tally *tally, const struct traffic *traffic, const uint8_t *data,
                        size_t len, uint8_t twcc_id, int64_t arrived_ns)
{
    struct rtp rtp;
    struct ext ext;
    uint16_t number;
    if (rtp_parse_header(&rtp, data, len) != RTP_OK)
        return false;
    if (twcc_id && ext_find(&rtp, data, twcc_id, &ext) && ext_twcc_parse(&ext, &number) == 0)
        twcc_recv_rx(&l->twcc, number, arrived_ns / 1000);
    struct stream *s = find(l, rtp.ssrc);
    if (!s && is_media(l, rtp.ssrc))
        s = begin_stream(l, rtp.ssrc, rtp.seq);
    if (!s)
        return false;
    count(s, tally, rtp.seq, len);
    bool sampled = is_sampled(l, traffic->sample);
    tally->asked += sampled;
    return sampled;
}

void listener_rx_opened(struct listener *l, struct tally *tally, const uint8_t *data, size_t len, int64_t arrived_ns)
{
    struct rtp rtp;
    (void)l;
    tally->opened++;
    if (rtp_parse(&rtp, data, len) != RTP_OK)
        return;
    int64_t left_ns = stamp_read(data + rtp.payload_off, rtp.payload_len);
    if (left_ns)
        histogram_add(&tally->delay, (arrived_ns - left_ns) / 1000);
}

void listener_rx_rtcp(struct listener *l, const uint8_t *data, size_t len, int64_t now_us)
{
    struct reader r = reader_of(data, len), reports;
    struct rtcp packet;
    struct rtcp_sr sr;
    while (rtcp_next(&r, &packet)) {
        struct stream *s =
            packet.type == RTCP_SR && rtcp_sr_parse(&packet, &sr, &reports) == 0 ? find(l, sr.ssrc) : NULL;
        if (!s)
            continue;
        s->lsr = (uint32_t)(sr.ntp >> 16);
        s->sr_us = now_us;
    }
}

void listener_begin(struct listener *l)
{
    for (unsigned i = 0; i < l->stream_count; i++) {
        l->streams[i].window_base = l->streams[i].newest;
        l->streams[i].window_received = 0;
    }
}

void listener_end(const struct listener *l, struct tally *tally)
{
    for (unsigned i = 0; i < l->stream_count; i++) {
        const struct stream *s = &l->streams[i];
        tally->expected += s->newest - s->window_base;
        tally->received += s->window_received;
        tally->silent += s->window_received == 0;
    }
    tally->streams += l->stream_count;
}

static struct rtcp_report report_on(struct stream *s, int64_t now_us)
{
    uint64_t expected = s->newest - s->first + 1;
    int64_t lost_now = (int64_t)(expected - s->told_expected) - (int64_t)(s->received - s->told_received);
    uint64_t expected_now = expected - s->told_expected;
    s->told_expected = expected;
    s->told_received = s->received;
    return (struct rtcp_report){
        .ssrc = s->ssrc,
        .fraction_lost = lost_now > 0 && expected_now ? (uint8_t)((uint64_t)lost_now * 255 / expected_now) : 0,
        .lost = (int32_t)((int64_t)expected - (int64_t)s->received),
        .ext_seq = (uint32_t)(s->newest - 65536),
        .lsr = s->lsr,
        .dlsr = s->lsr ? (uint32_t)((now_us - s->sr_us) * 65536 / 1000000) : 0};
}

size_t listener_report(struct listener *l, uint8_t *buf, int64_t now_us)
{
    struct rtcp_report reports[RTCP_REPORTS_MAX];
    struct writer w = writer_of(buf, LISTENER_REPORT_MAX);
    size_t n = MIN(l->stream_count, RTCP_REPORTS_MAX);
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        reports[i] = report_on(&l->streams[i], now_us);
    rtcp_rr_write(&w, l->own_ssrc, reports, n);
    return w.ok ? writer_len(&w) : 0;
}

size_t listener_feedback(struct listener *l, uint8_t *buf)
{
    uint32_t media_ssrc = l->stream_count ? l->streams[0].ssrc : 0;
    return twcc_recv_write(&l->twcc, l->own_ssrc, media_ssrc, buf, LISTENER_REPORT_MAX);
}
