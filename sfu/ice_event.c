// How is a letter from ICE made?
// SPDX-License-Identifier: MIT
#include "sfu/ice_event.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { SLOW_LETTERS_MAX = 4096 }; // ICE_DATA letters under way

static _Atomic unsigned slow_letters;

struct ice_event *ice_event_new(enum ice_event_type type, uint64_t id, const void *data, size_t len)
{
    if (type == ICE_DATA && atomic_fetch_add(&slow_letters, 1) >= SLOW_LETTERS_MAX) {
        atomic_fetch_sub(&slow_letters, 1);
        return NULL;
    }
    struct ice_event *event = g_malloc0(sizeof(*event) + len + 1);
    event->type = type;
    event->id = id;
    event->fd = -1;
    event->len = len;
    if (len)
        memcpy(event->data, data, len);
    return event;
}

void ice_event_free(struct ice_event *event)
{
    if (!event)
        return;
    if (event->type == ICE_DATA)
        atomic_fetch_sub(&slow_letters, 1);
    if (event->fd >= 0)
        close(event->fd);
    explicit_bzero(event->pwd, sizeof(event->pwd));
    g_free(event);
}
