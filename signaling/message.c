// What is on the wire? (the envelope {event, timestamp, data, id}, the fields in data, the error codes)
// SPDX-License-Identifier: MIT
#include "signaling/message.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

static const char *const error_names[] = {
    [ERROR_NONE] = "ok",
    [ERROR_BAD_JSON] = "bad-json",
    [ERROR_UNKNOWN_EVENT] = "unknown-event",
    [ERROR_BAD_FIELD] = "bad-field",
    [ERROR_UNAUTHORIZED] = "unauthorized",
    [ERROR_FORBIDDEN] = "forbidden",
    [ERROR_NOT_FOUND] = "not-found",
    [ERROR_ROOM_FULL] = "room-full",
    [ERROR_ROOM_CLOSED] = "room-closed",
    [ERROR_BUSY] = "busy",
    [ERROR_BAD_SDP] = "bad-sdp",
    [ERROR_RATE_LIMITED] = "rate-limited",
    [ERROR_INTERNAL] = "internal",
};

const char *error_name(enum error error)
{
    return error_names[error];
}

enum error fault_say(struct fault *fault, enum error error, const char *format, ...)
{
    if (fault->error)
        return fault->error;
    fault->error = error;
    va_list args;
    va_start(args, format);
    g_vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    // A cut in the middle of a character would make the reply invalid JSON.
    char *valid_end;
    if (!g_utf8_validate(fault->text, -1, (const char **)&valid_end))
        *valid_end = '\0';
    return error;
}

static const char draining[] = "draining";

enum error fault_draining(struct fault *fault)
{
    fault_say(fault, ERROR_ROOM_CLOSED, "the server is about to restart: try again in a few minutes");
    fault->reason = draining;
    return fault->error;
}

bool fault_is_draining(const struct fault *fault)
{
    return fault->reason == draining;
}

// ---- envelope -----------------------------------------------------------------------------------------------

// The parser recurses, so depth is bounded before it starts.
static bool is_too_deep(const char *text, size_t len)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if ((c == '{' || c == '[') && ++depth > MESSAGE_DEPTH)
            return true;
        else if (c == '}' || c == ']')
            depth--;
    }
    return false;
}

static bool is_id(const json_t *id)
{
    return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= MESSAGE_ID_MAX);
}

json_t *message_object(const char *text, size_t len, struct fault *fault)
{
    json_error_t where;
    if (is_too_deep(text, len))
        return fault_say(fault, ERROR_BAD_JSON, "more than %d levels deep", MESSAGE_DEPTH), NULL;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        fault_say(fault, ERROR_BAD_JSON, "line %d column %d: %s", where.line, where.column, where.text);
    else if (!json_is_object(root))
        fault_say(fault, ERROR_BAD_JSON, "an object {...} is wanted");
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

bool message_parse(struct message *message, const char *text, size_t len, struct fault *fault)
{
    *message = (struct message){.root = message_object(text, len, fault)};
    if (!message->root)
        return false;
    json_t *id = json_object_get(message->root, "id");
    if (is_id(id))
        message->id = id;
    else if (id && !json_is_null(id))
        return fault_say(fault, ERROR_BAD_FIELD, "id: an integer or a text of at most %d bytes", MESSAGE_ID_MAX),
               false;
    const json_t *event = json_object_get(message->root, "event");
    if (!json_is_string(event) || json_string_length(event) == 0 || json_string_length(event) > MESSAGE_EVENT_MAX)
        return fault_say(fault, ERROR_BAD_FIELD, "event: a text of 1 to %d bytes", MESSAGE_EVENT_MAX), false;
    message->data = json_object_get(message->root, "data");
    if (!message->data || json_is_null(message->data)) {
        message->data = json_object();
        json_object_set_new(message->root, "data", message->data);
    }
    if (!json_is_object(message->data))
        return fault_say(fault, ERROR_BAD_FIELD, "data: an object"), false;
    message->event = json_string_value(event);
    return true;
}

void message_clear(struct message *message)
{
    json_decref(message->root);
    *message = (struct message){0};
}

void timestamp_print(char out[TIMESTAMP_SIZE], int64_t wall_ms)
{
    GDateTime *time = g_date_time_new_from_unix_utc(wall_ms / 1000);
    char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    g_snprintf(out, TIMESTAMP_SIZE, "%s.%03dZ", text, (int)(wall_ms % 1000));
    g_free(text);
    g_date_time_unref(time);
}

char *message_print(const char *event, const json_t *data, const json_t *id, int64_t wall_ms)
{
    char timestamp[TIMESTAMP_SIZE];
    timestamp_print(timestamp, wall_ms);
    json_t *root = json_pack("{s:s, s:s, s:O}", "event", event, "timestamp", timestamp, "data", (json_t *)data);
    if (id)
        json_object_set(root, "id", (json_t *)id);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    g_assert(text);
    return text;
}

// ---- fields -------------------------------------------------------------------------------------------------

static const json_t *field_get(const struct fields *fields, const char *name)
{
    const json_t *value = json_object_get(fields->data, name);
    return json_is_null(value) ? NULL : value;
}

bool field_has(const struct fields *fields, const char *name)
{
    return field_get(fields, name) != NULL;
}

static bool has_controls(const char *text, const char *welcome)
{
    for (; *text; text++)
        if (g_ascii_iscntrl(*text) && !strchr(welcome, *text))
            return true;
    return false;
}

static const char *read_text(struct fields *fields, const char *name, size_t max, const char *welcome)
{
    const json_t *value = field_get(fields, name);
    if (!value)
        return NULL;
    const char *text = json_string_value(value);
    if (!text)
        return fault_say(fields->fault, ERROR_BAD_FIELD, "%s: a text", name), NULL;
    if ((size_t)g_utf8_strlen(text, -1) > max)
        return fault_say(fields->fault, ERROR_BAD_FIELD, "%s: at most %zu characters", name, max), NULL;
    if (has_controls(text, welcome))
        return fault_say(fields->fault, ERROR_BAD_FIELD, "%s: no control characters", name), NULL;
    return text;
}

static const char *need(struct fields *fields, const char *name, const char *text)
{
    if (!text || !*text)
        fault_say(fields->fault, ERROR_BAD_FIELD, "%s: needed, and not empty", name);
    return text;
}

const char *field_text(struct fields *fields, const char *name, size_t max)
{
    return read_text(fields, name, max, "");
}

const char *field_need_text(struct fields *fields, const char *name, size_t max)
{
    return need(fields, name, read_text(fields, name, max, ""));
}

const char *field_need_prose(struct fields *fields, const char *name, size_t max)
{
    return need(fields, name, read_text(fields, name, max, "\n\r\t"));
}

bool field_bool(struct fields *fields, const char *name, bool otherwise)
{
    const json_t *value = field_get(fields, name);
    const char *text = fields->is_text ? json_string_value(value) : NULL;
    if (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return text[0] == 't';
    if (value && !json_is_boolean(value))
        fault_say(fields->fault, ERROR_BAD_FIELD, "%s: true or false", name);
    return value ? json_is_true(value) : otherwise;
}

static bool read_integer(const struct fields *fields, const json_t *value, int min, int max, int *out)
{
    gint64 n = json_integer_value(value);
    bool ok = json_is_integer(value) && n >= min && n <= max;
    if (fields->is_text && json_is_string(value))
        ok = g_ascii_string_to_signed(json_string_value(value), 10, min, max, &n, NULL);
    *out = (int)n;
    return ok;
}

int field_int(struct fields *fields, const char *name, int min, int max, int otherwise)
{
    const json_t *value = field_get(fields, name);
    if (!value)
        return otherwise;
    int n;
    if (!read_integer(fields, value, min, max, &n))
        return fault_say(fields->fault, ERROR_BAD_FIELD, "%s: a whole number from %d to %d", name, min, max),
               otherwise;
    return n;
}

int field_choice(struct fields *fields, const char *name, const char *const *words, int otherwise)
{
    const json_t *value = field_get(fields, name);
    if (!value)
        return otherwise;
    const char *text = json_string_value(value);
    for (int i = 0; text && words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    char *all = g_strjoinv(", ", (char **)words);
    fault_say(fields->fault, ERROR_BAD_FIELD, "%s: one of %s", name, all);
    g_free(all);
    return otherwise;
}

const char *field_id(struct fields *fields, const char *name, id_h *is_one)
{
    const json_t *value = field_get(fields, name);
    const char *text = json_string_value(value);
    if (!value || (text && is_one(text)))
        return text;
    return fault_say(fields->fault, ERROR_BAD_FIELD, "%s: not an id this server takes", name), NULL;
}

const char *field_need_id(struct fields *fields, const char *name, id_h *is_one)
{
    return need(fields, name, field_id(fields, name, is_one));
}
