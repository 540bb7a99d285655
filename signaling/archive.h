// What of all that happens is put into the store?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. Nothing here waits, and nothing happens without a store.
#pragma once

#include "signaling/session.h"

// From now on calls are remembered there, and begin only while it has room. The store must outlive the hub.
void archive_attach(struct hub *hub, struct store *store);

// `to` NULL: to everybody in the room.
void archive_chat(const struct participant *from, const struct participant *to, const char *text);
