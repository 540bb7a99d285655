// What does a room ask of those who want to come in? (size, password, waiting room, lock)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/crypto.h"
#include "signaling/message.h"

enum {
    ROOM_NAME_CHARS_MAX = 80,
    ROOM_PASSWORD_CHARS_MIN = 4,
    ROOM_PASSWORD_CHARS_MAX = 128,
    ROOM_EXPIRES_MIN_S = 60,
    ROOM_EXPIRES_MAX_S = 30 * 86400,
};

struct policy {
    char *name;                       // for people to read, or NULL
    struct crypto_password *password; // NULL: none is asked for
    int64_t max_participants;         // 0: as many as the server allows
    bool has_waiting_room;            // whoever is not host waits to be let in
    bool is_locked;                   // nobody new comes in
    bool is_recorded;                 // from the start
};

void policy_clear(struct policy *policy);
// Nothing was set: it is what a new room has, with or without a waiting room.
bool policy_is_plain(const struct policy *policy, bool has_waiting_room);

// A change somebody wants: {name?, password?, maxParticipants?, waitingRoom?, locked?, record?, expiresIn?}. Texts
// are borrowed.
struct policy_wish {
    bool has_name, has_password, has_expiry;
    const char *name, *password; // NULL: take it away
    int max_participants;        // 0: not said
    int waiting_room, locked;    // -1: not said
    int record;                  // likewise
    int64_t expires_in_s;        // 0: as if never said
};

// What is wrong is said in fields->fault. Null takes name, password or expiry away. A room is not made for more than
// participants_max.
void policy_wish_read(struct policy_wish *wish, struct fields *fields, int64_t participants_max);
// Hashes the password, if there is a new one: see crypto_password_set() for what that costs.
void policy_apply(struct policy *policy, const struct policy_wish *wish);

// A password as somebody typed it; the same letters composed differently are the same password.
bool policy_password_matches(const struct policy *policy, const char *password);
// The text of the field `password`, or NULL.
const char *policy_read_password(struct fields *fields);
