// Is each limit of the server refused with its documented error, over the real WebSocket and HTTP?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/door.h"
#include "signaling/presence.h"
#include "tests/signaling/rig.h"
#include "tests/signaling/wire.h"

// A server that allows two of everything, and two users' tokens.
struct house {
    struct process process;
    char *ana, *bob; // headers
};

static char *bearer(const char *user)
{
    char *claims = g_strdup_printf("{\"sub\":\"%s\",\"room\":\"*\",\"role\":\"host\"}", user);
    char *token = make_token(SECRET, claims);
    char *header = g_strdup_printf("Authorization: Bearer %s\r\n", token);
    g_free(claims);
    g_free(token);
    return header;
}

static int house_open(void **state)
{
    static const char *const environment[] = {"JWT_SECRET=" SECRET,
                                              "MAX_CONNECTIONS_PER_USER=2",
                                              "MAX_ROOMS_PER_USER=2",
                                              "MAX_ROOMS=3",
                                              "MAX_PARTICIPANTS=2",
                                              "MAX_PARTICIPANTS_TOTAL=3",
                                              NULL};
    struct house *house = g_new0(struct house, 1);
    house->process = process_start(environment);
    house->ana = bearer("ana");
    house->bob = bearer("bob");
    *state = house;
    return 0;
}

static int house_close(void **state)
{
    struct house *house = *state;
    assert_int_equal(process_stop(&house->process), 0);
    g_free(house->ana);
    g_free(house->bob);
    g_free(house);
    return 0;
}

static void ask(const struct house *house, const char *header, const char *body, int status, const char *code)
{
    char *headers = g_strconcat(header, "Content-Type: application/json\r\n", NULL);
    struct answer answer = http_ask(&house->process, "POST", "/api/rooms", headers, body);
    assert_int_equal(answer.status, status);
    assert_true(!code || strstr(answer.body, code));
    answer_clear(&answer);
    g_free(headers);
}

static void test_rooms(void **state)
{
    const struct house *house = *state;
    ask(house, house->ana, "{\"roomId\":\"a1\"}", 201, NULL);
    ask(house, house->ana, "{\"roomId\":\"a2\"}", 201, NULL);
    ask(house, house->ana, "{\"roomId\":\"a3\"}", 429, "\"room-full\"");
    ask(house, house->bob, "{\"roomId\":\"b1\"}", 201, NULL);
    ask(house, house->bob, "{\"roomId\":\"b2\"}", 429, "MAX_ROOMS)");
    int status;
    struct ws ws = ws_open(&house->process, "/ws", house->bob, &status);
    ws_say(&ws, "{\"event\":\"join-room\",\"data\":{\"roomId\":\"b3\"}}");
    assert_string_equal(text_of(ws_wait(&ws, "error"), "code"), "room-full");
    ws_close(&ws);
}

static void test_sockets_of_a_user(void **state)
{
    const struct house *house = *state;
    int status;
    struct ws first = ws_open(&house->process, "/ws", house->ana, &status);
    struct ws second = ws_open(&house->process, "/ws", house->ana, &status);
    assert_int_equal(status, 101);
    struct ws third = ws_open(&house->process, "/ws", house->ana, &status);
    assert_int_equal(status, 429);
    struct ws stranger = ws_open(&house->process, "/ws", NULL, &status);
    assert_int_equal(status, 101);
    char *token = g_strndup(house->ana + strlen("Authorization: Bearer "), strcspn(house->ana, "\r") - 22);
    char *join = g_strdup_printf("{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"token\":\"%s\"}}", token);
    ws_say(&stranger, join); // the same user by its first message
    assert_string_equal(text_of(ws_wait(&stranger, "error"), "code"), "rate-limited");
    g_free(join);
    g_free(token);
    ws_close(&first);
    ws_close(&second);
    ws_close(&third);
    ws_close(&stranger);
}

static void test_participants(void **state)
{
    static const struct {
        const char *user, *room, *code; // NULL: comes in
    } cases[] = {
        {"u1", "p", NULL}, {"u2", "p", NULL}, {"u3", "p", "room-full"}, {"u4", "q", NULL}, {"u5", "q", "room-full"}};
    const struct house *house = *state;
    struct ws sockets[G_N_ELEMENTS(cases)];
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *header = bearer(cases[i].user);
        char *join =
            g_strdup_printf("{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"%s\"}}", cases[i].room);
        int status;
        sockets[i] = ws_open(&house->process, "/ws", header, &status);
        ws_say(&sockets[i], join);
        if (cases[i].code)
            assert_string_equal(text_of(ws_wait(&sockets[i], "error"), "code"), cases[i].code);
        else
            ws_wait(&sockets[i], "ack");
        g_free(header);
        g_free(join);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        ws_close(&sockets[i]);
}

// The same JSON is believed or refused over WebSocket and HTTP alike.
static void test_depth(void **state)
{
    static const struct {
        int depth; // of lists below the field they are in
        bool over_ws, over_http;
    } cases[] = {
        {1, true, true},
        {MESSAGE_DEPTH - 2, true, true}, // envelope and data are levels too
        {MESSAGE_DEPTH - 1, false, true},
        {MESSAGE_DEPTH, false, false},
        {1000, false, false},
        {20000, false, false},
    };
    const struct house *house = *state;
    int status;
    struct ws ws = ws_open(&house->process, "/ws", house->ana, &status);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *open = g_strnfill((gsize)cases[i].depth, '['), *shut = g_strnfill((gsize)cases[i].depth, ']');
        char *message = g_strdup_printf("{\"event\":\"heartbeat\",\"id\":1,\"data\":{\"x\":%s%s}}", open, shut);
        char *body = g_strdup_printf("{\"roomId\":\"../..\",\"x\":%s%s}", open, shut); // refused in any case
        ws_say(&ws, message);
        json_t *error = cases[i].over_ws ? NULL : ws_wait(&ws, "error");
        assert_true(cases[i].over_ws ? ws_wait(&ws, "ack") != NULL : strcmp(text_of(error, "code"), "bad-json") == 0);
        ask(house, house->ana, body, 400, cases[i].over_http ? "\"bad-field\"" : "\"bad-json\"");
        g_free(open);
        g_free(shut);
        g_free(message);
        g_free(body);
    }
    ws_close(&ws);
}

static char *padded(const char *json, size_t len)
{
    char *spaces = g_strnfill(len - strlen(json), ' ');
    char *text = g_strconcat(json, spaces, NULL);
    g_free(spaces);
    return text;
}

static void test_size(void **state)
{
    const struct house *house = *state;
    int status;
    for (int more = -1; more <= 1; more++) {
        char *message = padded("{\"event\":\"heartbeat\",\"id\":1}", (size_t)(MESSAGE_MAX + more));
        char *body = padded("{\"roomId\":\"../..\"}", (size_t)(HTTP_BODY_MAX + more));
        struct ws ws = ws_open(&house->process, "/ws", house->ana, &status);
        ws_say(&ws, message);
        if (more > 0)
            assert_int_equal(ws_wait_close(&ws), 1009);
        else
            ws_wait(&ws, "ack");
        ask(house, house->ana, body, more > 0 ? 413 : 400, more > 0 ? NULL : "\"bad-field\"");
        ws_close(&ws);
        g_free(message);
        g_free(body);
    }
}

// One session's flood is refused, and closed when it goes on.
static void test_flood(void **state)
{
    const struct house *house = *state;
    int status, code = -1;
    struct ws ws = ws_open(&house->process, "/ws", house->ana, &status);
    for (int i = 0; i < 5000 && code < 0; i++)
        code = ws_step(&ws, "{\"event\":\"heartbeat\",\"id\":1}");
    assert_int_equal(code, 1008);
    ws_close(&ws);
}

// The wire's own tests come from this machine, which is not limited: a proxy may stand there.
static void test_sockets_of_an_address(void **state)
{
    static const struct {
        const char *address;
        int status; // 0: open
    } cases[] = {
        {"10.0.0.1", 429},
        {"10.0.0.2", 0},
        {"2001:db8:1:2::1", 429},
        {"2001:db8:1:2:ffff::9", 429},
        {"127.0.0.1", 0},
        {"2001:db8:1:3::1", 0},
        {"::1", 0},
    };
    (void)state;
    struct rig *rig = rig_new("MAX_CONNECTIONS_PER_ADDRESS=2");
    for (int i = 0; i < 2; i++) {
        session_set_address(client_new(rig, NULL)->session, "10.0.0.1");
        session_set_address(client_new(rig, NULL)->session, i ? "2001:db8:1:2::1" : "2001:db8:1:2::2");
        session_set_address(client_new(rig, NULL)->session, "127.0.0.1");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct http_request request = {.path = "/ws", .address = cases[i].address};
        struct http_response response = {0};
        struct door door;
        bool is_open = door_open(rig->hub, &request, &(struct door_query){0}, &door, &response);
        assert_int_equal(is_open, cases[i].status == 0);
        assert_int_equal(response.status, cases[i].status);
        http_response_clear(&response);
        identity_clear(&door.identity);
    }
    client_drop(rig->clients->pdata[0], 1006);
    assert_false(hub_place_is_full(rig->hub, "10.0.0.1"));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rooms, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_sockets_of_a_user, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_participants, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_depth, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_size, house_open, house_close),
        cmocka_unit_test_setup_teardown(test_flood, house_open, house_close),
        cmocka_unit_test(test_sockets_of_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
