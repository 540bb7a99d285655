// What does the signaling thread wait with, and what wakes it in time? (the only file that knows libev)
// SPDX-License-Identifier: MIT
//
// One thread: the one that calls server_run(). The loop waits with epoll, so a turn costs the same however many
// sockets there are. libwebsockets puts its own sockets and timers into it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *loop); // NULL: nothing

// The struct ev_loop *.
void *loop_native(struct loop *loop);

// Waits until there is something to do, and does it.
void loop_turn(struct loop *loop);

// A descriptor of the caller, -errno: readable every so often, or (0) when loop_timer_set() says.
int loop_timer_new(unsigned every_ms);
void loop_timer_set(int fd, int64_t after_us); // once
bool loop_timer_take(int fd);                  // it was due; the next time may come
