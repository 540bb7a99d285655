// How does a test talk to the real process? (starts it, and speaks HTTP and WebSocket over plain sockets)
// SPDX-License-Identifier: MIT
//
// Blocking, with a limit of a few seconds on every wait; whatever does not come in time fails the test.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    int out; // its standard output
    int port;
};

// Starts the server on a free port and waits for its one line; `environment` is NULL-terminated, "KEY=value".
struct process process_start(const char *const *environment);
// The same, with standard error going to that descriptor.
struct process process_start_with(const char *const *environment, int err);
// Sends SIGTERM and returns its exit status.
int process_stop(struct process *process);
void process_kill(struct process *process); // SIGKILL, as of now
int process_wait(struct process *process);  // it ends by itself
// Runs it to its end; standard output and error go to text. Returns the exit status.
int process_run(const char *const *arguments, const char *const *environment, char *text, size_t size);

struct answer {
    int status;
    char *head, *body;
    size_t body_len;
};

// Sends bytes as they are on a new connection and reads the answer.
struct answer http_raw(const struct process *process, const char *request, size_t len);
struct answer http_ask(const struct process *process, const char *method, const char *path, const char *headers,
                       const char *body);
// The same on a connection that stays open.
int http_connect(const struct process *process);
struct answer http_ask_on(int fd, const char *request, size_t len);
void answer_clear(struct answer *answer);

struct ws {
    int fd;
    json_t *last;
};

// `path` is "/ws?dialect=live"; headers end in \r\n each, or NULL. On a refusal fd is -1 and *status tells.
struct ws ws_open(const struct process *process, const char *path, const char *headers, int *status);
void ws_close(struct ws *ws); // without a word

enum { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

// One frame, masked (RFC 6455 section 5.2).
void ws_send_frame(struct ws *ws, int opcode, bool is_final, const void *data, size_t len);
void ws_say(struct ws *ws, const char *text);
// The data of the next message with that event name; others are skipped, pings answered. Borrowed.
json_t *ws_wait(struct ws *ws, const char *event);
// The next message, whole and to be released; NULL: the connection is gone.
json_t *ws_take(struct ws *ws);
bool ws_has_more(const struct ws *ws); // whether ws_take() would not wait
// Says something that is answered with one message: -1, or the code with which the server closes instead.
int ws_step(struct ws *ws, const char *text);
// Reads until the server closes; returns its code (0: without one).
int ws_wait_close(struct ws *ws);
