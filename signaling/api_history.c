// Which calls has somebody had, and which go on? (the lists of calls)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include "signaling/call_events.h"
#include "signaling/calls.h"

// Whose calls: the bearer's, in open mode of the user the query names. NULL: refused and answered.
static const char *asker(struct exchange *x)
{
    if (x->identity)
        return x->identity->user;
    const char *user = field_need_id(&x->query, "user", is_user_id);
    return exchange_is_wrong(x) ? NULL : user;
}

// ---- from the store, in the words of call_json() ------------------------------------------------------------

static void set_time(json_t *json, const char *name, int64_t wall_ms)
{
    char text[TIMESTAMP_SIZE];
    if (wall_ms)
        timestamp_print(text, wall_ms);
    json_object_set_new(json, name, wall_ms ? json_string(text) : json_null());
}

static void add_participant(void *arg, const struct store_participant *p)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "userId", p->user, "userName",
                             p->name ? p->name : p->user, "status", p->status, "isMuted", p->is_muted,
                             "isVideoEnabled", p->is_video_enabled, "isSharingScreen", p->is_sharing_screen);
    set_time(json, "joinedAt", p->joined_ms);
    set_time(json, "leftAt", p->left_ms);
    json_array_append_new(arg, json);
}

struct listing {
    struct store *store;
    json_t *calls;
};

static void add_call(void *arg, const struct store_call *call)
{
    struct listing *listing = arg;
    json_t *participants = json_array();
    int64_t spoken_ms = call->connected_ms && call->ended_ms ? call->ended_ms - call->connected_ms : 0;
    (void)store_find_participants(listing->store, call->id, add_participant, participants);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o, s:I, s:s?, s:s?}", "id", call->id, "roomId",
                  call->room, "type", call->type, "status", call->status, "initiatorId", call->initiator,
                  "initiatorName", call->initiator_name ? call->initiator_name : call->initiator, "chatId",
                  call->chat_id, "room_name", call->room_name, "participants", participants, "duration",
                  (json_int_t)(spoken_ms / 1000), "endedBy", call->ended_by, "reason", call->reason);
    set_time(json, "startedAt", call->started_ms);
    set_time(json, "answeredAt", call->answered_ms);
    set_time(json, "connectedAt", call->connected_ms);
    set_time(json, "endedAt", call->ended_ms);
    json_array_append_new(listing->calls, json);
}

// ---- the routes ---------------------------------------------------------------------------------------------

void api_get_call_history(struct exchange *x)
{
    static const char *const types[] = {"AUDIO", "VIDEO", NULL};
    struct page page = exchange_page(x);
    int type = field_choice(&x->query, "type", types, -1);
    struct store_query query = {.user = asker(x),
                                .type = type < 0 ? NULL : types[type],
                                .chat_id = field_text(&x->query, "chatId", CALL_TEXT_MAX),
                                .offset = (unsigned)page.offset,
                                .limit = (unsigned)page.limit};
    if (!query.user || exchange_is_wrong(x))
        return;
    struct listing listing = {.store = x->hub->store, .calls = json_array()};
    bool is_beyond = !listing.store || page.offset > STORE_OFFSET_MAX;
    int found = is_beyond ? 0 : store_find_calls(listing.store, &query, add_call, &listing);
    int total = listing.store ? store_count_calls(listing.store, &query) : 0;
    if (found >= 0 && total >= 0)
        return exchange_answer_page(x, &page, "calls", listing.calls, total);
    json_decref(listing.calls);
    exchange_refuse(x, 503, "internal", "the history cannot be read now");
}

void api_get_active_calls(struct exchange *x)
{
    struct page page = exchange_page(x);
    const char *user = asker(x);
    if (!user || exchange_is_wrong(x))
        return;
    const GPtrArray *calls = calls_of(x->hub, user);
    guint count = calls ? calls->len : 0;
    json_t *items = json_array();
    for (guint i = (guint)page.offset; i < count && json_array_size(items) < (size_t)page.limit; i++)
        json_array_append_new(items, call_json(x->hub, calls->pdata[count - 1 - i])); // the newest first
    exchange_answer_page(x, &page, "calls", items, count);
}
