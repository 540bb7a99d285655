// Does every packet get the one number that is right for it? (rtp/timeline.h; random sequences:
// test_timeline_random.c)
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/timeline.h"

enum { CLOCK_HZ = 90000, FRAME_TS = 3000, FRAME_US = 33333, REFUSED = -1 };

static struct timeline t;
static struct timeline_span spans[16];
static struct timeline_packet out;

static int begin(void **state)
{
    (void)state;
    timeline_init(&t, spans, 16, CLOCK_HZ, 40);
    return 0;
}

// Packet `seq` of a layer whose every packet is a picture.
static struct timeline_packet packet(uint16_t layer, uint64_t seq)
{
    return (struct timeline_packet){
        .seq = 65536 + seq,
        .ts = (uint32_t)(layer * 1000000U + seq * FRAME_TS),
        .picture_id = (uint16_t)(seq + layer * 500),
        .tl0picidx = (uint8_t)(seq + layer * 50),
        .layer = layer,
    };
}

static int64_t at(uint64_t seq)
{
    return 1000000 + (int64_t)seq * FRAME_US;
}

// The number on the wire, or REFUSED.
static int forward(uint16_t layer, uint64_t seq)
{
    struct timeline_packet in = packet(layer, seq);
    int err = timeline_forward(&t, &in, at(seq), &out);
    assert_true(err == 0 || err == -ESTALE);
    return err ? REFUSED : (uint16_t)out.seq;
}

static int switch_to(uint16_t layer, uint64_t seq, int64_t now_us)
{
    struct timeline_packet in = packet(layer, seq);
    return timeline_switch(&t, &in, NULL, now_us, &out) ? REFUSED : (uint16_t)out.seq;
}

// The number that must be filled, or REFUSED: none.
static int drop(uint16_t layer, uint64_t seq, bool whole_picture)
{
    struct timeline_packet in = packet(layer, seq);
    return timeline_drop(&t, &in, whole_picture, &out) ? (uint16_t)out.seq : REFUSED;
}

static void assert_reverse(uint16_t number, uint16_t layer, uint64_t seq)
{
    uint16_t l;
    uint64_t s;
    assert_true(timeline_reverse(&t, number, &l, &s));
    assert_int_equal(l, layer);
    assert_int_equal(s, 65536 + seq);
}

static void assert_no_reverse(uint16_t number)
{
    uint16_t l;
    uint64_t s;
    assert_false(timeline_reverse(&t, number, &l, &s));
}

// The drawing in timeline.h.
static void the_picture_in_the_manual(void **state)
{
    (void)state;
    assert_int_equal(switch_to(1, 100, at(100)), 40);
    assert_int_equal(forward(1, 101), 41);
    assert_int_equal(drop(1, 102, true), REFUSED);
    assert_int_equal(drop(1, 103, true), REFUSED);
    assert_int_equal(forward(1, 105), 43);
    assert_int_equal(forward(1, 106), 44);
    assert_int_equal(switch_to(0, 9, at(107)), 45);
    assert_int_equal(forward(0, 10), 46);
    assert_int_equal(forward(0, 11), 47);

    assert_reverse(40, 1, 100);
    assert_reverse(41, 1, 101);
    assert_reverse(42, 1, 104);
    assert_reverse(44, 1, 106);
    assert_reverse(45, 0, 9);
    assert_reverse(47, 0, 11);
    assert_no_reverse(39);
    assert_no_reverse(48);

    assert_int_equal(forward(1, 104), 42); // it comes after all
    assert_int_equal(forward(1, 103), REFUSED);
    assert_int_equal(forward(1, 107), REFUSED);
    assert_int_equal(forward(0, 8), REFUSED);
    assert_int_equal(forward(2, 10), REFUSED);
}

static void nothing_before_the_first_switch(void **state)
{
    (void)state;
    assert_false(timeline_started(&t));
    assert_int_equal(forward(0, 5), REFUSED);
    assert_int_equal(drop(0, 5, true), REFUSED);
    assert_no_reverse(40);
    assert_int_equal(timeline_ts(&t, 77), 77);
    assert_int_equal(switch_to(0, 6, at(6)), 40);
    assert_true(timeline_started(&t));
    assert_int_equal(out.ts, packet(0, 6).ts);
    assert_int_equal(out.picture_id, packet(0, 6).picture_id);
}

static void a_loss_stays_a_hole(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    assert_int_equal(forward(0, 5), 44);
    assert_int_equal(forward(0, 6), 45);
    assert_int_equal(forward(0, 3), 42);
    assert_reverse(41, 0, 2);
}

static void sending_again_gives_the_same_numbers(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    forward(0, 2);
    struct timeline_packet first = out;
    drop(0, 3, true);
    forward(0, 4);
    switch_to(1, 900, at(5));
    assert_int_equal(forward(0, 2), 41);
    assert_int_equal(out.ts, first.ts);
    assert_int_equal(out.picture_id, first.picture_id);
    assert_int_equal(out.tl0picidx, first.tl0picidx);
    assert_int_equal(out.layer, 0);
    assert_int_equal(forward(1, 901), 44);
}

static void a_drop_behind_a_loss_keeps_the_hole(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    assert_int_equal(drop(0, 3, true), REFUSED); // 2 is missing
    assert_int_equal(drop(0, 5, true), REFUSED); // 4 is missing
    assert_int_equal(forward(0, 6), 43);
    assert_reverse(41, 0, 2);
    assert_reverse(42, 0, 4);
    assert_int_equal(forward(0, 2), 41);
    assert_int_equal(forward(0, 4), 42);
}

static void a_drop_that_comes_too_late_must_be_filled(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    forward(0, 3);
    assert_int_equal(drop(0, 2, true), 41);
    assert_int_equal(forward(0, 4), 43);
    assert_int_equal(out.picture_id, packet(0, 4).picture_id); // picture ids after it were already given
}

static void a_loss_inside_a_dropped_picture_closes_up(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    struct timeline_packet in = packet(0, 2);
    timeline_drop(&t, &in, true, &out);
    in.seq += 3; // 3 and 4 of the same picture are missing
    assert_false(timeline_drop(&t, &in, true, &out));
    in.seq -= 1;
    assert_false(timeline_drop(&t, &in, true, &out)); // 4 comes late
    assert_int_equal(forward(0, 6), 41);
    assert_int_equal(out.picture_id, (uint16_t)(packet(0, 6).picture_id - 1)); // one picture, not two
}

static void a_loss_between_parts_of_a_picture_stays_a_hole(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    struct timeline_packet in = packet(0, 2);
    timeline_drop(&t, &in, false, &out);
    in.seq++;
    assert_int_equal(timeline_forward(&t, &in, at(2), &out), 0);
    in.seq += 2; // 4 of the same picture is missing: it may be either
    assert_false(timeline_drop(&t, &in, false, &out));
    assert_int_equal(forward(0, 6), 43);
    assert_reverse(42, 0, 4);
}

static void a_drop_counts_once(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    assert_int_equal(drop(0, 1, true), 40); // it was sent
    assert_int_equal(drop(0, 2, true), REFUSED);
    assert_int_equal(drop(0, 2, true), REFUSED);
    assert_int_equal(forward(0, 3), 41);
    assert_int_equal(out.picture_id, packet(0, 2).picture_id);
}

static void picture_ids_close_up_only_for_whole_pictures(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    drop(0, 2, true);
    drop(0, 3, true);
    forward(0, 4);
    assert_int_equal(out.picture_id, packet(0, 2).picture_id);
    assert_int_equal(out.tl0picidx, packet(0, 4).tl0picidx);
    drop(0, 5, false);
    forward(0, 6);
    assert_int_equal(out.picture_id, packet(0, 4).picture_id);
    forward(0, 8); // a lost picture is a hole in picture ids too
    assert_int_equal(out.picture_id, packet(0, 6).picture_id);
}

static void ids_count_on_over_a_switch(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    struct timeline_packet first = out;
    switch_to(1, 700, at(2));
    assert_int_equal(out.picture_id, first.picture_id + 1);
    assert_int_equal(out.tl0picidx, first.tl0picidx + 1);
    forward(1, 701);
    assert_int_equal(out.picture_id, first.picture_id + 2);
}

static void a_pause_leaves_no_hole_but_time_passes(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    forward(0, 2);
    struct timeline_packet in = packet(0, 1000);
    assert_int_equal(timeline_switch(&t, &in, &in.ts, at(1000), &out), 0);
    assert_int_equal((uint16_t)out.seq, 42);
    assert_int_equal(out.ts, in.ts);
    assert_int_equal(out.picture_id, packet(0, 3).picture_id);
    assert_int_equal(forward(0, 999), REFUSED); // of the pause
    assert_int_equal(forward(0, 2), 41);
}

static void a_switch_goes_forward_only(void **state)
{
    (void)state;
    switch_to(0, 10, at(10));
    forward(0, 12);
    switch_to(1, 10, at(13));
    assert_int_equal(switch_to(0, 11, at(14)), REFUSED);
    assert_int_equal(switch_to(0, 12, at(14)), REFUSED);
    assert_int_equal(forward(1, 11), 44); // nothing has changed
    assert_int_equal(switch_to(0, 13, at(15)), 45);
    assert_int_equal(switch_to(0, 9, at(16)), REFUSED);
}

static void time_goes_on_by_what_has_elapsed(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    uint32_t before = out.ts;
    switch_to(1, 1, at(1) + 100000);
    assert_int_equal(out.ts, before + 9000);
    assert_int_equal(timeline_ts(&t, packet(1, 2).ts), before + 9000 + FRAME_TS);
    switch_to(2, 1, at(1) + 100000); // in the same microsecond
    assert_int_equal(out.ts, before + 9001);
    switch_to(3, 1, at(1)); // even if the clock went backwards
    assert_int_equal(out.ts, before + 9002);
}

static void time_passes_while_packets_are_dropped(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    uint32_t before = out.ts;
    drop(0, 2, true);
    drop(0, 3, true);
    switch_to(1, 1, at(4));
    assert_in_range(out.ts, before + 3 * FRAME_TS - 2, before + 3 * FRAME_TS);
    drop(1, 2, true);
    switch_to(2, 1, at(4)); // before the dropped one should have come
    assert_in_range(out.ts, before + 4 * FRAME_TS - 2, before + 4 * FRAME_TS + 1);
}

static void a_late_packet_stays_before_a_switch(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    drop(0, 3, true); // 2 is missing
    switch_to(1, 70, at(3));
    struct timeline_packet after = out;
    assert_int_equal(forward(0, 2), 41);
    assert_int_equal(after.seq, out.seq + 1);
    assert_int_equal(after.picture_id, out.picture_id + 1);
    assert_int_equal(after.tl0picidx, out.tl0picidx + 1);
    assert_true(after.ts > out.ts);
}

static void time_goes_on_by_the_publishers_clock(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    struct timeline_packet in = packet(1, 3);
    uint32_t same = packet(0, 3).ts;
    assert_int_equal(timeline_switch(&t, &in, &same, at(3) + 12345, &out), 0);
    assert_int_equal(out.ts, same);

    in = packet(2, 5);
    same = packet(1, 5).ts + 20U * CLOCK_HZ; // nonsense
    assert_int_equal(timeline_switch(&t, &in, &same, at(3) + 12345 + 100000, &out), 0);
    assert_int_equal(out.ts, packet(0, 3).ts + 9000);
}

// Layer 1 comes one picture later than layer 0. A switch to it meets a picture that was captured before the last one
// sent: time must not go back, and what it is pushed ahead must not add up (but for a tick each).
static void errors_of_time_do_not_add_up(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    for (uint32_t n = 2; n < 200; n++) {
        bool late = n / 5 % 2;
        uint64_t seq = late ? n - 1 : n;
        if (n % 5) {
            forward(late, seq);
            continue;
        }
        if (late)
            forward(0, n);
        uint32_t last = out.ts, same = packet(!late, seq).ts;
        struct timeline_packet in = packet(late, seq);
        assert_int_equal(timeline_switch(&t, &in, &same, at(n), &out), 0);
        assert_in_range(out.ts - last, 1, 2 * FRAME_TS);
        assert_in_range(out.ts - packet(0, seq).ts, 0, FRAME_TS + n);
    }
}

static void a_long_pause_is_no_trouble(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    struct timeline_packet in = packet(0, 2);
    int64_t ten_hours_us = INT64_C(36000000000); // more than half the circle of timestamps
    in.ts += (uint32_t)(ten_hours_us / 100 * 9);
    assert_int_equal(timeline_switch(&t, &in, &in.ts, at(2) + ten_hours_us, &out), 0);
    assert_int_equal(out.ts, in.ts);
}

static void a_leap_is_one_missing_packet(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    assert_int_equal(forward(0, 2 + TIMELINE_GAP_MAX), 41 + TIMELINE_GAP_MAX);
    uint64_t far = 2 + TIMELINE_GAP_MAX + 50000;
    assert_int_equal(forward(0, far), 43 + TIMELINE_GAP_MAX);
    assert_int_equal(out.ts, packet(0, far).ts);
    assert_reverse((uint16_t)(42 + TIMELINE_GAP_MAX), 0, 3 + TIMELINE_GAP_MAX);
    assert_int_equal(forward(0, far - 1), REFUSED);
    assert_int_equal(forward(0, far + 1), 44 + TIMELINE_GAP_MAX);

    assert_int_equal(drop(0, far + 10000, true), REFUSED);
    assert_int_equal(forward(0, far + 10001), 46 + TIMELINE_GAP_MAX);
}

static void a_leap_of_the_timestamp_follows_the_clock(void **state)
{
    (void)state;
    switch_to(0, 1, at(1));
    uint32_t before = out.ts;
    struct timeline_packet in = packet(0, 20000);
    in.ts = 0xdeadbeef; // the publisher began anew
    assert_int_equal(timeline_forward(&t, &in, at(1) + 1000000, &out), 0);
    assert_int_equal(out.ts, before + CLOCK_HZ);
}

static void the_oldest_span_falls_out(void **state)
{
    (void)state;
    switch_to(0, 0, at(0));
    for (uint64_t seq = 1; seq <= 40; seq += 2) { // a span per turn
        drop(0, seq, true);
        forward(0, seq + 1);
    }
    assert_int_equal(forward(0, 40), 60);
    assert_int_equal(forward(0, 10), 45);
    assert_reverse(45, 0, 10);
    assert_int_equal(forward(0, 8), REFUSED);
    assert_no_reverse(44);
}

static void more_room_loses_nothing(void **state)
{
    (void)state;
    static struct timeline_span more[64];
    assert_int_equal(switch_to(0, 1, at(1)), 40);
    for (unsigned i = 1; i <= 20; i++) { // a span each
        drop(0, 3 * i - 1, true);
        forward(0, 3 * i);
        forward(0, 3 * i + 1);
    }
    assert_int_equal(t.kept, 16);
    timeline_move(&t, more, 64);
    memset(spans, 0xff, sizeof(spans)); // they are ours again
    assert_no_reverse(40);
    for (unsigned i = 6; i <= 20; i++) {
        assert_reverse((uint16_t)(39 + 2 * i), 0, 3 * i);
        assert_int_equal(forward(0, 3 * i + 1), 40 + 2 * i);
    }
    for (unsigned i = 21; i <= 40; i++) {
        drop(0, 3 * i - 1, true);
        assert_int_equal(forward(0, 3 * i), 39 + 2 * i);
        assert_int_equal(forward(0, 3 * i + 1), 40 + 2 * i);
    }
    assert_reverse(39 + 2 * 6, 0, 3 * 6);
    assert_reverse(40 + 2 * 40, 0, 3 * 40 + 1);
}

static void numbers_wrap(void **state)
{
    (void)state;
    timeline_init(&t, spans, 16, CLOCK_HZ, 65534);
    struct timeline_packet in = {.seq = 131071, .ts = 0xfffffff0, .picture_id = 65535, .tl0picidx = 255};
    timeline_switch(&t, &in, NULL, 0, &out);
    assert_int_equal((uint16_t)out.seq, 65534);
    uint64_t first = out.seq;
    for (uint32_t n = 1; n <= 70000; n++) {
        in = (struct timeline_packet){131071 + n, 0xfffffff0 + n * 3000, (uint16_t)(n - 1), (uint8_t)(n - 1), 0};
        assert_int_equal(timeline_forward(&t, &in, n * 1000, &out), 0);
        assert_int_equal(out.seq, first + n);
        assert_int_equal(out.ts, in.ts);
        uint16_t layer;
        uint64_t seq;
        assert_true(timeline_reverse(&t, (uint16_t)out.seq, &layer, &seq));
        assert_int_equal(seq, in.seq);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_picture_in_the_manual, begin),
        cmocka_unit_test_setup(nothing_before_the_first_switch, begin),
        cmocka_unit_test_setup(a_loss_stays_a_hole, begin),
        cmocka_unit_test_setup(sending_again_gives_the_same_numbers, begin),
        cmocka_unit_test_setup(a_drop_behind_a_loss_keeps_the_hole, begin),
        cmocka_unit_test_setup(a_drop_that_comes_too_late_must_be_filled, begin),
        cmocka_unit_test_setup(a_loss_inside_a_dropped_picture_closes_up, begin),
        cmocka_unit_test_setup(a_loss_between_parts_of_a_picture_stays_a_hole, begin),
        cmocka_unit_test_setup(a_drop_counts_once, begin),
        cmocka_unit_test_setup(picture_ids_close_up_only_for_whole_pictures, begin),
        cmocka_unit_test_setup(ids_count_on_over_a_switch, begin),
        cmocka_unit_test_setup(a_pause_leaves_no_hole_but_time_passes, begin),
        cmocka_unit_test_setup(a_switch_goes_forward_only, begin),
        cmocka_unit_test_setup(time_goes_on_by_what_has_elapsed, begin),
        cmocka_unit_test_setup(time_passes_while_packets_are_dropped, begin),
        cmocka_unit_test_setup(a_late_packet_stays_before_a_switch, begin),
        cmocka_unit_test_setup(time_goes_on_by_the_publishers_clock, begin),
        cmocka_unit_test_setup(errors_of_time_do_not_add_up, begin),
        cmocka_unit_test_setup(a_long_pause_is_no_trouble, begin),
        cmocka_unit_test_setup(a_leap_is_one_missing_packet, begin),
        cmocka_unit_test_setup(a_leap_of_the_timestamp_follows_the_clock, begin),
        cmocka_unit_test_setup(the_oldest_span_falls_out, begin),
        cmocka_unit_test_setup(more_room_loses_nothing, begin),
        cmocka_unit_test_setup(numbers_wrap, begin),
    };
    return cmocka_run_group_tests_name("rtp/timeline", tests, NULL, NULL);
}
