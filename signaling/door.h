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
};

// `token` and `dialect` are what the query of the URL says, or NULL. False: refused, and response says why. An
// identity is to be cleared in any case.
bool door_open(const struct hub *hub, const struct http_request *request, const char *token, const char *dialect,
               struct door *door, struct http_response *response);
