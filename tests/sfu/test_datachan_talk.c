// What is made of a participant that does not speak as ours would?
// SPDX-License-Identifier: MIT
//
// One side is under test; the other is a bare association that says what the test wants. Both run in the test's
// thread and on its clock.
#include "sfu/datachan_talk.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sfu/datachan_assoc.h"
#include "sfu/dcep.h"
#include "tests/sfu/wall.h"

enum { STEP_US = 10000, ID = 7, DCEP_PPID = 50, STRING = 51, BINARY = 53, STRING_EMPTY = 56 };

struct wire {
    struct mailbox box;
    struct talk *talk;
    struct assoc *peer;
    GQueue packets; // GBytes: from the peer
    bool peer_is_deaf, alive, closed;

    unsigned messages; // the talk passed on
    size_t last_len;
    char last_label[DATACHAN_NAME_MAX + 1];

    unsigned heard, acks, resets; // by the peer
    uint16_t heard_on, reset;
    struct dcep open; // the last it was sent
    uint16_t open_on;
};

static const struct assoc_manner reliable = {.reliability = ASSOC_RELIABLE};

static void peer_packet(void *arg, const void *data, size_t len)
{
    struct wire *w = arg;
    g_queue_push_tail(&w->packets, g_bytes_new(data, len));
}

static void peer_message(void *arg, uint16_t sid, uint32_t ppid, const uint8_t *data, size_t len, bool last)
{
    struct wire *w = arg;
    struct dcep dcep;
    if (ppid != DCEP_PPID) {
        w->heard += last;
        w->heard_on = sid;
        return;
    }
    assert_int_equal(dcep_parse(&dcep, data, len), 0);
    if (dcep.type == DCEP_ACK) {
        w->acks++;
        return;
    }
    w->open = dcep;
    w->open_on = sid;
}

static void peer_reset(void *arg, uint16_t sid)
{
    struct wire *w = arg;
    w->resets++;
    w->reset = sid;
}

static void take(struct wire *w, const struct datachan_event *e)
{
    assert_int_equal(e->id, ID);
    assert_false(w->closed);
    if (e->type == DATACHAN_TX && w->peer && !w->peer_is_deaf)
        assoc_rx(w->peer, e->data, e->len);
    if (e->type == DATACHAN_MESSAGE) {
        w->messages++;
        w->last_len = e->message->len;
        g_strlcpy(w->last_label, e->message->label, sizeof(w->last_label));
    }
    w->closed = e->type == DATACHAN_CLOSED;
}

static void drain(struct wire *w)
{
    for (struct mail *mail = mailbox_take(&w->box), *next; mail; mail = next) {
        next = mail->next;
        take(w, (struct datachan_event *)mail);
        datachan_event_free((struct datachan_event *)mail);
    }
}

static void run(struct wire *w, int64_t for_us)
{
    for (int64_t end_us = clock_us + for_us; clock_us < end_us; clock_us += STEP_US) {
        GBytes *packet;
        drain(w);
        while ((packet = g_queue_pop_head(&w->packets))) {
            gsize len;
            const uint8_t *data = g_bytes_get_data(packet, &len);
            talk_rx(w->talk, data, len);
            g_bytes_unref(packet);
        }
        w->alive = talk_turn(w->talk, clock_us);
        if (w->peer)
            assoc_turn(w->peer);
        assoc_library_tick(STEP_US);
    }
}

// The talk is the DTLS server's.
static void open_wire(struct wire *w)
{
    static const struct assoc_handlers handlers = {peer_packet, peer_message, peer_reset};
    memset(w, 0, sizeof(*w));
    mailbox_init(&w->box, NULL, NULL);
    g_queue_init(&w->packets);
    assoc_library_start();
    w->talk = talk_new(ID, &w->box, DATACHAN_PORT, false, clock_us);
    w->peer = assoc_new(DATACHAN_PORT, DATACHAN_PORT, &handlers, w);
    run(w, 200000);
    assert_true(assoc_streams(w->peer) > 0);
}

static void close_wire(struct wire *w)
{
    if (w->peer)
        assoc_free(w->peer);
    w->peer = NULL;
    talk_free(w->talk);
    drain(w);
    assert_true(w->closed);
    assoc_library_stop();
    g_queue_clear_full(&w->packets, (GDestroyNotify)g_bytes_unref);
    mailbox_close(&w->box);
}

static void peer_says(struct wire *w, uint16_t sid, uint32_t ppid, const void *data, size_t len)
{
    assert_int_equal(assoc_send(w->peer, sid, ppid, &reliable, data, len), 0);
}

static void peer_opens(struct wire *w, uint16_t sid, const char *label)
{
    struct dcep open = {.type = DCEP_OPEN};
    uint8_t buf[DCEP_OPEN_MAX];
    g_strlcpy(open.label, label, sizeof(open.label));
    peer_says(w, sid, DCEP_PPID, buf, dcep_write(&open, buf, sizeof(buf)));
}

static struct datachan_message *make(const char *label, size_t len)
{
    struct datachan_message *m = g_malloc0(sizeof(*m) + len);
    g_strlcpy(m->label, label, sizeof(m->label));
    m->len = len;
    return m;
}

// ---- messages ----------------------------------------------------------------------------------------------

static void channels_are_acknowledged(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    peer_opens(&w, 0, "chat");
    peer_says(&w, 0, STRING, "hi", 2);
    peer_says(&w, 0, STRING_EMPTY, "", 1);
    run(&w, 200000);
    assert_int_equal(w.acks, 1);
    assert_int_equal(w.messages, 2);
    assert_string_equal(w.last_label, "chat");
    assert_int_equal(w.last_len, 0);
    talk_send(w.talk, make("chat", 3)); // comes back on the peer's own channel
    run(&w, 200000);
    assert_int_equal(w.heard_on, 0);
    assert_int_equal(w.open.type, 0);
    close_wire(&w);
}

static void a_message_too_long_is_dropped(void **state)
{
    (void)state;
    static uint8_t data[100000];
    struct wire w;
    open_wire(&w);
    peer_opens(&w, 0, "chat");
    peer_says(&w, 0, BINARY, data, DATACHAN_MESSAGE_MAX + 1);
    run(&w, 5000000);
    peer_says(&w, 0, BINARY, data, sizeof(data));
    run(&w, 5000000);
    assert_int_equal(w.messages, 0);
    peer_says(&w, 0, BINARY, data, DATACHAN_MESSAGE_MAX);
    run(&w, 5000000);
    assert_int_equal(w.messages, 1);
    assert_int_equal(w.last_len, DATACHAN_MESSAGE_MAX);
    close_wire(&w);
}

static void data_without_a_channel_is_dropped(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    peer_says(&w, 4, STRING, "x", 1);
    peer_opens(&w, 6, "chat");
    peer_says(&w, 6, 99, "x", 1); // an unknown kind
    peer_says(&w, 6, 52, "x", 1); // one that is no longer used
    run(&w, 500000);
    assert_int_equal(w.messages, 0);
    peer_says(&w, 6, STRING, "x", 1);
    run(&w, 500000);
    assert_int_equal(w.messages, 1);
    close_wire(&w);
}

// ---- bounds ------------------------------------------------------------------------------------------------

static void the_rate_is_capped(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    peer_opens(&w, 0, "chat");
    run(&w, 2000000);
    int64_t begin_us = clock_us;
    for (unsigned i = 0; i < 4 * DATACHAN_RATE_MSGS; i++) {
        peer_says(&w, 0, STRING, "x", 1);
        if (i % 100 == 99)
            run(&w, 20000);
    }
    run(&w, 500000); // all have come by now
    unsigned passed_us = (unsigned)(clock_us - begin_us);
    assert_in_range(w.messages, DATACHAN_RATE_MSGS, DATACHAN_RATE_MSGS + passed_us / (1000000 / DATACHAN_RATE_MSGS));
    assert_true(w.messages < 3 * DATACHAN_RATE_MSGS);
    run(&w, 2000000);
    unsigned before = w.messages;
    peer_says(&w, 0, STRING, "x", 1);
    run(&w, 100000);
    assert_int_equal(w.messages, before + 1); // the bucket has filled again
    close_wire(&w);
}

static void what_waits_for_a_slow_receiver_is_bounded(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    w.peer_is_deaf = true;
    for (unsigned i = 0; i < 100; i++) {
        talk_send(w.talk, make("chat", 60000));
        talk_turn(w.talk, clock_us);
        assert_in_range(talk_queued(w.talk), 0, DATACHAN_QUEUE_MAX);
    }
    assert_true(talk_queued(w.talk) > DATACHAN_QUEUE_MAX / 2);
    talk_send(w.talk, make("chat", DATACHAN_MESSAGE_MAX + 1)); // never taken
    w.peer_is_deaf = false;
    run(&w, 30000000);
    assert_int_equal(talk_queued(w.talk), 0);
    assert_in_range(w.heard, 15, 20);
    close_wire(&w);
}

static void channels_are_bounded(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    for (uint16_t i = 0; i < DATACHAN_CHANNEL_MAX + 3; i++)
        peer_opens(&w, (uint16_t)(2 * i), "chat");
    run(&w, 2000000);
    assert_int_equal(w.acks, DATACHAN_CHANNEL_MAX);
    assert_int_equal(w.resets, 3); // the others were closed
    talk_send(w.talk, make("one more", 1));
    run(&w, 500000);
    assert_int_equal(w.heard, 0);
    assert_int_equal(talk_queued(w.talk), 0);
    close_wire(&w);
}

static void a_wrong_open_is_closed(void **state)
{
    (void)state;
    static uint8_t open[DCEP_HEADER + 256] = {DCEP_OPEN, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0}; // a label of 256 bytes
    struct wire w;
    open_wire(&w);
    peer_says(&w, 2, DCEP_PPID, open, sizeof(open));
    run(&w, 1000000);
    assert_int_equal(w.resets, 1);
    assert_int_equal(w.reset, 2);
    peer_says(&w, 4, DCEP_PPID, "junk", 4);
    run(&w, 1000000);
    assert_int_equal(w.reset, 4);
    peer_opens(&w, 6, "chat");
    peer_opens(&w, 6, "chat"); // twice on one stream
    run(&w, 1000000);
    assert_int_equal(w.acks, 1);
    assert_int_equal(w.reset, 6);
    peer_opens(&w, 4, "chat"); // a stream that was reset may be used
    run(&w, 1000000);
    assert_int_equal(w.acks, 2);
    assert_true(w.alive);
    close_wire(&w);
}

// ---- closing -----------------------------------------------------------------------------------------------

static void a_channel_the_peer_closes_is_closed(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    peer_opens(&w, 0, "chat");
    run(&w, 200000);
    assoc_reset(w.peer, 0);
    run(&w, 1000000);
    assert_int_equal(w.resets, 1); // our half was closed too
    assert_int_equal(w.reset, 0);
    peer_says(&w, 0, STRING, "x", 1);
    run(&w, 200000);
    assert_int_equal(w.messages, 0); // it is no channel any more
    peer_opens(&w, 0, "again");
    peer_says(&w, 0, STRING, "x", 1);
    run(&w, 200000);
    assert_string_equal(w.last_label, "again");
    close_wire(&w);
}

static void a_channel_of_ours_the_peer_closes_is_opened_anew(void **state)
{
    (void)state;
    struct wire w;
    struct datachan_message *m = make("files", 1);
    open_wire(&w);
    m->channel_type = DCEP_UNORDERED | DCEP_TIMED;
    m->reliability = 500;
    g_strlcpy(m->protocol, "v2", sizeof(m->protocol));
    talk_send(w.talk, m);
    run(&w, 500000);
    assert_string_equal(w.open.label, "files");
    assert_string_equal(w.open.protocol, "v2");
    assert_int_equal(w.open.channel_type, DCEP_UNORDERED | DCEP_TIMED);
    assert_int_equal(w.open.reliability, 500);
    assert_int_equal(w.open_on % 2, 1); // the DTLS server's streams are odd
    assert_int_equal(w.heard_on, w.open_on);
    assoc_reset(w.peer, w.open_on);
    run(&w, 1000000);
    assert_int_equal(w.resets, 1);
    w.open.type = 0;
    m = make("files", 1);
    g_strlcpy(m->protocol, "v2", sizeof(m->protocol));
    talk_send(w.talk, m);
    run(&w, 500000);
    assert_int_equal(w.open.type, DCEP_OPEN);
    assert_int_equal(w.heard, 2);
    close_wire(&w);
}

static void the_end_of_the_association_is_the_end(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    talk_send(w.talk, make("chat", 1));
    run(&w, 200000);
    assoc_free(w.peer);
    w.peer = NULL;
    run(&w, 100000);
    assert_false(w.alive);
    talk_send(w.talk, make("chat", 1));
    run(&w, 100000);
    assert_false(w.alive);
    close_wire(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_acknowledged),
        cmocka_unit_test(a_message_too_long_is_dropped),
        cmocka_unit_test(data_without_a_channel_is_dropped),
        cmocka_unit_test(the_rate_is_capped),
        cmocka_unit_test(what_waits_for_a_slow_receiver_is_bounded),
        cmocka_unit_test(channels_are_bounded),
        cmocka_unit_test(a_wrong_open_is_closed),
        cmocka_unit_test(a_channel_the_peer_closes_is_closed),
        cmocka_unit_test(a_channel_of_ours_the_peer_closes_is_opened_anew),
        cmocka_unit_test(the_end_of_the_association_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
