// What is remembered of calls, and since when is it safely so? (history, chat, webhooks to be delivered)
// SPDX-License-Identifier: MIT
//
// All functions are of the signaling thread, and none of them waits for the disk to write: a write is copied into a
// bounded queue, from which one writer thread takes what has gathered and puts it down in one transaction. What is
// written between two store_flush() is put down together or not at all: an event leaves no half of it. Each write has
// a ticket; whoever acknowledges something that was to be remembered holds the acknowledgement back until
// store_settled() has reached that ticket (session_hold() and the HTTP server do so for every command and request).
//
// A disk that is full or fails does not end a call: writes are tried again, the oldest are given up when too many
// gather, acknowledgements are no longer held back, and store_health() says so.
//
// `store` may be NULL everywhere: then nothing is remembered.
//
// Texts are UTF-8; ids of calls are UUIDs; times are UTC in ms, 0: has not happened.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/config.h"

enum {
    STORE_QUEUE_NEW_MAX = 16384,  // writes waiting; beyond that nothing new is to begin
    STORE_QUEUE_MAX = 32768,      // and beyond that writes are lost
    STORE_STUCK_MS = 15000,       // a writer that takes this long stands still
    STORE_STALL_MS = 2000,        // a disk that takes this long for a batch holds no acknowledgement back
    STORE_LIMIT_MAX = 101,        // rows of one page: 100, and one to know whether there are more
    STORE_OFFSET_MAX = 10000,     // rows skipped
    STORE_COUNT_MAX = 10000,      // calls counted
    STORE_DELIVERIES_MAX = 10000, // waiting at a time
};

struct store;

// Opens what DATABASE_URL names, brings it to this program's version, and closes the calls that a process which died
// left open: FAILED, reason "server-restart", ended when they last changed. `wake` is called on the writer thread
// when store_settled() may have moved. NULL and one sentence, with what to do about it, in err.
struct store *store_new(const struct config *config, void (*wake)(void *arg), void *wake_arg, char *err,
                        size_t err_size);
// Puts down what waits, closes. A disk that fails at that moment is not waited for.
void store_free(struct store *store);

// Whether store_new() has a chance, as far as can be told without making anything. False: as above.
bool store_check(const struct config *config, char *err, size_t err_size);

// What was written so far goes to the writer. At the end of each turn, and of whatever is to be whole.
void store_flush(struct store *store);

// ---- when is it safe? -----------------------------------------------------------------------------------------

// Of the last write, 0: none yet.
uint64_t store_last_ticket(const struct store *store);
// Every write up to this ticket is down, or no longer waited for. A process may be killed and nothing of it is lost;
// so may the machine with DATABASE_SYNC=full.
uint64_t store_settled(struct store *store);

// Whether something new that is to be remembered (a call) may begin: else refuse with `busy` or 503. Counts refusals.
bool store_has_room(struct store *store);

struct store_health {
    bool is_degraded;        // the disk is full, fails, or takes too long
    bool is_stuck;           // the writer neither gets on nor fails
    unsigned waiting;        // writes in the queue
    uint64_t written, lost;  // writes
    uint64_t refused;        // by store_has_room()
    uint64_t failed_commits; // transactions
    char why[120];           // the last failure, "" none
};

struct store_health store_health(struct store *store);

// Deletes what is older than RETENTION_DAYS, in small steps on the writer thread. To be called now and then.
void store_expire(struct store *store, int64_t wall_ms);

// ---- writing: each returns its ticket, 0 when it was not taken -------------------------------------------------

struct store_call {
    const char *id, *room;
    const char *type;                       // AUDIO, VIDEO
    const char *status;                     // RINGING, CONNECTING, ... (protocol.md section 6)
    const char *initiator, *initiator_name; // user id; name or NULL
    const char *chat_id, *room_name;        // as the client gave them, or NULL
    const char *ended_by, *reason;          // or NULL
    int64_t started_ms, answered_ms, connected_ms, ended_ms;
    int64_t changed_ms; // when this became so
};

// Makes or changes the call of that id; a status other than the last is also noted as a state change.
// `started_ms`, `type`, `chat_id`, `initiator` do not change any more.
uint64_t store_put_call(struct store *store, const struct store_call *call);

struct store_participant {
    const char *call, *user, *name; // name or NULL
    const char *status;             // RINGING, JOINED, LEFT, DECLINED, MISSED, BUSY
    const char *reason;             // or NULL
    bool is_muted, is_video_enabled, is_sharing_screen;
    int64_t invited_ms, joined_ms, left_ms;
    int64_t changed_ms; // when this became so
};

// Makes or changes this user's part in the call, which must have been put before. Media that differs from the last
// is also noted as a media change. The initiator is a participant too: history finds calls by participants.
uint64_t store_put_participant(struct store *store, const struct store_participant *participant);

struct store_chat {
    const char *id;   // a new UUID
    const char *call; // or NULL
    const char *room;
    const char *from, *to; // to: or NULL
    const char *text;
    int64_t at_ms;
};

// Only with CHAT_HISTORY; otherwise it returns 0 and nothing is kept.
uint64_t store_put_chat(struct store *store, const struct store_chat *chat);

// ---- reading --------------------------------------------------------------------------------------------------
//
// Sees what is settled, so a call that has just begun may be missing: look among the living first. Each gives its
// rows, borrowed for the time of the call, to a function; it returns how many there were, or -errno (-EIO:
// unreadable, -ETIMEDOUT: it took too long).

struct store_query {
    const char *user;           // whose calls; NULL: everybody's
    const char *chat_id, *type; // NULL: any
    bool is_active;             // only those that have not ended
    int64_t before_ms;          // started before; 0: no matter when
    unsigned offset, limit;     // at most STORE_OFFSET_MAX, STORE_LIMIT_MAX
};

typedef void(store_call_h)(void *arg, const struct store_call *call);
typedef void(store_participant_h)(void *arg, const struct store_participant *participant);

// The latest first.
int store_find_calls(struct store *store, const struct store_query *query, store_call_h *row, void *arg);
// How many there are without regard to offset and limit; STORE_COUNT_MAX stands for so many or more.
int store_count_calls(struct store *store, const struct store_query *query);
int store_find_call(struct store *store, const char *id, store_call_h *row, void *arg); // 0 or 1
int store_find_participants(struct store *store, const char *call, store_participant_h *row, void *arg);
// Of at most STORE_LIMIT_MAX calls at once: those of one call follow each other.
int store_find_participants_of(struct store *store, const char *const *calls, unsigned count,
                               store_participant_h *row, void *arg);

struct store_change {
    int64_t at_ms;
    const char *status;      // of the call; NULL: a media change
    const char *by, *reason; // of a status, or NULL
    const char *user;        // whose media
    bool is_muted, is_video_enabled, is_sharing_screen;
};

typedef void(store_change_h)(void *arg, const struct store_change *change);
typedef void(store_chat_h)(void *arg, const struct store_chat *chat);

// What happened in a call, in its order; at most 1000 each.
int store_find_states(struct store *store, const char *call, store_change_h *row, void *arg);
int store_find_media(struct store *store, const char *call, store_change_h *row, void *arg);
int store_find_chat(struct store *store, const char *call, store_chat_h *row, void *arg);

// The ids of the calls that were open when the server before this one ended, closed by store_new(). NULL-terminated.
const char *const *store_recovered(const struct store *store);

// ---- deliveries (webhook.c) -----------------------------------------------------------------------------------

struct store_delivery {
    const char *id; // of the event, a UUID; the same for each url
    const char *url;
    const char *subject; // events of one subject arrive in their order
    const char *body;
    int64_t created_ms, next_ms; // not to be tried before
    unsigned attempts;
};

typedef void(store_delivery_h)(void *arg, const struct store_delivery *delivery);

uint64_t store_put_delivery(struct store *store, const struct store_delivery *delivery);
uint64_t store_retry_delivery(struct store *store,
                              const struct store_delivery *delivery);              // id, url, attempts, next_ms
uint64_t store_end_delivery(struct store *store, const char *id, const char *url); // done, or given up
// In the order they were put; at most STORE_DELIVERIES_MAX.
int store_find_deliveries(struct store *store, store_delivery_h *row, void *arg);
