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

static json_t *participant_json(const struct store_participant *p)
{
    json_t *json = json_pack("{s:s, s:s, s:n, s:s, s:b, s:b, s:b}", "userId", p->user, "userName",
                             p->name ? p->name : p->user, "avatar", "status", p->status, "isMuted", p->is_muted,
                             "isVideoEnabled", p->is_video_enabled, "isSharingScreen", p->is_sharing_screen);
    set_time(json, "joinedAt", p->joined_ms);
    set_time(json, "leftAt", p->left_ms);
    return json;
}

// As call_json() has it, with nobody in it yet; avatars are not remembered.
static json_t *past_json(const struct store_call *call)
{
    int64_t spoken_ms = call->connected_ms && call->ended_ms ? call->ended_ms - call->connected_ms : 0;
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:n, s:s?, s:s?, s:[], s:I, s:s?, s:s?}", "id", call->id, "roomId",
                  call->room, "type", call->type, "status", call->status, "initiatorId", call->initiator,
                  "initiatorName", call->initiator_name ? call->initiator_name : call->initiator, "initiatorAvatar",
                  "chatId", call->chat_id, "room_name", call->room_name, "participants", "duration",
                  (json_int_t)(spoken_ms / 1000), "endedBy", call->ended_by, "reason", call->reason);
    set_time(json, "startedAt", call->started_ms);
    set_time(json, "answeredAt", call->answered_ms);
    set_time(json, "connectedAt", call->connected_ms);
    set_time(json, "endedAt", call->ended_ms);
    return json;
}

// ---- calls and who took part in them --------------------------------------------------------------------------

static void add_call(void *arg, const struct store_call *call)
{
    json_array_append_new(arg, past_json(call));
}

struct page_of_calls {
    const char *ids[STORE_LIMIT_MAX];
    json_t *participants[STORE_LIMIT_MAX]; // of each, borrowed
    unsigned count, at;
};

// Those of one call follow each other, so the place is nearly always the one before.
static void add_participant(void *arg, const struct store_participant *p)
{
    struct page_of_calls *page = arg;
    for (unsigned tries = 0; strcmp(page->ids[page->at], p->call) != 0; tries++) {
        g_assert(tries < page->count);
        page->at = (page->at + 1) % page->count;
    }
    json_array_append_new(page->participants[page->at], participant_json(p));
}

// Puts everybody into the calls they took part in. 0 or -errno.
static int add_participants(struct store *store, json_t *calls)
{
    struct page_of_calls page = {0};
    const json_t *call;
    size_t i;
    json_array_foreach(calls, i, call)
    {
        page.ids[i] = json_string_value(json_object_get(call, "id"));
        page.participants[i] = json_object_get(call, "participants");
        page.count++;
    }
    int found = page.count ? store_find_participants_of(store, page.ids, page.count, add_participant, &page) : 0;
    return found < 0 ? found : 0;
}

int past_list(struct store *store, const struct store_query *query, json_t *calls)
{
    int found = store_find_calls(store, query, add_call, calls);
    return found < 0 ? found : add_participants(store, calls);
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
    bool may_be = store && strlen(id) == CALL_ID_CHARS;
    json_t *found = json_array();
    if (may_be && (store_find_call(store, id, add_call, found) < 0 || add_participants(store, found) < 0))
        fault_say(fault, ERROR_INTERNAL, "the history cannot be read now");
    json_t *call = json_incref(json_array_get(found, 0));
    json_decref(found);
    if (call && fault->error == ERROR_NONE && took_part(call, user))
        return call;
    if (call)
        fault_say(fault, ERROR_FORBIDDEN, "callId: you were not in that call");
    json_decref(call);
    fault_say(fault, ERROR_NOT_FOUND, "callId: there is no such call");
    return NULL;
}
