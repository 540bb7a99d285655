// Is the rate right at the start, in the middle and after a pause? (rtp/rate.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/rate.h"

enum { MS = 1000 };

static const int64_t start_us = 7777777;

// 125 bytes each millisecond: 1 Mbit/s.
static void fill(struct rate *r, int64_t from_us, int64_t duration_us)
{
    for (int64_t us = 0; us < duration_us; us += MS)
        rate_add(r, from_us + us, 125);
}

static void assert_about(uint64_t bps, uint64_t expected, uint64_t tolerance)
{
    assert_in_range(bps, expected - tolerance, expected + tolerance);
}

static void nothing_is_zero(void **state)
{
    (void)state;
    struct rate r = {0};
    assert_int_equal(rate_bps(&r, start_us), 0);
}

static void steady(void **state)
{
    (void)state;
    for (int64_t duration_us = 1500 * MS; duration_us < 1700 * MS; duration_us += 7 * MS) {
        struct rate r = {0};
        fill(&r, start_us, duration_us);
        assert_about(rate_bps(&r, start_us + duration_us), 1000000, 3000);
    }
}

static void young(void **state)
{
    (void)state;
    struct rate r = {0};
    fill(&r, start_us, 300 * MS);
    assert_about(rate_bps(&r, start_us + 300 * MS), 1000000, 230000);
    struct rate one = {0};
    rate_add(&one, start_us, 1000);
    assert_true(rate_bps(&one, start_us) <= UINT64_C(8000) * 1000000 / RATE_SLICE_US);
}

static void falls_to_zero_within_the_window(void **state)
{
    (void)state;
    struct rate r = {0};
    fill(&r, start_us, 2000 * MS);
    assert_about(rate_bps(&r, start_us + 2500 * MS), 500000, 40000);
    assert_int_equal(rate_bps(&r, start_us + 2000 * MS + RATE_SLICES * RATE_SLICE_US), 0);
    assert_int_equal(r.total, 0);
}

static void resumes_after_hours(void **state)
{
    (void)state;
    struct rate r = {0};
    fill(&r, start_us, 2000 * MS);
    int64_t later_us = start_us + INT64_C(10000000000);
    fill(&r, later_us, 2000 * MS);
    assert_about(rate_bps(&r, later_us + 2000 * MS), 1000000, 3000);
}

static void follows_a_change(void **state)
{
    (void)state;
    struct rate r = {0};
    fill(&r, start_us, 2000 * MS);
    for (int64_t us = 0; us < 1100 * MS; us += MS)
        rate_add(&r, start_us + 2000 * MS + us, 1250);
    assert_about(rate_bps(&r, start_us + 3100 * MS), 10000000, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_zero),
        cmocka_unit_test(steady),
        cmocka_unit_test(young),
        cmocka_unit_test(falls_to_zero_within_the_window),
        cmocka_unit_test(resumes_after_hours),
        cmocka_unit_test(follows_a_change),
    };
    return cmocka_run_group_tests_name("rtp/rate", tests, NULL, NULL);
}
