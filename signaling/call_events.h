// What is said about a call, and to whom?
// SPDX-License-Identifier: MIT
//
// What happens in the call's room (who came, media, chat, descriptions) is in events.h: it reaches whoever is in it.
// Here is what reaches every socket of the people a call concerns: who rings or has joined. A socket that has not
// said anything yet is spoken to in the call's dialect.
#pragma once

#include "signaling/session.h"

// {id, roomId, type, status, initiatorId, initiatorName, initiatorAvatar, chatId, room_name, participants, startedAt,
// answeredAt, connectedAt, endedAt, duration, endedBy, reason}; times as texts, null: not yet. The events below have
// the same, with callId for id.
json_t *call_json(const struct hub *hub, const struct call *call);
// {userId, userName, avatar, status, joinedAt, leftAt, isMuted, isVideoEnabled, isSharingScreen}; all of a call.
json_t *call_members_json(const struct call *call);

// `call-incoming`, with those called as participants, to all sockets of that user or to one of them.
void call_tell_incoming(const struct hub *hub, const struct call *call, const char *user);
void call_tell_incoming_on(struct session *session, const struct call *call);

// `call-started` with acceptedBy: to who is in.
void call_tell_started(const struct hub *hub, const struct call *call, const struct call_member *accepted_by);
// The same to who comes later.
void call_tell_started_to(const struct hub *hub, const struct call *call, const struct call_member *member);

// `call-status-changed` to everybody concerned; `about` (or NULL) is the member whose status changed (userId,
// userStatus).
void call_tell_status(const struct hub *hub, const struct call *call, const struct call_member *about);
void call_tell_status_on(struct session *session, const struct call *call);
// The same with answeredElsewhere: to the user's sockets but this one (NULL: all).
void call_tell_elsewhere(const struct hub *hub, const struct call *call, const struct call_member *member,
                         const struct session *but);

// `call-ended` to everybody who was there and is not in the room: those hear close-room.
void call_tell_ended(const struct hub *hub, const struct call *call);
// The same for one who did not come and whom it concerns no longer: MISSED, duration 0.
void call_tell_over(const struct hub *hub, const struct call *call, const char *user, const char *reason);

// A description or candidate to all sockets of a user who is not in the room. Returns to how many.
unsigned call_tell_relay(const struct hub *hub, const struct call *call, const char *user, const char *event,
                         json_t *data);
