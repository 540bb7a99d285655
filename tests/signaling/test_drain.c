// Does the real process let its calls end when it is told to stop, and tell its service manager? (server.c, notify.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/signaling/wire.h"

static const char *const long_drain[] = {"DRAIN_TIMEOUT=3600", NULL};

static struct ws join(const struct process *process, const char *user)
{
    int status;
    char text[200];
    struct ws ws = ws_open(process, "/ws", NULL, &status);
    snprintf(text, sizeof(text), "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"r\",\"userId\":\"%s\"}}",
             user);
    ws_say(&ws, text);
    return ws;
}

static json_t *health(const struct process *process, int status)
{
    struct answer answer = http_ask(process, "GET", "/health", NULL, NULL);
    assert_int_equal(answer.status, status);
    json_t *json = json_loadb(answer.body, answer.body_len, 0, NULL);
    answer_clear(&answer);
    assert_non_null(json);
    return json;
}

static bool has_ended(const struct process *process)
{
    return waitpid(process->pid, NULL, WNOHANG) != 0;
}

static void test_calls_go_on(void **state)
{
    (void)state;
    struct process own = process_start(long_drain);
    struct ws ana = join(&own, "ana");
    char token[64], text[200];
    snprintf(token, sizeof(token), "%s", json_string_value(json_object_get(ws_wait(&ana, "ack"), "sessionToken")));
    json_decref(health(&own, 200));
    kill(own.pid, SIGTERM);
    assert_true(json_integer_value(json_object_get(ws_wait(&ana, "server-draining"), "secondsLeft")) > 3500);
    json_t *json = health(&own, 503);
    assert_string_equal(json_string_value(json_object_get(json, "status")), "draining");
    assert_true(json_integer_value(json_object_get(json, "secondsLeft")) > 3500);
    json_decref(json);
    struct answer answer = http_ask(&own, "POST", "/api/rooms", "Content-Type: application/json\r\n", "{}");
    assert_int_equal(answer.status, 503);
    answer_clear(&answer);

    struct ws bob = join(&own, "bob");
    const json_t *refusal = ws_wait(&bob, "error");
    assert_string_equal(json_string_value(json_object_get(refusal, "code")), "room-closed");
    assert_string_equal(json_string_value(json_object_get(refusal, "reason")), "draining");
    ws_close(&ana);
    int status;
    ana = ws_open(&own, "/ws", NULL, &status);
    snprintf(text, sizeof(text),
             "{\"event\":\"join-room\",\"id\":2,\"data\":{\"roomId\":\"r\",\"sessionToken\":\"%s\"}}", token);
    ws_say(&ana, text);
    const json_t *ack = ws_wait(&ana, "ack");
    assert_true(json_is_true(json_object_get(ack, "resumed")));
    assert_false(has_ended(&own));

    // The last one leaves: that was all it waited for.
    ws_say(&ana, "{\"event\":\"leave-room\",\"id\":3}");
    assert_int_equal(ws_wait_close(&bob), 1001);
    ws_close(&ana);
    ws_close(&bob);
    assert_int_equal(process_wait(&own), 0);
}

static void test_twice_is_at_once(void **state)
{
    (void)state;
    struct process own = process_start(long_drain);
    struct ws ana = join(&own, "ana");
    ws_wait(&ana, "ack");
    kill(own.pid, SIGTERM);
    ws_wait(&ana, "server-draining");
    kill(own.pid, SIGTERM);
    assert_int_equal(ws_wait_close(&ana), 1001);
    ws_close(&ana);
    assert_int_equal(process_wait(&own), 0);
}

static void test_interrupted_is_at_once(void **state)
{
    (void)state;
    struct process own = process_start(long_drain);
    struct ws ana = join(&own, "ana");
    ws_wait(&ana, "ack");
    kill(own.pid, SIGINT);
    assert_int_equal(ws_wait_close(&ana), 1001);
    ws_close(&ana);
    assert_int_equal(process_wait(&own), 0);
}

static void test_the_time_is_over(void **state)
{
    (void)state;
    static const char *const short_drain[] = {"DRAIN_TIMEOUT=1", NULL};
    struct process own = process_start(short_drain);
    struct ws ana = join(&own, "ana");
    ws_wait(&ana, "ack");
    kill(own.pid, SIGTERM);
    assert_int_equal(ws_wait_close(&ana), 1001);
    ws_close(&ana);
    assert_int_equal(process_wait(&own), 0);
}

// ---- the service manager ------------------------------------------------------------------------------------

// Reads datagrams until one has that text.
static void hear(int fd, const char *wanted)
{
    char text[512];
    ssize_t len;
    do {
        len = recv(fd, text, sizeof(text) - 1, 0);
        if (len < 0)
            fail_msg("the service manager was not told %s", wanted);
        text[len] = '\0';
    } while (!strstr(text, wanted));
}

static void test_service_manager(void **state)
{
    (void)state;
    char folder[] = "/tmp/roda-notify-XXXXXX", setting[150];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 10};
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    snprintf(setting, sizeof(setting), "NOTIFY_SOCKET=%s", address.sun_path);
    const char *const environment[] = {setting, "WATCHDOG_USEC=200000", "DRAIN_TIMEOUT=3600", NULL};
    struct process own = process_start(environment);
    hear(fd, "READY=1");
    hear(fd, "WATCHDOG=1");
    hear(fd, "WATCHDOG=1");
    struct ws ana = join(&own, "ana");
    ws_wait(&ana, "ack");
    kill(own.pid, SIGTERM);
    hear(fd, "STOPPING=1");
    hear(fd, "EXTEND_TIMEOUT_USEC=");
    hear(fd, "WATCHDOG=1"); // it is still watched
    ws_close(&ana);
    assert_int_equal(process_stop(&own), 0);
    close(fd);
    unlink(address.sun_path);
    rmdir(folder);
}

static void test_nobody_to_notify(void **state)
{
    (void)state;
    static const char *const sockets[] = {"NOTIFY_SOCKET=/nonexistent/socket", "NOTIFY_SOCKET=relative",
                                          "NOTIFY_SOCKET=@roda-nobody", "NOTIFY_SOCKET="};
    for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
        const char *const environment[] = {sockets[i], "WATCHDOG_USEC=x", NULL};
        struct process own = process_start(environment);
        assert_int_equal(process_stop(&own), 0);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_go_on),
        cmocka_unit_test(test_twice_is_at_once),
        cmocka_unit_test(test_interrupted_is_at_once),
        cmocka_unit_test(test_the_time_is_over),
        cmocka_unit_test(test_service_manager),
        cmocka_unit_test(test_nobody_to_notify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
