// Which route answers this HTTP request? (one table)
// SPDX-License-Identifier: MIT
#include "signaling/site.h"

#include <string.h>

#include "signaling/api.h"
#include "signaling/pages.h"

struct route {
    enum http_method method;
    const char *path; // may end in "/:id"
    void (*serve)(struct exchange *);
    unsigned needs;
};

// Who may: the bearer of a valid token (in open mode anybody), anybody at all, or it is for the route to say.
enum { TOKEN, NOTHING, ITS_OWN };

static const struct route routes[] = {
    {HTTP_GET, "/health", api_health, NOTHING},
    {HTTP_GET, "/api/ice-servers", api_get_ice_servers, TOKEN},
    {HTTP_POST, "/api/rooms", api_post_rooms, TOKEN},
    {HTTP_GET, "/api/rooms/:id", api_get_room, TOKEN},
    {HTTP_DELETE, "/api/rooms/:id", api_delete_room, ITS_OWN},
};

struct site *site_new(struct hub *hub)
{
    struct site *site = g_new0(struct site, 1);
    site->hub = hub;
    for (size_t i = 0; i < VISITORS; i++)
        bucket_init(&site->visitors[i], REQUESTS_PER_S, REQUESTS_BURST, hub->now_us);
    return site;
}

void site_free(struct site *site)
{
    g_free(site);
}

// ---- finding the route --------------------------------------------------------------------------------------

// On a match *param is what stands for :id, or NULL.
static bool matches(const char *pattern, const char *path, const char **param)
{
    const char *colon = strchr(pattern, ':');
    *param = NULL;
    if (!colon)
        return strcmp(pattern, path) == 0;
    size_t len = (size_t)(colon - pattern);
    if (strncmp(pattern, path, len) != 0 || !path[len] || strchr(path + len, '/'))
        return false;
    *param = path + len;
    return true;
}

// NULL with some methods in `allow`: the path is known, the method is not.
static const struct route *find_route(const struct http_request *request, const char **param, char allow[64])
{
    enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
        if (!matches(routes[i].path, request->path, param))
            continue;
        if (routes[i].method == method)
            return &routes[i];
        g_strlcat(allow, allow[0] ? ", " : "", 64);
        g_strlcat(allow, http_method_name(routes[i].method), 64);
    }
    return NULL;
}

// ---- who may ------------------------------------------------------------------------------------------------

// False: refused and answered. In open mode nobody is asked; otherwise the identity is the bearer's.
static bool authorize(struct exchange *x, unsigned needs, struct identity *identity)
{
    const struct hub *hub = x->hub;
    const char *bearer = http_bearer(x->request->authorization);
    char why[120] = "send a token: Authorization: Bearer <token>";
    if (needs == NOTHING || auth_is_open(hub->auth))
        return true;
    if (bearer && auth_verify(hub->auth, bearer, hub->wall_ms, identity, why, sizeof(why)) == 0) {
        x->identity = identity;
        return true;
    }
    // A route with its own idea of who may still wants somebody to have said something.
    if (needs == ITS_OWN && bearer)
        return true;
    http_error(x->response, 401, "unauthorized", "%s", why);
    return false;
}

static void allow_origin(const struct config *config, const struct http_request *request,
                         struct http_response *response)
{
    if (request->origin && http_origin_is_listed(config, request->origin))
        g_strlcpy(response->allowed, request->origin, sizeof(response->allowed));
}

static bool is_too_busy(struct site *site, const struct http_request *request)
{
    bool is_harmless = request->method == HTTP_GET || request->method == HTTP_HEAD || request->method == HTTP_OPTIONS;
    struct bucket *bucket = &site->visitors[g_str_hash(request->address) % VISITORS];
    return !bucket_take(bucket, is_harmless ? 0.1 : 1, site->hub->now_us);
}

// ---- the answer ---------------------------------------------------------------------------------------------

static void serve_elsewhere(const struct config *config, const struct http_request *request,
                            struct http_response *response)
{
    bool is_get = request->method == HTTP_GET || request->method == HTTP_HEAD;
    if (strcmp(request->path, "/ws") == 0)
        return http_error(response, 400, "bad-request", "this is a WebSocket: ask for an upgrade");
    if (!pages_serve(config, request, response))
        return http_error(response, 404, "not-found", "there is nothing here");
    if (is_get)
        return;
    g_strlcpy(response->allow, "GET, HEAD", sizeof(response->allow));
    http_error(response, 405, "method-not-allowed", "a page is only read");
}

void site_serve(struct site *site, const struct http_request *request, struct http_response *response)
{
    const struct config *config = site->hub->config;
    struct exchange x = {.hub = site->hub, .request = request, .response = response};
    struct identity identity = {0};
    *response = (struct http_response){0};
    allow_origin(config, request, response);
    if (is_too_busy(site, request))
        return http_error(response, 429, "rate-limited", "too many requests from your address");
    const struct route *route = find_route(request, &x.param, response->allow);
    if (request->method == HTTP_OPTIONS) {
        response->status = 204;
        response->is_preflight = response->allowed[0] != '\0';
        return;
    }
    if (!route && response->allow[0])
        return http_error(response, 405, "method-not-allowed", "this route takes %s", response->allow);
    if (!route)
        return serve_elsewhere(config, request, response);
    response->allow[0] = '\0';
    if (authorize(&x, route->needs, &identity))
        route->serve(&x);
    identity_clear(&identity);
}
