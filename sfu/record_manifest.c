// What does a recording say about itself?
// SPDX-License-Identifier: MIT
#include "sfu/record_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <jansson.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    VERSION = 1,
    SIZE_MAX_LOADED = 64 << 20, // bytes of a manifest that is read
    REAL_DIGITS = 12,
};

#define PART RECORD_MANIFEST ".part"

struct record_manifest {
    int dir_fd;
    json_t *root;
    bool changed;
};

// Seconds, to the millisecond.
static json_t *seconds(int64_t us)
{
    return json_real((double)((us + (us < 0 ? -500 : 500)) / 1000) / 1000.0);
}

static json_t *date(int64_t wall_us)
{
    GDateTime *at = g_date_time_new_from_unix_utc(wall_us / 1000000);
    char *text = g_date_time_format(at, "%Y-%m-%dT%H:%M:%S");
    json_t *json = json_sprintf("%s.%03dZ", text, (int)(wall_us % 1000000 / 1000));
    g_free(text);
    g_date_time_unref(at);
    return json;
}

static json_t *member(const struct record_manifest *m, const char *key)
{
    return json_object_get(m->root, key);
}

// ---- life --------------------------------------------------------------------------------------------------------

struct record_manifest *record_manifest_new(int dir_fd, uint64_t room, int64_t wall_us, bool wants_hook)
{
    struct record_manifest *m = g_new0(struct record_manifest, 1);
    m->dir_fd = dir_fd;
    m->changed = true;
    m->root = json_pack("{s:i, s:s, s:o, s:f, s:b, s:{s:o}, s:[], s:[], s:[]}", "version", VERSION, "state",
                        "recording", "started", date(wall_us), "duration", 0.0, "hook", wants_hook, "room", "number",
                        json_integer((json_int_t)room), "participants", "tracks", "timeline");
    g_assert(m->root);
    return m;
}

static char *read_all(int fd, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > SIZE_MAX_LOADED)
        return NULL;
    char *text = g_malloc((size_t)st.st_size);
    *len = (size_t)st.st_size;
    if (pread(fd, text, *len, 0) == st.st_size)
        return text;
    g_free(text);
    return NULL;
}

static bool is_manifest(const json_t *root)
{
    return json_is_string(json_object_get(root, "state")) && json_is_array(json_object_get(root, "tracks")) &&
           json_is_array(json_object_get(root, "timeline")) && json_is_array(json_object_get(root, "participants")) &&
           json_is_object(json_object_get(root, "room"));
}

struct record_manifest *record_manifest_load(int dir_fd)
{
    size_t len;
    int fd = openat(dir_fd, RECORD_MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = read_all(fd, &len);
    close(fd);
    json_t *root = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    g_free(text);
    if (!is_manifest(root)) {
        json_decref(root);
        return NULL;
    }
    struct record_manifest *m = g_new0(struct record_manifest, 1);
    m->dir_fd = dir_fd;
    m->root = root;
    return m;
}

void record_manifest_free(struct record_manifest *m)
{
    json_decref(m->root);
    g_free(m);
}

// ---- the disk ----------------------------------------------------------------------------------------------------

static int write_part(int fd, const char *text, size_t len, bool durable)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        text += n;
        len -= (size_t)n;
    }
    return durable && fdatasync(fd) < 0 ? -errno : 0;
}

static int replace(int dir_fd, const char *text, bool durable)
{
    int fd = openat(dir_fd, PART, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int rc = write_part(fd, text, strlen(text), durable);
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && renameat(dir_fd, PART, dir_fd, RECORD_MANIFEST) < 0)
        rc = -errno;
    if (rc < 0)
        unlinkat(dir_fd, PART, 0);
    else if (durable && fsync(dir_fd) < 0)
        rc = -errno;
    return rc;
}

int record_manifest_write(struct record_manifest *m, bool durable)
{
    if (!m->changed && !durable)
        return 0;
    char *text = json_dumps(m->root, JSON_INDENT(1) | JSON_REAL_PRECISION(REAL_DIGITS));
    g_assert(text);
    int rc = replace(m->dir_fd, text, durable);
    free(text);
    if (rc == 0)
        m->changed = false;
    return rc;
}

bool record_manifest_is_changed(const struct record_manifest *m)
{
    return m->changed;
}

// ---- state -------------------------------------------------------------------------------------------------------

void record_manifest_set_state(struct record_manifest *m, const char *state, int64_t end_us)
{
    json_object_set_new(m->root, "state", json_string(state));
    json_object_set_new(m->root, "duration", seconds(end_us));
    m->changed = true;
}

const char *record_manifest_state(const struct record_manifest *m)
{
    return json_string_value(member(m, "state"));
}

bool record_manifest_wants_hook(const struct record_manifest *m)
{
    return json_is_true(member(m, "hook"));
}

// ---- people and events -------------------------------------------------------------------------------------------

// Text of a client's is cut to what JSON can hold.
static json_t *text_of(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("?");
}

static json_t *participant(struct record_manifest *m, const char *user)
{
    size_t i;
    json_t *one;
    json_array_foreach(member(m, "participants"), i, one)
    {
        const char *known = json_string_value(json_object_get(one, "user"));
        if (known && strcmp(known, user) == 0)
            return one;
    }
    one = json_pack("{s:o, s:[]}", "user", text_of(user), "stays");
    json_array_append_new(member(m, "participants"), one);
    return one;
}

static void append(struct record_manifest *m, json_t *entry)
{
    json_t *timeline = member(m, "timeline");
    m->changed = true;
    if (json_array_size(timeline) < RECORD_TIMELINE_MAX) {
        json_array_append_new(timeline, entry);
        return;
    }
    json_decref(entry);
    json_int_t dropped = json_integer_value(member(m, "timeline_dropped"));
    json_object_set_new(m->root, "timeline_dropped", json_integer(dropped + 1));
}

void record_manifest_event(struct record_manifest *m, int64_t at_us, const char *type, const char *user,
                           const char *source)
{
    json_t *entry = json_pack("{s:o, s:s}", "at", seconds(at_us), "type", type);
    if (user)
        json_object_set_new(entry, "user", text_of(user));
    if (source)
        json_object_set_new(entry, "source", json_string(source));
    append(m, entry);
}

void record_manifest_joined(struct record_manifest *m, int64_t at_us, const char *user)
{
    json_t *stays = json_object_get(participant(m, user), "stays");
    if (json_array_size(stays) < RECORD_TIMELINE_MAX)
        json_array_append_new(stays, json_pack("{s:o}", "joined", seconds(at_us)));
    record_manifest_event(m, at_us, "joined", user, NULL);
}

void record_manifest_left(struct record_manifest *m, int64_t at_us, const char *user)
{
    json_t *stays = json_object_get(participant(m, user), "stays");
    json_t *last = json_array_get(stays, json_array_size(stays) - 1);
    if (last)
        json_object_set_new(last, "left", seconds(at_us));
    record_manifest_event(m, at_us, "left", user, NULL);
}

// What was known stays, what is said is added; `key` names what is not to be overwritten.
static void fill_in(struct record_manifest *m, json_t *target, json_t *note, const char *key)
{
    json_object_del(note, "type");
    json_object_del(note, key);
    json_object_update(target, note);
    m->changed = true;
}

int record_manifest_note(struct record_manifest *m, int64_t at_us, const char *text)
{
    json_t *note = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(note, "type"));
    const char *user = json_string_value(json_object_get(note, "user"));
    if (!type || (strcmp(type, "participant") == 0 && !user)) {
        json_decref(note);
        return -EINVAL;
    }
    if (strcmp(type, "room") == 0) {
        fill_in(m, member(m, "room"), note, "number");
    } else if (strcmp(type, "participant") == 0) {
        json_t *one = participant(m, user);
        json_object_del(note, "stays");
        fill_in(m, one, note, "user");
    } else {
        json_object_set_new(note, "at", seconds(at_us));
        append(m, json_incref(note));
    }
    json_decref(note);
    return 0;
}

// ---- files -------------------------------------------------------------------------------------------------------

static json_t *file_at(const struct record_manifest *m, size_t index)
{
    return json_array_get(member(m, "tracks"), index);
}

void record_manifest_set_file(struct record_manifest *m, size_t index, const struct record_facts *facts)
{
    json_t *file = file_at(m, index);
    json_object_set_new(file, "state", json_string(facts->closed ? "complete" : "recording"));
    json_object_set_new(file, "start", seconds(facts->start_us));
    json_object_set_new(file, "duration", seconds(facts->duration_us));
    json_object_set_new(file, "bytes", json_integer(facts->bytes));
    json_object_set_new(file, "frames", json_integer((json_int_t)facts->frames));
    json_object_set_new(file, "packets_lost", json_integer((json_int_t)facts->lost_packets));
    json_object_set_new(file, "missing", seconds(facts->missing_us));
    if (facts->width) {
        json_object_set_new(file, "width", json_integer(facts->width));
        json_object_set_new(file, "height", json_integer(facts->height));
    }
    m->changed = true;
}

size_t record_manifest_add_file(struct record_manifest *m, const struct record_facts *facts)
{
    json_t *tracks = member(m, "tracks");
    json_t *file =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:[]}", "file", facts->file, "user", text_of(facts->user), "source",
                  facts->source, "kind", facts->video ? "video" : "audio", "codec", facts->codec, "gaps");
    g_assert(file);
    json_array_append_new(tracks, file);
    size_t index = json_array_size(tracks) - 1;
    record_manifest_set_file(m, index, facts);
    return index;
}

void record_manifest_add_gap(struct record_manifest *m, size_t index, int64_t at_us, int64_t duration_us,
                             const char *reason)
{
    json_t *file = file_at(m, index), *gaps = json_object_get(file, "gaps");
    if (json_array_size(gaps) < RECORD_GAPS_MAX) {
        json_array_append_new(gaps, json_pack("{s:o, s:o, s:s}", "start", seconds(at_us), "duration",
                                              seconds(duration_us), "reason", reason));
    } else {
        json_int_t dropped = json_integer_value(json_object_get(file, "gaps_dropped"));
        json_object_set_new(file, "gaps_dropped", json_integer(dropped + 1));
    }
    m->changed = true;
}

size_t record_manifest_file_count(const struct record_manifest *m)
{
    return json_array_size(member(m, "tracks"));
}

const char *record_manifest_file_name(const struct record_manifest *m, size_t index)
{
    const char *name = json_string_value(json_object_get(file_at(m, index), "file"));
    return name && !strchr(name, '/') && name[0] != '.' ? name : NULL;
}

bool record_manifest_file_is_open(const struct record_manifest *m, size_t index)
{
    const char *state = json_string_value(json_object_get(file_at(m, index), "state"));
    return state && strcmp(state, "recording") == 0;
}

void record_manifest_settle_file(struct record_manifest *m, size_t index, int64_t duration_us, int64_t bytes)
{
    json_t *file = file_at(m, index);
    m->changed = true;
    json_object_set_new(file, "state", json_string(duration_us < 0 ? "missing" : "interrupted"));
    json_object_set_new(file, "duration", seconds(MAX(duration_us, 0)));
    json_object_set_new(file, "bytes", json_integer(bytes));
}

int64_t record_manifest_last_us(const struct record_manifest *m)
{
    double last = 0;
    size_t i;
    json_t *file;
    json_array_foreach(member(m, "tracks"), i, file)
    {
        double end =
            json_number_value(json_object_get(file, "start")) + json_number_value(json_object_get(file, "duration"));
        last = MAX(last, end);
    }
    return (int64_t)(last * 1e6);
}
