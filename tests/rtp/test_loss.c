// Is what is missing asked for in time, often enough, and not for ever? (rtp/loss.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/loss.h"
#include "tests/rtp/dice.h"

enum { BASE = 131000, MS = 1000 };

static struct loss l;
static uint16_t out[LOSS_MAX];

static int begin(void **state)
{
    (void)state;
    memset(&l, 0, sizeof l);
    return 0;
}

// How many are due; the sequence numbers are in out[].
static size_t due(int64_t now_us, int64_t rtt_us)
{
    return loss_due(&l, now_us, rtt_us, out, LOSS_MAX);
}

static void nothing_lost_nothing_asked(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 1000; n++)
        loss_rx(&l, BASE + n, (int64_t)n * MS);
    assert_false(loss_pending(&l));
    assert_int_equal(due(2000 * MS, 0), 0);
}

static void waits_for_reordering_by_time(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 2, 0);
    assert_true(loss_pending(&l));
    assert_int_equal(due(LOSS_REORDER_US - 1, 0), 0);
    assert_int_equal(due(LOSS_REORDER_US, 0), 1);
    assert_int_equal(out[0], (uint16_t)(BASE + 1));
}

static void waits_for_reordering_by_count(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 2, 0);
    loss_rx(&l, BASE + 3, 0);
    assert_int_equal(due(1, 0), 0);
    loss_rx(&l, BASE + 4, 0);
    assert_int_equal(due(1, 0), 1);
}

static void a_late_packet_closes_its_gap(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 4, 0);
    loss_rx(&l, BASE + 2, 0);
    loss_rx(&l, BASE + 2, 0); // twice
    loss_rx(&l, BASE - 7, 0); // from before the beginning
    assert_int_equal(due(20 * MS, 0), 2);
    assert_int_equal(out[0], (uint16_t)(BASE + 1));
    assert_int_equal(out[1], (uint16_t)(BASE + 3));
    assert_int_equal(l.recovered, 0);
    loss_rx(&l, BASE + 1, 30 * MS);
    assert_int_equal(l.recovered, 1);
    loss_rx(&l, BASE + 3, 30 * MS);
    assert_false(loss_pending(&l));
}

static void asks_again_after_a_round_trip(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 2, 0);
    assert_int_equal(due(10 * MS, 50 * MS), 1);
    assert_int_equal(due(59 * MS, 50 * MS), 0);
    assert_int_equal(due(60 * MS, 50 * MS), 1);
    assert_int_equal(due(60 * MS + LOSS_REPEAT_MIN_US - 1, 1), 0);
    assert_int_equal(due(60 * MS + LOSS_REPEAT_MIN_US, 1), 1);
}

static void gives_up_after_so_many_asks(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 2, 0);
    size_t asked = 0;
    for (int64_t now_us = 0; now_us < LOSS_AGE_MAX_US; now_us += 5 * MS)
        asked += due(now_us, 0);
    assert_int_equal(asked, LOSS_ASKS_MAX);
    assert_int_equal(l.asked, LOSS_ASKS_MAX);
    assert_true(loss_pending(&l)); // it may still come
    assert_int_equal(due(LOSS_AGE_MAX_US, 0), 0);
    assert_false(loss_pending(&l));
    assert_int_equal(l.given_up, 1);
}

static void gives_up_on_the_old(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 2, 0);
    assert_int_equal(due(LOSS_AGE_MAX_US - 1, 0), 1);
    assert_int_equal(due(LOSS_AGE_MAX_US * 2, 0), 0);
    assert_false(loss_pending(&l));
}

static void asks_no_more_than_there_is_room_for(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 11, 0);
    assert_int_equal(loss_due(&l, 20 * MS, 0, out, 4), 4);
    assert_int_equal(out[3], (uint16_t)(BASE + 4));
    assert_int_equal(loss_due(&l, 20 * MS, 0, out, 4), 4);
    assert_int_equal(out[0], (uint16_t)(BASE + 5));
    assert_int_equal(loss_due(&l, 20 * MS, 0, out, 4), 2);
    assert_int_equal(loss_due(&l, 20 * MS, 0, out, 4), 0);
}

static void too_much_lost_needs_a_key_frame(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + LOSS_MAX + 1, 0);
    assert_false(loss_keyframe_needed(&l));
    assert_int_equal(due(20 * MS, 0), LOSS_MAX);
    loss_rx(&l, BASE + LOSS_MAX + 3, 0); // one too many
    assert_false(loss_pending(&l));
    assert_true(loss_keyframe_needed(&l));
    assert_false(loss_keyframe_needed(&l)); // once
    assert_int_equal(l.given_up, LOSS_MAX + 1);
    loss_want(&l, BASE + 2, 20 * MS); // forgotten for good
    assert_false(loss_pending(&l));
    loss_rx(&l, BASE + LOSS_MAX + 5, 0);
    assert_int_equal(due(40 * MS, 0), 1);
    loss_rx(&l, BASE + 100000, 0);
    assert_true(loss_keyframe_needed(&l));
}

static void a_key_frame_ends_all_claims_before_it(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 5, 0);
    loss_rx(&l, BASE + 8, 0);
    loss_forget_before(&l, BASE + 7);
    assert_int_equal(due(20 * MS, 0), 1);
    assert_int_equal(out[0], (uint16_t)(BASE + 7));
    loss_want(&l, BASE + 2, 30 * MS);
    assert_int_equal(l.count, 1);
    loss_forget_before(&l, BASE + 3); // an older one changes nothing
    loss_want(&l, BASE + 4, 30 * MS);
    assert_int_equal(l.count, 1);
}

// It says so as well when the key frame's packet was not counted yet.
static void a_key_frame_ends_claims_that_are_not_yet_known(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_forget_before(&l, BASE + 500);
    loss_rx(&l, BASE + 502, 0);
    assert_false(loss_keyframe_needed(&l));
    assert_int_equal(due(20 * MS, 0), 2);
    assert_int_equal(out[0], (uint16_t)(BASE + 500));
}

static void a_key_frame_settles_the_need_for_one(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 1000, 0);
    loss_forget_before(&l, BASE + 1001);
    assert_false(loss_keyframe_needed(&l));
}

static void a_subscriber_does_not_wait_for_reordering(void **state)
{
    (void)state;
    loss_rx(&l, BASE, 0);
    loss_rx(&l, BASE + 2, 0);
    loss_want(&l, BASE + 1, 1);
    assert_int_equal(due(1, 50 * MS), 1);
    loss_want(&l, BASE + 1, 2); // and another
    assert_int_equal(due(2, 50 * MS), 0);
    assert_int_equal(due(51 * MS, 50 * MS), 1);
}

static void a_subscriber_may_want_what_was_given_up(void **state)
{
    (void)state;
    for (uint64_t n = 0; n <= 40; n++)
        loss_rx(&l, BASE + n, 0);
    loss_rx(&l, BASE + 50, 0);
    loss_want(&l, BASE + 45, 0);
    loss_want(&l, BASE + 10, 0);
    loss_want(&l, BASE + 20, 0);
    loss_want(&l, BASE + 51, 0);         // not there yet
    loss_want(&l, BASE + 50 - 32768, 0); // no number on the wire means that
    assert_int_equal(l.count, 11);
    assert_int_equal(due(0, 0), 9); // 41..47 by their number, 10 and 20 because wanted
    assert_int_equal(out[0], (uint16_t)(BASE + 10));
    assert_int_equal(out[1], (uint16_t)(BASE + 20));
    assert_int_equal(out[2], (uint16_t)(BASE + 41));
}

static void wants_are_bounded(void **state)
{
    (void)state;
    for (uint64_t n = 0; n <= 1000; n++)
        loss_rx(&l, BASE + n, 0);
    for (uint64_t n = 0; n <= 1000; n++)
        loss_want(&l, BASE + n, 0);
    assert_int_equal(l.count, LOSS_MAX);
    assert_false(loss_keyframe_needed(&l));
    assert_int_equal(due(0, 0), LOSS_MAX);
}

// With 20 % loss, reordering, and answers that are lost too, everything is there in the end and no packet that came
// was asked for after it came.
static void all_is_recovered(void **state)
{
    (void)state;
    enum { PACKETS = 20000 };
    static bool here[PACKETS];
    struct dice dice = {3};
    uint64_t next = 1;
    here[0] = true;
    loss_rx(&l, BASE, 0);
    for (int64_t now_us = MS; next < PACKETS || loss_pending(&l); now_us += MS) {
        uint64_t n = next + (dice_chance(&dice, 10) ? dice_below(&dice, 4) : 0);
        if (n < PACKETS && !here[n] && !dice_chance(&dice, 20)) {
            here[n] = true;
            loss_rx(&l, BASE + n, now_us);
        }
        next++;
        size_t count = due(now_us, 30 * MS);
        for (size_t i = 0; i < count; i++) {
            uint64_t asked = (uint64_t)(l.newest - (uint16_t)(l.newest - out[i])) - BASE;
            assert_false(here[asked]);
            if (dice_chance(&dice, 20))
                continue;
            here[asked] = true;
            loss_rx(&l, BASE + asked, now_us);
        }
    }
    assert_true(l.recovered > PACKETS / 10);
    assert_int_equal(l.given_up, 0);
    for (uint64_t n = 0; n < l.newest - BASE; n++)
        assert_true(here[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_lost_nothing_asked, begin),
        cmocka_unit_test_setup(waits_for_reordering_by_time, begin),
        cmocka_unit_test_setup(waits_for_reordering_by_count, begin),
        cmocka_unit_test_setup(a_late_packet_closes_its_gap, begin),
        cmocka_unit_test_setup(asks_again_after_a_round_trip, begin),
        cmocka_unit_test_setup(gives_up_after_so_many_asks, begin),
        cmocka_unit_test_setup(gives_up_on_the_old, begin),
        cmocka_unit_test_setup(asks_no_more_than_there_is_room_for, begin),
        cmocka_unit_test_setup(too_much_lost_needs_a_key_frame, begin),
        cmocka_unit_test_setup(a_key_frame_ends_all_claims_before_it, begin),
        cmocka_unit_test_setup(a_key_frame_ends_claims_that_are_not_yet_known, begin),
        cmocka_unit_test_setup(a_key_frame_settles_the_need_for_one, begin),
        cmocka_unit_test_setup(a_subscriber_does_not_wait_for_reordering, begin),
        cmocka_unit_test_setup(a_subscriber_may_want_what_was_given_up, begin),
        cmocka_unit_test_setup(wants_are_bounded, begin),
        cmocka_unit_test_setup(all_is_recovered, begin),
    };
    return cmocka_run_group_tests_name("rtp/loss", tests, NULL, NULL);
}
