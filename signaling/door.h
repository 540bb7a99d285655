// Who may open a WebSocket, and what is known of them then?
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/http.h"
#include "signaling/session.h"

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

// False: refused, and response says why. An identity is to be cleared in any case.
bool door_open(const struct hub *hub, const struct http_request *request, const struct door_query *query,
               struct door *door, struct http_response *response);
