// What do the routes that change calls do? (both families: `/calls` and `/api/video/calls`)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include <string.h>

#include "signaling/asked.h"
#include "signaling/call_events.h"
#include "signaling/caller.h"
#include "signaling/media.h"

static void answer_call(struct exchange *x, int status, const struct call *call)
{
    if (!exchange_is_wrong(x))
        exchange_answer(x, status, json_pack("{s:o}", "call", call_json(x->hub, call)));
}

// ---- /calls -------------------------------------------------------------------------------------------------

void api_post_call(struct exchange *x)
{
    const char *invited[ASKED_PEOPLE_MAX];
    struct actor actor;
    if (!caller_read(x, &dialect_call, &actor))
        return;
    const struct call_wish wish = asked_call(&x->body, actor.user, invited);
    if (exchange_is_wrong(x))
        return;
    const struct call *call = caller_start(x, &actor, &wish);
    if (call)
        answer_call(x, 201, call);
}

void api_answer_call(struct exchange *x)
{
    struct actor actor;
    bool accept = field_bool(&x->body, "accept", false);
    const char *reason = field_text(&x->body, "reason", CALL_REASON_MAX);
    if (!field_has(&x->body, "accept"))
        fault_say(&x->fault, ERROR_BAD_FIELD, "accept: needed, true or false");
    struct call *call =
        caller_read(x, &dialect_call, &actor) ? caller_need_call(x, &actor, exchange_param(x, "id")) : NULL;
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
    struct call *call =
        caller_read(x, &dialect_call, &actor) ? caller_need_call(x, &actor, exchange_param(x, "id")) : NULL;
    if (!call)
        return;
    calls_end(x->hub, call, &actor, reason, &x->fault);
    answer_call(x, 200, call);
}

void api_post_call_participants(struct exchange *x)
{
    const char *invited[ASKED_PEOPLE_MAX];
    struct actor actor;
    if (!caller_read(x, &dialect_call, &actor))
        return;
    size_t count = asked_people(&x->body, actor.user, invited);
    struct call *call = exchange_is_wrong(x) ? NULL : caller_need_call(x, &actor, exchange_param(x, "id"));
    if (!call)
        return;
    calls_add(x->hub, call, &actor, invited, count, &x->fault);
    answer_call(x, 200, call);
}

void api_get_call_participants(struct exchange *x)
{
    struct actor actor;
    json_t *json =
        caller_read(x, &dialect_call, &actor) ? caller_need_json(x, &actor, exchange_param(x, "id")) : NULL;
    if (json)
        exchange_answer(x, 200, json_pack("{s:O}", "participants", json_object_get(json, "participants")));
    json_decref(json);
}

void api_get_call(struct exchange *x)
{
    struct actor actor;
    json_t *json =
        caller_read(x, &dialect_call, &actor) ? caller_need_json(x, &actor, exchange_param(x, "id")) : NULL;
    if (json)
        exchange_answer(x, 200, json_pack("{s:o}", "call", json));
}

static bool changes_media(const struct fields *f)
{
    return field_has(f, "isMuted") || field_has(f, "isVideoEnabled") || field_has(f, "isSharingScreen");
}

void api_patch_call_media(struct exchange *x)
{
    struct actor actor;
    if (!changes_media(&x->body))
        fault_say(&x->fault, ERROR_BAD_FIELD, "isMuted: needed, or isVideoEnabled, or isSharingScreen");
    if (!caller_read(x, &dialect_call, &actor))
        return;
    struct call *call = caller_need_call(x, &actor, exchange_param(x, "id"));
    struct participant *p = call ? caller_need_place(x, &actor, call) : NULL;
    if (!p || (!media_change(p, &x->body) && exchange_is_wrong(x)))
        return;
    exchange_answer(x, 200,
                    json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "callId", call->id, "userId", p->user, "userName",
                              p->name, "isMuted", p->is_muted, "isVideoEnabled", p->is_video_enabled,
                              "isSharingScreen", p->is_sharing_screen));
}

// ---- /api/video/calls ---------------------------------------------------------------------------------------

static const char *text_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static const char *status_of(const json_t *call)
{
    const char *status = text_of(call, "status");
    if (strcmp(status, call_status_name(CALL_RINGING)) == 0)
        return "waiting";
    bool is_active = strcmp(status, call_status_name(CALL_CONNECTING)) == 0 ||
                     strcmp(status, call_status_name(CALL_CONNECTED)) == 0;
    return is_active ? "active" : "ended";
}

// The guest is who came, else who is called.
static const char *guest_of(const json_t *call)
{
    const json_t *participants = json_object_get(call, "participants");
    const char *called = NULL;
    for (size_t i = 0; i < json_array_size(participants); i++) {
        const json_t *one = json_array_get(participants, i);
        const char *user = text_of(one, "userId");
        if (strcmp(user, text_of(call, "initiatorId")) == 0)
            continue;
        if (text_of(one, "joinedAt"))
            return user;
        called = called ? called : user;
    }
    return called;
}

// Takes json, as call_json() has it.
static void answer_video_json(struct exchange *x, int status, json_t *json)
{
    exchange_answer(x, status,
                    json_pack("{s:s, s:s, s:s?, s:s, s:s?}", "id", text_of(json, "id"), "host_id",
                              text_of(json, "initiatorId"), "guest_id", guest_of(json), "status", status_of(json),
                              "room_name", text_of(json, "room_name")));
    json_decref(json);
}

static void answer_video(struct exchange *x, int status, const struct call *call)
{
    if (!exchange_is_wrong(x))
        answer_video_json(x, status, call_json(x->hub, call));
}

void api_post_video_call(struct exchange *x)
{
    struct actor actor;
    const struct call_wish wish = {.type = CALL_VIDEO, .room_name = field_text(&x->body, "room_name", CALL_TEXT_MAX)};
    const struct call *call = caller_read(x, &dialect_webrtc, &actor) ? caller_start(x, &actor, &wish) : NULL;
    if (call)
        answer_video(x, 201, call);
}

void api_join_video_call(struct exchange *x)
{
    struct actor actor;
    struct call *call =
        caller_read(x, &dialect_webrtc, &actor) ? caller_need_call(x, &actor, exchange_param(x, "id")) : NULL;
    if (!call)
        return;
    calls_answer(x->hub, call, &actor, NULL, &x->fault);
    answer_video(x, 200, call);
}

void api_end_video_call(struct exchange *x)
{
    struct actor actor;
    struct call *call =
        caller_read(x, &dialect_webrtc, &actor) ? caller_need_call(x, &actor, exchange_param(x, "id")) : NULL;
    if (!call)
        return;
    calls_end(x->hub, call, &actor, NULL, &x->fault);
    answer_video(x, 200, call);
}

void api_get_video_call(struct exchange *x)
{
    struct actor actor;
    json_t *json =
        caller_read(x, &dialect_webrtc, &actor) ? caller_need_json(x, &actor, exchange_param(x, "id")) : NULL;
    if (json)
        answer_video_json(x, 200, json);
}
