// Does the report block say what RFC 3550 says it says, and is every packet numbered right? (rtp/recvstats.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/ntp.h"
#include "rtp/recvstats.h"
#include "tests/rtp/dice.h"

enum { SSRC = 0xcafe, CLOCK_HZ = 90000, MS = 1000 };

static struct recvstats rs;
static struct rtcp_report block;

static int begin(void **state)
{
    (void)state;
    recvstats_init(&rs, SSRC, CLOCK_HZ);
    return 0;
}

static uint64_t rx(uint16_t seq)
{
    return recvstats_rx(&rs, seq, 0, 0, 1000);
}

static void no_block_before_the_first_packet(void **state)
{
    (void)state;
    assert_false(recvstats_block(&rs, 0, &block));
    assert_int_equal(recvstats_find(&rs, 5), 0);
    rx(5);
    assert_true(recvstats_block(&rs, 0, &block));
    assert_int_equal(block.ssrc, SSRC);
    assert_int_equal(block.ext_seq, 5);
    assert_int_equal(block.lost, 0);
    assert_int_equal(block.fraction_lost, 0);
    assert_int_equal(block.lsr, 0);
    assert_int_equal(block.dlsr, 0);
}

static void numbers_are_extended(void **state)
{
    (void)state;
    uint64_t first = rx(65534);
    assert_true(first > 0);
    assert_int_equal(rx(65535), first + 1);
    assert_int_equal(rx(1), first + 3);
    assert_int_equal(rx(0), first + 2);
    assert_int_equal(rx(65534), first);
    assert_int_equal(rx((uint16_t)(1 - 999)), first + 3 - 999);
    assert_int_equal(recvstats_find(&rs, 65535), first + 1);
    assert_int_equal(recvstats_find(&rs, 2), first + 4);
    assert_true(recvstats_block(&rs, 0, &block));
    assert_int_equal(block.ext_seq, 65536 + 1);
}

static void loss_of_an_interval_and_of_all(void **state)
{
    (void)state;
    for (uint16_t seq = 100; seq < 200; seq++)
        if (seq % 4) // 25 of 100, the first among them
            rx(seq);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.lost, 24);
    assert_int_equal(block.fraction_lost, 24 * 256 / 99);

    for (uint16_t seq = 200; seq < 300; seq++)
        rx(seq);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.lost, 24);
    assert_int_equal(block.fraction_lost, 0);

    rx(319);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.lost, 43);
    assert_int_equal(block.fraction_lost, 19 * 256 / 20);
    recvstats_block(&rs, 0, &block); // nothing came since
    assert_int_equal(block.fraction_lost, 0);
}

// RFC 3550 A.3: late packets and duplicates count as received, so the loss may be negative.
static void duplicates_make_loss_negative(void **state)
{
    (void)state;
    rx(10);
    rx(11);
    rx(11);
    rx(11);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.lost, -2);
    assert_int_equal(block.fraction_lost, 0);
}

static void all_but_one_lost_is_not_more_than_255(void **state)
{
    (void)state;
    rx(0);
    recvstats_block(&rs, 0, &block);
    rx(2900);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.fraction_lost, 2899 * 256 / 2900);
    for (uint16_t seq = 2800; seq < 2805; seq++)
        rx(seq);
    rx(2901);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.fraction_lost, 0);
}

static void one_jump_is_not_believed_two_are(void **state)
{
    (void)state;
    uint64_t last = rx(100);
    assert_int_equal(rx(100 + RECVSTATS_DROPOUT_MAX), 0);
    assert_int_equal(rx(101), last + 1);
    assert_int_equal(rx(20000), 0);
    assert_int_equal(rx(30000), 0);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.ext_seq, 101);
    assert_int_equal(block.lost, 0);

    uint64_t again = rx(30001);
    assert_true(again > last + RECVSTATS_DROPOUT_MAX);
    assert_int_equal((uint16_t)again, 30001);
    assert_int_equal(rx(30002), again + 1);
    assert_int_equal(rs.restarts, 1);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.ext_seq, 30002);
    assert_int_equal(block.lost, 0);
}

// A new beginning at a lower number goes up too.
static void a_restart_below_counts_on(void **state)
{
    (void)state;
    uint64_t last = rx(40000);
    recvstats_rx(&rs, 40000, 0, 50 * MS, 1000);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.jitter_ts, 50 * 90 / 16);
    assert_int_equal(rx(10), 0);
    uint64_t again = rx(11);
    assert_int_equal(again, last + (65536 - 40000) + 11);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.ext_seq, 11);
    assert_int_equal(block.jitter_ts, 0);
}

static void the_limits_of_belief(void **state)
{
    (void)state;
    uint64_t last = rx(5000);
    assert_int_equal(rx(5000 - RECVSTATS_MISORDER_MAX), last - RECVSTATS_MISORDER_MAX);
    assert_int_equal(rx(5000 - RECVSTATS_MISORDER_MAX - 1), 0);
    assert_int_equal(rx(5000 + RECVSTATS_DROPOUT_MAX - 1), last + RECVSTATS_DROPOUT_MAX - 1);
}

// RFC 3550 A.8 in floating point.
static void jitter_is_smoothed(void **state)
{
    (void)state;
    struct dice dice = {1};
    double jitter = 0, transit = 0;
    uint32_t ts = UINT32_MAX - 50000; // wraps on the way
    for (uint16_t n = 0; n < 500; n++) {
        int64_t now_us = INT64_C(1000000000000) + n * INT64_C(20000) + dice_below(&dice, 8000);
        recvstats_rx(&rs, n, ts + n * 1800U, now_us, 100);
        double t = (double)now_us * 0.09 - n * 1800.0;
        if (n)
            jitter += ((t > transit ? t - transit : transit - t) - jitter) / 16;
        transit = t;
    }
    recvstats_block(&rs, 0, &block);
    assert_in_range(block.jitter_ts, (uint32_t)jitter - 2, (uint32_t)jitter + 2);
    assert_in_range(block.jitter_ts, 150, 350);
}

static void a_new_timestamp_base_is_not_jitter(void **state)
{
    (void)state;
    for (uint16_t n = 0; n < 100; n++)
        recvstats_rx(&rs, n, n * 1800U + (n >= 50 ? 0x70000000 : 0), n * INT64_C(20000), 100);
    recvstats_block(&rs, 0, &block);
    assert_int_equal(block.jitter_ts, 0);
}

static void the_last_sender_report_is_named(void **state)
{
    (void)state;
    rx(1);
    recvstats_sr(&rs, UINT64_C(0x0123456789abcdef), 777, 1000 * MS);
    recvstats_block(&rs, 3500 * MS, &block);
    assert_int_equal(block.lsr, 0x456789ab);
    assert_int_equal(block.dlsr, 65536 * 5 / 2);
    recvstats_sr(&rs, 0, 888, 4000 * MS); // a sender without a clock
    assert_int_equal(rs.sr_ts, 777);
}

static void counts_bytes(void **state)
{
    (void)state;
    for (uint16_t n = 0; n < 2000; n++)
        recvstats_rx(&rs, n, 0, n * (int64_t)MS, 125);
    assert_in_range(recvstats_bps(&rs, 2000 * MS), 990000, 1010000);
    assert_int_equal(rs.packets, 2000);
    assert_int_equal(rs.bytes, 250000);
}

static void timestamps_have_a_wall_clock(void **state)
{
    (void)state;
    int64_t wall_us, noon_us = INT64_C(1750000000) * 1000000;
    assert_false(recvstats_wall_us(&rs, 0, &wall_us));
    recvstats_sr(&rs, ntp_from_us(noon_us), 0xfffffff0, 0);
    assert_true(recvstats_wall_us(&rs, 0xfffffff0 + CLOCK_HZ, &wall_us));
    assert_in_range(wall_us - noon_us, 999998, 1000002);
    assert_true(recvstats_wall_us(&rs, 0xfffffff0 - CLOCK_HZ / 2, &wall_us));
    assert_in_range(noon_us - wall_us, 499998, 500002);
}

// Two layers report at different moments; their timestamps of one instant are found both ways.
static void layers_share_instants(void **state)
{
    (void)state;
    struct recvstats other;
    uint32_t ts;
    int64_t noon_us = INT64_C(1750000000) * 1000000;
    recvstats_init(&other, 2, CLOCK_HZ);
    recvstats_sr(&rs, ntp_from_us(noon_us), 1000, 0);
    assert_false(recvstats_same_instant(&rs, 5, &other, &ts));
    assert_false(recvstats_same_instant(&other, 5, &rs, &ts));
    recvstats_sr(&other, ntp_from_us(noon_us + 2000000), 4000000000, 0);
    assert_true(recvstats_same_instant(&rs, 1000 + 3 * CLOCK_HZ, &other, &ts));
    assert_in_range(ts - (4000000000 + CLOCK_HZ) + 2, 0, 4);
    assert_true(recvstats_same_instant(&other, 4000000000 - CLOCK_HZ, &rs, &ts));
    assert_in_range(ts - (1000 + CLOCK_HZ) + 2, 0, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_block_before_the_first_packet, begin),
        cmocka_unit_test_setup(numbers_are_extended, begin),
        cmocka_unit_test_setup(loss_of_an_interval_and_of_all, begin),
        cmocka_unit_test_setup(duplicates_make_loss_negative, begin),
        cmocka_unit_test_setup(all_but_one_lost_is_not_more_than_255, begin),
        cmocka_unit_test_setup(one_jump_is_not_believed_two_are, begin),
        cmocka_unit_test_setup(a_restart_below_counts_on, begin),
        cmocka_unit_test_setup(the_limits_of_belief, begin),
        cmocka_unit_test_setup(jitter_is_smoothed, begin),
        cmocka_unit_test_setup(a_new_timestamp_base_is_not_jitter, begin),
        cmocka_unit_test_setup(the_last_sender_report_is_named, begin),
        cmocka_unit_test_setup(counts_bytes, begin),
        cmocka_unit_test_setup(timestamps_have_a_wall_clock, begin),
        cmocka_unit_test_setup(layers_share_instants, begin),
    };
    return cmocka_run_group_tests_name("rtp/recvstats", tests, NULL, NULL);
}
