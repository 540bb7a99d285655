// Who is in which room? (the roster: data and look-ups; nobody is told anything here)
// SPDX-License-Identifier: MIT
//
// The signaling thread only. Ownership: roster > room > participant. A participant outlives its WebSocket by
// RECONNECT_GRACE; a room outlives its last participant only when it was made over HTTP, or for RULES_KEPT_S when it
// has rules and somebody dropped out of it without a word: whose line broke finds it as it was.
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "sfu/sfu.h"
#include "signaling/auth.h"
#include "signaling/call.h"
#include "signaling/message.h"
#include "signaling/policy.h"

enum {
    SESSION_TOKEN_CHARS = 32, // 192 random bits
    MISSED_MAX = 64,          // messages kept for a participant without a socket
    ENDED_MAX = 256,          // session tokens remembered after their participant was sent away
    KNOCKS_MAX = 32,          // people before the door of one room
    RULES_KEPT_S = 600,       // an empty room keeps its rules, after somebody dropped out of it
};

enum { RECORDING_ID_CHARS = 27 }; // "20260131T100000Z-" and 10 that cannot be guessed

enum recording_state {
    RECORDING_WAITING,  // nobody's media are here yet
    RECORDING_STARTING, // the media server was asked
    RECORDING_ON,
    RECORDING_PAUSED,   // the disk lets it down
    RECORDING_STOPPING, // nothing more is recorded; what was is being written
};

// A room's recording.
struct recording {
    enum recording_state state;
    char id[RECORDING_ID_CHARS + 1]; // and its directory
    char by[USER_MAX + 1];           // who began it; "": the room's policy
    int64_t since_ms;
    enum sfu_reason trouble; // SFU_OK: none
};

enum { TAP_ID_CHARS = 12, TAP_ADDRESS_MAX = 45 };

// A copy of what one participant sends, to a program that is no participant.
struct tap {
    char id[TAP_ID_CHARS + 1];
    uint64_t tag; // its name for the media server
    char user[USER_MAX + 1];
    enum sfu_source source;
    char address[TAP_ADDRESS_MAX + 1]; // in the shortest way to write it
    uint16_t port;
    uint64_t peer; // whose source the media server copies; 0: the participant has no media
    char *sdp;     // of what is being sent; NULL: nothing is
};

struct hub;
struct session;

struct participant {
    // Who it is.
    struct room *room;
    char user[USER_MAX + 1];
    char *name;
    char *avatar; // or NULL
    enum role role;
    enum claim record;       // of its token
    bool is_host_by_default; // open mode: somebody must be host; gives way to one who asks to be
    char session_token[SESSION_TOKEN_CHARS + 1];

    // What the others are told of its media, and what the host has forbidden to change back.
    bool is_muted, is_video_enabled, is_sharing_screen;
    bool is_audio_locked, is_video_locked;
    bool is_screen_off; // it said so itself: a screen that is published all the same is not shown

    // How it is reached.
    struct session *session; // NULL: the socket is lost
    int64_t expires_us;      // then it is gone for good
    bool is_dropped;         // it lost its socket without a word
    int64_t ice_told_us;     // when it was told of ICE servers
    bool keeps_socket;       // it came by a call: its socket outlives the room, for calls to come
    GQueue missed;           // of struct missed: what came meanwhile and is not part of the room's state

    // Its side in the media server; media.c alone changes these.
    uint64_t peer; // 0: none, until it offers again
    bool is_stopped[SFU_SOURCE_COUNT];
    char *offer;         // the server's offer that is not answered yet, or NULL
    uint64_t answer_tag; // of the answer given to it
    json_t *tracks;      // the last `tracks`, or NULL
};

struct missed {
    const char *event; // model name, a constant
    json_t *data;
};

// Somebody before the door, who is told nothing of the room. It lasts as long as its socket.
struct knock {
    struct room *room;
    struct session *session;
    char user[USER_MAX + 1];
    char *name;
    char *avatar; // or NULL
    enum role role;
    char token[SESSION_TOKEN_CHARS + 1]; // its session token once it is let in
};

struct room {
    struct roster *roster;
    char id[ROOM_ID_MAX + 1];
    char owner[USER_MAX + 1]; // the bearer of the token it was made with, or ""
    struct policy policy;
    int64_t created_ms;
    int64_t expires_ms;      // when it goes once it is empty; 0: ROOM_TTL after it was left
    bool is_told;            // hooks.c alone uses it
    bool is_reserved;        // made over HTTP
    struct call *call;       // whose room it is, or NULL; calls.c alone changes this
    int64_t empty_since_us;  // while nobody is in it
    int64_t dropped_us;      // when somebody who had dropped out was given up; 0: never
    GPtrArray *participants; // in the order they came
    GPtrArray *knocks;       // in the order they came
    char host[USER_MAX + 1]; // the host everybody was told of, or ""

    struct recording *recording; // NULL: none; recording.c alone changes these
    bool is_record_declined;     // its host stopped it, so its policy does not begin another one; until it is empty

    GPtrArray *taps; // of struct tap, in the order they were asked for; taps.c alone changes this

    // Its side in the media server; media.c alone changes these.
    uint64_t number; // a new one each time the first peer comes; 0 while there is none
    unsigned peer_count;
};

struct roster {
    struct hub *hub;                 // whose it is
    void (*gone)(struct room *room); // or NULL: a room is about to be freed
    GHashTable *rooms;               // id -> room, owned
    GHashTable *numbers;             // media server's room number -> room
    GHashTable *peers;               // media server's peer number -> participant
    unsigned participant_count;
    uint64_t last_number;
    struct ended {
        char session_token[SESSION_TOKEN_CHARS + 1];
        enum error why;
    } ended[ENDED_MAX]; // the oldest is overwritten
    unsigned ended_count;
};

void roster_init(struct roster *roster, struct hub *hub);
void roster_clear(struct roster *roster);

// A number for the media server, never 0 and never given twice.
uint64_t roster_number(struct roster *roster);

struct room *roster_find(const struct roster *roster, const char *id);
struct room *roster_add(struct roster *roster, const char *id, int64_t now_us, int64_t wall_ms);
unsigned roster_room_count(const struct roster *roster);
unsigned roster_rooms_of(const struct roster *roster, const char *owner);
void room_free(struct room *room); // nobody may be in it, or before its door

// Whether there is place for another room; of those that stay for their rules only, the oldest gives way.
bool roster_has_place(struct roster *roster, int64_t max_rooms);

// Nobody is in it or before its door, and its time is over.
bool room_is_expired(const struct room *room, int64_t ttl_s, int64_t now_us, int64_t wall_ms);

// The longest-present participant of role host who is so by right, else by default; NULL: nobody.
struct participant *room_host(const struct room *room);
struct participant *room_find(const struct room *room, const char *user);
struct participant *room_find_token(const struct room *room, const char *session_token);

// Adds one with the media state of somebody who has just come: not muted, video on, no screen (an observer: nothing).
struct participant *participant_add(struct room *room, const char *user, const char *name, enum role role);
// Takes it out of the room and frees it. It must be without session and without peer.
void participant_free(struct participant *participant, int64_t now_us);

// The session's own pointer to it is the caller's affair.
struct knock *knock_add(struct room *room, struct session *session, const char *user, const char *name);
void knock_free(struct knock *knock);
struct knock *room_find_knock(const struct room *room, const char *user);
struct knock *room_find_knock_token(const struct room *room, const char *token);

void participant_keep(struct participant *participant, const char *event, json_t *data); // for later; borrows data

// A token whose owner was sent away must not come back as if nothing had happened: `why` is what it is told.
void roster_end_token(struct roster *roster, const char *session_token, enum error why);
// ERROR_NONE: nothing is known against it.
enum error roster_token_end(const struct roster *roster, const char *session_token);
