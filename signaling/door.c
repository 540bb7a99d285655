// Who may open a WebSocket, and what is known of them then?
// SPDX-License-Identifier: MIT
#include "signaling/door.h"

#include <errno.h>
#include <string.h>

#include "signaling/hub.h"

enum { KEY_CHARS = 24 }; // 16 bytes in base64, two of them padding

// Whether a comma-separated list has that token, in whatever case (RFC 9110 section 5.6.1).
static bool list_has(const char *list, const char *token)
{
    char **items = g_strsplit(list ? list : "", ",", -1);
    bool found = false;
    for (char **item = items; *item && !found; item++)
        found = g_ascii_strcasecmp(g_strstrip(*item), token) == 0;
    g_strfreev(items);
    return found;
}

static bool is_key(const char *key)
{
    if (!key || strlen(key) != KEY_CHARS || strcmp(key + KEY_CHARS - 2, "==") != 0)
        return false;
    for (int i = 0; i < KEY_CHARS - 2; i++)
        if (!g_ascii_isalnum(key[i]) && !strchr("+/", key[i]))
            return false;
    return true;
}

bool door_handshake(const struct handshake *h, struct http_response *response)
{
    if (!h->is_get) {
        g_strlcpy(response->allow, "GET", sizeof(response->allow));
        http_error(response, 405, "method-not-allowed", "a WebSocket is opened with GET");
    } else if (!h->http || strcmp(h->http, "HTTP/1.1") != 0)
        http_error(response, 400, "bad-request", "a WebSocket is opened over HTTP/1.1");
    else if (!h->host)
        http_error(response, 400, "bad-request", "Host: missing, or too long");
    else if (!list_has(h->upgrade, "websocket") || !list_has(h->connection, "upgrade"))
        http_error(response, 400, "bad-request", "this is a WebSocket: ask for an upgrade");
    else if (!h->version || strcmp(h->version, "13") != 0)
        http_error(response, 426, "bad-request", "Sec-WebSocket-Version: 13 is the one spoken here");
    else if (!is_key(h->key))
        http_error(response, 400, "bad-request", "Sec-WebSocket-Key: not 16 bytes in base64");
    else if (h->protocol && !list_has(h->protocol, DOOR_PROTOCOL))
        http_error(response, 400, "bad-request", "Sec-WebSocket-Protocol: leave it out, or ask for " DOOR_PROTOCOL);
    else
        return true;
    return false;
}

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

void door_free(struct door *door)
{
    if (!door)
        return;
    identity_clear(&door->identity);
    g_free(door);
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
