// What is known of a call that is over? (from the store, in the words of call_json())
// SPDX-License-Identifier: MIT
#include "signaling/call_past.h"

#include <string.h>

static void set_time(json_t *json, const char *name, int64_t wall_ms)
{
    char text[TIMESTAMP_SIZE];
    if (wall_ms)
        timestamp_print(text, wall_ms);
    json_object_set_new(json, name, wall_ms ? json_string(text) : json_null());
}

static void add_participant(void *arg, const struct store_participant *p)
{
    json_t *json = json_pack("{s:s, s:s, s:n, s:s, s:b, s:b, s:b}", "userId", p->user, "userName",
                             p->name ? p->name : p->user, "avatar", "status", p->status, "isMuted", p->is_muted,
                             "isVideoEnabled", p->is_video_enabled, "isSharingScreen", p->is_sharing_screen);
    set_time(json, "joinedAt", p->joined_ms);
    set_time(json, "leftAt", p->left_ms);
    json_array_append_new(arg, json);
}

json_t *past_call_json(struct store *store, const struct store_call *call)
{
    json_t *participants = json_array();
    int64_t spoken_ms = call->connected_ms && call->ended_ms ? call->ended_ms - call->connected_ms : 0;
    (void)store_find_participants(store, call->id, add_participant, participants);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:n, s:s?, s:s?, s:o, s:I, s:s?, s:s?}", "id", call->id, "roomId",
                  call->room, "type", call->type, "status", call->status, "initiatorId", call->initiator,
                  "initiatorName", call->initiator_name ? call->initiator_name : call->initiator, "initiatorAvatar",
                  "chatId", call->chat_id, "room_name", call->room_name, "participants", participants, "duration",
                  (json_int_t)(spoken_ms / 1000), "endedBy", call->ended_by, "reason", call->reason);
    set_time(json, "startedAt", call->started_ms);
    set_time(json, "answeredAt", call->answered_ms);
    set_time(json, "connectedAt", call->connected_ms);
    set_time(json, "endedAt", call->ended_ms);
    return json;
}

// ---- one of them --------------------------------------------------------------------------------------------

struct search {
    struct store *store;
    json_t *found;
};

static void on_found(void *arg, const struct store_call *call)
{
    struct search *search = arg;
    search->found = past_call_json(search->store, call);
}

static bool took_part(const json_t *call, const char *user)
{
    const json_t *participants = json_object_get(call, "participants");
    for (size_t i = 0; i < json_array_size(participants); i++) {
        const json_t *one = json_array_get(participants, i);
        if (strcmp(json_string_value(json_object_get(one, "userId")), user) == 0)
            return true;
    }
    return false;
}

json_t *past_find(struct store *store, const char *user, const char *id, struct fault *fault)
{
    struct search search = {.store = store};
    bool may_be = store && strlen(id) == CALL_ID_CHARS;
    if (may_be && store_find_call(store, id, on_found, &search) < 0)
        fault_say(fault, ERROR_INTERNAL, "the history cannot be read now");
    if (search.found && took_part(search.found, user))
        return search.found;
    if (search.found)
        fault_say(fault, ERROR_FORBIDDEN, "callId: you were not in that call");
    json_decref(search.found);
    fault_say(fault, ERROR_NOT_FOUND, "callId: there is no such call");
    return NULL;
}
