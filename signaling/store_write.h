// What does each kind of write do in the database?
// SPDX-License-Identifier: MIT
//
// A letter is made on the signaling thread and applied, once, on the writer thread, which alone has a pen.
#pragma once

#include "signaling/db.h"
#include "signaling/store.h"

enum store_kind {
    STORE_CALL,
    STORE_PARTICIPANT,
    STORE_CHAT,
    STORE_DELIVERY,
    STORE_RETRY,
    STORE_DELIVERED,
    STORE_EXPIRE,
    STORE_KIND_COUNT,
};

enum { LETTER_VALUES_MAX = 16, PEN_STATEMENTS_MAX = 3, EXPIRE_STEP = 100 };

// A parameter of the kind's SQL: a text (perhaps NULL) or a number.
struct letter_value {
    bool is_text;
    const char *text;
    int64_t number;
};

struct letter {
    uint64_t ticket;
    enum store_kind kind;
    bool is_last; // of those flushed together
    unsigned count;
    struct letter_value values[LETTER_VALUES_MAX];
    char texts[]; // what the values point to
};

// One of each, with its texts copied; letter_free() is g_free().
struct letter *letter_call(const struct store_call *call);
struct letter *letter_participant(const struct store_participant *participant);
struct letter *letter_chat(const struct store_chat *chat);
struct letter *letter_delivery(const struct store_delivery *delivery);
struct letter *letter_retry(const struct store_delivery *delivery);
struct letter *letter_delivered(const char *id, const char *url);
// EXPIRE_STEP calls, messages and deliveries that are older than that.
struct letter *letter_expire(int64_t before_ms);

struct pen {
    struct db *db;
    struct db_statement *statements[STORE_KIND_COUNT][PEN_STATEMENTS_MAX];
    bool is_erasing, has_erased; // in this letter; since the log was last emptied
};

// Prepares all statements; false when the database does not have these tables.
bool pen_init(struct pen *pen, struct db *db);
void pen_clear(struct pen *pen);

// Inside a transaction. 0, or -errno of the disk. A letter that the tables refuse is left out: *is_refused.
int pen_apply(struct pen *pen, const struct letter *letter, bool *is_refused);

// Outside a transaction, now and then: what was erased leaves the log as well, once nothing more is to be erased.
void pen_tidy(struct pen *pen);
