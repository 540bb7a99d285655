// What does one HTTP request ask in typed fields, and how is it answered, now or later?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. A route's handler (api_*.c) gets an exchange whose bearer is checked and whose body is
// read. It answers at once (exchange_answer, exchange_answer_file, exchange_refuse), or calls exchange_defer(),
// keeps the ticket and answers when exchange_find() still knows it: an exchange lives as long as its connection, and
// at most DEFER_MAX_S after it was deferred; then it is answered 504.
#pragma once

#include "signaling/http.h"
#include "signaling/session.h"

enum {
    PARAMS_MAX = 4,
    DEFER_MAX_S = 10,
    PAGE_LIMIT_MAX = 100,
    PAGE_LIMIT = 10,      // unless asked otherwise
    PAGE_LAST = 10000000, // page * limit stays an int
};

struct exchange {
    struct hub *hub;
    const struct http_request *request;
    struct http_response *response;

    // Filled in by the site before the handler runs.
    const struct identity *identity; // of the bearer; NULL in open mode and on open routes
    struct fields body;              // of the JSON body; empty when there is none
    struct fields query;             // of the URL's query; numbers and booleans are read from texts
    struct fault fault;              // what was wrong with a field: see exchange_is_wrong()
    bool has_success;                // answers are {success: true, data} and {success: false, error}
    uint64_t peer;                   // of the media server, whose answer it waits for; 0: of none

    // Private.
    struct identity bearer;
    const char *pattern; // of the route, with its ":names"
    char *path, *params[PARAMS_MAX];
    json_t *body_json, *query_json;
    uint64_t ticket; // 0: not deferred
    int64_t deadline_us;
    void (*late)(void *arg);
    void *late_arg;
};

// `request` and `response` stay the caller's and must outlive it. `late` is called when a deferred answer has come,
// from within whatever gave it.
struct exchange *exchange_new(struct hub *hub, const struct http_request *request, struct http_response *response,
                              void (*late)(void *arg), void *late_arg);
void exchange_free(struct exchange *exchange); // NULL is allowed

// Whether the path is of that pattern ("/calls/:id/media"; a parameter is one segment, not empty); then
// exchange_param() knows its parameters.
bool exchange_matches(struct exchange *exchange, const char *pattern);
const char *exchange_param(const struct exchange *exchange, const char *name); // must be in the pattern

// Reads query and body. False: refused (415, 400) and answered.
bool exchange_read(struct exchange *exchange);

// ---- answering ----------------------------------------------------------------------------------------------

void exchange_answer(struct exchange *exchange, int status, json_t *json); // takes json
// With http_file(), in what the request asks for of it.
void exchange_answer_file(struct exchange *exchange, const char *path, const char *content_type);
__attribute__((format(printf, 4, 5))) void exchange_refuse(struct exchange *exchange, int status, const char *code,
                                                           const char *format, ...);
// With the status that fits the code.
void exchange_fail(struct exchange *exchange, const struct fault *fault);
// For handlers, after reading their fields: true when one was wrong, and answered.
bool exchange_is_wrong(struct exchange *exchange);

// ---- lists --------------------------------------------------------------------------------------------------

struct page {
    int page, limit; // from 1
    int offset;      // of the first item, from 0
};

struct page exchange_page(struct exchange *exchange); // ?page=&limit=; wrong ones are a fault
// {<name>: items, page, limit, total}; takes items.
void exchange_answer_page(struct exchange *exchange, const struct page *page, const char *name, json_t *items,
                          int64_t total);

// ---- later --------------------------------------------------------------------------------------------------

// The ticket is never 0 and comes from the same numbers as the tags of sfu.h, so it may be one.
uint64_t exchange_defer(struct exchange *exchange);
bool exchange_is_deferred(const struct exchange *exchange); // and not answered yet
// NULL: answered already, timed out, or the client is gone.
struct exchange *exchange_find(const struct hub *hub, uint64_t ticket);
// The peer is gone: who waits for what it was asked is answered with the fault.
void exchange_fail_peer(struct hub *hub, uint64_t peer, const struct fault *fault);
void exchange_tick(struct hub *hub);    // answers 504 to those that waited too long
void exchange_end_all(struct hub *hub); // the hub goes: none of them is answered any more
