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

#define SECRET "0123456789abcdef0123456789abcdef"

enum { PATIENCE_S = 20 };

struct desk {
    struct rig *rig;
    struct site *site;
    json_t *json; // the last answer
};

static void no_wake(void *arg)
{
    (void)arg;
}

static struct desk desk_new(const char *settings)
{
    struct desk d = {.rig = rig_new(settings)};
    char err[400];
    struct store *store = store_new(&d.rig->config, no_wake, NULL, err, sizeof(err));
    assert_non_null(store);
    archive_attach(d.rig->hub, store);
    d.site = site_new(d.rig->hub);
    return d;
}

static void desk_free(struct desk *d)
{
    struct store *store = d->rig->hub->store;
    json_decref(d->json);
    site_free(d->site);
    rig_free(d->rig);
    store_free(store);
}

static void settle(struct desk *d)
{
    struct store *store = d->rig->hub->store;
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    store_flush(store);
    while (store_settled(store) < store_last_ticket(store)) {
        if (g_get_monotonic_time() > until_us)
            fail_msg("nothing was written for %d s", PATIENCE_S);
        g_usleep(1000);
    }
    rig_turn(d->rig);
}

// The status of GET path?query, as the bearer of `claims` or nobody.
static int get(struct desk *d, const char *path, const char *query, const char *claims)
{
    char *token = claims ? make_token(SECRET, claims) : NULL;
    char *bearer = token ? g_strconcat("Bearer ", token, NULL) : NULL;
    char **pairs = g_strsplit(query, "&", 0);
    struct http_response response = {0};
    struct http_request request = {.method = HTTP_GET,
                                   .path = path,
                                   .query = (const char *const *)pairs,
                                   .host = "localhost",
                                   .authorization = bearer,
                                   .address = "127.0.0.1"};
    struct exchange *x = exchange_new(d->rig->hub, &request, &response, NULL, NULL);
    site_serve(d->site, x);
    exchange_free(x);
    json_decref(d->json);
    d->json = json_loadb(response.body, response.body_len, 0, NULL);
    int status = response.status;
    http_response_clear(&response);
    g_strfreev(pairs);
    g_free(bearer);
    g_free(token);
    return status;
}

static const json_t *first(const struct desk *d)
{
    return json_array_get(json_object_get(d->json, "calls"), 0);
}

static size_t count(const struct desk *d)
{
    return json_array_size(json_object_get(d->json, "calls"));
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
static void hold_call(struct desk *d, struct client *ana, struct client *bob, const char *data)
{
    say(ana, "CALL_INITIATE", data);
    assert_non_null(calls_of(d->rig->hub, "ana"));
    say(bob, "CALL_ANSWER", "{}");
    assert_int_equal(get(d, "/calls/active", "user=bob", NULL), 200);
    assert_int_equal(count(d), 1);
    assert_string_equal(text_of(first(d), "status"), "CONNECTING");
    rig_pass(d->rig, 2);
    say(ana, "CALL_END", "{}");
    settle(d);
}

static void test_history(void **state)
{
    (void)state;
    struct desk d = desk_new("DATABASE_URL=:memory:");
    struct client *ana = user_new(d.rig, "ana"), *bob = user_new(d.rig, "bob");
    assert_int_equal(get(&d, "/calls/history", "user=ana", NULL), 200);
    assert_int_equal(count(&d), 0);
    hold_call(&d, ana, bob, "{\"participantIds\":[\"bob\"],\"type\":\"AUDIO\",\"chatId\":\"chat-1\"}");
    hold_call(&d, ana, bob, "{\"participantIds\":[\"bob\"],\"type\":\"VIDEO\"}");

    assert_int_equal(get(&d, "/calls/history", "user=bob", NULL), 200);
    assert_int_equal(count(&d), 2);
    assert_int_equal(json_integer_value(json_object_get(d.json, "total")), 2);
    assert_string_equal(text_of(first(&d), "type"), "VIDEO"); // the latest first
    assert_string_equal(text_of(first(&d), "status"), "ENDED");
    assert_string_equal(text_of(first(&d), "initiatorId"), "ana");
    assert_string_equal(text_of(first(&d), "endedBy"), "ana");
    assert_int_equal(json_array_size(json_object_get(first(&d), "participants")), 2);
    assert_true(json_is_integer(json_object_get(first(&d), "duration")));
    assert_int_equal(strlen(text_of(first(&d), "startedAt")), strlen("2026-01-31T10:00:00.000Z"));

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
        assert_int_equal(get(&d, "/calls/history", cases[i].query, NULL), 200);
        assert_int_equal(count(&d), cases[i].count);
    }
    assert_int_equal(get(&d, "/calls/active", "user=bob", NULL), 200);
    assert_int_equal(count(&d), 0);
    desk_free(&d);
}

static void test_wrong(void **state)
{
    (void)state;
    static const char *const queries[] = {"", "user=com espaco", "user=ana&page=0", "user=ana&limit=101",
                                          "user=ana&type=FAX"};
    struct desk d = desk_new("DATABASE_URL=:memory:");
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        assert_int_equal(get(&d, "/calls/history", queries[i], NULL), 400);
        assert_string_equal(text_of(json_object_get(d.json, "error"), "code"), "bad-field");
    }
    assert_int_equal(get(&d, "/calls/active", "", NULL), 400);
    desk_free(&d);
}

static void test_only_ones_own(void **state)
{
    (void)state;
    struct desk d = desk_new("DATABASE_URL=:memory: JWT_SECRET=" SECRET);
    assert_int_equal(get(&d, "/calls/history", "user=ana", NULL), 401);
    assert_int_equal(get(&d, "/calls/history", "user=ana", "{\"sub\":\"bob\"}"), 200); // bob's, whatever is asked
    assert_int_equal(get(&d, "/calls/active", "", "{\"sub\":\"bob\"}"), 200);
    desk_free(&d);
}

// Each call of a page has its own people.
static void test_people_of_a_page(void **state)
{
    (void)state;
    struct desk d = desk_new("DATABASE_URL=:memory:");
    struct client *ana = user_new(d.rig, "ana");
    static const char *const callees[] = {"bob", "eva", "ivo"};
    for (size_t i = 0; i < G_N_ELEMENTS(callees); i++) {
        say(ana, "CALL_INITIATE", i ? "{\"participantIds\":[\"eva\",\"ivo\"]}" : "{\"participantIds\":[\"bob\"]}");
        rig_pass(d.rig, 2);
        say(ana, "CALL_END", "{}");
        settle(&d);
    }
    assert_int_equal(get(&d, "/calls/history", "user=ana&limit=2&page=2", NULL), 200);
    assert_string_equal(people(first(&d)), "ana bob ");
    assert_int_equal(get(&d, "/calls/history", "user=ana", NULL), 200);
    assert_int_equal(count(&d), 3);
    for (size_t i = 0; i < count(&d); i++)
        assert_string_equal(people(json_array_get(json_object_get(d.json, "calls"), i)),
                            i < 2 ? "ana eva ivo " : "ana bob ");
    desk_free(&d);
}

// Who took part is a part of the answer: without it there is none.
static void test_unreadable_people(void **state)
{
    (void)state;
    char *folder = g_dir_make_tmp("roda-history-XXXXXX", NULL), *path = g_build_filename(folder, "roda.db", NULL);
    char *setting = g_strconcat("DATABASE_URL=", path, NULL), err[200];
    struct desk d = desk_new(setting);
    struct client *ana = user_new(d.rig, "ana"), *bob = user_new(d.rig, "bob");
    hold_call(&d, ana, bob, "{\"participantIds\":[\"bob\"]}");
    assert_int_equal(get(&d, "/calls/history", "user=ana", NULL), 200);
    char *call = g_strconcat("/calls/", text_of(first(&d), "id"), NULL);
    rig_pass(d.rig, 3600);
    assert_int_equal(get(&d, call, "user=ana", NULL), 200);

    struct db *db = db_open(path, false, err, sizeof(err));
    assert_int_equal(db_run(db, "ALTER TABLE participants RENAME COLUMN joined_ms TO lost"), 0);
    db_close(db);
    assert_int_equal(get(&d, "/calls/history", "user=ana", NULL), 503);
    assert_int_equal(get(&d, call, "user=ana", NULL), 503);
    desk_free(&d);
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
