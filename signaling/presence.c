// Who comes in, as whom, and when are they gone? (join, resume, replace, leave, remove, close, who is host)
// SPDX-License-Identifier: MIT
#include "signaling/presence.h"

#include <inttypes.h>
#include <string.h>

#include "signaling/crypto.h"
#include "signaling/events.h"
#include "signaling/log.h"
#include "signaling/media.h"

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
    if (!auth_is_open(hub_of(room)->auth))
        return;
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
    for (guint i = 0; i < room->participants->len; i++)
        if (room->participants->pdata[i] != knows)
            event_room_participants(room->participants->pdata[i]); // for their roles
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
        media_leave(p, &(struct fault){ERROR_INTERNAL, "the media connection was given up"});
        media_join(p);
    }
    return p;
}

static bool may_try(const struct session *session, const struct join *join, struct fault *fault)
{
    const struct hub *hub = session->hub;
    if (hub->is_draining)
        return !fault_say(fault, ERROR_ROOM_CLOSED, "the server is about to stop");
    if (session->participant)
        return !fault_say(fault, ERROR_BUSY, "this socket is in room %s: leave that first",
                          session->participant->room->id);
    enum error end = join->session_token ? roster_token_end(&hub->roster, join->session_token) : ERROR_NONE;
    if (end)
        return !fault_say(fault, end, "sessionToken: this session was ended by the host or by another socket");
    return true;
}

static bool may_enter(const struct session *session, const struct join *join, struct fault *fault)
{
    if (!auth_is_open(session->hub->auth) && !session->has_identity)
        return !fault_say(fault, ERROR_UNAUTHORIZED,
                          "this server asks for a token that has not expired: send `token`");
    if (session->has_identity && join->user && strcmp(join->user, session->identity.user) != 0)
        return !fault_say(fault, ERROR_FORBIDDEN, "userId: the token is of %s", session->identity.user);
    if (session->has_identity && !identity_covers(&session->identity, join->room))
        return !fault_say(fault, ERROR_FORBIDDEN, "roomId: the token's `room` does not name it");
    return true;
}

static bool has_place(const struct hub *hub, const struct room *room, const struct participant *old,
                      struct fault *fault)
{
    if (!room && roster_room_count(&hub->roster) >= hub->config->max_rooms)
        return !fault_say(fault, ERROR_ROOM_FULL, "the server has no place for another room (MAX_ROOMS)");
    if (room && !old && room->participants->len >= hub->config->max_participants)
        return !fault_say(fault, ERROR_ROOM_FULL, "the room has all its %" PRId64 " participants (MAX_PARTICIPANTS)",
                          hub->config->max_participants);
    return true;
}

// Leaves a room that may be empty then, and hosts as they were.
static void depart(struct participant *p, const char *reason)
{
    struct hub *hub = hub_of(p->room);
    hub->counters.leaves++;
    log_debug("room", "%s: %s is out: %s", p->room->id, p->user, reason);
    media_leave(p, &(struct fault){ERROR_ROOM_CLOSED, "you have left the room"});
    event_user_disconnected(p, reason);
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
static enum role role_of(const struct session *session, const struct join *join)
{
    if (!session->has_identity)
        return join->has_role ? join->role : ROLE_PARTICIPANT;
    return join->has_role && join->role < session->identity.role ? join->role : session->identity.role;
}

static struct participant *enter(struct session *session, struct room *room, const struct join *join,
                                 const char *user)
{
    const struct identity *identity = &session->identity;
    const char *name = identity->name ? identity->name : join->name;
    struct participant *p = participant_add(room, user, name && *name ? name : user, role_of(session, join));
    p->avatar = g_strdup(identity->avatar);
    p->session = session;
    session->participant = p;
    media_join(p);
    settle_default_host(room);
    session->hub->counters.joins++;
    log_debug("room", "%s: %s is in, as %s", room->id, p->user, role_name(p->role));
    return p;
}

struct participant *presence_join(struct session *session, const struct join *join, bool *resumed,
                                  struct fault *fault)
{
    struct hub *hub = session->hub;
    *resumed = false;
    if (!may_try(session, join, fault))
        return NULL;
    struct room *room = roster_find(&hub->roster, join->room);
    struct participant *p = resume(session, room, join, fault);
    *resumed = p != NULL;
    hub->counters.resumes += p != NULL;
    if (p || fault->error || !may_enter(session, join, fault))
        return p;

    char guest[GUEST_CHARS + 1];
    crypto_random_text(guest, GUEST_CHARS);
    const char *user = session->has_identity ? session->identity.user : join->user ? join->user : guest;
    struct participant *old = room ? room_find(room, user) : NULL;
    if (old && !session->has_identity)
        return fault_say(fault, ERROR_BUSY, "userId: %s is in the room already", user), NULL;
    if (!has_place(hub, room, old, fault))
        return NULL;
    if (old)
        replace(old);
    if (!room)
        room = roster_add(&hub->roster, join->room, hub->now_us, hub->wall_ms);
    return enter(session, room, join, user);
}

void presence_announce(struct participant *p, bool resumed)
{
    event_ice_servers(p);
    event_room_participants(p);
    if (!resumed) {
        event_user_connected(p);
        return tell_host(p->room, p);
    }
    event_tracks(p);
    event_sfu_offer(p);
    event_missed(p);
    if (p->peer == 0)
        event_media_state(p, "failed");
}

// ---- going --------------------------------------------------------------------------------------------------

void presence_leave(struct participant *p, const char *reason)
{
    struct room *room = p->room;
    depart(p, reason);
    settle_default_host(room);
    tell_host(room, NULL);
    if (room->participants->len == 0 && !room->is_reserved)
        room_free(room);
}

void presence_remove(struct participant *p, const struct participant *by, const char *reason)
{
    struct session *session = p->session;
    roster_end_token(p->room->roster, p->session_token, ERROR_FORBIDDEN);
    event_remove_participant(p, by->user, reason);
    presence_leave(p, "removed");
    if (session)
        session_close(session, CLOSE_NORMAL, "removed by the host");
}

void presence_close(struct room *room, const char *by, const char *reason)
{
    struct hub *hub = hub_of(room);
    log_debug("room", "%s: closed with %u participants", room->id, room->participants->len);
    media_close(room, &(struct fault){ERROR_ROOM_CLOSED, "the room was closed"});
    event_close_room(room, by, reason);
    while (room->participants->len > 0) {
        struct participant *p = room->participants->pdata[0];
        struct session *session = p->session;
        roster_end_token(room->roster, p->session_token, ERROR_ROOM_CLOSED);
        p->session = NULL;
        participant_free(p, hub->now_us);
        if (!session)
            continue;
        session->participant = NULL;
        session_close(session, CLOSE_NORMAL, "the room was closed");
    }
    room_free(room);
}

void presence_lost(struct participant *p)
{
    log_debug("room", "%s: the socket of %s is lost", p->room->id, p->user);
    p->session->participant = NULL;
    p->session = NULL;
    p->lost_us = hub_of(p->room)->now_us;
}

bool presence_is_expired(const struct participant *p)
{
    const struct hub *hub = hub_of(p->room);
    return !p->session && hub->now_us - p->lost_us >= hub->config->reconnect_grace * INT64_C(1000000);
}
