// How does one source of one participant reach a program that is no participant?
// SPDX-License-Identifier: MIT
#include "sfu/tap.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rtp/rtcp.h"
#include "rtp/rtp.h"
#include "sfu/address.h"
#include "sfu/command.h"
#include "sfu/house.h"
#include "sfu/sub.h"

enum { TICK_US = 50000, RTCP_LEN_MAX = 512, SDP_LEN_MAX = 1024 };

struct tap {
    struct ear ear;
    struct sink sink;

    // fixed at birth
    struct worker *worker;
    struct mailbox *events;
    struct flow *sent;
    uint64_t room, tag, peer;
    enum sfu_source source;
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    int fd;
    union sockaddr_any rtp, rtcp; // where it sends

    // the stream; NULL: not there, not published
    struct peer *publisher;
    struct sub *sub;
    struct track *track;
    uint8_t pt, told_pt; // of the last packet, and as told; 0: none yet
    struct stats stats;
    int64_t tick_us;
};

static struct tap *tap_of_ear(const struct ear *ear)
{
    return (struct tap *)ear;
}

static struct tap *tap_of_sink(struct sink *sink)
{
    return (struct tap *)((char *)sink - offsetof(struct tap, sink));
}

static void tell(struct tap *t, bool on, enum sfu_reason reason, const char *text)
{
    struct sfu_event event = {.type = SFU_TAP,
                              .room = t->room,
                              .tag = t->tag,
                              .peer = t->peer,
                              .source = t->source,
                              .on = on,
                              .reason = reason,
                              .text = text};
    event_post(t->events, &event);
}

// ---- the sink ----------------------------------------------------------------------------------------------------

static uint16_t stream_open(struct sink *sink, uint32_t ssrc)
{
    (void)sink;
    (void)ssrc;
    return 0;
}

static void stream_close(struct sink *sink, uint16_t stream)
{
    (void)sink;
    (void)stream;
}

static bool send_to(struct tap *t, const union sockaddr_any *to, const void *data, size_t len)
{
    bool ok = sendto(t->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, address_len(to)) >= 0;
    if (!ok)
        stats_drop(&t->stats, DROP_SEND_FAILED);
    return ok;
}

static void tx(struct sink *sink, struct packet *out)
{
    struct tap *t = tap_of_sink(sink);
    t->pt = out->buf[1] & 0x7f;
    if (send_to(t, &t->rtp, out->buf, out->len))
        flow_add(t->sent, out->len);
    packet_unref(out);
}

static const struct sink_ops sink_ops = {.stream_open = stream_open, .stream_close = stream_close, .tx = tx};

// ---- the room's calls --------------------------------------------------------------------------------------------

static void on_joined(struct ear *ear, struct peer *peer)
{
    struct tap *t = tap_of_ear(ear);
    if (peer->cfg.id == t->peer)
        t->publisher = peer;
}

static void begin_stream(struct tap *t, struct track *track, int64_t now_us)
{
    struct sub_config cfg = {.track = track, .sink = &t->sink, .stats = &t->stats, .ssrc = g_random_int()};
    t->sub = sub_new(&cfg);
    t->track = track;
    t->pt = t->told_pt = 0;
    sub_tick(t->sub, now_us);
}

static void end_stream(struct tap *t, enum sfu_reason reason)
{
    if (!t->sub)
        return;
    sub_free(t->sub);
    t->sub = NULL;
    t->track = NULL;
    tell(t, false, reason, NULL);
}

static void on_unpublished(struct ear *ear, struct track *track)
{
    struct tap *t = tap_of_ear(ear);
    if (t->track == track)
        end_stream(t, SFU_OK);
}

static void on_leaving(struct ear *ear, struct peer *peer)
{
    struct tap *t = tap_of_ear(ear);
    if (t->publisher != peer)
        return;
    end_stream(t, SFU_LEFT);
    t->publisher = NULL;
}

// RFC 8866, as an RTP receiver wants it: where the packets arrive and what is in them.
static void print_sdp(const struct tap *t, const struct house_codec *house, char *buf, size_t cap)
{
    enum codec codec = house->codec;
    const char *ip = t->rtp.sa.sa_family == AF_INET6 ? "IP6" : "IP4";
    char channels[8] = "";
    if (codec_channels(codec))
        g_snprintf(channels, sizeof(channels), "/%u", codec_channels(codec));
    int len = g_snprintf(buf, cap,
                         "v=0\r\no=- 0 0 IN %s %s\r\ns=%s\r\nc=IN %s %s\r\nt=0 0\r\n"
                         "m=%s %u RTP/AVP %u\r\na=rtpmap:%u %s/%u%s\r\n",
                         ip, t->address, sfu_source_name(t->source), ip, t->address,
                         codec_is_video(codec) ? "video" : "audio", t->port, house->pt, house->pt, codec_name(codec),
                         codec_clock_hz(codec), channels);
    if (house->fmtp[0])
        g_snprintf(buf + len, cap - (size_t)len, "a=fmtp:%u %s\r\n", house->pt, house->fmtp);
}

static void tell_codec(struct tap *t)
{
    char sdp[SDP_LEN_MAX];
    const struct house_codec *house = house_find_pt(t->pt);
    g_assert(house);
    t->told_pt = t->pt;
    print_sdp(t, house, sdp, sizeof(sdp));
    tell(t, true, SFU_OK, sdp);
}

static void send_report(struct tap *t, int64_t now_us, int64_t wall_us)
{
    uint8_t buf[RTCP_LEN_MAX];
    struct rtcp_sr sr;
    if (!sub_report(t->sub, now_us, wall_us, &sr))
        return;
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_sr_write(&w, &sr, NULL, 0);
    rtcp_sdes_write(&w, t->sub->ssrc, t->track->cname, strlen(t->track->cname));
    send_to(t, &t->rtcp, buf, writer_len(&w));
}

// A publisher may say at any time that a track shows something else.
static void follow_source(struct tap *t, int64_t now_us)
{
    struct track *track;
    if (t->track && t->track->source != t->source)
        end_stream(t, SFU_OK);
    if (t->track || !t->publisher)
        return;
    TAILQ_FOREACH (track, &t->publisher->ingress.uplink.tracks, entry) {
        if (track->source != t->source)
            continue;
        begin_stream(t, track, now_us);
        return;
    }
}

static void tick(struct ear *ear, int64_t now_us, int64_t wall_us)
{
    struct tap *t = tap_of_ear(ear);
    if (now_us < t->tick_us)
        return;
    t->tick_us = now_us + TICK_US;
    follow_source(t, now_us);
    if (!t->sub)
        return;
    sub_tick(t->sub, now_us);
    if (t->pt != t->told_pt)
        tell_codec(t);
    send_report(t, now_us, wall_us);
}

static void free_tap(struct ear *ear, enum sfu_reason reason)
{
    struct tap *t = tap_of_ear(ear);
    if (t->sub)
        end_stream(t, reason);
    else
        tell(t, false, reason, NULL);
    close(t->fd);
    g_free(t);
}

static const struct ear_ops ear_ops = {
    .joined = on_joined,
    .leaving = on_leaving,
    .unpublished = on_unpublished,
    .tick = tick,
    .free = free_tap,
};

// ---- life --------------------------------------------------------------------------------------------------------

static bool resolve(struct tap *t, const char *address, uint16_t port)
{
    if (port == 0 || port == UINT16_MAX || !address_parse(&t->rtp, address))
        return false;
    t->rtcp = t->rtp;
    address_set_port(&t->rtp, port);
    address_set_port(&t->rtcp, (uint16_t)(port + 1));
    return true;
}

struct ear *tap_new(const struct tap_config *cfg)
{
    struct tap *t = g_new0(struct tap, 1);
    bool ok = resolve(t, cfg->address, cfg->port);
    t->fd = ok ? socket(t->rtp.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (t->fd < 0) {
        g_free(t);
        return NULL;
    }
    t->ear.ops = &ear_ops;
    t->sink.ops = &sink_ops;
    t->sink.ready = true;
    house_fill_sink(&t->sink);
    t->sink.pt[CODEC_RED] = 0; // Opus comes out of RED: fewer programs know it
    t->worker = cfg->worker;
    t->events = cfg->events;
    t->sent = cfg->sent;
    t->room = cfg->room;
    t->tag = cfg->tag;
    t->peer = cfg->peer;
    t->source = cfg->source;
    t->port = cfg->port;
    g_strlcpy(t->address, cfg->address, sizeof(t->address));
    return &t->ear;
}

uint64_t tap_tag(const struct ear *ear)
{
    return tap_of_ear(ear)->tag;
}
