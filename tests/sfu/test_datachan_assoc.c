// Do messages on streams come through SCTP, in pieces, over resets and to the end?
// SPDX-License-Identifier: MIT
//
// Two associations wired to each other, in the test's thread and on its clock.
#include "sfu/datachan_assoc.h"

#include <errno.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sfu/datachan.h"
#include "tests/rtp/dice.h"
#include "tests/sfu/wall.h"

enum { STEP_US = 10000, PORT_A = 5000, PORT_B = 6000, NONE = 0xffff };

struct end {
    struct wire *wire;
    struct assoc *assoc;
    bool deaf, alive;

    uint16_t sid, reset; // of the last message, of the last reset
    uint32_t ppid;
    unsigned messages, pieces, resets;
    GByteArray *message;
};

struct wire {
    struct end a, b;
    GQueue packets; // struct packet: under way
    struct dice dice;
    unsigned loss; // percent
};

struct packet {
    struct end *to;
    size_t len;
    uint8_t data[DATACHAN_PACKET_MAX];
};

static const struct assoc_manner reliable = {.reliability = ASSOC_RELIABLE};

static void on_packet(void *arg, const void *data, size_t len)
{
    struct end *from = arg;
    struct wire *w = from->wire;
    struct packet *p = g_new(struct packet, 1);
    assert_in_range(len, 1, DATACHAN_PACKET_MAX);
    p->to = from == &w->a ? &w->b : &w->a;
    p->len = len;
    memcpy(p->data, data, len);
    g_queue_push_tail(&w->packets, p);
}

static void on_message(void *arg, uint16_t sid, uint32_t ppid, const uint8_t *data, size_t len, bool last)
{
    struct end *end = arg;
    if (end->pieces == 0)
        g_byte_array_set_size(end->message, 0);
    g_byte_array_append(end->message, data, (guint)len);
    end->pieces = last ? 0 : end->pieces + 1;
    end->messages += last;
    end->sid = sid;
    end->ppid = ppid;
}

static void on_reset(void *arg, uint16_t sid)
{
    struct end *end = arg;
    end->reset = sid;
    end->resets++;
}

static void run(struct wire *w, int64_t for_us)
{
    for (int64_t end_us = clock_us + for_us; clock_us < end_us; clock_us += STEP_US) {
        GQueue now = w->packets;
        g_queue_init(&w->packets);
        struct packet *p;
        while ((p = g_queue_pop_head(&now))) {
            if (p->to->assoc && !p->to->deaf && !dice_chance(&w->dice, w->loss))
                assoc_rx(p->to->assoc, p->data, p->len);
            g_free(p);
        }
        w->a.alive = w->a.assoc && assoc_turn(w->a.assoc);
        w->b.alive = w->b.assoc && assoc_turn(w->b.assoc);
        assoc_library_tick(STEP_US);
    }
}

static void open_end(struct wire *w, struct end *end, uint16_t local, uint16_t remote)
{
    static const struct assoc_handlers handlers = {on_packet, on_message, on_reset};
    end->wire = w;
    end->reset = NONE;
    end->message = g_byte_array_new();
    end->assoc = assoc_new(local, remote, &handlers, end);
}

static void open_wire(struct wire *w)
{
    memset(w, 0, sizeof(*w));
    g_queue_init(&w->packets);
    assoc_library_start();
    open_end(w, &w->a, PORT_A, PORT_B);
    open_end(w, &w->b, PORT_B, PORT_A);
    assert_int_equal(assoc_streams(w->a.assoc), 0);
    run(w, 200000);
    assert_int_equal(assoc_streams(w->a.assoc), ASSOC_STREAMS);
    assert_int_equal(assoc_streams(w->b.assoc), ASSOC_STREAMS);
}

static void close_end(struct end *end)
{
    if (end->assoc)
        assoc_free(end->assoc);
    end->assoc = NULL;
    g_byte_array_unref(end->message);
}

static void close_wire(struct wire *w)
{
    close_end(&w->a);
    close_end(&w->b);
    assoc_library_stop();
    g_queue_clear_full(&w->packets, g_free);
}

static void messages_keep_stream_and_kind(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    assert_int_equal(assoc_send(w.a.assoc, 7, 53, &reliable, "\0\1\2", 3), 0);
    run(&w, 100000);
    assert_int_equal(w.b.messages, 1);
    assert_int_equal(w.b.sid, 7);
    assert_int_equal(w.b.ppid, 53);
    assert_int_equal(w.b.message->len, 3);
    assert_memory_equal(w.b.message->data, "\0\1\2", 3);
    assert_int_equal(assoc_send(w.b.assoc, 1023, 51, &reliable, "x", 1), 0);
    run(&w, 100000);
    assert_int_equal(w.a.sid, 1023);
    assert_true(assoc_send(w.b.assoc, ASSOC_STREAMS, 51, &reliable, "x", 1) < 0);
    close_wire(&w);
}

static void long_messages_come_in_pieces(void **state)
{
    (void)state;
    struct wire w;
    GByteArray *data = g_byte_array_new();
    for (unsigned i = 0; i < 100000; i++)
        g_byte_array_append(data, (const guint8[]){(guint8)(i * 7 >> 3)}, 1);
    open_wire(&w);
    w.loss = 5;
    assert_int_equal(assoc_send(w.a.assoc, 0, 53, &reliable, data->data, data->len), 0);
    run(&w, 20000000);
    assert_int_equal(w.b.messages, 1);
    assert_int_equal(w.b.message->len, data->len);
    assert_memory_equal(w.b.message->data, data->data, data->len);
    g_byte_array_unref(data);
    close_wire(&w);
}

static void a_full_buffer_says_so(void **state)
{
    (void)state;
    static const uint8_t block[10000];
    struct wire w;
    unsigned taken = 0;
    open_wire(&w);
    w.b.deaf = true;
    while (taken < 100 && assoc_send(w.a.assoc, 0, 53, &reliable, block, sizeof(block)) == 0)
        taken++;
    assert_in_range(taken, 5, 14); // 128 KiB
    assert_int_equal(assoc_send(w.a.assoc, 0, 53, &reliable, block, sizeof(block)), -EAGAIN);
    w.b.deaf = false;
    run(&w, 10000000);
    assert_int_equal(w.b.messages, taken);
    assert_int_equal(assoc_send(w.a.assoc, 0, 53, &reliable, block, sizeof(block)), 0);
    close_wire(&w);
}

static void what_may_be_lost_is_given_up(void **state)
{
    (void)state;
    const struct assoc_manner timed = {.unordered = true, .reliability = ASSOC_TIMED, .limit = 200};
    const struct assoc_manner once = {.reliability = ASSOC_REXMIT, .limit = 0};
    struct wire w;
    open_wire(&w);
    w.loss = 100;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(assoc_send(w.a.assoc, 1, 51, &timed, "old", 3), 0);
        assert_int_equal(assoc_send(w.a.assoc, 2, 51, &once, "old", 3), 0);
    }
    run(&w, 2000000);
    w.loss = 0;
    assert_int_equal(assoc_send(w.a.assoc, 3, 51, &reliable, "new", 3), 0);
    run(&w, 10000000);
    assert_int_equal(w.b.messages, 1);
    assert_int_equal(w.b.sid, 3);
    close_wire(&w);
}

static void a_reset_stream_begins_anew(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    assert_int_equal(assoc_send(w.a.assoc, 4, 51, &reliable, "last words", 10), 0);
    assoc_reset(w.a.assoc, 4);
    assoc_reset(w.a.assoc, 4);
    assoc_reset(w.a.assoc, ASSOC_STREAMS); // is none
    assert_true(assoc_is_resetting(w.a.assoc, 4));
    assert_false(assoc_is_resetting(w.a.assoc, ASSOC_STREAMS));
    run(&w, 1000000);
    assert_int_equal(w.b.messages, 1); // what was said before is heard
    assert_int_equal(w.b.resets, 1);
    assert_int_equal(w.b.reset, 4);
    assert_false(assoc_is_resetting(w.a.assoc, 4));
    assert_int_equal(assoc_send(w.a.assoc, 4, 51, &reliable, "x", 1), 0);
    run(&w, 100000);
    assert_int_equal(w.b.messages, 2);
    close_wire(&w);
}

static void resets_wait_for_each_other(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    for (uint16_t sid = 0; sid < 20; sid++) {
        assoc_reset(w.a.assoc, sid);
        assoc_reset(w.b.assoc, sid);
        run(&w, STEP_US);
    }
    run(&w, 5000000);
    assert_int_equal(w.a.resets, 20);
    assert_int_equal(w.b.resets, 20);
    for (uint16_t sid = 0; sid < 20; sid++)
        assert_false(assoc_is_resetting(w.a.assoc, sid) || assoc_is_resetting(w.b.assoc, sid));
    close_wire(&w);
}

static void an_abort_ends_it(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    assoc_free(w.a.assoc);
    w.a.assoc = NULL;
    run(&w, 100000);
    assert_false(w.b.alive);
    assert_true(assoc_send(w.b.assoc, 0, 51, &reliable, "x", 1) < 0);
    assoc_rx(w.b.assoc, (const uint8_t *)"0123456789abcdef", 16);
    assoc_reset(w.b.assoc, 0);
    assert_false(assoc_turn(w.b.assoc));
    close_wire(&w);
}

static void a_silent_peer_is_given_up(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    w.b.deaf = true;
    assert_int_equal(assoc_send(w.a.assoc, 0, 51, &reliable, "hello?", 6), 0);
    run(&w, 20000000);
    assert_true(w.a.alive);
    run(&w, 200000000);
    assert_false(w.a.alive);
    close_wire(&w);
}

static void one_that_never_answers_is_given_up(void **state)
{
    (void)state;
    struct wire w;
    memset(&w, 0, sizeof(w));
    g_queue_init(&w.packets);
    assoc_library_start();
    open_end(&w, &w.a, PORT_A, PORT_B);
    w.b.message = g_byte_array_new();
    run(&w, 10000000);
    assert_true(w.a.alive);
    run(&w, 200000000);
    assert_false(w.a.alive);
    close_wire(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_keep_stream_and_kind),
        cmocka_unit_test(long_messages_come_in_pieces),
        cmocka_unit_test(a_full_buffer_says_so),
        cmocka_unit_test(what_may_be_lost_is_given_up),
        cmocka_unit_test(a_reset_stream_begins_anew),
        cmocka_unit_test(resets_wait_for_each_other),
        cmocka_unit_test(an_abort_ends_it),
        cmocka_unit_test(a_silent_peer_is_given_up),
        cmocka_unit_test(one_that_never_answers_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
