// What is due next?
// SPDX-License-Identifier: MIT
#include "bench/load/timers.h"

#include <glib.h>

struct timers {
    struct timer **heap; // [1..count], so that the children of n are 2n and 2n + 1
    unsigned count, room;
};

struct timers *timers_new(void)
{
    return g_new0(struct timers, 1);
}

void timers_free(struct timers *timers)
{
    g_free(timers->heap);
    g_free(timers);
}

static void put(struct timers *timers, unsigned at, struct timer *timer)
{
    timers->heap[at] = timer;
    timer->at = at;
}

static void rise(struct timers *timers, struct timer *timer)
{
    unsigned at = timer->at;
    for (; at > 1 && timers->heap[at / 2]->due_us > timer->due_us; at /= 2)
        put(timers, at, timers->heap[at / 2]);
    put(timers, at, timer);
}

static void sink(struct timers *timers, struct timer *timer)
{
    unsigned at = timer->at, child;
    while ((child = 2 * at) <= timers->count) {
        if (child < timers->count && timers->heap[child + 1]->due_us < timers->heap[child]->due_us)
            child++;
        if (timers->heap[child]->due_us >= timer->due_us)
            break;
        put(timers, at, timers->heap[child]);
        at = child;
    }
    put(timers, at, timer);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t due_us)
{
    timer->due_us = due_us;
    if (!timer->at) {
        timer->at = ++timers->count;
        if (timers->count >= timers->room) {
            timers->room = 2 * timers->count;
            timers->heap = g_renew(struct timer *, timers->heap, timers->room);
        }
        timers->heap[timer->at] = timer;
    }
    rise(timers, timer);
    sink(timers, timer);
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
    if (!timer->at)
        return;
    struct timer *last = timers->heap[timers->count--];
    if (last != timer) {
        put(timers, timer->at, last);
        rise(timers, last);
        sink(timers, last);
    }
    timer->at = 0;
}

int64_t timers_due(const struct timers *timers)
{
    return timers->count ? timers->heap[1]->due_us : INT64_MAX;
}

void timers_run(struct timers *timers, int64_t now_us)
{
    while (timers_due(timers) <= now_us) {
        struct timer *first = timers->heap[1];
        timers_cancel(timers, first);
        first->run(first->arg, now_us);
    }
}
