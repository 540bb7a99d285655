// Who comes in, as whom, and when are they gone? (join, resume, replace, leave, remove, close, who is host)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/session.h"

// A connection has 64 m-lines (sfu/, and about what a browser bears): one for data, four of our own (camera,
// microphone, a screen and its sound), two for each of 27 others, and five for their screens. Beyond, some would not
// see some. An answer of so many m-lines is 47 kB, an offer of our page 48 kB (tests/e2e/crowd.test.mjs), of 64 KiB a
// message holds.
enum { PUBLISHERS_MAX = 28 };

// What join-room asks for. Texts are borrowed; NULL: not said.
struct join {
    const char *room;
    const char *user, *name;
    const char *password;
    const char *session_token; // of the join it wants to resume
    bool has_role;
    enum role role;
    bool wants_new_media; // its RTCPeerConnection did not survive (a reloaded page)
};

// Makes the session a participant, or gives it back the one it was; NULL and the fault when it may not; NULL and no
// fault when it has to wait: session->knock. Rules:
// - with tokens, who one is comes from the token, and so does the most one may be; a second socket of the same user
//   takes the place of the first. In open mode a name in use is refused (busy);
// - a session token of this room resumes its participant, whether its old socket is still there or not, and also when
//   the token that let it in has expired meanwhile: nobody else notices;
// - whoever is in the room already, or was asked in by a token of role host, is not asked for more (see gate.h).
// Nobody is told yet: presence_announce() does that once the caller has replied.
struct participant *presence_join(struct session *session, const struct join *join, bool *resumed,
                                  struct fault *fault);
void presence_announce(struct participant *participant, bool resumed);

// Whether there is place for another room, and the bearer of that token (NULL: nobody's) may make it.
bool presence_may_make_room(struct hub *hub, const struct identity *identity, struct fault *fault);

// Lets somebody in who waits; false and the fault when there is no place.
bool presence_admit(struct knock *knock, struct fault *fault);
// Whoever waits goes away by itself.
void presence_give_up(struct knock *knock);

// What the host, or an administrator (`by` NULL), makes of the room; everybody in it is told. Without a waiting room
// nobody waits any more: they come in as far as there is place.
void presence_change(struct room *room, const struct policy_wish *wish, const char *by);

// Out at once, for good; the others are told why ("left", "timeout", "removed", "replaced").
void presence_leave(struct participant *participant, const char *reason);
void presence_remove(struct participant *participant, const char *by, const char *reason);

// Everybody out, sockets closed, room gone. `by` and `reason` may be NULL.
void presence_close(struct room *room, const char *by, const char *reason);

// The socket is gone; the participant keeps its place for RECONNECT_GRACE. A page that was closed or is loaded anew
// says so (1001, RFC 6455 section 7.4.1): that keeps it for RELOAD_GRACE_S at most.
enum { RELOAD_GRACE_S = 10 };
void presence_lost(struct participant *participant, bool is_page_gone);
bool presence_is_expired(const struct participant *participant);
