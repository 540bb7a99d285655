// Is everything remembered that was settled, and found again?
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "signaling/store_schema.h"
#include "tests/signaling/store_place.h"

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

// ---- without one -----------------------------------------------------------------------------------------------

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
        cmocka_unit_test(test_killed),         cmocka_unit_test(test_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
