// Can requests be turned into a flood? (sfu/resend.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sfu/resend.h"

enum { SECOND = 1000000, PACKET = 1000 };

static void not_twice_in_a_round_trip(void **state)
{
    (void)state;
    struct resend r;
    bool empty;
    resend_init(&r);
    int64_t now_us = SECOND;
    assert_int_equal(resend_ask(&r, 7, PACKET, 0, 0, now_us, &empty), DROP_COUNT);
    assert_int_equal(resend_ask(&r, 7, PACKET, 0, 0, now_us + RESEND_WAIT_MIN_US - 1, &empty), DROP_RESEND_TWICE);
    assert_int_equal(resend_ask(&r, 8, PACKET, 0, 0, now_us + 1, &empty), DROP_COUNT);
    assert_int_equal(resend_ask(&r, 7, PACKET, 0, 0, now_us + RESEND_WAIT_MIN_US, &empty), DROP_COUNT);
    now_us += SECOND;
    assert_int_equal(resend_ask(&r, 9, PACKET, 0, 60000, now_us, &empty), DROP_COUNT);
    assert_int_equal(resend_ask(&r, 9, PACKET, 0, 60000, now_us + 59999, &empty), DROP_RESEND_TWICE);
    assert_int_equal(resend_ask(&r, 9, PACKET, 0, 60000, now_us + 60000, &empty), DROP_COUNT);
    now_us += SECOND; // a round trip of seconds is not waited for
    assert_int_equal(resend_ask(&r, 9, PACKET, 0, 5 * SECOND, now_us, &empty), DROP_COUNT);
    assert_int_equal(resend_ask(&r, 9, PACKET, 0, 5 * SECOND, now_us + RESEND_WAIT_MAX_US, &empty), DROP_COUNT);
    resend_clear(&r);
}

static void padding_stays_padding(void **state)
{
    (void)state;
    struct resend r;
    bool empty;
    resend_init(&r);
    resend_note(&r, 65535, true, 5 * SECOND);
    resend_note(&r, 3, false, 5 * SECOND);
    assert_int_equal(resend_ask(&r, 65535, PACKET, 0, 0, 5 * SECOND + 10, &empty), DROP_RESEND_TWICE);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(resend_ask(&r, 65535, PACKET, 0, 0, (5 + i) * SECOND, &empty), DROP_COUNT);
        assert_true(empty);
    }
    assert_int_equal(resend_ask(&r, 3, PACKET, 0, 0, 6 * SECOND, &empty), DROP_COUNT);
    assert_false(empty);
    resend_clear(&r);
}

// Asks for ten times what is sent, for a minute.
static uint64_t flood(uint64_t stream_bps)
{
    struct resend r;
    uint64_t sent = 0;
    uint16_t seq = 0;
    bool empty;
    resend_init(&r);
    for (int64_t now_us = SECOND; now_us < 61 * SECOND; now_us += 1000)
        for (unsigned i = 0; i < 20; i++)
            if (resend_ask(&r, seq++, PACKET, stream_bps, 0, now_us, &empty) == DROP_COUNT)
                sent += PACKET;
    resend_clear(&r);
    return sent * 8 / 60;
}

static void a_storm_becomes_a_drizzle(void **state)
{
    (void)state;
    assert_in_range(flood(0), RESEND_FLOOR_BPS * 9 / 10, RESEND_FLOOR_BPS * 11 / 10);
    assert_in_range(flood(2000000), 950000, 1050000);
    assert_in_range(flood(UINT64_MAX), 1000000, UINT64_MAX); // no overflow
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_twice_in_a_round_trip),
        cmocka_unit_test(padding_stays_padding),
        cmocka_unit_test(a_storm_becomes_a_drizzle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
