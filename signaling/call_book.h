// Which calls are there, and what follows when one changes? (what calls.c stands on)
// SPDX-License-Identifier: MIT
//
// Here it is not asked who may; a change that is made here is settled, offered to the store and told to everybody
// concerned, and what happens in a call's room is brought to the call.
#pragma once

#include "signaling/call.h"
#include "signaling/session.h"

enum {
    CALL_KEPT_S = 60, // how long a call that is over can be found
    RINGERS = 4096,   // users share a bucket when they fall on the same place
    RINGS_BURST = 10, // calls started and rounds of invitations; one more every RING_EVERY_S
    RING_EVERY_S = 2,
};

// What is remembered of calls; all may be NULL. Called in the signaling thread, while the change is being made.
struct calls_sink {
    void *arg;
    // The call, or with `member` that member's part in it, is new or has changed (status, media, name).
    void (*changed)(void *arg, const struct call *call, const struct call_member *member);
    bool (*may_begin)(void *arg); // false: no place for another call to be remembered
};

struct calls {
    // Owned.
    GHashTable *by_id;   // id -> call, those that are over too
    GHashTable *by_user; // user -> GPtrArray of the calls that are not over and have it as a member
    GQueue over;         // the first to end first
    unsigned live_count;
    struct bucket ringers[RINGERS];
    // Given.
    struct calls_sink sink;
};

void book_init(struct hub *hub); // makes hub->calls
void book_free(struct calls *calls);
void book_tick(struct hub *hub);

struct moment book_now(const struct hub *hub);

// The call is known from now on, with a room that nobody is in. book_take_back() undoes it.
void book_add(struct hub *hub, struct call *call);
void book_take_back(struct hub *hub, struct call *call);
// Lets a new member's calls be found: to be called after call_invite().
void book_index(struct hub *hub, struct call *call, const struct call_member *member);
// Undoes both for the first guest, with call_uninvite().
void book_uninvite(struct hub *hub, struct call *call, struct call_member *guest);

// Its participant in the call's room, or NULL.
struct participant *book_participant(const struct hub *hub, const struct call *call, const char *user);
// In how many calls but this (or NULL) that are not over the user has that status.
unsigned book_count(const struct hub *hub, const struct call *but, const char *user, enum member_status status);

// Offers the call (member NULL) or a member to the store.
void book_note(struct hub *hub, const struct call *call, const struct call_member *member);

// A member changed: settles the call, notes both, tells everybody concerned. `by` and `reason` as in call_settle().
void book_changed(struct hub *hub, struct call *call, const struct call_member *member, const char *by,
                  const char *reason);
// A member joins: the rest of its sockets (all but `session`) stop ringing, and whoever is in hears that it starts.
void book_joined(struct hub *hub, struct call *call, struct call_member *member, const struct session *session);
// A member who was in is out.
void book_left(struct hub *hub, struct call *call, const char *user, const char *reason);
// It was found to be over: everybody hears how, its room is closed.
void book_conclude(struct hub *hub, struct call *call);
// Ends it for all.
void book_finish(struct hub *hub, struct call *call, enum call_status status, const char *by, const char *reason);

// A socket has come whose user is known: what rings for that user rings there, and it hears of calls it is in.
void book_greet(struct session *session);
