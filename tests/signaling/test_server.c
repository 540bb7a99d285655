// Does the whole process behave on the wire? (real sockets; the media server is a fake)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/signaling/rig.h"
#include "tests/signaling/wire.h"

static struct process server;

static int set_up(void **state)
{
    (void)state;
    server = process_start(NULL);
    return 0;
}

// Leaks and other findings of the sanitizers make the status non-zero.
static int tear_down(void **state)
{
    (void)state;
    return process_stop(&server);
}

static struct ws join(const char *room, const char *user)
{
    int status;
    struct ws ws = ws_open(&server, "/ws", NULL, &status);
    assert_int_equal(status, 101);
    char *text = g_strdup_printf("{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"%s\",\"userId\":\"%s\"}}",
                                 room, user);
    ws_say(&ws, text);
    g_free(text);
    assert_string_equal(text_of(ws_wait(&ws, "ack"), "userId"), user);
    return ws;
}

static int count_participants(void)
{
    struct answer answer = http_ask(&server, "GET", "/health", NULL, NULL);
    json_t *json = json_loads(answer.body, 0, NULL);
    int n = (int)json_integer_value(json_object_get(json, "participants"));
    json_decref(json);
    answer_clear(&answer);
    return n;
}

// ---- a call -------------------------------------------------------------------------------------------------

static void test_call(void **state)
{
    (void)state;
    struct ws ana = join("call", "ana"), bob = join("call", "bob");
    assert_string_equal(text_of(ws_wait(&ana, "user-connected"), "userId"), "bob");
    ws_say(&bob, "{\"event\":\"signal-offer\",\"id\":2,\"data\":{\"sdp\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}}");
    assert_string_equal(text_of(ws_wait(&bob, "signal-answer"), "from"), "sfu"); // through the wake-up of the loop
    ws_wait(&bob, "ack");
    ws_say(&bob, "{\"event\":\"chat-message\",\"data\":{\"text\":\"ol\xc3\xa1\"}}");
    assert_string_equal(text_of(ws_wait(&ana, "chat-message"), "text"), "ol\xc3\xa1");
    ws_say(&ana, "{\"event\":\"close-room\",\"id\":3}");
    ws_wait(&ana, "ack");
    assert_string_equal(text_of(ws_wait(&bob, "close-room"), "by"), "ana");
    assert_int_equal(ws_wait_close(&bob), 1000);
    assert_int_equal(ws_wait_close(&ana), 1000);
    assert_int_equal(count_participants(), 0);
    ws_close(&ana);
    ws_close(&bob);
}

static void test_dialect_in_url(void **state)
{
    (void)state;
    int status;
    struct ws live = ws_open(&server, "/ws?dialect=live&x=1", NULL, &status);
    assert_int_equal(status, 101);
    ws_say(&live, "{\"event\":\"join-room\",\"data\":{\"roomId\":\"live\",\"role\":\"host\"}}");
    ws_wait(&live, "room-participants");
    ws_say(&live, "{\"event\":\"offer\",\"data\":{\"sdp\":\"v=0\"}}");
    ws_wait(&live, "answer");
    const char goodbye[] = {0x03, (char)0xe8};
    ws_send_frame(&live, WS_CLOSE, true, goodbye, 2); // 1000: leaves at once
    assert_int_equal(ws_wait_close(&live), 1000);
    ws_close(&live);
    assert_int_equal(count_participants(), 0);
}

static void test_resume(void **state)
{
    (void)state;
    struct ws ana = join("resume", "ana"), bob = join("resume", "bob");
    char *token = g_strdup(text_of(json_object_get(bob.last, "data"), "sessionToken"));
    ws_close(&bob); // the network is gone
    int status;
    bob = ws_open(&server, "/ws", NULL, &status);
    char *text = g_strdup_printf(
        "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"resume\",\"sessionToken\":\"%s\"}}", token);
    ws_say(&bob, text);
    assert_true(flag_of(ws_wait(&bob, "ack"), "resumed"));
    ws_say(&ana, "{\"event\":\"close-room\"}");
    assert_int_equal(ws_wait_close(&bob), 1000);
    assert_int_equal(ws_wait_close(&ana), 1000);
    g_free(text);
    g_free(token);
    ws_close(&ana);
    ws_close(&bob);
}

// A relayed description may be as large as a message: it arrives in one piece.
static void test_large_relay(void **state)
{
    (void)state;
    struct ws ana = join("large", "ana"), bob = join("large", "bob");
    char *sdp = g_strnfill(60000, 'a');
    char *text = g_strdup_printf("{\"event\":\"signal-offer\",\"data\":{\"target\":\"bob\",\"sdp\":\"%s\"}}", sdp);
    for (int i = 0; i < 20; i++)
        ws_say(&ana, text);
    for (int i = 0; i < 20; i++)
        assert_string_equal(text_of(ws_wait(&bob, "signal-offer"), "sdp"), sdp);
    ws_say(&ana, "{\"event\":\"close-room\"}");
    assert_int_equal(ws_wait_close(&bob), 1000);
    g_free(sdp);
    g_free(text);
    ws_close(&ana);
    ws_close(&bob);
}

// ---- frames -------------------------------------------------------------------------------------------------

static void test_fragments(void **state)
{
    (void)state;
    int status;
    struct ws ws = ws_open(&server, "/ws", NULL, &status);
    ws_send_frame(&ws, WS_TEXT, false, "{\"event\":", 9);
    ws_send_frame(&ws, WS_PING, true, "hello", 5);
    ws_send_frame(&ws, WS_CONTINUATION, false, "\"heartbeat\"", 11);
    ws_send_frame(&ws, WS_CONTINUATION, true, ",\"id\":9}", 8);
    ws_wait(&ws, "ack");
    assert_int_equal(json_integer_value(json_object_get(ws.last, "id")), 9);
    ws_close(&ws);
}

static char *padded_message(size_t len)
{
    char *text = g_strnfill(len, ' ');
    static const char message[] = "{\"event\":\"heartbeat\",\"id\":1}";
    memcpy(text, message, strlen(message));
    return text;
}

static void test_largest_message(void **state)
{
    (void)state;
    int status;
    struct ws ws = ws_open(&server, "/ws", NULL, &status);
    char *text = padded_message(MESSAGE_MAX);
    ws_say(&ws, text);
    ws_wait(&ws, "ack");
    ws_send_frame(&ws, WS_TEXT, false, text, 60000);
    ws_send_frame(&ws, WS_CONTINUATION, true, text, MESSAGE_MAX - 60000);
    assert_string_equal(text_of(ws_wait(&ws, "error"), "code"), "bad-json");
    g_free(text);
    text = padded_message(MESSAGE_MAX + 1);
    ws_say(&ws, text);
    assert_int_equal(ws_wait_close(&ws), 1009);
    g_free(text);
    ws_close(&ws);
}

static void test_endless_fragments(void **state)
{
    (void)state;
    int status;
    char *text = g_strnfill(1000, 'a');
    struct ws ws = ws_open(&server, "/ws", NULL, &status);
    ws_send_frame(&ws, WS_TEXT, false, text, 1000);
    for (int i = 0; i < 70; i++)
        ws_send_frame(&ws, WS_CONTINUATION, false, text, 1000);
    assert_int_equal(ws_wait_close(&ws), 1009);
    g_free(text);
    ws_close(&ws);
}

static void test_flood(void **state)
{
    (void)state;
    int status;
    struct ws ws = ws_open(&server, "/ws", NULL, &status);
    // Step by step: what the server has not read when it closes would make the kernel reset the connection.
    int code = -1;
    for (int i = 0; i < 5000 && code == -1; i++)
        code = ws_step(&ws, "{\"event\":\"heartbeat\",\"id\":1}");
    assert_int_equal(code, 1008);
    ws_close(&ws);
    struct ws other = ws_open(&server, "/ws", NULL, &status);
    for (int i = 0; i < 250; i++)
        ws_say(&other, "{\"event\":\"heartbeat\"}");
    assert_string_equal(text_of(ws_wait(&other, "error"), "code"), "rate-limited");
    ws_close(&other);
}

// A message that is wrong in whatever way is answered, and the next one is served as if nothing had happened.
static void test_wrong_messages(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } wrong[] = {
        {" ", "bad-json"},
        {"hello", "bad-json"},
        {"{", "bad-json"},
        {"{}", "bad-field"},
        {"[]", "bad-json"},
        {"null", "bad-json"},
        {"1e999", "bad-json"},
        {"\"text\"", "bad-json"},
        {"{\"event\":null}", "bad-field"},
        {"{\"event\":{}}", "bad-field"},
        {"{\"event\":\"x\"", "bad-json"},
        {"{\"event\":\"x\"}}", "bad-json"},
        {"{\"event\":\"x\",}", "bad-json"},
        {"{'event':'x'}", "bad-json"},
        {"{\"event\":\"\\ud800\"}", "bad-json"},
        {"{\"event\":\"\\u0000\"}", "bad-json"},
        {"{\"event\":\"heartbeat\",\"event\":\"heartbeat\"}", "bad-json"},
        {"{\"event\":\"heartbeat\",\"data\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", "bad-json"},
        {"{\"event\":\"heartbeat\",\"data\":7}", "bad-field"},
        {"{\"event\":\"heartbeat\",\"id\":true}", "bad-field"},
        {"{\"event\":\"heartbeat\",\"id\":1e400}", "bad-json"},
        {"{\"event\":\"Heartbeat\"}", "unknown-event"},
        {"{\"event\":\"heartbeat \"}", "unknown-event"},
        {"{\"event\":\"__proto__\"}", "unknown-event"},
        {"{\"event\":\"CALL_INITIATED\"}", "unknown-event"},
        {"{\"event\":\"leave-room\"}", "not-found"},
        {"{\"event\":\"signal-offer\",\"data\":{\"sdp\":\"v=0\"}}", "not-found"},
        {"{\"event\":\"close-room\"}", "not-found"},
        {"{\"event\":\"join-room\"}", "bad-field"},
        {"{\"event\":\"join-room\",\"data\":{\"roomId\":\"../..\"}}", "bad-field"},
        {"{\"event\":\"join-room\",\"data\":{\"roomId\":\"wrong\",\"userId\":\"\"}}", "bad-field"},
        {"{\"event\":\"join-room\",\"data\":{\"roomId\":\"wrong\",\"userId\":\"sfu\"}}", "bad-field"},
        {"{\"event\":\"join-room\",\"data\":{\"roomId\":\"wrong\",\"role\":\"admin\"}}", "bad-field"},
    };
    int status;
    struct ws ws = ws_open(&server, "/ws", NULL, &status);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        ws_say(&ws, wrong[i].text);
        json_t *error = ws_wait(&ws, "error");
        assert_string_equal(text_of(error, "code"), wrong[i].code);
        assert_true(strlen(text_of(error, "message")) > 0);
        ws_say(&ws, "{\"event\":\"heartbeat\",\"id\":1}");
        ws_wait(&ws, "ack");
    }
    ws_send_frame(&ws, WS_BINARY, true, "{\"event\":\"heartbeat\"}", 21);
    assert_string_equal(text_of(ws_wait(&ws, "error"), "code"), "bad-json");
    assert_int_equal(count_participants(), 0);
    ws_close(&ws);
}

// ---- the upgrade --------------------------------------------------------------------------------------------

static void test_refused_upgrades(void **state)
{
    (void)state;
    static const struct {
        const char *path, *headers;
        int status;
    } refused[] = {
        {"/", NULL, 404},
        {"/wss", NULL, 404},
        {"/ws?dialect=klingon", NULL, 400},
        {"/ws", "Origin: https://evil.example\r\n", 403},
        {"/ws", "Origin: http://localhost.evil.example\r\n", 403},
    };
    int status;
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        struct ws ws = ws_open(&server, refused[i].path, refused[i].headers, &status);
        assert_int_equal(status, refused[i].status);
        ws_close(&ws);
    }
    struct ws ws = ws_open(&server, "/ws", "Origin: http://localhost:5173\r\n", &status);
    assert_int_equal(status, 101);
    ws_close(&ws);
    // A handshake without its key must leave nothing behind.
    static const char broken[] =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n";
    struct answer answer = http_raw(&server, broken, strlen(broken));
    assert_int_equal(answer.status, 400);
    answer_clear(&answer);
}

static void test_tokens_at_the_door(void **state)
{
    (void)state;
    static const char *const environment[] = {"JWT_SECRET=" SECRET, "MAX_CONNECTIONS=3", NULL};
    struct process own = process_start(environment);
    char *good = make_token(SECRET, "{\"sub\":\"ana\",\"room\":\"r\",\"role\":\"host\"}");
    char *bad = make_token("another secret of thirty-two byte", "{\"sub\":\"ana\",\"room\":\"r\"}");
    char *in_url = g_strconcat("/ws?token=", good, NULL), *bad_url = g_strconcat("/ws?token=", bad, NULL);
    char *header = g_strconcat("Authorization: Bearer ", good, "\r\nOrigin: https://evil.example\r\n", NULL);
    int status;
    char *old = make_token(SECRET, "{\"sub\":\"ana\",\"room\":\"r\",\"exp\":1}");
    char *old_url = g_strconcat("/ws?token=", old, NULL);
    struct ws refused = ws_open(&own, old_url, NULL, &status);
    assert_int_equal(status, 101); // it may knock, but opens nothing
    ws_say(&refused, "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\"}}");
    assert_string_equal(text_of(ws_wait(&refused, "error"), "code"), "unauthorized");
    ws_close(&refused);
    g_free(old);
    g_free(old_url);
    refused = ws_open(&own, bad_url, NULL, &status);
    assert_int_equal(status, 401);
    refused = ws_open(&own, "/ws", header, &status);
    assert_int_equal(status, 403);
    strstr(header, "\r\n")[2] = '\0';
    struct ws ana = ws_open(&own, in_url, NULL, &status), again = ws_open(&own, "/ws", header, &status);
    struct ws stranger = ws_open(&own, "/ws", NULL, &status);
    assert_int_equal(status, 101);
    ws_say(&ana, "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"r\"}}");
    assert_string_equal(text_of(ws_wait(&ana, "ack"), "role"), "host");
    ws_say(&again, "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"r\"}}");
    ws_wait(&again, "ack");
    assert_string_equal(text_of(ws_wait(&ana, "user-disconnected"), "reason"), "replaced");
    ws_say(&stranger, "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"r\"}}");
    assert_string_equal(text_of(ws_wait(&stranger, "error"), "code"), "unauthorized");
    assert_int_equal(ws_wait_close(&ana), 1000);
    struct ws third = ws_open(&own, "/ws", NULL, &status);
    struct ws fourth = ws_open(&own, "/ws", NULL, &status);
    assert_int_equal(status, 503); // MAX_CONNECTIONS
    ws_close(&refused);
    ws_close(&third);
    ws_close(&fourth);
    ws_close(&ana);
    ws_close(&again);
    ws_close(&stranger);
    assert_int_equal(process_stop(&own), 0);
    g_free(good);
    g_free(bad);
    g_free(in_url);
    g_free(bad_url);
    g_free(header);
}

// ---- HTTP ---------------------------------------------------------------------------------------------------

static void test_http(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
    } cases[] = {
        {"GET", "/health", NULL, NULL, 200},
        {"HEAD", "/health", NULL, NULL, 200},
        {"POST", "/health", NULL, NULL, 405},
        {"POST", "/health", NULL, "", 405},
        {"PUT", "/api/rooms/x", NULL, "{}", 405},
        {"PATCH", "/health", NULL, "{}", 405},
        {"OPTIONS", "/api/rooms", NULL, NULL, 204},
        {"POST", "/api/rooms", NULL, NULL, 201},
        {"POST", "/api/rooms", NULL, "", 201},
        {"POST", "/api/rooms", "Content-Type: application/json\r\n", "{\"roomId\":\"http\"}", 201},
        {"POST", "/api/rooms", "Content-Type: application/json; charset=utf-8\r\n", "{\"roomId\":\"http\"}", 409},
        {"POST", "/api/rooms", "Content-Type: text/plain\r\n", "{}", 415},
        {"POST", "/api/rooms", NULL, "{}", 415},
        {"POST", "/api/rooms", "Content-Type: application/json\r\n", "{", 400},
        {"GET", "/api/rooms/http", NULL, NULL, 200},
        {"GET", "/api/rooms/http?x=y", NULL, NULL, 200},
        {"GET", "/api/rooms/%68ttp", NULL, NULL, 200},
        {"GET", "/api/rooms/nothing", NULL, NULL, 404},
        {"DELETE", "/api/rooms/http", NULL, NULL, 200},
        {"DELETE", "/api/rooms/http", NULL, NULL, 404},
        {"GET", "/api/ice-servers", NULL, NULL, 200},
        {"GET", "/", NULL, NULL, 200},
        {"GET", "/medico/sala-teste", NULL, NULL, 200},
        {"POST", "/medico/sala-teste", NULL, "x", 405},
        {"GET", "/ws", NULL, NULL, 400},
        {"GET", "/nothing.js", NULL, NULL, 404},
        {"GET", "/../signaling/main.c", NULL, NULL, 404},
        {"GET", "/%2e%2e/signaling/main.c", NULL, NULL, 404},
        {"GET", "/..%2fsignaling/main.c", NULL, NULL, 404},
        {"GET", "//health", NULL, NULL, 200}, // libwebsockets folds the slashes
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct answer answer = http_ask(&server, cases[i].method, cases[i].path, cases[i].headers, cases[i].body);
        if (answer.status != cases[i].status)
            fail_msg("%s %s: %d, not %d", cases[i].method, cases[i].path, answer.status, cases[i].status);
        char *lower = g_ascii_strdown(answer.head, -1);
        assert_non_null(strstr(lower, "\r\ncontent-security-policy: "));
        assert_non_null(
            strstr(lower, "\r\npermissions-policy: camera=(self), microphone=(self), display-capture=(self)"));
        assert_non_null(strstr(lower, "\r\nx-content-type-options: nosniff"));
        assert_non_null(strstr(lower, "\r\ncache-control: no-cache"));
        if (answer.status >= 400) {
            json_t *json = json_loads(answer.body, 0, NULL);
            if (!json)
                fail_msg("%s %s: no JSON: %s", cases[i].method, cases[i].path, answer.body);
            assert_true(strlen(text_of(json_object_get(json, "error"), "code")) > 0);
            assert_true(strlen(text_of(json_object_get(json, "error"), "message")) > 0);
            json_decref(json);
        }
        if (answer.status == 405)
            assert_non_null(strstr(lower, "\r\nallow: "));
        g_free(lower);
        answer_clear(&answer);
    }
}

static void test_keep_alive(void **state)
{
    (void)state;
    static const char get[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char post[] = "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               "Content-Length: 2\r\n\r\n{}";
    static const char bare_post[] = "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char page[] = "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char head[] = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const struct {
        const char *request;
        int status;
    } turns[] = {{get, 200}, {post, 201}, {page, 200}, {head, 200},
                 {get, 200}, {post, 201}, {get, 200},  {bare_post, 201}};
    int fd = http_connect(&server);
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++) {
        struct answer answer = http_ask_on(fd, turns[i].request, strlen(turns[i].request));
        assert_int_equal(answer.status, turns[i].status);
        answer_clear(&answer);
    }
    // Nobody can tell where a POST without a length ends: that connection is not used again.
    struct answer answer = http_ask_on(fd, get, strlen(get));
    assert_int_equal(answer.status, 0);
    answer_clear(&answer);
    close(fd);
}

static void test_etag(void **state)
{
    (void)state;
    struct answer answer = http_ask(&server, "GET", "/", NULL, NULL);
    const char *etag = strstr(answer.head, "etag: ");
    assert_non_null(etag);
    char *value = g_strndup(etag + 6, strcspn(etag + 6, "\r"));
    char *header = g_strdup_printf("If-None-Match: %s\r\n", value);
    answer_clear(&answer);
    answer = http_ask(&server, "GET", "/", header, NULL);
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.body_len, 0);
    answer_clear(&answer);
    g_free(value);
    g_free(header);
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int status;
        const char *says;
    } cases[] = {
        {NULL, 200, "accept-ranges: bytes"},
        {"Range: bytes=0-9\r\n", 206, "content-range: bytes 0-9/"},
        {"Range: bytes=2-5\r\n", 206, "content-range: bytes 2-5/"},
        {"Range: bytes=999999999-\r\n", 416, "content-range: bytes */"},
        {"Range: bytes=0-9\r\nIf-Range: \"x\"\r\n", 200, "accept-ranges: bytes"},
    };
    struct answer whole = http_ask(&server, "GET", "/style.css", NULL, NULL);
    assert_int_equal(whole.status, 200);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct answer answer = http_ask(&server, "GET", "/style.css", cases[i].headers, NULL);
        assert_int_equal(answer.status, cases[i].status);
        assert_non_null(strstr(answer.head, cases[i].says));
        if (answer.status == 200)
            assert_int_equal(answer.body_len, whole.body_len);
        if (i == 2)
            assert_memory_equal(answer.body, whole.body + 2, answer.body_len);
        answer_clear(&answer);
    }
    answer_clear(&whole);
}

static void test_too_big(void **state)
{
    (void)state;
    static const char honest[] = "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n";
    static const char absurd[] = "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
    static const char chunked[] = "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "2\r\n{}\r\n0\r\n\r\n";
    static const struct {
        const char *request;
        int status;
    } cases[] = {{honest, 413}, {absurd, 413}, {chunked, 400}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct answer answer = http_raw(&server, cases[i].request, strlen(cases[i].request));
        assert_int_equal(answer.status, cases[i].status);
        answer_clear(&answer);
    }
    char *path = g_strnfill(2000, '/');
    memset(path + 1, 'a', 1999);
    struct answer long_path = http_ask(&server, "GET", path, NULL, NULL);
    assert_int_equal(long_path.status, 400);
    answer_clear(&long_path);
    g_free(path);
    char *body = g_strnfill(65536, ' ');
    body[0] = '{';
    body[65535] = '}';
    struct answer answer = http_ask(&server, "POST", "/api/rooms", "Content-Type: application/json\r\n", body);
    assert_int_equal(answer.status, 201);
    answer_clear(&answer);
    g_free(body);
}

// Bytes that are no HTTP: the connection may be closed, the process must not mind.
static void test_garbage(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
        int fd = http_connect(&server);
        assert_true(write(fd, garbage[i], strlen(garbage[i])) > 0);
        close(fd);
    }
    char *long_line = g_strnfill(100000, 'a');
    memcpy(long_line, "GET /", 5);
    int fd = http_connect(&server);
    assert_true(write(fd, long_line, strlen(long_line)) > 0);
    close(fd);
    g_free(long_line);
    assert_int_equal(count_participants(), 0);
}

static void test_cors(void **state)
{
    (void)state;
    static const char *const environment[] = {"FRONTEND_URL=https://app.example", NULL};
    struct process own = process_start(environment);
    struct answer answer = http_ask(&own, "OPTIONS", "/api/rooms",
                                    "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n", NULL);
    assert_int_equal(answer.status, 204);
    assert_non_null(strstr(answer.head, "access-control-allow-origin: https://app.example\r\n"));
    assert_non_null(strstr(answer.head, "access-control-allow-methods: "));
    answer_clear(&answer);
    answer = http_ask(&own, "GET", "/health", "Origin: https://evil.example\r\n", NULL);
    assert_null(strstr(answer.head, "access-control-allow-origin"));
    assert_non_null(strstr(answer.head, "vary: Origin"));
    answer_clear(&answer);
    assert_int_equal(process_stop(&own), 0);
}

// ---- the process --------------------------------------------------------------------------------------------

static void test_stop(void **state)
{
    (void)state;
    struct process own = process_start(NULL);
    int status;
    struct ws ws = ws_open(&own, "/ws", NULL, &status), silent = ws_open(&own, "/ws", NULL, &status);
    ws_say(&ws, "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"r\"}}");
    ws_wait(&ws, "ack");
    kill(own.pid, SIGTERM);
    assert_int_equal(ws_wait_close(&ws), 1001);
    assert_int_equal(ws_wait_close(&silent), 1001);
    ws_close(&ws);
    ws_close(&silent);
    assert_int_equal(process_stop(&own), 0);
}

static void test_command_line(void **state)
{
    (void)state;
    static const struct {
        const char *argument, *environment, *says;
        int status;
    } cases[] = {
        {"--help", NULL, "RECONNECT_GRACE", 0},
        {"--version", NULL, "roda " RODA_VERSION, 0},
        {"--check", "TURN_TTL=99", "TURN_TTL=99\n", 0},
        {"--check", "TURN_TTL=9", "TURN_TTL: ", 1},
        {"--check", "DATABASE_URL=postgres://db/x", "DATABASE_URL: ", 1},
        {"--check", "DATABASE_URL=/nonexistent/folder/roda.db", "DATABASE_URL: ", 1},
        {"--check", "DATABASE_URL=/dev", "DATABASE_URL: /dev: it is not a file", 1},
        {"--check", "DATA_DIR=/dev/null/data", "DATA_DIR: /dev/null: it is not a folder", 1},
        {"--check", "RECORDING_DIR=/dev/null/recordings", "RECORDING_DIR: /dev/null: it is not a folder", 1},
        {"--check", "RECORDING_HOOK=/nonexistent/hook --fast", "RECORDING_HOOK: /nonexistent/hook: there is no", 1},
        {"--check", "RECORDING_HOOK=/etc/passwd", "RECORDING_HOOK: /etc/passwd: this user may not run it", 1},
        {"--check", "TAP_TARGETS=127.0.0.1,10.1.0.0/99", "TAP_TARGETS: \"10.1.0.0/99\" is neither", 1},
        {"--check", "DATABASE_URL=:memory:", "DATABASE_URL=:memory:\n", 0},
        {"--check", "JWT_PUBLIC_KEY=/nonexistent", "JWT_PUBLIC_KEY: ", 1},
        {"--check", "JWT_SECRET=0123456789012345678901234567890123", "JWT_SECRET=***\n", 0},
        {"--check", "JWT_SECRET=0123456789012345678901234567890", "openssl rand -hex 32", 1},
        {NULL, "JWT_SECRET=0123456789012345678901234567890", "JWT_SECRET: it is shorter than 32 bytes", 2},
        {"--wat", NULL, "--wat", 2},
        {"--config", NULL, "--config", 2},
        {NULL, "PORT=abc", "PORT: ", 2},
        {NULL, "RECORDING_DIR=/dev/null/recordings", "RECORDING_DIR: /dev/null: it is not a folder", 1},
        {NULL, "BIND=0.0.0.0", "JWT_SECRET", 2},
        {NULL, "CIPHER_ENGINE=none", "CIPHER_ENGINE: it is auto", 2},
        {NULL, "CIPHER_ENGINE=libsrtp", "try auto", 1}, // the fake media server has none of its own
        {NULL, "JWT_PUBLIC_KEY=/nonexistent", "JWT_PUBLIC_KEY: ", 1},
    };
    char text[8192];
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const arguments[] = {cases[i].argument, NULL};
        const char *const environment[] = {"LOG_LEVEL=error", cases[i].environment ? cases[i].environment : "PORT=0",
                                           NULL};
        assert_int_equal(process_run(arguments, environment, text, sizeof(text)), cases[i].status);
        assert_non_null(strstr(text, cases[i].says));
    }
    char *in_use = g_strdup_printf("PORT=%d", server.port);
    const char *const environment[] = {in_use, NULL};
    assert_int_equal(process_run(NULL, environment, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "PORT"));
    g_free(in_use);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_dialect_in_url),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_large_relay),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_largest_message),
        cmocka_unit_test(test_endless_fragments),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_wrong_messages),
        cmocka_unit_test(test_refused_upgrades),
        cmocka_unit_test(test_tokens_at_the_door),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_etag),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_cors),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_command_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
