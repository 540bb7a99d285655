// How does the `live` dialect say it? (live rooms: `join-room`, `offer`, `answer`, `ice`, `heartbeat`)
// SPDX-License-Identifier: MIT
#include "signaling/dialect.h"

static const char *const prefixes[] = {NULL}; // it begins with join-room like `signal`: only ?dialect=live tells

static const struct dialect_name names[] = {
    {"signal-offer", "offer", NULL},
    {"signal-answer", "answer", NULL},
    {"ice-candidate", "ice", NULL},
    {0},
};

const struct dialect dialect_live = {"live", prefixes, names, names};
