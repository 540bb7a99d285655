// What do the routes of rooms do?
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include <string.h>

#include "signaling/crypto.h"
#include "signaling/presence.h"
#include "signaling/qr.h"

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
    exchange_refuse(x, 403, "forbidden", "the token's `room` does not name %s", room);
    return false;
}

void api_post_rooms(struct exchange *x)
{
    struct hub *hub = x->hub;
    char id[ROOM_ID_MAX + 1];
    const char *wish = field_id(&x->body, "roomId", is_room_id);
    crypto_uuid(id);
    if (wish)
        g_strlcpy(id, wish, sizeof(id));
    if (exchange_is_wrong(x) || !may_use(x, id))
        return;
    if (hub->is_draining)
        return exchange_refuse(x, 503, "room-closed", "the server is about to stop");
    if (roster_find(&hub->roster, id))
        return exchange_refuse(x, 409, "busy", "there is a room %s already", id);
    if (roster_room_count(&hub->roster) >= hub->config->max_rooms)
        return exchange_refuse(x, 429, "room-full", "the server has no place for another room (MAX_ROOMS)");
    struct room *room = roster_add(&hub->roster, id, hub->now_us, hub->wall_ms);
    room->is_reserved = true;
    exchange_answer(x, 201, room_json(x, room));
}

static struct room *need_room(struct exchange *x)
{
    const char *id = exchange_param(x, "id");
    struct room *room = roster_find(&x->hub->roster, id);
    if (!room)
        exchange_refuse(x, 404, "not-found", "there is no room %s", id);
    return room;
}

void api_get_room(struct exchange *x)
{
    if (!may_use(x, exchange_param(x, "id")))
        return;
    const struct room *room = need_room(x);
    if (room)
        exchange_answer(x, 200, room_json(x, room));
}

static const struct participant *host_with_token(const struct room *room, const char *bearer)
{
    const struct participant *p = bearer ? room_find_token(room, bearer) : NULL;
    return p && p->role == ROLE_HOST ? p : NULL;
}

void api_delete_room(struct exchange *x)
{
    const struct hub *hub = x->hub;
    const char *id = exchange_param(x, "id");
    struct room *room = roster_find(&hub->roster, id);
    const char *bearer = http_bearer(x->request->authorization);
    const struct participant *host = room ? host_with_token(room, bearer) : NULL;
    const struct identity *identity = x->identity;
    bool is_trusted = auth_is_open(hub->auth) && !bearer && http_address_is_loopback(x->request->address);
    bool is_host = identity && identity->role == ROLE_HOST && identity_covers(identity, id);
    if (!host && !is_trusted && !is_host)
        return exchange_refuse(x, 403, "forbidden", "only a host of the room may close it");
    if (!need_room(x))
        return;
    char by[USER_MAX + 1] = "";
    g_strlcpy(by, host ? host->user : is_host ? identity->user : "", sizeof(by));
    presence_close(room, by[0] ? by : NULL, NULL);
    exchange_answer(x, 200, json_pack("{s:s, s:b}", "roomId", id, "closed", true));
}
