// What does a room ask of those who want to come in? (size, password, waiting room, lock)
// SPDX-License-Identifier: MIT
#include "signaling/policy.h"

#include <glib.h>

void policy_clear(struct policy *policy)
{
    g_free(policy->name);
    g_free(policy->password);
    *policy = (struct policy){0};
}

bool policy_is_plain(const struct policy *policy, bool has_waiting_room)
{
    return !policy->name && !policy->password && !policy->max_participants && !policy->is_locked &&
           !policy->is_recorded && policy->has_waiting_room == has_waiting_room;
}

static int read_switch(struct fields *fields, const char *name)
{
    return field_has(fields, name) ? field_bool(fields, name, false) : -1;
}

const char *policy_read_password(struct fields *fields)
{
    return field_text(fields, "password", ROOM_PASSWORD_CHARS_MAX);
}

void policy_wish_read(struct policy_wish *wish, struct fields *fields, int64_t participants_max)
{
    *wish = (struct policy_wish){
        .has_name = json_object_get(fields->data, "name") != NULL,
        .name = field_text(fields, "name", ROOM_NAME_CHARS_MAX),
        .has_password = json_object_get(fields->data, "password") != NULL,
        .password = policy_read_password(fields),
        .has_expiry = json_object_get(fields->data, "expiresIn") != NULL,
        .expires_in_s = field_int(fields, "expiresIn", ROOM_EXPIRES_MIN_S, ROOM_EXPIRES_MAX_S, 0),
        .max_participants = field_int(fields, "maxParticipants", 1, (int)participants_max, 0),
        .waiting_room = read_switch(fields, "waitingRoom"),
        .locked = read_switch(fields, "locked"),
        .record = read_switch(fields, "record"),
    };
    if (wish->password && g_utf8_strlen(wish->password, -1) < ROOM_PASSWORD_CHARS_MIN)
        fault_say(fields->fault, ERROR_BAD_FIELD, "password: at least %d characters, or null for none",
                  ROOM_PASSWORD_CHARS_MIN);
}

// Keyboards differ in whether "e with acute" is one character or two (Unicode Standard Annex #15).
static char *composed(const char *password)
{
    return g_utf8_normalize(password, -1, G_NORMALIZE_NFC);
}

static void set_password(struct policy *policy, const char *password)
{
    g_clear_pointer(&policy->password, g_free);
    if (!password)
        return;
    char *text = composed(password);
    policy->password = g_new0(struct crypto_password, 1);
    crypto_password_set(policy->password, text);
    g_free(text);
}

void policy_apply(struct policy *policy, const struct policy_wish *wish)
{
    if (wish->has_name) {
        g_free(policy->name);
        policy->name = wish->name && *wish->name ? g_strdup(wish->name) : NULL;
    }
    if (wish->has_password)
        set_password(policy, wish->password);
    if (wish->max_participants)
        policy->max_participants = wish->max_participants;
    if (wish->waiting_room >= 0)
        policy->has_waiting_room = wish->waiting_room;
    if (wish->locked >= 0)
        policy->is_locked = wish->locked;
    if (wish->record >= 0)
        policy->is_recorded = wish->record;
}

bool policy_password_matches(const struct policy *policy, const char *password)
{
    char *text = composed(password);
    bool ok = crypto_password_matches(policy->password, text);
    g_free(text);
    return ok;
}
