// Which calls are there, and who may do what with them? (the book of calls)
// SPDX-License-Identifier: MIT
#include "signaling/calls.h"

#include <string.h>

#include "signaling/call_events.h"
#include "signaling/events.h"
#include "signaling/log.h"
#include "signaling/presence.h"

static const int64_t SECOND_US = 1000000;

// ---- who asks -----------------------------------------------------------------------------------------------

bool actor_of_session(struct session *session, struct actor *actor)
{
    const struct participant *p = session->participant;
    *actor = (struct actor){
        .user = p ? p->user : session->user_id,
        .name = p ? p->name : session_name(session),
        .avatar = session->identity.avatar,
        .is_observer = session->has_identity && session->identity.role == ROLE_OBSERVER,
        .session = session,
        .dialect = session->dialect,
    };
    return actor->user[0] != '\0';
}

struct actor actor_of_identity(const struct identity *identity, const struct dialect *dialect)
{
    return (struct actor){.user = identity->user,
                          .name = identity->name,
                          .avatar = identity->avatar,
                          .is_observer = identity->role == ROLE_OBSERVER,
                          .dialect = dialect};
}

// ---- looking up ---------------------------------------------------------------------------------------------

struct call *calls_find(const struct hub *hub, const char *id)
{
    return g_hash_table_lookup(hub->calls->by_id, id);
}

struct call *calls_need(const struct hub *hub, const char *user, const char *id, struct fault *fault)
{
    struct call *call = calls_find(hub, id);
    if (!call)
        return fault_say(fault, ERROR_NOT_FOUND, "callId: there is no such call"), NULL;
    if (!call_find(call, user))
        return fault_say(fault, ERROR_FORBIDDEN, "callId: you are not in that call"), NULL;
    return call;
}

const GPtrArray *calls_of(const struct hub *hub, const char *user)
{
    return g_hash_table_lookup(hub->calls->by_user, user);
}

static bool is_in(const struct call *call, const char *user)
{
    const struct call_member *member = call_find(call, user);
    return member && (member->status == MEMBER_RINGING || member->status == MEMBER_JOINED);
}

struct call *calls_between(const struct hub *hub, const char *user, const char *other)
{
    const GPtrArray *list = calls_of(hub, user);
    for (guint i = list ? list->len : 0; i > 0; i--)
        if (is_in(list->pdata[i - 1], user) && is_in(list->pdata[i - 1], other))
            return list->pdata[i - 1];
    return NULL;
}

struct participant *calls_participant(const struct hub *hub, const struct call *call, const char *user)
{
    return book_participant(hub, call, user);
}

bool calls_is_host(const struct hub *hub, const struct call *call, const char *user)
{
    const struct participant *p = calls_participant(hub, call, user);
    return strcmp(call->started_by, user) == 0 || (p && p->role == ROLE_HOST);
}

static bool is_going(const struct call *call, struct fault *fault)
{
    if (!call_is_over(call))
        return true;
    return !fault_say(fault, ERROR_ROOM_CLOSED, "callId: that call is over");
}

static bool need_host(const struct hub *hub, const struct call *call, const char *user, struct fault *fault)
{
    if (calls_is_host(hub, call, user))
        return true;
    return !fault_say(fault, ERROR_FORBIDDEN, "only a host of the call may do that");
}

// ---- into the room ------------------------------------------------------------------------------------------

// Where a request over HTTP leaves no doubt which socket is meant.
static struct session *only_session(const struct hub *hub, const char *user)
{
    const GPtrArray *sessions = hub_sessions(hub, user);
    struct session *session = sessions && sessions->len == 1 ? sessions->pdata[0] : NULL;
    return session && !session->participant && !session->is_closing ? session : NULL;
}

// *resumed: it was in already. presence_announce() is to follow.
static struct participant *enter(struct call *call, struct session *session, const char *session_token, bool *resumed,
                                 struct fault *fault)
{
    struct join join = {.room = call->room_id,
                        .user = session->user_id,
                        .name = session_name(session),
                        .session_token = session_token};
    if (!session->is_dialect_settled)
        session->dialect = call->dialect;
    struct participant *p = presence_join(session, &join, resumed, fault);
    if (p)
        p->keeps_socket = true;
    return p;
}

static struct participant *enter_and_tell(struct call *call, struct session *session, const char *session_token,
                                          struct fault *fault)
{
    bool resumed;
    struct participant *p = enter(call, session, session_token, &resumed, fault);
    if (p)
        presence_announce(p, resumed);
    return p;
}

struct participant *calls_adopt(struct hub *hub, struct call *call, const struct actor *actor, struct fault *fault)
{
    struct participant *p = calls_participant(hub, call, actor->user);
    const struct call_member *member = call_find(call, actor->user);
    struct session *session = actor->session ? actor->session : only_session(hub, actor->user);
    if (call_is_over(call) || !member || member->status != MEMBER_JOINED)
        return NULL;
    if (p && (!actor->session || p->session == actor->session))
        return p;
    if (p || !session || session->participant)
        return NULL;
    return enter_and_tell(call, session, NULL, fault);
}

// ---- ringing ------------------------------------------------------------------------------------------------

static bool may_ring(struct hub *hub, const struct actor *actor, struct fault *fault)
{
    struct bucket *bucket = &hub->calls->ringers[g_str_hash(actor->user) % RINGERS];
    if (actor->is_observer)
        return !fault_say(fault, ERROR_FORBIDDEN, "an observer only watches");
    if (!bucket_take(bucket, 1, hub->now_us))
        return !fault_say(fault, ERROR_RATE_LIMITED, "you ring too often: one call every %d seconds", RING_EVERY_S);
    return true;
}

static const char *known_name(const struct hub *hub, const char *user)
{
    const GPtrArray *sessions = hub_sessions(hub, user);
    return sessions ? session_name(sessions->pdata[0]) : NULL;
}

static void invite(struct hub *hub, struct call *call, const char *user)
{
    struct moment now = book_now(hub);
    bool is_busy = book_count(hub, call, user, MEMBER_JOINED) > 0 ||
                   book_count(hub, call, user, MEMBER_RINGING) >= CALLS_RINGING_MAX;
    struct call_member *member =
        call_invite(call, user, known_name(hub, user), NULL, hub->config->ring_timeout * SECOND_US, now);
    book_index(hub, call, member);
    if (is_busy)
        call_member_out(call, member, MEMBER_BUSY, "busy", now);
}

static bool is_known(const struct call *call, const char *user)
{
    return call_find(call, user) != NULL;
}

// How many of them would be new to those who are so.
static size_t count_new(const struct call *call, const char *const *users, size_t user_count,
                        bool (*is_so)(const struct call *, const char *))
{
    size_t count = 0;
    for (size_t i = 0; i < user_count; i++) {
        bool is_double = is_so(call, users[i]);
        for (size_t k = 0; k < i; k++)
            is_double = is_double || strcmp(users[i], users[k]) == 0;
        count += !is_double;
    }
    return count;
}

static bool has_place(const struct hub *hub, const struct call *call, const struct call_wish *wish,
                      struct fault *fault)
{
    size_t here = call_count(call, MEMBER_JOINED) + call_count(call, MEMBER_RINGING);
    size_t max = (size_t)hub->config->max_participants;
    if (here + count_new(call, wish->users, wish->user_count, is_in) > max)
        return !fault_say(fault, ERROR_ROOM_FULL, "a call has at most %d participants (MAX_PARTICIPANTS)", (int)max);
    if (call->members->len + count_new(call, wish->users, wish->user_count, is_known) > max + CALL_GONE_MAX)
        return !fault_say(fault, ERROR_ROOM_FULL, "this call has rung %d people already", (int)call->members->len);
    return true;
}

// ---- starting -----------------------------------------------------------------------------------------------

static bool may_start(struct hub *hub, const struct actor *actor, struct fault *fault)
{
    const struct calls *calls = hub->calls;
    if (hub->is_draining)
        return !fault_draining(fault);
    if (actor->session && actor->session->participant)
        return !fault_say(fault, ERROR_BUSY, "this socket is in a room: leave that first");
    if (book_count(hub, NULL, actor->user, MEMBER_JOINED) > 0)
        return !fault_say(fault, ERROR_BUSY, "you are in a call: leave that first");
    if (calls->live_count >= hub->config->max_calls)
        return !fault_say(fault, ERROR_BUSY, "the server has no place for another call (MAX_CALLS)");
    if (calls->sink.may_begin && !calls->sink.may_begin(calls->sink.arg))
        return !fault_say(fault, ERROR_BUSY, "the server cannot keep a record of another call now");
    if (!roster_has_place(&hub->roster, hub->config->max_rooms))
        return !fault_say(fault, ERROR_ROOM_FULL, "the server has no place for another room (MAX_ROOMS)");
    return may_ring(hub, actor, fault);
}

static struct call *make(struct hub *hub, const struct actor *actor, const struct call_wish *wish)
{
    struct call *call = call_new(wish->type, actor->user, actor->name, actor->avatar, book_now(hub));
    call->chat_id = g_strdup(wish->chat_id);
    call->room_name = g_strdup(wish->room_name);
    // Calls are documented in two dialects: what has not spoken yet is taken to speak one of them.
    call->dialect = actor->dialect == &dialect_webrtc ? &dialect_webrtc : &dialect_call;
    call->is_awaiting = wish->user_count == 0;
    call->await_until_us = hub->now_us + hub->config->room_ttl * SECOND_US;
    return call;
}

static void ring(struct hub *hub, struct call *call, const struct call_wish *wish)
{
    for (size_t i = 0; i < wish->user_count; i++)
        if (!is_in(call, wish->users[i]))
            invite(hub, call, wish->users[i]);
}

static void tell_begin(struct hub *hub, struct call *call)
{
    book_note(hub, call, NULL);
    for (guint i = 0; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        book_note(hub, call, member);
        if (member->status == MEMBER_RINGING)
            call_tell_incoming(hub, call, member->user);
    }
    const GPtrArray *sessions = hub_sessions(hub, call->started_by);
    for (guint i = 0; sessions && i < sessions->len; i++)
        call_tell_status_on(sessions->pdata[i], call);
}

struct call *calls_start(struct hub *hub, const struct actor *actor, const struct call_wish *wish,
                         struct fault *fault)
{
    struct session *session = actor->session ? actor->session : only_session(hub, actor->user);
    struct participant *p = NULL;
    bool resumed = false;
    if (!may_start(hub, actor, fault))
        return NULL;
    struct call *call = make(hub, actor, wish);
    book_add(hub, call);
    if (has_place(hub, call, wish, fault) && session)
        p = enter(call, session, NULL, &resumed, fault);
    if (fault->error) {
        book_take_back(hub, call);
        return NULL;
    }
    if (p)
        presence_announce(p, resumed);
    ring(hub, call, wish);
    hub->counters.calls_begun++;
    log_about(LOG_LEVEL_INFO, "call", call->room_id, call->id, "begins, for %u", call->members->len);
    tell_begin(hub, call);
    if (call_settle(call, NULL, NULL, book_now(hub))) // everybody is busy
        book_conclude(hub, call);
    return call;
}

bool calls_add(struct hub *hub, struct call *call, const struct actor *actor, const char *const *users,
               size_t user_count, struct fault *fault)
{
    const struct call_wish wish = {.users = users, .user_count = user_count};
    if (!is_going(call, fault) || !need_host(hub, call, actor->user, fault) || !has_place(hub, call, &wish, fault) ||
        !may_ring(hub, actor, fault))
        return false;
    for (size_t i = 0; i < user_count && !call_is_over(call); i++) {
        if (is_in(call, users[i]))
            continue;
        invite(hub, call, users[i]);
        const struct call_member *member = call_find(call, users[i]);
        if (member->status == MEMBER_RINGING)
            call_tell_incoming(hub, call, users[i]);
        book_changed(hub, call, member, NULL, NULL);
    }
    return true;
}

// ---- answering ----------------------------------------------------------------------------------------------

static bool may_answer(const struct hub *hub, const struct call *call, const struct actor *actor, struct fault *fault)
{
    const struct call_member *member = call_find(call, actor->user);
    if (!is_going(call, fault))
        return false;
    if (!member && !call->is_awaiting)
        return !fault_say(fault, ERROR_FORBIDDEN, "callId: you are not in that call");
    if (member && member->is_removed)
        return !fault_say(fault, ERROR_FORBIDDEN, "callId: the host has sent you away");
    if (book_count(hub, call, actor->user, MEMBER_JOINED) > 0)
        return !fault_say(fault, ERROR_BUSY, "you are in another call: leave that first");
    return true;
}

static bool answer_here(const struct hub *hub, struct call *call, const struct actor *actor,
                        const char *session_token, struct fault *fault)
{
    struct session *session = actor->session;
    const struct participant *p = calls_participant(hub, call, actor->user);
    if (p && p->session == session)
        return true;
    if (session->participant)
        return !fault_say(fault, ERROR_BUSY, "this socket is in a room: leave that first");
    if (p && p->session && !session_token)
        return !fault_say(fault, ERROR_BUSY, "another socket of yours has answered");
    // A token proves that the place that was lost is the actor's own.
    if (p && !p->session && session->has_identity)
        session_token = p->session_token;
    return enter_and_tell(call, session, session_token, fault) != NULL;
}

// Over HTTP, with or without a socket.
static bool answer_anywhere(struct hub *hub, struct call *call, struct call_member *member, const struct actor *actor,
                            struct fault *fault)
{
    struct session *session = only_session(hub, actor->user);
    if (member->status == MEMBER_JOINED)
        return true;
    if (session)
        return enter_and_tell(call, session, NULL, fault) != NULL;
    call_member_name(member, actor->name, actor->avatar);
    book_joined(hub, call, member, NULL);
    return true;
}

bool calls_answer(struct hub *hub, struct call *call, const struct actor *actor, const char *session_token,
                  struct fault *fault)
{
    if (!may_answer(hub, call, actor, fault))
        return false;
    struct call_member *member = call_find(call, actor->user);
    bool is_guest = !member;
    if (is_guest) {
        member = call_invite(call, actor->user, actor->name, actor->avatar, 0, book_now(hub));
        book_index(hub, call, member);
    }
    bool ok = actor->session ? answer_here(hub, call, actor, session_token, fault)
                             : answer_anywhere(hub, call, member, actor, fault);
    if (is_guest && !ok)
        book_uninvite(hub, call, member);
    return ok;
}

bool calls_decline(struct hub *hub, struct call *call, const struct actor *actor, const char *reason,
                   struct fault *fault)
{
    struct call_member *member = call_find(call, actor->user);
    if (!is_going(call, fault))
        return false;
    if (!member || member->status != MEMBER_RINGING)
        return !fault_say(fault, ERROR_NOT_FOUND, "callId: it does not ring for you");
    call_member_out(call, member, MEMBER_DECLINED, reason ? reason : "declined", book_now(hub));
    call_tell_elsewhere(hub, call, member, actor->session);
    book_changed(hub, call, member, member->user, reason);
    return true;
}

// ---- going --------------------------------------------------------------------------------------------------

static void go(struct hub *hub, struct call *call, const char *user)
{
    struct participant *p = calls_participant(hub, call, user);
    if (p)
        presence_leave(p, "left");
    else
        book_left(hub, call, user, "left");
}

bool calls_leave(struct hub *hub, struct call *call, const struct actor *actor, struct fault *fault)
{
    const struct call_member *member = call_find(call, actor->user);
    if (!is_going(call, fault))
        return false;
    if (member && member->status == MEMBER_RINGING)
        return calls_decline(hub, call, actor, NULL, fault);
    if (!member || member->status != MEMBER_JOINED)
        return !fault_say(fault, ERROR_NOT_FOUND, "callId: you have left that call");
    go(hub, call, actor->user);
    return true;
}

bool calls_end(struct hub *hub, struct call *call, const struct actor *actor, const char *reason, struct fault *fault)
{
    const struct call_member *member = call_find(call, actor->user);
    bool is_larger = call_count(call, MEMBER_JOINED) > 2 || call_count(call, MEMBER_RINGING) > 0;
    if (!is_going(call, fault))
        return false;
    if (!member || member->status != MEMBER_JOINED || (is_larger && !calls_is_host(hub, call, actor->user)))
        return member && member->status == MEMBER_RINGING ? calls_decline(hub, call, actor, reason, fault)
                                                          : calls_leave(hub, call, actor, fault);
    const char *otherwise = call->status == CALL_RINGING ? "cancelled" : "ended";
    book_finish(hub, call, call_end_status(call), actor->user, reason ? reason : otherwise);
    return true;
}

bool calls_remove(struct hub *hub, struct call *call, const struct actor *actor, const char *user, const char *reason,
                  struct fault *fault)
{
    struct call_member *member = call_find(call, user);
    struct participant *p = calls_participant(hub, call, user);
    if (!is_going(call, fault) || !need_host(hub, call, actor->user, fault))
        return false;
    if (strcmp(user, actor->user) == 0)
        return !fault_say(fault, ERROR_BAD_FIELD, "targetId: to go yourself, leave the call");
    if (!member || (member->status != MEMBER_RINGING && member->status != MEMBER_JOINED))
        return !fault_say(fault, ERROR_NOT_FOUND, "targetId: nobody of that name is in the call");
    if (p) {
        presence_remove(p, actor->user, reason);
        return true;
    }
    call_tell_over(hub, call, user, reason ? reason : "removed");
    call_member_out(call, member, MEMBER_LEFT, "removed", book_now(hub));
    member->is_removed = true;
    book_changed(hub, call, member, actor->user, "removed");
    return true;
}

// ---- between two of them ------------------------------------------------------------------------------------

static bool may_relay(struct hub *hub, struct call *call, const struct actor *actor, const char *event,
                      struct fault *fault)
{
    const struct call_member *me = call_find(call, actor->user);
    if (!is_going(call, fault))
        return false;
    if (me && me->status == MEMBER_RINGING && strcmp(event, "ice-candidate") != 0)
        return calls_answer(hub, call, actor, NULL, fault);
    if (me && me->status == MEMBER_JOINED)
        return true;
    return !fault_say(fault, ERROR_FORBIDDEN, "callId: answer the call first");
}

// An answer went from one to the other: they have all they need to connect.
static void connect_both(struct hub *hub, struct call *call, const char *one, const char *other)
{
    struct moment now = book_now(hub);
    struct call_member *first = call_find(call, one), *second = call_find(call, other);
    if (first->status != MEMBER_JOINED || second->status != MEMBER_JOINED)
        return;
    call_member_connected(call, first, true, now);
    call_member_connected(call, second, true, now);
    if (!call_settle(call, NULL, NULL, now))
        return;
    book_note(hub, call, NULL);
    call_tell_status(hub, call, NULL);
}

bool calls_relay(struct hub *hub, struct call *call, const struct actor *actor, const char *to, const char *event,
                 const json_t *data, struct fault *fault)
{
    const char *name = actor->name ? actor->name : actor->user;
    if (!is_in(call, to))
        return !fault_say(fault, ERROR_NOT_FOUND, "target: nobody of that name is in the call");
    if (!may_relay(hub, call, actor, event, fault))
        return false;
    struct participant *p = calls_participant(hub, call, to);
    if (p)
        event_relay(actor->user, name, p, event, data);
    else if (call_tell_relay(hub, call, to, event, relay_json(actor->user, name, data)) == 0)
        return !fault_say(fault, ERROR_NOT_FOUND, "target: not connected now");
    if (strcmp(event, "signal-answer") == 0)
        connect_both(hub, call, actor->user, to);
    return true;
}
