// What does each HTTP route do? (health, ICE servers, rooms)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/http.h"
#include "signaling/session.h"

// One request on its way to its answer.
struct exchange {
    struct hub *hub;
    const struct http_request *request;
    struct http_response *response;
    const struct identity *identity; // of the bearer; NULL in open mode and on open routes
    const char *param;               // what stands for :id in the path, or NULL
};

void api_health(struct exchange *exchange);
void api_get_ice_servers(struct exchange *exchange);
void api_post_rooms(struct exchange *exchange);
void api_get_room(struct exchange *exchange);
void api_delete_room(
    struct exchange *exchange); // by a host's token, a host's sessionToken, or from loopback in open mode
