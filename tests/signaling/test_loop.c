// Is a timer of the signaling thread readable when it is due, and only then?
// SPDX-License-Identifier: MIT
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "signaling/loop.h"

enum { PATIENCE_MS = 10000, AN_HOUR_MS = 3600000, A_MOMENT_US = 1000 };

static bool becomes_readable(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, PATIENCE_MS) == 1 && wait.revents == POLLIN;
}

static void test_every_so_often(void **state)
{
    (void)state;
    int fd = loop_timer_new(1);
    assert_true(fd >= 0);
    for (int i = 0; i < 3; i++) {
        assert_true(becomes_readable(fd));
        assert_true(loop_timer_take(fd));
    }
    close(fd);
}

static void test_not_before(void **state)
{
    (void)state;
    int fd = loop_timer_new(AN_HOUR_MS);
    assert_true(fd >= 0);
    assert_false(loop_timer_take(fd));
    close(fd);
}

static void test_once_when_set(void **state)
{
    (void)state;
    int fd = loop_timer_new(0);
    assert_true(fd >= 0);
    assert_false(loop_timer_take(fd));
    for (int i = 0; i < 2; i++) {
        loop_timer_set(fd, A_MOMENT_US);
        assert_true(becomes_readable(fd));
        assert_true(loop_timer_take(fd));
        assert_false(loop_timer_take(fd));
    }
    close(fd);
}

static void test_set_again(void **state)
{
    (void)state;
    int fd = loop_timer_new(0);
    loop_timer_set(fd, INT64_C(3600000000));
    loop_timer_set(fd, A_MOMENT_US);
    assert_true(becomes_readable(fd));
    close(fd);
}

// Nobody has put anything in, so there is nothing to wait for.
static void test_empty_loop(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    assert_non_null(loop_native(loop));
    loop_turn(loop);
    loop_free(loop);
    loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_so_often), cmocka_unit_test(test_not_before),
        cmocka_unit_test(test_once_when_set),  cmocka_unit_test(test_set_again),
        cmocka_unit_test(test_empty_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
