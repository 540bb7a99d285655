// What is a call, who takes part in it, and what becomes of it? (data and time; nobody is told anything here)
// SPDX-License-Identifier: MIT
//
// Pure: time is a parameter, nothing is known of sockets, rooms in use or JSON. What happens to one member is one of
// the call_member_*() functions; call_settle() then says what that makes of the whole call:
//
//     RINGING ---- two have joined ----> CONNECTING ---- two are connected ----> CONNECTED
//        |  |  |                           |     |                                   |
//        |  |  `- nobody rings any more:   |     `- two have joined, but not         `- fewer than two are left
//        |  |     all busy BUSY, nobody    |        connected within                    and nobody rings: ENDED
//        |  |     let it ring out          |        CALL_CONNECT_S: FAILED
//        |  |     DECLINED, else MISSED    `- fewer than two are left and nobody rings: ENDED
//        |  `- the initiator went: MISSED (cancelled)
//        `- called nobody yet and nobody came within the time given: MISSED
//
// One who is alone is waited for while somebody rings; once nobody is in, it is over.
//
// Connected is a member whose DTLS with the media server is up, or one of two between whom an answer was relayed:
// peers that only relay descriptions never connect to the media server.
//
// Ownership: the book of calls (calls.h) > call > member. The signaling thread only.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "signaling/auth.h"
#include "signaling/dialect.h"

enum {
    CALL_ID_CHARS = 36,  // a UUID
    CALL_CONNECT_S = 30, // protocol.md section 6
};

enum call_type { CALL_AUDIO, CALL_VIDEO };

// Protocol.md section 6; from CALL_ENDED on it is over.
enum call_status {
    CALL_RINGING,
    CALL_CONNECTING,
    CALL_CONNECTED,
    CALL_ENDED,
    CALL_MISSED,
    CALL_DECLINED,
    CALL_FAILED,
    CALL_BUSY,
};

enum member_status {
    MEMBER_RINGING,
    MEMBER_JOINED,
    MEMBER_DECLINED,
    MEMBER_LEFT,
    MEMBER_MISSED,
    MEMBER_BUSY,
};

const char *call_type_name(enum call_type type);           // "AUDIO", "VIDEO"
const char *call_status_name(enum call_status status);     // "RINGING", ...
const char *member_status_name(enum member_status status); // "RINGING", "JOINED", ...

// One moment on both clocks.
struct moment {
    int64_t us; // monotonic
    int64_t ms; // UTC
};

struct call_member {
    char user[USER_MAX + 1];
    char *name;   // NULL: not known yet
    char *avatar; // or NULL
    enum member_status status;
    char *reason;      // why it declined or left, or NULL
    bool is_removed;   // by the host: comes back only when asked to
    bool is_connected; // see above
    bool was_there;    // rang or had joined when the call ended: has to be told
    bool is_muted, is_video_enabled, is_sharing_screen;
    int64_t invited_ms, joined_ms, left_ms; // UTC; 0: not yet. left_ms also of declining and missing
    int64_t ring_until_us;                  // while it rings
};

struct call {
    char id[CALL_ID_CHARS + 1], room_id[CALL_ID_CHARS + 1];
    enum call_type type;
    enum call_status status;
    char *chat_id, *room_name;     // as the initiator gave them, or NULL
    const struct dialect *dialect; // in which sockets are rung that have not said anything yet
    GPtrArray *members;            // the initiator first, then as they were invited
    char started_by[USER_MAX + 1]; // the initiator
    bool is_awaiting;              // nobody was called yet: the first guest is welcome
    int64_t await_until_us;
    int64_t started_ms, answered_ms, connected_ms, ended_ms, changed_ms; // UTC; 0: not yet
    int64_t connected_us, connect_until_us;                              // monotonic; 0: not
    int64_t duration_s;          // whole seconds from CONNECTED to the end, once it is over
    char ended_by[USER_MAX + 1]; // "": nobody in particular
    char *reason;                // why it is over, or NULL
    unsigned told;               // hooks.c alone uses it: statuses told, a bit each
};

// The initiator is its first member and has joined. Texts are copied.
struct call *call_new(enum call_type type, const char *initiator, const char *name, const char *avatar,
                      struct moment now);
void call_free(struct call *call);

bool call_is_over(const struct call *call);
struct call_member *call_find(const struct call *call, const char *user); // NULL: not a member
struct call_member *call_initiator(const struct call *call);
unsigned call_count(const struct call *call, enum member_status status);
// So far, or until it ended.
int64_t call_duration_s(const struct call *call, struct moment now);

// A user who is to be rung, or again after it did not come. `name` and `avatar` may be NULL: not known.
struct call_member *call_invite(struct call *call, const char *user, const char *name, const char *avatar,
                                int64_t ring_us, struct moment now);
// The first guest could not come after all: it is forgotten, and a guest is awaited as before.
void call_uninvite(struct call *call, struct call_member *guest);
void call_member_name(struct call_member *member, const char *name, const char *avatar); // NULL leaves what was
void call_member_join(struct call *call, struct call_member *member, struct moment now);
// Out of it, as one of DECLINED, LEFT, MISSED, BUSY. `reason` may be NULL.
void call_member_out(struct call *call, struct call_member *member, enum member_status status, const char *reason,
                     struct moment now);
void call_member_connected(struct call *call, struct call_member *member, bool is_connected, struct moment now);

// What the members' states make of the call; true when its status is another one now. `by` and `reason` are who and
// what brought it about, for the case that it is over.
bool call_settle(struct call *call, const char *by, const char *reason, struct moment now);

// What is due by time alone: the next member that has rung long enough (it is MISSED now), or NULL.
struct call_member *call_ring_out(struct call *call, struct moment now);
// True when the call had to end for want of time.
bool call_expire(struct call *call, struct moment now);

// Over, as that; `by` and `reason` may be NULL. Whoever rang has missed it, whoever was in has left.
void call_finish(struct call *call, enum call_status status, const char *by, const char *reason, struct moment now);
// What it is when somebody ends it now: MISSED before anybody accepted, ENDED afterwards.
enum call_status call_end_status(const struct call *call);
