// Are lines of text cut, never overrun? (rtp/text.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/text.h"

#include <string.h>

static void pieces_join(void **state)
{
    (void)state;
    char buf[32];
    struct text t = text_of(buf, sizeof(buf));
    assert_string_equal(buf, "");
    text_add(&t, "seq %u", 7);
    text_add(&t, " %s", "marker");
    assert_string_equal(buf, "seq 7 marker");
    assert_int_equal(t.len, strlen(buf));
}

static void every_size_is_terminated(void **state)
{
    (void)state;
    for (size_t cap = 1; cap < 20; cap++) {
        char *buf = malloc(cap); // exactly: ASan watches what is beyond
        struct text t = text_of(buf, cap);
        text_add(&t, "0123456");
        text_add(&t, "789abcdef");
        assert_int_equal(t.len, cap - 1 < 16 ? cap - 1 : 16);
        assert_int_equal(strlen(buf), t.len);
        assert_memory_equal(buf, "0123456789abcdef", t.len);
        free(buf);
    }
}

static void no_room_at_all(void **state)
{
    (void)state;
    struct text t = text_of(NULL, 0);
    text_add(&t, "x");
    assert_int_equal(t.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_join),
        cmocka_unit_test(every_size_is_terminated),
        cmocka_unit_test(no_room_at_all),
    };
    return cmocka_run_group_tests_name("rtp/text", tests, NULL, NULL);
}
