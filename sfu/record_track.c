// How does one recorded track become files?
// SPDX-License-Identifier: MIT
#include "sfu/record_track.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "rtp/ntp.h"
#include "rtp/rtp.h"
#include "sfu/house.h"
#include "sfu/record_depay.h"
#include "sfu/record_file.h"
#include "sfu/record_order.h"

enum {
    SOUND_FRAME_US = 20000, // what browsers send
    SOUND_HZ = 48000,       // RFC 7587 section 4.1
    VIDEO_HZ = 90000,       // all video payload formats here
    USER_IN_NAME_MAX = 40,  // characters
};

// Why something is missing; of several, the last named.
enum cause { CAUSE_NONE, CAUSE_LOSS, CAUSE_MUTED, CAUSE_DISK };
static const char *const cause_names[] = {"idle", "lost", "muted", "disk"};

struct record_track {
    // fixed at birth
    struct record_place *place;
    struct record_wall *wall;
    char user[SFU_USER_MAX + 1];
    enum sfu_source source;
    bool video;

    // the stream
    enum codec codec;
    struct record_order *order;
    struct record_depay *depay; // NULL: no packet yet
    struct record_clock clock;
    bool muted;
    enum cause cause;     // since the last frame
    uint64_t lost_before; // packets lost before this file

    // the file
    struct record_file *file; // NULL: none is open
    unsigned files;
    size_t index; // in the manifest
    struct record_facts facts;
    uint64_t safe_frames; // what of the facts is on the disk
    int64_t safe_duration_us;
    char name[128];
    int64_t flush_us; // real time of the next write

    int64_t end_us; // of the last frame in any file, since the epoch; -1: none yet
};

static void on_packet(void *arg, const uint8_t *data, size_t len, int64_t at_us, bool lost);

struct record_track *record_track_new(const struct record_track_config *cfg)
{
    struct record_track *t = g_new0(struct record_track, 1);
    t->place = cfg->place;
    t->wall = cfg->wall;
    g_strlcpy(t->user, cfg->user, sizeof(t->user));
    t->source = cfg->source;
    t->video = cfg->video;
    t->order = record_order_new(on_packet, t);
    t->end_us = -1;
    record_clock_init(&t->clock, t->video ? VIDEO_HZ : SOUND_HZ, t->video ? 0 : SOUND_FRAME_US);
    return t;
}

static void note_cause(struct record_track *t, enum cause cause)
{
    t->cause = MAX(t->cause, cause);
}

// ---- files -------------------------------------------------------------------------------------------------------

// "3-camera-ana.webm": users name themselves, so only what is harmless in a name is taken.
static void make_name(struct record_track *t)
{
    char user[USER_IN_NAME_MAX + 1];
    g_strlcpy(user, t->user, sizeof(user));
    g_strcanon(user, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_", '_');
    g_snprintf(t->name, sizeof(t->name), "%u-%s-%s.%s", ++t->place->file_count, sfu_source_name(t->source), user,
               record_file_extension(t->codec));
}

static const char *codec_word(enum codec codec)
{
    static const char *const words[CODEC_COUNT] = {
        [CODEC_OPUS] = "opus", [CODEC_VP8] = "vp8", [CODEC_VP9] = "vp9", [CODEC_H264] = "h264", [CODEC_AV1] = "av1"};
    return words[codec];
}

// The manifest knows of the file before there is one, so that no crash leaves a file nobody knows.
static void open_file(struct record_track *t, const struct record_frame *frame, int64_t at_us)
{
    struct record_place *place = t->place;
    make_name(t);
    t->facts = (struct record_facts){.file = t->name,
                                     .user = t->user,
                                     .source = sfu_source_name(t->source),
                                     .codec = codec_word(t->codec),
                                     .video = t->video,
                                     .width = frame->width,
                                     .height = frame->height,
                                     .start_us = at_us};
    t->safe_frames = 0;
    t->safe_duration_us = 0;
    t->index = record_manifest_add_file(place->manifest, &t->facts);
    int rc = record_manifest_write(place->manifest, false);
    if (rc == 0)
        rc = record_file_new(place->dir_fd, t->name, t->codec, frame, place->epoch_wall_us + at_us, &t->file);
    t->files++;
    if (rc == 0)
        return;
    place->err = rc;
    record_manifest_settle_file(place->manifest, t->index, -1, 0);
    unlinkat(place->dir_fd, t->name, 0);
    note_cause(t, CAUSE_DISK);
}

// What has been written since the last call.
static void note_written(struct record_track *t)
{
    int64_t bytes = record_file_bytes(t->file);
    record_space_add(t->place->space, (uint64_t)(bytes - t->facts.bytes));
    t->facts.bytes = bytes;
    t->facts.lost_packets = record_order_lost(t->order) - t->lost_before;
    t->safe_frames = t->facts.frames;
    t->safe_duration_us = t->facts.duration_us;
    record_manifest_set_file(t->place->manifest, t->index, &t->facts);
}

// The disk did not take the last frames: they never were.
static void forget_unwritten(struct record_track *t)
{
    t->facts.frames = t->safe_frames;
    t->facts.duration_us = t->safe_duration_us;
    t->end_us = t->facts.start_us + t->safe_duration_us;
}

static void close_file(struct record_track *t)
{
    if (!t->file)
        return;
    if (record_file_flush(t->file) == 0)
        note_written(t);
    else
        forget_unwritten(t);
    bool is_empty = t->facts.bytes == 0;
    int rc = record_file_free(t->file);
    t->file = NULL;
    t->facts.closed = true;
    record_manifest_set_file(t->place->manifest, t->index, &t->facts);
    t->lost_before = record_order_lost(t->order);
    if (rc < 0)
        t->place->err = rc;
    if (!is_empty)
        return;
    unlinkat(t->place->dir_fd, t->name, 0);
    record_manifest_settle_file(t->place->manifest, t->index, -1, 0);
}

void record_track_flush(struct record_track *t, int64_t now_us)
{
    if (!t->file || !record_file_is_dirty(t->file) || now_us < t->flush_us)
        return;
    t->flush_us = now_us + RECORD_FLUSH_US;
    int rc = record_file_flush(t->file);
    if (rc == 0) {
        note_written(t);
        return;
    }
    t->place->err = rc;
    record_track_pause(t);
}

void record_track_pause(struct record_track *t)
{
    close_file(t);
    note_cause(t, CAUSE_DISK);
    if (t->depay)
        record_depay_restart(t->depay);
}

// ---- frames ------------------------------------------------------------------------------------------------------

// What lies between the last frame and this one. A video frame lasts until the next, so that gaps show up in its
// length only with a reason.
static void note_gap(struct record_track *t, int64_t at_us)
{
    enum cause cause = t->cause;
    int64_t from_us = t->end_us, hole_us = at_us - from_us;
    t->cause = CAUSE_NONE;
    if (from_us < 0)
        return;
    if (cause != CAUSE_NONE ? hole_us >= RECORD_GAP_MIN_US : hole_us >= RECORD_IDLE_US)
        record_manifest_add_gap(t->place->manifest, t->index, from_us, hole_us, cause_names[cause]);
    else if (!t->video && cause != CAUSE_NONE && hole_us > 0)
        t->facts.missing_us += hole_us;
}

static void put(struct record_track *t, const struct record_frame *frame, int64_t at_us)
{
    int64_t duration_us = ntp_ts_to_us(frame->duration_ts, codec_clock_hz(t->codec));
    int64_t since_us = at_us - t->facts.start_us;
    note_gap(t, at_us);
    if (record_file_put(t->file, frame, since_us, duration_us) < 0) { // not a frame, whatever it says
        close_file(t);
        note_cause(t, CAUSE_LOSS);
        record_depay_restart(t->depay);
        return;
    }
    t->facts.frames++;
    t->facts.duration_us = since_us + duration_us;
    t->end_us = at_us + duration_us;
}

static void on_frame(void *arg, const struct record_frame *frame)
{
    struct record_track *t = arg;
    int64_t at_us = record_clock_us(&t->clock, t->wall, frame->ts) - t->place->epoch_us;
    at_us = MAX(at_us, 0); // sampled before the recording began: its time begins with it
    if (t->place->paused)
        note_cause(t, CAUSE_DISK);
    if (t->place->paused || t->place->err || t->files > RECORD_FILES_MAX) {
        record_depay_restart(t->depay);
        return;
    }
    if (!t->file && frame->keyframe)
        open_file(t, frame, at_us);
    if (t->file)
        put(t, frame, at_us);
}

// ---- packets -----------------------------------------------------------------------------------------------------

static void begin_stream(struct record_track *t, enum codec codec)
{
    close_file(t);
    if (t->depay)
        record_depay_free(t->depay);
    t->codec = codec;
    t->depay = record_depay_new(codec, on_frame, t);
}

static void on_packet(void *arg, const uint8_t *data, size_t len, int64_t at_us, bool lost)
{
    struct record_track *t = arg;
    struct rtp rtp;
    (void)at_us;
    if (lost)
        note_cause(t, CAUSE_LOSS);
    if (rtp_parse(&rtp, data, len) != RTP_OK)
        return;
    const struct house_codec *house = house_find_pt(rtp.pt);
    if (!house)
        return;
    enum codec kept = house->codec == CODEC_RED ? CODEC_OPUS : house->codec;
    if (codec_is_video(kept) != t->video || !record_depay_can(kept))
        return;
    if (!t->depay || kept != t->codec)
        begin_stream(t, kept);
    record_depay_rx(t->depay, house->codec, &rtp, data, lost);
}

void record_track_rx(struct record_track *t, const uint8_t *data, size_t len, int64_t at_us)
{
    struct rtp rtp;
    if (rtp_parse(&rtp, data, len) != RTP_OK)
        return;
    record_clock_rx(&t->clock, rtp.ts, at_us);
    record_order_rx(t->order, rtp.seq, data, len, at_us);
}

void record_track_sr(struct record_track *t, uint32_t ts, int64_t wall_us)
{
    record_clock_sr(&t->clock, ts, wall_us);
}

void record_track_set_muted(struct record_track *t, bool muted)
{
    record_order_flush(t->order);
    if (muted && t->depay)
        record_depay_restart(t->depay);
    t->muted = muted;
    note_cause(t, CAUSE_MUTED);
}

void record_track_note_overrun(struct record_track *t)
{
    note_cause(t, CAUSE_DISK);
}

void record_track_tick(struct record_track *t, int64_t now_us)
{
    record_order_tick(t->order, now_us);
}

bool record_track_wants_keyframe(const struct record_track *t)
{
    return t->depay && !t->muted && !t->place->paused && record_depay_wants_keyframe(t->depay);
}

void record_track_free(struct record_track *t)
{
    record_order_flush(t->order);
    close_file(t);
    record_order_free(t->order);
    if (t->depay)
        record_depay_free(t->depay);
    g_free(t);
}
