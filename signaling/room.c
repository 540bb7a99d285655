// Who is in which room? (the roster: data and look-ups; nobody is told anything here)
// SPDX-License-Identifier: MIT
#include "signaling/room.h"

#include <string.h>

#include "signaling/crypto.h"

static void missed_free(struct missed *missed)
{
    json_decref(missed->data);
    g_free(missed);
}

// ---- roster -------------------------------------------------------------------------------------------------

void roster_init(struct roster *roster, struct hub *hub)
{
    *roster = (struct roster){
        .hub = hub,
        .rooms = g_hash_table_new(g_str_hash, g_str_equal),
        .numbers = g_hash_table_new(g_int64_hash, g_int64_equal),
        .peers = g_hash_table_new(g_int64_hash, g_int64_equal),
    };
}

void roster_clear(struct roster *roster)
{
    g_assert(g_hash_table_size(roster->rooms) == 0 && g_hash_table_size(roster->peers) == 0);
    g_hash_table_destroy(roster->rooms);
    g_hash_table_destroy(roster->numbers);
    g_hash_table_destroy(roster->peers);
}

uint64_t roster_number(struct roster *roster)
{
    return ++roster->last_number;
}

struct room *roster_find(const struct roster *roster, const char *id)
{
    return g_hash_table_lookup(roster->rooms, id);
}

unsigned roster_room_count(const struct roster *roster)
{
    return g_hash_table_size(roster->rooms);
}

unsigned roster_rooms_of(const struct roster *roster, const char *owner)
{
    unsigned count = 0;
    GHashTableIter iter;
    void *room;
    g_hash_table_iter_init(&iter, roster->rooms);
    while (g_hash_table_iter_next(&iter, NULL, &room))
        count += strcmp(((struct room *)room)->owner, owner) == 0;
    return count;
}

void roster_end_token(struct roster *roster, const char *session_token, enum error why)
{
    struct ended *slot = &roster->ended[roster->ended_count++ % ENDED_MAX];
    g_strlcpy(slot->session_token, session_token, sizeof(slot->session_token));
    slot->why = why;
}

enum error roster_token_end(const struct roster *roster, const char *session_token)
{
    for (size_t i = 0; i < ENDED_MAX; i++)
        if (roster->ended[i].why && crypto_equal_text(roster->ended[i].session_token, session_token))
            return roster->ended[i].why;
    return ERROR_NONE;
}

// ---- room ---------------------------------------------------------------------------------------------------

static void tap_free(struct tap *tap)
{
    g_free(tap->sdp);
    g_free(tap);
}

struct room *roster_add(struct roster *roster, const char *id, int64_t now_us, int64_t wall_ms)
{
    struct room *room = g_new0(struct room, 1);
    room->roster = roster;
    g_strlcpy(room->id, id, sizeof(room->id));
    room->created_ms = wall_ms;
    room->empty_since_us = now_us;
    room->participants = g_ptr_array_new();
    room->knocks = g_ptr_array_new();
    room->taps = g_ptr_array_new_with_free_func((GDestroyNotify)tap_free);
    g_hash_table_insert(roster->rooms, room->id, room);
    return room;
}

void room_free(struct room *room)
{
    if (room->roster->gone)
        room->roster->gone(room);
    g_assert(room->participants->len == 0 && room->knocks->len == 0 && room->peer_count == 0);
    g_hash_table_remove(room->roster->rooms, room->id);
    g_ptr_array_free(room->participants, TRUE);
    g_ptr_array_free(room->knocks, TRUE);
    policy_clear(&room->policy);
    g_free(room->recording);
    g_ptr_array_free(room->taps, TRUE);
    g_free(room);
}

// It stays for its rules only.
static bool is_kept(const struct room *room)
{
    return room->participants->len == 0 && room->knocks->len == 0 && !room->is_reserved;
}

bool roster_has_place(struct roster *roster, int64_t max_rooms)
{
    struct room *oldest = NULL;
    GHashTableIter iter;
    void *value;
    if (roster_room_count(roster) < max_rooms)
        return true;
    g_hash_table_iter_init(&iter, roster->rooms);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct room *room = value;
        if (is_kept(room) && (!oldest || room->dropped_us < oldest->dropped_us))
            oldest = room;
    }
    if (oldest)
        room_free(oldest);
    return oldest != NULL;
}

bool room_is_expired(const struct room *room, int64_t ttl_s, int64_t now_us, int64_t wall_ms)
{
    if (room->participants->len > 0 || room->knocks->len > 0)
        return false;
    if (!room->is_reserved)
        return !room->dropped_us || now_us - room->dropped_us >= RULES_KEPT_S * INT64_C(1000000);
    if (room->expires_ms)
        return wall_ms >= room->expires_ms;
    return now_us - room->empty_since_us >= ttl_s * INT64_C(1000000);
}

struct participant *room_host(const struct room *room)
{
    struct participant *by_default = NULL;
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *p = room->participants->pdata[i];
        if (p->role != ROLE_HOST)
            continue;
        if (!p->is_host_by_default)
            return p;
        if (!by_default)
            by_default = p;
    }
    return by_default;
}

struct participant *room_find(const struct room *room, const char *user)
{
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *p = room->participants->pdata[i];
        if (strcmp(p->user, user) == 0)
            return p;
    }
    return NULL;
}

struct participant *room_find_token(const struct room *room, const char *session_token)
{
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *p = room->participants->pdata[i];
        if (crypto_equal_text(p->session_token, session_token))
            return p;
    }
    return NULL;
}

// ---- participant --------------------------------------------------------------------------------------------

struct participant *participant_add(struct room *room, const char *user, const char *name, enum role role)
{
    struct participant *p = g_new0(struct participant, 1);
    p->room = room;
    g_strlcpy(p->user, user, sizeof(p->user));
    p->name = g_strdup(name);
    p->role = role;
    p->is_muted = role == ROLE_OBSERVER;
    p->is_video_enabled = role != ROLE_OBSERVER;
    crypto_random_text(p->session_token, SESSION_TOKEN_CHARS);
    g_queue_init(&p->missed);
    g_ptr_array_add(room->participants, p);
    room->roster->participant_count++;
    return p;
}

void participant_free(struct participant *p, int64_t now_us)
{
    struct room *room = p->room;
    g_assert(!p->session && p->peer == 0);
    g_ptr_array_remove(room->participants, p);
    room->roster->participant_count--;
    room->empty_since_us = now_us;
    if (room->participants->len == 0) {
        room->is_record_declined = false;
        g_clear_pointer(&room->recording, g_free);
    }
    g_queue_clear_full(&p->missed, (GDestroyNotify)missed_free);
    g_free(p->name);
    g_free(p->avatar);
    g_free(p->offer);
    json_decref(p->tracks);
    g_free(p);
}

void participant_keep(struct participant *p, const char *event, json_t *data)
{
    struct missed *missed = g_new0(struct missed, 1);
    missed->event = event;
    missed->data = json_incref(data);
    g_queue_push_tail(&p->missed, missed);
    if (g_queue_get_length(&p->missed) > MISSED_MAX)
        missed_free(g_queue_pop_head(&p->missed));
}

// ---- before the door ----------------------------------------------------------------------------------------

struct knock *knock_add(struct room *room, struct session *session, const char *user, const char *name)
{
    struct knock *knock = g_new0(struct knock, 1);
    knock->room = room;
    knock->session = session;
    g_strlcpy(knock->user, user, sizeof(knock->user));
    knock->name = g_strdup(name);
    crypto_random_text(knock->token, SESSION_TOKEN_CHARS);
    g_ptr_array_add(room->knocks, knock);
    return knock;
}

void knock_free(struct knock *knock)
{
    g_ptr_array_remove(knock->room->knocks, knock);
    g_free(knock->name);
    g_free(knock->avatar);
    g_free(knock);
}

struct knock *room_find_knock(const struct room *room, const char *user)
{
    for (guint i = 0; i < room->knocks->len; i++) {
        struct knock *knock = room->knocks->pdata[i];
        if (strcmp(knock->user, user) == 0)
            return knock;
    }
    return NULL;
}

struct knock *room_find_knock_token(const struct room *room, const char *token)
{
    for (guint i = 0; i < room->knocks->len; i++) {
        struct knock *knock = room->knocks->pdata[i];
        if (crypto_equal_text(knock->token, token))
            return knock;
    }
    return NULL;
}
