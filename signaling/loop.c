// What does the signaling thread wait with, and what wakes it in time? (the only file that knows libev)
// SPDX-License-Identifier: MIT
#include "signaling/loop.h"

#include <errno.h>
#include <ev.h>
#include <glib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop {
    struct ev_loop *ev;
};

struct loop *loop_new(void)
{
    struct loop *loop = g_new0(struct loop, 1);
    loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    g_assert(loop->ev);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    ev_loop_destroy(loop->ev);
    g_free(loop);
}

void *loop_native(struct loop *loop)
{
    return loop->ev;
}

void loop_turn(struct loop *loop)
{
    ev_run(loop->ev, EVRUN_ONCE);
}

int loop_timer_new(unsigned every_ms)
{
    const struct timespec every = {every_ms / 1000, every_ms % 1000 * 1000000L};
    const struct itimerspec times = {every, every};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    timerfd_settime(fd, 0, &times, NULL);
    return fd;
}

void loop_timer_set(int fd, int64_t after_us)
{
    const struct itimerspec times = {.it_value = {after_us / 1000000, after_us % 1000000 * 1000}};
    timerfd_settime(fd, 0, &times, NULL);
}

bool loop_timer_take(int fd)
{
    uint64_t times;
    return read(fd, &times, sizeof(times)) == sizeof(times);
}
