// Do commands about calls find the call and the asker they mean, and refuse what is wrong with them?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/calls.h"
#include "tests/signaling/rig.h"

static char call_id[CALL_ID_CHARS + 1];

static void start(struct client *from, const char *data)
{
    g_strlcpy(call_id, text_of(client_ask(from, "CALL_INITIATE", data), "callId"), sizeof(call_id));
}

// The text with every @ replaced by the last call's id.
static const char *with_id(const char *text)
{
    static char data[600];
    char **parts = g_strsplit(text, "@", -1), *joined = g_strjoinv(call_id, parts);
    g_strlcpy(data, joined, sizeof(data));
    g_strfreev(parts);
    g_free(joined);
    return data;
}

// ---- what is wrong ------------------------------------------------------------------------------------------

struct wrong {
    const char *event, *data, *code, *begins; // of the message, or NULL
};

static void refuse_all(struct client *client, const struct wrong *wrong, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char message[1200];
        client_clear(client);
        g_snprintf(message, sizeof(message), "{\"event\":\"%s\",\"data\":%s}", wrong[i].event,
                   with_id(wrong[i].data));
        client_say(client, message);
        const json_t *error = client_wait(client, "error");
        if (strcmp(text_of(error, "code"), wrong[i].code) != 0 ||
            (wrong[i].begins && !g_str_has_prefix(text_of(error, "message"), wrong[i].begins)))
            fail_msg("%s %s: %s: %s", wrong[i].event, wrong[i].data, text_of(error, "code"),
                     text_of(error, "message"));
        assert_false(client_was_told(client, "error"));
    }
}

// Of somebody in no call: nothing comes of any of them.
static void test_wrong_fields(void **state)
{
    (void)state;
    static const struct wrong wrong[] = {
        {"CALL_INITIATE", "{}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":null}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[]}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":{}}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[1]}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\",null]}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"b b\"]}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"sfu\"]}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"eve\"]}", "bad-field", "participantIds: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"type\":\"video\"}", "bad-field", "type: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"type\":1}", "bad-field", "type: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"chatId\":[]}", "bad-field", "chatId: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"chatId\":\"a\\nb\"}", "bad-field", "chatId: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"room_name\":7}", "bad-field", "room_name: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"callId\":\"x\"}", "bad-field", "callId: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"userId\":\"zoe\"}", "forbidden", "userId: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"userId\":4}", "bad-field", "userId: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"userName\":true}", "bad-field", "userName: "},
        {"webrtc:call", "{}", "bad-field", "to: "},
        {"webrtc:call", "{\"to\":\"eve\"}", "bad-field", "to: "},
        {"webrtc:call", "{\"to\":5}", "bad-field", "to: "},
        {"webrtc:call", "{\"to\":\"bob\",\"callId\":\"7b2f1f5e-0000-4000-8000-000000000000\"}", "not-found",
         "callId: "},
        {"CALL_ANSWER", "{}", "not-found", "callId: "},
        {"CALL_ANSWER", "{\"callId\":5}", "bad-field", "callId: "},
        {"CALL_ANSWER", "{\"callId\":\"x\"}", "bad-field", "callId: "},
        {"CALL_ANSWER", "{\"callId\":\"7b2f1f5e-0000-4000-8000-000000000000\"}", "not-found", "callId: "},
        {"CALL_ANSWER", "{\"callId\":\"@\"}", "forbidden", "callId: "},
        {"CALL_ANSWER", "{\"callId\":\"@\",\"sessionToken\":9}", "bad-field", "sessionToken: "},
        {"CALL_DECLINE", "{\"callId\":\"@\"}", "forbidden", "callId: "},
        {"CALL_DECLINE", "{\"callId\":\"@\",\"reason\":5}", "bad-field", "reason: "},
        {"CALL_END", "{\"callId\":\"@\"}", "forbidden", "callId: "},
        {"CALL_END", "{\"callId\":\"@\",\"reason\":{}}", "bad-field", "reason: "},
        {"CALL_END", "{}", "not-found", "callId: "},
        {"CALL_LEAVE", "{\"callId\":\"@\"}", "forbidden", "callId: "},
        {"CALL_LEAVE", "{}", "not-found", "callId: "},
        {"CALL_ADD_PARTICIPANTS", "{\"callId\":\"@\",\"participantIds\":[\"x\"]}", "forbidden", "callId: "},
        {"CALL_ADD_PARTICIPANTS", "{\"callId\":\"@\"}", "bad-field", "participantIds: "},
        {"webrtc:accept", "{\"to\":\"ana\"}", "not-found", "callId: "},
        {"webrtc:end-call", "{\"to\":\"ana\"}", "not-found", "callId: "},
        {"webrtc:offer", "{\"to\":\"ana\",\"sdp\":\"v=0\"}", "not-found", NULL},
        {"webrtc:offer", "{\"to\":\"ana\",\"sdp\":\"v=0\",\"callId\":\"@\"}", "forbidden", "callId: "},
        {"WEBRTC_OFFER", "{\"callId\":\"@\",\"targetUserId\":\"ana\",\"offer\":\"v=0\"}", "forbidden", "callId: "},
        {"WEBRTC_OFFER", "{\"callId\":7}", "bad-field", "callId: "},
        {"WEBRTC_OFFER", "{}", "not-found", NULL},
        {"CALL_PARTICIPANT_MEDIA_UPDATE", "{\"callId\":\"@\",\"isMuted\":true}", "forbidden", "callId: "},
        {"CALL_CHAT_MESSAGE", "{\"callId\":\"@\",\"text\":\"x\"}", "forbidden", "callId: "},
        {"CALL_PARTICIPANT_MUTE", "{\"callId\":\"@\",\"targetId\":\"ana\"}", "forbidden", "callId: "},
        {"CALL_PARTICIPANT_REMOVE", "{\"callId\":\"@\",\"targetId\":\"ana\"}", "forbidden", "callId: "},
    };
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *eve = client_of(rig, "call", "eve");
    start(ana, "{\"participantIds\":[\"bob\"]}");
    client_clear(ana);
    refuse_all(eve, wrong, G_N_ELEMENTS(wrong));
    assert_true(g_queue_is_empty(&ana->inbox));
    assert_int_equal(rig->hub->calls->live_count, 1);
    assert_null(calls_of(rig->hub, "eve"));
    rig_free(rig);
}

// Of somebody in a call.
static void test_wrong_fields_inside(void **state)
{
    (void)state;
    static const struct wrong wrong[] = {
        {"WEBRTC_OFFER", "{\"callId\":\"@\",\"targetUserId\":\"zoe\",\"offer\":\"v=0\"}", "not-found", "targetUserId: "},
        {"WEBRTC_OFFER", "{\"callId\":\"@\",\"targetUserId\":\"bob\",\"offer\":\"v=0\"}", "bad-field",
         "targetUserId: "},
        {"WEBRTC_OFFER", "{\"callId\":\"@\",\"targetUserId\":5,\"offer\":\"v=0\"}", "bad-field", "targetUserId: "},
        {"WEBRTC_OFFER", "{\"callId\":\"@\",\"offer\":5}", "bad-field", "offer: "},
        {"WEBRTC_OFFER", "{\"callId\":\"@\"}", "bad-field", "offer: "},
        {"WEBRTC_ANSWER", "{\"callId\":\"@\",\"answer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}", "bad-field",
         "answer: "},
        {"WEBRTC_OFFER", "{\"callId\":\"7b2f1f5e-0000-4000-8000-000000000000\",\"offer\":\"v=0\"}", "not-found",
         "callId: "},
        {"CALL_PARTICIPANT_MEDIA_UPDATE", "{\"callId\":\"@\",\"isMuted\":1}", "bad-field", "isMuted: "},
        {"CALL_PARTICIPANT_MEDIA_UPDATE", "{\"callId\":5,\"isMuted\":true}", "bad-field", "callId: "},
        {"CALL_PARTICIPANT_MUTE", "{\"callId\":\"@\",\"targetId\":\"ana\"}", "forbidden", NULL},
        {"CALL_DECLINE", "{\"callId\":\"@\"}", "not-found", "callId: "},
        {"CALL_INITIATE", "{\"participantIds\":[\"zoe\"]}", "busy", NULL},
        {"CALL_INITIATE", "{\"participantIds\":[\"zoe\"],\"callId\":\"@\"}", "forbidden", NULL},
        {"CALL_ADD_PARTICIPANTS", "{\"callId\":\"@\",\"participantIds\":[\"zoe\"]}", "forbidden", NULL},
        {"CALL_CHAT_MESSAGE", "{\"callId\":\"@\",\"text\":\"\"}", "bad-field", "text: "},
        {"join-room", "{\"roomId\":\"other\",\"userId\":\"bob\"}", "busy", NULL},
    };
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    start(ana, "{\"participantIds\":[\"bob\"]}");
    client_ask(bob, "CALL_ANSWER", "{}");
    client_clear(ana);
    refuse_all(bob, wrong, G_N_ELEMENTS(wrong));
    assert_true(g_queue_is_empty(&ana->inbox));
    rig_free(rig);
}

// ---- who asks -----------------------------------------------------------------------------------------------

static void test_who_asks(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_ask_badly(ana, "CALL_INITIATE", "{\"participantIds\":[\"bob\"]}", "bad-field");
    client_join(bob, "bob", NULL); // says who it is too
    client_ask(bob, "leave-room", "{}");
    start(ana, "{\"participantIds\":[\"bob\"],\"userId\":\"ana\",\"userName\":\"Ana Lima\"}");
    assert_string_equal(text_of(client_wait(bob, "call-incoming"), "initiatorName"), "Ana Lima");
    client_ask(bob, "CALL_ANSWER", "{\"userName\":\"Bob Reis\"}");
    assert_string_equal(text_of(client_wait(ana, "CALL_STARTED"), "acceptedByName"), "Bob Reis");
    rig_free(rig);
}

static void test_who_asks_by_token(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL), *eye = client_new(rig, NULL);
    char *token = make_token(SECRET, "{\"sub\":\"ana\",\"name\":\"Ana\"}"), data[600];
    client_ask_badly(ana, "CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"userId\":\"ana\"}", "unauthorized");
    client_ask_badly(ana, "CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"token\":\"x.y.z\"}", "unauthorized");
    g_snprintf(data, sizeof(data), "{\"participantIds\":[\"bob\"],\"token\":\"%s\"}", token);
    start(ana, data);
    assert_string_equal(call_of(rig, call_id)->started_by, "ana");
    g_free(token);
    token = make_token(SECRET, "{\"sub\":\"eye\",\"role\":\"observer\"}");
    g_snprintf(data, sizeof(data), "{\"participantIds\":[\"bob\"],\"token\":\"%s\"}", token);
    client_ask_badly(eye, "CALL_INITIATE", data, "forbidden");
    g_free(token);
    // Called by somebody it only watches.
    client_ask(ana, "CALL_ADD_PARTICIPANTS", "{\"participantIds\":[\"eye\"]}");
    client_ask(eye, "CALL_ANSWER", "{}");
    assert_int_equal(client_participant(eye)->role, ROLE_OBSERVER);
    rig_free(rig);
}

// Rooms and their rules stay what they were for sockets of callers.
static void test_end_and_leave_in_rooms(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, "call"), *bob = client_new(rig, "webrtc");
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask_badly(bob, "CALL_INITIATE", "{\"participantIds\":[\"carl\"]}", "busy");
    client_ask_badly(bob, "webrtc:end-call", "{}", "forbidden");
    client_ask(bob, "webrtc:leave", "{}");
    client_join(bob, "bob", NULL);
    client_ask(ana, "CALL_END", "{\"reason\":\"fim\"}");
    assert_string_equal(text_of(client_wait(bob, "webrtc:end-call"), "reason"), "fim");
    assert_int_equal(bob->close_code, 1000);
    rig_free(rig);
}

// ---- over HTTP ----------------------------------------------------------------------------------------------

static struct actor http_actor(const char *user)
{
    return (struct actor){.user = user, .name = user, .dialect = &dialect_call};
}

static struct call *http_start(struct rig *rig, const char *user, const char *const *users, size_t count)
{
    struct fault fault = {0};
    struct actor actor = http_actor(user);
    struct call_wish wish = {.type = CALL_VIDEO, .users = users, .user_count = count};
    struct call *call = calls_start(rig->hub, &actor, &wish, &fault);
    assert_non_null(call);
    g_strlcpy(call_id, call->id, sizeof(call_id));
    return call;
}

static enum error http_answer(struct rig *rig, struct call *call, const char *user)
{
    struct fault fault = {0};
    struct actor actor = http_actor(user);
    calls_answer(rig->hub, call, &actor, NULL, &fault);
    rig_turn(rig);
    return fault.error;
}

// A page that calls over HTTP and listens on its only socket is in the call on that socket.
static void test_http_with_one_socket(void **state)
{
    (void)state;
    static const char *const bob_only[] = {"bob"};
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, NULL, "ana"), *bob = client_of(rig, NULL, "bob");
    struct call *call = http_start(rig, "ana", bob_only, 1);
    assert_ptr_equal(client_participant(ana)->room->call, call);
    assert_true(client_was_told(ana, "CALL_STATUS_CHANGED")); // silent sockets hear the route's dialect
    assert_true(client_was_told(bob, "CALL_INCOMING"));
    assert_int_equal(http_answer(rig, call, "bob"), ERROR_NONE);
    assert_ptr_equal(client_participant(bob)->room->call, call);
    assert_string_equal(text_of(client_wait(ana, "CALL_STARTED"), "acceptedBy"), "bob");
    rig_free(rig);
}

// With several sockets it is the one that speaks of the call first.
static void test_http_with_two_sockets(void **state)
{
    (void)state;
    static const char *const bob_only[] = {"bob"};
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *tablet = client_of(rig, "call", "ana"),
                  *bob = client_of(rig, "call", "bob");
    struct call *call = http_start(rig, "ana", bob_only, 1);
    assert_null(ana->session->participant);
    assert_int_equal(call->status, CALL_RINGING);
    client_ask(bob, "CALL_ANSWER", with_id("{\"callId\":\"@\"}"));
    assert_int_equal(call->status, CALL_CONNECTING);
    client_ask(tablet, "WEBRTC_OFFER", with_id("{\"callId\":\"@\",\"targetUserId\":\"bob\",\"offer\":\"v=0\"}"));
    assert_ptr_equal(client_participant(tablet)->room->call, call);
    assert_true(client_was_told(bob, "WEBRTC_OFFER_RECEIVED"));
    client_ask_badly(ana, "WEBRTC_OFFER", with_id("{\"callId\":\"@\",\"targetUserId\":\"bob\",\"offer\":\"v=0\"}"),
                     "not-found");
    rig_free(rig);
}

static bool http_relay(struct rig *rig, struct call *call, const char *from, const char *to, const char *event)
{
    struct fault fault = {0};
    struct actor actor = http_actor(from);
    json_t *data = json_pack("{s:s, s:s}", "target", to, "sdp", "v=0");
    bool ok = calls_relay(rig->hub, call, &actor, to, event, data, &fault);
    json_decref(data);
    rig_turn(rig);
    return ok;
}

// Descriptions over HTTP to sockets that only listen, two of one user: both hear, nobody has to say anything.
static void test_http_signaling(void **state)
{
    (void)state;
    static const char *const bob_only[] = {"bob"};
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, NULL, "ana"), *tablet = client_of(rig, NULL, "ana"),
                  *bob = client_of(rig, NULL, "bob"), *phone = client_of(rig, NULL, "bob");
    struct call *call = http_start(rig, "ana", bob_only, 1);
    assert_true(http_relay(rig, call, "ana", "bob", "signal-offer"));
    const json_t *offer = client_wait(phone, "WEBRTC_OFFER_RECEIVED");
    assert_string_equal(text_of(offer, "fromUserId"), "ana");
    assert_string_equal(text_of(offer, "callId"), call_id);
    assert_string_equal(text_of(json_object_get(offer, "offer"), "sdp"), "v=0");
    assert_false(http_relay(rig, call, "bob", "carl", "signal-answer"));
    assert_true(http_relay(rig, call, "bob", "ana", "signal-answer")); // accepts
    assert_int_equal(call->status, CALL_CONNECTED);
    assert_true(client_was_told(tablet, "WEBRTC_ANSWER_RECEIVED"));
    assert_false(http_relay(rig, call, "eve", "ana", "signal-offer"));
    for (int i = 0; i < 4; i++) { // both have sockets: nobody is taken for gone
        struct client *const all[] = {ana, tablet, bob, phone};
        for (size_t k = 0; k < G_N_ELEMENTS(all); k++)
            client_ask(all[k], "HEARTBEAT", "{}");
        rig_pass(rig, 10);
    }
    assert_int_equal(call->status, CALL_CONNECTED);
    struct fault fault = {0};
    struct actor actor = http_actor("ana");
    assert_true(calls_end(rig->hub, call, &actor, NULL, &fault));
    assert_true(client_was_told(phone, "CALL_ENDED"));
    assert_int_equal(call->duration_s, 40);
    rig_free(rig);
}

// Nobody is there on any socket: a call that was joined over HTTP alone does not last.
static void test_ghosts(void **state)
{
    (void)state;
    static const char *const two[] = {"bob", "carl"};
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *carl = client_of(rig, "call", "carl");
    struct call *call = http_start(rig, "ana", two, 2);
    assert_int_equal(http_answer(rig, call, "bob"), ERROR_NONE);
    client_ask(carl, "CALL_ANSWER", with_id("{\"callId\":\"@\"}"));
    http_relay(rig, call, "carl", "ana", "signal-answer");
    assert_int_equal(call->status, CALL_CONNECTED);
    client_clear(ana);
    rig_pass(rig, 29);
    assert_int_equal(call_find(call, "bob")->status, MEMBER_JOINED);
    client_ask(ana, "HEARTBEAT", "{}");
    client_ask(carl, "HEARTBEAT", "{}");
    rig_pass(rig, 2);
    assert_int_equal(call_find(call, "bob")->status, MEMBER_LEFT);
    assert_string_equal(text_of(client_wait(ana, "CALL_STATUS_CHANGED"), "userStatus"), "LEFT");
    assert_int_equal(call->status, CALL_CONNECTED);
    rig_free(rig);
}

// A call made without anybody to call: the first guest may come, or the host calls somebody.
static void test_awaiting(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *host = client_of(rig, "webrtc", "host"), *guest = client_of(rig, "webrtc", "guest");
    struct call *call = http_start(rig, "host", NULL, 0);
    assert_int_equal(call->status, CALL_RINGING);
    client_ask(host, "webrtc:call", with_id("{\"to\":\"guest\",\"callId\":\"@\"}"));
    assert_string_equal(text_of(client_wait(guest, "webrtc:incoming-call"), "callId"), call_id);
    assert_int_equal(http_answer(rig, call, "other"), ERROR_FORBIDDEN);
    client_ask(guest, "webrtc:accept", with_id("{\"callId\":\"@\"}"));
    client_ask(host, "webrtc:end-call", "{\"to\":\"guest\"}");
    assert_int_equal(call->status, CALL_ENDED);

    call = http_start(rig, "host", NULL, 0);
    assert_int_equal(http_answer(rig, call, "guest"), ERROR_NONE);
    assert_int_equal(call->status, CALL_CONNECTING);
    assert_int_equal(http_answer(rig, call, "other"), ERROR_FORBIDDEN);
    assert_ptr_equal(client_participant(guest)->room->call, call);
    rig_free(rig);
}

// ---- what is remembered -------------------------------------------------------------------------------------

static void on_changed(void *arg, const struct call *call, const struct call_member *member)
{
    GString *log = arg;
    if (member)
        g_string_append_printf(log, "%s:%s ", member->user, member_status_name(member->status));
    else
        g_string_append_printf(log, "%s ", call_status_name(call->status));
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void test_every_change_is_offered(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    GString *log = g_string_new("");
    rig->hub->calls->sink = (struct calls_sink){.arg = log, .changed = on_changed, .may_begin = never};
    client_ask_badly(ana, "CALL_INITIATE", "{\"participantIds\":[\"bob\"]}", "busy");
    assert_string_equal(log->str, "");
    rig->hub->calls->sink.may_begin = NULL;
    start(ana, "{\"participantIds\":[\"bob\"]}");
    assert_string_equal(log->str, "RINGING ana:JOINED bob:RINGING ");
    g_string_truncate(log, 0);
    client_ask(bob, "CALL_ANSWER", "{}");
    assert_string_equal(log->str, "CONNECTING bob:JOINED ");
    g_string_truncate(log, 0);
    client_ask(bob, "WEBRTC_ANSWER", "{\"targetUserId\":\"ana\",\"answer\":\"v=0\"}");
    assert_string_equal(log->str, "CONNECTED ");
    g_string_truncate(log, 0);
    client_ask(bob, "CALL_PARTICIPANT_MEDIA_UPDATE", "{\"isMuted\":true}");
    assert_string_equal(log->str, "bob:JOINED ");
    g_string_truncate(log, 0);
    client_ask(bob, "CALL_END", "{}");
    assert_string_equal(log->str, "ENDED ana:LEFT bob:LEFT ");
    g_string_free(log, TRUE);
    rig->hub->calls->sink = (struct calls_sink){0};
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_fields),
        cmocka_unit_test(test_wrong_fields_inside),
        cmocka_unit_test(test_who_asks),
        cmocka_unit_test(test_who_asks_by_token),
        cmocka_unit_test(test_end_and_leave_in_rooms),
        cmocka_unit_test(test_http_with_one_socket),
        cmocka_unit_test(test_http_with_two_sockets),
        cmocka_unit_test(test_http_signaling),
        cmocka_unit_test(test_ghosts),
        cmocka_unit_test(test_awaiting),
        cmocka_unit_test(test_every_change_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
