// Is what a worker did added up in full, and a failure told from an end? (sfu/tally.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sfu/tally.h"

static void a_failure_has_a_cause(void **state)
{
    (void)state;
    struct tally tally = {0};
    const struct transport_fault none = {0}, ice = {.ice = true}, dtls = {.dtls = true};
    tally_state(&tally, SFU_CONNECTING, none);
    tally_state(&tally, SFU_CONNECTED, none);
    tally_state(&tally, SFU_DISCONNECTED, ice);
    tally_state(&tally, SFU_CONNECTED, none);
    tally_state(&tally, SFU_FAILED, none); // closed by the other side
    tally_state(&tally, SFU_FAILED, ice);
    tally_state(&tally, SFU_FAILED, dtls);
    tally_state(&tally, SFU_FAILED, dtls);
    assert_int_equal(tally.connected, 2);
    assert_int_equal(tally.ice_failed, 1);
    assert_int_equal(tally.dtls_failed, 2);
}

static void parts_add_up_and_are_printed(void **state)
{
    (void)state;
    char buf[2048];
    struct tally sum = {.tx = {6, 600},
                        .tapped = {17, 1700},
                        .connected = 2,
                        .ice_failed = 4,
                        .dtls_failed = 6,
                        .nacks_tx = 8,
                        .nacks_rx = 10,
                        .keyframes_tx = 12,
                        .keyframes_rx = 14,
                        .resent = 16};
    struct stats stats = {.rx = {9, 900}, .tx = {1000, 1000}}, worker = {.rx = {10, 1000}};
    struct feedback feedback = {.nacks_tx = 1, .plis_tx = 1, .firs_tx = 1, .nacks_rx = 1, .plis_rx = 1, .firs_rx = 1};
    sum.drops[DROP_MUTED] = 2;
    stats_drop(&stats, DROP_MUTED);
    stats_drop(&worker, DROP_BAD_TAG);
    tally_add_drops(&sum, &stats); // its packets are counted elsewhere
    tally_add_feedback(&sum, &feedback);
    struct line line = line_of(buf, sizeof(buf));
    tally_print(&sum, &worker, &line);
    assert_true(line.ok);
    assert_string_equal(
        buf, "connected=2 ice_failed=4 dtls_failed=6 nacks_tx=9 nacks_rx=11 keyframes_tx=14 keyframes_rx=16 "
             "resent=16 tap_packets=17 tap_bytes=1700 rx_packets=10 rx_bytes=1000 tx_packets=6 tx_bytes=600 "
             "drop_bad_tag=1 drop_muted=3");
}

static void every_reason_fits_a_line(void **state)
{
    (void)state;
    char buf[2048]; // as room.c has it
    struct tally tally;
    struct stats worker = {.rx = {INT64_MAX, INT64_MAX}};
    memset(&tally, 0x7f, sizeof(tally));
    struct line line = line_of(buf, sizeof(buf));
    tally_print(&tally, &worker, &line);
    assert_true(line.ok && line.len < sizeof(buf) - 200); // room.c says a few things before
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_a_cause),
        cmocka_unit_test(parts_add_up_and_are_printed),
        cmocka_unit_test(every_reason_fits_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
