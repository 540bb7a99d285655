// What has been recorded? (directories of the media server's recordings: list, read, delete, let go of the old)
// SPDX-License-Identifier: MIT
#include "signaling/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signaling/log.h"

#define MANIFEST   "manifest.json"
#define MARK       ".told"        // beside the manifest: somebody was told of it
#define DELETED    ".deleted-"    // before the name of what is being deleted
#define HOOK_CLAIM "hook.started" // locked while the hook runs

struct library {
    char *dir;
    GHashTable *known; // id -> struct entry: what was read of finished recordings
};

// A finished recording does not change any more; a changed manifest is read again all the same.
struct entry {
    struct timespec changed;
    json_t *summary;
    int64_t started_ms, ended_ms;
};

static void entry_free(gpointer data)
{
    struct entry *entry = data;
    json_decref(entry->summary);
    g_free(entry);
}

struct library *library_new(const char *dir)
{
    struct library *l = g_new0(struct library, 1);
    l->dir = g_strdup(dir);
    l->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return l;
}

void library_free(struct library *l)
{
    g_hash_table_destroy(l->known);
    g_free(l->dir);
    g_free(l);
}

// ---- one recording ----------------------------------------------------------------------------------------------

static bool is_id(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len <= LIBRARY_ID_MAX && id[0] != '.' &&
           strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == len;
}

// -1: there is no such directory.
static int open_dir(const struct library *l, const char *id)
{
    int base = is_id(id) ? open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int fd = base < 0 ? -1 : openat(base, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (base >= 0)
        close(base);
    return fd;
}

static json_t *load(int dir_fd, struct timespec *changed)
{
    struct stat st = {0};
    json_t *json = NULL;
    int fd = openat(dir_fd, MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LIBRARY_MANIFEST_MAX)
        json = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
    if (fd >= 0)
        close(fd);
    *changed = st.st_mtim;
    bool is_manifest =
        json_is_object(json_object_get(json, "room")) && json_is_array(json_object_get(json, "tracks"));
    if (is_manifest)
        return json;
    json_decref(json);
    return NULL;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static const char *room_of(const json_t *manifest)
{
    return text_of(json_object_get(manifest, "room"), "id");
}

static bool covers(char **rooms, const char *room)
{
    return !rooms || g_strv_contains((const char *const *)rooms, "*") ||
           (room[0] && g_strv_contains((const char *const *)rooms, room));
}

static json_t *load_for(const struct library *l, const char *id, char **rooms)
{
    struct timespec changed;
    int fd = open_dir(l, id);
    json_t *manifest = fd < 0 ? NULL : load(fd, &changed);
    if (fd >= 0)
        close(fd);
    if (manifest && covers(rooms, room_of(manifest)))
        return manifest;
    json_decref(manifest);
    return NULL;
}

json_t *library_manifest(struct library *l, const char *id, char **rooms)
{
    json_t *manifest = load_for(l, id, rooms);
    if (manifest)
        json_object_set_new(manifest, "id", json_string(id));
    return manifest;
}

// ---- what is said of it in a list -------------------------------------------------------------------------------

static int64_t ms_of(const char *date)
{
    GDateTime *at = g_date_time_new_from_iso8601(date, NULL);
    int64_t ms = at ? g_date_time_to_unix(at) * 1000 + g_date_time_get_microsecond(at) / 1000 : 0;
    if (at)
        g_date_time_unref(at);
    return ms;
}

static json_t *people(const json_t *manifest)
{
    json_t *list = json_array(), *one;
    size_t i;
    json_array_foreach(json_object_get(manifest, "participants"), i, one)
        json_array_append_new(list, json_pack("{s:s, s:s}", "userId", text_of(one, "user"), "name",
                                              *text_of(one, "name") ? text_of(one, "name") : text_of(one, "user")));
    return list;
}

static struct entry *summarise(const char *id, const json_t *manifest)
{
    struct entry *entry = g_new0(struct entry, 1);
    json_t *tracks = json_object_get(manifest, "tracks"), *track;
    json_int_t bytes = 0;
    size_t i;
    json_array_foreach(tracks, i, track) bytes += json_integer_value(json_object_get(track, "bytes"));
    double duration = json_number_value(json_object_get(manifest, "duration"));
    entry->started_ms = ms_of(text_of(manifest, "started"));
    entry->ended_ms = entry->started_ms + (int64_t)(duration * 1e3);
    entry->summary = json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:o, s:I}", "id", id, "roomId", room_of(manifest),
                               "state", text_of(manifest, "state"), "startedAt", text_of(manifest, "started"),
                               "duration", duration, "bytes", bytes, "participants", people(manifest), "trackCount",
                               (json_int_t)json_array_size(tracks));
    return entry;
}

static const struct entry *look_up(struct library *l, const char *id)
{
    struct stat st;
    struct entry *entry = g_hash_table_lookup(l->known, id);
    int fd = open_dir(l, id);
    bool is_there = fd >= 0 && fstatat(fd, MANIFEST, &st, AT_SYMLINK_NOFOLLOW) == 0;
    bool is_fresh = is_there && entry && memcmp(&entry->changed, &st.st_mtim, sizeof(st.st_mtim)) == 0;
    struct timespec changed;
    json_t *manifest = is_there && !is_fresh ? load(fd, &changed) : NULL;
    if (fd >= 0)
        close(fd);
    if (is_fresh)
        return entry;
    g_hash_table_remove(l->known, id);
    if (!manifest)
        return NULL;
    entry = summarise(id, manifest);
    entry->changed = changed;
    json_decref(manifest);
    g_hash_table_insert(l->known, g_strdup(id), entry);
    return entry;
}

// ---- all of them ------------------------------------------------------------------------------------------------

static gint by_name_backwards(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

// Ids begin with the time, so that names in order are recordings in order.
static GPtrArray *ids(const struct library *l)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    DIR *dir = opendir(l->dir);
    for (struct dirent *one = dir ? readdir(dir) : NULL; one; one = readdir(dir))
        if (is_id(one->d_name))
            g_ptr_array_add(list, g_strdup(one->d_name));
    if (dir)
        closedir(dir);
    g_ptr_array_sort(list, by_name_backwards);
    return list;
}

static bool matches(const struct entry *entry, const struct library_query *q)
{
    const char *room = text_of(entry->summary, "roomId");
    return covers(q->rooms, room) && (!q->room || strcmp(q->room, room) == 0) &&
           (!q->state || strcmp(q->state, text_of(entry->summary, "state")) == 0) &&
           (!q->from_ms || entry->started_ms >= q->from_ms) && (!q->before_ms || entry->started_ms < q->before_ms);
}

json_t *library_list(struct library *l, const struct library_query *q, int64_t *total)
{
    json_t *items = json_array();
    GPtrArray *all = ids(l);
    *total = 0;
    for (guint i = 0; i < all->len; i++) {
        const struct entry *entry = look_up(l, all->pdata[i]);
        if (!entry || !matches(entry, q))
            continue;
        if (*total >= q->offset && json_array_size(items) < (size_t)q->limit)
            json_array_append(items, entry->summary);
        ++*total;
    }
    g_ptr_array_unref(all);
    return items;
}

// ---- files ------------------------------------------------------------------------------------------------------

// What scripts leave beside the tracks: the hook's words, the composed session.
static const char *const extras[] = {"hook.log", "session.mp4", "session.webm", NULL};

static const char *type_of(const char *name, const char *kind)
{
    if (g_str_has_suffix(name, ".webm"))
        return strcmp(kind, "audio") == 0 ? "audio/webm" : "video/webm";
    if (g_str_has_suffix(name, ".mkv"))
        return "video/x-matroska";
    if (g_str_has_suffix(name, ".mp4"))
        return "video/mp4";
    if (g_str_has_suffix(name, ".vtt"))
        return "text/vtt; charset=utf-8";
    return "text/plain; charset=utf-8";
}

static const json_t *find_track(const json_t *manifest, const char *name, size_t len)
{
    const json_t *track;
    size_t i;
    json_array_foreach(json_object_get(manifest, "tracks"), i, track)
    {
        const char *file = text_of(track, "file");
        if (strlen(file) == len && strncmp(file, name, len) == 0)
            return track;
    }
    return NULL;
}

// "1-microphone-ana.webm.vtt"
static bool is_transcript(const json_t *manifest, const char *name)
{
    return g_str_has_suffix(name, ".vtt") && find_track(manifest, name, strlen(name) - strlen(".vtt"));
}

static bool is_plain_file(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

enum library_result library_file(struct library *l, const char *id, const char *name, char **rooms, char **path,
                                 const char **type)
{
    json_t *manifest = load_for(l, id, rooms);
    const json_t *track = manifest ? find_track(manifest, name, strlen(name)) : NULL;
    bool is_ours =
        manifest && is_id(name) && (track || is_transcript(manifest, name) || g_strv_contains(extras, name));
    bool is_written = track && strcmp(text_of(track, "state"), "recording") == 0;
    *path = is_ours ? g_build_filename(l->dir, id, name, NULL) : NULL;
    *type = type_of(name, track ? text_of(track, "kind") : "");
    bool is_there = *path && is_plain_file(*path);
    json_decref(manifest);
    return !is_there ? LIBRARY_NONE : is_written ? LIBRARY_BUSY : LIBRARY_OK;
}

// ---- deleting ---------------------------------------------------------------------------------------------------

static bool has_running_hook(int dir_fd)
{
    int fd = openat(dir_fd, HOOK_CLAIM, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool is_locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
    if (fd >= 0)
        close(fd);
    return is_locked;
}

// A recording is flat; what else somebody put there stays, and its directory with it.
static void remove_all(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        char *file = g_build_filename(path, name, NULL);
        unlink(file);
        g_free(file);
    }
    if (dir)
        g_dir_close(dir);
    if (rmdir(path) < 0)
        log_warn("recording", "a deleted recording cannot be removed from the disk: %s", g_strerror(errno));
}

static enum library_result remove_one(struct library *l, const char *id)
{
    const struct entry *entry = look_up(l, id);
    int fd = entry ? open_dir(l, id) : -1;
    if (fd < 0)
        return LIBRARY_NONE;
    bool is_busy = strcmp(text_of(entry->summary, "state"), "recording") == 0 || has_running_hook(fd);
    close(fd);
    if (is_busy)
        return LIBRARY_BUSY;
    char *hidden = g_strconcat(DELETED, id, NULL);
    char *from = g_build_filename(l->dir, id, NULL), *to = g_build_filename(l->dir, hidden, NULL);
    bool ok = rename(from, to) == 0;
    if (ok)
        remove_all(to);
    g_hash_table_remove(l->known, id);
    g_free(hidden);
    g_free(from);
    g_free(to);
    return ok ? LIBRARY_OK : LIBRARY_FAILED;
}

enum library_result library_delete(struct library *l, const char *id, char **rooms)
{
    json_t *manifest = load_for(l, id, rooms);
    if (!manifest)
        return LIBRARY_NONE;
    json_decref(manifest);
    return remove_one(l, id);
}

static void remove_leftovers(const struct library *l)
{
    GDir *dir = g_dir_open(l->dir, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        char *path = g_str_has_prefix(name, DELETED) ? g_build_filename(l->dir, name, NULL) : NULL;
        if (path)
            remove_all(path);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
}

void library_expire(struct library *l, int64_t before_ms)
{
    GPtrArray *all = ids(l);
    remove_leftovers(l);
    for (guint i = 0; before_ms > 0 && i < all->len; i++) {
        const struct entry *entry = look_up(l, all->pdata[i]);
        if (entry && entry->ended_ms < before_ms && remove_one(l, all->pdata[i]) == LIBRARY_OK)
            log_info("recording", "%s was kept long enough and is deleted", (const char *)all->pdata[i]);
    }
    g_ptr_array_unref(all);
}

// ---- telling of them --------------------------------------------------------------------------------------------

static bool is_marked(const struct library *l, const char *id)
{
    struct stat st;
    char *path = g_build_filename(l->dir, id, MARK, NULL);
    bool is_there = lstat(path, &st) == 0;
    g_free(path);
    return is_there;
}

bool library_look_at(struct library *l, const char *id, library_found_h *found, void *arg)
{
    json_t *manifest = is_marked(l, id) ? NULL : library_manifest(l, id, NULL);
    bool is_news = manifest && strcmp(text_of(manifest, "state"), "recording") != 0;
    if (is_news)
        found(arg, id, manifest);
    json_decref(manifest);
    return is_news;
}

char *library_find_unmarked(struct library *l, const char *before, unsigned max, library_found_h *found, void *arg)
{
    GPtrArray *all = ids(l);
    char *last = NULL;
    for (guint i = 0; i < all->len && !last; i++) {
        const char *id = all->pdata[i];
        bool is_next = !before || strcmp(id, before) < 0;
        if (is_next && library_look_at(l, id, found, arg) && --max == 0)
            last = g_strdup(id);
    }
    g_ptr_array_unref(all);
    return last;
}

void library_mark(struct library *l, const char *id)
{
    int fd = open_dir(l, id);
    int mark = fd < 0 ? -1 : openat(fd, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (mark >= 0)
        close(mark);
    if (fd >= 0)
        close(fd);
}
