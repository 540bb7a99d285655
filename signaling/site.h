// Which route answers this HTTP request? (one table)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/http.h"
#include "signaling/session.h"

enum {
    VISITORS = 1024, // addresses share a bucket when they fall on the same place
    REQUESTS_PER_S = 20,
    REQUESTS_BURST = 100, // a request that changes nothing counts a tenth
};

struct site {
    struct hub *hub;
    struct bucket visitors[VISITORS];
};

struct site *site_new(struct hub *hub);
void site_free(struct site *site);

// Fills in the answer; http_response_clear() afterwards.
void site_serve(struct site *site, const struct http_request *request, struct http_response *response);
