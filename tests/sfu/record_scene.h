// How does a call in real time go, with puppets that send what a browser once sent?
// SPDX-License-Identifier: MIT
//
// The real sfu with its threads (stage.h), fed from captures (record_rig.h). It remembers what it is told of
// recordings and taps. Include it behind cmocka.h.
#pragma once

#include "rtp/rtcp.h"
#include "tests/sfu/record_rig.h"
#include "tests/sfu/stage.h"

enum { WALL_OFFSET_US = 50 * RIG_SECOND_US }; // puppets' wall clocks minus ours

// ---- what puppets send -------------------------------------------------------------------------------------------

// One stream of a puppet. It begins its loop anew, with the key frame, when it is asked for one.
struct voice {
    struct actor *actor;
    const struct rig_loop *loop;
    unsigned next;
    int64_t start_us, turn_us; // first packet; first packet of this turn
    uint16_t seq;
    uint32_t ts;
    int64_t report_us;
};

struct scene {
    struct stage stage;
    struct voice voices[2 * CAST_MAX];
    unsigned voice_count;
    char *dir;
    unsigned loss_percent; // of what puppets send

    // the last of each
    bool recording, tapped;
    enum sfu_reason recording_reason, tap_reason;
    char *recording_text, *tap_text;
    uint64_t recording_tag, tap_tag;
    unsigned recording_events, tap_events;
    int64_t tapped_packets; // as the workers count them
};

static inline bool is_video(const struct voice *v)
{
    return codec_is_video(v->loop->codec);
}

static inline uint32_t ts_at(const struct voice *v, int64_t now_us)
{
    return v->ts + (uint32_t)ntp_us_to_ts(now_us - v->start_us, codec_clock_hz(v->loop->codec));
}

static inline void send_packet(struct voice *v, bool is_lost)
{
    const struct rig_packet *p = &v->loop->packet[v->next];
    uint8_t buf[2048];
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, p->data, p->len), RTP_OK);
    struct rtp head = {.ts = ts_at(v, v->turn_us + p->at_us),
                       .ssrc = puppet_ssrc(v->actor->puppet, is_video(v)),
                       .seq = v->seq++,
                       .pt = is_video(v) ? PUPPET_VIDEO_PT : PUPPET_AUDIO_PT,
                       .marker = rtp.marker};
    rtp_header_write(&head, false, buf, sizeof(buf));
    memcpy(buf + RTP_HEADER_LEN, p->data + rtp.payload_off, rtp.payload_len);
    if (rtp.payload_len && !is_lost)
        puppet_send_rtp(v->actor->puppet, buf, RTP_HEADER_LEN + (size_t)rtp.payload_len);
}

static inline void send_report(struct voice *v, int64_t now_us)
{
    uint8_t buf[256];
    struct rtcp_sr sr = {.ssrc = puppet_ssrc(v->actor->puppet, is_video(v)),
                         .ntp = ntp_from_us(now_wall_us() + WALL_OFFSET_US),
                         .ts = ts_at(v, now_us)};
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_sr_write(&w, &sr, NULL, 0);
    rtcp_sdes_write(&w, sr.ssrc, "puppet", 6);
    puppet_send_rtcp(v->actor->puppet, buf, writer_len(&w), sizeof(buf));
}

static inline void speak(struct voice *v, unsigned loss_percent, int64_t now_us)
{
    if (!puppet_is_connected(v->actor->puppet) || v->actor->gone)
        return;
    if (!v->start_us)
        v->start_us = v->turn_us = now_us;
    if (is_video(v) && v->actor->keyframe_next) {
        v->actor->keyframe_next = false;
        v->next = 0;
        v->turn_us = now_us;
    }
    while (v->turn_us + v->loop->packet[v->next].at_us <= now_us) {
        send_packet(v, (unsigned)g_random_int_range(0, 100) < loss_percent);
        if (++v->next < v->loop->count)
            continue;
        v->next = 0;
        v->turn_us += v->loop->period_us;
    }
    if (now_us < v->report_us)
        return;
    v->report_us = now_us + RIG_SECOND_US;
    send_report(v, now_us);
}

// ---- the scene ---------------------------------------------------------------------------------------------------

static inline void note(struct scene *s, const struct sfu_event *event)
{
    if (event->type == SFU_RECORDING) {
        s->recording = event->on;
        s->recording_reason = event->reason;
        s->recording_tag = event->tag;
        s->recording_events++;
        g_free(s->recording_text);
        s->recording_text = g_strdup(event->text);
        return;
    }
    s->tapped = event->on;
    s->tap_reason = event->reason;
    s->tap_tag = event->tag;
    s->tap_events++;
    g_free(s->tap_text);
    s->tap_text = g_strdup(event->text);
}

static inline void add_load(struct scene *s, const struct sfu_event *event)
{
    static const char key[] = " tap_packets=";
    const char *at = strstr(event->text, key);
    assert_non_null(at);
    s->tapped_packets += g_ascii_strtoll(at + strlen(key), NULL, 10);
}

static inline void play(struct scene *s)
{
    struct stage *stage = &s->stage;
    struct pollfd fds[CAST_MAX + 1] = {{.fd = stage->wake_fd, .events = POLLIN}};
    for (unsigned i = 0; i < stage->count; i++)
        fds[i + 1] = (struct pollfd){.fd = puppet_fd(stage->cast[i].puppet), .events = POLLIN};
    poll(fds, stage->count + 1, 2);
    uint64_t count;
    ssize_t n = read(stage->wake_fd, &count, sizeof(count));
    (void)n;
    for (struct sfu_event *event; (event = sfu_next_event(stage->sfu)); sfu_event_free(event)) {
        if (event->type == SFU_RECORDING || event->type == SFU_TAP)
            note(s, event);
        else if (event->type == SFU_LOAD_DATA)
            add_load(s, event);
        else
            hear(stage, event);
    }
    for (unsigned i = 0; i < stage->count; i++) {
        puppet_rx(stage->cast[i].puppet, now_monotonic_us());
        puppet_tick(stage->cast[i].puppet, now_monotonic_us());
    }
    for (unsigned i = 0; i < s->voice_count; i++)
        speak(&s->voices[i], s->loss_percent, now_monotonic_us());
}

#define PLAY_UNTIL(scene, condition)                                                                                 \
    do {                                                                                                             \
        int64_t deadline_us = now_monotonic_us() + 3 * (int64_t)DEADLINE_US;                                         \
        while (!(condition)) {                                                                                       \
            if (now_monotonic_us() > deadline_us)                                                                    \
                fail_msg("waited in vain for: %s", #condition);                                                      \
            play(scene);                                                                                             \
        }                                                                                                            \
    } while (0)

static inline void play_for(struct scene *s, double seconds)
{
    int64_t end_us = now_monotonic_us() + (int64_t)(seconds * RIG_SECOND_US);
    while (now_monotonic_us() < end_us)
        play(s);
}

static inline struct actor *enter(struct scene *s, uint64_t peer)
{
    struct actor *a = join(&s->stage, peer);
    s->voices[s->voice_count++] = (struct voice){.actor = a, .loop = opus};
    s->voices[s->voice_count++] = (struct voice){.actor = a, .loop = vp8};
    return a;
}

static inline void raise_curtain(struct scene *s, bool recorder, const char *hook)
{
    *s = (struct scene){.dir = recorder ? media_dir() : NULL};
    begin_with(&s->stage, &(struct sfu_config){.record_dir = s->dir, .record_hook = hook});
}

static inline void drop_curtain(struct scene *s)
{
    end(&s->stage);
    if (s->dir)
        media_remove(s->dir);
    g_free(s->recording_text);
    g_free(s->tap_text);
}

static inline void reload(struct scene *s, struct actor *a)
{
    char sdp[PUPPET_SDP_MAX];
    puppet_free(a->puppet);
    a->puppet = new_puppet(&s->stage, a);
    a->state = SFU_NEW;
    a->seen_count = 0;
    for (unsigned i = 0; i < s->voice_count; i++)
        if (s->voices[i].actor == a)
            s->voices[i] = (struct voice){.actor = a, .loop = s->voices[i].loop, .ts = g_random_int()};
    puppet_offer(a->puppet, sdp);
    sfu_offer(s->stage.sfu, ROOM, a->peer, 42, sdp, NULL, 0);
}

static inline double since(int64_t from_us)
{
    return (double)(now_monotonic_us() - from_us) / RIG_SECOND_US;
}
