// What is said about a call, and to whom?
// SPDX-License-Identifier: MIT
#include "signaling/call_events.h"

#include <string.h>

// ---- shapes -------------------------------------------------------------------------------------------------

static void set_time(json_t *json, const char *name, int64_t wall_ms)
{
    char text[TIMESTAMP_SIZE];
    if (wall_ms)
        timestamp_print(text, wall_ms);
    json_object_set_new(json, name, wall_ms ? json_string(text) : json_null());
}

static const char *name_of(const struct call_member *member)
{
    return member->name ? member->name : member->user;
}

static json_t *member_json(const struct call_member *member)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s?, s:s, s:b, s:b, s:b}", "userId", member->user, "userName", name_of(member),
                  "avatar", member->avatar, "status", member_status_name(member->status), "isMuted", member->is_muted,
                  "isVideoEnabled", member->is_video_enabled, "isSharingScreen", member->is_sharing_screen);
    set_time(json, "joinedAt", member->joined_ms);
    set_time(json, "leftAt", member->left_ms);
    return json;
}

static json_t *members_json(const struct call *call, guint first)
{
    json_t *list = json_array();
    for (guint i = first; i < call->members->len; i++)
        json_array_append_new(list, member_json(call->members->pdata[i]));
    return list;
}

json_t *call_members_json(const struct call *call)
{
    return members_json(call, 0);
}

static json_t *describe(const struct hub *hub, const struct call *call, const char *id)
{
    const struct call_member *initiator = call_initiator(call);
    struct moment now = {hub->now_us, hub->wall_ms};
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:I, s:s?, s:s?}", id, call->id, "roomId",
                  call->room_id, "type", call_type_name(call->type), "status", call_status_name(call->status),
                  "initiatorId", initiator->user, "initiatorName", name_of(initiator), "initiatorAvatar",
                  initiator->avatar, "chatId", call->chat_id, "room_name", call->room_name, "participants",
                  members_json(call, 0), "duration", (json_int_t)call_duration_s(call, now), "endedBy",
                  call->ended_by[0] ? call->ended_by : NULL, "reason", call->reason);
    set_time(json, "startedAt", call->started_ms);
    set_time(json, "answeredAt", call->answered_ms);
    set_time(json, "connectedAt", call->connected_ms);
    set_time(json, "endedAt", call->ended_ms);
    return json;
}

json_t *call_json(const struct hub *hub, const struct call *call)
{
    return describe(hub, call, "id");
}

// ---- ways to say it: each takes data ------------------------------------------------------------------------

static bool is_inside(const struct session *session, const struct call *call)
{
    return session->participant && session->participant->room->call == call;
}

static void tell(struct session *session, const struct call *call, const char *event, json_t *data)
{
    if (!session->is_dialect_settled)
        session->dialect = call->dialect;
    session_send(session, event, data);
}

static unsigned tell_user(const struct hub *hub, const struct call *call, const char *user, const struct session *but,
                          const char *event, json_t *data)
{
    const GPtrArray *sessions = hub_sessions(hub, user);
    unsigned count = 0;
    for (guint i = 0; sessions && i < sessions->len; i++) {
        struct session *session = sessions->pdata[i];
        if (session == but)
            continue;
        tell(session, call, event, json_incref(data));
        count++;
    }
    json_decref(data);
    return count;
}

static bool is_concerned(const struct call *call, const struct call_member *member)
{
    if (call_is_over(call))
        return member->was_there;
    return member->status == MEMBER_RINGING || member->status == MEMBER_JOINED;
}

static void tell_all(const struct hub *hub, const struct call *call, const char *event, json_t *data)
{
    for (guint i = 0; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        if (is_concerned(call, member))
            tell_user(hub, call, member->user, NULL, event, json_incref(data));
    }
    json_decref(data);
}

// ---- the events ---------------------------------------------------------------------------------------------

static json_t *incoming(const struct hub *hub, const struct call *call)
{
    json_t *data = describe(hub, call, "callId");
    json_object_set_new(data, "participants", members_json(call, 1));
    return data;
}

void call_tell_incoming(const struct hub *hub, const struct call *call, const char *user)
{
    tell_user(hub, call, user, NULL, "call-incoming", incoming(hub, call));
}

void call_tell_incoming_on(struct session *session, const struct call *call)
{
    tell(session, call, "call-incoming", incoming(session->hub, call));
}

static json_t *started(const struct hub *hub, const struct call *call, const struct call_member *accepted_by)
{
    json_t *data = describe(hub, call, "callId");
    json_object_set_new(data, "acceptedBy", json_string(accepted_by->user));
    json_object_set_new(data, "acceptedByName", json_string(name_of(accepted_by)));
    return data;
}

void call_tell_started_to(const struct hub *hub, const struct call *call, const struct call_member *member)
{
    tell_user(hub, call, member->user, NULL, "call-started", started(hub, call, member));
}

void call_tell_started(const struct hub *hub, const struct call *call, const struct call_member *accepted_by)
{
    json_t *data = started(hub, call, accepted_by);
    for (guint i = 0; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        if (member->status == MEMBER_JOINED)
            tell_user(hub, call, member->user, NULL, "call-started", json_incref(data));
    }
    json_decref(data);
}

static json_t *status(const struct hub *hub, const struct call *call, const struct call_member *about, bool elsewhere)
{
    json_t *data = describe(hub, call, "callId");
    json_object_set_new(data, "answeredElsewhere", json_boolean(elsewhere));
    if (!about)
        return data;
    json_object_set_new(data, "userId", json_string(about->user));
    json_object_set_new(data, "userName", json_string(name_of(about)));
    json_object_set_new(data, "userStatus", json_string(member_status_name(about->status)));
    if (about->reason)
        json_object_set_new(data, "reason", json_string(about->reason));
    return data;
}

void call_tell_status(const struct hub *hub, const struct call *call, const struct call_member *about)
{
    tell_all(hub, call, "call-status-changed", status(hub, call, about, false));
}

void call_tell_status_on(struct session *session, const struct call *call)
{
    tell(session, call, "call-status-changed", status(session->hub, call, NULL, false));
}

void call_tell_elsewhere(const struct hub *hub, const struct call *call, const struct call_member *member,
                         const struct session *but)
{
    tell_user(hub, call, member->user, but, "call-status-changed", status(hub, call, member, true));
}

static json_t *ended(const struct call *call, enum call_status status_for, int64_t duration_s, const char *by,
                     const char *reason)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:s?, s:s?}", "callId", call->id, "roomId", call->room_id, "status",
                     call_status_name(status_for), "duration", (json_int_t)duration_s, "by", by, "reason", reason);
}

void call_tell_ended(const struct hub *hub, const struct call *call)
{
    json_t *data =
        ended(call, call->status, call->duration_s, call->ended_by[0] ? call->ended_by : NULL, call->reason);
    for (guint i = 0; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        const GPtrArray *sessions = hub_sessions(hub, member->user);
        for (guint k = 0; member->was_there && sessions && k < sessions->len; k++)
            if (!is_inside(sessions->pdata[k], call))
                tell(sessions->pdata[k], call, "call-ended", json_incref(data));
    }
    json_decref(data);
}

void call_tell_over(const struct hub *hub, const struct call *call, const char *user, const char *reason)
{
    tell_user(hub, call, user, NULL, "call-ended", ended(call, CALL_MISSED, 0, NULL, reason));
}

unsigned call_tell_relay(const struct hub *hub, const struct call *call, const char *user, const char *event,
                         json_t *data)
{
    json_object_set_new(data, "callId", json_string(call->id));
    json_object_set_new(data, "roomId", json_string(call->room_id));
    return tell_user(hub, call, user, NULL, event, data);
}
