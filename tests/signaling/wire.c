// How does a test talk to the real process? (starts it, and speaks HTTP and WebSocket over plain sockets)
// SPDX-License-Identifier: MIT
#include "tests/signaling/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 10, FRAME_MAX = 1 << 20 };

// ---- the process --------------------------------------------------------------------------------------------

static pid_t start(const char *const *arguments, const char *const *environment, int out, int err)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that fails leaves nothing behind
    char *argv[8] = {(char *)RODA_FAKE};
    char *envp[26] = {(char *)"ASAN_OPTIONS=detect_leaks=1"};
    for (int i = 0; arguments && arguments[i] && i < 6; i++)
        argv[i + 1] = (char *)arguments[i];
    for (int i = 0; environment && environment[i] && i < 24; i++)
        envp[i + 1] = (char *)environment[i];
    dup2(out, STDOUT_FILENO);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    execve(RODA_FAKE, argv, envp);
    _exit(127);
}

static void bound_waits(int fd)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

struct process process_start(const char *const *environment)
{
    return process_start_with(environment, -1);
}

struct process process_start_with(const char *const *environment, int err)
{
    struct process process = {0};
    const char *with_port[26] = {"PORT=0", "LOG_LEVEL=error", "DATABASE_URL=:memory:", "DRAIN_TIMEOUT=0"};
    int pipe_fds[2];
    for (int i = 0; environment && environment[i] && i < 20; i++)
        with_port[i + 4] = environment[i];
    assert_int_equal(pipe(pipe_fds), 0);
    process.pid = start(NULL, with_port, pipe_fds[1], err);
    close(pipe_fds[1]);
    process.out = pipe_fds[0];
    char line[200];
    size_t n = 0;
    while (n < sizeof(line) - 1 && read(process.out, line + n, 1) == 1 && line[n] != '\n')
        n++;
    line[n] = '\0';
    assert_true(g_str_has_prefix(line, "Roda listening on http"));
    process.port = atoi(strrchr(line, ':') + 1);
    assert_true(process.port > 0);
    return process;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_stop(struct process *process)
{
    kill(process->pid, SIGTERM);
    return process_wait(process);
}

int process_wait(struct process *process)
{
    close(process->out);
    return wait_for(process->pid);
}

void process_kill(struct process *process)
{
    kill(process->pid, SIGKILL);
    close(process->out);
    assert_int_equal(wait_for(process->pid), 128 + SIGKILL);
}

int process_run(const char *const *arguments, const char *const *environment, char *text, size_t size)
{
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t pid = start(arguments, environment, pipe_fds[1], pipe_fds[1]);
    close(pipe_fds[1]);
    size_t n = 0;
    ssize_t got;
    while (n < size - 1 && (got = read(pipe_fds[0], text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(pipe_fds[0]);
    return wait_for(pid);
}

// ---- bytes --------------------------------------------------------------------------------------------------

int http_connect(const struct process *process)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)process->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    assert_true(fd >= 0);
    bound_waits(fd);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

// A server that has closed already is not the sender's problem: the answer will tell.
static void send_all(int fd, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, (const char *)data + done, len - done, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

static bool read_all(int fd, void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = recv(fd, (char *)data + done, len - done, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            fail_msg("nothing came for %d s", PATIENCE_S);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

// ---- HTTP ---------------------------------------------------------------------------------------------------

struct answer http_ask_on(int fd, const char *request, size_t len)
{
    struct answer answer = {0};
    GString *head = g_string_new(NULL);
    send_all(fd, request, len);
    char c;
    while (!g_str_has_suffix(head->str, "\r\n\r\n") && read_all(fd, &c, 1))
        g_string_append_c(head, c);
    answer.head = g_string_free(head, FALSE);
    if (g_str_has_prefix(answer.head, "HTTP/1.")) // libwebsockets refuses an upgrade as 1.0
        answer.status = atoi(answer.head + 9);
    char *lower = g_ascii_strdown(answer.head, -1);
    const char *length = strstr(lower, "\r\ncontent-length:");
    bool has_body = length && !g_str_has_prefix(request, "HEAD");
    answer.body_len = has_body ? (size_t)atoi(strchr(length, ':') + 1) : 0;
    g_free(lower);
    answer.body = g_malloc0(answer.body_len + 1);
    assert_true(read_all(fd, answer.body, answer.body_len));
    return answer;
}

struct answer http_raw(const struct process *process, const char *request, size_t len)
{
    int fd = http_connect(process);
    struct answer answer = http_ask_on(fd, request, len);
    close(fd);
    return answer;
}

struct answer http_ask(const struct process *process, const char *method, const char *path, const char *headers,
                       const char *body)
{
    GString *request = g_string_new(NULL);
    g_string_printf(request, "%s %s HTTP/1.1\r\nHost: localhost:%d\r\n%s", method, path, process->port,
                    headers ? headers : "");
    if (body)
        g_string_append_printf(request, "Content-Length: %zu\r\n", strlen(body));
    g_string_append_printf(request, "\r\n%s", body ? body : "");
    struct answer answer = http_raw(process, request->str, request->len);
    g_string_free(request, TRUE);
    return answer;
}

void answer_clear(struct answer *answer)
{
    g_free(answer->head);
    g_free(answer->body);
    *answer = (struct answer){0};
}

// ---- WebSocket ----------------------------------------------------------------------------------------------

struct ws ws_open(const struct process *process, const char *path, const char *headers, int *status)
{
    struct ws ws = {.fd = http_connect(process)};
    char *request = g_strdup_printf("GET %s HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\n"
                                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                                    path, process->port, headers ? headers : "");
    struct answer answer = http_ask_on(ws.fd, request, strlen(request));
    g_free(request);
    *status = answer.status;
    if (answer.status == 101) // RFC 6455 section 1.3 has the answer to this key
        assert_non_null(strstr(answer.head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    answer_clear(&answer);
    if (*status == 101)
        return ws;
    close(ws.fd);
    ws.fd = -1;
    return ws;
}

void ws_close(struct ws *ws)
{
    if (ws->fd >= 0)
        close(ws->fd);
    ws->fd = -1;
    json_decref(ws->last);
    ws->last = NULL;
}

void ws_send_frame(struct ws *ws, int opcode, bool is_final, const void *data, size_t len)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    GByteArray *frame = g_byte_array_new();
    uint8_t head[14] = {(uint8_t)(opcode | (is_final ? 0x80 : 0))};
    size_t n = 2;
    head[1] = (uint8_t)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
    for (int shift = len < 126 ? -8 : len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
        head[n++] = (uint8_t)((uint64_t)len >> shift);
    memcpy(head + n, mask, sizeof(mask));
    g_byte_array_append(frame, head, (guint)(n + sizeof(mask)));
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = ((const uint8_t *)data)[i] ^ mask[i % 4];
        g_byte_array_append(frame, &byte, 1);
    }
    send_all(ws->fd, frame->data, frame->len);
    g_byte_array_free(frame, TRUE);
}

void ws_say(struct ws *ws, const char *text)
{
    ws_send_frame(ws, WS_TEXT, true, text, strlen(text));
}

// The opcode of the next frame with its payload (to be freed), or -1 when the connection is gone.
static int read_frame(struct ws *ws, char **data, size_t *len)
{
    uint8_t head[2], more[8];
    *data = NULL;
    if (!read_all(ws->fd, head, 2))
        return -1;
    *len = head[1] & 0x7f;
    size_t extra = *len == 126 ? 2 : *len == 127 ? 8 : 0;
    if (extra && !read_all(ws->fd, more, extra))
        return -1;
    if (extra)
        *len = 0;
    for (size_t i = 0; i < extra; i++)
        *len = *len << 8 | more[i];
    assert_true(*len <= FRAME_MAX);
    assert_int_equal(head[1] & 0x80, 0); // a server does not mask
    *data = g_malloc0(*len + 1);
    return read_all(ws->fd, *data, *len) ? head[0] & 15 : -1;
}

json_t *ws_take(struct ws *ws)
{
    for (;;) {
        char *data;
        size_t len;
        int opcode = read_frame(ws, &data, &len);
        if (opcode == WS_PING)
            ws_send_frame(ws, WS_PONG, true, data, len);
        json_t *message = opcode == WS_TEXT ? json_loadb(data, len, 0, NULL) : NULL;
        g_free(data);
        if (message || opcode == -1 || opcode == WS_CLOSE)
            return message;
    }
}

bool ws_has_more(const struct ws *ws)
{
    struct pollfd look = {.fd = ws->fd, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

json_t *ws_wait(struct ws *ws, const char *event)
{
    for (;;) {
        char *data;
        size_t len;
        int opcode = read_frame(ws, &data, &len);
        if (opcode == -1 || opcode == WS_CLOSE)
            fail_msg("closed while waiting for %s", event);
        if (opcode == WS_PING)
            ws_send_frame(ws, WS_PONG, true, data, len);
        json_t *message = opcode == WS_TEXT ? json_loadb(data, len, 0, NULL) : NULL;
        g_free(data);
        if (!message)
            continue;
        json_decref(ws->last);
        ws->last = message;
        const char *name = json_string_value(json_object_get(message, "event"));
        if (name && strcmp(name, event) == 0)
            return json_object_get(message, "data");
    }
}

int ws_step(struct ws *ws, const char *text)
{
    char *data;
    size_t len;
    ws_say(ws, text);
    int opcode = read_frame(ws, &data, &len), code = -1;
    if (opcode == WS_CLOSE || opcode == -1)
        code = opcode == WS_CLOSE && len >= 2 ? (uint8_t)data[0] << 8 | (uint8_t)data[1] : 0;
    g_free(data);
    return code;
}

int ws_wait_close(struct ws *ws)
{
    for (;;) {
        char *data;
        size_t len;
        int opcode = read_frame(ws, &data, &len), code = 0;
        if (opcode == WS_CLOSE && len >= 2)
            code = (uint8_t)data[0] << 8 | (uint8_t)data[1];
        g_free(data);
        if (opcode == WS_CLOSE || opcode == -1)
            return code;
    }
}
