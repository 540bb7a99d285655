// What happens to all sessions together? (made, driven by time and by the media server, ended)
// SPDX-License-Identifier: MIT
#include "signaling/hub.h"

#include <malloc.h>

#include "signaling/call_book.h"
#include "signaling/desk.h"
#include "signaling/events.h"
#include "signaling/exchange.h"
#include "signaling/ice_servers.h"
#include "signaling/log.h"
#include "signaling/measure.h"
#include "signaling/media.h"
#include "signaling/presence.h"
#include "signaling/recording.h"
#include "signaling/taps.h"
#include "signaling/webhook.h"

static const int64_t SECOND_US = 1000000;

struct hub *hub_new(const struct config *config, const struct auth *auth, struct sfu *sfu, int64_t now_us,
                    int64_t wall_ms)
{
    struct hub *hub = g_new0(struct hub, 1);
    hub->config = config;
    hub->auth = auth;
    hub->sfu = sfu;
    hub->now_us = hub->started_us = now_us;
    hub->wall_ms = wall_ms;
    hub->sessions = g_ptr_array_new();
    hub->users = accounts_new();
    hub->places = accounts_new();
    crowd_init(&hub->newcomers, 1.0 / TRIES_EVERY_S, TRIES_BURST, now_us);
    crowd_init(&hub->tried, 1, TRIED_BURST, now_us);
    bucket_init(&hub->passwords, PASSWORDS_PER_S, PASSWORDS_BURST, now_us);
    hub->people = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    roster_init(&hub->roster, hub);
    hub->measure = measure_new();
    book_init(hub);
    return hub;
}

static GList *rooms_of(const struct hub *hub)
{
    return g_hash_table_get_values(hub->roster.rooms); // a copy: rooms go while we walk
}

void hub_free(struct hub *hub)
{
    g_assert(hub->sessions->len == 0);
    GList *rooms = rooms_of(hub);
    for (GList *one = rooms; one; one = one->next)
        presence_close(one->data, NULL, "the server stops");
    g_list_free(rooms);
    book_free(hub->calls);
    roster_clear(&hub->roster);
    exchange_end_all(hub);
    holds_clear(&hub->holds);
    measure_free(hub->measure);
    g_hash_table_destroy(hub->people);
    g_ptr_array_free(hub->sessions, TRUE);
    g_hash_table_unref(hub->users);
    g_hash_table_unref(hub->places);
    g_free(hub);
}

bool hub_is_full(const struct hub *hub)
{
    return hub->is_ending || hub->sessions->len >= hub->config->max_connections;
}

void hub_lost(struct session *session, uint16_t code)
{
    struct participant *p = session->participant;
    session->is_closing = true; // nothing said from here on would arrive
    if (session->knock)
        presence_give_up(session->knock);
    if (p && code == CLOSE_NORMAL) {
        presence_leave(p, "left");
    } else if (p) {
        presence_lost(p, code == CLOSE_GOING_AWAY);
        if (presence_is_expired(p))
            presence_leave(p, "timeout");
    }
    session_free(session);
}

static void tick_session(struct session *session)
{
    struct hub *hub = session->hub;
    bool is_stranger = !auth_is_open(hub->auth) && !session->has_identity && !session->participant;
    if (session->is_closing)
        return;
    if (hub->now_us - session->heard_us >= SILENCE_MAX_S * SECOND_US) {
        if (session->participant)
            presence_leave(session->participant, "timeout");
        session_close(session, CLOSE_GOING_AWAY, "timeout");
    } else if (is_stranger && hub->now_us - session->opened_us >= STRANGER_MAX_S * SECOND_US) {
        session_close(session, CLOSE_POLICY, "no token");
    } else if (hub->now_us - session->pinged_us >= PING_EVERY_S * SECOND_US) {
        session->pinged_us = hub->now_us;
        session->output->ping(session->output_arg);
    }
}

// Returns whether somebody left; the room may be gone then.
static bool let_one_go(struct room *room)
{
    for (guint i = 0; i < room->participants->len; i++) {
        if (presence_is_expired(room->participants->pdata[i])) {
            presence_leave(room->participants->pdata[i], "timeout");
            return true;
        }
    }
    return false;
}

// Half of their time is over: an ICE restart that comes must find credentials that are good.
static void renew_ice_servers(const struct hub *hub, struct room *room)
{
    int64_t old_us = hub->now_us - hub->config->turn_ttl * SECOND_US / 2;
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *p = room->participants->pdata[i];
        if (p->session && p->ice_told_us <= old_us)
            event_ice_servers(p);
    }
}

static void tick_room(struct hub *hub, struct room *room)
{
    char id[ROOM_ID_MAX + 1];
    g_strlcpy(id, room->id, sizeof(id));
    while (room && let_one_go(room))
        room = roster_find(&hub->roster, id);
    if (room && ice_servers_expire(hub->config))
        renew_ice_servers(hub, room);
    if (room && !room->call && room_is_expired(room, hub->config->room_ttl, hub->now_us, hub->wall_ms))
        room_free(room);
}

static void give_memory_back(struct hub *hub)
{
    const struct counters *c = &hub->counters;
    if (slack_is_due(&hub->slack, c->sockets_opened + c->joins + c->leaves, hub->now_us))
        malloc_trim(0);
}

void hub_tick(struct hub *hub)
{
    exchange_tick(hub);
    measure_tick(hub);
    load_tick(&hub->load, hub->sfu, hub->now_us);
    for (guint i = 0; i < hub->sessions->len; i++)
        tick_session(hub->sessions->pdata[i]);
    store_expire(hub->store, hub->wall_ms);
    librarian_tick(hub->librarian, hub->wall_ms);
    GList *rooms = rooms_of(hub);
    for (GList *one = rooms; one; one = one->next)
        tick_room(hub, one->data);
    g_list_free(rooms);
    book_tick(hub);
    give_memory_back(hub);
    hub_rx_store(hub); // a disk that takes too long says nothing
}

static void count_event(struct hub *hub, const struct sfu_event *event)
{
    struct counters *c = &hub->counters;
    if (event->type != SFU_RECORDING || event->on)
        return;
    c->recordings_ended++;
    c->recordings_failed += event->reason == SFU_DISK_FULL || event->reason == SFU_DISK_SLOW ||
                            event->reason == SFU_DISK_FAILED || event->reason == SFU_INTERRUPTED;
}

void hub_rx_sfu(struct hub *hub)
{
    struct sfu_event *event;
    unsigned count = 0;
    while ((event = sfu_next_event(hub->sfu))) {
        count_event(hub, event);
        if (event->type == SFU_LOAD_DATA)
            load_rx(&hub->load, event, hub->now_us);
        else if (event->type == SFU_STATS_DATA)
            measure_rx(hub, event);
        else if (event->type == SFU_RECORDING)
            recording_rx(hub, event);
        else if (event->type == SFU_TAP)
            taps_rx(hub, event);
        else
            media_rx(hub, event);
        sfu_event_free(event);
        count++;
    }
    hub->counters.sfu_events += count;
    hub->counters.sfu_events_peak = MAX(hub->counters.sfu_events_peak, count);
}

void hub_rx_librarian(struct hub *hub)
{
    struct librarian_answer *answer;
    while ((answer = librarian_next(hub->librarian))) {
        desk_rx(hub, answer);
        librarian_answer_free(answer);
    }
    librarian_settled(hub->librarian, store_settled(hub->store));
}

void hub_rx_store(struct hub *hub)
{
    store_flush(hub->store);
    holds_open(&hub->holds, hub->store);
    librarian_settled(hub->librarian, store_settled(hub->store));
    webhook_rx(hub->webhook);
}

void hub_drain(struct hub *hub, int64_t seconds)
{
    hub->is_draining = true;
    hub->drain_until_us = hub->now_us + seconds * SECOND_US;
    log_info("main", "draining: %u participants may stay for %d s", hub->roster.participant_count, (int)seconds);
    for (guint i = 0; seconds > 0 && i < hub->sessions->len; i++)
        event_server_draining(hub->sessions->pdata[i]);
}

bool hub_is_drained(const struct hub *hub)
{
    return hub->is_draining && (hub->roster.participant_count == 0 || hub->now_us >= hub->drain_until_us);
}

void hub_end(struct hub *hub)
{
    hub->is_draining = hub->is_ending = true;
    for (guint i = 0; i < hub->sessions->len; i++)
        session_close(hub->sessions->pdata[i], CLOSE_GOING_AWAY, "the server stops");
}
