// Do sender reports keep picture and sound together, and is the round trip right? (rtp/sendstats.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/ntp.h"
#include "rtp/recvstats.h"
#include "rtp/sendstats.h"

enum { SSRC = 0xbeef, CLOCK_HZ = 90000, MS = 1000 };

static struct sendstats ss;
static struct rtcp_sr sr;

static int begin(void **state)
{
    (void)state;
    sendstats_init(&ss, SSRC, CLOCK_HZ);
    return 0;
}

static void nothing_sent_nothing_said(void **state)
{
    (void)state;
    assert_false(sendstats_sr(&ss, 0, 1, &sr));
    sendstats_map(&ss, 5, 5);
    assert_false(sendstats_sr(&ss, 0, 1, &sr));
}

static void counts_what_leaves(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 10; n++)
        sendstats_tx(&ss, n * 3000, 100 + n, n * 33 * MS);
    assert_true(sendstats_sr(&ss, 500 * MS, UINT64_C(0x1122334455667788), &sr));
    assert_int_equal(sr.ssrc, SSRC);
    assert_int_equal(sr.ntp, UINT64_C(0x1122334455667788));
    assert_int_equal(sr.packets, 10);
    assert_int_equal(sr.octets, 1045);
    assert_in_range(sendstats_bps(&ss, 500 * MS), 1045 * 8, 1045 * 8 * 3);
}

static void guesses_from_the_first_packet_of_a_frame(void **state)
{
    (void)state;
    sendstats_tx(&ss, 3000, 100, 1000 * MS);
    sendstats_tx(&ss, 3000, 100, 1008 * MS);
    sendstats_tx(&ss, 0, 100, 1010 * MS); // late
    sendstats_sr(&ss, 1100 * MS, 1, &sr);
    assert_int_equal(sr.ts, 3000 + 9000);
    sendstats_tx(&ss, 0xfffffff0, 100, 1200 * MS); // late too, over the wrap
    sendstats_sr(&ss, 1200 * MS, 1, &sr);
    assert_int_equal(sr.ts, 3000 + 18000);
}

static void prefers_the_mapping(void **state)
{
    (void)state;
    sendstats_tx(&ss, 3000, 100, 1000 * MS);
    sendstats_map(&ss, 3000, 950 * MS);
    sendstats_tx(&ss, 6000, 100, 1500 * MS);
    sendstats_sr(&ss, 2000 * MS, 1, &sr);
    assert_int_equal(sr.ts, 3000 + 1050 * 90);
    sendstats_sr(&ss, 900 * MS, 1, &sr); // also back in time
    assert_int_equal(sr.ts, (uint32_t)(3000 - 50 * 90));
}

static void forgets_the_mapping_of_another_source(void **state)
{
    (void)state;
    sendstats_tx(&ss, 3000, 100, 1000 * MS);
    sendstats_map(&ss, 3000, 950 * MS);
    sendstats_unmap(&ss);
    assert_false(sendstats_sr(&ss, 1000 * MS, 1, &sr));
    sendstats_tx(&ss, 1000, 100, 2000 * MS); // may be lower
    assert_true(sendstats_sr(&ss, 3000 * MS, 1, &sr));
    assert_int_equal(sr.ts, 1000 + CLOCK_HZ);
}

static void counters_wrap_as_on_the_wire(void **state)
{
    (void)state;
    sendstats_tx(&ss, 1, 1000, 0);
    ss.octets += UINT64_C(0xffffffff);
    sendstats_sr(&ss, 0, 1, &sr);
    assert_int_equal(sr.octets, 999);
}

// A whole exchange: our report, a receiver on the other side, its block back.
static void round_trip(void **state)
{
    (void)state;
    int64_t wall_us = INT64_C(1750000000) * 1000000;
    struct recvstats rs;
    struct rtcp_report block;
    recvstats_init(&rs, SSRC, CLOCK_HZ);

    for (uint16_t n = 0; n < 4; n++)
        sendstats_tx(&ss, 0, 100, 0);
    sendstats_sr(&ss, 0, ntp_from_us(wall_us), &sr);
    recvstats_rx(&rs, 0, 0, 30 * MS, 100);
    recvstats_rx(&rs, 3, 0, 30 * MS, 100);
    recvstats_sr(&rs, sr.ntp, sr.ts, 30 * MS);
    assert_true(recvstats_block(&rs, 530 * MS, &block));
    assert_int_equal(ss.rtt_us, 0);
    sendstats_rr(&ss, &block, 570 * MS, ntp_from_us(wall_us + 570 * MS));
    assert_in_range(ss.rtt_us, 69900, 70100); // 30 there and 40 back
    assert_true(ss.has_rr);
    assert_int_equal(ss.lost, 2);
    assert_int_equal(ss.fraction_lost, 128);
    assert_int_equal(ss.ext_seq, 3);
    assert_int_equal(ss.rr_us, 570 * MS);
}

static void no_round_trip_without_a_report(void **state)
{
    (void)state;
    struct rtcp_report block = {.ssrc = SSRC, .dlsr = 5};
    sendstats_rr(&ss, &block, 0, ntp_from_us(INT64_C(1750000000000000)));
    assert_true(ss.has_rr);
    assert_int_equal(ss.rtt_us, 0);
}

static void a_round_trip_is_never_negative(void **state)
{
    (void)state;
    uint64_t ntp = ntp_from_us(INT64_C(1750000000000000));
    struct rtcp_report block = {.ssrc = SSRC, .lsr = ntp_compact(ntp), .dlsr = 5};
    sendstats_rr(&ss, &block, 0, ntp);
    assert_int_equal(ss.rtt_us, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_sent_nothing_said, begin),
        cmocka_unit_test_setup(counts_what_leaves, begin),
        cmocka_unit_test_setup(guesses_from_the_first_packet_of_a_frame, begin),
        cmocka_unit_test_setup(prefers_the_mapping, begin),
        cmocka_unit_test_setup(forgets_the_mapping_of_another_source, begin),
        cmocka_unit_test_setup(counters_wrap_as_on_the_wire, begin),
        cmocka_unit_test_setup(round_trip, begin),
        cmocka_unit_test_setup(no_round_trip_without_a_report, begin),
        cmocka_unit_test_setup(a_round_trip_is_never_negative, begin),
    };
    return cmocka_run_group_tests_name("rtp/sendstats", tests, NULL, NULL);
}
