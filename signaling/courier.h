// How are events posted to other servers, over and over until they are taken? (the only file that knows libcurl)
// SPDX-License-Identifier: MIT
//
// A thread of its own; the functions here are of the signaling thread and never wait, but courier_stop().
//
// Parcels of one url and one subject go out in the order they came, the next when the one before is done; others go
// side by side, COURIER_LANES to one url. Taken is a parcel that is answered with 2xx. Everything else is tried
// again, after 1 s, 2 s, 4 s ... 1 h, each a half more or less, until the parcel is PARCEL_AGE_MAX_S old; 410 (Gone)
// ends it at once. Redirections are not followed, and of an answer's body no more than COURIER_ANSWER_MAX is read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COURIER_LANES = 4, // requests to one url at a time
    COURIER_ANSWER_MAX = 65536,
    COURIER_RETRY_MIN_MS = 1000,
    COURIER_RETRY_MAX_MS = 3600000,
    PARCEL_AGE_MAX_S = 86400,
    SIGNATURE_SIZE = 100, // "t=<unix>,v1=<64 hex digits>"
};

enum outcome {
    PARCEL_UNDER_WAY,
    PARCEL_TAKEN,
    PARCEL_LATER, // it will be tried again at next_ms
    PARCEL_GIVEN_UP,
};

// Owned by whoever has it; parcel_free() ends it.
struct parcel {
    char *id, *url, *subject, *body;
    int64_t created_ms, next_ms; // UTC; next_ms: not to be tried before, 0: now
    unsigned attempts;
    enum outcome outcome;
    // Of the courier's thread.
    int64_t due_us;
    struct flight *flight; // NULL: not under way
};

struct parcel *parcel_new(const char *id, const char *url, const char *subject, const char *body);
void parcel_free(struct parcel *parcel);

struct courier_config {
    const char *secret;
    unsigned retry_min_ms, timeout_ms; // the first wait; of one request
    void (*wake)(void *arg);           // on its thread: courier_take() has something
    void *wake_arg;
};

struct courier;

struct courier *courier_new(const struct courier_config *config); // texts are copied
// What can be sent at once may still take `finish_ms`. Afterwards there is only courier_take() and courier_free().
void courier_stop(struct courier *courier, unsigned finish_ms);
void courier_free(struct courier *courier);

void courier_post(struct courier *courier, struct parcel *parcel); // takes it

// What became of a parcel, or NULL: no news. One with PARCEL_LATER is a copy without body.
struct parcel *courier_take(struct courier *courier);

// X-Roda-Signature: HMAC-SHA256 of "<unix>.<body>" with the secret.
void courier_sign(char out[SIGNATURE_SIZE], const char *secret, int64_t unix_s, const char *body);
