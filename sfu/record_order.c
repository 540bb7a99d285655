// Which packet of a recorded track comes next?
// SPDX-License-Identifier: MIT
#include "sfu/record_order.h"

#include <glib.h>

struct held {
    uint64_t seq; // 0: the place is free
    int64_t at_us;
    size_t len;
    uint8_t *data; // owned
};

struct record_order {
    record_order_h *handler;
    void *arg;
    struct seq_unwrap unwrap;
    uint64_t next; // 0: nothing has come yet
    uint64_t lost;
    bool gap; // what is handed over next comes after a loss
    unsigned held_count;
    struct held held[RECORD_ORDER_MAX];
};

_Static_assert((RECORD_ORDER_MAX & (RECORD_ORDER_MAX - 1)) == 0, "places are found by mask");

struct record_order *record_order_new(record_order_h *handler, void *arg)
{
    struct record_order *o = g_new0(struct record_order, 1);
    o->handler = handler;
    o->arg = arg;
    return o;
}

void record_order_free(struct record_order *o)
{
    for (unsigned i = 0; i < RECORD_ORDER_MAX; i++)
        g_free(o->held[i].data);
    g_free(o);
}

static struct held *place_of(struct record_order *o, uint64_t seq)
{
    return &o->held[seq & (RECORD_ORDER_MAX - 1)];
}

static void hand_over(struct record_order *o, const uint8_t *data, size_t len, int64_t at_us)
{
    bool lost = o->gap;
    o->gap = false;
    o->next++;
    o->handler(o->arg, data, len, at_us, lost);
}

static void hand_over_ready(struct record_order *o)
{
    for (struct held *h = place_of(o, o->next); h->seq == o->next; h = place_of(o, o->next)) {
        hand_over(o, h->data, h->len, h->at_us);
        g_free(h->data);
        *h = (struct held){0};
        o->held_count--;
    }
}

// Goes on with the oldest packet there is.
static void give_up(struct record_order *o)
{
    while (place_of(o, o->next)->seq != o->next) {
        o->next++;
        o->lost++;
    }
    o->gap = true;
    hand_over_ready(o);
}

// So far ahead that it has no place: what is held back can wait no longer, and what lies between is lost.
static void leap(struct record_order *o, uint64_t seq)
{
    record_order_flush(o);
    if (seq - o->next >= RECORD_ORDER_MAX) {
        o->lost += seq - o->next;
        o->next = seq;
        o->gap = true;
    }
}

void record_order_rx(struct record_order *o, uint16_t seq16, const uint8_t *data, size_t len, int64_t at_us)
{
    uint64_t seq = seq_unwrap_rx(&o->unwrap, seq16);
    if (!o->next)
        o->next = seq;
    if (seq < o->next)
        return;
    if (seq - o->next >= RECORD_ORDER_MAX)
        leap(o, seq);
    if (seq == o->next) {
        hand_over(o, data, len, at_us);
        hand_over_ready(o);
        return;
    }
    struct held *h = place_of(o, seq);
    if (h->seq == seq)
        return;
    *h = (struct held){.seq = seq, .at_us = at_us, .len = len, .data = g_memdup2(data, len)};
    o->held_count++;
}

// The oldest packet held back, which stands behind the gap.
static const struct held *oldest(struct record_order *o)
{
    uint64_t seq = o->next;
    while (place_of(o, seq)->seq != seq)
        seq++;
    return place_of(o, seq);
}

void record_order_tick(struct record_order *o, int64_t now_us)
{
    while (o->held_count && now_us - oldest(o)->at_us >= RECORD_ORDER_WAIT_US)
        give_up(o);
}

void record_order_flush(struct record_order *o)
{
    while (o->held_count)
        give_up(o);
}

uint64_t record_order_lost(const struct record_order *o)
{
    return o->lost;
}
