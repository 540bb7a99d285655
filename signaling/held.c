// What must a session not say before the store has it?
// SPDX-License-Identifier: MIT
#include "signaling/held.h"

#include <stdlib.h>
#include <string.h>

struct held_item {
    uint64_t ticket;
    char *text;    // NULL: close
    uint16_t code; // of a close, with its reason
    char *reason;
};

void held_init(struct held *held, const struct session_output *output, void *output_arg, struct holds *holds,
               struct store *store)
{
    *held = (struct held){.output = output, .output_arg = output_arg, .holds = holds, .store = store};
    g_queue_init(&held->items);
}

static void item_free(struct held_item *item)
{
    free(item->text);
    g_free(item->reason);
    g_free(item);
}

static void drop_all(struct held *held)
{
    hold_cancel(held->holds, &held->hold);
    g_queue_clear_full(&held->items, (GDestroyNotify)item_free);
    held->bytes = 0;
    held->since = 0;
}

void held_clear(struct held *held)
{
    drop_all(held);
}

static void say_first(struct held *held)
{
    struct held_item *item = g_queue_pop_head(&held->items);
    if (item->text) {
        held->bytes -= strlen(item->text);
        held->output->send(held->output_arg, item->text);
    } else {
        held->output->close(held->output_arg, item->code, item->reason);
    }
    item_free(item);
}

// Says what may be said, and waits for the rest.
static void release(void *arg)
{
    struct held *held = arg;
    struct held_item *first;
    uint64_t settled = store_settled(held->store);
    while (held->items.length > held->since && (first = g_queue_peek_head(&held->items))->ticket <= settled)
        say_first(held);
    if (held->items.length > held->since && !held->hold.is_waiting)
        hold_until(held->holds, &held->hold, ((struct held_item *)g_queue_peek_head(&held->items))->ticket, release,
                   held);
}

void held_begin(struct held *held)
{
    g_assert(!held->is_begun);
    held->is_begun = true;
    held->since = 0;
    held->begun_with = store_last_ticket(held->store);
}

void held_end(struct held *held)
{
    uint64_t last = store_last_ticket(held->store);
    GList *item = held->items.tail;
    // Without a write these wait for nothing but what was said before.
    for (unsigned i = 0; i < held->since; i++, item = item->prev)
        ((struct held_item *)item->data)->ticket = last > held->begun_with ? last : 0;
    held->since = 0;
    held->is_begun = false;
    release(held);
}

// Takes item. False: there is nothing to wait for, it is to be said.
static bool wait_with(struct held *held, const struct held_item *item)
{
    if (!held->is_begun && g_queue_is_empty(&held->items))
        return false;
    g_queue_push_tail(&held->items, g_memdup2(item, sizeof(*item)));
    held->since += held->is_begun;
    return true;
}

void held_send(struct held *held, char *text)
{
    size_t len = strlen(text);
    if (held->is_over) {
        free(text);
    } else if (held->bytes + len > HELD_BYTES_MAX) {
        free(text);
        drop_all(held);
        held->is_over = true;
        held->output->close(held->output_arg, CLOSE_TRY_AGAIN_LATER, "the database is too slow");
    } else if (wait_with(held, &(struct held_item){.text = text})) {
        held->bytes += len;
    } else {
        held->output->send(held->output_arg, text);
        free(text);
    }
}

void held_close(struct held *held, uint16_t code, const char *reason)
{
    struct held_item item = {.code = code, .reason = g_strdup(reason)};
    if (held->is_over || !wait_with(held, &item)) {
        if (!held->is_over)
            held->output->close(held->output_arg, code, item.reason);
        g_free(item.reason);
    }
}
