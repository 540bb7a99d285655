// Who asks something of a call over HTTP, and may they? (what the routes of calls have in common)
// SPDX-License-Identifier: MIT
//
// Where a function gives false or NULL, the exchange has been refused.
#pragma once

#include "signaling/calls.h"
#include "signaling/exchange.h"

// The bearer; in open mode whom `userId` in the body, or `user` in the query, names. `dialect` is the one the route
// was documented with. Also refuses what was read before and wrong.
bool caller_read(struct exchange *exchange, const struct dialect *dialect, struct actor *actor);

// A call the caller is a member of, or that waits for a first guest, and that still goes on.
struct call *caller_need_call(struct exchange *exchange, const struct actor *actor, const char *id);

// Such a call, or one that is over, as call_json() has it.
json_t *caller_need_json(struct exchange *exchange, const struct actor *actor, const char *id);

// Where the caller is in the call's room; it has to be on one of its sockets.
struct participant *caller_need_place(struct exchange *exchange, const struct actor *actor, struct call *call);

// Starts it, as calls_start() does.
struct call *caller_start(struct exchange *exchange, const struct actor *actor, const struct call_wish *wish);
