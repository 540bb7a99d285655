// What happens in one recording, from its first to its last item?
// SPDX-License-Identifier: MIT
#include "sfu/record_session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sfu/command.h"
#include "sfu/log.h"
#include "sfu/now.h"
#include "sfu/record_track.h"

enum { NAME_MAX_LEN = 128 };

struct record_session {
    // fixed at birth
    struct record_session_config cfg;
    uint64_t room, tag;
    char *name;
    bool open; // the directory was made
    struct record_place place;

    // the room
    struct record_track *tracks[RECORD_TRACKS_MAX]; // by item.track
    uint64_t publishers[RECORD_TRACKS_MAX];         // peer of each
    GHashTable *walls;                              // peer -> struct record_wall, owned
    char *users[RECORD_TRACKS_MAX];                 // owned, of each track
    enum sfu_source sources[RECORD_TRACKS_MAX];

    // the disk
    int64_t now_us;   // of the items
    int64_t retry_us; // real time before which the disk is not tried again
    int64_t manifest_us;
};

bool record_session_name_is_good(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' &&
           strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == len;
}

static void tell(const struct record_session *s, bool on, enum sfu_reason reason, const char *text)
{
    struct sfu_event event = {
        .type = SFU_RECORDING, .room = s->room, .tag = s->tag, .on = on, .reason = reason, .text = text};
    event_post(s->cfg.events, &event);
}

// ---- the beginning -----------------------------------------------------------------------------------------------

// Locked as long as we live: who starts beside us must not take it for interrupted.
static int make_dir(struct record_session *s)
{
    if (!record_session_name_is_good(s->name))
        return -EINVAL;
    if (mkdirat(s->cfg.base_fd, s->name, 0700) < 0)
        return -errno;
    s->place.dir_fd = openat(s->cfg.base_fd, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->place.dir_fd < 0)
        return -errno;
    return flock(s->place.dir_fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int make_place(struct record_session *s, const struct record_item *begin)
{
    s->place.epoch_us = begin->at_us;
    s->place.epoch_wall_us = begin->wall_us;
    s->place.space = s->cfg.space;
    s->place.paused = record_space_problem(s->cfg.space) != NULL;
    s->place.manifest = record_manifest_new(s->place.dir_fd, s->room, begin->wall_us, s->cfg.wants_hook);
    return record_manifest_write(s->place.manifest, true);
}

static void refuse(struct record_session *s, int err)
{
    const char *why = err == -EINVAL ? "its name may have letters, digits, dots, - and _" : g_strerror(-err);
    char text[512];
    g_snprintf(text, sizeof(text), "the recording's directory %s cannot be made: %s", s->name, why);
    sfu_log(SFU_LOG_ERROR, "room %" G_GUINT64_FORMAT ": %s", s->room, text);
    record_queue_refuse(s->cfg.queue);
    tell(s, false, SFU_DISK_FAILED, text);
}

struct record_session *record_session_new(const struct record_session_config *cfg, const struct record_item *begin)
{
    struct record_session *s = g_new0(struct record_session, 1);
    s->cfg = *cfg;
    s->room = begin->room;
    s->tag = begin->tag;
    s->name = g_strdup((const char *)begin->data);
    s->place.dir_fd = -1;
    s->now_us = begin->at_us;
    s->walls = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    int rc = make_dir(s);
    if (rc == 0)
        rc = make_place(s, begin);
    s->open = rc == 0;
    if (rc < 0)
        refuse(s, rc);
    else if (s->place.paused)
        tell(s, true, SFU_DISK_FULL, record_space_problem(cfg->space));
    else
        tell(s, true, SFU_OK, s->name);
    return s;
}

// ---- items -------------------------------------------------------------------------------------------------------

static int64_t since_epoch(const struct record_session *s, int64_t at_us)
{
    return MAX(at_us - s->place.epoch_us, 0);
}

static void note(struct record_session *s, const struct record_item *item, const char *type, const char *user,
                 const char *source)
{
    record_manifest_event(s->place.manifest, since_epoch(s, item->at_us), type, user, source);
}

static void note_track(struct record_session *s, const struct record_item *item, const char *type)
{
    note(s, item, type, s->users[item->track], sfu_source_name(s->sources[item->track]));
}

static struct record_wall *wall_of(struct record_session *s, uint64_t peer)
{
    struct record_wall *wall = g_hash_table_lookup(s->walls, &peer);
    if (!wall) {
        wall = g_new0(struct record_wall, 1);
        g_hash_table_insert(s->walls, g_memdup2(&peer, sizeof(peer)), wall);
    }
    return wall;
}

static void open_track(struct record_session *s, const struct record_item *item)
{
    g_assert(!s->tracks[item->track]);
    struct record_track_config cfg = {.place = &s->place,
                                      .wall = wall_of(s, item->peer),
                                      .user = (const char *)item->data,
                                      .source = item->source,
                                      .video = item->on};
    s->tracks[item->track] = record_track_new(&cfg);
    s->publishers[item->track] = item->peer;
    s->users[item->track] = g_strdup(cfg.user);
    s->sources[item->track] = item->source;
    note_track(s, item, "published");
}

static void close_track(struct record_session *s, uint16_t track)
{
    if (!s->tracks[track])
        return;
    record_track_free(s->tracks[track]);
    s->tracks[track] = NULL;
    g_clear_pointer(&s->users[track], g_free);
}

static void take_report(struct record_session *s, const struct record_item *item)
{
    record_wall_rx(wall_of(s, s->publishers[item->track]), item->wall_us, item->at_us, item->rtt_us);
    record_track_sr(s->tracks[item->track], item->ts, item->wall_us);
}

static void rx_track(struct record_session *s, const struct record_item *item)
{
    struct record_track *track = s->tracks[item->track];
    g_assert(track);
    switch (item->kind) {
    case RECORD_PACKET:
        record_track_rx(track, item->data, item->len, item->at_us);
        break;
    case RECORD_REPORT:
        take_report(s, item);
        break;
    case RECORD_LOST:
        record_track_note_overrun(track);
        break;
    case RECORD_MUTED:
        record_track_set_muted(track, item->on);
        note_track(s, item, item->on ? "muted" : "unmuted");
        break;
    default: // RECORD_TRACK_END
        note_track(s, item, "unpublished");
        close_track(s, item->track);
        break;
    }
}

static void end(struct record_session *s, const struct record_item *item)
{
    for (uint16_t i = 0; i < RECORD_TRACKS_MAX; i++)
        close_track(s, i);
    record_manifest_set_state(s->place.manifest, "complete", since_epoch(s, item->at_us));
    int rc = record_manifest_write(s->place.manifest, true);
    if (rc < 0)
        sfu_log(SFU_LOG_ERROR, "recording %s: the manifest could not be written: %s", s->name, g_strerror(-rc));
    s->tag = item->tag;
    tell(s, false, rc < 0 ? SFU_DISK_FAILED : item->reason, s->name);
}

static void rx_room(struct record_session *s, const struct record_item *item)
{
    const char *text = (const char *)item->data;
    struct record_manifest *m = s->place.manifest;
    int64_t at_us = since_epoch(s, item->at_us);
    switch (item->kind) {
    case RECORD_JOINED:
        record_manifest_joined(m, at_us, text);
        break;
    case RECORD_LEFT:
        record_manifest_left(m, at_us, text);
        g_hash_table_remove(s->walls, &item->peer);
        break;
    case RECORD_SPEAKER:
        record_manifest_event(m, at_us, "speaker", text[0] ? text : NULL, NULL);
        break;
    case RECORD_NOTE:
        if (record_manifest_note(m, at_us, text) < 0)
            sfu_log(SFU_LOG_WARN, "recording %s: a note is not a JSON object with a type", s->name);
        break;
    default:
        g_assert_not_reached();
    }
}

void record_session_rx(struct record_session *s, const struct record_item *item)
{
    s->now_us = MAX(s->now_us, item->at_us);
    if (!s->open)
        return;
    switch (item->kind) {
    case RECORD_TRACK:
        open_track(s, item);
        break;
    case RECORD_TRACK_END:
    case RECORD_PACKET:
    case RECORD_REPORT:
    case RECORD_MUTED:
    case RECORD_LOST:
        rx_track(s, item);
        break;
    case RECORD_END:
        end(s, item);
        break;
    default:
        rx_room(s, item);
        break;
    }
}

void record_session_tick(struct record_session *s, int64_t items_us)
{
    s->now_us = MAX(s->now_us, items_us);
    for (unsigned i = 0; i < RECORD_TRACKS_MAX; i++)
        if (s->tracks[i])
            record_track_tick(s->tracks[i], s->now_us);
}

// ---- the disk ----------------------------------------------------------------------------------------------------

static void pause_all(struct record_session *s, enum sfu_reason reason, const char *text)
{
    for (unsigned i = 0; i < RECORD_TRACKS_MAX; i++)
        if (s->tracks[i])
            record_track_pause(s->tracks[i]);
    s->place.err = 0; // of closing the files
    s->place.paused = true;
    record_manifest_event(s->place.manifest, since_epoch(s, s->now_us), "paused", NULL, NULL);
    sfu_log(SFU_LOG_ERROR, "recording %s pauses: %s", s->name, text);
    tell(s, true, reason, text);
}

static void resume(struct record_session *s)
{
    s->place.paused = false;
    record_manifest_event(s->place.manifest, since_epoch(s, s->now_us), "resumed", NULL, NULL);
    sfu_log(SFU_LOG_INFO, "recording %s goes on", s->name);
    tell(s, true, SFU_OK, s->name);
}

static void watch_disk(struct record_session *s, int64_t now_us)
{
    const char *problem = record_space_problem(s->cfg.space);
    if (s->place.err) {
        s->retry_us = now_us + RECORD_RETRY_US;
        bool full = s->place.err == -ENOSPC || s->place.err == -EDQUOT;
        const char *text = g_strerror(-s->place.err);
        if (!s->place.paused)
            pause_all(s, full ? SFU_DISK_FULL : SFU_DISK_FAILED, text);
        s->place.err = 0;
    } else if (!s->place.paused && problem) {
        pause_all(s, SFU_DISK_FULL, problem);
    } else if (s->place.paused && !problem && now_us >= s->retry_us) {
        resume(s);
    }
}

// The longer it takes, the rarer it is done: a large manifest or a slow disk must not eat the time for media.
static void write_manifest(struct record_session *s, int64_t now_us)
{
    if (now_us < s->manifest_us || !record_manifest_is_changed(s->place.manifest))
        return;
    int64_t before_us = now_monotonic_us();
    record_manifest_write(s->place.manifest, false); // on an error it stays changed and is written later
    int64_t took_us = now_monotonic_us() - before_us;
    s->manifest_us = now_us + MAX(RECORD_MANIFEST_US, took_us * RECORD_MANIFEST_SLOWER);
}

void record_session_flush(struct record_session *s, int64_t now_us)
{
    if (!s->open)
        return;
    for (uint16_t i = 0; i < RECORD_TRACKS_MAX; i++) {
        if (!s->tracks[i])
            continue;
        record_track_flush(s->tracks[i], now_us);
        if (record_track_wants_keyframe(s->tracks[i]))
            record_queue_want_keyframe(s->cfg.queue, i);
    }
    watch_disk(s, now_us);
    write_manifest(s, now_us);
}

// ---- the end -----------------------------------------------------------------------------------------------------

bool record_session_is_open(const struct record_session *s)
{
    return s->open;
}

const char *record_session_name(const struct record_session *s)
{
    return s->name;
}

void record_session_free(struct record_session *s)
{
    for (uint16_t i = 0; i < RECORD_TRACKS_MAX; i++)
        close_track(s, i);
    if (s->place.manifest)
        record_manifest_free(s->place.manifest);
    if (s->place.dir_fd >= 0)
        close(s->place.dir_fd);
    g_hash_table_destroy(s->walls);
    g_free(s->name);
    g_free(s);
}
