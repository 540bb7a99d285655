// What do other servers hear of? (events of rooms and calls, given to webhook.h)
// SPDX-License-Identifier: MIT
//
// The signaling thread only. Ids, times and states; no names, nothing that was said. The rooms of calls are no events
// of their own: their calls are.
#pragma once

#include "signaling/session.h"

// From now on they do. The webhook must outlive the hub. Calls that the store had to close are told as failed.
void hooks_attach(struct hub *hub, struct webhook *webhook);

void hooks_room_created(struct room *room);
void hooks_room_closed(struct room *room, const char *by, const char *reason); // or NULL
void hooks_joined(const struct participant *participant);
void hooks_left(const struct participant *participant, const char *reason);

// The call may have another status: each is told once.
void hooks_call(const struct hub *hub, struct call *call);
