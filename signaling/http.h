// What is an HTTP request, and what do our answers have in common? (shapes, errors, security headers, CORS)
// SPDX-License-Identifier: MIT
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "signaling/config.h"
#include "signaling/filepart.h"
#include "signaling/limits.h"

enum {
    HTTP_BODY_MAX = 65536, // bytes of a request's body
    HTTP_QUERY_MAX = 32,   // fields of a query
};

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
    const char *path;         // without query, percent-decoded
    const char *const *query; // "name=value", percent-decoded, NULL-terminated; or NULL
    const char *host, *origin, *authorization, *accept, *content_type, *if_none_match, *range, *if_range;
    const char *asked_method;  // Access-Control-Request-Method: this is a preflight
    const char *forwarded_for; // X-Forwarded-For, as somebody on the way says: not proven
    const char *body;          // body_len bytes and a NUL
    size_t body_len;
    const char *address; // of the peer
    bool is_tls;
};

struct http_response {
    int status;
    const char *content_type; // NULL: no body
    char *body;               // owned
    size_t body_len;
    struct filepart *file; // owned; instead of the body, or NULL
    char etag[64];
    char content_range[80];
    char disposition[160]; // Content-Disposition
    char retry_after[12];  // seconds
    char allow[64];        // methods a 405 suggests
    char allowed[256];     // the origin CORS lets in
    bool is_preflight;     // with the rest of CORS's permissions
    bool has_ranges;       // Range is understood
};

struct http_header {
    const char *name, *value;
};

// On every answer of the server; names end in a colon, the list in {NULL}.
extern const struct http_header http_security_headers[];

const char *http_method_name(enum http_method method);

void http_response_clear(struct http_response *response);

// Bytes of what follows the headers, whichever it is.
uint64_t http_response_size(const struct http_response *response);

// JSON with that status; takes json.
void http_json(struct http_response *response, int status, json_t *json);
// {"error": {"code", "message"}}
__attribute__((format(printf, 4, 5))) void http_error(struct http_response *response, int status, const char *code,
                                                      const char *format, ...);

// A file, whole or the part that is asked for: 200, 206, 304 or 416 with ETag, Range and If-Range of RFC 9110
// sections 13 and 14; 404 when there is no such file. It is sent piece by piece, however large it is.
void http_file(struct http_response *response, const struct http_request *request, const char *path,
               const char *content_type);

// Whether If-None-Match (a list, or *) has this validator; NULL: there is no such header.
bool http_etag_is_known(const char *if_none_match, const char *etag);

// The token of "Authorization: Bearer <token>", or NULL.
const char *http_bearer(const char *authorization);

// "https://example.org:8443" names the host "example.org:8443".
bool http_origin_is_host(const char *origin, const char *host);
bool http_origin_is_loopback(const char *origin);
// Whether FRONTEND_URL has it.
bool http_origin_is_listed(const struct config *config, const char *origin);
// Whether a page of that origin may open a WebSocket here (RFC 6455 section 10.2). No origin: not a browser.
bool http_origin_may_connect(const struct config *config, const char *origin, const char *host);
// Whether what a Host header names may be asked. In open mode a foreign name may have been pointed at this machine,
// by a page that then reads what it says (DNS rebinding): only addresses, localhost, and the hosts of FRONTEND_URL
// and APP_DOMAIN.
bool http_host_may_be_asked(const struct config *config, const char *host);

bool http_address_is_loopback(const char *address);

// "http://localhost:3001": where a person on this machine finds what listens on bind (NULL: everywhere).
void http_url(char *out, size_t size, bool is_tls, const char *bind, int port);
