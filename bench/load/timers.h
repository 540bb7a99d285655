// What is due next?
// SPDX-License-Identifier: MIT
//
// A heap of moments. A timer is embedded in its owner and is in at most one heap.
#pragma once

#include <stdint.h>

struct timers;

struct timer {
    int64_t due_us;
    void (*run)(void *arg, int64_t now_us);
    void *arg;
    unsigned at; // place in the heap, 1..; 0: not waiting
};

struct timers *timers_new(void);
void timers_free(struct timers *timers);

void timers_set(struct timers *timers, struct timer *timer, int64_t due_us); // also moves a waiting one
void timers_cancel(struct timers *timers, struct timer *timer);

int64_t timers_due(const struct timers *timers);        // INT64_MAX: never
void timers_run(struct timers *timers, int64_t now_us); // runs what is due; a timer that goes on sets itself again
