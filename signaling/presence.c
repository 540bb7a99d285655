// Who comes in, as whom, and when are they gone? (join, resume, replace, leave, remove, close, who is host)
// SPDX-License-Identifier: MIT
#include "signaling/presence.h"

#include <inttypes.h>
#include <string.h>

#include "signaling/crypto.h"
#include "signaling/events.h"
#include "signaling/gate.h"
#include "signaling/hooks.h"
#include "signaling/log.h"
#include "signaling/media.h"
#include "signaling/recording.h"
#include "signaling/taps.h"
#include "signaling/waiting.h"

enum { GUEST_CHARS = 10 }; // of a user id the server makes up

static struct hub *hub_of(const struct room *room)
{
    return room->roster->hub;
}

// ---- host ---------------------------------------------------------------------------------------------------

// In open mode somebody has to be host: the one who is here longest, unless one came who asked to be.
static void settle_default_host(struct room *room)
{
    struct participant *host = room_host(room);
    if (!auth_is_open(hub_of(room)->auth) && !room->call)
        return; // the initiator of a call may have gone while it goes on
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *p = room->participants->pdata[i];
        if (!host && p->role == ROLE_PARTICIPANT) {
            p->role = ROLE_HOST;
            p->is_host_by_default = true;
            host = p;
        } else if (host && p != host && p->is_host_by_default) {
            p->role = ROLE_PARTICIPANT;
            p->is_host_by_default = false;
        }
    }
}

// Tells everybody (but `knows`, who was told otherwise) when it is another host than they were told of.
static void tell_host(struct room *room, struct participant *knows)
{
    const struct participant *host = room_host(room);
    const char *user = host ? host->user : "";
    if (strcmp(room->host, user) == 0)
        return;
    g_strlcpy(room->host, user, sizeof(room->host));
    event_host_changed(room, knows);
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *p = room->participants->pdata[i];
        if (p == knows)
            continue;
        event_room_participants(p); // for their roles
        if (p == host)
            waiting_show(p);
    }
}

// ---- joining ------------------------------------------------------------------------------------------------

static struct participant *resume(struct session *session, const struct room *room, const struct join *join,
                                  struct fault *fault)
{
    struct participant *p = room && join->session_token ? room_find_token(room, join->session_token) : NULL;
    if (!p)
        return NULL;
    if (session->has_identity && strcmp(session->identity.user, p->user) != 0)
        return fault_say(fault, ERROR_FORBIDDEN, "sessionToken: it belongs to another user"), NULL;
    if (p->session) {
        struct session *old = p->session;
        old->participant = NULL;
        session_close(old, CLOSE_NORMAL, "resumed on another socket");
    }
    p->session = session;
    session->participant = p;
    if (join->wants_new_media) {
        media_leave(p, &(struct fault){.error = ERROR_INTERNAL, .text = "the media connection was given up"});
        media_join(p);
    }
    return p;
}

static bool may_try(const struct session *session, const struct join *join, struct fault *fault)
{
    const struct hub *hub = session->hub;
    if (session->participant)
        return !fault_say(fault, ERROR_BUSY, "this socket is in room %s: leave that first",
                          session->participant->room->id);
    if (session->knock)
        return !fault_say(fault, ERROR_BUSY, "this socket waits at room %s: leave that first",
                          session->knock->room->id);
    enum error end = join->session_token ? roster_token_end(&hub->roster, join->session_token) : ERROR_NONE;
    if (end)
        return !fault_say(fault, end, "sessionToken: this session was ended by the host or by another socket");
    return true;
}

// Who is in a call has been asked to be; the token need not name its room.
static bool may_enter_call(const struct session *session, const struct call *call, const struct join *join,
                           struct fault *fault)
{
    const char *user = session->has_identity ? session->identity.user : join->user;
    const struct call_member *member = user ? call_find(call, user) : NULL;
    if (!member || member->is_removed)
        return !fault_say(fault, ERROR_FORBIDDEN, "roomId: this room is of a call you are not in");
    return true;
}

static bool may_enter(const struct session *session, const struct room *room, const struct join *join,
                      struct fault *fault)
{
    if (!auth_is_open(session->hub->auth) && (!session->has_identity || session_is_over(session)))
        return !fault_say(fault, ERROR_UNAUTHORIZED,
                          "this server asks for a token that has not expired: send `token`");
    if (session->has_identity && join->user && strcmp(join->user, session->identity.user) != 0)
        return !fault_say(fault, ERROR_FORBIDDEN, "userId: the token is of %s", session->identity.user);
    if (room && room->call)
        return may_enter_call(session, room->call, join, fault);
    if (session->has_identity && !identity_covers(&session->identity, join->room))
        return !fault_say(fault, ERROR_FORBIDDEN, "roomId: the token's `room` does not name it");
    return true;
}

bool presence_may_make_room(struct hub *hub, const struct identity *identity, struct fault *fault)
{
    if (identity && roster_rooms_of(&hub->roster, identity->user) >= hub->config->max_rooms_per_user)
        return !fault_say(fault, ERROR_ROOM_FULL, "you have all your %" PRId64 " rooms (MAX_ROOMS_PER_USER)",
                          hub->config->max_rooms_per_user);
    if (!roster_has_place(&hub->roster, hub->config->max_rooms))
        return !fault_say(fault, ERROR_ROOM_FULL, "the server has no place for another room (MAX_ROOMS)");
    return true;
}

static unsigned publishers_in(const struct room *room)
{
    unsigned count = 0;
    for (guint i = 0; i < room->participants->len; i++)
        count += ((const struct participant *)room->participants->pdata[i])->role != ROLE_OBSERVER;
    return count;
}

static bool has_place(const struct room *room, enum role role, struct fault *fault)
{
    const struct hub *hub = hub_of(room);
    int64_t own = room->policy.max_participants;
    int64_t size = own && own < hub->config->max_participants ? own : hub->config->max_participants;
    if (room->participants->len >= size)
        return !fault_say(fault, ERROR_ROOM_FULL, "the room has all its %" PRId64 " participants%s", size,
                          size == own ? "" : " (MAX_PARTICIPANTS)");
    if (hub->roster.participant_count >= hub->config->max_participants_total)
        return !fault_say(fault, ERROR_ROOM_FULL, "the server has no place for another participant");
    if (role != ROLE_OBSERVER && publishers_in(room) >= PUBLISHERS_MAX)
        return !fault_say(fault, ERROR_ROOM_FULL, "the room has all its %d who may be seen and heard",
                          PUBLISHERS_MAX);
    return true;
}

// Leaves a room that may be empty then, and hosts as they were.
static void depart(struct participant *p, const char *reason)
{
    struct hub *hub = hub_of(p->room);
    hub->counters.leaves++;
    log_about(LOG_LEVEL_INFO, "room", p->room->id, NULL, "a participant is out (%s), %u stay", reason,
              p->room->participants->len - 1);
    log_debug("room", "%s: %s is out", p->room->id, p->user);
    media_leave(p, &(struct fault){.error = ERROR_ROOM_CLOSED, .text = "you have left the room"});
    event_user_disconnected(p, reason);
    hooks_left(p, reason);
    if (p->session)
        p->session->participant = NULL;
    p->session = NULL;
    participant_free(p, hub->now_us);
}

static void replace(struct participant *old)
{
    struct session *session = old->session;
    roster_end_token(old->room->roster, old->session_token, ERROR_BUSY);
    event_replaced(old);
    depart(old, "replaced");
    if (session)
        session_close(session, CLOSE_NORMAL, "replaced by another socket");
}

// With a token one may be less than the token says, never more.
static enum role role_of(const struct session *session, const struct room *room, const struct join *join,
                         const char *user)
{
    bool is_initiator = room->call && strcmp(room->call->started_by, user) == 0;
    if (room->call && !(session->has_identity && session->identity.role == ROLE_OBSERVER))
        return is_initiator ? ROLE_HOST : ROLE_PARTICIPANT;
    if (!session->has_identity)
        return join->has_role ? join->role : ROLE_PARTICIPANT;
    return join->has_role && join->role < session->identity.role ? join->role : session->identity.role;
}

// Who is host of a call because of having begun it has no right by that which the token does not give.
static enum claim record_of(const struct session *session, const struct room *room)
{
    const struct identity *identity = &session->identity;
    bool is_host_of_call_only = room->call && session->has_identity && identity->role != ROLE_HOST;
    return is_host_of_call_only && identity->record == CLAIM_UNSAID ? CLAIM_FALSE : identity->record;
}

static struct participant *enter(struct session *session, struct room *room, const char *user, const char *name,
                                 enum role role)
{
    struct participant *p = participant_add(room, user, name, role);
    p->avatar = g_strdup(session->identity.avatar);
    if (!session->has_identity)
        session_identify(session, p->user, p->name);
    p->record = record_of(session, room);
    p->session = session;
    session->participant = p;
    media_join(p);
    recording_joined(p);
    settle_default_host(room);
    session->hub->counters.joins++;
    log_about(LOG_LEVEL_INFO, "room", room->id, NULL, "a participant is in, as %s, %u are here", role_name(p->role),
              room->participants->len);
    log_debug("room", "%s: %s is in", room->id, p->user);
    return p;
}

static bool is_host_of(const struct session *session, const char *room)
{
    const struct identity *identity = &session->identity;
    return session->has_identity && identity->role == ROLE_HOST && identity_covers(identity, room);
}

static struct room *make_room(struct session *session, const char *id)
{
    const struct hub *hub = session->hub;
    struct room *room = roster_add(&session->hub->roster, id, hub->now_us, hub->wall_ms);
    room->policy.has_waiting_room = hub->config->waiting_room;
    g_strlcpy(room->owner, session->has_identity ? session->identity.user : "", sizeof(room->owner));
    hooks_room_created(room);
    return room;
}

static void wait_at(struct session *session, struct room *room, const char *user, const char *name, enum role role,
                    struct fault *fault)
{
    struct knock *old = room_find_knock(room, user);
    if (old && !session->has_identity) {
        fault_say(fault, ERROR_BUSY, "userId: %s waits at the room already", user);
        return;
    }
    if (old) {
        struct session *before = old->session;
        waiting_deny(old, "replaced");
        session_close(before, CLOSE_NORMAL, "replaced by another socket");
    }
    struct knock *knock = waiting_knock(session, room, user, name, fault);
    if (!knock)
        return;
    knock->role = role;
    knock->avatar = g_strdup(session->identity.avatar);
}

static bool keeps_rules(const struct room *room)
{
    const struct hub *hub = hub_of(room);
    return !policy_is_plain(&room->policy, hub->config->waiting_room) &&
           !room_is_expired(room, hub->config->room_ttl, hub->now_us, hub->wall_ms);
}

// Nobody is in the room and nothing keeps it.
static void let_room_go(struct room *room)
{
    if (room->participants->len == 0 && room->knocks->len == 0 && !room->is_reserved && !keeps_rules(room))
        room_free(room);
}

static struct participant *come_in(struct session *session, struct room *room, const struct join *join,
                                   const char *user, struct fault *fault)
{
    const struct identity *identity = &session->identity;
    const char *said = identity->name ? identity->name : join->name, *name = said && *said ? said : user;
    struct participant *old = room_find(room, user);
    enum role role = role_of(session, room, join, user);
    struct newcomer newcomer = {session, join->password, is_host_of(session, room->id), role == ROLE_HOST};
    if (old && !session->has_identity)
        return fault_say(fault, ERROR_BUSY, "userId: %s is in the room already", user), NULL;
    if (!old && !has_place(room, role, fault))
        return NULL;
    enum gate gate = old || room->call ? GATE_OPEN : gate_try(session->hub, room, &newcomer, fault);
    if (gate == GATE_WAIT)
        wait_at(session, room, user, name, role, fault);
    if (gate != GATE_OPEN)
        return NULL;
    if (old)
        replace(old);
    return enter(session, room, user, name, role);
}

// Somebody who waits comes from another socket before the old one is known to be dead.
static bool waits_on(struct session *session, const struct room *room, const struct join *join)
{
    struct knock *knock = room && join->session_token ? room_find_knock_token(room, join->session_token) : NULL;
    if (!knock || (session->has_identity && strcmp(session->identity.user, knock->user) != 0))
        return false;
    waiting_move(knock, session);
    return true;
}

struct participant *presence_join(struct session *session, const struct join *join, bool *resumed,
                                  struct fault *fault)
{
    *resumed = false;
    if (!may_try(session, join, fault))
        return NULL;
    struct room *room = roster_find(&session->hub->roster, join->room);
    struct participant *p = resume(session, room, join, fault);
    *resumed = p != NULL;
    session->hub->counters.resumes += p != NULL;
    if (p || fault->error || waits_on(session, room, join) || !may_enter(session, room, join, fault))
        return p;

    char guest[GUEST_CHARS + 1];
    crypto_random_text(guest, GUEST_CHARS);
    const char *user = session->has_identity ? session->identity.user : join->user ? join->user : guest;
    if (session->hub->is_draining && !(room && room_find(room, user)))
        return fault_draining(fault), NULL;
    if (!room && !presence_may_make_room(session->hub, session->has_identity ? &session->identity : NULL, fault))
        return NULL;
    if (!room)
        room = make_room(session, join->room);
    p = come_in(session, room, join, user, fault);
    if (!p)
        let_room_go(room);
    return p;
}

bool presence_admit(struct knock *knock, struct fault *fault)
{
    struct room *room = knock->room;
    struct session *session = knock->session;
    struct participant *old = room_find(room, knock->user);
    if (old && !session->has_identity)
        return !fault_say(fault, ERROR_BUSY, "userId: %s is in the room already", knock->user);
    if (!old && !has_place(room, knock->role, fault))
        return false;
    if (old)
        replace(old);
    char user[USER_MAX + 1], token[SESSION_TOKEN_CHARS + 1];
    char *name = g_strdup(knock->name);
    enum role role = knock->role;
    g_strlcpy(user, knock->user, sizeof(user));
    g_strlcpy(token, knock->token, sizeof(token));
    waiting_gone(knock, "admitted");
    struct participant *p = enter(session, room, user, name, role);
    g_strlcpy(p->session_token, token, sizeof(p->session_token));
    g_free(name);
    event_admitted(p);
    presence_announce(p, false);
    return true;
}

void presence_give_up(struct knock *knock)
{
    struct room *room = knock->room;
    waiting_gone(knock, "left");
    let_room_go(room);
}

void presence_change(struct room *room, const struct policy_wish *wish, const char *by)
{
    policy_apply(&room->policy, wish);
    if (wish->has_expiry)
        room->expires_ms = wish->expires_in_s ? hub_of(room)->wall_ms + wish->expires_in_s * 1000 : 0;
    if (wish->expires_in_s)
        room->is_reserved = true;
    event_room_changed(room, by);
    struct fault full = {0};
    for (guint stay = 0; !room->policy.has_waiting_room && room->knocks->len > stay;)
        stay += !presence_admit(room->knocks->pdata[stay], &full);
}

void presence_announce(struct participant *p, bool resumed)
{
    event_ice_servers(p);
    event_room_participants(p);
    const struct watch *watch = hub_of(p->room)->watch;
    if (p->role == ROLE_HOST)
        waiting_show(p);
    if (resumed || p->room->recording)
        event_recording_state(p);
    if (resumed || p->room->taps->len > 0)
        event_tap_state(p);
    if (!resumed) {
        event_user_connected(p);
        hooks_joined(p);
        tell_host(p->room, p);
        return watch ? watch->entered(p, false) : (void)0;
    }
    if (hub_of(p->room)->is_draining)
        event_server_draining(p->session);
    event_tracks(p);
    event_sfu_offer(p);
    event_missed(p);
    if (p->peer == 0)
        event_media_state(p, "failed");
    if (watch)
        watch->entered(p, true);
}

// ---- going --------------------------------------------------------------------------------------------------

void presence_leave(struct participant *p, const char *reason)
{
    struct room *room = p->room;
    struct hub *hub = hub_of(room);
    struct call *call = room->call;
    char user[USER_MAX + 1];
    g_strlcpy(user, p->user, sizeof(user));
    if (p->is_dropped && presence_is_expired(p))
        room->dropped_us = hub->now_us;
    depart(p, reason);
    taps_left(room, user);
    settle_default_host(room);
    tell_host(room, NULL);
    let_room_go(room);
    if (call)
        hub->watch->left(hub, call, user, reason); // the room may be gone afterwards
}

void presence_remove(struct participant *p, const char *by, const char *reason)
{
    struct session *session = p->keeps_socket ? NULL : p->session;
    roster_end_token(p->room->roster, p->session_token, ERROR_FORBIDDEN);
    event_remove_participant(p, by, reason);
    presence_leave(p, "removed");
    if (session)
        session_close(session, CLOSE_NORMAL, "removed by the host");
}

void presence_close(struct room *room, const char *by, const char *reason)
{
    struct hub *hub = hub_of(room);
    char user[USER_MAX + 1];
    g_strlcpy(user, by ? by : "", sizeof(user));
    by = by ? user : NULL; // it may be the name of a participant, who goes before everybody is told
    log_about(LOG_LEVEL_INFO, "room", room->id, NULL, "closed, with %u participants", room->participants->len);
    if (hub->watch)
        hub->watch->closing(room, by, reason);
    media_close(room, &(struct fault){.error = ERROR_ROOM_CLOSED, .text = "the room was closed"});
    event_close_room(room, by, reason);
    while (room->knocks->len > 0) {
        struct session *session = ((struct knock *)room->knocks->pdata[0])->session;
        waiting_deny(room->knocks->pdata[0], "room-closed");
        session_close(session, CLOSE_NORMAL, "the room was closed");
    }
    while (room->participants->len > 0) {
        struct participant *p = room->participants->pdata[0];
        struct session *session = p->session;
        bool keeps_socket = p->keeps_socket;
        roster_end_token(room->roster, p->session_token, ERROR_ROOM_CLOSED);
        hooks_left(p, "closed");
        p->session = NULL;
        participant_free(p, hub->now_us);
        if (!session)
            continue;
        session->participant = NULL;
        if (!keeps_socket)
            session_close(session, CLOSE_NORMAL, "the room was closed");
    }
    hooks_room_closed(room, by, reason);
    room_free(room);
}

void presence_lost(struct participant *p, bool is_page_gone)
{
    const int64_t grace_s = hub_of(p->room)->config->reconnect_grace;
    log_about(LOG_LEVEL_INFO, "room", p->room->id, NULL, "a participant has lost its socket and may come back");
    log_debug("room", "%s: the socket of %s is lost", p->room->id, p->user);
    p->session->participant = NULL;
    p->session = NULL;
    p->is_dropped = !is_page_gone;
    p->expires_us =
        hub_of(p->room)->now_us + (is_page_gone ? MIN(grace_s, RELOAD_GRACE_S) : grace_s) * INT64_C(1000000);
}

bool presence_is_expired(const struct participant *p)
{
    const struct hub *hub = hub_of(p->room);
    return !p->session && hub->now_us >= p->expires_us;
}
