// Who waits until the store has something, and who may go on?
// SPDX-License-Identifier: MIT
#include "signaling/hold.h"

void hold_until(struct holds *holds, struct hold *hold, uint64_t ticket, void (*go)(void *arg), void *arg)
{
    g_assert(!hold->is_waiting);
    *hold = (struct hold){.ticket = ticket, .go = go, .arg = arg, .is_waiting = true, .link.data = hold};
    g_queue_push_tail_link(&holds->waiting, &hold->link);
}

void hold_cancel(struct holds *holds, struct hold *hold)
{
    if (hold->is_waiting)
        g_queue_unlink(&holds->waiting, &hold->link);
    hold->is_waiting = false;
}

void holds_clear(struct holds *holds)
{
    while (!g_queue_is_empty(&holds->waiting))
        hold_cancel(holds, holds->waiting.head->data);
}

static struct hold *find_settled(const struct holds *holds, uint64_t settled)
{
    for (GList *one = holds->waiting.head; one; one = one->next)
        if (((struct hold *)one->data)->ticket <= settled)
            return one->data;
    return NULL;
}

// Whoever goes may end others that wait, so the look begins anew each time. It is short: those that wait stand in the
// order of their tickets, but for a few.
void holds_open(struct holds *holds, struct store *store)
{
    if (g_queue_is_empty(&holds->waiting))
        return;
    uint64_t settled = store_settled(store);
    struct hold *hold;
    while ((hold = find_settled(holds, settled))) {
        hold_cancel(holds, hold);
        hold->go(hold->arg);
    }
}
