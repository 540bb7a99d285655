// Do messages come out as they went in, within the bounds, and does nothing stay behind?
// SPDX-License-Identifier: MIT
//
// usrsctp is one per process, so two associations of one hub are wired to each other: what one wants sent, the other
// receives. A third kind of end is raw: usrsctp has no part in what it says.
#include "sfu/datachan.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "sfu/dcep.h"
#include "sfu/now.h"
#include "tests/rtp/dice.h"

enum { A = 1, B = 2, PATIENCE_US = 20000000, KEPT_MAX = 2048 };

struct end {
    struct datachan_message *kept[KEPT_MAX]; // messages of this participant, oldest first
    unsigned count;
    unsigned packets, dropped;
    bool closed;
};

struct wire {
    struct datachan_hub *hub;
    struct mailbox box;
    struct end end[3]; // by id
    struct dice dice;
    unsigned loss; // percent
    uint16_t last_ppid_seen;
};

static void carry(struct wire *w, struct datachan_event *e)
{
    struct end *end = &w->end[e->id];
    assert_false(end->closed); // DATACHAN_CLOSED is the last
    switch (e->type) {
    case DATACHAN_TX:
        assert_in_range(e->len, 1, DATACHAN_PACKET_MAX);
        end->packets++;
        if (dice_chance(&w->dice, w->loss))
            end->dropped++;
        else
            datachan_rx(w->hub, e->id == A ? B : A, e->data, e->len);
        break;
    case DATACHAN_MESSAGE:
        assert_true(end->count < KEPT_MAX);
        end->kept[end->count++] = e->message;
        e->message = NULL;
        break;
    case DATACHAN_CLOSED:
        end->closed = true;
        break;
    }
}

static void drain(struct wire *w)
{
    for (struct mail *mail = mailbox_take(&w->box), *next; mail; mail = next) {
        next = mail->next;
        carry(w, (struct datachan_event *)mail);
        datachan_event_free((struct datachan_event *)mail);
    }
}

typedef bool(wire_is)(const struct wire *w, unsigned number);

static void await(struct wire *w, wire_is *is, unsigned number)
{
    int64_t end_us = now_monotonic_us() + PATIENCE_US;
    for (drain(w); !is(w, number); drain(w)) {
        struct pollfd pfd = {.fd = w->box.fd, .events = POLLIN};
        if (now_monotonic_us() > end_us)
            fail_msg("nothing more came: %u and %u messages", w->end[A].count, w->end[B].count);
        poll(&pfd, 1, 100);
    }
}

static bool a_has(const struct wire *w, unsigned number)
{
    return w->end[A].count >= number;
}

static bool b_has(const struct wire *w, unsigned number)
{
    return w->end[B].count >= number;
}

static bool both_closed(const struct wire *w, unsigned number)
{
    (void)number;
    return w->end[A].closed && w->end[B].closed;
}

static void forget(struct wire *w)
{
    for (unsigned id = A; id <= B; id++) {
        for (unsigned i = 0; i < w->end[id].count; i++)
            free(w->end[id].kept[i]);
        w->end[id].count = 0;
    }
}

static void open_wire(struct wire *w)
{
    memset(w, 0, sizeof(*w));
    mailbox_init(&w->box, NULL, NULL);
    w->hub = datachan_hub_new();
    datachan_open(w->hub, A, &w->box, DATACHAN_PORT, true);
    datachan_open(w->hub, B, &w->box, DATACHAN_PORT, false);
}

static void close_wire(struct wire *w)
{
    datachan_close(w->hub, A);
    datachan_close(w->hub, B);
    await(w, both_closed, 0);
    datachan_hub_free(w->hub);
    drain(w);
    forget(w);
    mailbox_close(&w->box);
}

static void *make(const char *label, const char *protocol, bool binary, const void *data, size_t len)
{
    struct datachan_message *m = calloc(1, sizeof(*m) + len);
    assert_non_null(m);
    snprintf(m->label, sizeof(m->label), "%s", label);
    snprintf(m->protocol, sizeof(m->protocol), "%s", protocol);
    m->binary = binary;
    m->len = len;
    if (len)
        memcpy(m->data, data, len);
    return m;
}

// To participant `id`, from whom it comes out at the other end: as that participant's message.
static void say(struct wire *w, uint64_t id, const char *label, const void *data, size_t len)
{
    struct datachan_message *m = make(label, "", false, data, len);
    datachan_send(w->hub, id, m);
    free(m);
}

static void text(struct wire *w, uint64_t id, const char *label, const char *words)
{
    say(w, id, label, words, strlen(words));
}

// ---- messages ----------------------------------------------------------------------------------------------

static void messages_keep_everything(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    struct datachan_message *m = make("files", "v2", true, "\0\1\2", 3);
    m->channel_type = DCEP_UNORDERED | DCEP_REXMIT;
    m->reliability = 4;
    datachan_send(w.hub, A, m); // before the association is up
    await(&w, b_has, 1);
    const struct datachan_message *got = w.end[B].kept[0];
    assert_string_equal(got->label, "files");
    assert_string_equal(got->protocol, "v2");
    assert_int_equal(got->channel_type, DCEP_UNORDERED | DCEP_REXMIT);
    assert_int_equal(got->reliability, 4);
    assert_true(got->binary);
    assert_int_equal(got->len, 3);
    assert_memory_equal(got->data, "\0\1\2", 3);
    free(m);
    close_wire(&w);
}

static void both_ways_on_one_channel(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    text(&w, A, "chat", "hello");
    await(&w, b_has, 1);
    text(&w, B, "chat", "hello yourself"); // on the channel a opened
    await(&w, a_has, 1);
    assert_int_equal(w.end[A].kept[0]->len, 14);
    assert_false(w.end[A].kept[0]->binary);
    text(&w, B, "other", "x"); // on one that b opens
    text(&w, B, "chat", "y");
    await(&w, a_has, 3);
    close_wire(&w);
}

static void empty_messages_stay_empty(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    struct datachan_message *binary = make("chat", "", true, NULL, 0);
    say(&w, A, "chat", NULL, 0);
    datachan_send(w.hub, A, binary);
    text(&w, A, "chat", "end");
    await(&w, b_has, 3);
    assert_int_equal(w.end[B].kept[0]->len, 0);
    assert_false(w.end[B].kept[0]->binary);
    assert_int_equal(w.end[B].kept[1]->len, 0);
    assert_true(w.end[B].kept[1]->binary);
    assert_int_equal(w.end[B].kept[2]->len, 3);
    free(binary);
    close_wire(&w);
}

static void long_messages_come_whole_and_longer_ones_not_at_all(void **state)
{
    (void)state;
    struct wire w;
    uint8_t *data = malloc(DATACHAN_MESSAGE_MAX + 1);
    assert_non_null(data);
    for (size_t i = 0; i <= DATACHAN_MESSAGE_MAX; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    open_wire(&w);
    w.loss = 5;
    say(&w, A, "chat", data, DATACHAN_MESSAGE_MAX);
    say(&w, A, "chat", data, DATACHAN_MESSAGE_MAX + 1);
    text(&w, A, "chat", "end");
    await(&w, b_has, 2);
    assert_int_equal(w.end[B].kept[0]->len, DATACHAN_MESSAGE_MAX);
    assert_memory_equal(w.end[B].kept[0]->data, data, DATACHAN_MESSAGE_MAX);
    assert_int_equal(w.end[B].kept[1]->len, 3);
    free(data);
    close_wire(&w);
}

static void order_is_kept_over_a_bad_network(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    w.loss = 10;
    for (unsigned i = 0; i < 200; i++)
        say(&w, A, "chat", &i, sizeof(i));
    await(&w, b_has, 200);
    assert_true(w.end[A].dropped > 0);
    for (unsigned i = 0; i < 200; i++)
        assert_memory_equal(w.end[B].kept[i]->data, &i, sizeof(i));
    close_wire(&w);
}

// ---- bounds ------------------------------------------------------------------------------------------------

static void a_participant_may_not_flood(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    text(&w, A, "chat", "first");
    await(&w, b_has, 1);
    forget(&w);
    int64_t begin_us = now_monotonic_us();
    for (unsigned i = 0; i < 3000; i++)
        text(&w, A, "chat", "spam");
    text(&w, B, "sync", "x"); // by the time that has come through, the flood has too
    await(&w, a_has, 1);
    while (w.end[A].count < 2) {
        text(&w, B, "sync", "x");
        await(&w, a_has, w.end[A].count + 1);
    }
    unsigned seconds = (unsigned)((now_monotonic_us() - begin_us) / 1000000) + 1;
    assert_in_range(w.end[B].count, 1, (seconds + 1) * DATACHAN_RATE_MSGS);
    close_wire(&w);
}

static void a_participant_may_not_pour(void **state)
{
    (void)state;
    static uint8_t block[60000];
    struct wire w;
    open_wire(&w);
    int64_t begin_us = now_monotonic_us();
    for (unsigned i = 0; i < 16; i++) // 960,000 bytes: within the queue
        say(&w, A, "chat", block, sizeof(block));
    await(&w, b_has, 4);
    for (unsigned i = 0; i < 20; i++) {
        text(&w, B, "sync", "x");
        await(&w, a_has, i + 1);
    }
    unsigned seconds = (unsigned)((now_monotonic_us() - begin_us) / 1000000) + 1;
    assert_in_range(w.end[B].count, 4, 1 + (seconds + 1) * (DATACHAN_RATE_BPS / 8 / sizeof(block)));
    close_wire(&w);
}

static void what_waits_for_a_slow_receiver_is_bounded(void **state)
{
    (void)state;
    static uint8_t block[60000];
    struct wire w;
    open_wire(&w);
    w.loss = 100;                      // nobody answers
    for (unsigned i = 0; i < 200; i++) // 12 MB
        say(&w, A, "chat", block, sizeof(block));
    datachan_close(w.hub, A);
    datachan_close(w.hub, B);
    await(&w, both_closed, 0);
    datachan_hub_free(w.hub);
    drain(&w);
    forget(&w);
    mailbox_close(&w.box);
}

static void channels_have_a_bound(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    for (unsigned i = 0; i < DATACHAN_CHANNEL_MAX + 8; i++) {
        char label[16];
        snprintf(label, sizeof(label), "c%u", i);
        text(&w, A, label, "x");
    }
    text(&w, A, "c0", "end");
    await(&w, b_has, DATACHAN_CHANNEL_MAX + 1);
    assert_int_equal(w.end[B].kept[DATACHAN_CHANNEL_MAX]->len, 3);
    assert_int_equal(w.end[B].count, DATACHAN_CHANNEL_MAX + 1);
    close_wire(&w);
}

static void junk_harms_nobody(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    text(&w, A, "chat", "before");
    await(&w, b_has, 1);
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t junk[64];
        for (unsigned k = 0; k < sizeof(junk); k++)
            junk[k] = (uint8_t)dice_next(&w.dice);
        wr16(junk, DATACHAN_PORT);
        wr16(junk + 2, DATACHAN_PORT);
        datachan_rx(w.hub, B, junk, dice_below(&w.dice, sizeof(junk) + 1));
    }
    text(&w, A, "chat", "after");
    await(&w, b_has, 2);
    close_wire(&w);
}

// ---- ends --------------------------------------------------------------------------------------------------

static bool b_closed(const struct wire *w, unsigned number)
{
    (void)number;
    return w->end[B].closed;
}

static void closing_one_end_closes_the_other(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    text(&w, A, "chat", "x");
    await(&w, b_has, 1);
    datachan_close(w.hub, A);
    await(&w, b_closed, 0); // it was aborted
    text(&w, B, "chat", "to nobody");
    datachan_rx(w.hub, B, (const uint8_t *)"0123456789abcdef", 16);
    datachan_close(w.hub, B); // a second time
    await(&w, both_closed, 0);
    datachan_hub_free(w.hub);
    drain(&w);
    forget(&w);
    mailbox_close(&w.box);
}

static void unknown_ids_are_ignored(void **state)
{
    (void)state;
    struct mailbox box;
    struct datachan_hub *hub = datachan_hub_new();
    struct datachan_message *m = make("chat", "", false, "x", 1);
    mailbox_init(&box, NULL, NULL);
    datachan_close(hub, 9);
    datachan_rx(hub, 9, (const uint8_t *)"0123456789abcdef", 16);
    datachan_send(hub, 9, m);
    free(m);
    datachan_hub_free(hub);
    datachan_hub_free(NULL);
    datachan_event_free(NULL);
    mailbox_close(&box);
}

static void a_thousand_leave_nothing_behind(void **state)
{
    (void)state;
    struct wire w;
    memset(&w, 0, sizeof(w));
    mailbox_init(&w.box, NULL, NULL);
    w.hub = datachan_hub_new();
    for (unsigned i = 0; i < 1000; i++) {
        w.end[A].closed = w.end[B].closed = false;
        datachan_open(w.hub, A, &w.box, DATACHAN_PORT, true);
        datachan_open(w.hub, B, &w.box, DATACHAN_PORT, false);
        if (i % 3 == 0) { // some get as far as a message
            text(&w, A, "chat", "x");
            await(&w, b_has, 1);
            forget(&w);
        }
        datachan_close(w.hub, A);
        datachan_close(w.hub, B);
        await(&w, both_closed, 0);
    }
    datachan_hub_free(w.hub);
    drain(&w);
    forget(&w);
    mailbox_close(&w.box);
}

static void open_associations_end_with_the_hub(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    text(&w, A, "chat", "x");
    await(&w, b_has, 1);
    datachan_hub_free(w.hub);
    for (struct mail *mail = mailbox_take(&w.box), *next; mail; mail = next) {
        struct datachan_event *e = (struct datachan_event *)mail;
        next = mail->next;
        w.end[e->id].closed |= e->type == DATACHAN_CLOSED;
        datachan_event_free(e);
    }
    assert_true(both_closed(&w, 0));
    forget(&w);
    mailbox_close(&w.box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_keep_everything),
        cmocka_unit_test(both_ways_on_one_channel),
        cmocka_unit_test(empty_messages_stay_empty),
        cmocka_unit_test(long_messages_come_whole_and_longer_ones_not_at_all),
        cmocka_unit_test(order_is_kept_over_a_bad_network),
        cmocka_unit_test(a_participant_may_not_flood),
        cmocka_unit_test(a_participant_may_not_pour),
        cmocka_unit_test(what_waits_for_a_slow_receiver_is_bounded),
        cmocka_unit_test(channels_have_a_bound),
        cmocka_unit_test(junk_harms_nobody),
        cmocka_unit_test(closing_one_end_closes_the_other),
        cmocka_unit_test(unknown_ids_are_ignored),
        cmocka_unit_test(a_thousand_leave_nothing_behind),
        cmocka_unit_test(open_associations_end_with_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
