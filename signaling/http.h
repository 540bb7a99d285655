// What is an HTTP request, and what do our answers have in common? (shapes, errors, security headers, CORS)
// SPDX-License-Identifier: MIT
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "signaling/config.h"

enum { HTTP_BODY_MAX = 65536 }; // bytes of a request's body

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT
};

// Everything is borrowed for the time of the answer. Headers are NULL when the request has none of that name.
struct http_request {
    enum http_method method;
    const char *path; // without query, percent-decoded
    const char *host, *origin, *authorization, *content_type, *if_none_match;
    const char *body; // body_len bytes and a NUL
    size_t body_len;
    const char *address; // of the peer
    bool is_tls;
};

struct http_response {
    int status;
    const char *content_type; // NULL: no body
    char *body;               // owned
    size_t body_len;
    char etag[64];
    char allow[64];    // methods a 405 suggests
    char allowed[256]; // the origin CORS lets in
    bool is_preflight; // with the rest of CORS's permissions
};

struct http_header {
    const char *name, *value;
};

// On every answer of the server; names end in a colon, the list in {NULL}.
extern const struct http_header http_security_headers[];

const char *http_method_name(enum http_method method);

void http_response_clear(struct http_response *response);

// JSON with that status; takes json.
void http_json(struct http_response *response, int status, json_t *json);
// {"error": {"code", "message"}}
__attribute__((format(printf, 4, 5))) void http_error(struct http_response *response, int status, const char *code,
                                                      const char *format, ...);

// The token of "Authorization: Bearer <token>", or NULL.
const char *http_bearer(const char *authorization);

// "https://example.org:8443" names the host "example.org:8443".
bool http_origin_is_host(const char *origin, const char *host);
bool http_origin_is_loopback(const char *origin);
// Whether FRONTEND_URL has it.
bool http_origin_is_listed(const struct config *config, const char *origin);
// Whether a page of that origin may open a WebSocket here (RFC 6455 section 10.2). No origin: not a browser.
bool http_origin_may_connect(const struct config *config, const char *origin, const char *host);

bool http_address_is_loopback(const char *address);
