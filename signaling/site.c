// Which route answers this HTTP request? (one table)
// SPDX-License-Identifier: MIT
#include "signaling/site.h"

#include <string.h>

#include "signaling/api.h"
#include "signaling/pages.h"

struct route {
    enum http_method method;
    const char *path; // with ":names" for whole segments
    void (*serve)(struct exchange *);
    unsigned needs;
};

// Who may: the bearer of a valid token (in open mode anybody), anybody at all, or it is for the route to say.
enum { TOKEN, NOTHING, ITS_OWN };
enum { ACCESS = 3, SUCCESS = 4 }; // SUCCESS: answers are {success, data} and {success, error}

static void serve_elsewhere(struct exchange *);

// The first row that fits answers: fixed paths stand before those with a parameter in the same place.
static const struct route routes[] = {
    {HTTP_GET, "/health", api_health, NOTHING},
    {HTTP_GET, "/calls", serve_elsewhere, NOTHING}, // the page, where calls are made by POST
    {HTTP_GET, "/calls/history", api_get_call_history, TOKEN},
    {HTTP_GET, "/calls/active", api_get_active_calls, TOKEN},
    {HTTP_POST, "/calls/signaling/offer", api_signal_offer, TOKEN},
    {HTTP_POST, "/calls/signaling/answer", api_signal_answer, TOKEN},
    {HTTP_POST, "/calls/signaling/ice-candidate", api_signal_candidate, TOKEN},
    {HTTP_POST, "/calls", api_post_call, TOKEN},
    {HTTP_GET, "/calls/:id", api_get_call, TOKEN},
    {HTTP_POST, "/calls/:id/answer", api_answer_call, TOKEN},
    {HTTP_POST, "/calls/:id/end", api_end_call, TOKEN},
    {HTTP_POST, "/calls/:id/participants", api_post_call_participants, TOKEN},
    {HTTP_GET, "/calls/:id/participants", api_get_call_participants, TOKEN},
    {HTTP_PATCH, "/calls/:id/media", api_patch_call_media, TOKEN},
    {HTTP_POST, "/api/video/calls", api_post_video_call, TOKEN | SUCCESS},
    {HTTP_GET, "/api/video/calls/:id", api_get_video_call, TOKEN | SUCCESS},
    {HTTP_POST, "/api/video/calls/:id/join", api_join_video_call, TOKEN | SUCCESS},
    {HTTP_POST, "/api/video/calls/:id/end", api_end_video_call, TOKEN | SUCCESS},
    {HTTP_GET, "/api/ice-servers", api_get_ice_servers, TOKEN},
    {HTTP_GET, "/metrics", api_get_metrics, NOTHING}, // it asks for itself
    {HTTP_GET, "/api/webrtc/stats", api_get_stats, TOKEN},
    {HTTP_POST, "/api/rooms", api_post_rooms, TOKEN},
    {HTTP_GET, "/api/rooms/:id", api_get_room, TOKEN},
    {HTTP_PATCH, "/api/rooms/:id", api_patch_room, ITS_OWN},
    {HTTP_DELETE, "/api/rooms/:id", api_delete_room, ITS_OWN},
    {HTTP_POST, "/api/rooms/:id/recording", api_post_recording, ITS_OWN},
    {HTTP_DELETE, "/api/rooms/:id/recording", api_delete_recording, ITS_OWN},
    {HTTP_POST, "/api/rooms/:id/taps", api_post_tap, ITS_OWN},
    {HTTP_GET, "/api/rooms/:id/taps", api_get_taps, ITS_OWN},
    {HTTP_DELETE, "/api/rooms/:id/taps/:tap", api_delete_tap, ITS_OWN},
    {HTTP_GET, "/api/recordings", api_get_recordings, TOKEN},
    {HTTP_GET, "/api/recordings/:id", api_get_recording, TOKEN},
    {HTTP_DELETE, "/api/recordings/:id", api_remove_recording, TOKEN},
    {HTTP_GET, "/api/recordings/:id/files/:name", api_get_recording_file, TOKEN},
};

const char *site_route(size_t row, enum http_method *method)
{
    if (row >= G_N_ELEMENTS(routes))
        return NULL;
    *method = routes[row].method;
    return routes[row].path;
}

struct site *site_new(struct hub *hub)
{
    struct site *site = g_new0(struct site, 1);
    site->hub = hub;
    for (size_t i = 0; i < VISITORS; i++) {
        bucket_init(&site->visitors[i], REQUESTS_PER_S, REQUESTS_BURST, hub->now_us);
        bucket_init(&site->users[i], USER_REQUESTS_PER_S, USER_REQUESTS_BURST, hub->now_us);
    }
    return site;
}

void site_free(struct site *site)
{
    g_free(site);
}

// ---- finding the route --------------------------------------------------------------------------------------

static void add_method(char allow[64], const char *method)
{
    g_strlcat(allow, allow[0] ? ", " : "", 64);
    g_strlcat(allow, method, 64);
}

// The route that answers, or NULL; `allow` gets the methods this path knows, none when it is no route's path.
static const struct route *find_route(struct exchange *x, char allow[64])
{
    enum http_method method = x->request->method == HTTP_HEAD ? HTTP_GET : x->request->method;
    const struct route *found = NULL;
    const char *path = NULL; // the first that fits
    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
        if ((path && strcmp(routes[i].path, path) != 0) || !exchange_matches(x, routes[i].path))
            continue;
        path = routes[i].path;
        add_method(allow, http_method_name(routes[i].method));
        if (routes[i].method == HTTP_GET)
            add_method(allow, "HEAD");
        if (routes[i].method == method && !found)
            found = &routes[i];
        x->has_success = (routes[i].needs & SUCCESS) != 0;
    }
    return found;
}

// ---- who may ------------------------------------------------------------------------------------------------

static bool take(struct bucket *buckets, const char *name, const struct http_request *request, int64_t now_us)
{
    bool is_harmless = request->method == HTTP_GET || request->method == HTTP_HEAD || request->method == HTTP_OPTIONS;
    return bucket_take(&buckets[g_str_hash(name) % VISITORS], is_harmless ? 0.1 : 1, now_us);
}

// False: refused and answered. In open mode nobody is asked; otherwise the identity is the bearer's.
static bool authorize(struct site *site, struct exchange *x, unsigned access)
{
    const struct hub *hub = x->hub;
    const char *bearer = http_bearer(x->request->authorization);
    char why[120] = "send a token: Authorization: Bearer <token>";
    if (access == NOTHING || auth_is_open(hub->auth))
        return true;
    if (bearer && auth_verify(hub->auth, bearer, hub->wall_ms, &x->bearer, why, sizeof(why)) == 0) {
        x->identity = &x->bearer;
        if (take(site->users, x->bearer.user, x->request, hub->now_us))
            return true;
        exchange_refuse(x, 429, "rate-limited", "too many requests with your token");
        return false;
    }
    // A route with its own idea of who may still wants somebody to have said something.
    if (access == ITS_OWN && bearer)
        return true;
    exchange_refuse(x, 401, "unauthorized", "%s", why);
    return false;
}

static void allow_origin(const struct exchange *x)
{
    const char *origin = x->request->origin;
    if (origin && http_origin_is_listed(x->hub->config, origin))
        g_strlcpy(x->response->allowed, origin, sizeof(x->response->allowed));
}

// ---- the answer ---------------------------------------------------------------------------------------------

static void serve_elsewhere(struct exchange *x)
{
    const struct http_request *request = x->request;
    bool is_get = request->method == HTTP_GET || request->method == HTTP_HEAD;
    if (strcmp(request->path, "/ws") == 0 && !is_get) {
        g_strlcpy(x->response->allow, "GET", sizeof(x->response->allow));
        return exchange_refuse(x, 405, "method-not-allowed", "a WebSocket is opened with GET");
    }
    if (strcmp(request->path, "/ws") == 0)
        return exchange_refuse(x, 400, "bad-request", "this is a WebSocket: ask for an upgrade");
    if (!pages_serve(x->hub->config, request, x->response))
        return exchange_refuse(x, 404, "not-found", "there is nothing here");
    if (is_get)
        return;
    g_strlcpy(x->response->allow, "GET, HEAD", sizeof(x->response->allow));
    exchange_refuse(x, 405, "method-not-allowed", "a page is only read");
}

// In open mode nothing but its address speaks for whoever asks, and browsers send some requests without asking first
// (Fetch, section 2.2.1): a page of somewhere else changes nothing. A token is not sent by itself.
static bool is_of_foreign_page(const struct exchange *x)
{
    const struct http_request *request = x->request;
    bool is_harmless = request->method == HTTP_GET || request->method == HTTP_HEAD || request->method == HTTP_OPTIONS;
    return !is_harmless && auth_is_open(x->hub->auth) &&
           !http_origin_may_connect(x->hub->config, request->origin, request->host);
}

// The methods of this path; for a page of FRONTEND_URL that asks before it sends (Fetch, section 3.2.2) the rest of
// what it may.
static void serve_options(struct exchange *x)
{
    struct http_response *response = x->response;
    response->status = 204;
    response->is_preflight = response->allowed[0] && x->request->asked_method;
    if (!response->allow[0])
        g_strlcpy(response->allow, "GET, HEAD", sizeof(response->allow));
}

void site_serve(struct site *site, struct exchange *x)
{
    char *allow = x->response->allow;
    allow_origin(x);
    const struct route *route = find_route(x, allow);
    if (!take(site->visitors, x->request->address, x->request, x->hub->now_us))
        return exchange_refuse(x, 429, "rate-limited", "too many requests from your address");
    if (x->request->method == HTTP_OPTIONS)
        return serve_options(x);
    bool is_get = x->request->method == HTTP_GET || x->request->method == HTTP_HEAD;
    if (!route && allow[0] && is_get && pages_serve(x->hub->config, x->request, x->response)) {
        allow[0] = '\0'; // a page has the name of a route that is not read
        return;
    }
    if (!route && allow[0])
        return exchange_refuse(x, 405, "method-not-allowed", "this route takes %s", allow);
    if (!route)
        return serve_elsewhere(x);
    allow[0] = '\0';
    if (is_of_foreign_page(x))
        return exchange_refuse(x, 403, "forbidden", "pages of %s may not use this server (FRONTEND_URL)",
                               x->request->origin);
    if ((route->needs & ACCESS) != NOTHING && !http_host_may_be_asked(x->hub->config, x->request->host))
        return exchange_refuse(x, 403, "forbidden", "without tokens this server is not asked as %s (FRONTEND_URL)",
                               x->request->host);
    if (authorize(site, x, route->needs & ACCESS) && exchange_read(x))
        route->serve(x);
}
