// Who gets in, as whom, who comes back, and what do the others see of it?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/commands.h"
#include "signaling/presence.h"
#include "tests/signaling/rig.h"

static char *token_of(struct client *client)
{
    return g_strdup(client_participant(client)->session_token);
}

// Joins room "r" with the session token and says what more there is.
static json_t *rejoin(struct client *client, const char *session_token, const char *more)
{
    char *data = g_strdup_printf("{\"roomId\":\"r\",\"sessionToken\":\"%s\"%s}", session_token, more);
    json_t *ack = client_ask(client, "join-room", data);
    g_free(data);
    return ack;
}

static void rejoin_badly(struct client *client, const char *session_token, const char *code)
{
    char *data = g_strdup_printf("{\"roomId\":\"r\",\"sessionToken\":\"%s\"}", session_token);
    client_ask_badly(client, "join-room", data, code);
    g_free(data);
}

static void join_with(struct client *client, const char *claims, const char *more, const char *code)
{
    char *token = make_token(SECRET, claims);
    char *data = g_strdup_printf("{\"roomId\":\"r\",\"token\":\"%s\"%s}", token, more);
    if (code)
        client_ask_badly(client, "join-room", data, code);
    else
        client_ask(client, "join-room", data);
    g_free(data);
    g_free(token);
}

// ---- coming back --------------------------------------------------------------------------------------------

static void test_resume(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *again = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask(bob, "media-update", "{\"isMuted\":true}");
    char *token = token_of(bob);
    client_drop(bob, 1006);
    client_clear(ana);
    rig_pass(rig, 20);
    assert_int_equal(fake_sfu_peer_count(rig->sfu), 2); // media goes on

    json_t *ack = rejoin(again, token, "");
    assert_true(flag_of(ack, "resumed"));
    assert_string_equal(text_of(ack, "userId"), "bob");
    assert_string_equal(text_of(ack, "sessionToken"), token);
    client_wait(again, "ice-servers");
    json_t *list = json_object_get(client_wait(again, "room-participants"), "participants");
    assert_true(flag_of(json_array_get(list, 1), "isMuted"));
    client_wait(again, "tracks");
    rig_pass(rig, 20);
    assert_int_equal(g_queue_get_length(&ana->inbox), 0); // nobody was told of the gap
    g_free(token);
    rig_free(rig);
}

static void test_what_was_missed(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *again = client_new(rig, "live");
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    char *token = token_of(bob);
    client_drop(bob, 1001);
    client_ask(ana, "chat-message", "{\"text\":\"one\"}");
    client_ask(ana, "signal-offer", "{\"target\":\"bob\",\"sdp\":\"relayed\"}");
    client_ask(ana, "heartbeat", "{}");
    struct sfu_track track = {.mid = "3", .user = "ana", .publisher = 2, .source = SFU_SCREEN, .video = true};
    fake_sfu_say(rig->sfu, &(struct sfu_event){.type = SFU_OFFER, .room = 1, .peer = 3, .text = "v=0 first"});
    fake_sfu_say(rig->sfu, &(struct sfu_event){.type = SFU_CANDIDATE, .room = 1, .peer = 3, .text = "candidate:9"});
    fake_sfu_say(rig->sfu,
                 &(struct sfu_event){.type = SFU_TRACKS, .room = 1, .peer = 3, .track_count = 1, .tracks = &track});
    rig_turn(rig);
    rejoin(again, token, "");
    json_t *tracks = json_object_get(client_wait(again, "tracks"), "tracks");
    assert_string_equal(text_of(json_array_get(tracks, 0), "source"), "screen");
    assert_string_equal(text_of(json_object_get(client_wait(again, "offer"), "sdp"), "sdp"), "v=0 first");
    assert_string_equal(text_of(client_wait(again, "chat-message"), "text"), "one");
    assert_string_equal(text_of(client_wait(again, "offer"), "sdp"), "relayed");
    client_wait(again, "ice");
    assert_false(client_was_told(again, "user-heartbeat"));
    g_free(token);
    rig_free(rig);
}

static void test_missed_is_bounded(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *again = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    char *token = token_of(bob);
    client_drop(bob, 1006);
    for (int i = 0; i < MISSED_MAX + 5; i++) {
        char text[40];
        g_snprintf(text, sizeof(text), "{\"text\":\"%d\"}", i);
        client_ask(ana, "chat-message", text);
    }
    rejoin(again, token, "");
    assert_string_equal(text_of(client_wait(again, "chat-message"), "text"), "5"); // the oldest went
    g_free(token);
    rig_free(rig);
}

// The new socket may be there before the server notices that the old one is dead.
static void test_resume_takes_over(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *again = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    char *token = token_of(ana);
    assert_true(flag_of(rejoin(again, token, ""), "resumed"));
    assert_int_equal(ana->close_code, 1000);
    assert_int_equal(rig->hub->roster.participant_count, 1);
    assert_int_equal(rig->hub->sessions->len, 1);
    g_free(token);
    rig_free(rig);
}

static void test_grace_ends(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    char *token = token_of(bob);
    client_drop(bob, 1006);
    client_clear(ana);
    for (int i = 0; i < 29; i++) {
        rig_pass(rig, 1);
        client_ask(ana, "heartbeat", "{}");
    }
    assert_false(client_was_told(ana, "user-disconnected"));
    rig_pass(rig, 1);
    json_t *left = client_wait(ana, "user-disconnected");
    assert_string_equal(text_of(left, "userId"), "bob");
    assert_string_equal(text_of(left, "reason"), "timeout");
    assert_int_equal(fake_sfu_peer_count(rig->sfu), 1);
    struct client *again = client_new(rig, NULL);
    assert_false(flag_of(rejoin(again, token, ""), "resumed")); // too late: a new participant
    g_free(token);
    rig_free(rig);
}

static void test_grace_can_be_set(void **state)
{
    (void)state;
    struct rig *rig = rig_new("RECONNECT_GRACE=0");
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_drop(bob, 1001);
    assert_string_equal(text_of(client_wait(ana, "user-disconnected"), "reason"), "timeout");
    rig_free(rig);
}

// A client that closes with 1000 has said good-bye; 1001 (a reload), 1005 and 1006 keep the place.
static void test_close_codes(void **state)
{
    (void)state;
    static const struct {
        uint16_t code;
        bool leaves;
    } cases[] = {{1000, true}, {1001, false}, {1005, false}, {1006, false}, {0, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct rig *rig = rig_new(NULL);
        struct client *ana = client_new(rig, NULL);
        client_join(ana, "ana", NULL);
        client_drop(ana, cases[i].code);
        assert_int_equal(rig->hub->roster.participant_count, cases[i].leaves ? 0 : 1);
        assert_int_equal(roster_room_count(&rig->hub->roster), cases[i].leaves ? 0 : 1);
        rig_free(rig);
    }
}

static void test_reload_with_new_media(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *again = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    expect_command(rig, "join 1 2 ana");
    char *token = token_of(ana);
    client_drop(ana, 1001);
    assert_true(flag_of(rejoin(again, token, ",\"freshMedia\":true"), "resumed"));
    expect_command(rig, "leave 1 2");
    expect_command(rig, "join 3 4 ana"); // alone, so the room is a new one for the media server too
    g_free(token);
    rig_free(rig);
}

// Who was sent away does not come back by knocking again with the same token.
static void test_ended_tokens(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *again = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    char *bobs = token_of(bob), *anas = token_of(ana);
    client_ask(ana, "remove-participant", "{\"targetId\":\"bob\"}");
    rejoin_badly(again, bobs, "forbidden");
    client_ask(ana, "close-room", "{}");
    rejoin_badly(again, anas, "room-closed");
    client_join(again, "bob", NULL); // a fresh join is another matter
    g_free(bobs);
    g_free(anas);
    rig_free(rig);
}

// ---- names in use -------------------------------------------------------------------------------------------

static void test_name_in_use_in_open_mode(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *thief = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_ask_badly(thief, "join-room", "{\"roomId\":\"r\",\"userId\":\"ana\"}", "busy");
    client_ask_badly(thief, "join-room", "{\"roomId\":\"r\",\"userId\":\"ana\",\"sessionToken\":\"guess\"}", "busy");
    client_drop(ana, 1006);
    client_ask_badly(thief, "join-room", "{\"roomId\":\"r\",\"userId\":\"ana\"}", "busy");
    rig_free(rig);
}

static void test_token_replaces(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *again = client_new(rig, NULL);
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"r\"}", "", NULL);
    join_with(bob, "{\"sub\":\"bob\",\"room\":\"r\"}", "", NULL);
    char *token = token_of(bob);
    client_clear(ana);
    join_with(again, "{\"sub\":\"bob\",\"room\":\"r\"}", "", NULL);
    assert_string_equal(text_of(client_wait(bob, "user-disconnected"), "reason"), "replaced");
    assert_int_equal(bob->close_code, 1000);
    assert_string_equal(text_of(client_wait(ana, "user-disconnected"), "reason"), "replaced");
    assert_string_equal(text_of(client_wait(ana, "user-connected"), "userId"), "bob");
    assert_false(client_was_told(again, "user-disconnected"));
    assert_int_equal(rig->hub->roster.participant_count, 2);
    struct client *knocking = client_new(rig, NULL);
    char *jwt = make_token(SECRET, "{\"sub\":\"bob\",\"room\":\"r\"}");
    char *data = g_strdup_printf("{\"roomId\":\"r\",\"token\":\"%s\",\"sessionToken\":\"%s\"}", jwt, token);
    client_ask_badly(knocking, "join-room", data, "busy"); // two tabs must not push each other out for ever
    g_free(data);
    g_free(jwt);
    g_free(token);
    rig_free(rig);
}

// Replacing the last one in a room keeps the room.
static void test_replace_alone(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL), *again = client_new(rig, NULL);
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"*\",\"role\":\"host\"}", "", NULL);
    join_with(again, "{\"sub\":\"ana\",\"room\":\"*\",\"role\":\"host\"}", "", NULL);
    assert_int_equal(rig->hub->roster.participant_count, 1);
    assert_int_equal(roster_room_count(&rig->hub->roster), 1);
    rig_free(rig);
}

// ---- tokens -------------------------------------------------------------------------------------------------

static void test_tokens_are_asked_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL);
    client_ask_badly(ana, "join-room", "{\"roomId\":\"r\"}", "unauthorized");
    client_ask_badly(ana, "chat-message", "{\"text\":\"hi\"}", "unauthorized");
    client_ask_badly(ana, "join-room", "{\"roomId\":\"r\",\"token\":\"a.b.c\"}", "unauthorized");
    client_ask_badly(ana, "join-room", "{\"roomId\":\"r\",\"token\":5}", "bad-field");
    join_with(ana, "{\"sub\":\"ana\"}", "", "forbidden");
    join_with(ana, "{\"sub\":\"ana\",\"room\":[\"q\",\"s\"]}", "", "forbidden");
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"r\"}", ",\"userId\":\"bob\"", "forbidden");
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"r\",\"exp\":1}", "", "unauthorized");
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"r\",\"name\":\"Ana M.\"}", ",\"name\":\"Queen\",\"role\":\"host\"",
              NULL);
    assert_string_equal(client_participant(ana)->name, "Ana M.");
    assert_int_equal(client_participant(ana)->role, ROLE_PARTICIPANT); // first in the room, and yet no host
    assert_null(room_host(client_participant(ana)->room));
    rig_free(rig);
}

static void test_session_token_is_bound_to_the_user(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL), *eve = client_new(rig, NULL);
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"r\"}", "", NULL);
    char *token = token_of(ana);
    char *more = g_strdup_printf(",\"sessionToken\":\"%s\"", token);
    join_with(eve, "{\"sub\":\"eve\",\"room\":\"r\"}", more, "forbidden");
    assert_int_equal(ana->close_code, 0);
    g_free(more);
    g_free(token);
    rig_free(rig);
}

// A consultation outlasts its token; a drop of the network after that must not lock anybody out.
static void test_resume_after_the_token_expired(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL);
    static const char claims[] = "{\"sub\":\"ana\",\"room\":\"r\",\"exp\":1769853660}"; // a minute from now
    join_with(ana, claims, "", NULL);
    for (int i = 0; i < 5; i++) {
        rig_pass(rig, 20);
        client_ask(ana, "heartbeat", "{}");
    }
    char *token = token_of(ana);
    client_drop(ana, 1006);
    struct client *bare = client_new(rig, NULL);
    assert_true(flag_of(rejoin(bare, token, ""), "resumed"));
    for (int i = 0; i < 5; i++) {
        rig_pass(rig, 20);
        client_ask(bare, "chat-message", "{\"text\":\"still here\"}"); // and is no stranger
    }
    struct client *with = client_new(rig, NULL), *fresh = client_new(rig, NULL);
    char *more = g_strdup_printf(",\"sessionToken\":\"%s\"", token);
    join_with(with, claims, more, NULL);
    assert_int_equal(bare->close_code, 1000);
    join_with(fresh, claims, "", "unauthorized"); // alone the old token opens nothing
    g_free(more);
    g_free(token);
    rig_free(rig);
}

// Whoever is in stays; what the token once opened is not opened with it again, until there is a newer one.
static void test_expired_opens_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"*\",\"role\":\"host\",\"exp\":1769853660}", "", NULL);
    join_with(bob, "{\"sub\":\"bob\",\"room\":\"*\"}", "", NULL);
    for (int i = 0; i < 4; i++) { // the last turn is a leeway beyond it
        rig_pass(rig, 16.25);
        client_ask(ana, "heartbeat", "{}");
        client_ask(bob, "heartbeat", "{}");
    }
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\"}"); // still host
    client_ask(ana, "leave-room", "{}");
    client_ask_badly(ana, "join-room", "{\"roomId\":\"r\"}", "unauthorized");
    client_ask_badly(ana, "join-room", "{\"roomId\":\"other\"}", "unauthorized");
    client_ask_badly(ana, "join-room", "{\"roomId\":\"r\",\"sessionToken\":\"0123456789abcdef\"}", "unauthorized");
    client_ask_badly(ana, "call-initiate", "{\"participantIds\":[\"bob\"]}", "unauthorized");
    client_ask(bob, "leave-room", "{}");
    json_t *ack = client_ask(bob, "call-initiate", "{\"participantIds\":[\"ana\"]}");
    char *callee = g_strdup_printf("{\"callId\":\"%s\"}", text_of(ack, "callId"));
    client_ask_badly(ana, "call-answer", callee, "unauthorized");
    char *offer = g_strdup_printf("{\"callId\":\"%s\",\"to\":\"bob\",\"sdp\":\"v=0\"}", text_of(ack, "callId"));
    client_ask_badly(ana, "signal-offer", offer, "unauthorized");
    client_ask(ana, "call-decline", callee); // to say no opens nothing
    join_with(ana, "{\"sub\":\"ana\",\"room\":\"r\",\"exp\":1769853760}", "", NULL);
    g_free(callee);
    g_free(offer);
    rig_free(rig);
}

static void test_token_roles(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *host = client_new(rig, NULL), *modest = client_new(rig, NULL), *eye = client_new(rig, NULL);
    join_with(host, "{\"sub\":\"h\",\"room\":\"r\",\"role\":\"host\"}", "", NULL);
    join_with(modest, "{\"sub\":\"m\",\"room\":\"r\",\"role\":\"host\"}", ",\"role\":\"participant\"", NULL);
    join_with(eye, "{\"sub\":\"e\",\"room\":\"r\",\"role\":\"observer\"}", ",\"role\":\"host\"", NULL);
    assert_int_equal(client_participant(host)->role, ROLE_HOST);
    assert_int_equal(client_participant(modest)->role, ROLE_PARTICIPANT);
    assert_int_equal(client_participant(eye)->role, ROLE_OBSERVER);
    client_clear(modest);
    client_ask(host, "leave-room", "{}");
    json_t *changed = client_wait(modest, "host-changed");
    assert_true(json_is_null(json_object_get(changed, "hostId"))); // with tokens nobody is promoted
    rig_free(rig);
}

// ---- host and observers in open mode ------------------------------------------------------------------------

static void test_host_passes_on(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *eye = client_new(rig, NULL), *bob = client_new(rig, NULL),
                  *carl = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(eye, "eye", "\"role\":\"observer\"");
    client_join(bob, "bob", NULL);
    client_join(carl, "carl", NULL);
    client_clear(carl);
    client_ask(ana, "leave-room", "{}");
    assert_string_equal(text_of(client_wait(carl, "host-changed"), "hostId"), "bob");
    json_t *list = json_object_get(client_wait(carl, "room-participants"), "participants");
    assert_string_equal(text_of(json_array_get(list, 1), "role"), "host");
    client_ask(bob, "mute-participant", "{\"targetId\":\"carl\"}");
    rig_free(rig);
}

// A host that only lost its socket stays host.
static void test_lost_host_stays(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_drop(ana, 1001);
    client_ask_badly(bob, "close-room", "{}", "forbidden");
    assert_false(client_was_told(bob, "host-changed"));
    rig_free(rig);
}

// The patient came first; the doctor, who says so, is host from then on.
static void test_declared_host_wins(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *patient = client_new(rig, NULL), *doctor = client_new(rig, NULL), *other = client_new(rig, NULL);
    assert_string_equal(text_of(client_join(patient, "p", NULL), "role"), "host");
    client_clear(patient);
    json_t *ack = client_join(doctor, "d", "\"role\":\"host\"");
    assert_string_equal(text_of(ack, "hostId"), "d");
    assert_string_equal(text_of(client_wait(patient, "host-changed"), "hostId"), "d");
    client_ask_badly(patient, "close-room", "{}", "forbidden");
    client_join(other, "o", "\"role\":\"host\""); // two may say so: both are
    client_ask(other, "mute-participant", "{\"targetId\":\"p\"}");
    client_ask(doctor, "mute-participant", "{\"targetId\":\"p\"}");
    rig_free(rig);
}

static void test_observer(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *eye = client_new(rig, NULL), *ana = client_new(rig, NULL);
    json_t *ack = client_join(eye, "eye", "\"role\":\"observer\"");
    assert_string_equal(text_of(ack, "role"), "observer");
    assert_true(json_is_null(json_object_get(ack, "hostId")));
    assert_true(flag_of(json_array_get(json_object_get(ack, "participants"), 0), "isMuted"));
    expect_command(rig, "mute 1 2 microphone on");
    expect_command(rig, "mute 1 2 camera on");
    expect_command(rig, "mute 1 2 screen on");
    expect_command(rig, "mute 1 2 screen-audio on");
    assert_string_equal(text_of(client_join(ana, "ana", NULL), "hostId"), "ana");
    client_ask_badly(eye, "media-update", "{\"isMuted\":false}", "forbidden");
    client_ask_badly(eye, "media-update", "{\"isVideoEnabled\":true}", "forbidden");
    client_ask_badly(eye, "media-update", "{\"isSharingScreen\":true}", "forbidden");
    client_ask(eye, "media-update", "{\"isMuted\":true,\"isVideoEnabled\":false,\"isSharingScreen\":false}");
    fake_sfu_say(rig->sfu,
                 &(struct sfu_event){.type = SFU_PUBLISHED, .room = 1, .peer = 2, .source = SFU_SCREEN, .on = true});
    rig_turn(rig);
    assert_false(client_participant(eye)->is_sharing_screen);
    client_ask(eye, "signal-offer", "{\"sdp\":\"v=0\"}"); // it receives like everybody
    rig_free(rig);
}

// ---- limits -------------------------------------------------------------------------------------------------

static void test_room_full(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_PARTICIPANTS=2 MAX_ROOMS=2");
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *carl = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask_badly(carl, "join-room", "{\"roomId\":\"r\",\"userId\":\"carl\"}", "room-full");
    client_drop(bob, 1006); // its place is kept
    client_ask_badly(carl, "join-room", "{\"roomId\":\"r\",\"userId\":\"carl\"}", "room-full");
    client_ask(carl, "join-room", "{\"roomId\":\"s\",\"userId\":\"carl\"}");
    struct client *dora = client_new(rig, NULL);
    client_ask_badly(dora, "join-room", "{\"roomId\":\"t\"}", "room-full");
    rig_free(rig);
}

static void test_draining(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *late = client_new(rig, NULL), *again = client_new(rig, NULL);
    char *token = g_strdup(text_of(client_join(ana, "ana", NULL), "sessionToken"));
    hub_drain(rig->hub, 100);
    assert_int_equal(json_integer_value(json_object_get(client_wait(ana, "server-draining"), "secondsLeft")), 100);
    client_wait(late, "server-draining"); // also who is in no room
    client_ask_badly(late, "join-room", "{\"roomId\":\"r\"}", "room-closed");
    client_ask_badly(late, "join-room", "{\"roomId\":\"new\"}", "room-closed");
    client_ask_badly(late, "CALL_INITIATE", "{\"userId\":\"late\",\"participantIds\":[\"x\"]}", "room-closed");
    assert_int_equal(roster_room_count(&rig->hub->roster), 1);
    client_ask(ana, "chat-message", "{\"text\":\"still here\"}");

    // A lost socket comes back, and learns what is left.
    client_drop(ana, 1006);
    rig_pass(rig, 10);
    client_clear(again);
    char *data = g_strdup_printf("{\"roomId\":\"r\",\"sessionToken\":\"%s\"}", token);
    assert_true(flag_of(client_ask(again, "join-room", data), "resumed"));
    int64_t left = json_integer_value(json_object_get(client_wait(again, "server-draining"), "secondsLeft"));
    assert_true(left >= 88 && left <= 90);
    assert_false(hub_is_drained(rig->hub));
    rig_pass(rig, 91);
    assert_true(hub_is_drained(rig->hub)); // the time is over
    hub_end(rig->hub);
    assert_int_equal(again->close_code, 1001);
    g_free(token);
    g_free(data);
    assert_true(hub_is_full(rig->hub));
    rig_turn(rig);
    rig_free(rig);
}

// A page that is gone may only be loaded anew, which takes seconds; a lost network may take longer.
static void test_a_closed_tab_goes_sooner(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        uint16_t code;
        double seconds;
        bool stays;
    } cases[] = {
        {NULL, 1001, RELOAD_GRACE_S - 1, true},
        {NULL, 1001, RELOAD_GRACE_S + 1, false},
        {NULL, 1006, RELOAD_GRACE_S + 1, true},
        {"RECONNECT_GRACE=3", 1001, 4, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct rig *rig = rig_new(cases[i].settings);
        struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
        client_join(ana, "ana", NULL);
        client_join(bob, "bob", NULL);
        client_drop(ana, cases[i].code);
        rig_pass(rig, cases[i].seconds);
        assert_int_equal(rig->hub->roster.participant_count, cases[i].stays ? 2 : 1);
        rig_free(rig);
    }
}

static void test_drained_when_empty(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *idle = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    hub_drain(rig->hub, 1000);
    assert_false(hub_is_drained(rig->hub));
    client_ask(ana, "leave-room", "{}");
    assert_true(hub_is_drained(rig->hub));
    assert_int_equal(idle->close_code, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_drained_when_empty),
        cmocka_unit_test(test_a_closed_tab_goes_sooner),
        cmocka_unit_test(test_what_was_missed),
        cmocka_unit_test(test_missed_is_bounded),
        cmocka_unit_test(test_resume_takes_over),
        cmocka_unit_test(test_grace_ends),
        cmocka_unit_test(test_grace_can_be_set),
        cmocka_unit_test(test_close_codes),
        cmocka_unit_test(test_reload_with_new_media),
        cmocka_unit_test(test_ended_tokens),
        cmocka_unit_test(test_name_in_use_in_open_mode),
        cmocka_unit_test(test_token_replaces),
        cmocka_unit_test(test_replace_alone),
        cmocka_unit_test(test_tokens_are_asked_for),
        cmocka_unit_test(test_session_token_is_bound_to_the_user),
        cmocka_unit_test(test_resume_after_the_token_expired),
        cmocka_unit_test(test_expired_opens_nothing),
        cmocka_unit_test(test_token_roles),
        cmocka_unit_test(test_host_passes_on),
        cmocka_unit_test(test_lost_host_stays),
        cmocka_unit_test(test_declared_host_wins),
        cmocka_unit_test(test_observer),
        cmocka_unit_test(test_room_full),
        cmocka_unit_test(test_draining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
