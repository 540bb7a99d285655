// What does each HTTP route do? (health, ICE servers, rooms)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include <string.h>

#include "signaling/crypto.h"
#include "signaling/ice_servers.h"
#include "signaling/presence.h"
#include "signaling/qr.h"

void api_health(struct exchange *x)
{
    const struct hub *hub = x->hub;
    http_json(x->response, hub->is_draining ? 503 : 200,
              json_pack("{s:s, s:I, s:I, s:i, s:i, s:i}", "status", hub->is_draining ? "draining" : "ok", "timestamp",
                        (json_int_t)hub->wall_ms, "uptime", (json_int_t)((hub->now_us - hub->started_us) / 1000000),
                        "rooms", (int)roster_room_count(&hub->roster), "participants",
                        (int)hub->roster.participant_count, "connections", (int)hub->sessions->len));
}

void api_get_ice_servers(struct exchange *x)
{
    const char *user = x->identity ? x->identity->user : "guest";
    http_json(x->response, 200,
              json_pack("{s:o, s:I}", "iceServers", ice_servers(x->hub->config, user, x->hub->wall_ms), "ttl",
                        (json_int_t)x->hub->config->turn_ttl));
}

// ---- rooms --------------------------------------------------------------------------------------------------

// A Host header is a name or an address, perhaps with a port; anything else is not put into a link.
static bool is_host(const char *host)
{
    for (const char *c = host; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr(".-:[]", *c))
            return false;
    return *host && strlen(host) < 256;
}

static char *join_url(const struct exchange *x, const char *room)
{
    const struct config *config = x->hub->config;
    if (config->app_domain)
        return g_strdup_printf("%s/participant/%s", config->app_domain, room);
    const char *host = x->request->host && is_host(x->request->host) ? x->request->host : "localhost";
    return g_strdup_printf("%s://%s/participant/%s", x->request->is_tls ? "https" : "http", host, room);
}

static json_t *room_json(const struct exchange *x, const struct room *room)
{
    char created[TIMESTAMP_SIZE];
    timestamp_print(created, room->created_ms);
    char *url = join_url(x, room->id);
    char *qr = qr_data_url(url);
    json_t *json = json_pack("{s:s, s:s, s:s?, s:b, s:i, s:s}", "roomId", room->id, "joinURL", url, "qrDataUrl", qr,
                             "isActive", room->participants->len > 0, "participantCount",
                             (int)room->participants->len, "createdAt", created);
    g_free(url);
    g_free(qr);
    return json;
}

static bool may_use(struct exchange *x, const char *room)
{
    if (!x->identity || identity_covers(x->identity, room))
        return true;
    http_error(x->response, 403, "forbidden", "the token's `room` does not name %s", room);
    return false;
}

// The body may be empty; `roomId` in it is optional. False when it was wrong and answered.
static bool read_wish(struct exchange *x, char room[ROOM_ID_MAX + 1])
{
    const struct http_request *request = x->request;
    crypto_uuid(room);
    if (request->body_len == 0)
        return true;
    if (!request->content_type || !g_str_has_prefix(request->content_type, "application/json")) {
        http_error(x->response, 415, "unsupported-media-type", "the body must be application/json");
        return false;
    }
    json_t *json = json_loadb(request->body, request->body_len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *id = json_object_get(json, "roomId");
    bool is_id = json_is_string(id) && is_room_id(json_string_value(id));
    if (!json_is_object(json))
        http_error(x->response, 400, "bad-json", "the body must be a JSON object");
    else if (id && !is_id)
        http_error(x->response, 400, "bad-field", "roomId: 1 to %d letters, digits and - . _ ~", ROOM_ID_MAX);
    else if (id)
        g_strlcpy(room, json_string_value(id), ROOM_ID_MAX + 1);
    bool ok = json_is_object(json) && (!id || is_id);
    json_decref(json);
    return ok;
}

void api_post_rooms(struct exchange *x)
{
    struct hub *hub = x->hub;
    char id[ROOM_ID_MAX + 1];
    if (!read_wish(x, id) || !may_use(x, id))
        return;
    if (hub->is_draining)
        return http_error(x->response, 503, "room-closed", "the server is about to stop");
    if (roster_find(&hub->roster, id))
        return http_error(x->response, 409, "busy", "there is a room %s already", id);
    if (roster_room_count(&hub->roster) >= hub->config->max_rooms)
        return http_error(x->response, 429, "room-full", "the server has no place for another room (MAX_ROOMS)");
    struct room *room = roster_add(&hub->roster, id, hub->now_us, hub->wall_ms);
    room->is_reserved = true;
    http_json(x->response, 201, room_json(x, room));
}

static struct room *need_room(struct exchange *x)
{
    struct room *room = roster_find(&x->hub->roster, x->param);
    if (!room)
        http_error(x->response, 404, "not-found", "there is no room %s", x->param);
    return room;
}

void api_get_room(struct exchange *x)
{
    if (!may_use(x, x->param))
        return;
    const struct room *room = need_room(x);
    if (room)
        http_json(x->response, 200, room_json(x, room));
}

static const struct participant *host_with_token(const struct room *room, const char *bearer)
{
    const struct participant *p = bearer ? room_find_token(room, bearer) : NULL;
    return p && p->role == ROLE_HOST ? p : NULL;
}

void api_delete_room(struct exchange *x)
{
    const struct hub *hub = x->hub;
    struct room *room = roster_find(&hub->roster, x->param);
    const char *bearer = http_bearer(x->request->authorization);
    const struct participant *host = room ? host_with_token(room, bearer) : NULL;
    const struct identity *identity = x->identity;
    bool is_trusted = auth_is_open(hub->auth) && !bearer && http_address_is_loopback(x->request->address);
    bool is_host = identity && identity->role == ROLE_HOST && identity_covers(identity, x->param);
    if (!host && !is_trusted && !is_host)
        return http_error(x->response, 403, "forbidden", "only a host of the room may close it");
    if (!need_room(x))
        return;
    char by[USER_MAX + 1] = "";
    g_strlcpy(by, host ? host->user : is_host ? identity->user : "", sizeof(by));
    presence_close(room, by[0] ? by : NULL, NULL);
    http_json(x->response, 200, json_pack("{s:s, s:b}", "roomId", x->param, "closed", true));
}
