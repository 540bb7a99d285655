// Does everybody find their own calls over HTTP, by page and filter, and nobody else's?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "signaling/archive.h"
#include "signaling/calls.h"
#include "signaling/db.h"
#include "signaling/site.h"
#include "tests/signaling/rig.h"

static struct visit visit_with_store(const char *settings)
{
    struct visit v = visit_of(settings);
    rig_open_store(v.rig);
    return v;
}

// The status of GET path?query, as the bearer of `claims` or nobody.
static int get(struct visit *v, const char *path, const char *query, const char *claims)
{
    char *bearer = claims ? make_bearer(claims) : NULL;
    char **pairs = g_strsplit(query, "&", 0);
    int status = visit_ask(
        v, (struct http_request){
               .method = HTTP_GET, .path = path, .query = (const char *const *)pairs, .authorization = bearer});
    g_strfreev(pairs);
    g_free(bearer);
    return status;
}

static const json_t *first(const struct visit *v)
{
    return json_array_get(json_object_get(v->json, "calls"), 0);
}

static size_t count(const struct visit *v)
{
    return json_array_size(json_object_get(v->json, "calls"));
}

// The ids of who took part, in their order.
static const char *people(const json_t *call)
{
    static char list[200];
    const json_t *participants = json_object_get(call, "participants");
    list[0] = '\0';
    for (size_t i = 0; i < json_array_size(participants); i++) {
        g_strlcat(list, text_of(json_array_get(participants, i), "userId"), sizeof(list));
        g_strlcat(list, " ", sizeof(list));
    }
    return list;
}

static struct client *user_new(struct rig *rig, const char *user)
{
    struct client *client = client_new(rig, "call");
    session_identify(client->session, user, user);
    return client;
}

static void say(struct client *client, const char *event, const char *data)
{
    char *message = g_strdup_printf("{\"event\":\"%s\",\"data\":%s}", event, data);
    client_say(client, message);
    g_free(message);
}

// Ana calls Bob, who answers; she hangs up.
static void hold_call(struct visit *v, struct client *ana, struct client *bob, const char *data)
{
    say(ana, "CALL_INITIATE", data);
    assert_non_null(calls_of(v->rig->hub, "ana"));
    say(bob, "CALL_ANSWER", "{}");
    assert_int_equal(get(v, "/calls/active", "user=bob", NULL), 200);
    assert_int_equal(count(v), 1);
    assert_string_equal(text_of(first(v), "status"), "CONNECTING");
    rig_pass(v->rig, 2);
    say(ana, "CALL_END", "{}");
    rig_settle(v->rig);
}

static void test_history(void **state)
{
    (void)state;
    struct visit v = visit_with_store("DATABASE_URL=:memory:");
    struct client *ana = user_new(v.rig, "ana"), *bob = user_new(v.rig, "bob");
    assert_int_equal(get(&v, "/calls/history", "user=ana", NULL), 200);
    assert_int_equal(count(&v), 0);
    hold_call(&v, ana, bob, "{\"participantIds\":[\"bob\"],\"type\":\"AUDIO\",\"chatId\":\"chat-1\"}");
    hold_call(&v, ana, bob, "{\"participantIds\":[\"bob\"],\"type\":\"VIDEO\"}");

    assert_int_equal(get(&v, "/calls/history", "user=bob", NULL), 200);
    assert_int_equal(count(&v), 2);
    assert_int_equal(json_integer_value(json_object_get(v.json, "total")), 2);
    assert_string_equal(text_of(first(&v), "type"), "VIDEO"); // the latest first
    assert_string_equal(text_of(first(&v), "status"), "ENDED");
    assert_string_equal(text_of(first(&v), "initiatorId"), "ana");
    assert_string_equal(text_of(first(&v), "endedBy"), "ana");
    assert_int_equal(json_array_size(json_object_get(first(&v), "participants")), 2);
    assert_true(json_is_integer(json_object_get(first(&v), "duration")));
    assert_int_equal(strlen(text_of(first(&v), "startedAt")), strlen("2026-01-31T10:00:00.000Z"));

    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {"user=ana&type=AUDIO", 1},     {"user=ana&chatId=chat-1", 1},
        {"user=ana&chatId=chat-2", 0},  {"user=ana&limit=1", 1},
        {"user=ana&limit=1&page=2", 1}, {"user=ana&limit=1&page=3", 0},
        {"user=ana&page=10000000", 0},  {"user=eva", 0},
        {"user=ana&limit=100", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        print_message("%s\n", cases[i].query);
        assert_int_equal(get(&v, "/calls/history", cases[i].query, NULL), 200);
        assert_int_equal(count(&v), cases[i].count);
    }
    assert_int_equal(get(&v, "/calls/active", "user=bob", NULL), 200);
    assert_int_equal(count(&v), 0);
    visit_clear(&v);
}

static void test_wrong(void **state)
{
    (void)state;
    static const char *const queries[] = {"", "user=com espaco", "user=ana&page=0", "user=ana&limit=101",
                                          "user=ana&type=FAX"};
    struct visit v = visit_with_store("DATABASE_URL=:memory:");
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        assert_int_equal(get(&v, "/calls/history", queries[i], NULL), 400);
        assert_string_equal(text_of(json_object_get(v.json, "error"), "code"), "bad-field");
    }
    assert_int_equal(get(&v, "/calls/active", "", NULL), 400);
    visit_clear(&v);
}

static void test_only_ones_own(void **state)
{
    (void)state;
    struct visit v = visit_with_store("DATABASE_URL=:memory: JWT_SECRET=" SECRET);
    assert_int_equal(get(&v, "/calls/history", "user=ana", NULL), 401);
    assert_int_equal(get(&v, "/calls/history", "user=ana", "{\"sub\":\"bob\"}"), 200); // bob's, whatever is asked
    assert_int_equal(get(&v, "/calls/active", "", "{\"sub\":\"bob\"}"), 200);
    visit_clear(&v);
}

// Each call of a page has its own people.
static void test_people_of_a_page(void **state)
{
    (void)state;
    struct visit v = visit_with_store("DATABASE_URL=:memory:");
    struct client *ana = user_new(v.rig, "ana");
    static const char *const callees[] = {"bob", "eva", "ivo"};
    for (size_t i = 0; i < G_N_ELEMENTS(callees); i++) {
        say(ana, "CALL_INITIATE", i ? "{\"participantIds\":[\"eva\",\"ivo\"]}" : "{\"participantIds\":[\"bob\"]}");
        rig_pass(v.rig, 2);
        say(ana, "CALL_END", "{}");
        rig_settle(v.rig);
    }
    assert_int_equal(get(&v, "/calls/history", "user=ana&limit=2&page=2", NULL), 200);
    assert_string_equal(people(first(&v)), "ana bob ");
    assert_int_equal(get(&v, "/calls/history", "user=ana", NULL), 200);
    assert_int_equal(count(&v), 3);
    for (size_t i = 0; i < count(&v); i++)
        assert_string_equal(people(json_array_get(json_object_get(v.json, "calls"), i)),
                            i < 2 ? "ana eva ivo " : "ana bob ");
    visit_clear(&v);
}

// Who took part is a part of the answer: without it there is none.
static void test_unreadable_people(void **state)
{
    (void)state;
    char *folder = g_dir_make_tmp("roda-history-XXXXXX", NULL), *path = g_build_filename(folder, "roda.db", NULL);
    char *setting = g_strconcat("DATABASE_URL=", path, NULL), err[200];
    struct visit v = visit_with_store(setting);
    struct client *ana = user_new(v.rig, "ana"), *bob = user_new(v.rig, "bob");
    hold_call(&v, ana, bob, "{\"participantIds\":[\"bob\"]}");
    assert_int_equal(get(&v, "/calls/history", "user=ana", NULL), 200);
    char *call = g_strconcat("/calls/", text_of(first(&v), "id"), NULL);
    rig_pass(v.rig, 3600);
    assert_int_equal(get(&v, call, "user=ana", NULL), 200);

    struct db *db = db_open(path, false, err, sizeof(err));
    assert_int_equal(db_run(db, "ALTER TABLE participants RENAME COLUMN joined_ms TO lost"), 0);
    db_close(db);
    assert_int_equal(get(&v, "/calls/history", "user=ana", NULL), 503);
    assert_int_equal(get(&v, call, "user=ana", NULL), 503);
    visit_clear(&v);
    char *lock = g_strconcat(path, ".lock", NULL);
    assert_int_equal(g_unlink(path), 0);
    assert_int_equal(g_unlink(lock), 0);
    assert_int_equal(g_rmdir(folder), 0);
    g_free(lock);
    g_free(call);
    g_free(setting);
    g_free(path);
    g_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history),           cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_only_ones_own),     cmocka_unit_test(test_people_of_a_page),
        cmocka_unit_test(test_unreadable_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
