// What do other servers hear of? (events of rooms and calls, given to webhook.h)
// SPDX-License-Identifier: MIT
#include "signaling/hooks.h"

#include "signaling/call.h"
#include "signaling/webhook.h"

static json_t *time_json(int64_t wall_ms)
{
    char text[TIMESTAMP_SIZE];
    if (wall_ms == 0)
        return json_null();
    timestamp_print(text, wall_ms);
    return json_string(text);
}

static void emit(const struct hub *hub, const char *event, const char *kind, const char *id, json_t *data)
{
    char *subject = g_strconcat(kind, ":", id, NULL);
    webhook_emit(hub->webhook, event, subject, data, hub->wall_ms);
    g_free(subject);
}

// ---- rooms --------------------------------------------------------------------------------------------------

void hooks_room_created(struct room *room)
{
    const struct hub *hub = room->roster->hub;
    if (!hub->webhook)
        return;
    room->is_told = true;
    emit(hub, "room.created", "room", room->id,
         json_pack("{s:s, s:o}", "roomId", room->id, "createdAt", time_json(room->created_ms)));
}

void hooks_room_closed(struct room *room, const char *by, const char *reason)
{
    if (!room->is_told)
        return;
    room->is_told = false;
    emit(room->roster->hub, "room.closed", "room", room->id,
         json_pack("{s:s, s:s?, s:s?, s:o}", "roomId", room->id, "closedBy", by, "reason", reason, "createdAt",
                   time_json(room->created_ms)));
}

// It goes because nobody is in it any more.
static void on_gone(struct room *room)
{
    hooks_room_closed(room, NULL, "empty");
}

static void tell_participant(const struct participant *p, const char *event, json_t *data)
{
    const struct room *room = p->room;
    json_object_set_new(data, "roomId", json_string(room->id));
    json_object_set_new(data, "userId", json_string(p->user));
    json_object_set_new(data, "role", json_string(role_name(p->role)));
    if (!room->call)
        return emit(room->roster->hub, event, "room", room->id, data);
    json_object_set_new(data, "callId", json_string(room->call->id));
    emit(room->roster->hub, event, "call", room->call->id, data);
}

void hooks_joined(const struct participant *p)
{
    if (p->room->roster->hub->webhook)
        tell_participant(p, "participant.joined", json_object());
}

void hooks_left(const struct participant *p, const char *reason)
{
    if (p->room->roster->hub->webhook)
        tell_participant(p, "participant.left", json_pack("{s:s}", "reason", reason));
}

// ---- calls --------------------------------------------------------------------------------------------------

static const char *call_event(enum call_status status)
{
    static const char *const events[] = {
        [CALL_RINGING] = "call.started", [CALL_CONNECTING] = "call.answered", [CALL_CONNECTED] = "call.connected",
        [CALL_ENDED] = "call.ended",     [CALL_MISSED] = "call.missed",       [CALL_DECLINED] = "call.declined",
        [CALL_FAILED] = "call.failed",   [CALL_BUSY] = "call.busy",
    };
    return events[status];
}

static json_t *call_json(const struct hub *hub, const struct call *call)
{
    json_t *members = json_array();
    for (guint i = 0; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        json_array_append_new(
            members, json_pack("{s:s, s:s}", "userId", member->user, "status", member_status_name(member->status)));
    }
    json_t *data =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o}", "callId", call->id, "roomId", call->room_id, "type",
                  call_type_name(call->type), "status", call_status_name(call->status), "initiatorId",
                  call->started_by, "chatId", call->chat_id, "roomName", call->room_name, "participants", members);
    json_object_set_new(data, "startedAt", time_json(call->started_ms));
    json_object_set_new(data, "answeredAt", time_json(call->answered_ms));
    json_object_set_new(data, "connectedAt", time_json(call->connected_ms));
    if (!call_is_over(call))
        return data;
    json_object_set_new(data, "endedAt", time_json(call->ended_ms));
    json_object_set_new(data, "duration",
                        json_integer(call_duration_s(call, (struct moment){hub->now_us, hub->wall_ms})));
    json_object_set_new(data, "endedBy", call->ended_by[0] ? json_string(call->ended_by) : json_null());
    json_object_set_new(data, "reason", call->reason ? json_string(call->reason) : json_null());
    return data;
}

void hooks_call(const struct hub *hub, struct call *call)
{
    unsigned bit = 1u << call->status;
    if (!hub->webhook || (call->told & bit))
        return;
    call->told |= bit;
    emit(hub, call_event(call->status), "call", call->id, call_json(hub, call));
}

// ---- calls that a crash ended -------------------------------------------------------------------------------

static void tell_failed(void *arg, const struct store_call *call)
{
    const struct hub *hub = arg;
    int64_t duration_s = call->connected_ms ? (call->ended_ms - call->connected_ms) / 1000 : 0;
    json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:I}", "callId", call->id, "roomId", call->room,
                             "type", call->type, "status", call->status, "initiatorId", call->initiator, "chatId",
                             call->chat_id, "roomName", call->room_name, "duration", (json_int_t)duration_s);
    json_object_set_new(data, "startedAt", time_json(call->started_ms));
    json_object_set_new(data, "connectedAt", time_json(call->connected_ms));
    json_object_set_new(data, "endedAt", time_json(call->ended_ms));
    json_object_set_new(data, "reason", json_string(call->reason ? call->reason : ""));
    emit(hub, call_event(CALL_FAILED), "call", call->id, data);
}

void hooks_attach(struct hub *hub, struct webhook *webhook)
{
    hub->webhook = webhook;
    hub->roster.gone = on_gone;
    if (!webhook)
        return;
    for (const char *const *id = store_recovered(hub->store); *id; id++)
        store_find_call(hub->store, *id, tell_failed, hub);
}
