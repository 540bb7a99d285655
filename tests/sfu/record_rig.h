// What does a recorder's test feed it with, and what does it find afterwards?
// SPDX-License-Identifier: MIT
//
// Streams of a real browser (tests/vectors), repeated as long as needed, put into a record_queue as a worker would.
// Time is the test's. Include it behind cmocka.h.
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rtp/demux.h"
#include "rtp/ntp.h"
#include "rtp/rtp.h"
#include "sfu/house.h"
#include "sfu/record_queue.h"
#include "tests/rtp/rtpdump.h"
#include "tests/sfu/media_check.h"

enum { RIG_PACKETS_MAX = 1024, RIG_SECOND_US = 1000000 };

// ---- streams -----------------------------------------------------------------------------------------------------

struct rig_packet {
    int64_t at_us; // since the stream's first
    size_t len;
    uint8_t *data;
};

// One stream of one capture: its packets in order of sending, without what was sent again.
struct rig_loop {
    enum codec codec;
    unsigned count;
    uint16_t first_seq, seqs;
    uint32_t first_ts, period_ts;
    int64_t period_us;
    struct rig_packet packet[RIG_PACKETS_MAX];
};

static inline void rig_loop_add(struct rig_loop *loop, const struct rtp *rtp, const uint8_t *data, size_t len)
{
    g_assert(loop->count < RIG_PACKETS_MAX);
    if (!loop->count) {
        loop->first_seq = rtp->seq;
        loop->first_ts = rtp->ts;
    }
    struct rig_packet *p = &loop->packet[loop->count++];
    p->at_us = ntp_ts_to_us((int32_t)(rtp->ts - loop->first_ts), codec_clock_hz(loop->codec));
    p->len = len;
    p->data = g_memdup2(data, len);
    loop->seqs = (uint16_t)(rtp->seq - loop->first_seq + 1);
}

static inline struct rig_loop *rig_loop_new(const char *name, uint8_t pt, enum codec codec)
{
    struct rig_loop *loop = g_new0(struct rig_loop, 1);
    char *path = g_strdup_printf("chromium156-plain-rtp/%s.a2b.rtpdump", name);
    struct rtpdump d;
    loop->codec = codec;
    rtpdump_open(&d, path);
    while (rtpdump_next(&d)) {
        struct rtp rtp;
        if (demux(d.buf, d.len) == DEMUX_RTP && rtp_parse(&rtp, d.buf, d.len) == RTP_OK && rtp.pt == pt)
            rig_loop_add(loop, &rtp, d.buf, d.len);
    }
    rtpdump_close(&d);
    g_free(path);
    g_assert(loop->count);
    int64_t frame_us = codec_is_video(codec) ? 50000 : 20000;
    loop->period_us = loop->packet[loop->count - 1].at_us + frame_us;
    loop->period_ts = (uint32_t)ntp_us_to_ts(loop->period_us, codec_clock_hz(codec));
    return loop;
}

static inline void rig_loop_free(struct rig_loop *loop)
{
    for (unsigned i = 0; i < loop->count; i++)
        g_free(loop->packet[i].data);
    g_free(loop);
}

// What most tests are fed with; group fixtures of cmocka.
static struct rig_loop *vp8, *opus, *h264;

static inline int rig_load_loops(void **state)
{
    (void)state;
    vp8 = rig_loop_new("vp8", 96, CODEC_VP8);
    opus = rig_loop_new("vp8", 111, CODEC_OPUS);
    h264 = rig_loop_new("h264cb", 108, CODEC_H264);
    return 0;
}

static inline int rig_free_loops(void **state)
{
    (void)state;
    rig_loop_free(vp8);
    rig_loop_free(opus);
    rig_loop_free(h264);
    return 0;
}

// ---- a track being fed -------------------------------------------------------------------------------------------

struct rig_feed {
    const struct rig_loop *loop;
    struct record_queue *queue;
    uint16_t track;
    uint64_t turn; // of the loop
    unsigned next; // packet of it
    bool silent;   // it sends, but nothing is put (muted)
    unsigned loss_percent;
    int64_t start_us; // when its first packet was sent
    uint64_t puts, refused;
    int64_t put_us; // newest time put
};

static inline void rig_begin_track(struct rig_feed *f, struct record_queue *q, uint16_t track, uint64_t peer,
                                   const char *user, enum sfu_source source, const struct rig_loop *loop,
                                   int64_t now_us)
{
    struct record_item item = {.kind = RECORD_TRACK,
                               .track = track,
                               .at_us = now_us,
                               .peer = peer,
                               .source = source,
                               .on = codec_is_video(loop->codec)};
    *f = (struct rig_feed){.loop = loop, .queue = q, .track = track, .start_us = now_us};
    record_queue_put_text(q, &item, user);
}

static inline void rig_end_track(struct rig_feed *f, int64_t now_us)
{
    struct record_item item = {.kind = RECORD_TRACK_END, .track = f->track, .at_us = now_us};
    record_queue_put(f->queue, &item, NULL, 0);
}

static inline void rig_mute(struct rig_feed *f, bool muted, int64_t now_us)
{
    struct record_item item = {.kind = RECORD_MUTED, .track = f->track, .on = muted, .at_us = now_us};
    record_queue_put(f->queue, &item, NULL, 0);
    f->silent = muted;
}

static inline void rig_put(struct rig_feed *f, int64_t at_us)
{
    const struct rig_packet *p = &f->loop->packet[f->next];
    uint8_t buf[2048];
    memcpy(buf, p->data, p->len);
    buf[1] = (uint8_t)((buf[1] & 0x80) | house_codec(f->loop->codec)->pt);
    wr16(buf + 2, (uint16_t)(rd16(buf + 2) + f->turn * f->loop->seqs));
    wr32(buf + 4, (uint32_t)(rd32(buf + 4) + f->turn * f->loop->period_ts));
    struct record_item item = {.kind = RECORD_PACKET, .track = f->track, .at_us = at_us};
    bool taken = record_queue_put(f->queue, &item, buf, p->len);
    f->puts++;
    f->refused += !taken;
    f->put_us = taken ? at_us : f->put_us;
}

// Sends what is due by now.
static inline void rig_feed_until(struct rig_feed *f, int64_t now_us)
{
    for (;;) {
        int64_t at_us = f->start_us + (int64_t)f->turn * f->loop->period_us + f->loop->packet[f->next].at_us;
        if (at_us > now_us)
            return;
        if (!f->silent && (!f->loss_percent || (unsigned)g_random_int_range(0, 100) >= f->loss_percent))
            rig_put(f, at_us);
        if (++f->next == f->loop->count) {
            f->next = 0;
            f->turn++;
        }
    }
}

// A muted track goes on with the next key frame, which is where the loop begins; its timestamps go on as ever.
static inline void rig_to_next_turn(struct rig_feed *f)
{
    f->next = 0;
    f->turn++;
}

// ---- the room ----------------------------------------------------------------------------------------------------

static inline void rig_begin(struct record_queue *q, const char *dir, int64_t now_us)
{
    struct record_item item = {
        .kind = RECORD_BEGIN, .room = 7, .tag = 1, .at_us = now_us, .wall_us = INT64_C(1700000000000000) + now_us};
    record_queue_put_text(q, &item, dir);
}

static inline void rig_end(struct record_queue *q, int64_t now_us)
{
    struct record_item item = {.kind = RECORD_END, .tag = 2, .at_us = now_us};
    record_queue_put(q, &item, NULL, 0);
    record_queue_flush(q, now_us);
}

static inline void rig_person(struct record_queue *q, enum record_kind kind, uint64_t peer, const char *user,
                              int64_t now_us)
{
    struct record_item item = {.kind = kind, .peer = peer, .at_us = now_us};
    record_queue_put_text(q, &item, user);
}

// ---- what is found -----------------------------------------------------------------------------------------------

static inline json_t *rig_manifest(const char *base, const char *dir)
{
    char *path = g_build_filename(base, dir, "manifest.json", NULL);
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root)
        fail_msg("%s: %s", path, error.text);
    g_free(path);
    return root;
}

static inline const char *rig_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static inline double rig_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static inline json_t *rig_file(const json_t *manifest, size_t index)
{
    json_t *file = json_array_get(json_object_get(manifest, "tracks"), index);
    assert_non_null(file);
    return file;
}

static inline size_t rig_file_count(const json_t *manifest)
{
    return json_array_size(json_object_get(manifest, "tracks"));
}

static inline void rig_near(double value, double truth, double most)
{
    if (value < truth - most || value > truth + most)
        fail_msg("%f is not within %f of %f", value, most, truth);
}

// The file decodes, and is as long as the manifest says.
static inline void rig_check_file(const char *base, const char *dir, const json_t *file)
{
    char *path = g_build_filename(base, dir, rig_text(file, "file"), NULL);
    double duration = rig_number(file, "duration");
    rig_near(media_number(path, "format=duration", duration), duration, 0.06);
    if (!media_decodes(path))
        fail_msg("%s does not decode", path);
    g_free(path);
}

// Events of a type in the timeline.
static inline unsigned rig_events(const json_t *manifest, const char *type)
{
    unsigned count = 0;
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(manifest, "timeline"), i, entry) count +=
        strcmp(rig_text(entry, "type"), type) == 0;
    return count;
}
