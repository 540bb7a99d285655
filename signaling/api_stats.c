// What do the routes tell of rooms, of their media, and of the server in numbers?
// SPDX-License-Identifier: MIT
#include <string.h>

#include "signaling/api.h"
#include "signaling/measure.h"
#include "signaling/metrics.h"

// ---- which rooms --------------------------------------------------------------------------------------------

static bool may_see(const struct exchange *x, const struct room *room)
{
    return !x->identity || identity_covers(x->identity, room->id);
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    return strcmp((*(struct room *const *)a)->id, (*(struct room *const *)b)->id);
}

// The rooms this bearer may see, or the one asked for, in the order of their ids.
static GPtrArray *visible_rooms(const struct exchange *x, const char *only)
{
    GPtrArray *rooms = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, x->hub->roster.rooms);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct room *room = value;
        if (may_see(x, room) && (!only || strcmp(room->id, only) == 0))
            g_ptr_array_add(rooms, value);
    }
    g_ptr_array_sort(rooms, by_id);
    return rooms;
}

// ---- what is told -------------------------------------------------------------------------------------------

static const char *user_of(void *hub, uint64_t peer)
{
    const struct participant *p = g_hash_table_lookup(((struct hub *)hub)->roster.peers, &peer);
    return p ? p->user : NULL;
}

static json_t *participant_json(struct hub *hub, const struct participant *p, const struct stats_room *snapshot)
{
    const struct stats_peer *peer = snapshot && p->peer ? stats_find_peer(snapshot, p->peer) : NULL;
    return json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:o}", "userId", p->user, "role", role_name(p->role),
                     "isConnected", p->session != NULL, "isMuted", p->is_muted, "isVideoEnabled", p->is_video_enabled,
                     "isSharingScreen", p->is_sharing_screen, "media",
                     peer ? stats_peer_json(peer, user_of, hub) : json_null());
}

static json_t *room_json(struct hub *hub, const struct room *room)
{
    char created[TIMESTAMP_SIZE];
    const struct stats_room *snapshot = measure_find(hub, room);
    json_t *participants = json_array();
    for (guint i = 0; i < room->participants->len; i++)
        json_array_append_new(participants, participant_json(hub, room->participants->pdata[i], snapshot));
    timestamp_print(created, room->created_ms);
    json_t *age = snapshot ? json_real((double)(hub->now_us - snapshot->measured_us) / 1000.0) : json_null();
    return json_pack("{s:s, s:i, s:s, s:I, s:o, s:o}", "roomId", room->id, "participantCount",
                     (int)room->participants->len, "createdAt", created, "durationSeconds",
                     (json_int_t)((hub->wall_ms - room->created_ms) / 1000), "mediaAgeMs", age, "participants",
                     participants);
}

struct sums {
    json_int_t participants, connections, media;
};

static struct sums sum_up(const GPtrArray *rooms)
{
    struct sums sums = {0};
    for (guint i = 0; i < rooms->len; i++) {
        const struct room *room = rooms->pdata[i];
        sums.participants += room->participants->len;
        sums.media += room->peer_count;
        for (guint k = 0; k < room->participants->len; k++)
            sums.connections += ((const struct participant *)room->participants->pdata[k])->session != NULL;
    }
    return sums;
}

static void answer(struct exchange *x)
{
    struct hub *hub = x->hub;
    struct page page = exchange_page(x);
    GPtrArray *rooms = visible_rooms(x, field_id(&x->query, "roomId", is_room_id));
    struct sums sums = sum_up(rooms);
    json_t *details = json_array();
    for (int i = page.offset; i < (int)rooms->len && i < page.offset + page.limit; i++)
        json_array_append_new(details, room_json(hub, rooms->pdata[i]));
    exchange_answer(x, 200,
                    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:o}", "timestamp", (json_int_t)hub->wall_ms,
                              "uptimeSeconds", (json_int_t)((hub->now_us - hub->started_us) / 1000000), "totalRooms",
                              (json_int_t)rooms->len, "totalParticipants", sums.participants, "totalConnections",
                              sums.connections, "mediaConnections", sums.media, "page", page.page, "limit",
                              page.limit, "rooms", details));
    g_ptr_array_free(rooms, TRUE);
}

void api_get_stats(struct exchange *x)
{
    if (x->identity && x->identity->role != ROLE_HOST)
        return exchange_refuse(x, 403, "forbidden", "only a host may see the statistics of a room");
    struct page page = exchange_page(x);
    const char *only = field_id(&x->query, "roomId", is_room_id);
    if (exchange_is_wrong(x))
        return;
    GPtrArray *rooms = visible_rooms(x, only);
    for (int i = page.offset; i < (int)rooms->len && i < page.offset + page.limit; i++)
        measure_ask(x->hub, rooms->pdata[i]);
    g_ptr_array_free(rooms, TRUE);
    if (!measure_is_waiting(x->hub) || !measure_defer(x, answer))
        answer(x);
}

void api_get_metrics(struct exchange *x)
{
    if (!metrics_may_read(x->hub, x->request))
        return exchange_refuse(x, 401, "unauthorized", "send METRICS_TOKEN, or the token of a host of every room");
    enum metrics_format format = metrics_format(x->request->accept);
    GString *text = metrics_print(x->hub, format);
    x->response->status = 200;
    x->response->content_type = metrics_content_type(format);
    x->response->body_len = text->len;
    x->response->body = g_string_free(text, FALSE);
}
