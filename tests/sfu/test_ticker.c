// Does a tick come when somebody waits for it, and else seldom?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sfu/ticker.h"

enum { NOW = 5000000 };

static struct ticker ticker_at(int64_t now_us)
{
    struct ticker t = {0};
    ticker_start(&t, now_us);
    return t;
}

static void the_first_is_due_at_once_and_not_late(void **state)
{
    (void)state;
    struct ticker t = ticker_at(NOW);
    assert_int_equal(ticker_due(&t), NOW);
    ticker_tick(&t, NOW);
    assert_int_equal(t.late_us, 0);
}

static void nobody_waits_so_it_takes_its_time(void **state)
{
    (void)state;
    struct ticker t = ticker_at(NOW);
    ticker_tick(&t, NOW);
    assert_int_equal(ticker_due(&t), NOW + TICKER_QUIET_US);
    ticker_want(&t, NOW + TICKER_QUIET_US + 1);
    assert_int_equal(ticker_due(&t), NOW + TICKER_QUIET_US);
}

static void somebody_waits_but_not_more_often_than_haste(void **state)
{
    (void)state;
    struct ticker t = ticker_at(NOW);
    ticker_tick(&t, NOW);
    ticker_want(&t, NOW + 13000);
    assert_int_equal(ticker_due(&t), NOW + 13000);
    ticker_want(&t, NOW + 15000); // the earlier wish holds
    assert_int_equal(ticker_due(&t), NOW + 13000);
    ticker_want(&t, NOW); // at once
    assert_int_equal(ticker_due(&t), NOW + TICKER_HASTE_US);
}

static void a_wish_is_for_one_tick(void **state)
{
    (void)state;
    struct ticker t = ticker_at(NOW);
    ticker_tick(&t, NOW);
    ticker_want(&t, NOW);
    ticker_tick(&t, NOW + TICKER_HASTE_US);
    assert_int_equal(t.late_us, 0);
    assert_int_equal(ticker_due(&t), NOW + TICKER_HASTE_US + TICKER_QUIET_US);
}

static void the_latest_is_remembered(void **state)
{
    (void)state;
    struct ticker t = ticker_at(NOW);
    ticker_tick(&t, NOW + 700);
    ticker_tick(&t, NOW + 700 + TICKER_QUIET_US + 300);
    assert_int_equal(t.late_us, 700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_due_at_once_and_not_late),
        cmocka_unit_test(nobody_waits_so_it_takes_its_time),
        cmocka_unit_test(somebody_waits_but_not_more_often_than_haste),
        cmocka_unit_test(a_wish_is_for_one_tick),
        cmocka_unit_test(the_latest_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
