// Who plays in a call over real sockets? (the real sfu with its threads, and puppets in place of browsers)
// SPDX-License-Identifier: MIT
//
// Include it behind cmocka.h.
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rtp/bytes.h"
#include "sfu/now.h"
#include "sfu/sfu.h"
#include "tests/puppet/puppet.h"

enum {
    CAST_MAX = 4,
    ROOM = 7,
    DEADLINE_US = 10000000,
    PACKET_LEN = 200,
    SEEN_MAX = 64,
};

// One participant of the test.
struct actor {
    uint64_t peer;
    char user[16];
    struct puppet *puppet;
    struct stage *stage;
    uint16_t audio_seq, video_seq;
    uint32_t ts;
    bool keyframe_next;

    // what it received, by SSRC
    struct {
        uint32_t ssrc;
        uint64_t packets, keyframes;
        uint16_t last_seq;
        uint64_t gaps;
    } seen[SEEN_MAX];
    unsigned seen_count;
    uint64_t audio_packets, video_packets, rtcp_packets;

    // what it was told
    unsigned answers, offers, accepted, refused, tracks;
    enum sfu_reason reason;
    enum sfu_state state;
    bool gone;
};

struct stage {
    struct sfu *sfu;
    int wake_fd;
    struct dtls_cert *cert;
    struct actor cast[CAST_MAX];
    unsigned count;
    bool room_freed;
    uint64_t speaker;
    char *stats;
    GString *load; // what all workers said
    unsigned loads;
};

static inline void wake(void *arg)
{
    uint64_t one = 1;
    struct stage *s = arg;
    ssize_t n = write(s->wake_fd, &one, sizeof(one));
    (void)n;
}

static inline void on_rtp(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us)
{
    struct actor *a = arg;
    (void)puppet;
    (void)now_us;
    assert_true(len >= 12);
    uint32_t ssrc = rd32(data + 8);
    uint16_t seq = rd16(data + 2);
    unsigned i = 0;
    while (i < a->seen_count && a->seen[i].ssrc != ssrc)
        i++;
    assert_true(i < SEEN_MAX);
    if (i == a->seen_count)
        a->seen[a->seen_count++].ssrc = ssrc;
    else if ((uint16_t)(seq - a->seen[i].last_seq) != 1)
        a->seen[i].gaps++;
    a->seen[i].last_seq = seq;
    a->seen[i].packets++;
    if ((data[1] & 0x7f) == PUPPET_AUDIO_PT)
        a->audio_packets++;
    else
        a->video_packets++;
}

// A PLI (RFC 4585 section 6.3.1) makes the next picture a key frame, as in a browser.
static inline void on_rtcp(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us)
{
    struct actor *a = arg;
    (void)puppet;
    (void)now_us;
    a->rtcp_packets++;
    for (size_t at = 0; at + 4 <= len; at += 4 + 4 * (size_t)rd16(data + at + 2)) {
        if (data[at + 1] == 206 && (data[at] & 31) == 1)
            a->keyframe_next = true;
    }
}

static inline void begin_with(struct stage *s, const struct sfu_config *base)
{
    static const char *const bind[] = {"127.0.0.1", NULL};
    char err[256] = "";
    memset(s, 0, sizeof(*s));
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->load = g_string_new(NULL);
    struct sfu_config cfg = *base;
    cfg.workers = 2;
    if (!cfg.busy_max)
        cfg.busy_max = 1000; // a machine that is slow, or slowed by sanitizers, is not to refuse anybody
    cfg.bind_address = bind;
    cfg.wake = wake;
    cfg.wake_arg = s;
    s->sfu = sfu_new(&cfg, err, sizeof(err));
    if (!s->sfu)
        fail_msg("%s", err);
    s->cert = dtls_cert_new();
}

static inline void begin(struct stage *s)
{
    begin_with(s, &(struct sfu_config){0});
}

static inline void end(struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++)
        puppet_free(s->cast[i].puppet);
    sfu_free(s->sfu);
    dtls_cert_free(s->cert);
    close(s->wake_fd);
    g_free(s->stats);
    g_string_free(s->load, TRUE);
}

static inline struct actor *actor_of(struct stage *s, uint64_t peer)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].peer == peer)
            return &s->cast[i];
    }
    return NULL;
}

static inline void hear(struct stage *s, const struct sfu_event *event)
{
    struct actor *a = actor_of(s, event->peer);
    char sdp[PUPPET_SDP_MAX];
    switch (event->type) {
    case SFU_OFFER:
        a->offers++;
        puppet_answer(a->puppet, event->text, sdp);
        sfu_answer(s->sfu, ROOM, a->peer, 1, sdp, NULL, 0);
        break;
    case SFU_ANSWER:
        a->answers++;
        puppet_take_answer(a->puppet, event->text);
        break;
    case SFU_ACCEPTED:
        a->accepted++;
        break;
    case SFU_REFUSED:
        a->refused++;
        a->reason = event->reason;
        break;
    case SFU_STATE:
        a->state = event->state;
        break;
    case SFU_TRACKS:
        a->tracks = (unsigned)event->track_count;
        break;
    case SFU_GONE:
        a->gone = true;
        a->reason = event->reason;
        break;
    case SFU_ROOM_FREED:
        s->room_freed = true;
        break;
    case SFU_SPEAKER:
        s->speaker = event->peer;
        break;
    case SFU_STATS_DATA:
        g_free(s->stats);
        s->stats = g_strdup(event->text);
        break;
    case SFU_LOAD_DATA:
        s->loads++;
        g_string_append_printf(s->load, " %s", event->text);
        break;
    default:
        break;
    }
}

static inline void step(struct stage *s)
{
    struct pollfd fds[CAST_MAX + 1] = {{.fd = s->wake_fd, .events = POLLIN}};
    for (unsigned i = 0; i < s->count; i++)
        fds[i + 1] = (struct pollfd){.fd = puppet_fd(s->cast[i].puppet), .events = POLLIN};
    poll(fds, s->count + 1, 2);
    uint64_t count;
    ssize_t n = read(s->wake_fd, &count, sizeof(count));
    (void)n;
    struct sfu_event *event;
    while ((event = sfu_next_event(s->sfu))) {
        hear(s, event);
        sfu_event_free(event);
    }
    for (unsigned i = 0; i < s->count; i++) {
        puppet_rx(s->cast[i].puppet, now_monotonic_us());
        puppet_tick(s->cast[i].puppet, now_monotonic_us());
    }
}

// Runs the stage until a condition holds; fails the test when it does not in time.
#define UNTIL(stage, condition)                                                                                      \
    do {                                                                                                             \
        int64_t deadline_us = now_monotonic_us() + DEADLINE_US;                                                      \
        while (!(condition)) {                                                                                       \
            if (now_monotonic_us() > deadline_us)                                                                    \
                fail_msg("waited in vain for: %s", #condition);                                                      \
            step(stage);                                                                                             \
        }                                                                                                            \
    } while (0)

static inline struct puppet *new_puppet(struct stage *s, struct actor *a)
{
    struct puppet_config cfg = {.cert = s->cert,
                                .audio = true,
                                .video = true,
                                .audio_ssrc = 1000 * (uint32_t)a->peer + g_random_int_range(1, 100) * 4,
                                .handlers = {.rtp = on_rtp, .rtcp = on_rtcp},
                                .arg = a};
    cfg.video_ssrc = cfg.audio_ssrc + 1;
    return puppet_new(&cfg);
}

static inline struct actor *join(struct stage *s, uint64_t peer)
{
    char sdp[PUPPET_SDP_MAX];
    struct actor *a = &s->cast[s->count];
    *a = (struct actor){.peer = peer, .stage = s, .keyframe_next = true};
    g_snprintf(a->user, sizeof(a->user), "user-%u", (unsigned)peer);
    a->puppet = new_puppet(s, a);
    s->count++;
    sfu_join(s->sfu, ROOM, peer, a->user);
    puppet_offer(a->puppet, sdp);
    sfu_offer(s->sfu, ROOM, peer, 42, sdp, NULL, 0);
    return a;
}

static inline void write_one(struct actor *a, bool video, uint8_t buf[PACKET_LEN + CIPHER_TRAILER_MAX])
{
    memset(buf, 0, PACKET_LEN);
    buf[0] = 0x80;
    buf[1] = video ? 0x80 | PUPPET_VIDEO_PT : PUPPET_AUDIO_PT;
    wr16(buf + 2, video ? a->video_seq++ : a->audio_seq++);
    wr32(buf + 4, a->ts += 960);
    wr32(buf + 8, puppet_ssrc(a->puppet, video));
    if (!video) {
        buf[12] = 0x78; // an Opus frame of 20 ms
        return;
    }
    // RFC 7741: a one-packet frame; the key frame says 320x180 (RFC 6386 section 9.1).
    static const uint8_t key[] = {0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0}, delta[] = {0x10, 0x11, 0, 0};
    memcpy(buf + 12, a->keyframe_next ? key : delta, a->keyframe_next ? sizeof(key) : sizeof(delta));
    a->keyframe_next = false;
}

static inline void send_one(struct actor *a, bool video)
{
    uint8_t buf[PACKET_LEN + CIPHER_TRAILER_MAX];
    write_one(a, video, buf);
    puppet_send_rtp(a->puppet, buf, PACKET_LEN);
}

static inline void everybody_sends(struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        send_one(&s->cast[i], false);
        send_one(&s->cast[i], true);
    }
    step(s);
}

static inline bool all_connected(const struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].state != SFU_CONNECTED || !puppet_is_connected(s->cast[i].puppet))
            return false;
    }
    return true;
}

// Everybody has an m-line for every other's audio and video, and nothing is left to negotiate.
static inline bool all_see_all(const struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].tracks != 2 * (s->count - 1) || s->cast[i].accepted < s->cast[i].offers)
            return false;
    }
    return all_connected(s);
}

static inline bool all_receive(struct stage *s, uint64_t packets)
{
    everybody_sends(s);
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].audio_packets < packets || s->cast[i].video_packets < packets)
            return false;
    }
    return true;
}

static inline void forget(struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++)
        s->cast[i].audio_packets = s->cast[i].video_packets = 0;
}
