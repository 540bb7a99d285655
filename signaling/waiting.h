// Who waits before the door, and how does that end? (knock, denied, gone)
// SPDX-License-Identifier: MIT
//
// Whoever waits hears `waiting`, then `admitted` or `denied`, and nothing else. Hosts hear `knock` for each, also
// when they come later, and `knock-ended`. Letting somebody in is presence_admit().
#pragma once

#include "signaling/session.h"

// Lets the session wait at the room and tells the hosts; NULL and the fault when as many wait as may.
struct knock *waiting_knock(struct session *session, struct room *room, const char *user, const char *name,
                            struct fault *fault);
// The session token of somebody waiting, from another socket: that one waits now.
void waiting_move(struct knock *knock, struct session *session);

// Tells a host who waits.
void waiting_show(struct participant *host);

// Sent away; the socket stays open. reason: denied, room-closed, replaced.
void waiting_deny(struct knock *knock, const char *reason);
// It went by itself, or came in: the hosts hear why ("left", "admitted").
void waiting_gone(struct knock *knock, const char *reason);
