// How does the `signal` dialect say it? (consultations: `join-room`, `signal-offer`, `mute-participant`, ...)
// SPDX-License-Identifier: MIT
//
// Its names are the model's own (see dialect.h): commands.c and events.c are its tables.
#include "signaling/dialect.h"

static const char *const prefixes[] = {NULL};
static const struct dialect_name nothing_differs[] = {{0}};

const struct dialect dialect_signal = {"signal", prefixes, nothing_differs, nothing_differs};
