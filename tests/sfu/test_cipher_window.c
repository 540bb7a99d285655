// Are packet indices estimated and remembered as RFC 3711 wants?
// SPDX-License-Identifier: MIT
#include "sfu/cipher_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/rtp/dice.h"

static void begins_in_rollover_zero(void **state)
{
    (void)state;
    struct cipher_window w = {.any = false};
    assert_int_equal(cipher_window_estimate(&w, 65535), 65535);
    assert_int_equal(cipher_window_estimate(&w, 0), 0);
    cipher_window_add(&w, 3);
    assert_int_equal(cipher_window_estimate(&w, 65535), 65535); // there is nothing below 0
}

static void rolls_over_and_back(void **state)
{
    (void)state;
    struct cipher_window w = {.any = false};
    cipher_window_add(&w, 65530);
    assert_int_equal(cipher_window_estimate(&w, 5), 65536 + 5);
    assert_int_equal(cipher_window_estimate(&w, 65529), 65529);
    cipher_window_add(&w, 65536 + 5);
    assert_int_equal(cipher_window_estimate(&w, 65531), 65531);
    assert_int_equal(cipher_window_estimate(&w, 6), 65536 + 6);
    cipher_window_add(&w, UINT64_C(0x7ffffff0));
    assert_int_equal(cipher_window_estimate(&w, 0x10), UINT64_C(0x80000010));
}

static void takes_each_index_once(void **state)
{
    (void)state;
    struct cipher_window w = {.any = false};
    assert_true(cipher_window_is_fresh(&w, 100));
    cipher_window_add(&w, 100);
    assert_false(cipher_window_is_fresh(&w, 100));
    assert_true(cipher_window_is_fresh(&w, 99));
    cipher_window_add(&w, 99);
    assert_false(cipher_window_is_fresh(&w, 99));
    assert_true(cipher_window_is_fresh(&w, 101));
}

static void forgets_nothing_inside_and_takes_nothing_behind(void **state)
{
    (void)state;
    struct cipher_window w = {.any = false};
    cipher_window_add(&w, 5000);
    assert_true(cipher_window_is_fresh(&w, 5001 - CIPHER_WINDOW));
    assert_false(cipher_window_is_old(&w, 5001 - CIPHER_WINDOW));
    assert_false(cipher_window_is_fresh(&w, 5000 - CIPHER_WINDOW));
    assert_true(cipher_window_is_old(&w, 5000 - CIPHER_WINDOW));
    cipher_window_add(&w, 5000 + CIPHER_WINDOW - 1);
    assert_false(cipher_window_is_fresh(&w, 5000));
    assert_true(cipher_window_is_fresh(&w, 5001));
    cipher_window_add(&w, 100000); // a jump past the window
    for (uint64_t i = 100000 - CIPHER_WINDOW + 1; i < 100000; i++)
        assert_true(cipher_window_is_fresh(&w, i));
}

// The same as a table of everything ever used.
static void agrees_with_a_table(void **state)
{
    (void)state;
    enum { INDICES = 20000 };
    struct dice dice = {7};
    for (unsigned round = 0; round < 20; round++) {
        struct cipher_window w = {.any = false};
        bool *used = calloc(INDICES, sizeof(bool));
        uint64_t top = 0;
        assert_non_null(used);
        for (unsigned n = 0; n < 20000; n++) {
            uint64_t base = w.any ? top : dice_below(&dice, 2000);
            uint64_t index = base + dice_below(&dice, round % 2 ? 1200 : 40);
            index = index > 1100 ? index - dice_below(&dice, 1100) : index;
            if (index >= INDICES)
                break;
            bool old = w.any && index < top && top - index >= CIPHER_WINDOW;
            assert_int_equal(cipher_window_is_fresh(&w, index), !old && !used[index]);
            assert_int_equal(cipher_window_is_old(&w, index), old);
            if (!old) {
                cipher_window_add(&w, index);
                used[index] = true;
                top = index > top ? index : top;
            }
        }
        free(used);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_in_rollover_zero), cmocka_unit_test(rolls_over_and_back),
        cmocka_unit_test(takes_each_index_once),   cmocka_unit_test(forgets_nothing_inside_and_takes_nothing_behind),
        cmocka_unit_test(agrees_with_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
