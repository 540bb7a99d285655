// Do the routes that change calls do what the commands do, each with its documented answer and status?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/site.h"
#include "tests/signaling/rig.h"

static struct visit visit;
static struct rig *rig; // its

static int set_up(void **state)
{
    (void)state;
    visit = visit_of("JWT_SECRET=" SECRET);
    rig = visit.rig;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    visit_clear(&visit);
    return 0;
}

// As the bearer of a token of that user (NULL: of nobody); "POST /calls/$/end" has the id for $.
static int ask(const char *user, const char *what, const char *id, const char *body)
{
    char **words = g_strsplit(what, " ", 2), **parts = g_strsplit(words[1], "$", 2);
    char *path = g_strjoinv(id ? id : "$", parts);
    char *claims = g_strdup_printf("{\"sub\":\"%s\"}", user ? user : ""), *bearer = make_bearer(claims);
    struct http_request request = {.method = strcmp(words[0], "POST") == 0 ? HTTP_POST : HTTP_GET,
                                   .path = path,
                                   .body = body,
                                   .authorization = user ? bearer : NULL};
    int status = visit_ask(&visit, request);
    g_strfreev(words);
    g_strfreev(parts);
    g_free(path);
    g_free(claims);
    g_free(bearer);
    return status;
}

static const json_t *call(void)
{
    return json_object_get(visit.json, "call");
}

// 001: POST /calls rings, /answer starts, /end ends; the sockets hear of it.
static void test_a_call(void **state)
{
    (void)state;
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    assert_int_equal(ask("ana", "POST /calls", NULL, "{\"participantIds\":[\"bob\"],\"type\":\"AUDIO\"}"), 201);
    assert_string_equal(text_of(call(), "status"), "RINGING");
    assert_string_equal(text_of(call(), "type"), "AUDIO");
    assert_string_equal(text_of(call(), "initiatorId"), "ana");
    char *id = g_strdup(text_of(call(), "id"));
    assert_string_equal(text_of(client_wait(bob, "CALL_INCOMING"), "callId"), id);
    assert_int_equal(ask("bob", "POST /calls/$/answer", id, "{\"accept\":true}"), 200);
    assert_string_equal(text_of(call(), "status"), "CONNECTING");
    client_wait(ana, "CALL_STARTED");
    assert_int_equal(ask("ana", "GET /calls/$", id, NULL), 200);
    assert_int_equal(ask("bob", "GET /calls/$/participants", id, NULL), 200);
    assert_int_equal(json_array_size(json_object_get(visit.json, "participants")), 2);
    assert_int_equal(ask("ana", "POST /calls/$/participants", id, "{\"participantIds\":[\"carl\"]}"), 200);
    assert_int_equal(json_array_size(json_object_get(call(), "participants")), 3);
    assert_int_equal(ask("ana", "POST /calls/$/end", id, "{\"reason\":\"bye\"}"), 200);
    assert_string_equal(text_of(call(), "status"), "ENDED");
    assert_string_equal(text_of(client_wait(bob, "CALL_ENDED"), "endedBy"), "ana");
    assert_int_equal(ask("ana", "POST /calls/$/end", id, NULL), 409);
    g_free(id);
}

static void test_declined(void **state)
{
    (void)state;
    client_of(rig, "call", "ana");
    assert_int_equal(ask("ana", "POST /calls", NULL, "{\"participantIds\":[\"bob\"]}"), 201);
    char *id = g_strdup(text_of(call(), "id"));
    assert_int_equal(ask("bob", "POST /calls/$/answer", id, "{\"accept\":false,\"reason\":\"busy\"}"), 200);
    assert_string_equal(text_of(call(), "status"), "DECLINED");
    g_free(id);
}

static void test_refused(void **state)
{
    (void)state;
    client_of(rig, "call", "ana");
    assert_int_equal(ask("ana", "POST /calls", NULL, "{\"participantIds\":[\"bob\"]}"), 201);
    char *id = g_strdup(text_of(call(), "id"));
    static const struct {
        const char *user, *what, *body;
        bool is_other; // another id
        int status;
    } cases[] = {
        {NULL, "POST /calls", "{\"participantIds\":[\"bob\"]}", false, 401},
        {"ana", "POST /calls", NULL, false, 400},
        {"ana", "POST /calls", "{\"participantIds\":[]}", false, 400},
        {"ana", "POST /calls", "{\"participantIds\":[5]}", false, 400},
        {"ana", "POST /calls", "{\"participantIds\":[\"ana\"]}", false, 400},
        {"ana", "POST /calls", "{\"participantIds\":[\"bob\"],\"type\":\"SMELL\"}", false, 400},
        {"ana", "POST /calls", "{\"participantIds\":[\"bob\"],\"userId\":\"eve\"}", false, 403},
        {"ana", "POST /calls", "{\"participantIds\":[\"bob\"]}", false, 409}, // in a call already
        {"bob", "POST /calls/$/answer", "{}", false, 400},
        {"bob", "POST /calls/$/answer", "{\"accept\":\"yes\"}", false, 400},
        {"bob", "POST /calls/$/answer", "{\"accept\":true}", true, 404},
        {"eve", "POST /calls/$/answer", "{\"accept\":true}", false, 403},
        {"eve", "GET /calls/$", NULL, false, 403},
        {"eve", "GET /calls/$/participants", NULL, false, 403},
        {"eve", "POST /calls/$/end", NULL, false, 403},
        {"eve", "GET /api/video/calls/$", NULL, false, 403},
        {"ana", "GET /calls/$", NULL, true, 404},
        {"bob", "POST /calls/$/participants", "{\"participantIds\":[\"eve\"]}", false, 403},
        {"ana", "POST /calls/$/participants", "{}", false, 400},
        {"ana", "POST /calls/$", NULL, false, 405},
        {"ana", "GET /calls/$/end", NULL, false, 405},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int status = ask(cases[i].user, cases[i].what, cases[i].is_other ? "other" : id, cases[i].body);
        if (status != cases[i].status)
            fail_msg("row %zu, %s: %d, not %d", i, cases[i].what, status, cases[i].status);
        assert_true(strlen(text_of(json_object_get(visit.json, "error"), "code")) > 0);
    }
    g_free(id);
}

// 004: the host makes it, the first guest joins, either ends it.
static void test_video_calls(void **state)
{
    (void)state;
    assert_int_equal(ask("ana", "POST /api/video/calls", NULL, "{\"room_name\":\"r\"}"), 201);
    assert_true(flag_of(visit.json, "success"));
    const json_t *data = json_object_get(visit.json, "data");
    char *id = g_strdup(text_of(data, "id"));
    assert_string_equal(text_of(data, "host_id"), "ana");
    assert_true(json_is_null(json_object_get(data, "guest_id")));
    assert_string_equal(text_of(data, "status"), "waiting");
    assert_string_equal(text_of(data, "room_name"), "r");
    assert_int_equal(ask("bob", "POST /api/video/calls/$/join", id, NULL), 200);
    data = json_object_get(visit.json, "data");
    assert_string_equal(text_of(data, "guest_id"), "bob");
    assert_string_equal(text_of(data, "status"), "active");
    assert_int_equal(ask("eve", "POST /api/video/calls/$/join", id, NULL), 403);
    assert_false(flag_of(visit.json, "success"));
    assert_string_equal(text_of(json_object_get(visit.json, "error"), "code"), "forbidden");
    assert_int_equal(ask("bob", "POST /api/video/calls/$/end", id, NULL), 200);
    assert_int_equal(ask("ana", "GET /api/video/calls/$", id, NULL), 200);
    assert_string_equal(text_of(json_object_get(visit.json, "data"), "status"), "ended");
    g_free(id);
}

// A guest who cannot come now does not use up the place of the one who is waited for.
static void test_guest_refused(void **state)
{
    (void)state;
    assert_int_equal(ask("ana", "POST /api/video/calls", NULL, NULL), 201);
    char *id = g_strdup(text_of(json_object_get(visit.json, "data"), "id"));
    struct client *bob = client_new(rig, "call");
    char *token = make_token(SECRET, "{\"sub\":\"bob\",\"room\":\"r\"}");
    char *join = g_strdup_printf("{\"roomId\":\"r\",\"token\":\"%s\"}", token);
    char *answer = g_strdup_printf("{\"callId\":\"%s\"}", id);
    client_ask(bob, "join-room", join);
    client_ask_badly(bob, "CALL_ANSWER", answer, "busy");
    rig_pass(rig, 2);
    assert_int_equal(ask("ana", "GET /api/video/calls/$", id, NULL), 200);
    assert_string_equal(text_of(json_object_get(visit.json, "data"), "status"), "waiting");
    assert_true(json_is_null(json_object_get(json_object_get(visit.json, "data"), "guest_id")));
    assert_int_equal(ask("eve", "POST /api/video/calls/$/join", id, NULL), 200);
    assert_string_equal(text_of(json_object_get(visit.json, "data"), "guest_id"), "eve");
    g_free(answer);
    g_free(join);
    g_free(token);
    g_free(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_declined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_video_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_guest_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
