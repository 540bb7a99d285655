// Who may open a WebSocket, and what is known of them then?
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/http.h"
#include "signaling/session.h"

#define DOOR_PROTOCOL "roda" // the one subprotocol; nobody has to ask for it

struct door {
    const struct dialect *dialect; // NULL: the first message will tell
    char address[64];              // of the peer
    bool has_identity;
    struct identity identity; // owned
    char user[USER_MAX + 1];  // open mode: whose socket it says it is, or ""
    char name[NAME_MAX_BYTES + 1];
};

// What the query of the URL says; NULL: nothing. `user` and `name` are for open mode.
struct door_query {
    const char *token, *dialect, *user, *name;
};

// What a request to become a WebSocket brings; NULL: it has no such header, or one too long to be right.
struct handshake {
    const char *http, *host, *upgrade, *connection, *version, *key, *protocol;
    bool is_get;
};

// Whether it is one of RFC 6455 section 4.2.1. False: refused (400, 405, 426), and response says why.
bool door_handshake(const struct handshake *handshake, struct http_response *response);

// False: refused, and response says why. An identity is to be cleared in any case.
bool door_open(const struct hub *hub, const struct http_request *request, const struct door_query *query,
               struct door *door, struct http_response *response);
void door_free(struct door *door); // allocated with g_new0(); NULL is allowed
