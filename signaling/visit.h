// How far is one HTTP request, from its headers to the last byte of its answer?
// SPDX-License-Identifier: MIT
//
// Knows no network library: the server feeds it what arrives and asks it what to write next.
#pragma once

#include "signaling/site.h"

enum {
    PATH_MAX_BYTES = 1023,
    BODY_PIECE = 16384, // bytes of an answer's body written at a time
    VISIT_HEADERS_MAX = 20,
};

// Filled in by the server while the headers can be read; `request` points into it.
struct visit {
    char path[PATH_MAX_BYTES + 1], host[256], origin[256], authorization[TOKEN_MAX + 16], content_type[128];
    char accept[256], if_none_match[128], if_range[128], range[128], asked_method[32], forwarded_for[256], address[64];
    char *query[HTTP_QUERY_MAX + 2]; // owned; one more than is taken, so that too many are seen
    struct http_request request;
    struct http_response response;
    struct exchange *exchange; // NULL: not begun
    GByteArray *body;
    struct hold hold; // the answer changed what is stored: it waits for that
    void (*late)(void *arg);
    void *arg;
    uint64_t written;
    bool has_headers; // written already
    bool is_last;     // the rest of the request is not read, so the connection cannot be used again
};

// `late` is called when there is an answer after all: visit_end() or visit_begin() had said that there is none yet.
struct visit *visit_new(enum http_method method, const char *path, bool is_tls, void (*late)(void *arg), void *arg);
void visit_free(struct visit *visit);                         // NULL is allowed
void visit_add_query(struct visit *visit, const char *field); // "name=value", decoded

// The headers are in. `content_length` is their text or NULL. Returns whether there is an answer already; otherwise
// the body is to follow, or the answer comes later.
bool visit_begin(struct visit *visit, struct site *site, const char *content_length, bool is_chunked);
// A piece of the body. False: it is longer than it said.
bool visit_rx(struct visit *visit, const void *data, size_t len);
// All of the body is in. Returns whether that makes an answer now.
bool visit_end(struct visit *visit, struct site *site);

// The headers of the answer besides content type and length; empty ones are not to be sent.
size_t visit_headers(const struct visit *visit, struct http_header headers[VISIT_HEADERS_MAX]);
// The next bytes of the body, at most `size`: how many they are, -EAGAIN (ask again in some milliseconds) or -EIO
// (the rest cannot be had).
ssize_t visit_tx(struct visit *visit, unsigned char *out, size_t size);
bool visit_is_written(const struct visit *visit);
bool visit_is_late(const struct visit *visit); // the whole request is in, its answer is not there yet
