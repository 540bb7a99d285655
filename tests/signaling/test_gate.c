// May somebody come into a room that is locked or asks for a password, and how often may one try?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/policy.h"
#include "signaling/presence.h"
#include "tests/signaling/rig.h"

static struct client *guest_new(struct rig *rig, const char *address)
{
    struct client *client = client_new(rig, NULL);
    g_strlcpy(client->session->address, address, sizeof(client->session->address));
    return client;
}

// The reason of the refusal of such a join, borrowed until the next.
static const char *refused(struct client *client, const char *user, const char *more)
{
    static char reason[40];
    char *message =
        g_strdup_printf("{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"userId\":\"%s\"%s}}", user, more);
    client_say(client, message);
    const json_t *error = client_wait(client, "error");
    g_snprintf(reason, sizeof(reason), "%s %s", text_of(error, "code"), text_of(error, "reason"));
    g_free(message);
    return reason;
}

static void test_lock(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL), *eva = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask_badly(bob, "lock-room", "{\"locked\":true}", "forbidden");
    client_ask_badly(ana, "lock-room", "{\"locked\":\"yes\"}", "bad-field");
    client_ask(ana, "lock-room", "{}");
    const json_t *told = client_wait(bob, "room-changed");
    assert_true(flag_of(told, "locked"));
    assert_string_equal(text_of(told, "roomId"), "r");
    assert_string_equal(refused(eva, "eva", ""), "forbidden locked");
    assert_string_equal(refused(eva, "eva", ",\"role\":\"host\""), "forbidden locked");

    char *data =
        g_strdup_printf("{\"roomId\":\"r\",\"sessionToken\":\"%s\"}", client_participant(bob)->session_token);
    client_drop(bob, 1006);
    struct client *again = client_new(rig, NULL);
    const json_t *ack = client_ask(again, "join-room", data); // who was in may come back
    assert_true(flag_of(json_object_get(ack, "room"), "locked"));
    client_ask(ana, "lock-room", "{\"locked\":false}");
    client_join(eva, "eva", NULL);
    g_free(data);
    rig_free(rig);
}

// A token of the same user, or of a host, is in already or opens every door.
static void test_lock_with_tokens(void **state)
{
    static const struct {
        const char *claims, *answer;
    } cases[] = {
        {"{\"sub\":\"ana\",\"role\":\"host\",\"room\":\"r\"}", NULL},
        {"{\"sub\":\"bob\",\"room\":\"r\"}", NULL},
        {"{\"sub\":\"eva\",\"room\":\"r\"}", "forbidden"},
        {"{\"sub\":\"bob\",\"room\":\"r\"}", NULL}, // from another device
        {"{\"sub\":\"max\",\"role\":\"host\",\"room\":\"r\"}", NULL},
        {"{\"sub\":\"leo\",\"role\":\"host\",\"room\":\"other\"}", "forbidden"},
    };
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    struct client *first = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct client *client = client_new(rig, NULL);
        char *token = make_token(SECRET, cases[i].claims);
        char *data = g_strdup_printf("{\"roomId\":\"r\",\"token\":\"%s\"}", token);
        if (cases[i].answer)
            client_ask_badly(client, "join-room", data, cases[i].answer);
        else
            client_ask(client, "join-room", data);
        first = first ? first : client;
        if (i == 1)
            client_ask(first, "update-room", "{\"locked\":true,\"password\":\"quiet\"}");
        g_free(token);
        g_free(data);
    }
    rig_free(rig);
}

static void test_password(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_ask_badly(ana, "update-room", "{\"password\":\"abc\"}", "bad-field");
    client_ask_badly(ana, "update-room", "{\"password\":12345}", "bad-field");
    const json_t *rules = client_ask(ana, "update-room", "{\"password\":\"caf\\u00e9 noir\"}");
    assert_true(flag_of(rules, "hasPassword"));
    char *text = json_dumps(client_wait(ana, "room-changed"), 0);
    assert_null(strstr(text, "noir"));
    free(text);
    assert_string_equal(refused(bob, "bob", ""), "forbidden password-needed");
    assert_string_equal(refused(bob, "bob", ",\"password\":\"\""), "forbidden password-needed");
    assert_string_equal(refused(bob, "bob", ",\"password\":\"cafe noir\""), "forbidden password-wrong");
    assert_string_equal(refused(bob, "bob", ",\"role\":\"host\""), "forbidden password-needed");
    assert_string_equal(refused(bob, "bob", ",\"password\":5"), "bad-field ");
    client_join(bob, "bob", "\"password\":\"cafe\\u0301 noir\""); // the accent typed by itself
    client_ask(bob, "leave-room", "{}");
    assert_false(flag_of(client_ask(ana, "update-room", "{\"password\":null}"), "hasPassword"));
    client_join(bob, "bob", NULL);
    rig_free(rig);
}

// Guessing is bounded from one place, from all places, and in what it costs the thread.
static void test_guessing(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = guest_new(rig, "10.0.0.1"), *eva = guest_new(rig, "10.0.0.2");
    client_join(ana, "ana", NULL);
    client_ask(ana, "update-room", "{\"password\":\"quiet\"}");
    for (int i = 0; i < TRIES_BURST; i++) {
        rig_pass(rig, 0.25);
        assert_string_equal(refused(bob, "bob", ",\"password\":\"wrong\""), "forbidden password-wrong");
    }
    assert_string_equal(refused(bob, "bob", ",\"password\":\"quiet\""), "rate-limited ");
    client_join(eva, "eva", "\"password\":\"quiet\""); // another place is free to come
    rig_pass(rig, TRIES_EVERY_S);
    client_join(bob, "bob", "\"password\":\"quiet\"");

    struct client *many[PASSWORDS_BURST + 1];
    rig_pass(rig, 2);
    for (int i = 0; i <= PASSWORDS_BURST; i++) {
        char address[16];
        g_snprintf(address, sizeof(address), "10.0.1.%d", i);
        many[i] = guest_new(rig, address);
        assert_string_equal(refused(many[i], "max", ",\"password\":\"wrong\""),
                            i < PASSWORDS_BURST ? "forbidden password-wrong" : "rate-limited ");
    }
    rig_free(rig);
}

static void test_account_limits(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET " MAX_CONNECTIONS_PER_USER=2 MAX_ROOMS_PER_USER=2");
    char *token = make_token(SECRET, "{\"sub\":\"ana\",\"room\":\"*\"}");
    for (int i = 0; i < 3; i++) {
        char *data = g_strdup_printf("{\"roomId\":\"r%d\",\"token\":\"%s\"}", i, token);
        if (i < 2)
            client_ask(client_new(rig, NULL), "join-room", data);
        else
            client_ask_badly(client_new(rig, NULL), "join-room", data, "rate-limited");
        g_free(data);
    }
    struct client *first = rig->clients->pdata[0];
    client_drop(first, 1006); // its room stays for RECONNECT_GRACE
    char *data = g_strdup_printf("{\"roomId\":\"r9\",\"token\":\"%s\"}", token);
    struct client *next = client_new(rig, NULL);
    client_ask_badly(next, "join-room", data, "room-full");
    rig_pass(rig, 40);
    g_free(data);
    g_free(token);
    rig_free(rig);
}

// One user's messages count together over its sockets.
static void test_user_rate(void **state)
{
    (void)state;
    struct rig *rig = rig_new("JWT_SECRET=" SECRET);
    char *token = make_token(SECRET, "{\"sub\":\"ana\",\"room\":\"*\"}");
    int refusals = 0, sent = 0;
    for (int i = 0; i < 3; i++) {
        struct client *client = client_new(rig, NULL);
        char *data = g_strdup_printf("{\"roomId\":\"r%d\",\"token\":\"%s\"}", i, token);
        client_ask(client, "join-room", data);
        for (int k = 0; k < MESSAGES_BURST * 7 / 10; k++, sent++) {
            client_say(client, "{\"event\":\"heartbeat\"}");
            refusals += client_was_told(client, "error");
            client_clear(client);
        }
        g_free(data);
    }
    assert_true(sent - refusals <= USER_MESSAGES_BURST);
    assert_true(refusals > 0);
    g_free(token);
    rig_free(rig);
}

static void test_total(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_PARTICIPANTS_TOTAL=2");
    client_join(client_new(rig, NULL), "ana", NULL);
    client_ask(client_new(rig, NULL), "join-room", "{\"roomId\":\"q\"}");
    client_ask_badly(client_new(rig, NULL), "join-room", "{\"roomId\":\"s\"}", "room-full");
    assert_int_equal(roster_room_count(&rig->hub->roster), 2); // no empty room is left behind
    rig_free(rig);
}

// As many as a connection has m-lines for; who only watches needs none.
static void test_publishers(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_PARTICIPANTS=100");
    char user[16];
    for (int i = 0; i < PUBLISHERS_MAX; i++) {
        g_snprintf(user, sizeof(user), "u%d", i);
        client_join(client_new(rig, NULL), user, NULL);
    }
    struct client *late = client_new(rig, NULL);
    assert_string_equal(refused(late, "late", ""), "room-full ");
    client_join(late, "late", "\"role\":\"observer\"");
    client_drop(rig->clients->pdata[0], 1000);
    client_join(client_new(rig, NULL), "next", NULL);
    rig_free(rig);
}

// A host who says how long keeps the room, and its rules, beyond the last one's leaving.
static void test_kept(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_ask(ana, "update-room", "{\"expiresIn\":60,\"maxParticipants\":1}");
    client_drop(ana, 1000);
    rig_pass(rig, 59);
    const struct room *room = roster_find(&rig->hub->roster, "r");
    assert_non_null(room);
    assert_int_equal(room->policy.max_participants, 1);
    rig_pass(rig, 1);
    assert_null(roster_find(&rig->hub->roster, "r"));
    rig_free(rig);
}

static struct room *find_room(struct rig *rig, const char *id)
{
    return roster_find(&rig->hub->roster, id);
}

// Time passes for somebody whose line is fine.
static void stay(struct rig *rig, struct client *client, int seconds)
{
    for (; seconds > 0; seconds -= 10) {
        client_ask(client, "heartbeat", "{}");
        rig_pass(rig, MIN(seconds, 10));
    }
}

// When the line of a clinic breaks, everybody is out; the room must not be open when they, or others, come.
static void test_rules_outlive_a_drop(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_ask(ana, "update-room", "{\"password\":\"segredo\",\"locked\":true}");
    client_drop(ana, 1006);
    stay(rig, bob, 31); // she is given up
    client_drop(bob, 1000);
    assert_non_null(find_room(rig, "r"));
    struct client *eva = client_new(rig, NULL);
    assert_string_equal(refused(eva, "eva", ",\"password\":\"segredo\""), "forbidden locked");
    assert_string_equal(refused(eva, "eva", ",\"role\":\"host\""), "forbidden password-needed");
    rig_pass(rig, 500);
    ana = client_new(rig, NULL);
    eva = client_new(rig, NULL);
    client_ask(ana, "join-room", "{\"roomId\":\"r\",\"userId\":\"ana\",\"role\":\"host\",\"password\":\"segredo\"}");
    assert_string_equal(refused(eva, "eva", ",\"role\":\"host\",\"password\":\"segredo\""), "forbidden locked");
    stay(rig, ana, RULES_KEPT_S);
    assert_non_null(find_room(rig, "r"));
    client_drop(ana, 1000); // everybody has left: that is the end of it
    assert_null(find_room(rig, "r"));
    client_join(client_new(rig, NULL), "eva", NULL);
    rig_free(rig);
}

static void test_rules_are_forgotten(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_ask(ana, "lock-room", "{}");
    client_drop(ana, 1006);
    rig_pass(rig, 30 + RULES_KEPT_S - 2);
    struct client *eva = client_new(rig, NULL);
    assert_string_equal(refused(eva, "eva", ""), "forbidden locked");
    rig_pass(rig, 4);
    assert_null(find_room(rig, "r"));
    client_join(eva, "eva", NULL);
    client_drop(eva, 1006);
    rig_pass(rig, 31);
    assert_null(find_room(rig, "r")); // it had no rules

    ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_ask(ana, "lock-room", "{}");
    client_drop(ana, 1001); // a page that is closed is no line that broke
    rig_pass(rig, RELOAD_GRACE_S + 1);
    assert_null(find_room(rig, "r"));
    rig_free(rig);
}

// Rooms that only keep their rules take no place from others.
static void test_kept_rules_give_way(void **state)
{
    (void)state;
    struct rig *rig = rig_new("MAX_ROOMS=2");
    static const char *const ids[] = {"one", "two"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        struct client *host = client_new(rig, NULL);
        char *join = g_strdup_printf("{\"roomId\":\"%s\",\"userId\":\"ana\"}", ids[i]);
        client_ask(host, "join-room", join);
        client_ask(host, "lock-room", "{}");
        client_drop(host, 1006);
        rig_pass(rig, 40);
        g_free(join);
    }
    assert_int_equal(roster_room_count(&rig->hub->roster), 2);
    client_join(client_new(rig, NULL), "bob", NULL);
    assert_null(find_room(rig, "one")); // the oldest
    assert_non_null(find_room(rig, "two"));
    assert_non_null(find_room(rig, "r"));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_lock_with_tokens),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_guessing),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_account_limits),
        cmocka_unit_test(test_user_rate),
        cmocka_unit_test(test_publishers),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_rules_outlive_a_drop),
        cmocka_unit_test(test_rules_are_forgotten),
        cmocka_unit_test(test_kept_rules_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
