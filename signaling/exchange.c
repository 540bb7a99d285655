// What does one HTTP request ask in typed fields, and how is it answered, now or later?
// SPDX-License-Identifier: MIT
#include "signaling/exchange.h"

#include <stdarg.h>
#include <string.h>

struct exchange *exchange_new(struct hub *hub, const struct http_request *request, struct http_response *response,
                              void (*late)(void *arg), void *late_arg)
{
    struct exchange *x = g_new0(struct exchange, 1);
    x->hub = hub;
    x->request = request;
    x->response = response;
    x->late = late;
    x->late_arg = late_arg;
    x->body_json = json_object();
    x->query_json = json_object();
    x->body = (struct fields){.data = x->body_json, .fault = &x->fault};
    x->query = (struct fields){.data = x->query_json, .fault = &x->fault, .is_text = true};
    return x;
}

static void forget(struct exchange *x)
{
    if (x->ticket)
        g_hash_table_remove(x->hub->exchanges, &x->ticket);
    x->ticket = 0;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    forget(x);
    identity_clear(&x->bearer);
    json_decref(x->body_json);
    json_decref(x->query_json);
    g_free(x->path);
    g_free(x);
}

// ---- the path -----------------------------------------------------------------------------------------------

// The end of the segment that begins here.
static const char *segment_end(const char *at)
{
    const char *slash = strchr(at, '/');
    return slash ? slash : at + strlen(at);
}

static bool segments_match(const char *pattern, const char *path)
{
    while (*pattern && *path) {
        const char *pattern_end = segment_end(pattern), *path_end = segment_end(path);
        bool is_same =
            pattern_end - pattern == path_end - path && strncmp(pattern, path, (size_t)(path_end - path)) == 0;
        bool is_param = pattern[0] == ':' && path_end > path;
        if ((!is_same && !is_param) || (*pattern_end == '/') != (*path_end == '/'))
            return false;
        pattern = *pattern_end ? pattern_end + 1 : pattern_end;
        path = *path_end ? path_end + 1 : path_end;
    }
    return !*pattern && !*path;
}

bool exchange_matches(struct exchange *x, const char *pattern)
{
    unsigned n = 0;
    if (!segments_match(pattern, x->request->path))
        return false;
    g_free(x->path);
    char *path = x->path = g_strdup(x->request->path);
    x->pattern = pattern;
    while (pattern && path) {
        char *path_slash = strchr(path, '/');
        const char *pattern_slash = strchr(pattern, '/');
        if (pattern[0] == ':') {
            g_assert(n < PARAMS_MAX);
            x->params[n++] = path;
        }
        if (path_slash)
            *path_slash = '\0';
        path = path_slash ? path_slash + 1 : NULL;
        pattern = pattern_slash ? pattern_slash + 1 : NULL;
    }
    return true;
}

const char *exchange_param(const struct exchange *x, const char *name)
{
    size_t len = strlen(name), n = 0;
    for (const char *colon = strchr(x->pattern, ':'); colon; colon = strchr(colon + 1, ':'), n++)
        if (strncmp(colon + 1, name, len) == 0 && segment_end(colon + 1) == colon + 1 + len)
            return x->params[n];
    g_assert_not_reached();
}

// ---- query and body -----------------------------------------------------------------------------------------

static void read_query(struct exchange *x)
{
    const char *const *field = x->request->query;
    for (size_t i = 0; field && field[i]; i++) {
        const char *equals = strchr(field[i], '=');
        char *name = equals ? g_strndup(field[i], (gsize)(equals - field[i])) : g_strdup(field[i]);
        json_t *value = json_string(equals ? equals + 1 : "");
        if (i == HTTP_QUERY_MAX)
            fault_say(&x->fault, ERROR_BAD_FIELD, "the query has more than %d fields", HTTP_QUERY_MAX);
        else if (!value || !g_utf8_validate(name, -1, NULL))
            fault_say(&x->fault, ERROR_BAD_FIELD, "the query is not UTF-8");
        else if (json_object_get(x->query_json, name))
            fault_say(&x->fault, ERROR_BAD_FIELD, "%s: named twice in the query", name);
        else
            json_object_set(x->query_json, name, value);
        json_decref(value);
        g_free(name);
    }
}

// application/json, with or without parameters.
static bool is_json(const char *content_type)
{
    static const char type[] = "application/json";
    if (!content_type || g_ascii_strncasecmp(content_type, type, sizeof(type) - 1) != 0)
        return false;
    char next = content_type[sizeof(type) - 1];
    return next == '\0' || next == ';' || next == ' ';
}

bool exchange_read(struct exchange *x)
{
    const struct http_request *request = x->request;
    bool has_body = request->body_len > 0 && request->method != HTTP_GET && request->method != HTTP_HEAD;
    read_query(x);
    if (has_body && !is_json(request->content_type)) {
        exchange_refuse(x, 415, "unsupported-media-type", "the body must be application/json");
        return false;
    }
    json_t *json = has_body ? message_object(request->body, request->body_len, &x->fault) : NULL;
    if (json) {
        json_decref(x->body_json);
        x->body.data = x->body_json = json;
    }
    return !exchange_is_wrong(x);
}

// ---- answering ----------------------------------------------------------------------------------------------

// A deferred answer is told to whoever writes it.
static void answer(struct exchange *x, int status, json_t *json)
{
    bool is_late = exchange_is_deferred(x);
    forget(x);
    http_json(x->response, status, json);
    if (is_late)
        x->late(x->late_arg);
}

void exchange_answer(struct exchange *x, int status, json_t *json)
{
    answer(x, status, x->has_success ? json_pack("{s:b, s:o}", "success", 1, "data", json) : json);
}

void exchange_answer_file(struct exchange *x, const char *path, const char *content_type)
{
    bool is_late = exchange_is_deferred(x);
    forget(x);
    http_file(x->response, x->request, path, content_type);
    if (is_late)
        x->late(x->late_arg);
}

void exchange_refuse(struct exchange *x, int status, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = g_strdup_vprintf(format, args);
    va_end(args);
    char *valid = g_utf8_make_valid(message, -1);
    json_t *error = json_pack("{s:s, s:s}", "code", code, "message", valid);
    if (status == 429)
        g_strlcpy(x->response->retry_after, "1", sizeof(x->response->retry_after));
    answer(x, status,
           x->has_success ? json_pack("{s:b, s:o}", "success", 0, "error", error)
                          : json_pack("{s:o}", "error", error));
    g_free(valid);
    g_free(message);
}

void exchange_fail(struct exchange *x, const struct fault *fault)
{
    static const int statuses[] = {
        [ERROR_BAD_JSON] = 400,  [ERROR_UNKNOWN_EVENT] = 404, [ERROR_BAD_FIELD] = 400,    [ERROR_UNAUTHORIZED] = 401,
        [ERROR_FORBIDDEN] = 403, [ERROR_NOT_FOUND] = 404,     [ERROR_ROOM_FULL] = 409,    [ERROR_ROOM_CLOSED] = 409,
        [ERROR_BUSY] = 409,      [ERROR_BAD_SDP] = 400,       [ERROR_RATE_LIMITED] = 429, [ERROR_INTERNAL] = 500,
    };
    int status = fault->error < G_N_ELEMENTS(statuses) ? statuses[fault->error] : 0;
    if (fault_is_draining(fault))
        status = 503;
    exchange_refuse(x, status ? status : 500, error_name(fault->error), "%s", fault->text);
}

bool exchange_is_wrong(struct exchange *x)
{
    if (x->fault.error != ERROR_NONE)
        exchange_fail(x, &x->fault);
    return x->fault.error != ERROR_NONE;
}

// ---- lists --------------------------------------------------------------------------------------------------

struct page exchange_page(struct exchange *x)
{
    struct page page = {
        .page = field_int(&x->query, "page", 1, PAGE_LAST, 1),
        .limit = field_int(&x->query, "limit", 1, PAGE_LIMIT_MAX, PAGE_LIMIT),
    };
    page.offset = (page.page - 1) * page.limit;
    return page;
}

void exchange_answer_page(struct exchange *x, const struct page *page, const char *name, json_t *items, int64_t total)
{
    exchange_answer(x, 200,
                    json_pack("{s:o, s:i, s:i, s:I}", name, items, "page", page->page, "limit", page->limit, "total",
                              (json_int_t)total));
}

// ---- later --------------------------------------------------------------------------------------------------

uint64_t exchange_defer(struct exchange *x)
{
    struct hub *hub = x->hub;
    if (!hub->exchanges)
        hub->exchanges = g_hash_table_new(g_int64_hash, g_int64_equal);
    x->ticket = ++hub->last_tag;
    x->deadline_us = hub->now_us + DEFER_MAX_S * INT64_C(1000000);
    g_hash_table_insert(hub->exchanges, &x->ticket, x);
    return x->ticket;
}

bool exchange_is_deferred(const struct exchange *x)
{
    return x->ticket != 0;
}

struct exchange *exchange_find(const struct hub *hub, uint64_t ticket)
{
    return hub->exchanges ? g_hash_table_lookup(hub->exchanges, &ticket) : NULL;
}

void exchange_fail_peer(struct hub *hub, uint64_t peer, const struct fault *fault)
{
    GList *all = hub->exchanges ? g_hash_table_get_values(hub->exchanges) : NULL; // a copy: they go while we walk
    for (GList *one = all; one; one = one->next)
        if (((struct exchange *)one->data)->peer == peer)
            exchange_fail(one->data, fault);
    g_list_free(all);
}

void exchange_tick(struct hub *hub)
{
    GList *all = hub->exchanges ? g_hash_table_get_values(hub->exchanges) : NULL; // a copy: they go while we walk
    for (GList *one = all; one; one = one->next) {
        struct exchange *x = one->data;
        if (hub->now_us >= x->deadline_us)
            exchange_refuse(x, 504, "internal", "no answer came within %d s", DEFER_MAX_S);
    }
    g_list_free(all);
}

void exchange_end_all(struct hub *hub)
{
    GHashTableIter iter;
    gpointer value;
    if (!hub->exchanges)
        return;
    g_hash_table_iter_init(&iter, hub->exchanges);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        ((struct exchange *)value)->ticket = 0;
    g_clear_pointer(&hub->exchanges, g_hash_table_unref);
}
