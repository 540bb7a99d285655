// Who may open a WebSocket, and what is known of them then?
// SPDX-License-Identifier: MIT
#include "signaling/door.h"

#include <errno.h>
#include <string.h>

#include "signaling/hub.h"

static bool read_identity(const struct hub *hub, const char *token, struct door *door, struct http_response *response)
{
    char why[120];
    if (!token || auth_is_open(hub->auth))
        return true;
    int rc = auth_verify(hub->auth, token, hub->wall_ms, &door->identity, why, sizeof(why));
    door->has_identity = rc == 0;
    if (rc == 0 && hub_user_is_full(hub, door->identity.user)) {
        http_error(response, 429, "rate-limited",
                   "too many connections of yours are open (MAX_CONNECTIONS_PER_USER)");
        return false;
    }
    // A call may outlast its token: whoever was let in before may knock, and has a session token to show.
    if (rc == 0 || rc == -ETIME)
        return true;
    http_error(response, 401, "unauthorized", "%s", why);
    return false;
}

static void read_user(const struct hub *hub, const struct door_query *query, struct door *door)
{
    if (!auth_is_open(hub->auth) || !query->user)
        return;
    g_strlcpy(door->user, query->user, sizeof(door->user));
    if (query->name && strlen(query->name) < sizeof(door->name) && g_utf8_validate(query->name, -1, NULL))
        g_strlcpy(door->name, query->name, sizeof(door->name));
}

bool door_open(const struct hub *hub, const struct http_request *request, const struct door_query *query,
               struct door *door, struct http_response *response)
{
    const char *dialect = query->dialect, *token = query->token;
    *door = (struct door){.dialect = dialect ? dialect_find(dialect) : NULL};
    read_user(hub, query, door);
    g_strlcpy(door->address, request->address ? request->address : "", sizeof(door->address));
    if (strcmp(request->path, "/ws") != 0)
        http_error(response, 404, "not-found", "the WebSocket is at /ws");
    else if (!http_origin_may_connect(hub->config, request->origin, request->host))
        http_error(response, 403, "forbidden", "pages of %s may not use this server (FRONTEND_URL)", request->origin);
    else if (hub_is_full(hub))
        http_error(response, 503, "busy", "no place for another connection (MAX_CONNECTIONS)");
    else if (hub_place_is_full(hub, door->address))
        http_error(response, 429, "rate-limited",
                   "too many connections from your address are open (MAX_CONNECTIONS_PER_ADDRESS)");
    else if (dialect && !door->dialect)
        http_error(response, 400, "bad-field", "dialect: not one this server speaks");
    else if (query->user && auth_is_open(hub->auth) && !is_user_id(query->user))
        http_error(response, 400, "bad-field", "user: not an id this server takes");
    else
        return read_identity(hub, token ? token : http_bearer(request->authorization), door, response);
    return false;
}
