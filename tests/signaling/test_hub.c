// Do time and the end reach every session and every room?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/commands.h"
#include "tests/signaling/rig.h"

static void test_ping(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    rig_pass(rig, 14.75);
    assert_int_equal(ana->ping_count, 0);
    rig_pass(rig, 0.25);
    assert_int_equal(ana->ping_count, 1);
    client_say(ana, "{\"event\":\"heartbeat\"}");
    rig_pass(rig, 15);
    assert_int_equal(ana->ping_count, 2);
    rig_free(rig);
}

// Whoever is in a long call gets credentials that are still good when it needs them.
static void test_turn_credentials(void **state)
{
    (void)state;
    struct rig *rig = rig_new("TURN_URLS=turn:t TURN_SECRET=north TURN_TTL=60");
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_clear(ana);
    rig_pass(rig, 29.75);
    assert_false(client_was_told(ana, "ice-servers"));
    client_say(ana, "{\"event\":\"heartbeat\"}");
    rig_pass(rig, 0.25);
    const json_t *servers = json_object_get(client_wait(ana, "ice-servers"), "iceServers");
    assert_string_equal(text_of(json_array_get(servers, 0), "username"), "1769853690:ana");
    rig_pass(rig, 29.5);
    assert_false(client_was_told(ana, "ice-servers"));
    rig_free(rig);
}

// Any sign of life counts: a message here, a pong in the server.
static void test_silence(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    for (int i = 0; i < 29; i++) {
        rig_pass(rig, 1);
        client_say(ana, "not even JSON");
    }
    assert_false(client_was_told(ana, "user-disconnected"));
    rig_pass(rig, 1);
    assert_string_equal(text_of(client_wait(ana, "user-disconnected"), "reason"), "timeout");
    assert_int_equal(bob->close_code, 1001);
    assert_int_equal(ana->close_code, 0);
    rig_free(rig);
}

static void test_strangers(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=0123456789abcdef0123456789abcdef");
    struct client *ana = client_new(rig, NULL);
    for (int i = 0; i < 29; i++) {
        rig_pass(rig, 1);
        client_ask(ana, "heartbeat", "{}");
    }
    assert_int_equal(ana->close_code, 0);
    rig_pass(rig, 1);
    assert_int_equal(ana->close_code, 1008);
    rig_free(rig);
}

static void test_reserved_rooms(void **state)
{
    (void)state;
    struct rig *rig = rig_new("ROOM_TTL=60");
    struct roster *roster = &rig->hub->roster;
    struct room *room = roster_add(roster, "r", rig->hub->now_us, rig->hub->wall_ms);
    room->is_reserved = true;
    rig_pass(rig, 59);
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    for (int i = 0; i < 100; i++) {
        rig_pass(rig, 1);
        client_ask(ana, "heartbeat", "{}");
    }
    client_ask(ana, "leave-room", "{}");
    assert_ptr_equal(roster_find(roster, "r"), room);
    client_drop(ana, 1000);
    rig_pass(rig, 59);
    assert_ptr_equal(roster_find(roster, "r"), room);
    rig_pass(rig, 1);
    assert_null(roster_find(roster, "r"));
    rig_free(rig);
}

static void test_many_go_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    for (int i = 0; i < 10; i++) {
        struct client *client = client_new(rig, NULL);
        char data[60];
        g_snprintf(data, sizeof(data), "{\"roomId\":\"r%d\",\"userId\":\"u%d\"}", i / 3, i);
        client_ask(client, "join-room", data);
        client_drop(client, 1006);
    }
    assert_int_equal(roster_room_count(&rig->hub->roster), 4);
    rig_pass(rig, 31);
    assert_int_equal(roster_room_count(&rig->hub->roster), 0);
    assert_int_equal(rig->hub->roster.participant_count, 0);
    assert_int_equal(fake_sfu_peer_count(rig->sfu), 0);
    rig_free(rig);
}

static void test_full(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_CONNECTIONS=2");
    client_new(rig, NULL);
    assert_false(hub_is_full(rig->hub));
    client_new(rig, NULL);
    assert_true(hub_is_full(rig->hub));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping),           cmocka_unit_test(test_turn_credentials),
        cmocka_unit_test(test_silence),        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_reserved_rooms), cmocka_unit_test(test_many_go_at_once),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
