// Who takes webhooks in a test? (a small HTTP server on loopback, that answers by path)
// SPDX-License-Identifier: MIT
#include "tests/signaling/receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 20, BIG = 1 << 20 };

struct receiver {
    int fd, port;
    GThread *thread;
    GPtrArray *visitors; // GThread, of the accepting thread, then of receiver_free()
    GMutex lock;
    GCond changed;
    GPtrArray *requests; // texts
    bool is_stopping;
};

struct visitor {
    struct receiver *receiver;
    int fd;
};

static bool is_to(const char *request, const char *path)
{
    char *begin = g_strdup_printf("POST %s HTTP/1.1\r\n", path);
    bool same = g_str_has_prefix(request, begin);
    g_free(begin);
    return same;
}

// Under the lock.
static unsigned count(const struct receiver *r, const char *path)
{
    unsigned n = 0;
    for (guint i = 0; i < r->requests->len; i++)
        n += is_to(r->requests->pdata[i], path);
    return n;
}

static char *read_request(int fd)
{
    GString *text = g_string_new(NULL);
    char c;
    while (!strstr(text->str, "\r\n\r\n") && recv(fd, &c, 1, 0) == 1)
        g_string_append_c(text, c);
    const char *length = strstr(text->str, "Content-Length: ");
    for (int left = length ? atoi(length + 16) : 0; left > 0 && recv(fd, &c, 1, 0) == 1; left--)
        g_string_append_c(text, c);
    return g_string_free(text, FALSE);
}

static void say(int fd, const char *status, size_t body)
{
    char *head = g_strdup_printf("HTTP/1.1 %s\r\nContent-Length: %zu\r\nLocation: /ok\r\nConnection: close\r\n\r\n",
                                 status, body);
    char *all = g_malloc0(strlen(head) + body);
    memcpy(all, head, strlen(head));
    for (size_t done = 0, len = strlen(head) + body; done < len;) {
        ssize_t n = send(fd, all + done, len - done, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    g_free(all);
    g_free(head);
}

static void answer(struct receiver *r, int fd, const char *request, unsigned before)
{
    if (is_to(request, "/redirect"))
        return say(fd, "302 Found", 0);
    if (is_to(request, "/gone"))
        return say(fd, "410 Gone", 0);
    if (is_to(request, "/big"))
        return say(fd, "200 OK", BIG);
    if (is_to(request, "/flaky") && before < 2)
        return say(fd, "500 Internal Server Error", 0);
    if (!is_to(request, "/never"))
        return say(fd, "200 OK", 0);
    g_mutex_lock(&r->lock);
    while (!r->is_stopping)
        g_cond_wait(&r->changed, &r->lock);
    g_mutex_unlock(&r->lock);
}

static void *visit(void *arg)
{
    struct visitor *visitor = arg;
    struct receiver *r = visitor->receiver;
    char *request = read_request(visitor->fd);
    g_mutex_lock(&r->lock);
    char *end = strstr(request, " HTTP/1.1\r\n");
    char *path = end ? g_strndup(request + strlen("POST "), (gsize)(end - request) - strlen("POST ")) : g_strdup("");
    unsigned before = count(r, path);
    g_free(path);
    g_ptr_array_add(r->requests, request);
    g_cond_broadcast(&r->changed);
    g_mutex_unlock(&r->lock);
    answer(r, visitor->fd, request, before);
    close(visitor->fd);
    g_free(visitor);
    return NULL;
}

static void *accept_loop(void *arg)
{
    struct receiver *r = arg;
    int fd;
    while ((fd = accept(r->fd, NULL, NULL)) >= 0) {
        struct visitor *visitor = g_new0(struct visitor, 1);
        *visitor = (struct visitor){r, fd};
        g_ptr_array_add(r->visitors, g_thread_new("visitor", visit, visitor));
    }
    return NULL;
}

struct receiver *receiver_new(int port)
{
    struct receiver *r = g_new0(struct receiver, 1);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof(at);
    int one = 1;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    assert_int_equal(bind(r->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(r->fd, 64), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&at, &len), 0);
    r->port = ntohs(at.sin_port);
    r->requests = g_ptr_array_new_with_free_func(g_free);
    r->visitors = g_ptr_array_new();
    g_mutex_init(&r->lock);
    g_cond_init(&r->changed);
    r->thread = g_thread_new("receiver", accept_loop, r);
    return r;
}

void receiver_free(struct receiver *r)
{
    g_mutex_lock(&r->lock);
    r->is_stopping = true;
    g_cond_broadcast(&r->changed);
    g_mutex_unlock(&r->lock);
    shutdown(r->fd, SHUT_RDWR);
    g_thread_join(r->thread);
    for (guint i = 0; i < r->visitors->len; i++)
        g_thread_join(r->visitors->pdata[i]);
    close(r->fd);
    g_ptr_array_free(r->visitors, TRUE);
    g_ptr_array_free(r->requests, TRUE);
    g_mutex_clear(&r->lock);
    g_cond_clear(&r->changed);
    g_free(r);
}

int receiver_port(const struct receiver *r)
{
    return r->port;
}

unsigned receiver_count(struct receiver *r, const char *path)
{
    g_mutex_lock(&r->lock);
    unsigned n = count(r, path);
    g_mutex_unlock(&r->lock);
    return n;
}

// Under the lock.
static const char *find(const struct receiver *r, const char *path, unsigned n)
{
    for (guint i = 0; i < r->requests->len; i++)
        if (is_to(r->requests->pdata[i], path) && n-- == 0)
            return r->requests->pdata[i];
    return NULL;
}

const char *receiver_wait(struct receiver *r, const char *path, unsigned n)
{
    const char *found;
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    g_mutex_lock(&r->lock);
    while (!(found = find(r, path, n)))
        if (!g_cond_wait_until(&r->changed, &r->lock, until_us))
            break;
    g_mutex_unlock(&r->lock);
    if (!found)
        fail_msg("request %u to %s did not come", n, path);
    return found;
}
