// Do the routes of calls work against the real process, and is what they answered safe from kill -9?
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/http.h"
#include "tests/signaling/rig.h"
#include "tests/signaling/wire.h"

#define JSON   "Content-Type: application/json\r\n"

enum { ROUNDS = 5 };

static struct process server;
static char call[64];

static char *token_of(const char *user)
{
    char *claims = g_strdup_printf("{\"sub\":\"%s\"}", user), *token = make_token(SECRET, claims);
    g_free(claims);
    return token;
}

// "$" in path and body stands for the call. Returns the answer's JSON, to be released; fails unless it has that
// status.
static json_t *ask(const char *user, int status, const char *method, const char *path, const char *body)
{
    char *token = token_of(user), *headers = g_strdup_printf("Authorization: Bearer %s\r\n" JSON, token);
    char **in_path = g_strsplit(path, "$", -1), **in_body = g_strsplit(body ? body : "", "$", -1);
    char *full_path = g_strjoinv(call, in_path), *full_body = g_strjoinv(call, in_body);
    struct answer answer = http_ask(&server, method, full_path, headers, body ? full_body : NULL);
    if (answer.status != status)
        fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    json_t *json = json_loadb(answer.body, answer.body_len, 0, NULL);
    assert_non_null(json);
    answer_clear(&answer);
    g_strfreev(in_path);
    g_strfreev(in_body);
    g_free(full_path);
    g_free(full_body);
    g_free(headers);
    g_free(token);
    return json;
}

static void ask_only(const char *user, const char *method, const char *path, const char *body)
{
    json_decref(ask(user, 200, method, path, body));
}

static struct ws come(const char *user, const char *dialect)
{
    int status;
    char *token = token_of(user), *path = g_strdup_printf("/ws?dialect=%s&token=%s", dialect, token);
    struct ws ws = ws_open(&server, path, NULL, &status);
    assert_int_equal(status, 101);
    g_free(path);
    g_free(token);
    return ws;
}

// A call from ring to end, then at once the end of the process.
static void live_and_die(const char *const *environment)
{
    server = process_start(environment);
    struct ws ana = come("ana", "call"), bob = come("bob", "webrtc");
    json_t *json = ask("ana", 201, "POST", "/calls", "{\"participantIds\":[\"bob\"],\"type\":\"VIDEO\"}");
    g_strlcpy(call, text_of(json_object_get(json, "call"), "id"), sizeof(call));
    json_decref(json);
    assert_string_equal(text_of(ws_wait(&bob, "webrtc:incoming-call"), "callId"), call);
    ask_only("bob", "POST", "/calls/$/answer", "{\"accept\":true}");
    assert_string_equal(text_of(ws_wait(&ana, "CALL_STARTED"), "acceptedBy"), "bob");

    json = ask("ana", 200, "POST", "/calls/signaling/offer", "{\"callId\":\"$\",\"offer\":\"v=0\"}");
    assert_string_equal(text_of(json, "fromUserId"), "sfu");
    assert_true(g_str_has_prefix(text_of(json_object_get(json, "answer"), "sdp"), "v=0"));
    json_decref(json);
    ask_only("ana", "POST", "/calls/signaling/ice-candidate", "{\"callId\":\"$\",\"candidate\":null}");
    json_decref(ask("ana", 400, "POST", "/calls/signaling/answer", "{\"callId\":\"$\",\"answer\":\"v=0\"}"));
    ask_only("bob", "POST", "/calls/signaling/offer",
             "{\"callId\":\"$\",\"targetUserId\":\"ana\",\"offer\":\"v=0 b\"}");
    assert_string_equal(text_of(ws_wait(&ana, "WEBRTC_OFFER_RECEIVED"), "fromUserId"), "bob");

    ask_only("bob", "PATCH", "/calls/$/media", "{\"isVideoEnabled\":false}");
    assert_string_equal(text_of(ws_wait(&ana, "CALL_PARTICIPANT_MEDIA_CHANGED"), "userId"), "bob");
    ask_only("ana", "POST", "/calls/$/end", "{\"reason\":\"fim\"}");
    process_kill(&server);
    ws_close(&ana);
    ws_close(&bob);
}

static void check_after(const char *const *environment)
{
    server = process_start(environment);
    json_t *json = ask("bob", 200, "GET", "/calls/$", NULL);
    const json_t *found = json_object_get(json, "call");
    assert_string_equal(text_of(found, "status"), "ENDED");
    assert_string_equal(text_of(found, "endedBy"), "ana");
    assert_string_equal(text_of(found, "reason"), "fim");
    json_decref(json);
    json = ask("ana", 200, "GET", "/calls/$/participants", NULL);
    const json_t *bob = json_array_get(json_object_get(json, "participants"), 1);
    assert_string_equal(text_of(bob, "userId"), "bob");
    assert_false(flag_of(bob, "isVideoEnabled"));
    json_decref(json);
    json_decref(ask("ana", 409, "POST", "/calls/$/end", NULL));
    json_decref(ask("eve", 403, "GET", "/calls/$", NULL));
    assert_int_equal(process_stop(&server), 0);
}

static void test_kill(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        char *dir = g_dir_make_tmp("roda-api-XXXXXX", NULL);
        char *path = g_build_filename(dir, "roda.db", NULL), *lock = g_strconcat(path, ".lock", NULL);
        char *url = g_strconcat("DATABASE_URL=", path, NULL);
        const char *const environment[] = {url, "JWT_SECRET=" SECRET, "DRAIN_TIMEOUT=0", NULL};
        live_and_die(environment);
        check_after(environment);
        g_remove(path);
        g_remove(lock);
        assert_int_equal(g_rmdir(dir), 0);
        g_free(url);
        g_free(lock);
        g_free(path);
        g_free(dir);
    }
}

// What the transport refuses, before a call is looked at.
static void test_refused(void **state)
{
    (void)state;
    static const char *const environment[] = {"JWT_SECRET=" SECRET, "FRONTEND_URL=https://app.example",
                                              "DRAIN_TIMEOUT=0", "DATABASE_URL=:memory:", NULL};
    server = process_start(environment);
    char *token = token_of("ana");
    char *with = g_strdup_printf("Authorization: Bearer %s\r\n" JSON, token);
    char *plain = g_strdup_printf("Authorization: Bearer %s\r\nContent-Type: text/plain\r\n", token);
    char *large = g_strnfill(HTTP_BODY_MAX + 1, ' ');
    const struct {
        const char *method, *path, *headers, *body;
        int status;
        const char *head, *text; // that are in it
    } cases[] = {
        {"POST", "/calls", JSON, "{}", 401, "www-authenticate: Bearer", "unauthorized"},
        {"POST", "/calls", with, "{}", 400, "", "participantIds: "},
        {"POST", "/calls", plain, "{}", 415, "", "unsupported-media-type"},
        {"POST", "/calls", with, large, 413, "", "too-big"},
        {"DELETE", "/calls", with, NULL, 405, "allow: GET, HEAD, POST", "method-not-allowed"},
        {"GET", "/calls/signaling/offer", with, NULL, 405, "allow: POST", "method-not-allowed"},
        {"POST", "/calls/signaling/offer", with, "{\"callId\":\"x\",\"offer\":\"v=0\"}", 400, "", "callId: "},
        {"GET", "/calls/x", with, NULL, 404, "", "not-found"},
        {"POST", "/api/video/calls", JSON, "{}", 401, "", "\"success\":false"},
        {"POST", "/api/video/calls", with, "{\"room_name\":5}", 400, "", "room_name: "},
        {"OPTIONS", "/calls/x/media", "Origin: https://app.example\r\nAccess-Control-Request-Method: PATCH\r\n", NULL,
         204, "access-control-allow-methods: PATCH", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct answer answer = http_ask(&server, cases[i].method, cases[i].path, cases[i].headers, cases[i].body);
        if (answer.status != cases[i].status || !strstr(answer.head, cases[i].head) ||
            !strstr(answer.body, cases[i].text))
            fail_msg("row %zu: %s%s", i, answer.head, answer.body);
        answer_clear(&answer);
    }
    assert_int_equal(process_stop(&server), 0);
    g_free(large);
    g_free(plain);
    g_free(with);
    g_free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
