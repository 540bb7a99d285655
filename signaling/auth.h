// Who is this, and what may they do? (JSON Web Tokens, RFC 7519, in the compact form of RFC 7515)
// SPDX-License-Identifier: MIT
//
// One algorithm is trusted, the one of the configured key; a token that names another, or none, or that marks
// something as critical (RFC 7515 section 4.1.11) is refused. Claims read: `sub` (the user id), `name`, `avatar`,
// `role` (host, participant or observer; participant when absent), `room` (one id, a list, or "*"; absent: no room),
// `record` (whether it may record there, whatever its role), `exp` and `nbf`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/sfu.h"
#include "signaling/config.h"

enum {
    USER_MAX = SFU_USER_MAX, // bytes of a user id
    NAME_MAX_BYTES = 256,    // bytes of a display name
    AVATAR_MAX = 1024,       // bytes of an avatar's URL
    ROOM_ID_MAX = 128,       // bytes of a room id
    TOKEN_MAX = 8192,        // bytes of a token
    AUTH_LEEWAY_S = 5,       // clocks of issuer and server may differ by this (RFC 7519 section 4.1.4)
};

// Ordered: more may do all that less may do.
enum role { ROLE_OBSERVER, ROLE_PARTICIPANT, ROLE_HOST };

const char *role_name(enum role role);
bool role_parse(const char *name, enum role *role);

// What a claim that may be left out says.
enum claim { CLAIM_UNSAID, CLAIM_FALSE, CLAIM_TRUE };

// What a valid token says.
struct identity {
    char user[USER_MAX + 1];
    char *name, *avatar; // or NULL
    enum role role;
    char **rooms;       // NULL-terminated; "*" stands for every room
    enum claim record;  // unsaid: hosts may record, others not
    int64_t expires_ms; // with AUTH_LEEWAY_S; 0: never
};

void identity_copy(struct identity *to, const struct identity *from);
void identity_clear(struct identity *identity);
// Whether its token has expired since: what it opened stays, but it opens nothing new.
bool identity_is_over(const struct identity *identity, int64_t wall_ms);
bool identity_covers(const struct identity *identity, const char *room);

// A user id goes into SDP and URLs: printable ASCII without spaces, and not the name of the media server itself.
bool is_user_id(const char *text);
// A room id goes into URLs: unreserved characters of RFC 3986 section 2.3.
bool is_room_id(const char *text);

struct auth;

// NULL and one sentence naming the setting in err when the key cannot be used.
struct auth *auth_new(const struct config *config, char *err, size_t err_size);
void auth_free(struct auth *auth);

bool auth_is_open(const struct auth *auth);

// Returns 0 and fills identity (to be cleared), or -EACCES and one sentence for the bearer in err. Open mode trusts
// no token at all.
int auth_verify(const struct auth *auth, const char *token, int64_t wall_ms, struct identity *identity, char *err,
                size_t err_size);
