// How does each documented signaling system say the same thing? (tables of names, nothing else)
// SPDX-License-Identifier: MIT
//
// The names of the `signal` dialect are the model's own: commands.c and events.c use them, and a dialect lists only
// what it says differently. So a new command or event needs no line here until a dialect wants another name for it.
#pragma once

#include <jansson.h>
#include <stdbool.h>

// One field under two names.
struct dialect_field {
    const char *model, *wire;
    const char *description; // "offer", "answer": on the wire it is always {type, sdp}, also when it came as a text
};

// One command or event under two names, with the fields that change theirs (NULL: none; ends with {NULL}).
struct dialect_name {
    const char *model, *wire;
    const struct dialect_field *fields;
};

struct dialect {
    const char *name;                    // as in ?dialect=
    const char *const *prefixes;         // a first event that starts like this chooses the dialect; NULL-terminated
    const struct dialect_name *commands; // client -> server; ends with {NULL}
    const struct dialect_name *events;   // server -> client; ends with {NULL}
};

extern const struct dialect dialect_signal, dialect_live, dialect_call, dialect_webrtc;

// The dialect of that name, or NULL.
const struct dialect *dialect_find(const char *name);

// The dialect a session speaks when its first event is this one and it has not said which.
const struct dialect *dialect_guess(const char *wire_event);

// Every documented name is understood on every session: the model's name of a command in whatever dialect, with
// `data` (changed in place) under the model's field names; a field that is there under both keeps the model's. An
// unknown name is returned as it is.
const char *dialect_read(const char *wire_event, json_t *data);

// What a field of the model is called in a command of that wire name: `name` itself unless a table says otherwise.
const char *dialect_field_name(const char *wire_event, const char *name);

// The wire name of an event in that dialect. *data is replaced by a copy when a field changes its name; the caller
// frees what *data is afterwards.
const char *dialect_write(const struct dialect *dialect, const char *model_event, json_t **data);
