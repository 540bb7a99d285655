// How far is one HTTP request, from its headers to the last byte of its answer?
// SPDX-License-Identifier: MIT
#include "signaling/visit.h"

#include <string.h>

#include "signaling/log.h"

struct visit *visit_new(enum http_method method, const char *path, bool is_tls)
{
    struct visit *visit = g_new0(struct visit, 1);
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
    http_response_clear(&visit->response);
    g_byte_array_free(visit->body, TRUE);
    g_free(visit);
}

// ---- in -----------------------------------------------------------------------------------------------------

static bool refuse(struct visit *visit, int status, const char *code, const char *message)
{
    visit->is_last = true;
    http_error(&visit->response, status, code, "%s", message);
    return true;
}

static bool serve(struct visit *visit, struct site *site)
{
    g_byte_array_append(visit->body, (const guint8 *)"", 1);
    visit->request.body = (const char *)visit->body->data;
    visit->request.body_len = visit->body->len - 1;
    site_serve(site, &visit->request, &visit->response);
    log_debug("http", "%s %s: %d", http_method_name(visit->request.method), visit->path, visit->response.status);
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
    if (visit->response.status) // answered already: what still comes is not read
        return true;
    if (visit->body->len + len > HTTP_BODY_MAX)
        return false;
    g_byte_array_append(visit->body, data, (guint)len);
    return true;
}

bool visit_end(struct visit *visit, struct site *site)
{
    return !visit->response.status && serve(visit, site);
}

// ---- out ----------------------------------------------------------------------------------------------------

size_t visit_headers(const struct visit *visit, struct http_header headers[VISIT_HEADERS_MAX])
{
    const struct http_response *response = &visit->response;
    const struct http_header all[] = {
        {"cache-control:", "no-cache"},
        {"vary:", "Origin"},
        {"etag:", response->etag},
        {"allow:", response->allow},
        {"connection:", visit->is_last ? "close" : ""},
        {"access-control-allow-origin:", response->allowed},
        {"access-control-allow-methods:", response->is_preflight ? "GET, POST, PATCH, DELETE" : ""},
        {"access-control-allow-headers:", response->is_preflight ? "Authorization, Content-Type" : ""},
        {"access-control-max-age:", response->is_preflight ? "600" : ""},
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(all) <= VISIT_HEADERS_MAX);
    memcpy(headers, all, sizeof(all));
    return G_N_ELEMENTS(all);
}

size_t visit_tx(struct visit *visit, const char **data)
{
    const struct http_response *response = &visit->response;
    size_t left = response->body_len - visit->written;
    size_t len = left < BODY_PIECE ? left : BODY_PIECE;
    *data = response->body + visit->written;
    visit->written += len;
    return len;
}

bool visit_is_written(const struct visit *visit)
{
    return visit->request.method == HTTP_HEAD || visit->written == visit->response.body_len;
}
