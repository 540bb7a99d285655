// Do recorded packets come out in order, each once, and none too late? (sfu/record_order.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "sfu/record_order.h"
#include "tests/rtp/dice.h"

enum { TICK_US = 20000 };

struct seen {
    struct record_order *order;
    unsigned count, losses;
    uint32_t last; // number in the payload of the last packet, from 1
    uint64_t missing;
};

// Payloads number the packets from 1 without wrap.
static void on_packet(void *arg, const uint8_t *data, size_t len, int64_t at_us, bool lost)
{
    struct seen *s = arg;
    (void)at_us;
    assert_int_equal(len, 4);
    uint32_t number = rd32(data);
    assert_true(number > s->last);
    assert_true(lost == (s->last && number != s->last + 1));
    if (s->last)
        s->missing += number - s->last - 1;
    s->losses += lost;
    s->last = number;
    s->count++;
}

static void begin(struct seen *s)
{
    *s = (struct seen){0};
    s->order = record_order_new(on_packet, s);
}

static void rx(struct seen *s, uint32_t number, int64_t at_us)
{
    uint8_t data[4];
    wr32(data, number);
    record_order_rx(s->order, (uint16_t)(number + 65000), data, sizeof(data), at_us);
}

static void test_in_order(void **state)
{
    (void)state;
    struct seen s;
    begin(&s);
    for (uint32_t i = 1; i <= 200000; i++) {
        rx(&s, i, i * 1000);
        assert_int_equal(s.count, i); // at once
    }
    assert_int_equal(record_order_lost(s.order), 0);
    record_order_free(s.order);
}

static void test_waits_then_goes_on(void **state)
{
    (void)state;
    struct seen s;
    begin(&s);
    rx(&s, 1, 0);
    rx(&s, 3, 10000);
    rx(&s, 4, 400000);
    record_order_tick(s.order, 10000 + RECORD_ORDER_WAIT_US - 1);
    assert_int_equal(s.count, 1);
    rx(&s, 2, 10000 + RECORD_ORDER_WAIT_US - 1); // sent again, just in time
    assert_int_equal(s.count, 4);
    rx(&s, 6, 1000000);
    rx(&s, 8, 1200000);
    record_order_tick(s.order, 1000000 + RECORD_ORDER_WAIT_US);
    assert_int_equal(s.last, 6); // 5 is given up, 7 is still waited for
    rx(&s, 5, 1600000);          // too late
    rx(&s, 6, 1600000);          // twice
    rx(&s, 7, 1600000);
    assert_int_equal(s.last, 8);
    assert_int_equal(s.losses, 1);
    assert_int_equal(record_order_lost(s.order), 1);
    record_order_free(s.order);
}

static void test_end_and_leap(void **state)
{
    (void)state;
    struct seen s;
    begin(&s);
    rx(&s, 1, 0);
    rx(&s, 3, 0);
    rx(&s, 5 + RECORD_ORDER_MAX, 0); // no place for both
    assert_int_equal(s.last, 5 + RECORD_ORDER_MAX);
    rx(&s, 7 + RECORD_ORDER_MAX, 0);
    record_order_flush(s.order);
    assert_int_equal(s.last, 7 + RECORD_ORDER_MAX);
    assert_int_equal(record_order_lost(s.order), s.missing);
    rx(&s, 9 + RECORD_ORDER_MAX, 0); // and is freed with something held back
    record_order_free(s.order);
}

// A link that loses, repeats and reorders: what is not lost for good comes out, once.
static void test_bad_link(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct dice dice = {.state = seed};
        struct seen s;
        enum { PACKETS = 20000, PER_TICK = 20, LATE_MAX = 25 };
        static uint8_t due[PACKETS + 1]; // in how many ticks; 0: sent already or lost
        unsigned gone = 0;
        begin(&s);
        for (uint32_t i = 1; i <= PACKETS; i++) {
            uint32_t late = dice_chance(&dice, 5) ? 1 + dice_below(&dice, LATE_MAX - 2) : 0;
            bool lost = i > 1 && i < PACKETS && dice_below(&dice, 1000) == 0;
            due[i] = lost ? 0 : (uint8_t)(late + 1);
            gone += lost;
        }
        due[1] = 1;
        for (uint32_t tick = 0; tick < PACKETS / PER_TICK + LATE_MAX; tick++) {
            int64_t now_us = (int64_t)tick * TICK_US;
            uint32_t newest = (tick + 1) * PER_TICK < PACKETS ? (tick + 1) * PER_TICK : PACKETS;
            uint32_t oldest = newest > (LATE_MAX + 2) * PER_TICK ? newest - (LATE_MAX + 2) * PER_TICK : 1;
            for (uint32_t i = oldest; i <= newest; i++) {
                if (!due[i] || --due[i])
                    continue;
                rx(&s, i, now_us);
                if (dice_chance(&dice, 2))
                    rx(&s, i, now_us);
            }
            record_order_tick(s.order, now_us);
        }
        record_order_flush(s.order);
        assert_int_equal(s.count + gone, PACKETS);
        assert_int_equal(s.missing, gone);
        record_order_free(s.order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_waits_then_goes_on),
        cmocka_unit_test(test_end_and_leap),
        cmocka_unit_test(test_bad_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
