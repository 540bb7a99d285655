// Do calls ring, start, change and end for everybody concerned, on every socket they have?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/calls.h"
#include "tests/signaling/rig.h"

static char call_id[CALL_ID_CHARS + 1]; // of the last call that was started

// {"callId": the last call, and more}.
static const char *with_id(const char *more)
{
    static char data[400];
    g_snprintf(data, sizeof(data), "{\"callId\":\"%s\"%s%s}", call_id, more ? "," : "", more ? more : "");
    return data;
}

// `from` calls "bob" or a JSON list; everything said until then is forgotten.
static void start(struct client *from, const char *users, const char *more)
{
    char data[400];
    g_snprintf(data, sizeof(data), "{\"participantIds\":%s%s%s}", users, more ? "," : "", more ? more : "");
    json_t *ack = client_ask(from, "CALL_INITIATE", data);
    g_strlcpy(call_id, text_of(ack, "callId"), sizeof(call_id));
}

static void clear(struct rig *rig)
{
    for (guint i = 0; i < rig->clients->len; i++)
        client_clear(rig->clients->pdata[i]);
}

// The peer's DTLS is up.
static void connect(struct client *client)
{
    const struct participant *p = client_participant(client);
    fake_sfu_say(
        client->rig->sfu,
        &(struct sfu_event){.type = SFU_STATE, .room = p->room->number, .peer = p->peer, .state = SFU_CONNECTED});
    rig_turn(client->rig);
}

static void expect_status(struct client *client, const char *status)
{
    for (;;) {
        const json_t *data = client_wait(client, "CALL_STATUS_CHANGED"); // fails when there is none
        if (strcmp(text_of(data, "status"), status) == 0)
            return assert_string_equal(text_of(data, "callId"), call_id);
    }
}

static const json_t *member_of(const json_t *data, const char *user)
{
    json_t *list = json_object_get(data, "participants"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (strcmp(text_of(one, "userId"), user) == 0)
            return one;
    }
    fail_msg("%s is not in the list", user);
    return NULL;
}

static const json_t *expect_ended(struct client *client, int duration, const char *by, const char *reason)
{
    const json_t *data = client_wait(client, "CALL_ENDED");
    assert_string_equal(text_of(data, "callId"), call_id);
    assert_int_equal(json_integer_value(json_object_get(data, "duration")), duration);
    assert_true(json_is_integer(json_object_get(data, "duration")));
    assert_string_equal(text_of(data, "endedBy"), by);
    assert_string_equal(text_of(data, "reason"), reason);
    return data;
}

// Ana and Bob in a connected call.
static struct rig *talk(struct client **ana, struct client **bob)
{
    struct rig *rig = rig_new(NULL);
    *ana = client_of(rig, "call", "ana");
    *bob = client_of(rig, "call", "bob");
    start(*ana, "[\"bob\"]", NULL);
    client_ask(*bob, "CALL_ANSWER", with_id(NULL));
    connect(*ana);
    connect(*bob);
    assert_int_equal(call_of(rig, call_id)->status, CALL_CONNECTED);
    clear(rig);
    return rig;
}

// ---- one to one ---------------------------------------------------------------------------------------------

static void test_whole_call(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    json_t *ack =
        client_ask(ana, "CALL_INITIATE", "{\"participantIds\":[\"bob\"],\"type\":\"VIDEO\",\"chatId\":\"c\"}");
    g_strlcpy(call_id, text_of(ack, "callId"), sizeof(call_id));
    assert_int_equal(strlen(call_id), 36);
    assert_int_equal(strlen(text_of(ack, "roomId")), 36);
    assert_int_equal(strlen(text_of(ack, "sessionToken")), SESSION_TOKEN_CHARS);
    assert_string_equal(text_of(json_object_get(ack, "call"), "id"), call_id);
    assert_string_equal(text_of(json_object_get(ack, "call"), "status"), "RINGING");
    assert_int_equal(client_participant(ana)->role, ROLE_HOST);

    const json_t *in = client_wait(bob, "CALL_INCOMING");
    assert_string_equal(text_of(in, "callId"), call_id);
    assert_string_equal(text_of(in, "type"), "VIDEO");
    assert_string_equal(text_of(in, "initiatorId"), "ana");
    assert_string_equal(text_of(in, "initiatorName"), "ana");
    assert_true(json_is_null(json_object_get(in, "initiatorAvatar")));
    assert_string_equal(text_of(in, "chatId"), "c");
    assert_int_equal(strlen(text_of(in, "roomId")), 36);
    assert_int_equal(json_array_size(json_object_get(in, "participants")), 1);
    assert_string_equal(text_of(member_of(in, "bob"), "userName"), "bob");
    assert_true(client_was_told(ana, "ice-servers"));
    assert_true(client_was_told(ana, "room-participants"));
    expect_status(ana, "RINGING");

    rig_pass(rig, 5);
    client_ask(bob, "CALL_ANSWER", with_id(NULL));
    assert_string_equal(text_of(client_wait(ana, "CALL_PARTICIPANT_JOINED"), "userName"), "bob");
    expect_status(ana, "CONNECTING");
    const json_t *started = client_wait(ana, "CALL_STARTED");
    assert_string_equal(text_of(started, "acceptedBy"), "bob");
    assert_string_equal(text_of(started, "initiatorId"), "ana");
    assert_string_equal(text_of(member_of(started, "bob"), "status"), "JOINED");
    assert_true(client_was_told(bob, "ice-servers"));
    assert_string_equal(text_of(client_wait(bob, "CALL_STARTED"), "callId"), call_id);

    connect(ana);
    assert_false(client_was_told(bob, "CALL_STATUS_CHANGED"));
    connect(bob);
    expect_status(ana, "CONNECTED");
    expect_status(bob, "CONNECTED");
    rig_pass(rig, 12.5);
    client_ask(bob, "CALL_END", with_id("\"reason\":\"tchau\""));
    expect_status(ana, "ENDED");
    expect_ended(ana, 12, "bob", "tchau");
    expect_ended(bob, 12, "bob", "tchau");
    assert_null(ana->session->participant);
    assert_int_equal(ana->close_code, 0); // ready for the next call
    assert_int_equal(bob->close_code, 0);
    assert_int_equal(roster_room_count(&rig->hub->roster), 0);
    start(bob, "\"ana\"", NULL);
    assert_true(client_was_told(ana, "CALL_INCOMING"));
    rig_free(rig);
}

static void test_decline(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob"),
                  *phone = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    clear(rig);
    client_ask(bob, "CALL_DECLINE", with_id("\"reason\":\"Estou ocupado\""));
    const json_t *elsewhere = client_wait(phone, "CALL_STATUS_CHANGED");
    assert_true(flag_of(elsewhere, "answeredElsewhere"));
    assert_string_equal(text_of(elsewhere, "userStatus"), "DECLINED");
    const json_t *status = client_wait(ana, "CALL_STATUS_CHANGED");
    assert_string_equal(text_of(status, "status"), "DECLINED");
    assert_string_equal(text_of(member_of(status, "bob"), "status"), "DECLINED");
    expect_ended(ana, 0, "bob", "Estou ocupado");
    client_ask_badly(bob, "CALL_ANSWER", with_id(NULL), "room-closed");
    client_ask_badly(bob, "CALL_DECLINE", with_id(NULL), "room-closed");
    rig_free(rig);
}

static void test_cancel(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    static const char *const ways[] = {"CALL_END", "CALL_LEAVE", "leave-room", "close-room"};
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        bool is_close = strcmp(ways[i], "close-room") == 0;
        start(ana, "[\"bob\"]", NULL);
        client_ask(ana, ways[i], i < 2 ? with_id(NULL) : "{}");
        expect_status(bob, "MISSED");
        expect_ended(bob, 0, "ana", is_close ? "ended" : "cancelled");
        assert_int_equal(call_of(rig, call_id)->status, CALL_MISSED);
        clear(rig);
    }
    start(ana, "[\"bob\"]", NULL);
    client_drop(ana, 1000);
    expect_ended(bob, 0, "ana", "cancelled");
    rig_free(rig);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    struct rig *rig = rig_new("RING_TIMEOUT=30");
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    for (int i = 0; i < 29; i++) { // a silent socket would be gone
        client_ask(ana, "HEARTBEAT", "{}");
        client_ask(bob, "HEARTBEAT", "{}");
        rig_pass(rig, 1);
    }
    assert_int_equal(call_of(rig, call_id)->status, CALL_RINGING);
    rig_pass(rig, 1);
    expect_status(ana, "MISSED");
    expect_ended(ana, 0, "", "no-answer");
    expect_ended(bob, 0, "", "no-answer");
    client_ask_badly(bob, "CALL_ANSWER", with_id(NULL), "room-closed");
    rig_free(rig);
}

static void test_never_connected(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    client_ask(bob, "CALL_ANSWER", with_id(NULL));
    connect(ana);
    rig_pass(rig, 15);
    client_ask(ana, "HEARTBEAT", "{}");
    client_ask(bob, "HEARTBEAT", "{}");
    rig_pass(rig, 14);
    assert_int_equal(call_of(rig, call_id)->status, CALL_CONNECTING);
    rig_pass(rig, 1);
    expect_status(ana, "FAILED");
    expect_ended(ana, 0, "", "connect-timeout");
    expect_ended(bob, 0, "", "connect-timeout");
    rig_free(rig);
}

// ---- several sockets ----------------------------------------------------------------------------------------

static void test_first_socket_wins(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *tablet = client_of(rig, "call", "ana");
    struct client *bob = client_of(rig, "call", "bob"), *phone = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    assert_true(client_was_told(bob, "CALL_INCOMING"));
    assert_true(client_was_told(phone, "CALL_INCOMING"));
    expect_status(tablet, "RINGING");
    client_ask(phone, "CALL_ANSWER", with_id(NULL));
    const json_t *status = client_wait(bob, "CALL_STATUS_CHANGED");
    assert_true(flag_of(status, "answeredElsewhere"));
    client_ask_badly(bob, "CALL_ANSWER", with_id(NULL), "busy");
    client_ask_badly(bob, "CALL_DECLINE", with_id(NULL), "not-found");
    assert_null(bob->session->participant);
    client_ask(phone, "CALL_ANSWER", with_id(NULL)); // twice is once
    assert_int_equal(call_count(call_of(rig, call_id), MEMBER_JOINED), 2);
    expect_status(tablet, "CONNECTING");
    client_ask(phone, "CALL_END", with_id(NULL));
    assert_true(client_was_told(tablet, "CALL_ENDED"));
    rig_free(rig);
}

static void test_rings_when_one_connects(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana");
    start(ana, "[\"bob\"]", NULL);
    struct client *bob = client_of(rig, NULL, "bob");
    assert_true(client_was_told(bob, "CALL_INCOMING")); // it has not said anything: the caller's dialect
    rig_pass(rig, 1);
    struct client *late = client_new(rig, NULL);
    client_ask(late, "CALL_ANSWER", with_id("\"userId\":\"bob\",\"userName\":\"Bob\""));
    assert_true(client_was_told(late, "CALL_STARTED"));
    assert_true(flag_of(client_wait(bob, "CALL_STATUS_CHANGED"), "answeredElsewhere"));
    struct client *tablet = client_of(rig, "call", "bob"); // hears that it is in a call
    assert_string_equal(text_of(client_wait(tablet, "CALL_STATUS_CHANGED"), "status"), "CONNECTING");
    rig_free(rig);
}

// Silent sockets are spoken to in the dialect of who calls.
static void test_silent_sockets(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, NULL, "ana"), *bob = client_of(rig, NULL, "bob");
    client_ask(ana, "webrtc:call", "{\"to\":\"bob\"}");
    const json_t *in = client_wait(bob, "webrtc:incoming-call");
    assert_string_equal(text_of(in, "from"), "ana");
    client_ask(bob, "webrtc:decline", "{\"to\":\"ana\"}");
    assert_true(client_was_told(ana, "webrtc:end-call"));
    rig_free(rig);
}

static void test_lost_and_back(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = talk(&ana, &bob);
    char token[SESSION_TOKEN_CHARS + 1], data[200];
    g_strlcpy(token, client_participant(bob)->session_token, sizeof(token));
    client_drop(bob, 1006);
    rig_pass(rig, 10);
    assert_false(client_was_told(ana, "CALL_PARTICIPANT_LEFT"));
    struct client *again = client_of(rig, "call", "bob");
    assert_true(client_was_told(again, "CALL_STATUS_CHANGED"));
    client_ask_badly(again, "CALL_ANSWER", with_id(NULL), "busy"); // open mode: anybody could say so
    g_snprintf(data, sizeof(data), "\"sessionToken\":\"%s\"", token);
    client_ask(again, "CALL_ANSWER", with_id(data));
    assert_string_equal(client_participant(again)->session_token, token);
    assert_false(client_was_told(ana, "CALL_PARTICIPANT_LEFT"));
    assert_int_equal(call_of(rig, call_id)->status, CALL_CONNECTED);
    client_drop(again, 1006);
    client_ask(ana, "HEARTBEAT", "{}");
    rig_pass(rig, 15);
    client_ask(ana, "HEARTBEAT", "{}");
    rig_pass(rig, 16);
    expect_ended(ana, 40, "", "timeout");
    rig_free(rig);
}

static void test_back_by_token(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    client_ask(bob, "CALL_ANSWER", with_id(NULL));
    const struct participant *p = client_participant(bob);
    client_drop(bob, 1006);
    struct client *again = client_of(rig, "call", "bob");
    client_ask(again, "CALL_ANSWER", with_id(NULL));
    assert_ptr_equal(client_participant(again), p);
    client_ask_badly(again, "CALL_END", with_id("\"userId\":\"ana\""), "forbidden");
    rig_free(rig);
}

// ---- groups -------------------------------------------------------------------------------------------------

struct group {
    struct rig *rig;
    struct client *ana, *bob, *carl, *dora;
};

// Ana has called Bob and Carl; both are in; dora is online.
static struct group gather(void)
{
    struct rig *rig = rig_new(NULL);
    struct group g = {rig, client_of(rig, "call", "ana"), client_of(rig, "call", "bob"),
                      client_of(rig, "call", "carl"), client_of(rig, "call", "dora")};
    start(g.ana, "[\"bob\",\"carl\",\"bob\",\"ana\"]", "\"type\":\"AUDIO\"");
    assert_int_equal(call_of(rig, call_id)->members->len, 3);
    client_ask(g.bob, "CALL_ANSWER", with_id(NULL));
    expect_status(g.carl, "CONNECTING");
    assert_false(client_was_told(g.carl, "CALL_STARTED"));
    client_ask(g.carl, "CALL_ANSWER", with_id(NULL));
    assert_string_equal(text_of(client_wait(g.carl, "CALL_STARTED"), "acceptedBy"), "carl");
    assert_string_equal(text_of(client_wait(g.bob, "CALL_PARTICIPANT_JOINED"), "userId"), "carl");
    connect(g.ana);
    connect(g.carl);
    clear(rig);
    return g;
}

// Only where there is nobody else can the media server tell whose streams will come.
static void test_expects_the_other(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = talk(&ana, &bob);
    client_ask(ana, "WEBRTC_OFFER", "{\"targetUserId\":\"sfu\",\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}");
    expect_command(rig, "expect 1 2 bob");
    client_ask(bob, "WEBRTC_OFFER", "{\"targetUserId\":\"sfu\",\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}");
    expect_command(rig, "expect 1 3 ana");
    rig_free(rig);

    struct group g = gather();
    client_ask(g.bob, "WEBRTC_OFFER", "{\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}");
    expect_command(g.rig, "expect 1 3 nobody");
    rig_free(g.rig);
}

static void test_group(void **state)
{
    (void)state;
    struct group g = gather();
    client_ask(g.bob, "CALL_END", with_id(NULL)); // not a host: goes alone
    const json_t *left = client_wait(g.ana, "CALL_PARTICIPANT_LEFT");
    assert_string_equal(text_of(left, "userId"), "bob");
    assert_string_equal(text_of(left, "userName"), "bob");
    assert_string_equal(text_of(left, "callId"), call_id);
    assert_int_equal(call_of(g.rig, call_id)->status, CALL_CONNECTED);
    assert_null(g.bob->session->participant);
    client_ask(g.bob, "CALL_ANSWER", with_id(NULL)); // may come back
    assert_true(client_was_told(g.carl, "CALL_PARTICIPANT_JOINED"));
    rig_pass(g.rig, 3);
    client_ask(g.ana, "CALL_END", with_id(NULL));
    expect_ended(g.bob, 3, "ana", "ended");
    expect_ended(g.carl, 3, "ana", "ended");
    rig_free(g.rig);
}

static void test_last_but_one_leaves(void **state)
{
    (void)state;
    struct group g = gather();
    client_ask(g.ana, "CALL_LEAVE", with_id(NULL));
    assert_int_equal(client_participant(g.bob)->role, ROLE_HOST); // somebody has to be
    assert_true(client_was_told(g.bob, "CALL_HOST_CHANGED"));
    client_ask_badly(g.carl, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":[\"dora\"]"), "forbidden");
    client_ask(g.bob, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":[\"dora\"]"));
    client_ask(g.carl, "CALL_LEAVE", "{}");
    assert_int_equal(call_of(g.rig, call_id)->status, CALL_CONNECTED); // dora still rings
    client_ask(g.dora, "CALL_DECLINE", with_id(NULL));
    expect_ended(g.bob, 0, "dora", "left");
    rig_free(g.rig);
}

static void test_add_and_remove(void **state)
{
    (void)state;
    struct group g = gather();
    client_ask(g.ana, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":[\"dora\",\"bob\"]"));
    const json_t *in = client_wait(g.dora, "CALL_INCOMING");
    assert_int_equal(json_array_size(json_object_get(in, "participants")), 3);
    assert_string_equal(text_of(in, "status"), "CONNECTED");
    const json_t *status = client_wait(g.bob, "CALL_STATUS_CHANGED");
    assert_string_equal(text_of(status, "userId"), "dora");
    assert_string_equal(text_of(status, "userStatus"), "RINGING");
    client_ask(g.ana, "CALL_PARTICIPANT_REMOVE", with_id("\"targetId\":\"dora\"")); // takes it back
    expect_ended(g.dora, 0, "", "removed");
    client_ask_badly(g.dora, "CALL_ANSWER", with_id(NULL), "forbidden");
    client_ask(g.ana, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":\"dora\""));
    client_ask(g.dora, "CALL_ANSWER", with_id(NULL));
    client_ask_badly(g.dora, "CALL_PARTICIPANT_REMOVE", with_id("\"targetId\":\"bob\""), "forbidden");
    client_ask_badly(g.ana, "CALL_PARTICIPANT_REMOVE", with_id("\"targetId\":\"ana\""), "bad-field");
    client_ask_badly(g.ana, "CALL_PARTICIPANT_REMOVE", with_id("\"targetId\":\"zoe\""), "not-found");
    client_ask(g.ana, "CALL_PARTICIPANT_REMOVE", with_id("\"targetUserId\":\"bob\",\"reason\":\"tchau\""));
    assert_string_equal(text_of(client_wait(g.bob, "CALL_PARTICIPANT_REMOVED"), "reason"), "tchau");
    assert_int_equal(g.bob->close_code, 0);
    client_ask_badly(g.bob, "CALL_ANSWER", with_id(NULL), "forbidden");
    rig_free(g.rig);
}

static void test_host_mutes(void **state)
{
    (void)state;
    struct group g = gather();
    client_ask_badly(g.bob, "CALL_PARTICIPANT_MUTE", with_id("\"targetId\":\"carl\""), "forbidden");
    client_ask(g.ana, "CALL_PARTICIPANT_MUTE", with_id("\"targetId\":\"bob\",\"locked\":true"));
    const json_t *muted = client_wait(g.bob, "CALL_PARTICIPANT_MUTED");
    assert_string_equal(text_of(muted, "targetId"), "bob");
    assert_string_equal(text_of(muted, "fromUserId"), "ana");
    const json_t *changed = client_wait(g.carl, "CALL_PARTICIPANT_MEDIA_CHANGED");
    assert_string_equal(text_of(changed, "userName"), "bob");
    assert_true(flag_of(changed, "isMuted"));
    assert_true(call_find(call_of(g.rig, call_id), "bob")->is_muted);
    client_ask_badly(g.bob, "CALL_PARTICIPANT_MEDIA_UPDATE", with_id("\"isMuted\":false"), "forbidden");
    rig_free(g.rig);
}

// ---- busy ---------------------------------------------------------------------------------------------------

static void test_busy(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = talk(&ana, &bob);
    struct client *carl = client_of(rig, "call", "carl"), *dora = client_of(rig, "call", "dora");
    client_ask_badly(bob, "CALL_INITIATE", "{\"participantIds\":[\"carl\"]}", "busy");
    start(carl, "[\"bob\"]", NULL);
    assert_int_equal(call_of(rig, call_id)->status, CALL_BUSY);
    expect_status(carl, "BUSY");
    expect_ended(carl, 0, "", "busy");
    assert_false(client_was_told(bob, "CALL_INCOMING"));
    assert_null(carl->session->participant);
    start(carl, "[\"bob\",\"dora\"]", NULL); // one of several: goes on
    const json_t *in = client_wait(dora, "CALL_INCOMING");
    assert_string_equal(text_of(member_of(in, "bob"), "status"), "BUSY");
    client_ask(dora, "CALL_ANSWER", with_id(NULL));
    assert_int_equal(call_of(rig, call_id)->status, CALL_CONNECTING);
    rig_free(rig);
}

// Who is only rung is not busy, and who answers one call cannot answer another.
static void test_two_calls_ring(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob"),
                  *carl = client_of(rig, "call", "carl");
    char first[CALL_ID_CHARS + 1];
    start(ana, "[\"bob\"]", NULL);
    g_strlcpy(first, call_id, sizeof(first));
    start(carl, "[\"bob\"]", NULL);
    client_ask_badly(bob, "CALL_ANSWER", "{}", "not-found"); // which?
    client_ask(bob, "CALL_ANSWER", with_id(NULL));
    g_strlcpy(call_id, first, sizeof(call_id));
    client_ask_badly(bob, "CALL_ANSWER", with_id(NULL), "busy");
    client_ask(bob, "CALL_DECLINE", with_id(NULL));
    expect_ended(ana, 0, "bob", "declined");
    rig_free(rig);
}

static void test_they_call_each_other(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    start(bob, "[\"ana\"]", NULL);
    assert_int_equal(call_of(rig, call_id)->status, CALL_BUSY);
    client_ask(bob, "CALL_ANSWER", "{}"); // the one that is left
    assert_true(client_was_told(ana, "CALL_STARTED"));
    rig_free(rig);
}

// ---- bounds -------------------------------------------------------------------------------------------------

static void test_bounds(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_PARTICIPANTS=3 MAX_CALLS=2");
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob"),
                  *carl = client_of(rig, "call", "carl");
    client_ask_badly(ana, "CALL_INITIATE", "{\"participantIds\":[\"x\",\"y\",\"z\"]}", "room-full");
    assert_int_equal(roster_room_count(&rig->hub->roster), 0);
    assert_null(calls_of(rig->hub, "ana"));
    start(ana, "[\"x\",\"y\"]", NULL);
    client_ask_badly(ana, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":[\"z\"]"), "room-full");
    start(bob, "[\"z\"]", NULL);
    client_ask_badly(carl, "CALL_INITIATE", "{\"participantIds\":[\"z\"]}", "busy");
    client_ask(bob, "CALL_END", with_id(NULL));
    for (int i = 0; i < RINGS_BURST - 1; i++) {
        start(bob, "[\"z\"]", NULL);
        client_ask(bob, "CALL_END", with_id(NULL));
    }
    client_ask_badly(bob, "CALL_INITIATE", "{\"participantIds\":[\"z\"]}", "rate-limited");
    rig_pass(rig, RING_EVERY_S);
    start(bob, "[\"z\"]", NULL);
    rig_free(rig);
}

static void test_rung_too_much(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    for (int i = 0; i <= CALLS_RINGING_MAX; i++) {
        char user[8];
        g_snprintf(user, sizeof(user), "u%d", i);
        start(client_of(rig, "call", user), "[\"bob\"]", NULL);
    }
    assert_int_equal(call_of(rig, call_id)->status, CALL_BUSY);
    rig_free(rig);
}

// What is over can be asked about for a while, and is gone then.
static void test_kept(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = talk(&ana, &bob);
    client_ask(ana, "CALL_END", "{}");
    assert_int_equal(call_of(rig, call_id)->status, CALL_ENDED);
    for (int i = 0; i < 6; i++) {
        client_ask(ana, "HEARTBEAT", "{}");
        client_ask(bob, "HEARTBEAT", "{}");
        rig_pass(rig, 10);
    }
    assert_null(calls_find(rig->hub, call_id));
    client_ask_badly(ana, "CALL_END", with_id(NULL), "not-found");
    rig_free(rig);
}

// A call remembers everybody it rang and says so to all, so there is an end to how many that can be.
static void test_rung_in_all(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_PARTICIPANTS=4");
    struct client *ana = client_of(rig, "call", "ana"), *bob = client_of(rig, "call", "bob");
    start(ana, "[\"bob\"]", NULL);
    client_ask(bob, "CALL_ANSWER", with_id(NULL));
    connect(ana);
    connect(bob);
    const struct call *call = call_of(rig, call_id);
    char text[60];
    while (call->members->len < 4 + CALL_GONE_MAX) {
        g_snprintf(text, sizeof(text), "\"participantIds\":[\"u%u\"]", call->members->len);
        client_ask(ana, "CALL_ADD_PARTICIPANTS", with_id(text));
        g_snprintf(text, sizeof(text), "{\"targetId\":\"u%u\"}", call->members->len - 1);
        client_ask(ana, "remove-participant", text);
        client_ask(bob, "heartbeat", "{}");
        rig_pass(rig, 2);
        clear(rig);
    }
    client_ask_badly(ana, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":[\"new\"]"), "room-full");
    client_ask(ana, "CALL_ADD_PARTICIPANTS", with_id("\"participantIds\":[\"u2\"]")); // it is one of them
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_call),
        cmocka_unit_test(test_decline),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_never_connected),
        cmocka_unit_test(test_first_socket_wins),
        cmocka_unit_test(test_rings_when_one_connects),
        cmocka_unit_test(test_silent_sockets),
        cmocka_unit_test(test_lost_and_back),
        cmocka_unit_test(test_back_by_token),
        cmocka_unit_test(test_expects_the_other),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_last_but_one_leaves),
        cmocka_unit_test(test_add_and_remove),
        cmocka_unit_test(test_host_mutes),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_two_calls_ring),
        cmocka_unit_test(test_they_call_each_other),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_rung_too_much),
        cmocka_unit_test(test_rung_in_all),
        cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
