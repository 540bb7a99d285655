// Which calls are there, and what follows when one changes? (what calls.c stands on)
// SPDX-License-Identifier: MIT
#include "signaling/call_book.h"

#include <string.h>

#include "signaling/call_events.h"
#include "signaling/log.h"
#include "signaling/presence.h"

struct moment book_now(const struct hub *hub)
{
    return (struct moment){hub->now_us, hub->wall_ms};
}

// ---- the index ----------------------------------------------------------------------------------------------

void book_index(struct hub *hub, struct call *call, const struct call_member *member)
{
    GHashTable *by_user = hub->calls->by_user;
    GPtrArray *list = g_hash_table_lookup(by_user, member->user);
    if (!list) {
        list = g_ptr_array_new();
        g_hash_table_insert(by_user, g_strdup(member->user), list);
    }
    if (!g_ptr_array_find(list, call, NULL))
        g_ptr_array_add(list, call);
}

static void unindex_member(struct hub *hub, struct call *call, const struct call_member *member)
{
    GHashTable *by_user = hub->calls->by_user;
    GPtrArray *list = g_hash_table_lookup(by_user, member->user);
    if (list && g_ptr_array_remove(list, call) && list->len == 0)
        g_hash_table_remove(by_user, member->user);
}

static void unindex(struct hub *hub, struct call *call)
{
    for (guint i = 0; i < call->members->len; i++)
        unindex_member(hub, call, call->members->pdata[i]);
    hub->calls->live_count--;
}

void book_uninvite(struct hub *hub, struct call *call, struct call_member *guest)
{
    unindex_member(hub, call, guest);
    call_uninvite(call, guest);
}

void book_add(struct hub *hub, struct call *call)
{
    struct room *room = roster_add(&hub->roster, call->room_id, hub->now_us, hub->wall_ms);
    room->is_reserved = true;
    room->call = call;
    g_hash_table_insert(hub->calls->by_id, call->id, call);
    hub->calls->live_count++;
    book_index(hub, call, call_initiator(call));
}

void book_take_back(struct hub *hub, struct call *call)
{
    unindex(hub, call);
    room_free(roster_find(&hub->roster, call->room_id));
    g_hash_table_remove(hub->calls->by_id, call->id);
    call_free(call);
}

struct participant *book_participant(const struct hub *hub, const struct call *call, const char *user)
{
    const struct room *room = roster_find(&hub->roster, call->room_id);
    return room ? room_find(room, user) : NULL;
}

unsigned book_count(const struct hub *hub, const struct call *but, const char *user, enum member_status status)
{
    const GPtrArray *list = g_hash_table_lookup(hub->calls->by_user, user);
    unsigned count = 0;
    for (guint i = 0; list && i < list->len; i++) {
        const struct call *call = list->pdata[i];
        const struct call_member *member = call_find(call, user);
        count += call != but && member && member->status == status;
    }
    return count;
}

// ---- what follows -------------------------------------------------------------------------------------------

void book_note(struct hub *hub, const struct call *call, const struct call_member *member)
{
    const struct calls_sink *sink = &hub->calls->sink;
    if (sink->changed)
        sink->changed(sink->arg, call, member);
}

// It is over: everybody hears how. Whoever is in the room hears close-room when that is closed.
static void conclude(struct hub *hub, struct call *call)
{
    hub->counters.calls_over[call->status]++;
    log_about(LOG_LEVEL_INFO, "call", call->room_id, call->id, "over, %s after %d s", call_status_name(call->status),
              (int)call->duration_s);
    book_note(hub, call, NULL);
    for (guint i = 0; i < call->members->len; i++)
        book_note(hub, call, call->members->pdata[i]);
    unindex(hub, call);
    g_queue_push_tail(&hub->calls->over, call);
    call_tell_status(hub, call, NULL);
    call_tell_ended(hub, call);
}

void book_conclude(struct hub *hub, struct call *call)
{
    conclude(hub, call);
    struct room *room = roster_find(&hub->roster, call->room_id);
    presence_close(room, call->ended_by[0] ? call->ended_by : NULL, call->reason);
}

void book_finish(struct hub *hub, struct call *call, enum call_status status, const char *by, const char *reason)
{
    call_finish(call, status, by, reason, book_now(hub));
    book_conclude(hub, call);
}

void book_changed(struct hub *hub, struct call *call, const struct call_member *member, const char *by,
                  const char *reason)
{
    bool changed = call_settle(call, by, reason, book_now(hub));
    if (call_is_over(call))
        return book_conclude(hub, call);
    if (changed) {
        log_about(LOG_LEVEL_INFO, "call", call->room_id, call->id, "%s", call_status_name(call->status));
        book_note(hub, call, NULL);
    }
    book_note(hub, call, member);
    call_tell_status(hub, call, member);
}

void book_joined(struct hub *hub, struct call *call, struct call_member *member, const struct session *session)
{
    bool was_ringing = member->status == MEMBER_RINGING, is_first = call->status == CALL_RINGING;
    call_member_join(call, member, book_now(hub));
    if (was_ringing)
        call_tell_elsewhere(hub, call, member, session);
    book_changed(hub, call, member, member->user, NULL);
    if (is_first && call->status != CALL_RINGING)
        call_tell_started(hub, call, member);
    else
        call_tell_started_to(hub, call, member);
}

void book_left(struct hub *hub, struct call *call, const char *user, const char *reason)
{
    struct call_member *member = call_find(call, user);
    if (call_is_over(call) || !member || member->status != MEMBER_JOINED)
        return;
    call_member_out(call, member, MEMBER_LEFT, reason, book_now(hub));
    member->is_removed = strcmp(reason, "removed") == 0;
    bool by_itself = strcmp(reason, "left") == 0;
    book_changed(hub, call, member, by_itself ? user : NULL, by_itself ? NULL : reason);
}

// ---- what happens in its room -------------------------------------------------------------------------------

static void on_entered(struct participant *p, bool resumed)
{
    struct hub *hub = p->room->roster->hub;
    struct call *call = p->room->call;
    struct call_member *member = call ? call_find(call, p->user) : NULL;
    if (!member)
        return;
    if (resumed)
        return call_tell_status_on(p->session, call);
    call_member_name(member, p->name, p->avatar);
    member->is_muted = p->is_muted;
    member->is_video_enabled = p->is_video_enabled;
    member->is_sharing_screen = p->is_sharing_screen;
    if (member->status != MEMBER_JOINED)
        book_joined(hub, call, member, p->session);
}

static void on_closing(struct room *room, const char *by, const char *reason)
{
    struct call *call = room->call;
    if (!call || call_is_over(call))
        return;
    call_finish(call, call_end_status(call), by, reason ? reason : "ended", book_now(room->roster->hub));
    conclude(room->roster->hub, call);
}

static void on_media(struct participant *p, bool is_connected)
{
    struct call *call = p->room->call;
    struct call_member *member = call ? call_find(call, p->user) : NULL;
    struct hub *hub = p->room->roster->hub;
    if (!member || member->status != MEMBER_JOINED)
        return;
    call_member_connected(call, member, is_connected, book_now(hub));
    if (!call_settle(call, NULL, NULL, book_now(hub)))
        return;
    book_note(hub, call, NULL);
    call_tell_status(hub, call, NULL);
}

static void on_changed(struct participant *p)
{
    struct call *call = p->room->call;
    struct call_member *member = call ? call_find(call, p->user) : NULL;
    if (!member)
        return;
    member->is_muted = p->is_muted;
    member->is_video_enabled = p->is_video_enabled;
    member->is_sharing_screen = p->is_sharing_screen;
    call->changed_ms = p->room->roster->hub->wall_ms;
    book_note(p->room->roster->hub, call, member);
}

// ---- a socket comes -----------------------------------------------------------------------------------------

void book_greet(struct session *session)
{
    const GPtrArray *list = g_hash_table_lookup(session->hub->calls->by_user, session->user_id);
    for (guint i = 0; list && i < list->len; i++) {
        const struct call *call = list->pdata[i];
        const struct call_member *member = call_find(call, session->user_id);
        if (member->status == MEMBER_RINGING)
            call_tell_incoming_on(session, call);
        else if (member->status == MEMBER_JOINED)
            call_tell_status_on(session, call);
    }
}

// ---- a life -------------------------------------------------------------------------------------------------

void book_init(struct hub *hub)
{
    static const struct watch watch = {book_greet, on_entered, book_left, on_closing, on_media, on_changed};
    struct calls *calls = g_new0(struct calls, 1);
    calls->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    calls->by_user = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (size_t i = 0; i < RINGERS; i++)
        bucket_init(&calls->ringers[i], 1.0 / RING_EVERY_S, RINGS_BURST, hub->now_us);
    hub->calls = calls;
    hub->watch = &watch;
}

static void forget(struct calls *calls, struct call *call)
{
    g_hash_table_remove(calls->by_id, call->id);
    call_free(call);
}

void book_free(struct calls *calls)
{
    struct call *call;
    g_assert(calls->live_count == 0 && g_hash_table_size(calls->by_user) == 0);
    while ((call = g_queue_pop_head(&calls->over)))
        forget(calls, call);
    g_hash_table_destroy(calls->by_id);
    g_hash_table_destroy(calls->by_user);
    g_free(calls);
}

// A member who joined over HTTP and has no socket at all.
static const struct call_member *find_ghost(const struct hub *hub, const struct call *call)
{
    for (guint i = 0; call->status == CALL_CONNECTED && i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        if (member->status == MEMBER_JOINED && !book_participant(hub, call, member->user) &&
            !hub_sessions(hub, member->user) && hub->wall_ms - member->joined_ms >= CALL_CONNECT_S * 1000)
            return member;
    }
    return NULL;
}

static void tick_call(struct hub *hub, struct call *call)
{
    struct call_member *late;
    const struct call_member *ghost;
    while (!call_is_over(call) && (late = call_ring_out(call, book_now(hub)))) {
        call_tell_over(hub, call, late->user, late->reason);
        book_changed(hub, call, late, NULL, NULL);
    }
    while (!call_is_over(call) && (ghost = find_ghost(hub, call)))
        book_left(hub, call, ghost->user, "timeout");
    if (call_expire(call, book_now(hub)))
        book_conclude(hub, call);
}

void book_tick(struct hub *hub)
{
    struct calls *calls = hub->calls;
    GList *all = g_hash_table_get_values(calls->by_id);
    for (GList *one = all; one; one = one->next)
        tick_call(hub, one->data);
    g_list_free(all);
    const struct call *oldest;
    while ((oldest = g_queue_peek_head(&calls->over)) &&
           (hub->wall_ms - oldest->ended_ms >= CALL_KEPT_S * 1000 ||
            g_queue_get_length(&calls->over) > (guint)hub->config->max_calls))
        forget(calls, g_queue_pop_head(&calls->over));
}
