// Do descriptions, candidates and media of calls go over HTTP as they go over sockets, and are old calls found?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/archive.h"
#include "signaling/calls.h"
#include "signaling/site.h"
#include "tests/signaling/rig.h"

#define OFFER     "/calls/signaling/offer"
#define ANSWER    "/calls/signaling/answer"
#define CANDIDATE "/calls/signaling/ice-candidate"

// One request; the answer may come later.
struct question {
    struct http_request request;
    struct http_response response;
    struct exchange *exchange;
    char *path, *body, *bearer;
    json_t *json; // of the answer
};

static struct rig *rig;
static struct site *site;
static struct question last; // what ask() asked
static char id[CALL_ID_CHARS + 1];

static void question_clear(struct question *q)
{
    exchange_free(q->exchange);
    http_response_clear(&q->response);
    json_decref(q->json);
    g_free(q->path);
    g_free(q->body);
    g_free(q->bearer);
    *q = (struct question){0};
}

static int begin(const char *settings)
{
    rig = rig_new(settings);
    rig_open_store(rig);
    site = site_new(rig->hub);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return begin("DATABASE_URL=:memory: JWT_SECRET=" SECRET);
}

static int set_up_open(void **state)
{
    (void)state;
    return begin("DATABASE_URL=:memory:");
}

static int tear_down(void **state)
{
    (void)state;
    question_clear(&last);
    site_free(site);
    rig_free(rig);
    return 0;
}

// "$" in path and body stands for the call.
static char *fill_in(const char *text)
{
    char **parts = g_strsplit(text, "$", -1), *filled = g_strjoinv(id, parts);
    g_strfreev(parts);
    return filled;
}

static void on_late(void *arg)
{
    struct question *q = arg;
    assert_null(q->json);
    q->json = json_loadb(q->response.body, q->response.body_len, 0, NULL);
}

// As the bearer of a token of that user, or without one (NULL).
static void question_begin(struct question *q, const char *user, enum http_method method, const char *path,
                           const char *body)
{
    char *claims = g_strdup_printf("{\"sub\":\"%s\",\"name\":\"%s\"}", user ? user : "", user ? user : "");
    char *token = make_token(SECRET, claims);
    q->path = fill_in(path);
    q->body = body ? fill_in(body) : NULL;
    q->bearer = user ? g_strconcat("Bearer ", token, NULL) : NULL;
    q->request = (struct http_request){.method = method,
                                       .path = q->path,
                                       .content_type = "application/json",
                                       .body = q->body,
                                       .body_len = q->body ? strlen(q->body) : 0,
                                       .authorization = q->bearer,
                                       .address = "127.0.0.1"};
    q->exchange = exchange_new(rig->hub, &q->request, &q->response, on_late, q);
    site_serve(site, q->exchange);
    if (!exchange_is_deferred(q->exchange))
        on_late(q);
    g_free(claims);
    g_free(token);
}

// The status; the answer is in `last`.
static int ask(const char *user, enum http_method method, const char *path, const char *body)
{
    question_clear(&last);
    question_begin(&last, user, method, path, body);
    rig_turn(rig);
    return last.response.status;
}

static const char *error_code(void)
{
    return text_of(json_object_get(last.json, "error"), "code");
}

static const char *error_text(void)
{
    return text_of(json_object_get(last.json, "error"), "message");
}

static const json_t *call(void)
{
    return json_object_get(last.json, "call");
}

static void keep_id(void)
{
    g_strlcpy(id, text_of(call(), "id"), sizeof(id));
    assert_int_equal(strlen(id), CALL_ID_CHARS);
}

// Ana and Bob are in a call, each on one socket.
static void hold_call(void)
{
    assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}"), 201);
    keep_id();
    assert_int_equal(ask("bob", HTTP_POST, "/calls/$/answer", "{\"accept\":true}"), 200);
}

// ---- what others hear ---------------------------------------------------------------------------------------

static void test_every_dialect(void **state)
{
    (void)state;
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "webrtc", "bob");
    struct client *carl = client_of(rig, "signal", "carl"), *dora = client_of(rig, "live", "dora");
    assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\",\"carl\",\"dora\"]}"), 201);
    keep_id();
    assert_string_equal(text_of(client_wait(bob, "webrtc:incoming-call"), "from"), "ana");
    assert_int_equal(ask("bob", HTTP_POST, "/calls/$/answer", "{\"accept\":true}"), 200);
    assert_int_equal(ask("carl", HTTP_POST, "/calls/$/answer", "{\"accept\":true}"), 200);
    assert_int_equal(ask("dora", HTTP_POST, "/calls/$/answer", "{\"accept\":true}"), 200);
    client_wait(ana, "CALL_STARTED");

    assert_int_equal(ask("carl", HTTP_PATCH, "/calls/$/media", "{\"isVideoEnabled\":false}"), 200);
    assert_string_equal(text_of(last.json, "callId"), id);
    assert_string_equal(text_of(last.json, "userId"), "carl");
    assert_false(flag_of(last.json, "isVideoEnabled"));
    assert_false(flag_of(last.json, "isMuted"));
    assert_string_equal(text_of(client_wait(ana, "CALL_PARTICIPANT_MEDIA_CHANGED"), "userId"), "carl");
    assert_string_equal(text_of(client_wait(bob, "webrtc:media-changed"), "userId"), "carl");
    assert_string_equal(text_of(client_wait(carl, "media-changed"), "userId"), "carl");
    assert_string_equal(text_of(client_wait(dora, "media-changed"), "userId"), "carl");

    assert_int_equal(ask("ana", HTTP_POST, OFFER, "{\"callId\":\"$\",\"targetUserId\":\"bob\",\"offer\":\"v=0 a\"}"),
                     200);
    const json_t *told = client_wait(bob, "webrtc:offer");
    assert_string_equal(text_of(told, "from"), "ana");
    assert_string_equal(text_of(told, "sdp"), "v=0 a");
    assert_string_equal(text_of(told, "callId"), id);
    assert_int_equal(
        ask("bob", HTTP_POST, ANSWER, "{\"callId\":\"$\",\"targetUserId\":\"carl\",\"answer\":\"v=0 b\"}"), 200);
    assert_string_equal(text_of(client_wait(carl, "signal-answer"), "sdp"), "v=0 b");
    assert_int_equal(ask("bob", HTTP_POST, CANDIDATE,
                         "{\"callId\":\"$\",\"targetUserId\":\"dora\",\"candidate\":\"candidate:1\"}"),
                     200);
    assert_string_equal(text_of(client_wait(dora, "ice"), "candidate"), "candidate:1");

    assert_int_equal(ask("ana", HTTP_POST, "/calls/$/end", "{\"reason\":\"fim\"}"), 200);
    assert_string_equal(text_of(client_wait(ana, "CALL_ENDED"), "reason"), "fim");
    assert_string_equal(text_of(client_wait(bob, "webrtc:end-call"), "from"), "ana");
    assert_string_equal(text_of(client_wait(carl, "close-room"), "by"), "ana");
    assert_string_equal(text_of(client_wait(dora, "close-room"), "by"), "ana");
}

// ---- with the media server ----------------------------------------------------------------------------------

static void test_sfu_answers(void **state)
{
    (void)state;
    struct client *ana = client_of(rig, "call", "ana");
    client_of(rig, "call", "bob");
    hold_call();
    client_clear(ana);
    static const struct {
        const char *path, *body;
        int status;
        const char *code;
    } cases[] = {
        {ANSWER, "{\"callId\":\"$\",\"answer\":\"v=0\"}", 400, "bad-sdp"},
        {OFFER, "{\"callId\":\"$\",\"offer\":\"nonsense\"}", 400, "bad-sdp"},
        {OFFER, "{\"callId\":\"$\",\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}", 200, ""},
        {OFFER, "{\"callId\":\"$\",\"targetUserId\":\"sfu\",\"offer\":\"v=0\"}", 200, ""},
        {OFFER, "{\"callId\":\"$\",\"offer\":\"v=0\",\"sources\":{\"0\":\"screen\"}}", 200, ""},
        {OFFER, "{\"callId\":\"$\",\"offer\":\"v=0\",\"sources\":{\"0\":\"kitchen\"}}", 400, "bad-field"},
        {OFFER, "{\"callId\":\"$\",\"offer\":\"v=0 x-glare\"}", 409, "busy"},
        {ANSWER, "{\"callId\":\"$\",\"answer\":\"v=0\"}", 400, "bad-sdp"}, // to what?
        {CANDIDATE, "{\"callId\":\"$\",\"candidate\":{\"candidate\":\"candidate:1\",\"sdpMid\":\"0\"}}", 200, ""},
        {CANDIDATE, "{\"callId\":\"$\",\"candidate\":null}", 200, ""},
        {CANDIDATE, "{\"callId\":\"$\",\"candidate\":\"nonsense\"}", 400, "bad-field"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int status = ask("ana", HTTP_POST, cases[i].path, cases[i].body);
        if (status != cases[i].status || strcmp(error_code(), cases[i].code) != 0)
            fail_msg("row %zu: %d %s %s", i, status, error_code(), error_text());
        if (status == 200)
            assert_string_equal(text_of(last.json, "callId"), id);
        if (status == 200 && strcmp(cases[i].path, OFFER) == 0)
            assert_string_equal(text_of(json_object_get(last.json, "answer"), "type"), "answer");
    }
    // What was asked over HTTP is answered there alone.
    assert_false(client_was_told(ana, "WEBRTC_ANSWER_RECEIVED"));
    assert_false(client_was_told(ana, "error"));

    const struct participant *p = client_participant(ana);
    fake_sfu_say(rig->sfu, &(struct sfu_event){
                               .type = SFU_OFFER, .room = p->room->number, .peer = p->peer, .text = "v=0 more"});
    rig_turn(rig);
    client_wait(ana, "WEBRTC_OFFER_RECEIVED");
    assert_int_equal(ask("ana", HTTP_POST, ANSWER, "{\"callId\":\"$\",\"answer\":\"v=0\"}"), 200);
}

static void test_late(void **state)
{
    (void)state;
    static const char offer[] = "{\"callId\":\"$\",\"offer\":\"v=0\"}";
    struct question q = {0};
    struct client *ana = client_of(rig, "call", "ana");
    client_of(rig, "call", "bob");
    hold_call();
    fake_sfu_hold(rig->sfu, true);

    question_begin(&q, "ana", HTTP_POST, OFFER, offer); // it says nothing for too long
    rig_turn(rig);
    assert_null(q.json);
    rig_pass(rig, DEFER_MAX_S - 1);
    assert_null(q.json);
    rig_pass(rig, 2);
    assert_int_equal(q.response.status, 504);
    question_clear(&q);

    question_begin(&q, "ana", HTTP_POST, OFFER, offer); // the client goes away
    question_clear(&q);

    question_begin(&q, "ana", HTTP_POST, OFFER, offer); // the call ends meanwhile
    assert_int_equal(ask("bob", HTTP_POST, "/calls/$/end", NULL), 200);
    assert_int_equal(q.response.status, 409);
    assert_string_equal(text_of(json_object_get(q.json, "error"), "code"), "room-closed");
    question_clear(&q);
    client_wait(ana, "CALL_ENDED");
}

// Whoever is rung accepts by sending a description to the one who rings, over HTTP too.
static void test_accept_by_offer(void **state)
{
    (void)state;
    struct client *ana = client_of(rig, "call", "ana");
    assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}"), 201);
    keep_id();
    static const char to_ana[] = "{\"callId\":\"$\",\"targetUserId\":\"ana\",\"offer\":\"v=0\",\"candidate\":null}";
    assert_int_equal(ask("bob", HTTP_POST, CANDIDATE, to_ana), 403);
    assert_int_equal(call_of(rig, id)->status, CALL_RINGING);
    assert_int_equal(ask("bob", HTTP_POST, OFFER, to_ana), 200);
    assert_int_equal(call_of(rig, id)->status, CALL_CONNECTING);
    client_wait(ana, "CALL_STARTED");
    client_wait(ana, "WEBRTC_OFFER_RECEIVED");
}

// Who has no socket in the call is told what to do, and once it has one, it works.
static void test_without_socket(void **state)
{
    (void)state;
    static const char offer[] = "{\"callId\":\"$\",\"offer\":\"v=0\"}";
    client_of(rig, "call", "ana");
    hold_call();
    assert_int_equal(ask("bob", HTTP_POST, OFFER, offer), 409);
    assert_non_null(strstr(error_text(), "/ws"));
    assert_non_null(strstr(error_text(), "{\"event\":\"CALL_ANSWER\",\"data\":{\"callId\":\""));
    assert_int_equal(ask("bob", HTTP_PATCH, "/calls/$/media", "{\"isMuted\":true}"), 409);
    struct client *bob = client_of(rig, NULL, "bob");
    assert_null(bob->session->participant);
    assert_int_equal(ask("bob", HTTP_POST, OFFER, offer), 200); // his only socket
    assert_non_null(bob->session->participant);
    client_of(rig, NULL, "bob");
    assert_int_equal(ask("bob", HTTP_PATCH, "/calls/$/media", "{\"isMuted\":true}"), 200);
}

// ---- refused ------------------------------------------------------------------------------------------------

static void test_refused(void **state)
{
    (void)state;
    static const char offer[] = "{\"callId\":\"$\",\"offer\":\"v=0\"}", muted[] = "{\"isMuted\":true}";
    static const struct {
        const char *user;
        enum http_method method;
        const char *path, *body;
        int status;
        const char *beginning; // of the message
    } cases[] = {
        {NULL, HTTP_POST, OFFER, offer, 401, ""},
        {NULL, HTTP_PATCH, "/calls/$/media", muted, 401, ""},
        {"eve", HTTP_POST, OFFER, offer, 403, "callId: "},
        {"eve", HTTP_PATCH, "/calls/$/media", muted, 403, "callId: "},
        {"carl", HTTP_POST, OFFER, offer, 403, "callId: answer"}, // it rings for him
        {"carl", HTTP_PATCH, "/calls/$/media", muted, 403, "callId: answer"},
        {"ana", HTTP_POST, OFFER, "{\"offer\":\"v=0\"}", 400, "callId: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":5,\"offer\":\"v=0\"}", 400, "callId: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"nonsense\",\"offer\":\"v=0\"}", 400, "callId: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"00000000-0000-4000-8000-000000000000\",\"offer\":\"v=0\"}", 404, ""},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"$\"}", 400, "offer: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"$\",\"offer\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}", 400,
         "offer: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"$\",\"offer\":\"v=0\",\"userId\":\"bob\"}", 403, "userId: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"$\",\"offer\":\"v=0\",\"targetUserId\":\"ana\"}", 400,
         "targetUserId: "},
        {"ana", HTTP_POST, OFFER, "{\"callId\":\"$\",\"offer\":\"v=0\",\"targetUserId\":\"eve\"}", 404,
         "targetUserId: "},
        {"ana", HTTP_POST, ANSWER, "{\"callId\":\"$\",\"answer\":5}", 400, "answer: "},
        {"ana", HTTP_POST, CANDIDATE, "{\"callId\":\"$\",\"candidate\":5}", 400, "candidate: "},
        {"ana", HTTP_POST, OFFER, "{", 400, ""},
        {"ana", HTTP_PATCH, "/calls/$/media", NULL, 400, "isMuted: "},
        {"ana", HTTP_PATCH, "/calls/$/media", "{\"isMuted\":\"yes\"}", 400, "isMuted: "},
        {"ana", HTTP_PATCH, "/calls/none/media", muted, 404, ""},
        {"ana", HTTP_GET, OFFER, NULL, 405, "this route takes POST"},
        {"ana", HTTP_GET, ANSWER, NULL, 405, "this route takes POST"},
        {"ana", HTTP_POST, "/calls/$/media", muted, 405, "this route takes PATCH"},
        {"ana", HTTP_POST, "/calls/history", "{}", 405, "this route takes GET, HEAD"},
    };
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    hold_call();
    assert_int_equal(ask("ana", HTTP_POST, "/calls/$/participants", "{\"participantIds\":[\"carl\"]}"), 200);
    client_clear(ana);
    client_clear(bob);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int status = ask(cases[i].user, cases[i].method, cases[i].path, cases[i].body);
        if (status != cases[i].status || !g_str_has_prefix(error_text(), cases[i].beginning))
            fail_msg("row %zu: %d %s", i, status, error_text());
        rig_pass(rig, 1); // for the buckets
    }
    assert_true(g_queue_is_empty(&bob->inbox)); // nobody was told anything
    assert_string_equal(last.response.allow, "GET, HEAD");
}

static void test_host_locks(void **state)
{
    (void)state;
    struct client *ana = client_of(rig, "call", "ana");
    client_of(rig, "call", "bob");
    hold_call();
    client_say(ana, "{\"event\":\"CALL_PARTICIPANT_MUTE\",\"data\":{\"targetUserId\":\"bob\",\"locked\":true}}");
    assert_int_equal(ask("bob", HTTP_PATCH, "/calls/$/media", "{\"isMuted\":false}"), 403);
    assert_int_equal(ask("bob", HTTP_PATCH, "/calls/$/media", "{\"isSharingScreen\":true}"), 200);
    assert_true(flag_of(last.json, "isMuted"));
}

static bool has_no_room(void *arg)
{
    (void)arg;
    return false;
}

// The server's own reasons.
static void test_no_place(void **state)
{
    (void)state;
    rig->hub->calls->sink.may_begin = has_no_room;
    assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}"), 503);
    assert_int_equal(ask("ana", HTTP_POST, "/api/video/calls", NULL), 503);
    assert_false(flag_of(last.json, "success"));
    rig->hub->calls->sink.may_begin = NULL;
    rig->hub->is_draining = true;
    assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}"), 503);
    rig->hub->is_draining = false;
    for (int i = 0; i < RINGS_BURST; i++) {
        assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}"), 201);
        keep_id();
        assert_int_equal(ask("ana", HTTP_POST, "/calls/$/end", NULL), 200);
    }
    assert_int_equal(ask("ana", HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}"), 429);
    assert_string_equal(last.response.retry_after, "1");
    assert_null(calls_of(rig->hub, "ana"));
}

// ---- calls that are over ------------------------------------------------------------------------------------

static void test_from_the_store(void **state)
{
    (void)state;
    client_of(rig, "call", "ana");
    client_of(rig, "call", "bob");
    hold_call();
    assert_int_equal(ask("ana", HTTP_PATCH, "/calls/$/media", "{\"isMuted\":true}"), 200);
    assert_int_equal(ask("ana", HTTP_POST, "/calls/$/end", "{\"reason\":\"fim\"}"), 200);
    json_t *then = json_deep_copy(call());
    rig_settle(rig);
    rig_pass(rig, CALL_KEPT_S + 1);
    assert_null(calls_find(rig->hub, id));

    assert_int_equal(ask("bob", HTTP_GET, "/calls/$", NULL), 200);
    static const char *const same[] = {"id",     "roomId", "type",      "status",     "initiatorId", "initiatorName",
                                       "reason", "chatId", "startedAt", "answeredAt", "endedAt",     "endedBy"};
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++)
        if (!json_equal(json_object_get(call(), same[i]), json_object_get(then, same[i])))
            fail_msg("%s is another one", same[i]);
    const char *key;
    json_t *value;
    json_object_foreach(then, key, value) if (!json_object_get(call(), key)) fail_msg("%s is missing", key);
    json_decref(then);

    assert_int_equal(ask("ana", HTTP_GET, "/calls/$/participants", NULL), 200);
    const json_t *people = json_object_get(last.json, "participants");
    assert_int_equal(json_array_size(people), 2);
    assert_string_equal(text_of(json_array_get(people, 0), "userId"), "ana");
    assert_true(flag_of(json_array_get(people, 0), "isMuted"));
    assert_int_equal(ask("ana", HTTP_GET, "/api/video/calls/$", NULL), 200);
    assert_string_equal(text_of(json_object_get(last.json, "data"), "status"), "ended");
    assert_string_equal(text_of(json_object_get(last.json, "data"), "guest_id"), "bob");

    assert_int_equal(ask("eve", HTTP_GET, "/calls/$", NULL), 403);
    assert_int_equal(ask("eve", HTTP_POST, "/calls/$/end", NULL), 403);
    assert_int_equal(ask("ana", HTTP_POST, "/calls/$/end", NULL), 409);
    assert_string_equal(error_code(), "room-closed");
    assert_int_equal(ask("ana", HTTP_GET, "/calls/00000000-0000-4000-8000-000000000000", NULL), 404);
    assert_int_equal(ask("ana", HTTP_GET, "/calls/nonsense", NULL), 404);
}

// Without tokens, askers name themselves.
static void test_open(void **state)
{
    (void)state;
    struct client *ana = client_of(rig, "call", "ana");
    struct client *bob = client_of(rig, "call", "bob");
    assert_int_equal(ask(NULL, HTTP_POST, "/calls", "{\"userId\":\"ana\",\"participantIds\":[\"bob\"]}"), 201);
    keep_id();
    assert_int_equal(ask(NULL, HTTP_POST, "/calls/$/answer", "{\"userId\":\"bob\",\"accept\":true}"), 200);
    assert_int_equal(ask(NULL, HTTP_POST, OFFER, "{\"callId\":\"$\",\"offer\":\"v=0\"}"), 400);
    assert_true(g_str_has_prefix(error_text(), "userId: "));
    assert_int_equal(ask(NULL, HTTP_POST, OFFER,
                         "{\"userId\":\"ana\",\"callId\":\"$\",\"targetUserId\":\"bob\",\"offer\":\"v=0\"}"),
                     200);
    const json_t *told = client_wait(bob, "WEBRTC_OFFER_RECEIVED");
    assert_string_equal(text_of(told, "fromUserId"), "ana");
    assert_null(json_object_get(told, "userId")); // that was said to the server
    assert_int_equal(ask(NULL, HTTP_PATCH, "/calls/$/media", "{\"userId\":\"bob\",\"isMuted\":true}"), 200);
    assert_string_equal(text_of(client_wait(ana, "CALL_PARTICIPANT_MEDIA_CHANGED"), "userId"), "bob");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_dialect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sfu_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accept_by_offer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_locks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_from_the_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open, set_up_open, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
