// How does one thread serve a thousand agents without asking each of them at every turn?
// SPDX-License-Identifier: MIT
#include "sfu/ice_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "sfu/now.h"

enum {
    EVENTS_PER_TURN = 64,
    ROUNDS_MAX = 8, // dispatches of one member in a turn; the others are waiting
};

struct ice_member {
    GMainContext *context;
    GArray *fds;    // GPollFD, as epoll knows them
    int64_t due_us; // of its next timer; INT64_MAX: none
};

struct ice_loop {
    int epoll_fd;
    GPtrArray *members;
    GPtrArray *idle; // contexts to use again
};

struct ice_loop *ice_loop_new(int mail_fd)
{
    struct ice_loop *loop = g_new0(struct ice_loop, 1);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    g_assert(loop->epoll_fd >= 0);
    loop->members = g_ptr_array_new();
    loop->idle = g_ptr_array_new_with_free_func((GDestroyNotify)g_main_context_unref);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, mail_fd, &event);
    g_assert(rc == 0);
    return loop;
}

void ice_loop_free(struct ice_loop *loop)
{
    g_assert(loop->members->len == 0);
    g_ptr_array_free(loop->members, TRUE);
    g_ptr_array_free(loop->idle, TRUE);
    close(loop->epoll_fd);
    g_free(loop);
}

GMainContext *ice_member_context(const struct ice_member *member)
{
    return member->context;
}

struct ice_member *ice_loop_add(struct ice_loop *loop)
{
    struct ice_member *member = g_new0(struct ice_member, 1);
    guint idle = loop->idle->len;
    member->context = idle ? g_ptr_array_steal_index_fast(loop->idle, idle - 1) : g_main_context_new();
    member->fds = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    member->due_us = INT64_MAX;
    g_ptr_array_add(loop->members, member);
    return member;
}

// ---- what epoll watches ------------------------------------------------------------------------------------

static bool has_fd(const GArray *fds, int fd)
{
    for (guint i = 0; i < fds->len; i++) {
        if (g_array_index(fds, GPollFD, i).fd == fd)
            return true;
    }
    return false;
}

static void watch(struct ice_loop *loop, struct ice_member *member, const GPollFD *fd)
{
    // The bits of GIOCondition are those of poll(), and so are epoll's. A number seen before may be a new socket.
    struct epoll_event event = {.events = fd->events, .data.ptr = member};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd->fd, &event) < 0)
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd->fd, &event);
}

static void take_fds(struct ice_loop *loop, struct ice_member *member, GArray *fds)
{
    for (guint i = 0; i < member->fds->len; i++) {
        int fd = g_array_index(member->fds, GPollFD, i).fd;
        if (!has_fd(fds, fd))
            (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL); // closed: epoll has forgotten it already
    }
    for (guint i = 0; i < fds->len; i++)
        watch(loop, member, &g_array_index(fds, GPollFD, i));
    g_array_unref(member->fds);
    member->fds = fds;
}

// Asks the context what it waits for.
static GArray *query(GMainContext *context, gint priority, gint *timeout_ms)
{
    GArray *fds = g_array_sized_new(FALSE, FALSE, sizeof(GPollFD), 8);
    gint needed = 8;
    do {
        g_array_set_size(fds, (guint)needed);
        needed = g_main_context_query(context, priority, timeout_ms, (GPollFD *)(void *)fds->data, (gint)fds->len);
    } while (needed > (gint)fds->len);
    g_array_set_size(fds, (guint)needed);
    return fds;
}

// ---- a member's turn -----------------------------------------------------------------------------------------

// One iteration of its context without waiting. True: something was done.
static bool iterate(GMainContext *context)
{
    gint priority, timeout_ms;
    g_main_context_prepare(context, &priority);
    GArray *fds = query(context, priority, &timeout_ms);
    g_poll((GPollFD *)(void *)fds->data, fds->len, 0);
    bool ready = g_main_context_check(context, priority, (GPollFD *)(void *)fds->data, (gint)fds->len);
    g_array_unref(fds);
    if (ready)
        g_main_context_dispatch(context);
    return ready;
}

void ice_loop_enter(struct ice_loop *loop, struct ice_member *member)
{
    (void)loop;
    g_main_context_push_thread_default(member->context);
}

void ice_loop_leave(struct ice_loop *loop, struct ice_member *member)
{
    gint priority, timeout_ms;
    bool ready = g_main_context_prepare(member->context, &priority);
    take_fds(loop, member, query(member->context, priority, &timeout_ms));
    if (ready)
        timeout_ms = 0;
    member->due_us = timeout_ms < 0 ? INT64_MAX : now_monotonic_us() + INT64_C(1000) * timeout_ms;
    g_main_context_pop_thread_default(member->context);
}

static void member_turn(struct ice_loop *loop, struct ice_member *member)
{
    ice_loop_enter(loop, member);
    for (unsigned rounds = 0; rounds < ROUNDS_MAX && iterate(member->context); rounds++) {
    }
    ice_loop_leave(loop, member);
}

void ice_loop_remove(struct ice_loop *loop, struct ice_member *member)
{
    g_main_context_push_thread_default(member->context);
    while (g_main_context_iteration(member->context, FALSE)) {
    }
    g_main_context_pop_thread_default(member->context);
    take_fds(loop, member, g_array_new(FALSE, FALSE, sizeof(GPollFD)));
    g_array_unref(member->fds);
    g_ptr_array_remove_fast(loop->members, member);
    g_ptr_array_add(loop->idle, member->context);
    g_free(member);
}

// ---- the loop's turn -----------------------------------------------------------------------------------------

static int timeout_ms(const struct ice_loop *loop)
{
    int64_t due_us = INT64_MAX;
    for (guint i = 0; i < loop->members->len; i++) {
        const struct ice_member *member = loop->members->pdata[i];
        due_us = MIN(due_us, member->due_us);
    }
    if (due_us == INT64_MAX)
        return -1;
    int64_t left_us = due_us - now_monotonic_us();
    return left_us <= 0 ? 0 : (int)MIN((left_us + 999) / 1000, G_MAXINT);
}

bool ice_loop_turn(struct ice_loop *loop)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms(loop));
    bool mail = false;
    for (int i = 0; i < count; i++) {
        struct ice_member *member = events[i].data.ptr;
        if (member)
            member->due_us = 0;
        else
            mail = true;
    }
    int64_t now_us = now_monotonic_us();
    for (guint i = 0; i < loop->members->len; i++) {
        struct ice_member *member = loop->members->pdata[i];
        if (member->due_us <= now_us)
            member_turn(loop, member);
    }
    return mail;
}
