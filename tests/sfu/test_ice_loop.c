// Does a member of the loop hear what concerns it, whoever says so?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sfu/ice_loop.h"

enum { GIVE_UP_S = 60 }; // a loop that sleeps too long is ended by SIGALRM

static int begin(void **state)
{
    (void)state;
    alarm(GIVE_UP_S);
    return 0;
}

static gboolean count(gpointer arg)
{
    (*(unsigned *)arg)++;
    return G_SOURCE_REMOVE;
}

static struct ice_member *add(struct ice_loop *loop)
{
    struct ice_member *member = ice_loop_add(loop);
    ice_loop_enter(loop, member);
    ice_loop_leave(loop, member);
    return member;
}

struct stranger {
    GMainContext *context;
    unsigned heard;
};

static gpointer speak(gpointer arg)
{
    struct stranger *stranger = arg;
    GSource *source = g_idle_source_new();
    g_source_set_callback(source, count, &stranger->heard, NULL);
    g_source_attach(source, stranger->context);
    g_source_unref(source);
    return NULL;
}

static void hears_other_threads(struct ice_loop *loop, struct ice_member *member)
{
    struct stranger stranger = {.context = ice_member_context(member)};
    g_thread_join(g_thread_new("stranger", speak, &stranger));
    while (stranger.heard == 0)
        ice_loop_turn(loop);
    assert_int_equal(stranger.heard, 1);
}

static void a_source_of_another_thread_wakes_it(void **state)
{
    (void)state;
    int mail = eventfd(0, EFD_CLOEXEC);
    struct ice_loop *loop = ice_loop_new(mail);
    struct ice_member *member = add(loop);
    hears_other_threads(loop, member);
    hears_other_threads(loop, member); // it may be woken again
    ice_loop_remove(loop, member);
    ice_loop_free(loop);
    close(mail);
}

static gboolean take(gint fd, GIOCondition condition, gpointer arg)
{
    uint64_t times;
    (void)condition;
    assert_int_equal(read(fd, &times, sizeof(times)), sizeof(times)); // it is readable: nobody made that up
    (*(unsigned *)arg)++;
    return G_SOURCE_CONTINUE;
}

static void watch(GMainContext *context, int fd, unsigned *taken)
{
    GSource *source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(source, G_SOURCE_FUNC(take), taken, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
}

// A context is used again with what was left behind in it, of which no descriptor may be taken for its wake-up.
static void what_was_left_behind_is_no_wake_up(void **state)
{
    (void)state;
    int mail = eventfd(0, EFD_CLOEXEC), low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    unsigned taken = 0, timed = 0;
    struct ice_loop *loop = ice_loop_new(mail);
    struct ice_member *member = add(loop);
    GMainContext *context = ice_member_context(member);
    watch(context, low, &taken); // opened before the context's own, so the first it tells of
    ice_loop_remove(loop, member);
    member = add(loop);
    assert_ptr_equal(ice_member_context(member), context);
    GSource *timer = g_timeout_source_new(1);
    g_source_set_callback(timer, count, &timed, NULL);
    ice_loop_enter(loop, member);
    g_source_attach(timer, context);
    ice_loop_leave(loop, member);
    g_source_unref(timer);
    while (timed == 0)
        ice_loop_turn(loop);
    assert_int_equal(taken, 0);
    assert_int_equal(write(low, &(uint64_t){1}, sizeof(uint64_t)), sizeof(uint64_t));
    while (taken == 0)
        ice_loop_turn(loop);
    hears_other_threads(loop, member);
    ice_loop_remove(loop, member);
    ice_loop_free(loop);
    close(low);
    close(mail);
}

static void mail_is_told(void **state)
{
    (void)state;
    int mail = eventfd(1, EFD_CLOEXEC);
    struct ice_loop *loop = ice_loop_new(mail);
    assert_true(ice_loop_turn(loop));
    ice_loop_free(loop);
    close(mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_source_of_another_thread_wakes_it, begin),
        cmocka_unit_test_setup(what_was_left_behind_is_no_wake_up, begin),
        cmocka_unit_test_setup(mail_is_told, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
