// How does the server come to its end? (asked to: drain; drained, out of time or asked again: close; then over)
// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>

#include "signaling/hub.h"
#include "signaling/notify.h"

enum { END_MS = 3000 }; // how long a server that ends waits for its sockets to close

struct stop {
    volatile sig_atomic_t wish; // 0: go on; see below
    int64_t ended_us;           // when nothing is waited for any more
};

// Any thread, and signal handlers. The first time the calls may end before, the second time it is at once.
void stop_ask(struct stop *stop, bool at_once);

// Every turn, on the signaling thread: drains and ends the hub as time passes. True: it is over.
bool stop_is_over(struct stop *stop, struct hub *hub, struct notify *notify);
