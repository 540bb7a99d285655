// Are drops counted by reason and printed as pairs? (sfu/stats.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sfu/stats.h"

static void every_reason_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (enum drop a = 0; a < DROP_COUNT; a++) {
        assert_non_null(drop_name(a));
        assert_int_equal(strspn(drop_name(a), "abcdefghijklmnopqrstuvwxyz_"), strlen(drop_name(a)));
        for (enum drop b = 0; b < a; b++)
            assert_string_not_equal(drop_name(a), drop_name(b));
    }
    assert_string_equal(drop_name(DROP_COUNT), "unknown");
}

static void only_what_happened_is_printed(void **state)
{
    (void)state;
    char buf[256];
    struct stats stats = {0};
    struct line line = line_of(buf, sizeof(buf));
    flow_add(&stats.rx, 100);
    flow_add(&stats.rx, 50);
    stats_drop(&stats, DROP_BAD_TAG);
    stats_drop(&stats, DROP_BAD_TAG);
    stats_drop(&stats, DROP_MUTED);
    assert_int_equal(stats_dropped(&stats), 3);
    line_text(&line, "mid", "0");
    line_number(&line, "skew", -5);
    line_stats(&line, &stats);
    assert_true(line.ok);
    assert_string_equal(buf, "mid=0 skew=-5 rx_packets=2 rx_bytes=150 tx_packets=0 tx_bytes=0 drop_bad_tag=2 "
                             "drop_muted=1");
}

static void a_line_never_leaves_its_buffer(void **state)
{
    (void)state;
    for (size_t cap = 1; cap < 20; cap++) {
        char buf[20];
        memset(buf, '#', sizeof(buf));
        struct line line = line_of(buf, cap);
        line_text(&line, "ab", "cd");
        line_number(&line, "e", 12);
        assert_true(strlen(buf) < cap);
        assert_int_equal(line.ok, cap > strlen("ab=cd e=12"));
        assert_true(strcmp(buf, "") == 0 || strcmp(buf, "ab=cd") == 0 || strcmp(buf, "e=12") == 0 ||
                    strcmp(buf, "ab=cd e=12") == 0);
        for (size_t i = cap; i < sizeof(buf); i++)
            assert_int_equal(buf[i], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_word_of_its_own),
        cmocka_unit_test(only_what_happened_is_printed),
        cmocka_unit_test(a_line_never_leaves_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
