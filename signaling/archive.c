// What of all that happens is put into the store?
// SPDX-License-Identifier: MIT
#include "signaling/archive.h"

#include "signaling/call_book.h"
#include "signaling/crypto.h"
#include "signaling/hooks.h"

// ---- calls --------------------------------------------------------------------------------------------------

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void put_call(struct store *store, const struct call *call)
{
    const struct store_call row = {
        .id = call->id,
        .room = call->room_id,
        .type = call_type_name(call->type),
        .status = call_status_name(call->status),
        .initiator = call->started_by,
        .initiator_name = call_initiator(call)->name,
        .chat_id = call->chat_id,
        .room_name = call->room_name,
        .ended_by = or_null(call->ended_by),
        .reason = call->reason,
        .started_ms = call->started_ms,
        .answered_ms = call->answered_ms,
        .connected_ms = call->connected_ms,
        .ended_ms = call->ended_ms,
        .changed_ms = call->changed_ms,
    };
    store_put_call(store, &row);
}

static void put_member(struct store *store, const struct call *call, const struct call_member *member)
{
    const struct store_participant row = {
        .call = call->id,
        .user = member->user,
        .name = member->name,
        .status = member_status_name(member->status),
        .reason = member->reason,
        .is_muted = member->is_muted,
        .is_video_enabled = member->is_video_enabled,
        .is_sharing_screen = member->is_sharing_screen,
        .invited_ms = member->invited_ms,
        .joined_ms = member->joined_ms,
        .left_ms = member->left_ms,
        .changed_ms = call->changed_ms,
    };
    store_put_participant(store, &row);
}

static void on_changed(void *arg, const struct call *call, const struct call_member *member)
{
    const struct hub *hub = arg;
    if (member)
        return put_member(hub->store, call, member);
    put_call(hub->store, call);
    hooks_call(hub, g_hash_table_lookup(hub->calls->by_id, call->id));
}

static bool may_begin(void *arg)
{
    const struct hub *hub = arg;
    return store_has_room(hub->store);
}

void archive_attach(struct hub *hub, struct store *store)
{
    hub->store = store;
    hub->calls->sink = (struct calls_sink){hub, on_changed, may_begin};
}

// ---- chat ---------------------------------------------------------------------------------------------------

void archive_chat(const struct participant *from, const struct participant *to, const char *text)
{
    const struct hub *hub = from->room->roster->hub;
    const struct call *call = from->room->call;
    char id[37];
    crypto_uuid(id);
    const struct store_chat row = {
        .id = id,
        .call = call ? call->id : NULL,
        .room = from->room->id,
        .from = from->user,
        .to = to ? to->user : NULL,
        .text = text,
        .at_ms = hub->wall_ms,
    };
    store_put_chat(hub->store, &row);
}
