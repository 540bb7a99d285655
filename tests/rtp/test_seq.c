// Is the order of wrapping numbers right at every place of the circle? (rtp/seq.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/seq.h"

static void sixteen_bits(void **state)
{
    (void)state;
    static const struct {
        uint16_t a, b;
        int diff;
    } cases[] = {
        {0, 0, 0},          {1, 0, 1},          {0, 1, -1},         {0, 65535, 1},
        {65535, 0, -1},     {10, 65530, 16},    {65530, 10, -16},   {32767, 0, 32767},
        {0, 32767, -32767}, {32768, 0, -32768}, {0, 32768, -32768},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(seq_diff(cases[i].a, cases[i].b), cases[i].diff);
    }
}

static void thirty_two_bits(void **state)
{
    (void)state;
    assert_int_equal(ts_diff(5, 0xfffffffb), 10);
    assert_int_equal(ts_diff(0xfffffffb, 5), -10);
    assert_true(ts_newer(0, UINT32_MAX));
    assert_false(ts_newer(UINT32_MAX, 0));
    assert_false(ts_newer(7, 7));
    assert_false(ts_newer(0x80000000, 0));
    assert_false(ts_newer(0, 0x80000000));
}

static void newer_is_one_way(void **state)
{
    (void)state;
    for (uint32_t start = 0; start < 65536; start += 257)
        for (uint32_t ahead = 1; ahead < 32768; ahead += 31) {
            assert_true(seq_diff((uint16_t)(start + ahead), (uint16_t)start) > 0);
            assert_true(seq_diff((uint16_t)start, (uint16_t)(start + ahead)) < 0);
        }
}

static void unwraps_many_cycles(void **state)
{
    (void)state;
    struct seq_unwrap u = {0};
    uint64_t first = seq_unwrap_rx(&u, 65000);
    assert_int_equal(first, 65536 + 65000);
    for (uint64_t n = 1; n < 400000; n += 7)
        assert_int_equal(seq_unwrap_rx(&u, (uint16_t)(65000 + n)), first + n);
}

static void late_numbers_go_back(void **state)
{
    (void)state;
    struct seq_unwrap u = {0};
    assert_int_equal(seq_unwrap_rx(&u, 2), 65538);
    assert_int_equal(seq_unwrap_rx(&u, 65535), 65535);
    assert_int_equal(u.newest, 65538);
    assert_int_equal(seq_unwrap_rx(&u, 3), 65539);
    assert_int_equal(seq_unwrap_peek(&u, 10), 65546);
    assert_int_equal(u.newest, 65539);
    assert_int_equal(seq_unwrap_rx(&u, (uint16_t)(3 + 32768)), 65539 - 32768);
}

static void the_first_number_may_be_zero(void **state)
{
    (void)state;
    struct seq_unwrap u = {0};
    assert_int_equal(seq_unwrap_peek(&u, 0), 65536);
    assert_int_equal(seq_unwrap_rx(&u, 0), 65536);
    assert_int_equal(seq_unwrap_rx(&u, 32768), 65536 - 32768);
    assert_int_equal(seq_unwrap_rx(&u, 1), 65537);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_bits),         cmocka_unit_test(thirty_two_bits),
        cmocka_unit_test(newer_is_one_way),     cmocka_unit_test(unwraps_many_cycles),
        cmocka_unit_test(late_numbers_go_back), cmocka_unit_test(the_first_number_may_be_zero),
    };
    return cmocka_run_group_tests_name("rtp/seq", tests, NULL, NULL);
}
