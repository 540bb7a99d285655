// Is memory given back after people have come and gone, and only then? (signaling/slack.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signaling/slack.h"

static void nothing_to_give_back(void **state)
{
    (void)state;
    struct slack slack = {0};
    for (int64_t now_us = 1; now_us < 2 * SLACK_LATE_US; now_us += SLACK_QUIET_US / 4)
        assert_false(slack_is_due(&slack, 0, now_us));
}

static void once_after_a_crowd(void **state)
{
    (void)state;
    struct slack slack = {0};
    int64_t now_us = 1;
    for (uint64_t changes = 1; changes <= 10; changes++, now_us += SLACK_QUIET_US / 2)
        assert_false(slack_is_due(&slack, changes, now_us));
    now_us -= SLACK_QUIET_US / 2; // when the last one came
    assert_false(slack_is_due(&slack, 10, now_us + SLACK_QUIET_US - 1));
    assert_true(slack_is_due(&slack, 10, now_us + SLACK_QUIET_US));
    for (; now_us < 180 * INT64_C(1000000); now_us += SLACK_QUIET_US)
        assert_false(slack_is_due(&slack, 10, now_us + SLACK_QUIET_US + 1));
    assert_false(slack_is_due(&slack, 11, now_us));
    assert_true(slack_is_due(&slack, 11, now_us + SLACK_QUIET_US));
}

static void now_and_then_where_it_is_never_quiet(void **state)
{
    (void)state;
    struct slack slack = {0};
    unsigned times = 0;
    uint64_t changes = 0;
    for (int64_t now_us = 1; now_us <= INT64_C(10) * SLACK_LATE_US; now_us += SLACK_QUIET_US / 2)
        times += slack_is_due(&slack, ++changes, now_us);
    assert_in_range(times, 9, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_give_back),
        cmocka_unit_test(once_after_a_crowd),
        cmocka_unit_test(now_and_then_where_it_is_never_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
