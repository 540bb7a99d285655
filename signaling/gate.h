// May this newcomer come into that room: at once, after waiting, or not? (lock, password, waiting room)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/session.h"

// Who knocks at a room that exists.
struct newcomer {
    const struct session *session;
    const char *password; // as typed, or NULL
    bool is_trusted;      // its token says host of this room: nothing is asked of it
    bool is_host;         // will be host: does not wait
};

enum gate { GATE_OPEN, GATE_WAIT, GATE_CLOSED };

// CLOSED: the fault says why (its reason is locked, password-needed or password-wrong). A password costs the thread
// what crypto_password_set() says, so how many are tried is bounded: at a room from one place, at a room from
// anywhere, and by everybody together.
enum gate gate_try(struct hub *hub, struct room *room, const struct newcomer *newcomer, struct fault *fault);

// Whether another password may be hashed now.
bool gate_may_hash(struct hub *hub, struct fault *fault);
