// What do the routes of taps do?
// SPDX-License-Identifier: MIT
#include "signaling/api.h"
#include "signaling/net.h"
#include "signaling/recording.h"
#include "signaling/taps.h"

enum { PORT_MAX = 65534 }; // and one above it for sender reports

// NULL: refused and answered.
static struct room *need_room(struct exchange *x)
{
    char by[USER_MAX + 1];
    if (taps_are_possible(x->hub, &x->fault))
        return recording_need_room(x, by);
    exchange_fail(x, &x->fault);
    return NULL;
}

// With what nobody is told who may not begin one: where it goes.
static json_t *tap_json(const struct room *room, const struct tap *tap)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:s?}", "id", tap->id, "roomId", room->id, "userId",
                     tap->user, "source", sfu_source_name(tap->source), "address", tap->address, "port",
                     (int)tap->port, "active", tap->sdp != NULL, "sdp", tap->sdp);
}

static void read_source(struct exchange *x, enum sfu_source *source)
{
    const char *name = field_need_text(&x->body, "source", 16);
    if (name && !sfu_source_parse(name, source))
        fault_say(&x->fault, ERROR_BAD_FIELD, "source: not one of microphone, camera, screen, screen-audio");
}

// To be freed with g_free().
static char *read_address(struct exchange *x)
{
    const char *text = field_need_text(&x->body, "address", TAP_ADDRESS_MAX);
    char *address = text ? net_address(text) : NULL;
    if (text && !address)
        fault_say(&x->fault, ERROR_BAD_FIELD, "address: not an IP address");
    return address;
}

static uint16_t read_port(struct exchange *x)
{
    if (!field_has(&x->body, "port"))
        fault_say(&x->fault, ERROR_BAD_FIELD, "port: missing");
    return (uint16_t)field_int(&x->body, "port", 1, PORT_MAX, 1);
}

void api_post_tap(struct exchange *x)
{
    struct room *room = need_room(x);
    if (!room)
        return;
    struct tap_wish wish = {.user = field_need_id(&x->body, "userId", is_user_id)};
    read_source(x, &wish.source);
    char *address = read_address(x);
    wish.address = address;
    wish.port = read_port(x);
    const struct tap *tap = x->fault.error ? NULL : taps_add(room, &wish, &x->fault);
    g_free(address);
    if (!exchange_is_wrong(x))
        exchange_answer(x, 201, tap_json(room, tap));
}

void api_get_taps(struct exchange *x)
{
    const struct room *room = need_room(x);
    if (!room)
        return;
    json_t *list = json_array();
    for (guint i = 0; i < room->taps->len; i++)
        json_array_append_new(list, tap_json(room, room->taps->pdata[i]));
    exchange_answer(x, 200, json_pack("{s:o}", "taps", list));
}

void api_delete_tap(struct exchange *x)
{
    struct room *room = need_room(x);
    struct tap *tap = room ? taps_find(room, exchange_param(x, "tap")) : NULL;
    if (room && !tap)
        exchange_refuse(x, 404, "not-found", "the room has no such tap");
    if (!tap)
        return;
    json_t *json = tap_json(room, tap);
    json_object_set_new(json, "active", json_false());
    json_object_set_new(json, "sdp", json_null());
    taps_remove(room, tap);
    exchange_answer(x, 200, json);
}
