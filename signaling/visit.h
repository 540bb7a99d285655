// How far is one HTTP request, from its headers to the last byte of its answer?
// SPDX-License-Identifier: MIT
//
// Knows no network library: the server feeds it what arrives and asks it what to write next.
#pragma once

#include "signaling/site.h"

enum {
    PATH_MAX_BYTES = 1023,
    BODY_PIECE = 16384, // bytes of an answer's body written at a time
    VISIT_HEADERS_MAX = 10,
};

// Filled in by the server while the headers can be read; `request` points into it.
struct visit {
    char path[PATH_MAX_BYTES + 1], host[256], origin[256], authorization[TOKEN_MAX + 16], content_type[128];
    char if_none_match[128], address[64];
    struct http_request request;
    struct http_response response;
    GByteArray *body;
    size_t written;
    bool is_last; // the rest of the request is not read, so the connection cannot be used again
};

struct visit *visit_new(enum http_method method, const char *path, bool is_tls);
void visit_free(struct visit *visit); // NULL is allowed

// The headers are in. `content_length` is their text or NULL. Returns whether there is an answer already; otherwise
// the body is to follow.
bool visit_begin(struct visit *visit, struct site *site, const char *content_length, bool is_chunked);
// A piece of the body. False: it is longer than it said.
bool visit_rx(struct visit *visit, const void *data, size_t len);
// All of the body is in. Returns whether that makes an answer.
bool visit_end(struct visit *visit, struct site *site);

// The headers of the answer besides content type and length; empty ones are not to be sent.
size_t visit_headers(const struct visit *visit, struct http_header headers[VISIT_HEADERS_MAX]);
// How many bytes of the body are to be written now, and which.
size_t visit_tx(struct visit *visit, const char **data);
bool visit_is_written(const struct visit *visit);
