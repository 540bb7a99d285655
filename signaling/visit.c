// How far is one HTTP request, from its headers to the last byte of its answer?
// SPDX-License-Identifier: MIT
#include "signaling/visit.h"

#include <errno.h>
#include <string.h>

#include "signaling/log.h"

struct visit *visit_new(enum http_method method, const char *path, bool is_tls, void (*late)(void *arg), void *arg)
{
    struct visit *visit = g_new0(struct visit, 1);
    visit->late = late;
    visit->arg = arg;
    g_strlcpy(visit->path, path, sizeof(visit->path));
    visit->request =
        (struct http_request){.method = method, .path = visit->path, .address = visit->address, .is_tls = is_tls};
    visit->body = g_byte_array_new();
    return visit;
}

void visit_free(struct visit *visit)
{
    if (!visit)
        return;
    if (visit->exchange)
        hold_cancel(&visit->exchange->hub->holds, &visit->hold);
    exchange_free(visit->exchange);
    for (size_t i = 0; i < G_N_ELEMENTS(visit->query); i++)
        g_free(visit->query[i]);
    http_response_clear(&visit->response);
    g_byte_array_free(visit->body, TRUE);
    g_free(visit);
}

void visit_add_query(struct visit *visit, const char *field)
{
    for (size_t i = 0; i < G_N_ELEMENTS(visit->query) - 1; i++) {
        if (visit->query[i])
            continue;
        visit->query[i] = g_strdup(field);
        return;
    }
}

// ---- in -----------------------------------------------------------------------------------------------------

static bool refuse(struct visit *visit, int status, const char *code, const char *message)
{
    visit->is_last = true;
    http_error(&visit->response, status, code, "%s", message);
    return true;
}

static void log_answer(const struct visit *visit)
{
    log_debug("http", "%s %s: %d", http_method_name(visit->request.method), visit->path, visit->response.status);
}

static void on_settled(void *arg)
{
    struct visit *visit = arg;
    log_answer(visit);
    visit->late(visit->arg);
}

// Whether the answer has to wait for what was written to the store after that ticket.
static bool waits_for_store(struct visit *visit, uint64_t ticket)
{
    struct hub *hub = visit->exchange->hub;
    uint64_t last = store_last_ticket(hub->store);
    if (last == ticket || store_settled(hub->store) >= last)
        return false;
    hold_until(&hub->holds, &visit->hold, last, on_settled, visit);
    return true;
}

static void on_late(void *arg)
{
    if (!waits_for_store(arg, 0))
        on_settled(arg);
}

static bool serve(struct visit *visit, struct site *site)
{
    g_byte_array_append(visit->body, (const guint8 *)"", 1);
    visit->request.body = (const char *)visit->body->data;
    visit->request.body_len = visit->body->len - 1;
    visit->request.query = (const char *const *)visit->query;
    visit->exchange = exchange_new(site->hub, &visit->request, &visit->response, on_late, visit);
    uint64_t before = store_last_ticket(site->hub->store);
    site_serve(site, visit->exchange);
    if (visit_is_late(visit) || waits_for_store(visit, before))
        return false;
    log_answer(visit);
    return true;
}

bool visit_begin(struct visit *visit, struct site *site, const char *content_length, bool is_chunked)
{
    enum http_method method = visit->request.method;
    int64_t len = content_length ? g_ascii_strtoll(content_length, NULL, 10) : 0;
    if (strlen(visit->path) == PATH_MAX_BYTES)
        return refuse(visit, 400, "bad-request", "the path is too long");
    if (is_chunked)
        return refuse(visit, 400, "bad-request", "send a Content-Length instead of chunks");
    if (len < 0 || len > HTTP_BODY_MAX)
        return refuse(visit, 413, "too-big", "a body has at most 65536 bytes");
    // Without a length nobody can tell a body from the next request.
    visit->is_last = !content_length && method != HTTP_GET && method != HTTP_HEAD;
    return len == 0 && serve(visit, site);
}

bool visit_rx(struct visit *visit, const void *data, size_t len)
{
    if (visit->response.status || visit->exchange) // served already: what still comes is not read
        return true;
    if (visit->body->len + len > HTTP_BODY_MAX)
        return false;
    g_byte_array_append(visit->body, data, (guint)len);
    return true;
}

bool visit_end(struct visit *visit, struct site *site)
{
    return !visit->response.status && !visit->exchange && serve(visit, site);
}

// ---- out ----------------------------------------------------------------------------------------------------

size_t visit_headers(const struct visit *visit, struct http_header headers[VISIT_HEADERS_MAX])
{
    const struct http_response *response = &visit->response;
    bool is_upgrade = response->status == 426; // RFC 9110 section 15.5.22
    const struct http_header all[] = {
        {"cache-control:", "no-cache"},
        {"vary:", "Origin"},
        {"etag:", response->etag},
        {"allow:", response->allow},
        {"retry-after:", response->retry_after},
        {"accept-ranges:", response->has_ranges ? "bytes" : ""},
        {"content-range:", response->content_range},
        {"content-disposition:", response->disposition},
        {"www-authenticate:", response->status == 401 ? "Bearer" : ""}, // RFC 9110 section 15.5.2: MUST
        {"connection:", !visit->is_last ? ""
                        : is_upgrade    ? "close, upgrade"
                                        : "close"},
        {"upgrade:", is_upgrade ? "websocket" : ""},
        {"sec-websocket-version:", is_upgrade ? "13" : ""}, // RFC 6455 section 4.4
        {"access-control-allow-origin:", response->allowed},
        {"access-control-expose-headers:",
         response->allowed[0] && !response->is_preflight ? "ETag, Content-Range, Retry-After" : ""},
        {"access-control-allow-methods:", response->is_preflight ? response->allow : ""},
        {"access-control-allow-headers:",
         response->is_preflight ? "Authorization, Content-Type, Range, If-Range" : ""},
        {"access-control-max-age:", response->is_preflight ? "600" : ""},
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(all) <= VISIT_HEADERS_MAX);
    memcpy(headers, all, sizeof(all));
    return G_N_ELEMENTS(all);
}

ssize_t visit_tx(struct visit *visit, unsigned char *out, size_t size)
{
    struct http_response *response = &visit->response;
    uint64_t left = http_response_size(response) - visit->written;
    size_t len = left < size ? (size_t)left : size;
    if (response->file)
        return filepart_read(response->file, out, size);
    memcpy(out, response->body + visit->written, len);
    visit->written += len;
    return (ssize_t)len;
}

bool visit_is_written(const struct visit *visit)
{
    uint64_t written = visit->response.file ? 0 : visit->written; // a file counts down what is left of it
    return visit->request.method == HTTP_HEAD || written == http_response_size(&visit->response);
}

bool visit_is_late(const struct visit *visit)
{
    return visit->exchange && (exchange_is_deferred(visit->exchange) || visit->hold.is_waiting);
}
