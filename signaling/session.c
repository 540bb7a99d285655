// What is one WebSocket, and what do all of them share?
// SPDX-License-Identifier: MIT
#include "signaling/session.h"

#include <string.h>

bool hub_user_is_full(const struct hub *hub, const char *user)
{
    return accounts_sockets(hub->users, user) >= hub->config->max_connections_per_user;
}

bool hub_place_is_full(const struct hub *hub, const char *address)
{
    char place[PLACE_SIZE];
    int64_t max = hub->config->max_connections_per_address;
    place_of(place, address);
    return max > 0 && !place_is_loopback(address) && accounts_sockets(hub->places, place) >= max;
}

static void open_user(struct session *session)
{
    struct bucket messages;
    bucket_init(&messages, USER_MESSAGES_PER_S, USER_MESSAGES_BURST, session->hub->now_us);
    session->user = account_open(session->hub->users, session->identity.user, &messages);
}

// ---- whose socket it is -------------------------------------------------------------------------------------

static void forget_user(struct session *session)
{
    struct hub *hub = session->hub;
    GPtrArray *sessions = g_hash_table_lookup(hub->people, session->user_id);
    if (!session->user_id[0] || !sessions)
        return;
    g_ptr_array_remove(sessions, session);
    if (sessions->len == 0)
        g_hash_table_remove(hub->people, session->user_id);
    session->user_id[0] = '\0';
}

static void remember_user(struct session *session, const char *user)
{
    struct hub *hub = session->hub;
    GPtrArray *sessions = g_hash_table_lookup(hub->people, user);
    if (!sessions) {
        sessions = g_ptr_array_new();
        g_hash_table_insert(hub->people, g_strdup(user), sessions);
    }
    g_ptr_array_add(sessions, session);
    g_strlcpy(session->user_id, user, sizeof(session->user_id));
}

void session_identify(struct session *session, const char *user, const char *name)
{
    g_assert(!session->participant);
    if (name) {
        g_free(session->name);
        session->name = g_strdup(name);
    }
    if (strcmp(session->user_id, user) == 0)
        return;
    forget_user(session);
    remember_user(session, user);
    if (session->hub->watch)
        session->hub->watch->identified(session);
}

bool session_is_over(const struct session *session)
{
    return session->has_identity && identity_is_over(&session->identity, session->hub->wall_ms);
}

const char *session_name(const struct session *session)
{
    return session->has_identity && session->identity.name ? session->identity.name : session->name;
}

const GPtrArray *hub_sessions(const struct hub *hub, const char *user)
{
    return g_hash_table_lookup(hub->people, user);
}

// ---- a session ----------------------------------------------------------------------------------------------

struct session *session_new(struct hub *hub, const struct session_output *output, void *output_arg,
                            const struct dialect *dialect, const struct identity *identity)
{
    struct session *session = g_new0(struct session, 1);
    session->hub = hub;
    session->output = output;
    session->output_arg = output_arg;
    held_init(&session->held, output, output_arg, &hub->holds, hub->store);
    session->dialect = dialect ? dialect : &dialect_signal;
    session->is_dialect_settled = dialect != NULL;
    session->has_identity = identity != NULL;
    if (identity) {
        identity_copy(&session->identity, identity);
        open_user(session);
        remember_user(session, identity->user);
    }
    bucket_init(&session->messages, MESSAGES_PER_S, MESSAGES_BURST, hub->now_us);
    bucket_init(&session->refusals, REFUSALS_PER_S, REFUSALS_BURST, hub->now_us);
    session->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting));
    session->opened_us = session->heard_us = session->pinged_us = hub->now_us;
    g_ptr_array_add(hub->sessions, session);
    hub->counters.sockets_opened++;
    return session;
}

static struct waiting *waiting_at(const struct session *session, guint i)
{
    return &g_array_index(session->waiting, struct waiting, i);
}

void session_free(struct session *session)
{
    g_assert(!session->participant && !session->knock);
    for (guint i = 0; i < session->waiting->len; i++)
        json_decref(waiting_at(session, i)->id);
    g_array_unref(session->waiting);
    g_ptr_array_remove_fast(session->hub->sessions, session);
    account_close(session->user);
    account_close(session->place);
    forget_user(session);
    identity_clear(&session->identity);
    g_free(session->name);
    held_clear(&session->held);
    g_free(session);
}

void session_set_identity(struct session *session, struct identity *identity)
{
    identity_clear(&session->identity);
    session->identity = *identity;
    session->has_identity = true;
    account_close(session->user);
    open_user(session);
    if (!session->participant)
        session_identify(session, session->identity.user, NULL);
}

void session_set_address(struct session *session, const char *address)
{
    char place[PLACE_SIZE];
    struct bucket unused = {0};
    g_assert(!session->place);
    place_of(place, address);
    g_strlcpy(session->address, address, sizeof(session->address));
    session->place = account_open(session->hub->places, place, &unused);
}

static void send_message(struct session *session, const char *wire_event, const json_t *data, const json_t *id)
{
    if (session->is_closing)
        return;
    session->hub->counters.messages_tx++;
    char *text = message_print(wire_event, data, id, session->hub->wall_ms);
    held_send(&session->held, text);
}

void session_send(struct session *session, const char *event, json_t *data)
{
    const char *wire_event = dialect_write(session->dialect, event, &data);
    send_message(session, wire_event, data, NULL);
    json_decref(data);
}

void session_announce(struct session *session, struct announcement *words)
{
    if (session->is_closing)
        return;
    if (words->dialect != session->dialect) {
        json_t *data = json_incref(words->data);
        const char *wire_event = dialect_write(session->dialect, words->event, &data);
        free(words->text);
        words->text = message_print(wire_event, data, NULL, session->hub->wall_ms);
        words->dialect = session->dialect;
        json_decref(data);
    }
    session->hub->counters.messages_tx++;
    held_send(&session->held, strdup(words->text));
}

void announcement_clear(struct announcement *words)
{
    json_decref(words->data);
    free(words->text);
}

void session_ack(struct session *session, json_t *id, json_t *data)
{
    if (id)
        send_message(session, "ack", data, id);
    json_decref(data);
}

void session_refuse(struct session *session, json_t *id, const char *event, const struct fault *fault)
{
    session->hub->counters.refusals[fault->error]++;
    json_t *data =
        json_pack("{s:s, s:s, s:s?}", "code", error_name(fault->error), "message", fault->text, "event", event);
    if (fault->reason)
        json_object_set_new(data, "reason", json_string(fault->reason));
    send_message(session, "error", data, id);
    json_decref(data);
}

// ---- what the media server has yet to answer ----------------------------------------------------------------

bool session_wait(struct session *session, uint64_t tag, json_t *id, const char *event)
{
    struct waiting waiting = {.tag = tag, .id = id};
    if (session->waiting->len == WAITING_MAX)
        return false;
    json_incref(id);
    g_strlcpy(waiting.event, event, sizeof(waiting.event));
    g_array_append_val(session->waiting, waiting);
    return true;
}

static void settle(struct session *session, guint i, const struct fault *fault)
{
    struct waiting done = *waiting_at(session, i);
    g_array_remove_index_fast(session->waiting, i);
    if (fault)
        session_refuse(session, done.id, done.event, fault);
    else
        session_ack(session, done.id, json_object());
    json_decref(done.id);
}

void session_settle(struct session *session, uint64_t tag, const struct fault *fault)
{
    for (guint i = 0; i < session->waiting->len; i++)
        if (waiting_at(session, i)->tag == tag)
            return settle(session, i, fault);
}

void session_settle_all(struct session *session, const struct fault *fault)
{
    while (session->waiting->len > 0)
        settle(session, session->waiting->len - 1, fault);
}

void session_close(struct session *session, uint16_t code, const char *reason)
{
    if (session->is_closing)
        return;
    session->is_closing = true;
    held_close(&session->held, code, reason);
}
