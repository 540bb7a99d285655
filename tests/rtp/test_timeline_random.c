// Do the timeline's promises hold whatever the network and the user do? (rtp/timeline.h)
// SPDX-License-Identifier: MIT
//
// A publisher sends up to three layers at once, 30 pictures a second with three temporal layers; packets are lost,
// come late or twice; temporal layers and padding are dropped; the subscriber changes the layer, pauses, and the
// publisher comes back under new SSRCs. Everything is drawn from a seed, played, and then what was sent is judged as
// a whole.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/seq.h"
#include "rtp/timeline.h"
#include "tests/rtp/dice.h"

enum {
    CLOCK_HZ = 90000,
    FRAME_TS = 3000,
    FRAME_US = 33333,
    STREAMS_MAX = 48, // SSRCs in one run
    PACKETS_MAX = 5,  // of a picture, padding included
    SPANS_MAX = 2048,
    LIP_ERROR_TS = CLOCK_HZ / 5,
};

struct plan {
    uint32_t pictures;
    unsigned layers, spans;
    uint32_t loss, reorder, drop, padding, change, restart; // percent
    bool mapped;                                            // sender reports are known
};

enum fate { LOST, UNTOLD, FORWARDED, DROPPED, FILLED, REFUSED };

// One packet of the publisher.
struct sample {
    struct timeline_packet in, out;
    int64_t due_us;
    uint32_t picture;
    uint8_t temporal;
    bool first, gone, padding;
    enum fate fate;
    bool begins;    // the switch to its layer
    uint32_t stint; // how many switches there had been when it came
};

struct stream {
    unsigned slot;
    uint64_t first_seq;
    uint32_t ts_base;
    struct sample *sample; // by sequence number
    uint32_t count;
};

static struct dice dice;
static struct plan plan;
static struct stream streams[STREAMS_MAX];
static uint16_t stream_count;
static struct sample **arrivals; // in order
static uint32_t arrival_count;

static struct timeline timeline;
static struct timeline_span spans[SPANS_MAX];
static uint64_t first_out;
static struct sample **owner; // by output number
static uint32_t owner_max;
static uint32_t stint;
static int wish;    // the slot to switch to, or -1
static bool paused; // until the switch after paused_until_us
static int64_t paused_until_us;

// ---- what the publisher sends
// --------------------------------------------------------------------------------------

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);
    assert_non_null(p);
    return p;
}

static struct stream *new_stream(unsigned slot, uint32_t pictures)
{
    assert_true(stream_count < STREAMS_MAX);
    struct stream *s = &streams[stream_count++];
    *s = (struct stream){
        .slot = slot,
        .first_seq = 65536 + 65530 - dice_below(&dice, 300),
        .ts_base = (uint32_t)dice_next(&dice),
        .sample = allocate(pictures * PACKETS_MAX, sizeof *s->sample),
    };
    if (dice_chance(&dice, 50))
        s->ts_base = UINT32_MAX - dice_below(&dice, 100U * FRAME_TS);
    return s;
}

static void add_sample(struct stream *s, struct sample p, int64_t due_us)
{
    struct sample *q = &s->sample[s->count];
    *q = p;
    q->in.layer = (uint16_t)(s - streams);
    q->in.seq = s->first_seq + s->count++;
    q->due_us = due_us;
    if (dice_chance(&dice, plan.reorder))
        q->due_us += dice_below(&dice, 80000);
    if (!dice_chance(&dice, plan.loss)) {
        q->fate = UNTOLD;
        arrivals[arrival_count++] = q;
    }
}

static void send_picture(struct stream *s, uint32_t picture, unsigned limit)
{
    static const uint8_t pattern[] = {0, 2, 1, 2};
    uint8_t temporal = pattern[picture % 4];
    int64_t now_us = (int64_t)picture * FRAME_US + s->slot * 4000;
    struct sample p = {
        .in = {.ts = s->ts_base + picture * FRAME_TS,
               .picture_id = (uint16_t)(picture + s->slot * 1000),
               .tl0picidx = (uint8_t)(picture / 4 + s->slot * 100)},
        .picture = picture,
        .temporal = temporal,
        .first = true,
        .gone = temporal > limit,
    };
    for (uint32_t n = 1 + dice_below(&dice, PACKETS_MAX - 1); n; n--) {
        add_sample(s, p, now_us += 200);
        p.first = false;
    }
    p.gone = false;
    p.padding = true;
    if (dice_chance(&dice, plan.padding))
        add_sample(s, p, now_us + 200);
}

static int by_due(const void *a, const void *b)
{
    const struct sample *p = *(struct sample *const *)a, *q = *(struct sample *const *)b;
    if (p->due_us != q->due_us)
        return p->due_us < q->due_us ? -1 : 1;
    if (p->in.layer != q->in.layer)
        return p->in.layer < q->in.layer ? -1 : 1;
    return p->in.seq < q->in.seq ? -1 : 1;
}

static void publish(void)
{
    uint32_t max = plan.pictures * PACKETS_MAX * plan.layers;
    arrivals = allocate(max, sizeof(struct sample *));
    struct stream *live[3];
    for (unsigned i = 0; i < plan.layers; i++)
        live[i] = new_stream(i, plan.pictures);

    unsigned limit = 2;
    for (uint32_t picture = 0; picture < plan.pictures; picture++) {
        if (dice_chance(&dice, plan.drop))
            limit = dice_below(&dice, 3);
        bool restart = dice_chance(&dice, plan.restart) && stream_count + plan.layers < STREAMS_MAX;
        for (unsigned i = 0; i < plan.layers; i++) {
            if (restart)
                live[i] = new_stream(i, plan.pictures);
            send_picture(live[i], picture, limit);
        }
    }
    qsort(arrivals, arrival_count, sizeof(struct sample *), by_due);
    owner_max = max + 1000;
    owner = allocate(owner_max, sizeof(struct sample *));
}

static int clean_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < stream_count; i++)
        free(streams[i].sample);
    free(arrivals);
    free(owner);
    stream_count = 0;
    arrival_count = 0;
    arrivals = owner = NULL;
    return 0;
}

// ---- what the subscriber gets ------------------------------------------------------------------------------------

static bool is_roomy(void)
{
    return plan.spans == SPANS_MAX; // nothing falls out
}

static struct sample *sample_of(uint16_t layer, uint64_t seq)
{
    const struct stream *s = &streams[layer];
    return seq >= s->first_seq && seq < s->first_seq + s->count ? &s->sample[seq - s->first_seq] : NULL;
}

// (a) no two packets share a number, (c) the way back leads to the same packet.
static void claim(struct sample *p, bool newest)
{
    assert_true(p->out.seq >= first_out && p->out.seq - first_out < owner_max);
    struct sample **o = &owner[p->out.seq - first_out];
    assert_true(!*o || *o == p);
    *o = p;

    uint16_t layer;
    uint64_t seq;
    bool known = timeline_reverse(&timeline, (uint16_t)p->out.seq, &layer, &seq);
    assert_true(known || !(newest || is_roomy()));
    assert_true(!known || (layer == p->in.layer && seq == p->in.seq));
}

static bool try_switch(struct sample *p)
{
    const struct stream *s = &streams[p->in.layer];
    if (wish != (int)s->slot || !p->first || p->temporal || (paused && p->due_us < paused_until_us))
        return false;
    uint32_t same = 0;
    if (timeline_started(&timeline))
        same = streams[timeline.newest.layer].ts_base + p->picture * FRAME_TS;
    if (timeline_switch(&timeline, &p->in, plan.mapped ? &same : NULL, p->due_us, &p->out))
        return false;
    wish = -1;
    paused = false;
    stint++;
    return true;
}

static void receive(struct sample *p)
{
    struct timeline_packet before = timeline.newest;
    if (try_switch(p)) {
        p->fate = FORWARDED;
        p->begins = true;
        if (stint == 1)
            first_out = p->out.seq;
        assert_true(stint == 1 || p->out.seq > before.seq);
    } else if (paused) {
        return;
    } else if (p->gone || p->padding) {
        p->fate = timeline_drop(&timeline, &p->in, p->gone, &p->out) ? FILLED : DROPPED;
    } else {
        p->fate = timeline_forward(&timeline, &p->in, p->due_us, &p->out) ? REFUSED : FORWARDED;
    }
    p->stint = stint;
    if (p->fate == FORWARDED || p->fate == FILLED)
        claim(p, p->out.seq > before.seq);
}

static void assert_same_numbers(const struct timeline_packet *a, const struct timeline_packet *b)
{
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->ts, b->ts);
    assert_int_equal(a->picture_id, b->picture_id);
    assert_int_equal(a->tl0picidx, b->tl0picidx);
    assert_int_equal(a->layer, b->layer);
}

// The receiver asks again for something recent.
static void ask_again(void)
{
    uint64_t last = timeline.newest.seq;
    uint32_t back = dice_below(&dice, 300);
    if (!first_out || last - first_out < back)
        return;
    struct sample *p = owner[last - back - first_out];
    uint16_t layer;
    uint64_t seq;
    bool known = timeline_reverse(&timeline, (uint16_t)(last - back), &layer, &seq);
    assert_true(known || !is_roomy());
    if (!known)
        return;
    if (!p) { // a hole: then it must be of a packet that nobody got in another place
        struct sample *q = sample_of(layer, seq);
        assert_true(q && q->fate != FORWARDED && q->fate != FILLED);
        return;
    }
    assert_int_equal(layer, p->in.layer);
    assert_int_equal(seq, p->in.seq);
    if (p->fate != FORWARDED)
        return;
    struct timeline_packet out, newest = timeline.newest;
    assert_int_equal(timeline_forward(&timeline, &p->in, 0, &out), 0);
    assert_same_numbers(&out, &p->out);
    assert_same_numbers(&newest, &timeline.newest);
}

static void subscribe(void)
{
    timeline_init(&timeline, spans, plan.spans, CLOCK_HZ, (uint16_t)(32767 - dice_below(&dice, 2000)));
    first_out = 0;
    stint = 0;
    paused = false;
    wish = (int)dice_below(&dice, plan.layers);
    for (uint32_t i = 0; i < arrival_count; i++) {
        receive(arrivals[i]);
        ask_again();
        if (wish >= 0 || !dice_chance(&dice, plan.change))
            continue;
        wish = (int)dice_below(&dice, plan.layers);
        paused = dice_chance(&dice, 30);
        if (paused)
            paused_until_us = arrivals[i]->due_us + dice_below(&dice, 500000);
    }
}

// ---- judgement ---------------------------------------------------------------------------------------------------

// A packet between two that were sent: does it leave a hole? What came before the switch to its layer, or in a pause,
// is as good as lost; only of the lost ones that would have been dropped the timeline may know it.
static void count_hole(const struct sample *x, uint32_t since, uint64_t *most, uint64_t *least)
{
    bool missed = x->fate == LOST || x->stint < since;
    assert_true(missed || x->fate == DROPPED);
    assert_true(x->fate == LOST || x->fate == DROPPED || plan.reorder);
    *most += missed;
    *least += missed && !x->gone && !x->padding;
}

// (b) the order is kept; (d) holes are what was lost, no more and no less.
static void judge_holes(const struct sample *p, const struct sample *q, uint32_t begun)
{
    uint64_t holes = q->out.seq - p->out.seq - 1;
    if (q->begins) {
        assert_true(plan.loss || plan.reorder || !holes);
        return;
    }
    assert_int_equal(p->in.layer, q->in.layer);
    assert_true(p->in.seq < q->in.seq);
    uint64_t most = 0, least = 0;
    for (const struct sample *x = p + 1; x < q; x++)
        count_hole(x, begun, &most, &least);
    assert_in_range(holes, least, most);
}

static bool is_same_picture(const struct sample *p, const struct sample *q)
{
    return p->in.layer == q->in.layer && p->picture == q->picture;
}

// (e) time and picture ids go up with each picture, by as much as they did at the publisher.
static void judge_time(const struct sample *p, const struct sample *q)
{
    bool same = is_same_picture(p, q);
    int32_t ts = ts_diff(q->out.ts, p->out.ts);
    int16_t id = seq_diff(q->out.picture_id, p->out.picture_id);
    assert_true(same ? ts == 0 : ts > 0);
    assert_true(same ? id == 0 : id > 0);
    if (!q->begins)
        assert_int_equal(q->out.ts - p->out.ts, q->in.ts - p->in.ts);
    if (!plan.loss && !plan.reorder && !same)
        assert_int_equal(id, 1);
}

static void judge_tl0picidx(const struct sample *p, const struct sample *q)
{
    if (q->temporal == 0 && !plan.loss && !plan.reorder)
        assert_int_equal((uint8_t)(q->out.tl0picidx - p->out.tl0picidx), is_same_picture(p, q) ? 0 : 1);
}

static uint32_t judge(void)
{
    const struct sample *p = NULL, *shown = NULL, *base = NULL;
    uint32_t forwarded = 0, begun = 0, lip = 0;
    for (uint64_t n = 0; n <= timeline.newest.seq - first_out; n++) {
        const struct sample *q = owner[n];
        if (!q)
            continue;
        if (p && is_roomy())
            judge_holes(p, q, begun);
        p = q;
        begun += q->begins;
        if (q->fate != FORWARDED)
            continue;
        forwarded++;
        if (!shown)
            lip = q->out.ts - q->picture * FRAME_TS;
        else
            judge_time(shown, q);
        if (base)
            judge_tl0picidx(base, q);
        if (plan.mapped)
            assert_in_range(q->out.ts - q->picture * FRAME_TS - lip, 0, LIP_ERROR_TS);
        shown = q;
        if (q->temporal == 0)
            base = q;
    }
    return forwarded;
}

// ---- plans -------------------------------------------------------------------------------------------------------

static uint32_t play(uint64_t seed, const struct plan *what)
{
    dice = (struct dice){seed};
    plan = *what;
    publish();
    subscribe();
    uint32_t forwarded = first_out ? judge() : 0;
    clean_up(NULL);
    return forwarded;
}

static void play_many(uint32_t runs, const struct plan *what, uint32_t forwarded_min)
{
    uint64_t forwarded = 0;
    for (uint32_t seed = 0; seed < runs; seed++)
        forwarded += play(seed, what);
    assert_true(forwarded > forwarded_min); // the runs were about something
}

static void a_perfect_network(void **state)
{
    (void)state;
    play_many(300, &(struct plan){.pictures = 150, .layers = 3, .spans = SPANS_MAX, .mapped = true}, 50000);
}

static void drops_and_switches_without_loss(void **state)
{
    (void)state;
    struct plan p = {.pictures = 150, .layers = 3, .spans = SPANS_MAX, .drop = 10, .padding = 20, .change = 3};
    play_many(500, &p, 50000);
    p.mapped = true;
    play_many(500, &p, 50000);
}

static void packets_come_late(void **state)
{
    (void)state;
    struct plan p = {.pictures = 150, .layers = 3, .spans = SPANS_MAX, .reorder = 15, .drop = 10, .padding = 10};
    play_many(500, &p, 50000);
    p.change = 3;
    play_many(500, &p, 50000);
}

static void everything_at_once(void **state)
{
    (void)state;
    struct plan p = {.pictures = 150,
                     .layers = 3,
                     .spans = SPANS_MAX,
                     .loss = 5,
                     .reorder = 15,
                     .drop = 10,
                     .padding = 10,
                     .change = 2,
                     .restart = 2,
                     .mapped = true};
    play_many(1000, &p, 50000);
    p.loss = 40;
    p.mapped = false;
    play_many(500, &p, 20000);
}

static void few_spans(void **state)
{
    (void)state;
    struct plan p = {.pictures = 150, .layers = 2, .loss = 5, .reorder = 15, .drop = 10, .padding = 10, .change = 2};
    for (p.spans = 1; p.spans <= 64; p.spans *= 2)
        play_many(100, &p, 5000);
}

static void numbers_go_round_and_round(void **state)
{
    (void)state;
    struct plan p = {.pictures = 40000, .layers = 2, .spans = 128, .loss = 1, .reorder = 2, .drop = 1, .padding = 5};
    assert_true(play(1, &p) > 2 * 65536 / 3);
    p.change = 1;
    assert_true(play(2, &p) > 65536 / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_perfect_network, clean_up),
        cmocka_unit_test_teardown(drops_and_switches_without_loss, clean_up),
        cmocka_unit_test_teardown(packets_come_late, clean_up),
        cmocka_unit_test_teardown(everything_at_once, clean_up),
        cmocka_unit_test_teardown(few_spans, clean_up),
        cmocka_unit_test_teardown(numbers_go_round_and_round, clean_up),
    };
    return cmocka_run_group_tests_name("rtp/timeline_random", tests, NULL, NULL);
}
