// Does the log of a whole day, at `info`, say nothing about anybody? (log.h, and all that writes to it)
// SPDX-License-Identifier: MIT
//
// The real process in JSON: people join by name, talk, ring each other, are muted and thrown out, and do much that is
// refused. Every text they gave carries a mark; no mark may be in the log.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/signaling/rig.h"
#include "tests/signaling/wire.h"

static const char *const marks[] = {
    "ana.mark",  "bob.mark",           "eve.mark",       // user ids
    "Ana Nome",  "Bob Nome",           "avatar.mark",    // what tokens say of them
    "sala-mark", "chat-mark",          "candidate:mark", // rooms, chat, candidates
    "v=0",       "reason-mark",        "password-mark",  // descriptions, free texts
    "path-mark", "field-mark",         "127.0.0.1",      // what is asked for, and by whom
    SECRET,      "metrics-mark-token",
};

static struct ws enter(const struct process *process, const char *claims, GPtrArray *secrets)
{
    char *token = make_token(SECRET, claims), *path = g_strconcat("/ws?token=", token, NULL);
    int status;
    struct ws ws = ws_open(process, path, "X-Forwarded-For: 203.0.113.99\r\n", &status);
    assert_true(ws.fd >= 0);
    g_free(path);
    g_ptr_array_add(secrets, token);
    return ws;
}

#define JOIN "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"sala-mark\",\"name\":\"field-mark\"}}"

static void wait_for_ack(struct ws *ws, int id)
{
    do
        ws_wait(ws, "ack");
    while (json_integer_value(json_object_get(ws->last, "id")) != id);
}

static void much_is_said(struct ws *ana, struct ws *bob, GPtrArray *secrets)
{
    static const char *const said[] = {
        "{\"event\":\"signal-offer\",\"id\":2,\"data\":{\"sdp\":\"v=0\\r\\no=field-mark\"}}",
        "{\"event\":\"signal-offer\",\"id\":3,\"data\":{\"sdp\":\"nonsense field-mark\"}}",
        "{\"event\":\"ice-candidate\",\"id\":4,\"data\":{\"candidate\":\"candidate:mark 127.0.0.1\"}}",
        "{\"event\":\"ice-candidate\",\"id\":5,\"data\":{\"candidate\":\"field-mark\"}}",
        "{\"event\":\"chat-message\",\"id\":6,\"data\":{\"text\":\"chat-mark\"}}",
        "{\"event\":\"chat-message\",\"id\":7,\"data\":{\"text\":\"chat-mark\",\"to\":\"eve.mark\"}}",
        "{\"event\":\"field-mark\",\"id\":8}",
        "{\"event\":\"mute-participant\",\"id\":9,\"data\":{\"targetId\":\"bob.mark\",\"locked\":true}}",
        "{\"event\":\"remove-participant\",\"id\":10,\"data\":{\"targetId\":\"eve.mark\",\"reason\":\"reason-mark\"}"
        "}",
        "not json field-mark",
        "{\"event\":\"join-room\",\"id\":11,\"data\":{\"roomId\":\"path-mark\"}}",
        "{\"event\":\"media-update\",\"id\":12,\"data\":{\"isMuted\":\"field-mark\"}}",
        "{\"event\":\"CALL_INITIATE\",\"id\":13,\"data\":{\"participantIds\":[\"eve.mark\"],\"type\":\"VIDEO\","
        "\"chatId\":\"chat-mark\"}}",
    };
    g_ptr_array_add(secrets, g_strdup(json_string_value(json_object_get(ana->last, "sessionToken"))));
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        ws_say(ana, said[i]);
        ws_say(bob, said[i]);
    }
    // One answer to the last of each: all before it is done.
    ws_say(ana, "{\"event\":\"heartbeat\",\"id\":99}");
    ws_say(bob, "{\"event\":\"heartbeat\",\"id\":99}");
    wait_for_ack(ana, 99);
    wait_for_ack(bob, 99);
    ws_say(ana, "{\"event\":\"close-room\",\"id\":100,\"data\":{\"reason\":\"reason-mark\"}}");
    ws_wait_close(bob);
}

static void ask(const struct process *process, const char *method, const char *path, const char *token,
                const char *body)
{
    char *headers = g_strdup_printf(
        "Content-Type: application/json\r\nX-Forwarded-For: 203.0.113.99\r\nAuthorization: Bearer %s\r\n", token);
    struct answer answer = http_ask(process, method, path, headers, body);
    assert_true(answer.status >= 200);
    answer_clear(&answer);
    g_free(headers);
}

static void much_is_asked(const struct process *process, const char *token)
{
    ask(process, "GET", "/api/rooms/path-mark?field-mark=1", token, NULL);
    ask(process, "POST", "/api/rooms", token, "{\"roomId\":\"sala-mark-2\",\"password\":\"password-mark\"}");
    ask(process, "DELETE", "/api/rooms/sala-mark-2", token, NULL);
    ask(process, "POST", "/api/rooms", token, "{\"roomId\":\"field mark\"}");
    ask(process, "GET", "/path-mark", "field-mark", NULL);
    ask(process, "GET", "/metrics", "metrics-mark-token", NULL);
    ask(process, "GET", "/api/webrtc/stats", token, NULL);
    ask(process, "GET", "/medico/sala-mark", token, NULL);
}

static char *read_back(int fd)
{
    GString *text = g_string_new(NULL);
    char piece[4096];
    ssize_t n;
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, piece, sizeof(piece))) > 0)
        g_string_append_len(text, piece, n);
    return g_string_free(text, FALSE);
}

// Every line is JSON with a time, a level and an area. Returns how many there are about a room.
static unsigned check_lines(const char *log)
{
    char **lines = g_strsplit(log, "\n", -1);
    unsigned count = 0;
    for (char **line = lines; *line && **line; line++) {
        json_t *json = json_loads(*line, 0, NULL);
        if (!json)
            fail_msg("not JSON: %s", *line);
        assert_true(*text_of(json, "time") && *text_of(json, "level") && *text_of(json, "area") &&
                    *text_of(json, "message"));
        count += *text_of(json, "room") != '\0';
        json_decref(json);
    }
    g_strfreev(lines);
    return count;
}

static void test_the_log_is_silent_about_people(void **state)
{
    (void)state;
    static const char *const environment[] = {"LOG_LEVEL=info",
                                              "LOG_FORMAT=json",
                                              "JWT_SECRET=" SECRET,
                                              "BIND=127.0.0.1",
                                              "METRICS_TOKEN=metrics-mark-token",
                                              NULL};
    FILE *file = tmpfile();
    assert_non_null(file);
    struct process process = process_start_with(environment, fileno(file));
    GPtrArray *secrets = g_ptr_array_new_with_free_func(g_free);
    struct ws ana = enter(&process,
                          "{\"sub\":\"ana.mark\",\"name\":\"Ana "
                          "Nome\",\"avatar\":\"https://avatar.mark\",\"role\":\"host\",\"room\":\"*\"}",
                          secrets);
    struct ws bob = enter(&process, "{\"sub\":\"bob.mark\",\"name\":\"Bob Nome\",\"room\":[\"sala-mark\"]}", secrets);
    struct ws eve = enter(&process, "{\"sub\":\"eve.mark\",\"room\":\"sala-mark\"}", secrets);
    ws_say(&ana, JOIN);
    ws_wait(&ana, "ack");
    ws_say(&bob, JOIN);
    ws_wait(&bob, "ack");
    ws_say(&eve, JOIN);
    ws_wait(&eve, "ack");
    ws_close(&eve); // without a word
    much_is_said(&ana, &bob, secrets);
    much_is_asked(&process, secrets->pdata[0]);
    ws_close(&ana);
    ws_close(&bob);
    assert_int_equal(process_stop(&process), 0);

    char *log = read_back(fileno(file));
    assert_true(check_lines(log) >= 4);
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (strstr(log, marks[i]))
            fail_msg("%s is in the log:\n%s", marks[i], log);
    for (guint i = 0; i < secrets->len; i++)
        if (secrets->pdata[i] && strstr(log, secrets->pdata[i]))
            fail_msg("a token is in the log:\n%s", log);
    assert_null(strstr(log, "203.0.113.99"));
    assert_null(strstr(log, "-mark"));
    g_free(log);
    g_ptr_array_free(secrets, TRUE);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_log_is_silent_about_people)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
