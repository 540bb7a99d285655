// Who reads and deletes recordings without making anybody wait?
// SPDX-License-Identifier: MIT
//
// One thread in front of the library. Questions go in with a ticket (exchange.h), answers come out in order; what
// waits in both queues together is bounded by LIBRARIAN_WAITING_MAX, and what is found unasked by LIBRARIAN_FOUND_MAX
// more: the next are looked for when those have been taken. It also deletes what is older than
// RECORDING_RETENTION_DAYS and finds finished recordings nobody was told of, those of an earlier process among them.
// All functions are of the signaling thread. `librarian` may be NULL everywhere but in librarian_ask(): nothing can
// be recorded.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "signaling/config.h"
#include "signaling/library.h"

enum {
    LIBRARIAN_WAITING_MAX = 256,
    LIBRARIAN_FOUND_MAX = 16,  // manifests found at a time
    LIBRARIAN_TOLD_MAX = 4096, // recordings known to be told of: the latest
    LIBRARIAN_SWEEP_S = 600,   // between two looks for what is too old
};

struct librarian;

enum librarian_kind {
    LIBRARIAN_LIST,     // query; json: the items, total
    LIBRARIAN_MANIFEST, // id; json
    LIBRARIAN_FILE,     // id, name; path, type
    LIBRARIAN_DELETE,   // id
    LIBRARIAN_FOUND,    // an answer nobody asked for: id, json: the manifest of a recording that has ended
    LIBRARIAN_MORE,     // never seen outside: there is more to be found behind id
};

struct librarian_question {
    enum librarian_kind kind;
    uint64_t ticket;
    const char *id, *name;
    struct library_query query; // its rooms are who asks, for every kind
};

struct librarian_answer {
    enum librarian_kind kind;
    uint64_t ticket;
    enum library_result result;
    json_t *json;
    int64_t total;
    char *id, *path;
    const char *type;
};

// NULL: RECORDING_DIR is not set. `wake` is called on the librarian's thread when there is an answer.
struct librarian *librarian_new(const struct config *config, void (*wake)(void *arg), void *wake_arg);
void librarian_free(struct librarian *librarian);

// Copies the question. False: too many wait.
bool librarian_ask(struct librarian *librarian, const struct librarian_question *question);

// The next answer, or NULL.
struct librarian_answer *librarian_next(struct librarian *librarian);
void librarian_answer_free(struct librarian_answer *answer);

// This recording has ended; NULL: perhaps some have. Who is to be told will be, by LIBRARIAN_FOUND.
void librarian_announce(struct librarian *librarian, const char *id);
// True the first time it is asked of a recording: somebody is to be told of it. Of LIBRARIAN_TOLD_MAX later ones told
// of meanwhile it is forgotten; then only its mark on the disk keeps it from being told again, with the same id.
// While as many wait for their mark, nothing is told: the next start does.
bool librarian_may_tell(struct librarian *librarian, const char *id);
// This one was told of, once the store has settled the ticket: it is marked on the disk. Tickets come in order.
void librarian_mark_later(struct librarian *librarian, const char *id, uint64_t ticket);
void librarian_settled(struct librarian *librarian, uint64_t ticket);

// What is too old goes. To be called now and then.
void librarian_tick(struct librarian *librarian, int64_t wall_ms);
