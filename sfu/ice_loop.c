// How does one thread serve a thousand agents without asking each of them at every turn?
// SPDX-License-Identifier: MIT
#include "sfu/ice_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "sfu/now.h"

enum {
    EVENTS_PER_TURN = 64,
    ROUNDS_MAX = 4, // dispatches of one member in a turn; the others are waiting
    FDS_USUAL = 8,  // of one context
    LONG_MS = 400,  // timers from here on (asking for consent, asking again) keep to the coarse grid
    GRID_US = 5000,
    COARSE_GRID_US = 100000,
};

struct ice_member {
    GMainContext *context;
    GArray *fds;    // GPollFD, as epoll knows them
    int wakeup_fd;  // through which GLib wakes the context
    int64_t due_us; // of its next timer; INT64_MAX: none
    bool is_awake;  // epoll has seen one of its fds
};

struct ice_loop {
    int epoll_fd;
    GPtrArray *members;
    int64_t due_us;  // no member is due before
    GPtrArray *idle; // members to use again
    GArray *asked;   // GPollFD, what query() found
};

static void member_free(gpointer arg)
{
    struct ice_member *member = arg;
    g_main_context_unref(member->context);
    g_array_unref(member->fds);
    g_free(member);
}

struct ice_loop *ice_loop_new(int mail_fd)
{
    struct ice_loop *loop = g_new0(struct ice_loop, 1);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    g_assert(loop->epoll_fd >= 0);
    loop->members = g_ptr_array_new();
    loop->due_us = INT64_MAX;
    loop->asked = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    loop->idle = g_ptr_array_new_with_free_func(member_free);
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
    g_array_unref(loop->asked);
    close(loop->epoll_fd);
    g_free(loop);
}

GMainContext *ice_member_context(const struct ice_member *member)
{
    return member->context;
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

// Makes epoll watch these instead of member->fds.
static void watch_all(struct ice_loop *loop, struct ice_member *member, const GArray *fds)
{
    for (guint i = 0; i < member->fds->len; i++) {
        int fd = g_array_index(member->fds, GPollFD, i).fd;
        if (!has_fd(fds, fd))
            (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL); // closed: epoll has forgotten it already
    }
    for (guint i = 0; i < fds->len; i++)
        watch(loop, member, &g_array_index(fds, GPollFD, i));
    g_array_set_size(member->fds, 0);
    g_array_append_vals(member->fds, fds->data, fds->len);
}

static bool same_fds(const GArray *a, const GArray *b)
{
    if (a->len != b->len)
        return false;
    for (guint i = 0; i < a->len; i++) {
        const GPollFD *one = &g_array_index(a, GPollFD, i), *other = &g_array_index(b, GPollFD, i);
        if (one->fd != other->fd || one->events != other->events)
            return false;
    }
    return true;
}

// Asks the context what it waits for; the answer is good until the next question.
static GArray *query(struct ice_loop *loop, GMainContext *context, gint priority, gint *timeout_ms)
{
    GArray *fds = loop->asked;
    gint needed = FDS_USUAL;
    do {
        g_array_set_size(fds, (guint)needed);
        needed = g_main_context_query(context, priority, timeout_ms, (GPollFD *)(void *)fds->data, (gint)fds->len);
    } while (needed > (gint)fds->len);
    g_array_set_size(fds, (guint)needed);
    return fds;
}

// ---- a member's turn -----------------------------------------------------------------------------------------

static struct ice_member *member_new(struct ice_loop *loop)
{
    struct ice_member *member = g_new0(struct ice_member, 1);
    gint timeout_ms;
    member->context = g_main_context_new();
    member->fds = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    // A context without sources waits for nothing but to be woken.
    member->wakeup_fd = g_array_index(query(loop, member->context, G_MAXINT, &timeout_ms), GPollFD, 0).fd;
    return member;
}

// Its context stays ours until it is removed: what another thread puts into a context that is nobody's (the resolver
// does so) wakes nobody.
struct ice_member *ice_loop_add(struct ice_loop *loop)
{
    guint idle = loop->idle->len;
    struct ice_member *member = idle ? g_ptr_array_steal_index_fast(loop->idle, idle - 1) : member_new(loop);
    gboolean acquired = g_main_context_acquire(member->context);
    g_assert(acquired);
    member->due_us = INT64_MAX;
    g_ptr_array_add(loop->members, member);
    return member;
}

// Timers come due on a grid. libnice cuts what is left of them down to whole milliseconds and, woken too early, sets
// one of 0 ms again and again until the millisecond is over; and what many agents want within the same tenth of a
// second costs one wake-up.
static void sleep_until(struct ice_loop *loop, struct ice_member *member, gint timeout_ms)
{
    int64_t grid_us = timeout_ms < LONG_MS ? GRID_US : COARSE_GRID_US;
    int64_t due_us = now_monotonic_us() + INT64_C(1000) * timeout_ms;
    member->due_us = timeout_ms < 0 ? INT64_MAX : (due_us / grid_us + 1) * grid_us;
    loop->due_us = MIN(loop->due_us, member->due_us);
}

void ice_loop_enter(struct ice_loop *loop, struct ice_member *member)
{
    (void)loop;
    g_main_context_push_thread_default(member->context);
}

static void leave(struct ice_member *member)
{
    g_main_context_pop_thread_default(member->context);
}

void ice_loop_leave(struct ice_loop *loop, struct ice_member *member)
{
    gint priority, timeout_ms;
    bool ready = g_main_context_prepare(member->context, &priority);
    watch_all(loop, member, query(loop, member->context, priority, &timeout_ms));
    sleep_until(loop, member, ready ? 0 : timeout_ms);
    leave(member);
}

// What happened to the descriptors. Dispatching signals the context's own wake-up; that is taken note of here, or
// epoll would wake us for it.
static void ask(struct ice_member *member, GPollFD *fds, guint count, bool dispatched)
{
    for (guint i = 0; i < count; i++)
        fds[i].revents = 0;
    if (member->is_awake)
        g_poll(fds, count, 0);
    for (guint i = 0; dispatched && i < count; i++) {
        if (fds[i].fd == member->wakeup_fd)
            fds[i].revents = G_IO_IN;
    }
    member->is_awake = false;
}

// Does what is due. A socket is asked only after epoll has spoken of it, and once: what is left it will speak of
// again. A socket that is closed while its number is given to a new one only ever happens under a command.
static void member_turn(struct ice_loop *loop, struct ice_member *member)
{
    gint priority, timeout_ms;
    bool dispatched = false;
    unsigned rounds;
    ice_loop_enter(loop, member);
    for (rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        bool ready = g_main_context_prepare(member->context, &priority);
        GArray *fds = query(loop, member->context, priority, &timeout_ms);
        GPollFD *polled = (GPollFD *)(void *)fds->data;
        if (!same_fds(member->fds, fds))
            watch_all(loop, member, fds);
        if (!ready && !member->is_awake && !dispatched)
            break;
        ask(member, polled, fds->len, dispatched);
        dispatched = g_main_context_check(member->context, priority, polled, (gint)fds->len);
        if (dispatched)
            g_main_context_dispatch(member->context);
    }
    sleep_until(loop, member, rounds == ROUNDS_MAX ? 0 : timeout_ms);
    leave(member);
}

void ice_loop_remove(struct ice_loop *loop, struct ice_member *member)
{
    g_main_context_push_thread_default(member->context);
    while (g_main_context_iteration(member->context, FALSE)) {
    }
    g_main_context_pop_thread_default(member->context);
    g_array_set_size(loop->asked, 0);
    watch_all(loop, member, loop->asked);
    member->is_awake = false;
    g_main_context_release(member->context);
    g_ptr_array_remove_fast(loop->members, member);
    g_ptr_array_add(loop->idle, member);
}

// ---- the loop's turn -----------------------------------------------------------------------------------------

static int timeout_ms(const struct ice_loop *loop)
{
    if (loop->due_us == INT64_MAX)
        return -1;
    int64_t left_us = loop->due_us - now_monotonic_us();
    return left_us <= 0 ? 0 : (int)MIN((left_us + 999) / 1000, G_MAXINT);
}

static void run_timers(struct ice_loop *loop)
{
    int64_t now_us = now_monotonic_us(), due_us = INT64_MAX;
    if (loop->due_us > now_us)
        return;
    for (guint i = 0; i < loop->members->len; i++) {
        struct ice_member *member = loop->members->pdata[i];
        if (member->due_us <= now_us)
            member_turn(loop, member);
        due_us = MIN(due_us, member->due_us);
    }
    loop->due_us = due_us;
}

bool ice_loop_turn(struct ice_loop *loop)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms(loop));
    bool mail = false;
    for (int i = 0; i < count; i++) {
        struct ice_member *member = events[i].data.ptr;
        if (member)
            member->is_awake = true;
        else
            mail = true;
    }
    for (int i = 0; i < count; i++) {
        struct ice_member *member = events[i].data.ptr;
        if (member && member->is_awake)
            member_turn(loop, member);
    }
    run_timers(loop);
    return mail;
}
