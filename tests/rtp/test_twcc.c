// Does the sender learn exactly what arrived, and when? (rtp/twcc.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/seq.h"
#include "rtp/twcc.h"

static struct rtcpfb feedback_of(const void *octets, size_t len)
{
    struct reader r = reader_of(octets, len);
    struct rtcp p;
    struct rtcpfb fb;
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(rtcpfb_parse(&p, &fb), 0);
    assert_int_equal(fb.kind, RTCPFB_TWCC);
    return fb;
}

static struct twcc parse(const void *octets, size_t len)
{
    struct rtcpfb fb = feedback_of(octets, len);
    struct twcc t;
    assert_int_equal(twcc_parse(&fb, &t), 0);
    return t;
}

// ---- octets -------------------------------------------------------------------------------------------------

struct arrival {
    uint16_t seq;
    int64_t at_us;
};

static void expect_octets(const struct arrival *arrivals, size_t n, const uint8_t *want, size_t len)
{
    static struct twcc_recv recv;
    uint8_t buf[256];
    twcc_recv_init(&recv);
    for (size_t i = 0; i < n; i++)
        twcc_recv_rx(&recv, arrivals[i].seq, arrivals[i].at_us);
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)), len);
    assert_memory_equal(buf, want, len);
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)), 0);
}

#define EXPECT_OCTETS(arrivals, ...)                                                                                 \
    expect_octets(arrivals, sizeof(arrivals) / sizeof(*(arrivals)), (const uint8_t[]){__VA_ARGS__},                  \
                  sizeof((const uint8_t[]){__VA_ARGS__}))

static void a_run(void **state)
{
    (void)state;
    const struct arrival a[] = {{10, 64000 * 3 + 1000}, {11, 64000 * 3 + 1250}, {12, 64000 * 3 + 2000}};
    EXPECT_OCTETS(a, 0x8f, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 10, 0, 3, 0, 0, 3, 0, // head, fb 0
                  0x20, 3, 4, 1, 3, 0, 0, 0);
}

static void a_vector_of_one_bit(void **state)
{
    (void)state;
    const struct arrival a[] = {{65535, 0}, {1, 500}, {2, 64000}};
    EXPECT_OCTETS(a, 0x8f, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0, 4, 0, 0, 0, 0, //
                  0xac, 0x00, 0, 2, 254, 0, 0, 0);
}

static void a_vector_of_two_bits(void **state)
{
    (void)state;
    // 8 arrives before 7: a negative delta of -2 ticks; 10 comes 100 ms later.
    const struct arrival a[] = {{5, 1000}, {8, 1250}, {7, 1750}, {10, 101250}};
    EXPECT_OCTETS(a, 0x8f, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 6, 0, 0, 0, 0, //
                  0xd1, 0x88, 4, 3, 0xff, 0xfe, 0x01, 0x90);
}

static void loss_between_runs(void **state)
{
    (void)state;
    struct arrival a[41];
    for (unsigned i = 0; i < 20; i++)
        a[i] = (struct arrival){(uint16_t)i, 0};
    for (unsigned i = 0; i < 21; i++)
        a[20 + i] = (struct arrival){(uint16_t)(100 + i), 0};
    EXPECT_OCTETS(a, 0x8f, 205, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 121, 0, 0, 0, 0, //
                  0x20, 20, 0, 80, 0x20, 21,                                             //
                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                  0, 0, 0, 0, 0, 0, 0, 0, 0);
}

// ---- round trips --------------------------------------------------------------------------------------------

enum { MODEL_MAX = 40000 };

// What a link did, and what the sender was told of it. Index 0 is transport-wide number `first`.
struct model {
    struct twcc_recv recv;
    uint16_t first;
    size_t cap; // of a feedback packet
    int64_t arrived_us[MODEL_MAX];
    bool told[MODEL_MAX];
    bool told_received[MODEL_MAX];
    struct seq_unwrap unwrap;
    struct twcc_clock clock;
    uint8_t next_fb;
    unsigned packets;
};

static struct model *model_new(uint16_t first, size_t cap)
{
    struct model *m = calloc(1, sizeof(*m));
    m->first = first;
    m->cap = cap;
    twcc_recv_init(&m->recv);
    for (int i = 0; i < MODEL_MAX; i++)
        m->arrived_us[i] = -1;
    seq_unwrap_rx(&m->unwrap, first);
    return m;
}

static void model_told(struct model *m, const struct twcc_status *s, int64_t base_us)
{
    int64_t i = (int64_t)seq_unwrap_rx(&m->unwrap, s->seq) - 65536 - m->first;
    assert_in_range(i, 0, MODEL_MAX - 1);
    m->told[i] = true;
    if (!s->received) {
        assert_false(m->told_received[i]);
        return;
    }
    m->told_received[i] = true;
    assert_true(m->arrived_us[i] >= 0);
    assert_int_equal(base_us + s->offset_us, m->arrived_us[i] / TWCC_TICK_US * TWCC_TICK_US);
}

static void model_flush(struct model *m)
{
    uint8_t *buf = malloc(m->cap);
    size_t len;
    while ((len = twcc_recv_write(&m->recv, 1, 2, buf, m->cap))) {
        assert_true(len <= m->cap);
        struct twcc t = parse(buf, len);
        assert_int_equal(t.fb_count, m->next_fb++);
        assert_true(t.count > 0);
        int64_t base_us = twcc_clock_rx(&m->clock, t.ref_time);
        struct twcc_iter it = twcc_iter(&t);
        struct twcc_status s;
        unsigned n = 0;
        for (; twcc_next(&it, &s); n++) {
            assert_int_equal(s.seq, (uint16_t)(t.base_seq + n));
            model_told(m, &s, base_us);
        }
        assert_int_equal(n, t.count);
        assert_int_equal(reader_left(&it.deltas), 0);
        m->packets++;
    }
    free(buf);
}

static void model_rx(struct model *m, unsigned i, int64_t now_us)
{
    twcc_recv_rx(&m->recv, (uint16_t)(m->first + i), now_us);
    if (m->arrived_us[i] < 0)
        m->arrived_us[i] = now_us;
    if (twcc_recv_due(&m->recv, now_us))
        model_flush(m);
}

// Everything up to number n was told, and rightly.
static void model_end(struct model *m, unsigned n)
{
    model_flush(m);
    for (unsigned i = 0; i < n; i++) {
        if (!m->told[i])
            fail_msg("number %u was never told", i);
        assert_int_equal(m->told_received[i], m->arrived_us[i] >= 0);
    }
    free(m);
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void no_loss(void **state)
{
    (void)state;
    struct model *m = model_new(65000, 1200);
    for (unsigned i = 0; i < 5000; i++)
        model_rx(m, i, 1000 * (int64_t)i);
    model_flush(m);
    assert_in_range(m->packets, 80, 110); // 5 s, every 50 ms
    model_end(m, 5000);
}

static void random_loss(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (unsigned percent = 1; percent < 100; percent += 14) {
        struct model *m = model_new((uint16_t)random_next(&seed), 1200);
        int64_t now_us = 123456789;
        unsigned last = 0;
        for (unsigned i = 0; i < 10000; i++) {
            now_us += random_next(&seed) % 3000;
            if (i && random_next(&seed) % 100 < percent)
                continue;
            model_rx(m, i, now_us);
            last = i;
        }
        model_end(m, last + 1);
    }
}

static void reorder_and_duplicates(void **state)
{
    (void)state;
    uint32_t seed = 3;
    struct model *m = model_new(60000, 1200);
    unsigned order[20000];
    for (unsigned i = 0; i < 20000; i++)
        order[i] = i;
    for (unsigned i = 1; i + 200 < 20000; i++) { // the first stays first: nothing is known of what was before it
        unsigned j = i + random_next(&seed) % (i % 500 < 50 ? 150 : 3);
        unsigned swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (unsigned k = 0; k < 20000; k++) {
        model_rx(m, order[k], 700 * (int64_t)k);
        if (k % 10 == 0)
            model_rx(m, order[k], 700 * (int64_t)k + 300);
    }
    model_end(m, 20000);
}

static void small_packets(void **state)
{
    (void)state;
    uint32_t seed = 9;
    for (size_t cap = TWCC_WRITE_MIN; cap < TWCC_WRITE_MIN + 8; cap++) {
        struct model *m = model_new(1, cap);
        int64_t now_us = 0;
        for (unsigned i = 0; i < 3000; i++) {
            now_us += random_next(&seed) % 100000;
            if (i % 7 == 0 || random_next(&seed) % 3 || i == 2999)
                model_rx(m, i, now_us);
        }
        model_end(m, 3000);
    }
}

static void any_capacity(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (size_t cap = TWCC_WRITE_MIN; cap < 1500; cap += 11) {
        struct model *m = model_new((uint16_t)cap, cap);
        for (unsigned i = 0; i < 500; i++)
            if (i == 0 || i == 499 || random_next(&seed) % 4)
                model_rx(m, i, 90 * (int64_t)i + (random_next(&seed) % 9 ? 0 : 70000));
        model_end(m, 500);
    }
    static struct twcc_recv recv;
    uint8_t buf[TWCC_WRITE_MIN];
    twcc_recv_init(&recv);
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)), 0);
    twcc_recv_rx(&recv, 1, 1);
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, TWCC_WRITE_MIN - 1), 0);
    assert_true(twcc_recv_write(&recv, 1, 2, buf, TWCC_WRITE_MIN) > 0);
}

static void a_silence_longer_than_a_delta(void **state)
{
    (void)state;
    static struct twcc_recv recv;
    uint8_t buf[200];
    twcc_recv_init(&recv);
    twcc_recv_rx(&recv, 1, 1000000);
    twcc_recv_rx(&recv, 2, 1000000 + 8191750);
    twcc_recv_rx(&recv, 3, 1000000 + 8191750 + 8192000);
    struct twcc first = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(first.count, 2);
    struct twcc second = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(second.base_seq, 3);
    assert_int_equal(second.count, 1);
    assert_int_equal(second.ref_time, (1000000 + 8191750 + 8192000) / TWCC_REF_US);
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)), 0);
}

static void the_reference_time_wraps(void **state)
{
    (void)state;
    struct model *m = model_new(0, 1200);
    int64_t wrap_us = INT64_C(0x1000000) * TWCC_REF_US;
    m->clock = (struct twcc_clock){0xfffff0, true};
    for (unsigned i = 0; i < 1000; i++)
        model_rx(m, i, wrap_us - 500000 + 1000 * (int64_t)i);
    assert_true(m->clock.ref > 0xffffff);
    model_end(m, 1000);
}

static void a_late_packet_is_told_again(void **state)
{
    (void)state;
    static struct twcc_recv recv;
    uint8_t buf[200];
    struct twcc_status s;
    twcc_recv_init(&recv);
    twcc_recv_rx(&recv, 1, 0);
    twcc_recv_rx(&recv, 3, 1000);
    struct twcc t = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(t.count, 3);
    twcc_recv_rx(&recv, 2, 2000);
    t = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(t.base_seq, 2);
    assert_int_equal(t.count, 2);
    struct twcc_iter it = twcc_iter(&t);
    assert_true(twcc_next(&it, &s) && s.received);
    assert_int_equal(s.offset_us, 2000);
    assert_true(twcc_next(&it, &s) && s.received);
    assert_int_equal(s.delta_us, -1000);
    twcc_recv_rx(&recv, 2, 3000); // a duplicate is no news
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)), 0);
}

static void jumps(void **state)
{
    (void)state;
    static struct twcc_recv recv;
    uint8_t buf[1200];
    twcc_recv_init(&recv);
    twcc_recv_rx(&recv, 10, 0);
    twcc_recv_rx(&recv, 11 + TWCC_RING, 1000); // forgets 10
    struct twcc t = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(t.base_seq, 11 + TWCC_RING);
    assert_int_equal(t.count, 1);
    twcc_recv_rx(&recv, 11 + TWCC_RING - TWCC_RING / 2, 2000); // too old
    assert_int_equal(twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)), 0);
    twcc_recv_rx(&recv, 11 + TWCC_RING - TWCC_RING / 2 + 1, 2000); // not yet
    t = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(t.count, TWCC_RING / 2);

    twcc_recv_init(&recv); // a jump the ring can hold is loss
    twcc_recv_rx(&recv, 10, 0);
    twcc_recv_rx(&recv, 10 + TWCC_RING - 1, 1000);
    t = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(t.count, TWCC_RING);
}

static void nobody_asks_for_feedback(void **state)
{
    (void)state;
    static struct twcc_recv recv;
    static uint8_t buf[8192];
    twcc_recv_init(&recv);
    for (unsigned i = 0; i < 3 * TWCC_RING; i++)
        twcc_recv_rx(&recv, (uint16_t)i, i);
    struct twcc t = parse(buf, twcc_recv_write(&recv, 1, 2, buf, sizeof(buf)));
    assert_int_equal(t.base_seq, 2 * TWCC_RING); // the last ring of them
    assert_int_equal(t.count, TWCC_RING);
}

static void due(void **state)
{
    (void)state;
    static struct twcc_recv recv;
    uint8_t buf[1200];
    twcc_recv_init(&recv);
    assert_false(twcc_recv_due(&recv, 1 << 30));
    twcc_recv_rx(&recv, 1, 5000000);
    assert_false(twcc_recv_due(&recv, 5000000 + TWCC_INTERVAL_US - 1));
    assert_true(twcc_recv_due(&recv, 5000000 + TWCC_INTERVAL_US));
    twcc_recv_write(&recv, 1, 2, buf, sizeof(buf));
    assert_false(twcc_recv_due(&recv, 9000000));
    for (unsigned i = 0; i < TWCC_MANY; i++) {
        assert_false(twcc_recv_due(&recv, 9000000 + TWCC_INTERVAL_MIN_US));
        twcc_recv_rx(&recv, (uint16_t)(2 + i), 9000000);
    }
    assert_false(twcc_recv_due(&recv, 9000000 + TWCC_INTERVAL_MIN_US - 1));
    assert_true(twcc_recv_due(&recv, 9000000 + TWCC_INTERVAL_MIN_US));
    twcc_recv_rx(&recv, 1 + TWCC_FULL, 9000000);
    assert_true(twcc_recv_due(&recv, 9000000));
}

// ---- parsing ------------------------------------------------------------------------------------------------

static void malformed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t octets[12]; // from the base sequence number on
        int want;
    } cases[] = {
        {"two in a run, two deltas", {0, 1, 0, 2, 0, 0, 0, 0, 0x20, 2, 4, 4}, 0},
        {"a run longer than the count", {0, 1, 0, 2, 0, 0, 0, 0, 0x3f, 0xff, 4, 4}, 0},
        {"nothing but loss", {0, 1, 0x80, 0, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff}, -EBADMSG},
        {"8191 lost and 2 chunks", {0, 1, 0x3f, 0xfe, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff}, 0},
        {"a delta missing", {0, 1, 0, 3, 0, 0, 0, 0, 0x20, 3, 4, 4}, -EBADMSG},
        {"half a large delta", {0, 1, 0, 2, 0, 0, 0, 0, 0xd8, 0, 4, 4}, -EBADMSG},
        {"a chunk missing", {0, 1, 0, 30, 0, 0, 0, 0, 0x80, 0, 0x80, 0}, -EBADMSG},
        {"two empty vectors", {0, 1, 0, 28, 0, 0, 0, 0, 0x80, 0, 0x80, 0}, 0},
        {"an empty run, then one", {0, 1, 0, 5, 0, 0, 0, 0, 0x20, 0, 0, 5}, 0},
        {"only empty runs", {0, 1, 0, 5, 0, 0, 0, 0, 0x20, 0, 0x20, 0}, -EBADMSG},
        {"a reserved run", {0, 1, 0, 1, 0, 0, 0, 0, 0x60, 1, 4, 4}, -EBADMSG},
        {"a reserved symbol", {0, 1, 0, 1, 0, 0, 0, 0, 0xf0, 0, 4, 4}, -EBADMSG},
        {"a reserved symbol beyond the count", {0, 1, 0, 1, 0, 0, 0, 0, 0xdc, 0, 4, 4}, 0},
        {"more than half the circle", {0, 1, 0x80, 1, 0, 0, 0, 0, 0x1f, 0xff, 0, 0}, -EBADMSG},
        {"no status", {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t *exact = malloc(24);
        const uint8_t head[12] = {0x8f, 205, 0, 5};
        memcpy(exact, head, 12);
        memcpy(exact + 12, cases[i].octets, 12);
        struct rtcpfb fb = feedback_of(exact, 24);
        struct twcc t;
        if (twcc_parse(&fb, &t) != cases[i].want)
            fail_msg("%s", cases[i].what);
        unsigned n = 0;
        struct twcc_iter it = twcc_iter(&t);
        struct twcc_status s;
        while (cases[i].want == 0 && twcc_next(&it, &s))
            n++;
        if (cases[i].want == 0)
            assert_int_equal(n, t.count);
        free(exact);
    }
}

// With all the octets a lenient reader would want.
static void refused_for_what_it_says(void **state)
{
    (void)state;
    static const struct {
        uint8_t octets[20]; // from the base sequence number on
        int want;
    } cases[] = {
        {{0, 1, 0x80, 0, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff}, 0},
        {{0, 1, 0x80, 1, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff}, -EBADMSG},
        {{0, 1, 0, 2, 0, 0, 0, 0, 0x40, 2}, 0},
        {{0, 1, 0, 2, 0, 0, 0, 0, 0x60, 2}, -EBADMSG}, // reserved symbols
        {{0, 1, 0, 2, 0, 0, 0, 0, 0xe8, 0}, 0},
        {{0, 1, 0, 2, 0, 0, 0, 0, 0xec, 0}, -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t octets[32] = {0x8f, 205, 0, 7};
        memcpy(octets + 12, cases[i].octets, 20);
        struct rtcpfb fb = feedback_of(octets, sizeof(octets));
        struct twcc t;
        assert_int_equal(twcc_parse(&fb, &t), cases[i].want);
    }
}

static void other_feedback_is_refused(void **state)
{
    (void)state;
    const uint8_t octets[20] = {0x81, 205, 0, 4};
    struct reader r = reader_of(octets, sizeof(octets));
    struct rtcp p;
    struct rtcpfb fb;
    struct twcc t;
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(rtcpfb_parse(&p, &fb), 0);
    assert_int_equal(twcc_parse(&fb, &t), -EBADMSG);
}

static void clock_goes_both_ways(void **state)
{
    (void)state;
    struct twcc_clock c = {0};
    assert_int_equal(twcc_clock_rx(&c, 5), 5 * TWCC_REF_US);
    assert_int_equal(twcc_clock_rx(&c, 0xffffff), -1 * TWCC_REF_US); // an older packet, from before the wrap
    assert_int_equal(c.ref, 5);
    assert_int_equal(twcc_clock_rx(&c, 0x800004), INT64_C(0x800004) * TWCC_REF_US);
    assert_int_equal(twcc_clock_rx(&c, 3), INT64_C(0x1000003) * TWCC_REF_US);
}

static void print(void **state)
{
    (void)state;
    const uint8_t octets[] = {0x8f, 205, 0, 6, 0, 0, 0,    1, 0, 0,    0,    2, 0, 5,
                              0,    3,   0, 0, 9, 7, 0xd2, 0, 4, 0xff, 0xfe, 0, 0, 0};
    struct twcc t = parse(octets, sizeof(octets));
    char line[80];
    size_t len = twcc_print(&t, line, sizeof(line));
    assert_string_equal(line, "TWCC 7 ref 9 base 5 count 3: +1000 x -500");
    assert_int_equal(len, strlen(line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run),
        cmocka_unit_test(a_vector_of_one_bit),
        cmocka_unit_test(a_vector_of_two_bits),
        cmocka_unit_test(loss_between_runs),
        cmocka_unit_test(no_loss),
        cmocka_unit_test(random_loss),
        cmocka_unit_test(reorder_and_duplicates),
        cmocka_unit_test(small_packets),
        cmocka_unit_test(any_capacity),
        cmocka_unit_test(a_silence_longer_than_a_delta),
        cmocka_unit_test(the_reference_time_wraps),
        cmocka_unit_test(a_late_packet_is_told_again),
        cmocka_unit_test(jumps),
        cmocka_unit_test(nobody_asks_for_feedback),
        cmocka_unit_test(due),
        cmocka_unit_test(malformed),
        cmocka_unit_test(refused_for_what_it_says),
        cmocka_unit_test(other_feedback_is_refused),
        cmocka_unit_test(clock_goes_both_ways),
        cmocka_unit_test(print),
    };
    return cmocka_run_group_tests_name("rtp/twcc", tests, NULL, NULL);
}
