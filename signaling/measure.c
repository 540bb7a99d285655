// When is a room's media measured, and who waits for it?
// SPDX-License-Identifier: MIT
#include "signaling/measure.h"

// One room, by its number in the media server.
struct entry {
    uint64_t number;
    int64_t asked_us;
    uint64_t tag; // of the question under way; 0: none
    struct stats_room *snapshot;
};

struct waiter {
    uint64_t ticket;
    int64_t deadline_us;
    measure_answer_h *answer;
};

struct measure {
    GHashTable *rooms; // number -> struct entry, owned
    unsigned under_way;
    GArray *waiters; // of struct waiter
};

static void entry_free(struct entry *entry)
{
    stats_room_free(entry->snapshot);
    g_free(entry);
}

struct measure *measure_new(void)
{
    struct measure *measure = g_new0(struct measure, 1);
    measure->rooms = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)entry_free);
    measure->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    return measure;
}

void measure_free(struct measure *measure)
{
    if (!measure)
        return;
    g_hash_table_destroy(measure->rooms);
    g_array_free(measure->waiters, TRUE);
    g_free(measure);
}

// ---- asking -------------------------------------------------------------------------------------------------

void measure_ask(struct hub *hub, const struct room *room)
{
    struct measure *m = hub->measure;
    if (room->number == 0)
        return;
    struct entry *entry = g_hash_table_lookup(m->rooms, &room->number);
    if (entry && hub->now_us - entry->asked_us < STATS_EVERY_US)
        return;
    if (!entry) {
        entry = g_new0(struct entry, 1);
        entry->number = room->number;
        g_hash_table_insert(m->rooms, &entry->number, entry);
    }
    m->under_way += entry->tag == 0;
    entry->asked_us = hub->now_us;
    entry->tag = ++hub->last_tag;
    sfu_ask_stats(hub->sfu, room->number, entry->tag);
}

bool measure_is_waiting(const struct hub *hub)
{
    return hub->measure->under_way > 0;
}

const struct stats_room *measure_find(const struct hub *hub, const struct room *room)
{
    const struct entry *entry = g_hash_table_lookup(hub->measure->rooms, &room->number);
    return entry ? entry->snapshot : NULL;
}

bool measure_defer(struct exchange *x, measure_answer_h *answer)
{
    GArray *waiters = x->hub->measure->waiters;
    if (waiters->len >= MEASURE_WAITERS_MAX)
        return false;
    struct waiter waiter = {exchange_defer(x), x->hub->now_us + MEASURE_WAIT_US, answer};
    g_array_append_val(waiters, waiter);
    return true;
}

// ---- answers ------------------------------------------------------------------------------------------------

// Nobody answers what is taken out here twice: an answer may lead to another question.
static void settle(struct hub *hub, bool is_everybody)
{
    GArray *waiters = hub->measure->waiters;
    for (guint i = 0; i < waiters->len;) {
        struct waiter waiter = g_array_index(waiters, struct waiter, i);
        if (!is_everybody && hub->now_us < waiter.deadline_us) {
            i++;
            continue;
        }
        g_array_remove_index(waiters, i);
        struct exchange *x = exchange_find(hub, waiter.ticket);
        if (x)
            waiter.answer(x);
    }
}

void measure_rx(struct hub *hub, const struct sfu_event *event)
{
    struct measure *m = hub->measure;
    struct entry *entry = g_hash_table_lookup(m->rooms, &event->room);
    if (!entry || entry->tag != event->tag || event->tag == 0)
        return;
    struct stats_room *before = entry->snapshot;
    entry->snapshot = stats_read(event->text ? event->text : "", before, hub->now_us);
    stats_room_free(before);
    entry->tag = 0;
    if (--m->under_way == 0)
        settle(hub, true);
}

// A room that went with its question never answers.
void measure_tick(struct hub *hub)
{
    struct measure *m = hub->measure;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, m->rooms);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct entry *entry = value;
        bool is_old = hub->now_us - entry->asked_us >= MEASURE_KEPT_S * INT64_C(1000000);
        if (!is_old && g_hash_table_contains(hub->roster.numbers, &entry->number))
            continue;
        m->under_way -= entry->tag != 0;
        g_hash_table_iter_remove(&iter);
    }
    settle(hub, m->under_way == 0);
}
