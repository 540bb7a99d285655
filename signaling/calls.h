// Which calls are there, and who may do what with them? (the book of calls)
// SPDX-License-Identifier: MIT
//
// Everything that WebSocket commands and HTTP routes do with calls goes through these functions: they check, change,
// tell everybody concerned, and offer each change to the store. A refusal changes nothing and is said in the fault.
//
// A call has a room (call->room_id) of the ordinary kind: media, mute, chat, tracks, coming back work there as in all
// rooms. Who starts or answers a call on a socket is put into its room on that socket; over HTTP, on the user's only
// socket that is in no room, else on the one that speaks of the call first (calls_adopt). The initiator is host.
//
// Pointers to calls stay valid until the next hub_tick(), also when the call ended meanwhile; a call that is over can
// be found for CALL_KEPT_S.
#pragma once

#include "signaling/call_book.h"

enum {
    CALL_TEXT_MAX = 128,   // characters of chatId and room_name
    CALL_REASON_MAX = 200, // characters
    CALLS_RINGING_MAX = 8, // calls that ring for one user; then it is busy
    CALL_GONE_MAX = 100,   // members a call knows beyond MAX_PARTICIPANTS: who left, declined, did not come
};

// Who asks. Texts are borrowed; NULL: not known.
struct actor {
    const char *user; // never NULL
    const char *name, *avatar;
    bool is_observer;
    struct session *session;       // on which it is asked; NULL: over HTTP
    const struct dialect *dialect; // what it speaks, or NULL
};

// False when it is not known whose socket it is.
bool actor_of_session(struct session *session, struct actor *actor);
// Over HTTP: `dialect` is the one the route was documented with.
struct actor actor_of_identity(const struct identity *identity, const struct dialect *dialect);

// NULL: none.
struct call *calls_find(const struct hub *hub, const char *id);
// The call of that id if that user is a member; else NULL, not-found or forbidden.
struct call *calls_need(const struct hub *hub, const char *user, const char *id, struct fault *fault);
// The calls of a user that are not over, the oldest first; NULL: none.
const GPtrArray *calls_of(const struct hub *hub, const char *user);
// The one call that is not over with both as members (rings or joined), the latest first; NULL: none.
struct call *calls_between(const struct hub *hub, const char *user, const char *other);
// Its participant in the call's room, or NULL.
struct participant *calls_participant(const struct hub *hub, const struct call *call, const char *user);
bool calls_is_host(const struct hub *hub, const struct call *call, const char *user);

struct call_wish {
    enum call_type type;
    const char *const *users; // to ring; the actor itself and doubles are skipped
    size_t user_count;        // 0: nobody yet, the first guest may come (calls_answer)
    const char *chat_id, *room_name;
};

// Starts a call and rings. Refused: `forbidden` for an observer, `busy` when the actor is in a call or its socket in
// a room, or the server has no place (MAX_CALLS), `rate-limited`, `room-full`, `room-closed` when draining. When
// everybody is in another call the call is over at once, as BUSY.
struct call *calls_start(struct hub *hub, const struct actor *actor, const struct call_wish *wish,
                         struct fault *fault);

// Accepts, comes (as a guest nobody called yet, or again after having left), or comes back. `session_token` (or NULL)
// proves in open mode that a lost place is the actor's. Refused: `forbidden`, `busy` (another socket of the user was
// first, or the user is in another call), `room-closed` when it is over.
bool calls_answer(struct hub *hub, struct call *call, const struct actor *actor, const char *session_token,
                  struct fault *fault);
bool calls_decline(struct hub *hub, struct call *call, const struct actor *actor, const char *reason,
                   struct fault *fault);
bool calls_leave(struct hub *hub, struct call *call, const struct actor *actor, struct fault *fault);
// A host ends the call for all; so does either of two. Another member of a larger call leaves it; one for whom it
// rings declines.
bool calls_end(struct hub *hub, struct call *call, const struct actor *actor, const char *reason,
               struct fault *fault);
// Host only: rings more people. Who rings or is in already is skipped.
bool calls_add(struct hub *hub, struct call *call, const struct actor *actor, const char *const *users,
               size_t user_count, struct fault *fault);
// Host only: an invitation is taken back, or who is in is sent away.
bool calls_remove(struct hub *hub, struct call *call, const struct actor *actor, const char *user, const char *reason,
                  struct fault *fault);

// A description or candidate (`event` is signal-offer, signal-answer or ice-candidate) to another member, who hears
// it on the socket it is in the room with, else on all its sockets. Whoever is rung and sends a description accepts
// by that; an answer between two who are in makes both connected.
bool calls_relay(struct hub *hub, struct call *call, const struct actor *actor, const char *to, const char *event,
                 const json_t *data, struct fault *fault);

// The actor's participant on its socket: puts a member who has joined elsewhere (HTTP) into the room on it. NULL: not
// a member who has joined, or in the room on another socket. Over HTTP its participant on whatever socket; NULL: also
// when there is no socket that could be meant.
struct participant *calls_adopt(struct hub *hub, struct call *call, const struct actor *actor, struct fault *fault);
