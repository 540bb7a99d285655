// What is an HTTP request, and what do our answers have in common? (shapes, errors, security headers, CORS)
// SPDX-License-Identifier: MIT
#include "signaling/http.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

#include "signaling/message.h"

const struct http_header http_security_headers[] = {
    {"content-security-policy:", "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
                                 "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"permissions-policy:", "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()"},
    {"x-content-type-options:", "nosniff"},
    {"x-frame-options:", "DENY"},
    {"referrer-policy:", "no-referrer"}, // a room's id is in the URL
    {"cross-origin-opener-policy:", "same-origin"},
    {"cross-origin-resource-policy:", "same-origin"},
    {0},
};

const char *http_method_name(enum http_method method)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return names[method];
}

void http_response_clear(struct http_response *response)
{
    g_free(response->body);
    filepart_free(response->file);
    *response = (struct http_response){0};
}

uint64_t http_response_size(const struct http_response *response)
{
    return response->file ? filepart_left(response->file) : response->body_len;
}

static void drop_file(struct http_response *response)
{
    filepart_free(response->file);
    response->file = NULL;
}

void http_json(struct http_response *response, int status, json_t *json)
{
    char *text = json_dumps(json, MESSAGE_PRINT);
    g_assert(text);
    drop_file(response);
    response->etag[0] = '\0';
    g_free(response->body);
    response->status = status;
    response->content_type = "application/json";
    response->body = g_strdup(text);
    response->body_len = strlen(text);
    free(text);
    json_decref(json);
}

void http_error(struct http_response *response, int status, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = g_strdup_vprintf(format, args);
    va_end(args);
    char *valid = g_utf8_make_valid(message, -1);
    http_json(response, status, json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", valid));
    g_free(valid);
    g_free(message);
}

void http_url(char *out, size_t size, bool is_tls, const char *bind, int port)
{
    const char *host = bind && !http_address_is_loopback(bind) ? bind : "localhost";
    bool is_ipv6 = strchr(host, ':') != NULL;
    g_snprintf(out, size, "%s://%s%s%s:%d", is_tls ? "https" : "http", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
               port);
}

// ---- files --------------------------------------------------------------------------------------------------

bool http_etag_is_known(const char *if_none_match, const char *etag)
{
    if (!if_none_match)
        return false;
    char **known = g_strsplit(if_none_match, ",", -1);
    bool found = false;
    for (char **one = known; *one && !found; one++) {
        const char *tag = g_strstrip(*one);
        // A weak comparison (RFC 9110 section 8.8.3.2): the marks of weakness do not count.
        found = strcmp(tag, "*") == 0 || strcmp(g_str_has_prefix(tag, "W/") ? tag + 2 : tag, etag) == 0;
    }
    g_strfreev(known);
    return found;
}

// If-Range (RFC 9110 section 13.1.5): a part is wanted of exactly this version. We send no Last-Modified, so a date
// is never ours.
static enum range find_range(const struct http_request *request, const struct http_response *response,
                             uint64_t *first, uint64_t *last)
{
    if (request->method != HTTP_GET || (request->if_range && strcmp(request->if_range, response->etag) != 0))
        return RANGE_WHOLE;
    return range_parse(request->range, filepart_size(response->file), first, last);
}

void http_file(struct http_response *response, const struct http_request *request, const char *path,
               const char *content_type)
{
    uint64_t first, last;
    response->file = filepart_open(path, response->etag, sizeof(response->etag));
    if (!response->file)
        return http_error(response, 404, "not-found", "there is no such file");
    uint64_t size = filepart_size(response->file);
    response->has_ranges = true;
    response->status = 200;
    response->content_type = content_type;
    if (http_etag_is_known(request->if_none_match, response->etag)) {
        drop_file(response);
        response->status = 304;
        response->content_type = NULL;
        return;
    }
    switch (find_range(request, response, &first, &last)) {
    case RANGE_WHOLE:
        return;
    case RANGE_PART:
        response->status = 206;
        g_snprintf(response->content_range, sizeof(response->content_range),
                   "bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, first, last, size);
        return filepart_cut(response->file, first, last);
    case RANGE_UNSATISFIABLE:
        g_snprintf(response->content_range, sizeof(response->content_range), "bytes */%" G_GUINT64_FORMAT, size);
        return http_error(response, 416, "bad-range", "the file has %" G_GUINT64_FORMAT " bytes", size);
    }
}

// ---- who asks -----------------------------------------------------------------------------------------------

const char *http_bearer(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (!authorization || g_ascii_strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return NULL;
    return authorization + strlen(scheme);
}

static const char *origin_host(const char *origin)
{
    const char *slashes = strstr(origin, "://");
    return slashes ? slashes + 3 : "";
}

bool http_origin_is_host(const char *origin, const char *host)
{
    return host && *host && g_ascii_strcasecmp(origin_host(origin), host) == 0;
}

static bool is_loopback_name(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t len = strlen(names[i]);
        if (strncmp(host, names[i], len) == 0 && (host[len] == '\0' || host[len] == ':'))
            return true;
    }
    return false;
}

bool http_origin_is_loopback(const char *origin)
{
    return is_loopback_name(origin_host(origin));
}

bool http_origin_is_listed(const struct config *config, const char *origin)
{
    return config->frontend_url && g_strv_contains((const char *const *)config->frontend_url, origin);
}

bool http_origin_may_connect(const struct config *config, const char *origin, const char *host)
{
    if (!origin || http_origin_is_listed(config, origin))
        return true;
    // In open mode the Host header proves nothing: a foreign name may have been pointed at this machine. And "null"
    // is what a sandboxed frame of any page says.
    if (config_is_open(config))
        return http_origin_is_loopback(origin);
    return http_origin_is_host(origin, host);
}

static bool is_address(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : strchr(host, ':');
    char *name = *host == '[' ? g_strndup(host + 1, end ? (gsize)(end - host - 1) : 0)
                              : g_strndup(host, end ? (gsize)(end - host) : strlen(host));
    bool is = g_hostname_is_ip_address(name);
    g_free(name);
    return is;
}

bool http_host_may_be_asked(const struct config *config, const char *host)
{
    if (!config_is_open(config) || !host || is_loopback_name(host) || is_address(host))
        return true;
    for (char **url = config->frontend_url; url && *url; url++)
        if (http_origin_is_host(*url, host))
            return true;
    return config->app_domain && http_origin_is_host(config->app_domain, host);
}

bool http_address_is_loopback(const char *address)
{
    return place_is_loopback(address);
}
