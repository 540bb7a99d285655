// Which route answers this HTTP request? (one table)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/exchange.h"

enum {
    VISITORS = 1024, // addresses (and users) share a bucket when they fall on the same place
    REQUESTS_PER_S = 20,
    REQUESTS_BURST = 100,     // a request that changes nothing counts a tenth
    USER_REQUESTS_PER_S = 10, // of one bearer, from wherever
    USER_REQUESTS_BURST = 50,
};

struct site {
    struct hub *hub;
    struct bucket visitors[VISITORS]; // by address
    struct bucket users[VISITORS];    // by user id
};

// The path of that row of the table, from 0, and its method; NULL: there are no more.
const char *site_route(size_t row, enum http_method *method);

struct site *site_new(struct hub *hub);
void site_free(struct site *site);

// Fills in exchange->response, unless exchange_is_deferred() afterwards.
void site_serve(struct site *site, struct exchange *exchange);
