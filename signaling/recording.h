// Is this room recorded, who wants it to be, and who is told? (the state of a room's recording; no files here)
// SPDX-License-Identifier: MIT
//
// The signaling thread only. The media server records; this file starts and stops it, tells everybody in the room at
// once, and notes names for the recording's timeline. A recording that is wanted goes on, as another one, when the
// room's media begin anew.
#pragma once

#include "signaling/exchange.h"

// Whether the participant may start and stop: its token's `record`, else its role.
bool recording_may(const struct participant *participant);
// The same for the bearer of a token and a room; NULL: open mode.
bool recording_may_identity(const struct identity *identity, const char *room);

// The room of the route's ":id", for whoever may record it: by a token, by the session token of somebody in it, from
// this machine in open mode. NULL: refused and answered. `by` gets who asks, "" in open mode.
struct room *recording_need_room(struct exchange *exchange, char by[USER_MAX + 1]);

// `by`: a user id, or NULL for an administrator. `tag` comes back when it is so: session_settle(), exchange_find().
// False and the fault: nothing changes.
bool recording_start(struct room *room, const char *by, uint64_t tag, struct fault *fault);
bool recording_stop(struct room *room, const char *by, uint64_t tag, struct fault *fault);

// Whether this server records at all; false and the fault.
bool recording_is_possible(const struct hub *hub, struct fault *fault);

// ---- what others tell it ----------------------------------------------------------------------------------------

void recording_joined(const struct participant *participant); // it has its peer
void recording_noted_mute(const struct participant *target, const char *by, const char *kind, bool muted);
void recording_noted_tap(const struct room *room, const struct tap *tap, bool on);
void recording_media_began(struct room *room, const struct participant *first); // room->number is new
void recording_media_ended(struct room *room);                                  // and now it is 0
void recording_rx(struct hub *hub, const struct sfu_event *event);              // SFU_RECORDING
