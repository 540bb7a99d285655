// What is on the wire? (the envelope {event, timestamp, data, id}, the fields in data, the error codes)
// SPDX-License-Identifier: MIT
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_MAX = 65536,    // bytes of one message
    MESSAGE_DEPTH = 12,     // arrays and objects inside each other
    MESSAGE_EVENT_MAX = 64, // bytes of an event's name
    MESSAGE_ID_MAX = 64,    // bytes of an id that is a text
};

// The error codes of protocol.md section 2.
enum error {
    ERROR_NONE,
    ERROR_BAD_JSON,
    ERROR_UNKNOWN_EVENT,
    ERROR_BAD_FIELD,
    ERROR_UNAUTHORIZED,
    ERROR_FORBIDDEN,
    ERROR_NOT_FOUND,
    ERROR_ROOM_FULL,
    ERROR_ROOM_CLOSED,
    ERROR_BUSY,
    ERROR_BAD_SDP,
    ERROR_RATE_LIMITED,
    ERROR_INTERNAL,
    ERROR_COUNT,
};

const char *error_name(enum error error);

// Why a request cannot be served: a code for programs, a sentence for people. The first one said stays.
struct fault {
    enum error error;
    char text[200];
    const char *reason; // a constant for programs where the code says too little ("locked"), or NULL
};

// Says it, unless something was said before. Returns the code that stays.
__attribute__((format(printf, 3, 4))) enum error fault_say(struct fault *fault, enum error error, const char *format,
                                                           ...);

// The refusal of a server that is about to stop, which lets nobody new in: room-closed, with reason "draining".
enum error fault_draining(struct fault *fault);
bool fault_is_draining(const struct fault *fault);

// ---- envelope -----------------------------------------------------------------------------------------------

struct message {
    json_t *root;      // owns the rest
    const char *event; // NULL only after a failed parse
    json_t *data;      // an object, empty when there was none
    json_t *id;        // an integer or a text, or NULL; may be there after a failed parse
};

// Reads one JSON object, of a message or of an HTTP body; NULL and ERROR_BAD_JSON in the fault when it is none.
json_t *message_object(const char *text, size_t len, struct fault *fault);

// Reads one message; false and the fault when it is none. message_clear() afterwards in any case.
bool message_parse(struct message *message, const char *text, size_t len, struct fault *fault);
void message_clear(struct message *message);

// One message as text, to be freed with free(). `data` and `id` are borrowed; id may be NULL.
char *message_print(const char *event, const json_t *data, const json_t *id, int64_t wall_ms);

// How answers over HTTP and webhooks are printed (json_dumps): fractions as they were meant, 61.2, not 61.200000000000003.
#define MESSAGE_PRINT (JSON_COMPACT | JSON_REAL_PRECISION(15))

enum { TIMESTAMP_SIZE = 32 };

// UTC with milliseconds, as Date.toISOString() has it.
void timestamp_print(char out[TIMESTAMP_SIZE], int64_t wall_ms);

// ---- fields -------------------------------------------------------------------------------------------------

// Reads fields out of `data`. The first bad one is remembered as ERROR_BAD_FIELD in fault, with its name; reading
// goes on harmlessly, so a command reads everything it wants and asks once. Null counts as absent.
struct fields {
    const json_t *data;
    struct fault *fault;
    bool is_text; // it comes from a URL: numbers and booleans are written as texts
};

bool field_has(const struct fields *fields, const char *name);

// A text of at most max characters without control characters; NULL when absent or bad.
const char *field_text(struct fields *fields, const char *name, size_t max);
const char *field_need_text(struct fields *fields, const char *name, size_t max);
// The same, but line ends and tabs are welcome and it must not be empty.
const char *field_need_prose(struct fields *fields, const char *name, size_t max);

// Absent: `otherwise`.
bool field_bool(struct fields *fields, const char *name, bool otherwise);
int field_int(struct fields *fields, const char *name, int min, int max, int otherwise);
// The position of the text in the NULL-terminated words.
int field_choice(struct fields *fields, const char *name, const char *const *words, int otherwise);

// An id of the given kind (is_user_id, is_room_id); NULL when absent or bad.
typedef bool(id_h)(const char *text);
const char *field_id(struct fields *fields, const char *name, id_h *is_id);
const char *field_need_id(struct fields *fields, const char *name, id_h *is_id);
