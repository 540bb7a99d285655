// What do the routes of rooms do?
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include <string.h>

#include "signaling/crypto.h"
#include "signaling/events.h"
#include "signaling/gate.h"
#include "signaling/hooks.h"
#include "signaling/presence.h"
#include "signaling/qr.h"
#include "signaling/recording.h"

// ---- a room as JSON -----------------------------------------------------------------------------------------

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

static void set_time(json_t *json, const char *name, int64_t wall_ms)
{
    char text[TIMESTAMP_SIZE];
    timestamp_print(text, wall_ms);
    json_object_set_new(json, name, json_string(text));
}

// When it goes if nothing happens; null while that cannot be known.
static void set_expiry(json_t *json, const struct exchange *x, const struct room *room)
{
    const struct hub *hub = x->hub;
    bool is_empty = room->participants->len == 0 && room->knocks->len == 0;
    int64_t empty_ms = (hub->now_us - room->empty_since_us) / 1000;
    if (room->expires_ms)
        set_time(json, "expiresAt", room->expires_ms);
    else if (is_empty)
        set_time(json, "expiresAt", hub->wall_ms - empty_ms + hub->config->room_ttl * 1000);
    else
        json_object_set_new(json, "expiresAt", json_null());
}

static json_t *room_json(const struct exchange *x, const struct room *room)
{
    char *url = join_url(x, room->id);
    char *qr = qr_data_url(url);
    json_t *json = room_rules_json(room), *rest;
    rest = json_pack("{s:s, s:s, s:s?, s:b, s:i}", "roomId", room->id, "joinURL", url, "qrDataUrl", qr, "isActive",
                     room->participants->len > 0, "participantCount", (int)room->participants->len);
    json_object_update_new(json, rest);
    json_object_set_new(json, "recording", recording_json(room));
    set_time(json, "createdAt", room->created_ms);
    set_expiry(json, x, room);
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

// What a room asks of its guests is for its hosts to say.
static bool may_wish(struct exchange *x, const struct policy_wish *wish, const char *id)
{
    const struct identity *identity = x->identity;
    bool is_plain = !wish->has_password && !wish->has_expiry && !wish->max_participants && wish->waiting_room < 0 &&
                    wish->locked < 0;
    struct fault fault = {0};
    if (wish->record == 1 && !recording_is_possible(x->hub, &fault))
        return exchange_fail(x, &fault), false;
    if (wish->record >= 0 && !recording_may_identity(identity, id))
        return exchange_refuse(x, 403, "forbidden", "the token may not record room %s", id), false;
    if (!identity || identity->role == ROLE_HOST || is_plain)
        return true;
    exchange_refuse(x, 403, "forbidden", "only a token of role host sets what a room asks of its guests");
    return false;
}

static bool has_place(struct exchange *x, const char *id)
{
    struct hub *hub = x->hub;
    struct fault fault = {0};
    if (hub->is_draining)
        return exchange_refuse(x, 503, "room-closed", "the server is about to stop"), false;
    if (roster_find(&hub->roster, id))
        return exchange_refuse(x, 409, "busy", "there is a room %s already", id), false;
    if (presence_may_make_room(hub, x->identity, &fault))
        return true;
    exchange_refuse(x, 429, error_name(fault.error), "%s", fault.text);
    return false;
}

void api_post_rooms(struct exchange *x)
{
    struct hub *hub = x->hub;
    char id[ROOM_ID_MAX + 1];
    struct policy_wish wish;
    const char *wanted = field_id(&x->body, "roomId", is_room_id);
    policy_wish_read(&wish, &x->body, hub->config->max_participants);
    crypto_uuid(id);
    if (wanted)
        g_strlcpy(id, wanted, sizeof(id));
    if (exchange_is_wrong(x) || !may_use(x, id) || !may_wish(x, &wish, id) || !has_place(x, id))
        return;
    if (wish.password && !gate_may_hash(hub, &x->fault))
        return exchange_fail(x, &x->fault);
    struct room *room = roster_add(&hub->roster, id, hub->now_us, hub->wall_ms);
    room->is_reserved = true;
    g_strlcpy(room->owner, x->identity ? x->identity->user : "", sizeof(room->owner));
    hooks_room_created(room);
    presence_change(room, &wish, NULL);
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

// The room, when whoever asks may rule it: a token of role host, the session token of a host in it, or in open mode
// this machine itself. `by` is who that is, or "". NULL: refused and answered.
static struct room *need_own_room(struct exchange *x, char by[USER_MAX + 1])
{
    const struct hub *hub = x->hub;
    const char *id = exchange_param(x, "id");
    struct room *room = roster_find(&hub->roster, id);
    const char *bearer = http_bearer(x->request->authorization);
    const struct participant *host = room ? host_with_token(room, bearer) : NULL;
    const struct identity *identity = x->identity;
    bool is_trusted = auth_is_open(hub->auth) && !bearer && http_address_is_loopback(x->request->address);
    bool is_host = identity && identity->role == ROLE_HOST && identity_covers(identity, id);
    g_strlcpy(by, host ? host->user : is_host ? identity->user : "", USER_MAX + 1);
    if (host || is_trusted || is_host)
        return need_room(x);
    exchange_refuse(x, 403, "forbidden", "only a host of the room may do that");
    return NULL;
}

void api_patch_room(struct exchange *x)
{
    char by[USER_MAX + 1];
    struct policy_wish wish;
    policy_wish_read(&wish, &x->body, x->hub->config->max_participants);
    struct room *room = need_own_room(x, by);
    struct fault fault = {0};
    if (!room || exchange_is_wrong(x) || (wish.record >= 0 && !recording_need_room(x, by)))
        return;
    if (wish.record == 1 && !recording_is_possible(x->hub, &fault))
        return exchange_fail(x, &fault);
    if (wish.password && !gate_may_hash(x->hub, &x->fault))
        return exchange_fail(x, &x->fault);
    presence_change(room, &wish, by[0] ? by : NULL);
    exchange_answer(x, 200, room_json(x, room));
}

void api_delete_room(struct exchange *x)
{
    char by[USER_MAX + 1];
    struct room *room = need_own_room(x, by);
    if (!room)
        return;
    presence_close(room, by[0] ? by : NULL, NULL);
    exchange_answer(x, 200, json_pack("{s:s, s:b}", "roomId", exchange_param(x, "id"), "closed", true));
}
