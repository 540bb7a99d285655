// Does a store open only what it can use, and stand a disk that fails?
// SPDX-License-Identifier: MIT
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

#include <cmocka.h>

#include "tests/signaling/store_place.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk), cmocka_unit_test(test_stalled_disk), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_memory),       cmocka_unit_test(test_private_files),
        cmocka_unit_test(test_unusable),  cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
