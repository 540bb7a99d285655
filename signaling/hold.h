// Who waits until the store has something, and who may go on?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. Belongs to the hub; what waits is a part of whoever waits.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "signaling/store.h"

struct holds {
    GQueue waiting; // of struct hold
};

struct hold {
    uint64_t ticket;
    void (*go)(void *arg);
    void *arg;
    GList link;
    bool is_waiting;
};

// `go` is called once, from holds_open(), when the store has settled the ticket. It may wait again.
void hold_until(struct holds *holds, struct hold *hold, uint64_t ticket, void (*go)(void *arg), void *arg);
void hold_cancel(struct holds *holds, struct hold *hold); // also when it does not wait

void holds_clear(struct holds *holds); // nobody goes any more

// Lets everybody go whose ticket is settled.
void holds_open(struct holds *holds, struct store *store);
