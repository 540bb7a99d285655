// How does each documented signaling system say the same thing? (tables of names, nothing else)
// SPDX-License-Identifier: MIT
#include "signaling/dialect.h"

#include <glib.h>
#include <string.h>

static const struct dialect *const dialects[] = {&dialect_signal, &dialect_live, &dialect_call, &dialect_webrtc};

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dialects); i++)
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    return NULL;
}

const struct dialect *dialect_guess(const char *wire_event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dialects); i++)
        for (const char *const *prefix = dialects[i]->prefixes; *prefix; prefix++)
            if (g_str_has_prefix(wire_event, *prefix))
                return dialects[i];
    return &dialect_signal;
}

// A command of that wire name in whatever dialect, or NULL.
static const struct dialect_name *find_command(const char *wire_event)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dialects); i++)
        for (const struct dialect_name *row = dialects[i]->commands; row->wire; row++)
            if (strcmp(row->wire, wire_event) == 0)
                return row;
    return NULL;
}

const char *dialect_field_name(const char *wire_event, const char *name)
{
    const struct dialect_name *row = find_command(wire_event);
    for (const struct dialect_field *field = row ? row->fields : NULL; field && field->wire; field++)
        if (strcmp(field->model, name) == 0)
            return field->wire;
    return name;
}

const char *dialect_read(const char *wire_event, json_t *data)
{
    const struct dialect_name *row = find_command(wire_event);
    for (const struct dialect_field *field = row ? row->fields : NULL; field && field->wire; field++) {
        json_t *value = json_object_get(data, field->wire);
        if (!value)
            continue;
        if (!json_object_get(data, field->model))
            json_object_set(data, field->model, value);
        json_object_del(data, field->wire);
    }
    return row ? row->model : wire_event;
}

const char *dialect_write(const struct dialect *dialect, const char *model_event, json_t **data)
{
    for (const struct dialect_name *row = dialect->events; row->model; row++) {
        if (strcmp(row->model, model_event) != 0)
            continue;
        if (row->fields) {
            json_t *copy = json_copy(*data);
            json_decref(*data);
            *data = copy;
        }
        for (const struct dialect_field *field = row->fields; field && field->model; field++) {
            json_t *value = json_object_get(*data, field->model);
            if (!value)
                continue;
            if (field->description && json_is_string(value))
                json_object_set_new(*data, field->wire,
                                    json_pack("{s:s, s:O}", "type", field->description, "sdp", value));
            else
                json_object_set(*data, field->wire, value);
            json_object_del(*data, field->model);
        }
        return row->wire;
    }
    return model_event;
}
