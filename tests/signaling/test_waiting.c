// Who waits before a room, who lets them in, and what do they see until then?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/signaling/rig.h"

// A room with the waiting room on, and its host ana in it.
struct consultation {
    struct rig *rig;
    struct client *ana, *bob, *eva;
};

static struct consultation consultation_new(const char *dialect)
{
    struct consultation c = {.rig = rig_new("WAITING_ROOM=true")};
    c.ana = client_new(c.rig, dialect);
    c.bob = client_new(c.rig, dialect);
    c.eva = client_new(c.rig, dialect);
    client_join(c.ana, "ana", "\"role\":\"host\"");
    client_clear(c.ana);
    return c;
}

static const json_t *knock(struct client *client, const char *user)
{
    const json_t *ack = client_join(client, user, NULL);
    assert_true(flag_of(ack, "waiting"));
    assert_string_equal(text_of(ack, "userId"), user);
    return ack;
}

// In every dialect, under its names.
static void test_admit(void **state)
{
    static const struct {
        const char *dialect, *waiting, *knock, *name, *admit, *admitted, *ended, *joined, *lock, *changed, *deny,
            *denied;
    } cases[] = {
        {"signal", "waiting", "knock", "name", "admit", "admitted", "knock-ended", "user-connected", "lock-room",
         "room-changed", "deny", "denied"},
        {"live", "waiting", "knock", "name", "admit", "admitted", "knock-ended", "user-connected", "lock-room",
         "room-changed", "deny", "denied"},
        {"call", "CALL_WAITING", "CALL_KNOCK", "userName", "CALL_ADMIT", "CALL_ADMITTED", "CALL_KNOCK_ENDED",
         "CALL_PARTICIPANT_JOINED", "CALL_LOCK", "CALL_ROOM_CHANGED", "CALL_DENY", "CALL_DENIED"},
        {"webrtc", "webrtc:waiting", "webrtc:knock", "name", "webrtc:admit", "webrtc:admitted", "webrtc:knock-ended",
         "webrtc:participant-joined", "webrtc:lock-room", "webrtc:room-changed", "webrtc:deny", "webrtc:denied"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct consultation c = consultation_new(cases[i].dialect);
        assert_int_equal(json_object_size(knock(c.bob, "bob")), 5); // nothing of the room
        assert_string_equal(text_of(client_wait(c.bob, cases[i].waiting), "roomId"), "r");
        const json_t *told = client_wait(c.ana, cases[i].knock);
        assert_string_equal(text_of(told, "userId"), "bob");
        assert_string_equal(text_of(told, cases[i].name), "bob");
        client_ask(c.ana, cases[i].admit, "{\"userId\":\"bob\"}");
        const json_t *in = client_wait(c.bob, cases[i].admitted);
        assert_false(flag_of(in, "resumed"));
        assert_int_equal(json_array_size(json_object_get(in, "participants")), 2);
        assert_string_equal(text_of(in, "role"), "participant");
        client_wait(c.bob, "ice-servers");
        client_wait(c.bob, "room-participants");
        assert_string_equal(text_of(client_wait(c.ana, cases[i].ended), "reason"), "admitted");
        assert_string_equal(text_of(client_wait(c.ana, cases[i].joined), "userId"), "bob");
        client_ask(c.bob, "chat-message", "{\"text\":\"hello\"}");
        knock(c.eva, "eva");
        client_ask(c.ana, cases[i].deny, "{\"all\":true}");
        client_wait(c.eva, cases[i].denied);
        client_ask(c.ana, cases[i].lock, "{}");
        assert_true(flag_of(client_wait(c.bob, cases[i].changed), "locked"));
        rig_free(c.rig);
    }
}

// Whoever waits sees nothing and can do nothing, and the others cannot reach it.
static void test_nothing_is_seen(void **state)
{
    static const char *const commands[][2] = {
        {"chat-message", "{\"text\":\"a\"}"},
        {"signal-offer", "{\"sdp\":\"v=0\"}"},
        {"ice-candidate", "{}"},
        {"media-update", "{}"},
        {"select-layer", "{\"userId\":\"ana\",\"source\":\"camera\"}"},
        {"admit", "{\"all\":true}"},
        {"lock-room", "{}"},
        {"update-room", "{}"},
        {"close-room", "{}"},
    };
    (void)state;
    struct consultation c = consultation_new(NULL);
    knock(c.bob, "bob");
    client_clear(c.bob);
    client_join(c.eva, "eva", "\"role\":\"host\"");
    client_ask(c.ana, "chat-message", "{\"text\":\"a secret\"}");
    client_ask_badly(c.ana, "chat-message", "{\"text\":\"a\",\"to\":\"bob\"}", "not-found");
    client_ask_badly(c.ana, "signal-offer", "{\"sdp\":\"a\",\"target\":\"bob\"}", "not-found");
    client_ask(c.ana, "media-update", "{\"isMuted\":true}");
    client_ask(c.ana, "lock-room", "{}");
    client_ask(c.ana, "heartbeat", "{}");
    assert_int_equal(g_queue_get_length(&c.bob->inbox), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        client_ask_badly(c.bob, commands[i][0], commands[i][1], "forbidden");
    client_ask_badly(c.bob, "join-room", "{\"roomId\":\"other\"}", "busy");
    client_ask(c.bob, "heartbeat", "{}");
    assert_int_equal(fake_sfu_peer_count(c.rig->sfu), 2); // no media for it
    rig_free(c.rig);
}

static void test_deny(void **state)
{
    (void)state;
    struct consultation c = consultation_new(NULL);
    knock(c.bob, "bob");
    knock(c.eva, "eva");
    client_ask_badly(c.ana, "deny", "{}", "bad-field");
    client_ask_badly(c.ana, "deny", "{\"userId\":5}", "bad-field");
    client_ask_badly(c.ana, "deny", "{\"all\":1}", "bad-field");
    client_ask_badly(c.ana, "deny", "{\"userId\":\"nobody\"}", "not-found");
    client_ask_badly(c.ana, "admit", "{\"userId\":\"ana\"}", "not-found");
    client_ask(c.ana, "deny", "{\"userId\":\"bob\"}");
    assert_string_equal(text_of(client_wait(c.bob, "denied"), "reason"), "denied");
    assert_int_equal(c.bob->close_code, 0);
    client_ask_badly(c.bob, "chat-message", "{\"text\":\"a\"}", "not-found");
    knock(c.bob, "bob"); // it may ask again
    client_ask(c.ana, "deny", "{\"all\":true}");
    client_wait(c.bob, "denied");
    client_wait(c.eva, "denied");
    client_ask(c.ana, "deny", "{\"all\":true}"); // nobody: no harm
    rig_free(c.rig);
}

static void test_gone(void **state)
{
    (void)state;
    struct consultation c = consultation_new(NULL);
    knock(c.bob, "bob");
    knock(c.eva, "eva");
    client_drop(c.bob, 1006);
    const json_t *told = client_wait(c.ana, "knock-ended");
    assert_string_equal(text_of(told, "userId"), "bob");
    assert_string_equal(text_of(told, "reason"), "left");
    client_ask(c.eva, "leave-room", "{}");
    assert_string_equal(text_of(client_wait(c.ana, "knock-ended"), "userId"), "eva");
    client_ask_badly(c.ana, "admit", "{\"userId\":\"eva\"}", "not-found");
    rig_free(c.rig);
}

// A room in which somebody waits does not go; without anybody it does.
static void test_host_comes_later(void **state)
{
    (void)state;
    struct rig *rig = rig_new("WAITING_ROOM=true");
    struct client *bob = client_new(rig, NULL), *ana = client_new(rig, NULL), *again = client_new(rig, NULL);
    knock(bob, "bob");
    rig_pass(rig, 20);
    assert_int_equal(roster_room_count(&rig->hub->roster), 1);
    client_join(ana, "ana", "\"role\":\"host\"");
    assert_string_equal(text_of(client_wait(ana, "knock"), "userId"), "bob");
    char *data =
        g_strdup_printf("{\"roomId\":\"r\",\"sessionToken\":\"%s\"}", client_participant(ana)->session_token);
    client_drop(ana, 1006);
    client_ask(again, "join-room", data);
    client_wait(again, "knock"); // told again, for it was away
    g_free(data);
    client_drop(again, 1000);
    assert_int_equal(roster_room_count(&rig->hub->roster), 1);
    client_drop(bob, 1000);
    assert_int_equal(roster_room_count(&rig->hub->roster), 0);
    rig_free(rig);
}

static void test_switch(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *eva = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask_badly(bob, "update-room", "{\"waitingRoom\":true}", "forbidden");
    client_ask_badly(ana, "update-room", "{\"waitingRoom\":1}", "bad-field");
    client_clear(bob);
    client_ask(ana, "update-room", "{\"waitingRoom\":true}");
    const json_t *changed = client_wait(bob, "room-changed");
    assert_true(flag_of(changed, "waitingRoom"));
    assert_string_equal(text_of(changed, "by"), "ana");
    knock(eva, "eva");
    client_ask(ana, "update-room", "{\"waitingRoom\":false}");
    client_wait(eva, "admitted");
    rig_free(rig);
}

// Resuming, and tokens of role host, do not wait; a token of a lower role does.
static void test_who_need_not(void **state)
{
    static const struct {
        const char *role;
        bool waits;
    } cases[] = {{"host", false}, {"participant", true}, {"observer", true}};
    (void)state;
    struct rig *rig = rig_new("WAITING_ROOM=true JWT_SECRET=" SECRET);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *claims =
            g_strdup_printf("{\"sub\":\"u%zu\",\"role\":\"%s\",\"room\":\"r\",\"name\":\"N\"}", i, cases[i].role);
        char *token = make_token(SECRET, claims);
        char *data = g_strdup_printf("{\"roomId\":\"r\",\"role\":\"host\",\"token\":\"%s\"}", token);
        const json_t *ack = client_ask(client_new(rig, NULL), "join-room", data);
        assert_int_equal(json_is_true(json_object_get(ack, "waiting")), cases[i].waits);
        g_free(claims);
        g_free(token);
        g_free(data);
    }
    rig_free(rig);
}

// A second socket with the session token goes on waiting, whether or not the first is known to be dead; once inside,
// that token resumes.
static void test_same_token(void **state)
{
    (void)state;
    struct consultation c = consultation_new(NULL);
    char *data =
        g_strdup_printf("{\"roomId\":\"r\",\"sessionToken\":\"%s\"}", text_of(knock(c.bob, "bob"), "sessionToken"));
    client_ask_badly(c.eva, "join-room", "{\"roomId\":\"r\",\"userId\":\"bob\"}", "busy");
    const json_t *ack = client_ask(c.eva, "join-room", data);
    assert_true(flag_of(ack, "waiting"));
    assert_string_equal(text_of(ack, "userId"), "bob");
    assert_null(c.bob->session);
    assert_int_equal(c.bob->close_code, 1000);
    assert_false(client_was_told(c.ana, "knock-ended"));
    client_ask(c.ana, "admit", "{\"userId\":\"bob\"}");
    client_drop(c.eva, 1006);
    struct client *third = client_new(c.rig, NULL);
    assert_true(flag_of(client_ask(third, "join-room", data), "resumed"));
    g_free(data);
    rig_free(c.rig);
}

static void test_bounds(void **state)
{
    (void)state;
    struct consultation c = consultation_new(NULL);
    for (int i = 0; i < KNOCKS_MAX; i++) {
        char user[16];
        struct client *client = client_new(c.rig, NULL);
        g_snprintf(user, sizeof(user), "u%d", i);
        g_snprintf(client->session->address, sizeof(client->session->address), "10.0.0.%d", i); // one each
        knock(client, user);
    }
    client_ask_badly(c.bob, "join-room", "{\"roomId\":\"r\",\"userId\":\"bob\"}", "room-full");
    client_ask(c.ana, "update-room", "{\"maxParticipants\":2}");
    client_ask_badly(c.ana, "admit", "{\"all\":true}", "room-full"); // one came in
    assert_int_equal(c.rig->hub->roster.participant_count, 2);
    client_ask_badly(c.ana, "admit", "{\"userId\":\"u1\"}", "room-full");
    rig_free(c.rig);
}

// Knocking again and again wears the door out, not the host.
static void test_too_often(void **state)
{
    (void)state;
    struct consultation c = consultation_new(NULL);
    for (int i = 0; i < TRIES_BURST; i++) {
        knock(c.bob, "bob");
        client_ask(c.bob, "leave-room", "{}");
        rig_pass(c.rig, 0.25);
    }
    client_ask_badly(c.bob, "join-room", "{\"roomId\":\"r\"}", "rate-limited");
    rig_pass(c.rig, TRIES_EVERY_S);
    knock(c.bob, "bob");
    rig_free(c.rig);
}

static void test_room_closes(void **state)
{
    (void)state;
    struct consultation c = consultation_new(NULL);
    knock(c.bob, "bob");
    client_ask(c.ana, "close-room", "{}");
    assert_string_equal(text_of(client_wait(c.bob, "denied"), "reason"), "room-closed");
    assert_false(client_was_told(c.bob, "close-room"));
    assert_int_equal(c.bob->close_code, 1000);
    rig_free(c.rig);
}

// Who is host only since the host left learns who waits.
static void test_new_host(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *eva = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask(ana, "update-room", "{\"waitingRoom\":true}");
    knock(eva, "eva");
    assert_false(client_was_told(bob, "knock"));
    client_ask(ana, "leave-room", "{}");
    assert_string_equal(text_of(client_wait(bob, "knock"), "userId"), "eva");
    client_ask(bob, "admit", "{\"userId\":\"eva\"}");
    client_wait(eva, "admitted");
    rig_free(rig);
}

// Whatever people do in whatever order: whoever waits hears only of waiting, and the lists agree.
static void check_walk(const struct rig *rig)
{
    static const char *const allowed[] = {"ack", "error", "waiting", "denied", NULL};
    const struct room *room = roster_find(&rig->hub->roster, "r");
    unsigned waiting = 0;
    for (guint i = 0; i < rig->clients->len; i++) {
        struct client *client = rig->clients->pdata[i];
        const struct knock *knock = client->session ? client->session->knock : NULL;
        if (!knock) {
            client_clear(client);
            continue;
        }
        waiting++;
        assert_ptr_equal(knock->room, room);
        assert_ptr_equal(knock->session, client->session);
        assert_null(client->session->participant);
        for (GList *at = client->inbox.head; at; at = at->next)
            assert_true(g_strv_contains(allowed, text_of(at->data, "event")));
    }
    assert_int_equal(waiting, room ? room->knocks->len : 0);
    assert_true(!room || room->knocks->len > 0 || room->participants->len > 0 || room->dropped_us > 0);
}

static void test_random_walk(void **state)
{
    static const char *const commands[] = {
        "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\"}}",
        "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"userId\":\"same\"}}",
        "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"role\":\"host\"}}",
        "{\"event\":\"leave-room\"}",
        "{\"event\":\"admit\",\"data\":{\"all\":true}}",
        "{\"event\":\"admit\",\"data\":{\"userId\":\"same\"}}",
        "{\"event\":\"deny\",\"data\":{\"all\":true}}",
        "{\"event\":\"update-room\",\"data\":{\"waitingRoom\":true,\"locked\":false}}",
        "{\"event\":\"update-room\",\"data\":{\"waitingRoom\":false,\"maxParticipants\":2}}",
        "{\"event\":\"lock-room\"}",
        "{\"event\":\"close-room\"}",
        "{\"event\":\"chat-message\",\"data\":{\"text\":\"a\"}}",
        "{\"event\":\"signal-offer\",\"data\":{\"sdp\":\"v=0\"}}",
    };
    (void)state;
    GRand *dice = g_rand_new_with_seed(4);
    struct rig *rig = rig_new("WAITING_ROOM=true RECONNECT_GRACE=2");
    struct client *people[8] = {0};
    for (int step = 0; step < 4000; step++) {
        struct client **one = &people[g_rand_int_range(dice, 0, G_N_ELEMENTS(people))];
        if (!*one || !(*one)->session)
            *one = client_new(rig, NULL);
        else if (g_rand_int_range(dice, 0, 12) == 0)
            client_drop(*one, g_rand_boolean(dice) ? 1000 : 1006);
        else
            client_say(*one, commands[g_rand_int_range(dice, 0, G_N_ELEMENTS(commands))]);
        rig_pass(rig, 0.25);
        check_walk(rig);
    }
    g_rand_free(dice);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admit),       cmocka_unit_test(test_nothing_is_seen),
        cmocka_unit_test(test_deny),        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_host_comes_later),
        cmocka_unit_test(test_switch),      cmocka_unit_test(test_who_need_not),
        cmocka_unit_test(test_same_token),  cmocka_unit_test(test_too_often),
        cmocka_unit_test(test_room_closes), cmocka_unit_test(test_new_host),
        cmocka_unit_test(test_random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
