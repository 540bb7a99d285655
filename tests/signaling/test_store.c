// Is everything remembered that was settled, and found again?
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "signaling/log.h"
#include "signaling/store.h"
#include "signaling/store_read.h"
#include "signaling/store_schema.h"

enum { PATIENCE_S = 20 };

static const int64_t T0 = INT64_C(1769853600000); // 2026-01-31T10:00:00Z
static const int64_t DAY = INT64_C(86400000);

// ---- a store in a folder of its own ---------------------------------------------------------------------------

struct place {
    char *dir, *path;
    struct config config;
    GMutex lock;
    GCond woken;
    char err[400];
};

static void on_wake(void *arg)
{
    struct place *place = arg;
    g_mutex_lock(&place->lock);
    g_cond_broadcast(&place->woken);
    g_mutex_unlock(&place->lock);
}

static void set(struct place *place, const char *key, const char *value)
{
    assert_int_equal(config_set(&place->config, key, value, place->err, sizeof(place->err)), 0);
}

static struct place *place_new(void)
{
    struct place *place = g_new0(struct place, 1);
    log_init(LOG_LEVEL_ERROR, LOG_TEXT);
    place->dir = g_dir_make_tmp("roda-store-XXXXXX", NULL);
    assert_non_null(place->dir);
    place->path = g_build_filename(place->dir, "roda.db", NULL);
    g_mutex_init(&place->lock);
    g_cond_init(&place->woken);
    config_init(&place->config);
    set(place, "DATABASE_URL", place->path);
    return place;
}

static void place_free(struct place *place)
{
    GDir *dir = g_dir_open(place->dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        char *file = g_build_filename(place->dir, name, NULL);
        g_remove(file);
        g_free(file);
    }
    g_dir_close(dir);
    assert_int_equal(g_rmdir(place->dir), 0);
    config_clear(&place->config);
    g_mutex_clear(&place->lock);
    g_cond_clear(&place->woken);
    g_free(place->dir);
    g_free(place->path);
    g_free(place);
}

static struct store *open_store(struct place *place)
{
    struct store *store = store_new(&place->config, on_wake, place, place->err, sizeof(place->err));
    if (!store)
        fail_msg("%s", place->err);
    return store;
}

static void open_badly(struct place *place, const char *why)
{
    assert_null(store_new(&place->config, on_wake, place, place->err, sizeof(place->err)));
    if (!strstr(place->err, why))
        fail_msg("\"%s\" does not say \"%s\"", place->err, why);
}

// Until the condition holds; woken by the writer.
static void wait_until(struct place *place, struct store *store, bool (*holds)(struct store *, uint64_t),
                       uint64_t arg)
{
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    g_mutex_lock(&place->lock);
    while (!holds(store, arg)) {
        int64_t look_us = MIN(until_us, g_get_monotonic_time() + G_USEC_PER_SEC / 10);
        g_cond_wait_until(&place->woken, &place->lock, look_us);
        if (g_get_monotonic_time() >= until_us)
            fail_msg("nothing changed for %d s", PATIENCE_S);
    }
    g_mutex_unlock(&place->lock);
}

static bool is_settled(struct store *store, uint64_t ticket)
{
    return store_settled(store) >= ticket;
}

static bool has_written(struct store *store, uint64_t count)
{
    return store_health(store).written >= count;
}

static bool is_degraded(struct store *store, uint64_t wanted)
{
    return store_health(store).is_degraded == (wanted != 0);
}

static bool has_lost(struct store *store, uint64_t count)
{
    return store_health(store).lost >= count;
}

static void settle(struct place *place, struct store *store)
{
    store_flush(store);
    wait_until(place, store, is_settled, store_last_ticket(store));
}

// ---- calls ----------------------------------------------------------------------------------------------------

static struct store_call make_call(const char *id, const char *status, int64_t at_ms)
{
    return (struct store_call){.id = id,
                               .room = "room-1",
                               .type = "VIDEO",
                               .status = status,
                               .initiator = "ana",
                               .initiator_name = "Ana María",
                               .started_ms = at_ms,
                               .changed_ms = at_ms};
}

static struct store_participant make_participant(const char *call, const char *user, int64_t at_ms)
{
    return (struct store_participant){.call = call,
                                      .user = user,
                                      .name = "Somebody",
                                      .status = "RINGING",
                                      .is_video_enabled = true,
                                      .invited_ms = at_ms,
                                      .changed_ms = at_ms};
}

// What was found, one line a row.
static void note_call(void *arg, const struct store_call *c)
{
    g_string_append_printf(arg, "%s %s %s%s%s;", c->id, c->type, c->status, c->reason ? " " : "",
                           c->reason ? c->reason : "");
}

static void note_participant(void *arg, const struct store_participant *p)
{
    g_string_append_printf(arg, "%s %s%s%s%s;", p->user, p->status, p->is_muted ? " muted" : "",
                           p->is_video_enabled ? " video" : "", p->is_sharing_screen ? " screen" : "");
}

static void note_change(void *arg, const struct store_change *c)
{
    if (c->status)
        g_string_append_printf(arg, "+%d %s%s%s;", (int)(c->at_ms - T0), c->status, c->reason ? " " : "",
                               c->reason ? c->reason : "");
    else
        g_string_append_printf(arg, "+%d %s %d%d%d;", (int)(c->at_ms - T0), c->user, c->is_muted, c->is_video_enabled,
                               c->is_sharing_screen);
}

static void note_chat(void *arg, const struct store_chat *c)
{
    g_string_append_printf(arg, "%s->%s: %s;", c->from, c->to ? c->to : "all", c->text);
}

static void note_delivery(void *arg, const struct store_delivery *d)
{
    g_string_append_printf(arg, "%s %s %u;", d->id, d->url, d->attempts);
}

static void expect(GString *found, const char *wanted)
{
    assert_string_equal(found->str, wanted);
    g_string_free(found, TRUE);
}

#define EXPECT(wanted, find, ...)                                                                                    \
    do {                                                                                                             \
        GString *found = g_string_new(NULL);                                                                         \
        assert_true(find(__VA_ARGS__, found) >= 0);                                                                  \
        expect(found, wanted);                                                                                       \
    } while (0)

#define EXPECT_CALLS(store, wanted, ...)                                                                             \
    EXPECT(wanted, store_find_calls, store, (&(struct store_query){__VA_ARGS__}), note_call)

static void put_life(struct store *store)
{
    struct store_call call = make_call("c1", "RINGING", T0);
    struct store_participant ana = make_participant("c1", "ana", T0), bob = make_participant("c1", "bob", T0);
    ana.status = "JOINED";
    store_put_call(store, &call);
    store_put_participant(store, &ana);
    store_put_participant(store, &bob);
    call.status = "CONNECTING";
    call.answered_ms = call.changed_ms = T0 + 10;
    store_put_call(store, &call);
    bob.status = "JOINED";
    bob.joined_ms = bob.changed_ms = T0 + 10;
    store_put_participant(store, &bob);
    call.status = "CONNECTED";
    call.connected_ms = call.changed_ms = T0 + 20;
    store_put_call(store, &call);
    bob.is_muted = true;
    bob.changed_ms = T0 + 30;
    store_put_participant(store, &bob);
}

static void test_life_of_a_call(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    put_life(store);
    struct store_call call = make_call("c1", "ENDED", T0);
    call.ended_ms = call.changed_ms = T0 + 40;
    call.ended_by = "bob";
    call.reason = "hangup";
    store_put_call(store, &call);
    store_put_call(store, &call); // the same again changes nothing
    settle(place, store);
    EXPECT("c1 VIDEO ENDED hangup;", store_find_call, store, "c1", note_call);
    EXPECT("", store_find_call, store, "c2", note_call);
    EXPECT("ana JOINED video;bob JOINED muted video;", store_find_participants, store, "c1", note_participant);
    EXPECT("+0 RINGING;+10 CONNECTING;+20 CONNECTED;+40 ENDED hangup;", store_find_states, store, "c1", note_change);
    EXPECT("+30 bob 110;", store_find_media, store, "c1", note_change);
    EXPECT_CALLS(store, "", .is_active = true, .limit = 10);
    assert_int_equal(store_health(store).lost, 0);
    assert_int_equal(store_health(store).written, 9);
    store_free(store);
    // It is the same after a restart: nothing was open.
    store = open_store(place);
    EXPECT("c1 VIDEO ENDED hangup;", store_find_call, store, "c1", note_call);
    store_free(store);
    place_free(place);
}

static void test_filters_and_pages(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    for (int i = 0; i < 8; i++) {
        char id[3] = {'c', (char)('0' + i), '\0'};
        struct store_call call = make_call(id, i < 7 ? "ENDED" : "CONNECTED", T0 + i);
        struct store_participant one = make_participant(id, i % 2 ? "ana" : "bob", T0 + i);
        call.type = i < 4 ? "AUDIO" : "VIDEO";
        call.chat_id = i % 4 == 1 ? "chat" : NULL;
        call.ended_ms = i < 7 ? T0 + 100 : 0;
        store_put_call(store, &call);
        store_put_participant(store, &one);
    }
    settle(place, store);
    EXPECT_CALLS(store, "c7 VIDEO CONNECTED;c6 VIDEO ENDED;", .limit = 2);
    EXPECT_CALLS(store, "c5 VIDEO ENDED;c4 VIDEO ENDED;", .limit = 2, .offset = 2);
    EXPECT_CALLS(store, "c7 VIDEO CONNECTED;c5 VIDEO ENDED;c3 AUDIO ENDED;c1 AUDIO ENDED;", .user = "ana",
                 .limit = 10);
    EXPECT_CALLS(store, "c3 AUDIO ENDED;c1 AUDIO ENDED;", .user = "ana", .type = "AUDIO", .limit = 10);
    EXPECT_CALLS(store, "c5 VIDEO ENDED;c1 AUDIO ENDED;", .user = "ana", .chat_id = "chat", .limit = 10);
    EXPECT_CALLS(store, "c5 VIDEO ENDED;", .chat_id = "chat", .type = "VIDEO", .limit = 10);
    EXPECT_CALLS(store, "c3 AUDIO ENDED;", .type = "AUDIO", .limit = 1);
    EXPECT_CALLS(store, "c1 AUDIO ENDED;c0 AUDIO ENDED;", .before_ms = T0 + 2, .limit = 10);
    EXPECT_CALLS(store, "c7 VIDEO CONNECTED;", .is_active = true, .limit = 10);
    EXPECT_CALLS(store, "c7 VIDEO CONNECTED;", .is_active = true, .user = "ana", .limit = 10);
    EXPECT_CALLS(store, "", .is_active = true, .user = "bob", .limit = 10);
    EXPECT_CALLS(store, "", .user = "eva", .limit = 10);
    assert_int_equal(store_count_calls(store, &(struct store_query){.limit = 1}), 8);
    assert_int_equal(store_count_calls(store, &(struct store_query){.user = "ana", .offset = 3}), 4);
    assert_int_equal(store_count_calls(store, &(struct store_query){.user = "ana", .type = "AUDIO"}), 2);
    assert_int_equal(store_count_calls(store, &(struct store_query){.chat_id = "chat"}), 2);
    assert_int_equal(store_count_calls(store, &(struct store_query){.is_active = true, .user = "ana"}), 1);
    store_free(store);
    place_free(place);
}

static void check_plan(sqlite3 *db, const struct store_query *query, char *sql)
{
    char *explain = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
    sqlite3_stmt *stmt;
    unsigned lines = 0;
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), SQLITE_OK);
    for (; sqlite3_step(stmt) == SQLITE_ROW; lines++) {
        const char *line = (const char *)sqlite3_column_text(stmt, 3);
        bool is_outer = sqlite3_column_int(stmt, 1) == 0; // of the page, not of what it was chosen from
        if (is_outer && (strstr(line, "TEMP B-TREE") || strstr(line, "SEARCH c USING PRIMARY KEY")))
            continue;
        // SCAN along an index is how a LIMIT without a filter reads; without one it is the whole table.
        bool is_table_scan = strstr(line, "SCAN c") && !strstr(line, "INDEX");
        bool is_scan_for_user =
            query->user && !query->is_active &&
            (strstr(line, "SCAN c") || g_str_has_prefix(line, "SCAN p ") || strcmp(line, "SCAN p") == 0);
        bool is_slow_active = query->is_active && strstr(line, " c ") && !strstr(line, "calls_open");
        if (strstr(line, "TEMP B-TREE") || is_table_scan || is_scan_for_user || is_slow_active)
            fail_msg("%s\n%s", sql, line);
    }
    assert_true(lines > 0);
    sqlite3_finalize(stmt);
    g_free(explain);
    g_free(sql);
}

// Every shape of question walks along an index, and never sorts.
static void test_plans(void **state)
{
    (void)state;
    struct place *place = place_new();
    store_free(open_store(place));
    sqlite3 *db;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    for (unsigned shape = 0; shape < 32; shape++) {
        const struct store_query query = {.user = shape & 1 ? "u" : NULL,
                                          .chat_id = shape & 2 ? "c" : NULL,
                                          .type = shape & 4 ? "VIDEO" : NULL,
                                          .before_ms = shape & 8 ? T0 : 0,
                                          .is_active = (shape & 16) != 0};
        check_plan(db, &query, read_calls_sql(&query));
        check_plan(db, &query, read_count_sql(&query));
    }
    sqlite3_close(db);
    place_free(place);
}

static void test_chat(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store_chat chat = {.id = "m1", .call = "c1", .room = "r", .from = "ana", .text = "Olá\n😀", .at_ms = T0};
    struct store *store = open_store(place);
    put_life(store);
    assert_int_equal(store_put_chat(store, &chat), 0); // not asked for
    settle(place, store);
    EXPECT("", store_find_chat, store, "c1", note_chat);
    store_free(store);
    set(place, "CHAT_HISTORY", "true");
    store = open_store(place);
    assert_true(store_put_chat(store, &chat) > 0);
    chat.id = "m2";
    chat.to = "bob";
    store_put_chat(store, &chat);
    chat.id = "m3";
    chat.call = NULL; // of a room without a call
    store_put_chat(store, &chat);
    settle(place, store);
    EXPECT("ana->all: Olá\n😀;ana->bob: Olá\n😀;", store_find_chat, store, "c1", note_chat);
    assert_int_equal(store_health(store).lost, 0);
    store_free(store);
    place_free(place);
}

static void test_deliveries(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    struct store_delivery d = {
        .id = "e1", .url = "u1", .subject = "s", .body = "{}", .created_ms = T0, .next_ms = T0};
    store_put_delivery(store, &d);
    d.url = "u2";
    store_put_delivery(store, &d);
    d.attempts = 3;
    store_retry_delivery(store, &d);
    store_end_delivery(store, "e1", "u1");
    d.id = "e2";
    store_put_delivery(store, &d);
    settle(place, store);
    EXPECT("e1 u2 3;e2 u2 3;", store_find_deliveries, store, note_delivery);
    store_free(store);
    place_free(place);
}

// ---- time and death -------------------------------------------------------------------------------------------

static void test_retention(void **state)
{
    (void)state;
    struct place *place = place_new();
    set(place, "RETENTION_DAYS", "10");
    set(place, "CHAT_HISTORY", "true");
    struct store *store = open_store(place);
    put_life(store); // T0, never ended: it stays
    for (int i = 0; i < 250; i++) {
        char id[16];
        g_snprintf(id, sizeof(id), "old-%d", i);
        struct store_call call = make_call(id, "ENDED", T0);
        struct store_participant ana = make_participant(id, "ana", T0);
        struct store_chat chat = {.id = id, .call = id, .room = "r", .from = "ana", .text = "secret", .at_ms = T0};
        call.ended_ms = T0 + 1;
        store_put_call(store, &call);
        store_put_participant(store, &ana);
        store_put_chat(store, &chat);
    }
    struct store_call young = make_call("young", "ENDED", T0 + DAY);
    young.ended_ms = T0 + DAY;
    store_put_call(store, &young);
    store_expire(store, T0 + 10 * DAY);
    settle(place, store);
    EXPECT_CALLS(store, "young VIDEO ENDED;old-99 VIDEO ENDED;", .limit = 2); // not old enough, by a hair
    for (int i = 1; i <= 5; i++) {                                            // in steps, a second apart
        store_expire(store, T0 + 10 * DAY + i * 1000);
        store_expire(store, T0 + 10 * DAY + i * 1000 + 999);
    }
    settle(place, store);
    EXPECT_CALLS(store, "young VIDEO ENDED;c1 VIDEO CONNECTED;", .limit = 10);
    EXPECT("", store_find_participants, store, "old-1", note_participant);
    store_free(store);
    // Nor is it anywhere in the file.
    char *bytes;
    gsize len;
    assert_true(g_file_get_contents(place->path, &bytes, &len, NULL));
    assert_null(memmem(bytes, len, "secret", 6));
    g_free(bytes);
    place_free(place);
}

// A process that dies by SIGKILL right after its writes were settled.
static void die_after_life(struct place *place)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct store *store = open_store(place);
        put_life(store);
        struct store_call ringing = make_call("c2", "RINGING", T0 + 50);
        struct store_participant bob = make_participant("c2", "bob", T0 + 50);
        store_put_call(store, &ringing);
        store_put_participant(store, &bob);
        settle(place, store);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void test_killed(void **state)
{
    (void)state;
    struct place *place = place_new();
    die_after_life(place);
    struct store *store = open_store(place);
    assert_string_equal(store_recovered(store)[0], "c1");
    assert_string_equal(store_recovered(store)[1], "c2");
    assert_null(store_recovered(store)[2]);
    EXPECT_CALLS(store, "c2 VIDEO FAILED server-restart;c1 VIDEO FAILED server-restart;", .limit = 10);
    EXPECT("+0 RINGING;+10 CONNECTING;+20 CONNECTED;+30 FAILED server-restart;", store_find_states, store, "c1",
           note_change);
    EXPECT("ana LEFT video;bob LEFT muted video;", store_find_participants, store, "c1", note_participant);
    EXPECT("bob MISSED video;", store_find_participants, store, "c2", note_participant);
    EXPECT_CALLS(store, "", .is_active = true, .limit = 10);
    store_free(store);
    place_free(place);
}

// ---- a disk that fails ----------------------------------------------------------------------------------------

// No file of this process grows beyond that.
static void bound_files(rlim_t max)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    log_init((enum log_level) - 1, LOG_TEXT); // it will complain
    signal(SIGXFSZ, SIG_IGN);
    put_life(store);
    settle(place, store);
    bound_files(4096);
    struct store_call call = make_call("late", "ENDED", T0 + 60);
    call.ended_ms = T0 + 60;
    uint64_t ticket = store_put_call(store, &call);
    store_flush(store);
    assert_true(ticket > 0);
    wait_until(place, store, is_degraded, 1);
    assert_true(is_settled(store, ticket)); // nobody waits for a disk that fails
    assert_true(store_health(store).why[0] != '\0');
    assert_true(store_health(store).failed_commits > 0);
    assert_true(store_has_room(store)); // calls go on
    for (int i = 0; i < 5000; i++)
        store_put_call(store, &call);
    store_flush(store);
    wait_until(place, store, has_lost, 900);
    bound_files(RLIM_INFINITY);
    wait_until(place, store, is_degraded, 0);
    settle(place, store);
    EXPECT("late VIDEO ENDED;", store_find_call, store, "late", note_call);
    store_free(store);
    place_free(place);
}

// Somebody else holds the database: writes wait, and nobody waits for them longer than STORE_STALL_MS.
static void test_stalled_disk(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    sqlite3 *thief;
    log_init((enum log_level) - 1, LOG_TEXT);
    assert_int_equal(sqlite3_open(place->path, &thief), SQLITE_OK);
    assert_int_equal(sqlite3_exec(thief, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct store_call call = make_call("c1", "ENDED", T0);
    uint64_t ticket = store_put_call(store, &call);
    store_flush(store);
    assert_false(is_settled(store, ticket));
    for (unsigned i = 0; i < STORE_QUEUE_NEW_MAX + 600; i++)
        store_put_call(store, &call);
    store_flush(store);
    assert_false(store_has_room(store));
    for (unsigned i = 0; i < STORE_QUEUE_MAX - STORE_QUEUE_NEW_MAX; i++)
        store_put_call(store, &call);
    assert_int_equal(store_put_call(store, &call), 0);
    store_flush(store);
    assert_true(store_health(store).refused == 1 && store_health(store).lost > 0);
    wait_until(place, store, is_degraded, 1);
    assert_true(is_settled(store, ticket));
    assert_int_equal(sqlite3_exec(thief, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(thief);
    wait_until(place, store, has_written, STORE_QUEUE_MAX - 600);
    wait_until(place, store, is_degraded, 0);
    store_free(store);
    place_free(place);
}

// What the tables refuse is left out; what stands beside it in the same batch is not.
static void test_refused(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    struct store_call call = make_call("c1", "RINGING", T0);
    struct store_participant orphan = make_participant("nowhere", "bob", T0), bob = make_participant("c1", "bob", T0);
    log_init((enum log_level) - 1, LOG_TEXT);
    store_put_call(store, &call);
    store_put_participant(store, &orphan);
    store_put_participant(store, &bob);
    settle(place, store);
    EXPECT("bob RINGING video;", store_find_participants, store, "c1", note_participant);
    assert_int_equal(store_health(store).lost, 1);
    store_free(store);
    place_free(place);
}

// ---- opening --------------------------------------------------------------------------------------------------

static void test_urls(void **state)
{
    (void)state;
    static const char *const forms[] = {"sqlite://%s", "sqlite:%s", "%s"};
    struct place *place = place_new();
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        GString *url = g_string_new(forms[i]);
        g_string_replace(url, "%s", place->path, 0);
        set(place, "DATABASE_URL", url->str);
        g_string_free(url, TRUE);
        struct store *store = open_store(place);
        if (i == 0)
            put_life(store);
        settle(place, store);
        EXPECT(i ? "c1 VIDEO FAILED server-restart;" : "c1 VIDEO CONNECTED;", store_find_call, store, "c1",
               note_call);
        store_free(store);
    }
    place_free(place);
}

static void test_memory(void **state)
{
    (void)state;
    struct place *place = place_new();
    set(place, "DATABASE_URL", ":memory:");
    struct store *one = open_store(place), *other = open_store(place);
    put_life(one);
    settle(place, one);
    EXPECT("c1 VIDEO CONNECTED;", store_find_call, one, "c1", note_call);
    EXPECT("", store_find_call, other, "c1", note_call);
    store_free(one);
    store_free(other);
    place_free(place);
}

static void test_private_files(void **state)
{
    (void)state;
    struct place *place = place_new();
    char *dir = g_build_filename(place->dir, "data", NULL), *file = g_build_filename(dir, "roda.db", NULL);
    struct stat st;
    set(place, "DATA_DIR", dir);
    g_free(place->config.database_url);
    place->config.database_url = NULL;
    mode_t before = umask(0);
    struct store *store = open_store(place);
    umask(before);
    put_life(store);
    settle(place, store);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *name = g_strconcat(file, names[i], NULL);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        g_free(name);
    }
    store_free(store);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *name = g_strconcat(file, names[i], NULL);
        g_remove(name);
        g_free(name);
    }
    g_rmdir(dir);
    g_free(dir);
    g_free(file);
    place_free(place);
}

static void test_unusable(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    open_badly(place, "another server uses");
    store_free(store);

    sqlite3 *db;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    open_badly(place, "version 99 and this program knows up to 1");
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 0", NULL, NULL, NULL), SQLITE_OK);
    open_badly(place, "another program");
    sqlite3_close(db);

    assert_true(g_file_set_contents(place->path, "This is a letter, not a database, and a rather long one at that.",
                                    -1, NULL));
    open_badly(place, "not a database");
    static const char *const bad[] = {"postgres://user@host/db", "mysql:x", "sqlite:", "sqlite://relative",
                                      "sqlite:file:x"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        set(place, "DATABASE_URL", bad[i]);
        open_badly(place, "only SQLite is built in");
    }
    set(place, "DATABASE_URL", "/nowhere/at/all/roda.db");
    open_badly(place, "name a file in a folder");
    set(place, "DATABASE_URL", "/proc/roda.db");
    open_badly(place, "name a file in a folder");
    place_free(place);
}

// A page of the file overwritten with noise.
static void test_damaged(void **state)
{
    (void)state;
    struct place *place = place_new();
    struct store *store = open_store(place);
    put_life(store);
    store_free(store);
    char *bytes;
    gsize len;
    assert_true(g_file_get_contents(place->path, &bytes, &len, NULL));
    for (gsize i = 4096; i < len; i++)
        bytes[i] ^= (char)(i * 7 + 1);
    assert_true(g_file_set_contents(place->path, bytes, (gssize)len, NULL));
    g_free(bytes);
    open_badly(place, "cannot use");
    place_free(place);
}

static void test_no_store(void **state)
{
    (void)state;
    put_life(NULL);
    GString *found = g_string_new(NULL);
    assert_int_equal(store_find_call(NULL, "c1", note_call, found), 0);
    assert_true(store_has_room(NULL));
    assert_int_equal(store_settled(NULL), 0);
    assert_int_equal(store_last_ticket(NULL), 0);
    store_expire(NULL, T0);
    g_string_free(found, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_of_a_call), cmocka_unit_test(test_filters_and_pages),
        cmocka_unit_test(test_plans),          cmocka_unit_test(test_chat),
        cmocka_unit_test(test_deliveries),     cmocka_unit_test(test_retention),
        cmocka_unit_test(test_killed),         cmocka_unit_test(test_urls),
        cmocka_unit_test(test_memory),         cmocka_unit_test(test_private_files),
        cmocka_unit_test(test_unusable),       cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_store),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full_disk),      cmocka_unit_test(test_stalled_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
