// Does the ring find what it holds, hand back what falls out, and nothing twice? (rtp/history.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/history.h"
#include "tests/rtp/dice.h"

enum { CAPACITY = 16 };

static struct history_slot slots[CAPACITY];
static struct history h;
static char packets[4096]; // packet n is the address of packets[n]

static int begin(void **state)
{
    (void)state;
    history_init(&h, slots, CAPACITY);
    return 0;
}

static void *put(uint64_t seq)
{
    return history_put(&h, seq, &packets[seq % sizeof packets]);
}

static void *packet(uint64_t seq)
{
    return &packets[seq % sizeof packets];
}

static void finds_what_it_holds(void **state)
{
    (void)state;
    assert_null(history_get(&h, 100));
    assert_null(history_get(&h, 0));
    assert_null(put(100));
    assert_null(put(101));
    assert_ptr_equal(history_get(&h, 100), packet(100));
    assert_ptr_equal(history_get(&h, 101), packet(101));
    assert_null(history_get(&h, 99));
    assert_null(history_get(&h, 102));
    assert_null(history_get(&h, 100 + CAPACITY));
    assert_null(history_get(&h, 100 - CAPACITY));
}

static void hands_back_the_oldest(void **state)
{
    (void)state;
    for (uint64_t seq = 65536; seq < 65536 + CAPACITY; seq++)
        assert_null(put(seq));
    for (uint64_t seq = 65536; seq < 65536 + 100; seq++) {
        assert_ptr_equal(put(seq + CAPACITY), packet(seq));
        assert_null(history_get(&h, seq));
        assert_ptr_equal(history_get(&h, seq + 1), packet(seq + 1));
    }
}

static void takes_late_packets(void **state)
{
    (void)state;
    put(100);
    put(110);
    assert_null(put(105));
    assert_null(put(95)); // the oldest there is room for
    assert_ptr_equal(history_get(&h, 105), packet(105));
    assert_ptr_equal(history_get(&h, 95), packet(95));
    assert_ptr_equal(history_get(&h, 110), packet(110));
}

static void refuses_duplicates_and_the_too_old(void **state)
{
    (void)state;
    put(100);
    assert_ptr_equal(history_put(&h, 100, &packets[7]), &packets[7]);
    assert_ptr_equal(history_get(&h, 100), packet(100));
    put(110);
    assert_ptr_equal(put(94), packet(94));
    assert_null(history_get(&h, 94));
}

// After a leap the old ones still lie in the ring, but must not be found; they come back as their places are taken.
static void a_leap_hides_the_old(void **state)
{
    (void)state;
    for (uint64_t seq = 100; seq < 100 + CAPACITY; seq++)
        put(seq);
    assert_ptr_equal(put(100 + 65536), packet(100));
    for (uint64_t seq = 101; seq < 100 + CAPACITY; seq++)
        assert_null(history_get(&h, seq));
    assert_null(history_get(&h, 101 + 65536 - CAPACITY)); // 101 lies in its place
    assert_ptr_equal(put(101 + 65536), packet(101));
    assert_ptr_equal(put(99 + 65536), packet(115)); // late, into an old one's place
}

static void count(void *p, void *arg)
{
    (void)p;
    ++*(int *)arg;
}

static void clear_gives_all_back(void **state)
{
    (void)state;
    for (uint64_t seq = 100; seq < 110; seq++)
        put(seq);
    int released = 0;
    history_clear(&h, count, &released);
    assert_int_equal(released, 10);
    assert_null(history_get(&h, 105));
    assert_null(put(3)); // a new beginning may be lower
    assert_ptr_equal(history_get(&h, 3), packet(3));
    history_clear(&h, count, &released);
    assert_int_equal(released, 11);
}

// Against a model that remembers everything.
static void forgets_no_reference(void **state)
{
    (void)state;
    struct dice dice = {1};
    static uint8_t held[sizeof packets];
    uint64_t newest = 2000;
    int holds = 1;
    put(newest);
    held[newest] = 1;
    for (int n = 0; n < 100000; n++) {
        uint64_t seq = newest + dice_below(&dice, 2 * CAPACITY + 2) - 2 * CAPACITY;
        size_t i = seq % sizeof packets;
        bool fits = newest < CAPACITY + seq;
        char *out = put(seq);
        if (out == packet(seq)) {
            assert_true(held[i] || !fits);
            continue;
        }
        assert_true(fits && !held[i]);
        held[i] = 1;
        holds++;
        if (out) {
            assert_true(held[out - packets]);
            held[out - packets] = 0;
            holds--;
        }
        if (seq > newest)
            newest = seq;
        assert_ptr_equal(history_get(&h, seq), packet(seq));
        assert_in_range(holds, 1, CAPACITY);
    }
    int released = 0;
    history_clear(&h, count, &released);
    assert_int_equal(released, holds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_what_it_holds, begin),
        cmocka_unit_test_setup(hands_back_the_oldest, begin),
        cmocka_unit_test_setup(takes_late_packets, begin),
        cmocka_unit_test_setup(refuses_duplicates_and_the_too_old, begin),
        cmocka_unit_test_setup(a_leap_hides_the_old, begin),
        cmocka_unit_test_setup(clear_gives_all_back, begin),
        cmocka_unit_test_setup(forgets_no_reference, begin),
    };
    return cmocka_run_group_tests_name("rtp/history", tests, NULL, NULL);
}
