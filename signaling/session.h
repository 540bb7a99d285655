// What is one WebSocket, and what do all of them share?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. A session knows nothing of sockets: the server (or a test) gives it an output. Time is a
// field of the hub that whoever drives it sets before each turn.
#pragma once

#include "signaling/account.h"
#include "signaling/counters.h"
#include "signaling/dialect.h"
#include "signaling/held.h"
#include "signaling/limits.h"
#include "signaling/load.h"
#include "signaling/room.h"
#include "signaling/slack.h"

enum {
    PING_EVERY_S = 15,
    SILENCE_MAX_S = 30,   // then the peer is gone
    STRANGER_MAX_S = 30,  // a socket without a token may stay this long where tokens are asked for
    WAITING_MAX = 64,     // questions of one session the media server has not answered
    MESSAGES_PER_S = 100, // of one session, each at its cost (see commands.c)
    MESSAGES_BURST = 200,
    USER_MESSAGES_PER_S = 200, // of one user, over all sockets
    USER_MESSAGES_BURST = 400,
    REFUSALS_PER_S = 10, // rate-limited messages before the socket is closed
    REFUSALS_BURST = 100,
    PASSWORDS_PER_S = 5, // hashed for everybody together: each takes 5 to 10 ms of the signaling thread
    PASSWORDS_BURST = 5,
    TRIES_BURST = 20, // wrong passwords, and knocks, at one room from one place; then one every TRIES_EVERY_S
    TRIES_EVERY_S = 6,
    TRIED_BURST = 60, // wrong passwords at one room from anywhere; then one a second
};

// WebSocket close codes (RFC 6455 section 7.4.1).
enum {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_BAD_TEXT = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_LAST = 4999,
};

// Who else wants to know what happens to people and rooms: the book of calls (calls.c). Each is called after
// everybody in the room was told, but `closing`, which comes before.
struct watch {
    void (*identified)(struct session *session); // it is known now whose socket it is
    void (*entered)(struct participant *participant, bool resumed);
    void (*left)(struct hub *hub, struct call *call, const char *user, const char *reason); // of a call's room
    void (*closing)(struct room *room, const char *by, const char *reason);
    void (*media)(struct participant *participant, bool is_connected); // its DTLS
    void (*changed)(struct participant *participant);                  // what others are told of its media
};

struct hub {
    // Given, not owned.
    const struct config *config;
    const struct auth *auth;
    struct sfu *sfu;
    struct librarian *librarian; // NULL: nothing can be recorded
    struct store *store;         // NULL: nothing is remembered
    struct webhook *webhook;     // NULL: nobody else is told
    // Owned.
    struct roster roster;
    GPtrArray *sessions;
    struct holds holds;         // answers that wait for the store
    GHashTable *exchanges;      // HTTP answers to come, by ticket; exchange.c alone knows them. NULL: never was one
    GHashTable *users, *places; // books of accounts: of those with a token, of addresses
    GHashTable *people;         // user id -> GPtrArray of its sessions, in the order they said who they are
    struct calls *calls;        // calls.h
    const struct watch *watch;  // a constant
    uint64_t last_tag;
    struct counters counters;
    struct load load;
    struct slack slack;
    struct measure *measure;
    struct crowd newcomers;  // what strangers may try at one room from one place: passwords, knocking
    struct crowd tried;      // passwords tried at one room from anywhere
    struct bucket passwords; // hashed by this thread, which has other things to do
    bool is_draining;        // the server is about to stop: nobody new comes in
    int64_t drain_until_us;  // then it stops, whoever is left
    bool is_ending;          // every socket is being closed
    // Set by the driver.
    int64_t now_us;  // monotonic
    int64_t wall_ms; // UTC
    int64_t started_us;
};

// A question the media server has yet to answer.
struct waiting {
    uint64_t tag;
    json_t *id; // NULL: only an error is reported
    char event[MESSAGE_EVENT_MAX + 1];
};

struct session {
    struct hub *hub;
    const struct session_output *output;
    void *output_arg;
    struct held held; // what it says goes through here
    const struct dialect *dialect;
    bool is_dialect_settled; // by ?dialect= or by the first message
    bool has_identity;
    struct identity identity;        // from a token
    char address[64];                // of the peer, or ""
    struct account *user, *place;    // NULL: without a token, without an address
    char user_id[USER_MAX + 1];      // whose socket it is: by token, or in open mode as it said; "": not known
    char *name;                      // as it said in open mode, or NULL
    struct participant *participant; // NULL: in no room
    struct knock *knock;             // NULL: not before a door
    struct bucket messages, refusals;
    int64_t opened_us, heard_us, pinged_us;
    GArray *waiting; // of struct waiting, WAITING_MAX at most
    bool is_closing;
};

// Whether a user has as many sockets as it may (MAX_CONNECTIONS_PER_USER), or an address
// (MAX_CONNECTIONS_PER_ADDRESS; not this machine's own, where a proxy may stand).
bool hub_user_is_full(const struct hub *hub, const char *user);
bool hub_place_is_full(const struct hub *hub, const char *address);

// `dialect` may be NULL: the first message tells. `identity` is copied; NULL: none yet.
struct session *session_new(struct hub *hub, const struct session_output *output, void *output_arg,
                            const struct dialect *dialect, const struct identity *identity);
void session_free(struct session *session); // must be in no room

// A token came later, or a newer one of the same user or another; takes what identity owns.
void session_set_identity(struct session *session, struct identity *identity);
// Whether it came with a token that has expired since (false without a token).
bool session_is_over(const struct session *session);
void session_set_address(struct session *session, const char *address); // once
// Whose socket it is from now on: what is for that user reaches it. Not while it is in a room. `name` may be NULL.
void session_identify(struct session *session, const char *user, const char *name);
const char *session_name(const struct session *session); // of its user, or NULL
// All sockets of a user, or NULL.
const GPtrArray *hub_sessions(const struct hub *hub, const char *user);

// An event under its model name, said in the session's dialect. Takes data.
void session_send(struct session *session, const char *event, json_t *data);

// The same event for many sessions, printed once for each dialect they speak in a row. Set event and data, the rest
// zero; announcement_clear() takes data.
struct announcement {
    const char *event;
    json_t *data;
    const struct dialect *dialect; // that `text` is in
    char *text;
};

void session_announce(struct session *session, struct announcement *words);
void announcement_clear(struct announcement *words);

// The reply to the request of that id; without an id an ack is not sent, an error is. ack takes data; `event` is the
// wire name the client used, or NULL.
void session_ack(struct session *session, json_t *id, json_t *data);
void session_refuse(struct session *session, json_t *id, const char *event, const struct fault *fault);

// Remembers a request until the media server answers with this tag; false: too many are open.
bool session_wait(struct session *session, uint64_t tag, json_t *id, const char *event);
// It answered: an ack when fault is NULL. An unknown tag is nobody's business any more.
void session_settle(struct session *session, uint64_t tag, const struct fault *fault);
void session_settle_all(struct session *session, const struct fault *fault);

void session_close(struct session *session, uint16_t code, const char *reason);
