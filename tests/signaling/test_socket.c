// Does a WebSocket write in order, bound what waits, and close as it should?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/socket.h"
#include "tests/signaling/rig.h"

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static struct socket *open_socket(struct rig *rig, unsigned *wanted)
{
    *wanted = 0;
    return socket_new(rig->hub, &(struct door){0}, count, wanted);
}

static void rx(struct socket *socket, const char *text)
{
    socket_rx(socket, text, strlen(text), true, false);
}

// Takes the next frame and returns whether it is a text that contains this.
static bool next_has(struct socket *socket, const char *part)
{
    struct frame frame = socket_tx(socket);
    assert_int_equal(frame.type, FRAME_TEXT);
    bool has = g_strstr_len((const char *)frame.text, (gssize)frame.len, part) != NULL;
    g_free(frame.buffer);
    return has;
}

static void test_order(void **state)
{
    (void)state;
    unsigned wanted;
    struct rig *rig = rig_new(NULL);
    struct socket *socket = open_socket(rig, &wanted);
    assert_int_equal(socket_tx(socket).type, FRAME_NONE);
    rx(socket, "{\"event\":\"heartbeat\",\"id\":1}");
    rx(socket, "{\"event\":\"heartbeat\",\"id\":2}");
    assert_int_equal(wanted, 2);
    socket->session->output->ping(socket);
    assert_true(socket_has_more(socket));
    assert_true(next_has(socket, "\"id\":1"));
    assert_true(next_has(socket, "\"id\":2"));
    assert_int_equal(socket_tx(socket).type, FRAME_PING);
    assert_false(socket_has_more(socket));
    assert_int_equal(socket->out_bytes, 0);
    socket_free(socket);
    rig_free(rig);
}

static void test_pieces(void **state)
{
    (void)state;
    unsigned wanted;
    struct rig *rig = rig_new(NULL);
    struct socket *socket = open_socket(rig, &wanted);
    socket_rx(socket, "{\"event\":", 9, false, false);
    assert_int_equal(wanted, 0);
    socket_rx(socket, "\"heartbeat\",\"id\":7}", 19, true, false);
    assert_true(next_has(socket, "\"id\":7"));
    socket_rx(socket, "{\"event\":\"heartbeat\",\"id\":8}", 28, true, true);
    assert_true(next_has(socket, "bad-json")); // binary
    socket_free(socket);
    rig_free(rig);
}

// What was said before goes out before the close; nothing is taken in or said after it.
static void test_close_comes_last(void **state)
{
    (void)state;
    unsigned wanted;
    struct rig *rig = rig_new(NULL);
    struct socket *socket = open_socket(rig, &wanted);
    rx(socket, "{\"event\":\"heartbeat\",\"id\":1}");
    char *big = g_strnfill(MESSAGE_MAX + 1, 'a');
    rx(socket, big);
    g_free(big);
    rx(socket, "{\"event\":\"heartbeat\",\"id\":2}");
    assert_true(next_has(socket, "\"id\":1"));
    assert_true(socket_has_more(socket));
    struct frame frame = socket_tx(socket);
    assert_int_equal(frame.type, FRAME_CLOSE);
    assert_int_equal(frame.code, 1009);
    socket_free(socket);
    rig_free(rig);
}

static void test_slow_reader(void **state)
{
    (void)state;
    unsigned wanted;
    struct rig *rig = rig_new(NULL);
    struct socket *socket = open_socket(rig, &wanted);
    rx(socket, "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"userId\":\"slow\"}}");
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    char *text = g_strnfill(4000, 'a');
    char *data = g_strdup_printf("{\"text\":\"%s\"}", text);
    for (int i = 0; i < 2 * OUTPUT_MAX / 4000 && !socket->is_closing; i++) {
        client_ask(ana, "chat-message", data);
        rig->hub->now_us += 1000000; // no ticks: only the reader is slow
        assert_true(socket->out_bytes <= OUTPUT_MAX);
    }
    struct frame frame = socket_tx(socket);
    assert_int_equal(frame.type, FRAME_CLOSE); // what waited is thrown away
    assert_int_equal(frame.code, 1008);
    socket_free(socket);
    assert_int_equal(rig->hub->roster.participant_count, 2); // it may come back
    g_free(data);
    g_free(text);
    rig_free(rig);
}

static void test_text_is_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        int code; // 0: the socket stays
    } cases[] = {
        {"{\"event\":\"heartbeat\",\"data\":{\"x\":\"\xf0\x9f\x8e\x89\"}}", 41, 0},
        {"", 0, 0},
        {"\0", 1, 0}, // a character, though no JSON
        {"a\0b\0", 4, 0},
        {"\xff", 1, 1007},
        {"a\0\xff", 3, 1007},
        {"\xe2\x82", 2, 1007},
        {"\xed\xa0\x80", 3, 1007},
    };
    unsigned wanted;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct rig *rig = rig_new(NULL);
        struct socket *socket = open_socket(rig, &wanted);
        for (size_t at = 0; at < cases[i].len; at++) // byte by byte, as fragments may be
            socket_rx(socket, cases[i].text + at, 1, at + 1 == cases[i].len, false);
        if (cases[i].len == 0)
            socket_rx(socket, NULL, 0, true, false);
        assert_int_equal(socket->close_code, cases[i].code);
        socket_free(socket);
        rig_free(rig);
    }
}

static void test_close_of_the_peer(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        size_t len;
        int answer, peer_code;
    } cases[] = {
        {"", 0, 0, 0},
        {"\x03\xe8", 2, 0, 1000},
        {"\x03\xe9"
         "adeus, jo\xc3\xa3o",
         13, 0, 1001},
        {"\x13\x87", 2, 0, 4999},
        {"\x03", 1, 1002, 0},
        {"\x03\xe7", 2, 1002, 0},
        {"\x13\x88", 2, 1002, 0},
        {"\xff\xff", 2, 1002, 0},
        {"\x03\xe8\xc0\xaf", 4, 1007, 0}, // so it has not left
    };
    unsigned wanted;
    struct rig *rig = rig_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct socket *socket = open_socket(rig, &wanted);
        assert_int_equal(socket_rx_close(socket, (const uint8_t *)cases[i].payload, cases[i].len), cases[i].answer);
        assert_int_equal(socket->peer_code, cases[i].peer_code);
        socket_free(socket);
    }
    rig_free(rig);
}

static void test_pong_is_a_sign_of_life(void **state)
{
    (void)state;
    unsigned wanted;
    struct rig *rig = rig_new(NULL);
    struct socket *socket = open_socket(rig, &wanted);
    for (int i = 0; i < 60; i++) {
        rig_pass(rig, 1);
        socket_rx_pong(socket);
    }
    assert_false(socket->is_closing);
    rig_pass(rig, 30);
    assert_true(socket->is_closing);
    assert_int_equal(socket->close_code, 1001);
    socket_end_session(socket);
    socket_rx_pong(socket);
    rx(socket, "{}");
    socket_free(socket);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_close_comes_last),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_text_is_utf8),
        cmocka_unit_test(test_close_of_the_peer),
        cmocka_unit_test(test_pong_is_a_sign_of_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
