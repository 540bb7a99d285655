// What do the routes that change calls do? (both families: `/calls` and `/api/video/calls`)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include <string.h>

#include "signaling/call_events.h"
#include "signaling/calls.h"

enum {
    INVITED_MAX = 100,
    NAME_CHARS_MAX = 64,
};

// Who asks: the bearer; in open mode whom `userId` in the body, or `user` in the query, names. False: answered.
static bool read_actor(struct exchange *x, const struct dialect *dialect, struct actor *actor)
{
    const char *said = field_id(&x->body, "userId", is_user_id);
    const char *asked = said ? said : field_id(&x->query, "user", is_user_id);
    const char *name = field_text(&x->body, "userName", NAME_CHARS_MAX);
    if (exchange_is_wrong(x))
        return false;
    if (x->identity && asked && strcmp(asked, x->identity->user) != 0)
        fault_say(&x->fault, ERROR_FORBIDDEN, "userId: the token is of %s", x->identity->user);
    if (!x->identity && !asked)
        fault_say(&x->fault, ERROR_BAD_FIELD, "userId: needed, there is no token to tell who asks");
    if (exchange_is_wrong(x))
        return false;
    *actor = x->identity ? actor_of_identity(x->identity, dialect)
                         : (struct actor){.user = asked, .name = name, .dialect = dialect};
    return true;
}

// The call of the path, when the actor is in it or it still waits for a guest; NULL: answered.
static struct call *need_call(struct exchange *x, const struct actor *actor)
{
    const char *id = exchange_param(x, "id");
    struct call *call = calls_find(x->hub, id);
    if (!call || !call->is_awaiting)
        call = calls_need(x->hub, actor->user, id, &x->fault);
    return exchange_is_wrong(x) ? NULL : call;
}

static void answer_call(struct exchange *x, int status, const struct call *call)
{
    if (!exchange_is_wrong(x))
        exchange_answer(x, status, json_pack("{s:o}", "call", call_json(x->hub, call)));
}

// ---- /calls -------------------------------------------------------------------------------------------------

static size_t read_invited(struct exchange *x, const struct actor *actor, const char *invited[INVITED_MAX])
{
    const json_t *value = json_object_get(x->body.data, "participantIds");
    size_t n = 0;
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > INVITED_MAX)
        return fault_say(&x->fault, ERROR_BAD_FIELD, "participantIds: a list of 1 to %d ids", INVITED_MAX), 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *id = json_string_value(json_array_get(value, i));
        if (!id || !is_user_id(id))
            return fault_say(&x->fault, ERROR_BAD_FIELD, "participantIds: not ids this server takes"), 0;
        if (strcmp(id, actor->user) != 0)
            invited[n++] = id;
    }
    if (n == 0)
        fault_say(&x->fault, ERROR_BAD_FIELD, "participantIds: there is nobody but you");
    return n;
}

void api_post_call(struct exchange *x)
{
    static const char *const types[] = {"AUDIO", "VIDEO", NULL}; // in the order of enum call_type
    const char *invited[INVITED_MAX];
    struct actor actor;
    if (!read_actor(x, &dialect_call, &actor))
        return;
    struct call_wish wish = {
        .type = (enum call_type)field_choice(&x->body, "type", types, CALL_VIDEO),
        .chat_id = field_text(&x->body, "chatId", CALL_TEXT_MAX),
        .room_name = field_text(&x->body, "room_name", CALL_TEXT_MAX),
        .users = invited,
        .user_count = read_invited(x, &actor, invited),
    };
    if (exchange_is_wrong(x))
        return;
    answer_call(x, 201, calls_start(x->hub, &actor, &wish, &x->fault));
}

void api_answer_call(struct exchange *x)
{
    struct actor actor;
    bool accept = field_bool(&x->body, "accept", false);
    const char *reason = field_text(&x->body, "reason", CALL_REASON_MAX);
    if (!field_has(&x->body, "accept"))
        fault_say(&x->fault, ERROR_BAD_FIELD, "accept: needed, true or false");
    struct call *call = read_actor(x, &dialect_call, &actor) ? need_call(x, &actor) : NULL;
    if (!call)
        return;
    if (accept)
        calls_answer(x->hub, call, &actor, NULL, &x->fault);
    else
        calls_decline(x->hub, call, &actor, reason, &x->fault);
    answer_call(x, 200, call);
}

void api_end_call(struct exchange *x)
{
    struct actor actor;
    const char *reason = field_text(&x->body, "reason", CALL_REASON_MAX);
    struct call *call = read_actor(x, &dialect_call, &actor) ? need_call(x, &actor) : NULL;
    if (!call)
        return;
    calls_end(x->hub, call, &actor, reason, &x->fault);
    answer_call(x, 200, call);
}

void api_post_call_participants(struct exchange *x)
{
    const char *invited[INVITED_MAX];
    struct actor actor;
    if (!read_actor(x, &dialect_call, &actor))
        return;
    size_t count = read_invited(x, &actor, invited);
    struct call *call = exchange_is_wrong(x) ? NULL : need_call(x, &actor);
    if (!call)
        return;
    calls_add(x->hub, call, &actor, invited, count, &x->fault);
    answer_call(x, 200, call);
}

void api_get_call_participants(struct exchange *x)
{
    struct actor actor;
    const struct call *call = read_actor(x, &dialect_call, &actor) ? need_call(x, &actor) : NULL;
    if (call)
        exchange_answer(x, 200, json_pack("{s:o}", "participants", call_members_json(call)));
}

void api_get_call(struct exchange *x)
{
    struct actor actor;
    const struct call *call = read_actor(x, &dialect_call, &actor) ? need_call(x, &actor) : NULL;
    if (call)
        answer_call(x, 200, call);
}

// ---- /api/video/calls ---------------------------------------------------------------------------------------

// The guest is who came, else who is called.
static const char *guest_of(const struct call *call)
{
    const char *called = NULL;
    for (guint i = 1; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        if (member->joined_ms)
            return member->user;
        called = called ? called : member->user;
    }
    return called;
}

static void answer_video(struct exchange *x, int status, const struct call *call)
{
    if (exchange_is_wrong(x))
        return;
    const char *state = call_is_over(call) ? "ended" : call->status == CALL_RINGING ? "waiting" : "active";
    exchange_answer(x, status,
                    json_pack("{s:s, s:s, s:s?, s:s, s:s?}", "id", call->id, "host_id", call->started_by, "guest_id",
                              guest_of(call), "status", state, "room_name", call->room_name));
}

void api_post_video_call(struct exchange *x)
{
    struct actor actor;
    const struct call_wish wish = {.type = CALL_VIDEO, .room_name = field_text(&x->body, "room_name", CALL_TEXT_MAX)};
    if (read_actor(x, &dialect_webrtc, &actor))
        answer_video(x, 201, calls_start(x->hub, &actor, &wish, &x->fault));
}

void api_join_video_call(struct exchange *x)
{
    struct actor actor;
    struct call *call = read_actor(x, &dialect_webrtc, &actor) ? need_call(x, &actor) : NULL;
    if (!call)
        return;
    calls_answer(x->hub, call, &actor, NULL, &x->fault);
    answer_video(x, 200, call);
}

void api_end_video_call(struct exchange *x)
{
    struct actor actor;
    struct call *call = read_actor(x, &dialect_webrtc, &actor) ? need_call(x, &actor) : NULL;
    if (!call)
        return;
    calls_end(x->hub, call, &actor, NULL, &x->fault);
    answer_video(x, 200, call);
}

void api_get_video_call(struct exchange *x)
{
    struct actor actor;
    const struct call *call = read_actor(x, &dialect_webrtc, &actor) ? need_call(x, &actor) : NULL;
    if (call)
        answer_video(x, 200, call);
}
