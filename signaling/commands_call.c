// What may a client ask for about calls? (rows of the table in commands.c)
// SPDX-License-Identifier: MIT
#include "signaling/commands_call.h"

#include <string.h>

#include "signaling/asked.h"
#include "signaling/call_events.h"
#include "signaling/calls.h"
#include "signaling/events.h"
#include "signaling/presence.h"

enum { NAME_CHARS_MAX = 64 };

// ---- who asks, and about which call -------------------------------------------------------------------------

// Whose socket this is; false and the fault when that is not known, or not to be believed.
static bool identify(struct request *r, struct actor *actor)
{
    struct session *session = r->session;
    const char *user = field_id(&r->fields, "userId", is_user_id);
    const char *name = field_text(&r->fields, "userName", NAME_CHARS_MAX);
    request_token(r, NULL);
    if (request_failed(r))
        return false;
    bool is_known = actor_of_session(session, actor);
    if (is_known && user && strcmp(user, actor->user) != 0)
        return !fault_say(&r->fault, ERROR_FORBIDDEN, "userId: this socket is of %s", actor->user);
    if (!is_known && !auth_is_open(r->hub->auth))
        return !fault_say(&r->fault, ERROR_UNAUTHORIZED, "this server asks for a token: send `token`");
    if (!is_known && !user)
        return !fault_say(&r->fault, ERROR_BAD_FIELD, "userId: needed once, to know whose socket this is");
    if (!session->has_identity && !session->participant && (!is_known || name))
        session_identify(session, is_known ? actor->user : user, name);
    return actor_of_session(session, actor);
}

// The same for what brings somebody into a call: a token that has expired since does so no more.
static bool may_open(struct request *r, struct actor *actor)
{
    if (!identify(r, actor))
        return false;
    return r->me || !session_is_over(r->session) ||
           !fault_say(&r->fault, ERROR_UNAUTHORIZED, "your token has expired: send a new one as `token`");
}

// The other user a message names, or NULL.
static const char *target_of(const struct request *r)
{
    static const char *const names[] = {"target", "targetUserId", "to"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *text = json_string_value(json_object_get(r->message.data, names[i]));
        if (text && strcmp(text, "sfu") != 0)
            return text;
    }
    return NULL;
}

// The call a message that has no callId is about, or NULL.
static struct call *guess_call(const struct request *r, const char *user)
{
    const char *target = target_of(r);
    if (target)
        return calls_between(r->hub, user, target);
    if (r->me && r->me->room->call)
        return r->me->room->call;
    const GPtrArray *list = r->me ? NULL : calls_of(r->hub, user);
    return list && list->len == 1 ? list->pdata[0] : NULL;
}

static bool is_call_id(const char *text)
{
    return strlen(text) == CALL_ID_CHARS;
}

// NULL and the fault when there is none, or not one of this user; a call that still waits for a guest is anybody's.
static struct call *need_call(struct request *r, const struct actor *actor)
{
    const char *id = field_id(&r->fields, "callId", is_call_id);
    if (request_failed(r))
        return NULL;
    struct call *call = id ? calls_find(r->hub, id) : guess_call(r, actor->user);
    if (call && call->is_awaiting)
        return call;
    if (id)
        return calls_need(r->hub, actor->user, id, &r->fault);
    if (!call)
        fault_say(&r->fault, ERROR_NOT_FOUND, "callId: there is no call it could be about");
    return call;
}

// ---- replies ------------------------------------------------------------------------------------------------

static void reply_call(struct request *r, const struct call *call)
{
    request_reply(r, json_pack("{s:s, s:o}", "callId", call->id, "call", call_json(r->hub, call)));
}

// In the room it is what a join is acked with, and the call; a call that is over at once has no room any more.
static void reply_joined(struct request *r, const struct call *call)
{
    const struct participant *p = r->session->participant;
    bool is_inside = p && p->room->call == call;
    json_t *data = is_inside ? joined_json(p, false) : json_object();
    json_object_set_new(data, "callId", json_string(call->id));
    json_object_set_new(data, "roomId", json_string(call->room_id));
    json_object_set_new(data, "call", call_json(r->hub, call));
    request_reply(r, data);
}

// ---- ringing ------------------------------------------------------------------------------------------------

static void ring_more(struct request *r, const struct actor *actor, const char *const *invited, size_t count)
{
    struct call *call = need_call(r, actor);
    if (!call)
        return;
    if (!calls_is_host(r->hub, call, actor->user)) {
        fault_say(&r->fault, ERROR_FORBIDDEN, "only a host of the call may ring more people");
        return;
    }
    if (calls_answer(r->hub, call, actor, NULL, &r->fault) &&
        calls_add(r->hub, call, actor, invited, count, &r->fault))
        reply_joined(r, call);
}

void command_call_initiate(struct request *r)
{
    const char *invited[ASKED_PEOPLE_MAX];
    struct actor actor;
    if (!may_open(r, &actor))
        return;
    struct call_wish wish = asked_call(&r->fields, actor.user, invited);
    if (request_failed(r))
        return;
    if (field_has(&r->fields, "callId"))
        return ring_more(r, &actor, invited, wish.user_count);
    const struct call *call = calls_start(r->hub, &actor, &wish, &r->fault);
    if (call)
        reply_joined(r, call);
}

void command_call_add_participants(struct request *r)
{
    const char *invited[ASKED_PEOPLE_MAX];
    struct actor actor;
    if (!identify(r, &actor))
        return;
    size_t count = asked_people(&r->fields, actor.user, invited);
    struct call *call = request_failed(r) ? NULL : need_call(r, &actor);
    if (call && calls_add(r->hub, call, &actor, invited, count, &r->fault))
        reply_call(r, call);
}

// ---- answering and going ------------------------------------------------------------------------------------

void command_call_answer(struct request *r)
{
    struct actor actor;
    const char *session_token = field_text(&r->fields, "sessionToken", SESSION_TOKEN_CHARS);
    if (!may_open(r, &actor))
        return;
    struct call *call = need_call(r, &actor);
    if (call && calls_answer(r->hub, call, &actor, session_token, &r->fault))
        reply_joined(r, call);
}

void command_call_decline(struct request *r)
{
    struct actor actor;
    const char *reason = field_text(&r->fields, "reason", CALL_REASON_MAX);
    if (!identify(r, &actor))
        return;
    struct call *call = need_call(r, &actor);
    if (call && calls_decline(r->hub, call, &actor, reason, &r->fault))
        reply_call(r, call);
}

// Whether it is about a room that is of no call.
static bool is_about_room(const struct request *r)
{
    return r->me && !r->me->room->call && !field_has(&r->fields, "callId");
}

static void end_room(struct request *r, const char *reason)
{
    if (r->me->role != ROLE_HOST) {
        fault_say(&r->fault, ERROR_FORBIDDEN, "only a host may do that");
        return;
    }
    request_reply(r, json_object());
    presence_close(r->me->room, r->me->user, reason);
}

void command_call_end(struct request *r)
{
    struct actor actor;
    const char *reason = field_text(&r->fields, "reason", CALL_REASON_MAX);
    if (!identify(r, &actor))
        return;
    if (is_about_room(r))
        return end_room(r, reason);
    struct call *call = need_call(r, &actor);
    if (call && calls_end(r->hub, call, &actor, reason, &r->fault))
        reply_call(r, call);
}

void command_call_leave(struct request *r)
{
    struct actor actor;
    if (!identify(r, &actor))
        return;
    if (is_about_room(r))
        return presence_leave(r->me, "left");
    struct call *call = need_call(r, &actor);
    if (call && calls_leave(r->hub, call, &actor, &r->fault))
        reply_call(r, call);
}

void command_call_remove(struct request *r)
{
    struct actor actor;
    const char *target = field_need_id(&r->fields, "targetId", is_user_id);
    const char *reason = field_text(&r->fields, "reason", CALL_REASON_MAX);
    if (!request_failed(r) && actor_of_session(r->session, &actor))
        calls_remove(r->hub, r->me->room->call, &actor, target, reason, &r->fault);
}

// ---- into the room by what one says -------------------------------------------------------------------------

static bool check_room(struct request *r)
{
    const char *id = field_text(&r->fields, "callId", CALL_TEXT_MAX);
    const struct call *call = r->me->room->call;
    if (!id || (call && strcmp(call->id, id) == 0))
        return true;
    return !fault_say(&r->fault, ERROR_NOT_FOUND, "callId: this socket is not in that call");
}

void command_call_adopt(struct request *r, bool accepts)
{
    struct actor actor;
    if (r->session->knock || (r->me && !check_room(r)) || r->me)
        return;
    if (!field_has(&r->fields, "callId") && !target_of(r))
        return;
    if (!r->session->user_id[0] && !identify(r, &actor))
        return;
    actor_of_session(r->session, &actor);
    struct call *call = need_call(r, &actor);
    const struct call_member *me = call ? call_find(call, actor.user) : NULL;
    if (!me)
        return;
    bool is_accepting = accepts && me->status == MEMBER_RINGING && target_of(r) && field_has(&r->fields, "sdp");
    if (is_accepting && !may_open(r, &actor))
        return;
    r->me = is_accepting && calls_answer(r->hub, call, &actor, NULL, &r->fault)
                ? r->session->participant
                : calls_adopt(r->hub, call, &actor, &r->fault);
    if (!r->me)
        fault_say(&r->fault, ERROR_NOT_FOUND, "callId: this socket is not in that call");
}
