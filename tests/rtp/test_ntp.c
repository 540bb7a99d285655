// Do the clocks convert without losing more than a unit? (rtp/ntp.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/ntp.h"

static void the_epochs(void **state)
{
    (void)state;
    assert_true(ntp_from_us(0) == UINT64_C(0x83AA7E8000000000));
    assert_true(ntp_from_us(500000) == UINT64_C(0x83AA7E8080000000));
    assert_int_equal(ntp_to_us(UINT64_C(0x83AA7E8000000000)), 0);
    assert_int_equal(ntp_to_us(UINT64_C(0x83AA7E8040000000)), 250000);
}

static void there_and_back_within_a_microsecond(void **state)
{
    (void)state;
    for (int64_t us = 0; us < INT64_C(4000000000000000); us += INT64_C(987654321987)) {
        int64_t back = ntp_to_us(ntp_from_us(us));
        assert_in_range(us - back, 0, 1);
    }
}

static void after_2036(void **state)
{
    (void)state;
    int64_t feb_2036_us = (INT64_C(0x100000000) - NTP_UNIX_S) * 1000000;
    assert_true(ntp_from_us(feb_2036_us) == 0);
    assert_int_equal(ntp_to_us(0), feb_2036_us);
    assert_int_equal(ntp_to_us(UINT64_C(0xffffffff00000000)), feb_2036_us - 1000000);
}

static void compact_form(void **state)
{
    (void)state;
    // RFC 3550 section 6.4.1: the example of figure 2.
    assert_int_equal(ntp_compact(UINT64_C(0xb44db70520000000)), 0xb7052000);
    assert_int_equal(ntp_compact_from_us(5250000), 0x00054000);
    uint32_t a = 0xb7108000, lsr = 0xb7052000, dlsr = 0x00054000;
    assert_int_equal(ntp_compact_to_us(a - lsr - dlsr), 6125000);
    assert_int_equal(ntp_compact_from_us(INT64_C(65536) * 1000000), 0);
    assert_int_equal(ntp_compact_to_us(1), 15);
}

static void rtp_units(void **state)
{
    (void)state;
    assert_int_equal(ntp_us_to_ts(20000, 48000), 960);
    assert_int_equal(ntp_us_to_ts(1000000, 90000), 90000);
    assert_int_equal(ntp_us_to_ts(INT64_C(1800000000000000), 90000), INT64_C(162000000000000));
    assert_int_equal(ntp_ts_to_us(3000, 90000), 33333);
    assert_int_equal(ntp_ts_to_us(-3000, 90000), -33333);
    assert_int_equal(ntp_ts_to_us(INT64_C(162000000000000), 90000), INT64_C(1800000000000000));
    assert_int_equal(ntp_ts_to_us(1000, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_epochs), cmocka_unit_test(there_and_back_within_a_microsecond),
        cmocka_unit_test(after_2036), cmocka_unit_test(compact_form),
        cmocka_unit_test(rtp_units),
    };
    return cmocka_run_group_tests_name("rtp/ntp", tests, NULL, NULL);
}
