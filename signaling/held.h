// What must a session not say before the store has it?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. Everything a session says goes through here. What is said between held_begin() and
// held_end() waits, if something was to be remembered meanwhile, until that is settled; what is said afterwards waits
// behind it, so that order stays.
#pragma once

#include <stddef.h>

#include "signaling/hold.h"

enum {
    HELD_BYTES_MAX = 1 << 20,     // waiting of one session; then it is closed
    CLOSE_TRY_AGAIN_LATER = 1013, // RFC 6455's registry of close codes
};

// Where a session's words go: a socket, or a test.
struct session_output {
    void (*send)(void *arg, const char *text);
    void (*ping)(void *arg);
    // After what was sent. hub_lost() is to follow, not from inside this call.
    void (*close)(void *arg, uint16_t code, const char *reason);
};

struct held {
    // Given.
    const struct session_output *output;
    void *output_arg;
    struct holds *holds;
    struct store *store;
    // Owned.
    GQueue items; // of struct held_item
    size_t bytes;
    struct hold hold;
    unsigned since;         // items said since held_begin()
    uint64_t begun_with;    // the store's last ticket then
    bool is_begun, is_over; // is_over: too much was waiting
};

void held_init(struct held *held, const struct session_output *output, void *output_arg, struct holds *holds,
               struct store *store);
void held_clear(struct held *held); // what still waits is never said

void held_begin(struct held *held);
void held_end(struct held *held);

void held_send(struct held *held, char *text); // takes text, free()d
void held_close(struct held *held, uint16_t code, const char *reason);
