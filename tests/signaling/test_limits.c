// Does a token bucket let through what it should, and no more?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/limits.h"

static void test_burst_then_rate(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 10, 5, 0);
    for (int i = 0; i < 5; i++)
        assert_true(bucket_take(&bucket, 1, 0));
    assert_false(bucket_take(&bucket, 1, 0));
    assert_false(bucket_take(&bucket, 1, 99000));
    assert_true(bucket_take(&bucket, 1, 100000));
    assert_false(bucket_take(&bucket, 1, 100000));
}

static void test_never_more_than_burst(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 10, 5, 0);
    assert_true(bucket_take(&bucket, 5, INT64_C(3600000000)));
    assert_false(bucket_take(&bucket, 0.25, INT64_C(3600000000)));
    assert_true(bucket_take(&bucket, 0.25, INT64_C(3600025000)));
}

static void test_clock_steps_back(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 10, 1, 1000000);
    assert_true(bucket_take(&bucket, 1, 500000));
    assert_false(bucket_take(&bucket, 1, 1000000));
    assert_true(bucket_take(&bucket, 1, 1100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_then_rate),
        cmocka_unit_test(test_never_more_than_burst),
        cmocka_unit_test(test_clock_steps_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
