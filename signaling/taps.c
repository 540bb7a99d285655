// Which participants' sound and pictures are copied to programs outside, and does everybody in the room know?
// SPDX-License-Identifier: MIT
#include "signaling/taps.h"

#include <string.h>

#include "signaling/crypto.h"
#include "signaling/events.h"
#include "signaling/log.h"
#include "signaling/net.h"
#include "signaling/recording.h"

static struct sfu *sfu_of(const struct room *room)
{
    return room->roster->hub->sfu;
}

bool taps_are_possible(const struct hub *hub, struct fault *fault)
{
    return hub->config->tap_targets ||
           !fault_say(fault, ERROR_FORBIDDEN, "this server sends no copies: TAP_TARGETS is not set");
}

struct tap *taps_find(const struct room *room, const char *id)
{
    for (guint i = 0; i < room->taps->len; i++) {
        struct tap *tap = room->taps->pdata[i];
        if (strcmp(tap->id, id) == 0)
            return tap;
    }
    return NULL;
}

static struct tap *find_tag(const struct room *room, uint64_t tag)
{
    for (guint i = 0; i < room->taps->len; i++) {
        struct tap *tap = room->taps->pdata[i];
        if (tap->tag == tag)
            return tap;
    }
    return NULL;
}

// ---- what is being sent -----------------------------------------------------------------------------------------

static void start(const struct room *room, struct tap *tap, uint64_t peer)
{
    tap->peer = peer;
    sfu_tap_start(sfu_of(room), room->number, tap->tag, peer, tap->source, tap->address, tap->port);
}

// `sdp` NULL: nothing any more. Whether it is another state than before.
static bool set_stream(const struct room *room, struct tap *tap, const char *sdp)
{
    bool was_active = tap->sdp != NULL, is_active = sdp != NULL;
    g_free(tap->sdp);
    tap->sdp = g_strdup(sdp);
    if (was_active != is_active)
        recording_noted_tap(room, tap, is_active);
    return was_active != is_active;
}

// ---- beginning and ending ---------------------------------------------------------------------------------------

static bool is_of(const struct tap *tap, const struct tap_wish *wish)
{
    return strcmp(tap->user, wish->user) == 0 && tap->source == wish->source && tap->port == wish->port &&
           strcmp(tap->address, wish->address) == 0;
}

static bool is_fine(const struct room *room, const struct tap_wish *wish, struct fault *fault)
{
    if (!taps_are_possible(room->roster->hub, fault))
        return false;
    if (!net_has(room->roster->hub->config->tap_targets, wish->address))
        return !fault_say(fault, ERROR_BAD_FIELD, "address: %s is not one of TAP_TARGETS", wish->address);
    if (!room_find(room, wish->user))
        return !fault_say(fault, ERROR_NOT_FOUND, "userId: %s is not in the room", wish->user);
    for (guint i = 0; i < room->taps->len; i++)
        if (is_of(room->taps->pdata[i], wish))
            return !fault_say(fault, ERROR_BUSY, "there is this tap already");
    if (room->taps->len >= SFU_TAPS_MAX)
        return !fault_say(fault, ERROR_BUSY, "the room has all its %d taps", SFU_TAPS_MAX);
    return true;
}

// Everybody is told before the media server is: nothing is copied of anybody who could not know.
const struct tap *taps_add(struct room *room, const struct tap_wish *wish, struct fault *fault)
{
    if (!is_fine(room, wish, fault))
        return NULL;
    struct tap *tap = g_new0(struct tap, 1);
    crypto_random_text(tap->id, TAP_ID_CHARS);
    tap->tag = roster_number(room->roster);
    g_strlcpy(tap->user, wish->user, sizeof(tap->user));
    tap->source = wish->source;
    g_strlcpy(tap->address, wish->address, sizeof(tap->address));
    tap->port = wish->port;
    g_ptr_array_add(room->taps, tap);
    event_tap_changed(room);
    log_about(LOG_LEVEL_INFO, "tap", room->id, NULL, "a copy of a participant's %s is sent to %s port %u",
              sfu_source_name(tap->source), tap->address, tap->port);
    const struct participant *p = room_find(room, wish->user);
    if (p->peer)
        start(room, tap, p->peer);
    return tap;
}

static void end(struct room *room, struct tap *tap)
{
    set_stream(room, tap, NULL);
    if (room->number)
        sfu_tap_stop(sfu_of(room), room->number, tap->tag);
    log_about(LOG_LEVEL_INFO, "tap", room->id, NULL, "no copy is sent to %s port %u any more", tap->address,
              tap->port);
    g_ptr_array_remove(room->taps, tap);
}

void taps_remove(struct room *room, struct tap *tap)
{
    end(room, tap);
    event_tap_changed(room);
}

// ---- what others tell it ----------------------------------------------------------------------------------------

void taps_media_began(struct participant *p)
{
    for (guint i = 0; i < p->room->taps->len; i++) {
        struct tap *tap = p->room->taps->pdata[i];
        if (strcmp(tap->user, p->user) == 0)
            start(p->room, tap, p->peer);
    }
}

// The media server ends the stream with the peer and says so, perhaps of a room whose number nobody knows any more.
void taps_media_ended(struct participant *p)
{
    bool is_changed = false;
    for (guint i = 0; i < p->room->taps->len; i++) {
        struct tap *tap = p->room->taps->pdata[i];
        if (strcmp(tap->user, p->user) != 0)
            continue;
        tap->peer = 0;
        is_changed |= set_stream(p->room, tap, NULL);
    }
    if (is_changed)
        event_tap_changed(p->room);
}

void taps_left(struct room *room, const char *user)
{
    guint before = room->taps->len;
    for (guint i = before; i > 0; i--) {
        struct tap *tap = room->taps->pdata[i - 1];
        if (strcmp(tap->user, user) == 0)
            end(room, tap);
    }
    if (room->taps->len != before)
        event_tap_changed(room);
}

void taps_rx(struct hub *hub, const struct sfu_event *event)
{
    struct room *room = g_hash_table_lookup(hub->roster.numbers, &event->room);
    struct tap *tap = room ? find_tag(room, event->tag) : NULL;
    if (!tap || event->peer != tap->peer) // it was stopped, or is of another peer by now
        return;
    if (!event->on && (event->reason == SFU_BAD_ADDRESS || event->reason == SFU_TOO_MANY)) {
        log_warn("tap", "nothing can be sent to %s port %u: %s", tap->address, tap->port,
                 event->text ? event->text : sfu_reason_name(event->reason));
        taps_remove(room, tap);
    } else if (set_stream(room, tap, event->on ? event->text : NULL)) {
        event_tap_changed(room);
    }
}
