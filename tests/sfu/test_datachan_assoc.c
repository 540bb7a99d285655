// What does an association make of a peer that does not behave as ours would?
// SPDX-License-Identifier: MIT
//
// The file under test is read in whole, so that one of two associations can be made to misbehave through its socket.
// Everything runs in the test's thread and on its clock; usrsctp asks gettimeofday(), which is defined here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>

#include <cmocka.h>

#include "sfu/datachan_assoc.c"

enum { STEP_US = 10000 };

static int64_t clock_us = 1000000;

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    *tv = (struct timeval){.tv_sec = 1700000000 + clock_us / 1000000, .tv_usec = clock_us % 1000000};
    return 0;
}

struct wire {
    struct mailbox box;
    struct assoc *good, *bad; // who is tested, and who misbehaves
    unsigned messages;        // that the good one passed on
    size_t last_len;
    bool closed[3];
};

static void carry(struct wire *w, struct datachan_event *e)
{
    struct assoc *to = e->id == 1 ? w->bad : w->good;
    if (e->type == DATACHAN_TX && to)
        assoc_rx(to, e->data, e->len);
    if (e->type == DATACHAN_MESSAGE && e->id == 1) {
        w->messages++;
        w->last_len = e->message->len;
    }
    if (e->type == DATACHAN_CLOSED)
        w->closed[e->id] = true;
}

static void turn(struct wire *w)
{
    for (struct mail *mail = mailbox_take(&w->box), *next; mail; mail = next) {
        next = mail->next;
        carry(w, (struct datachan_event *)mail);
        datachan_event_free((struct datachan_event *)mail);
    }
    if (w->good)
        assoc_turn(w->good, clock_us);
    if (w->bad)
        assoc_turn(w->bad, clock_us);
}

static void run(struct wire *w, int64_t for_us)
{
    for (int64_t end_us = clock_us + for_us; clock_us < end_us; clock_us += STEP_US) {
        turn(w);
        assoc_library_tick(STEP_US);
    }
    turn(w);
}

static void open_wire(struct wire *w)
{
    memset(w, 0, sizeof(*w));
    mailbox_init(&w->box, NULL, NULL);
    assoc_library_start();
    w->good = assoc_new(1, &w->box, DATACHAN_PORT, false, clock_us);
    w->bad = assoc_new(2, &w->box, DATACHAN_PORT, true, clock_us);
    run(w, 100000);
    assert_true(w->good->up && w->bad->up);
}

static void close_wire(struct wire *w)
{
    struct assoc *good = w->good, *bad = w->bad;
    w->good = w->bad = NULL;
    if (good)
        assoc_free(good);
    if (bad)
        assoc_free(bad);
    turn(w);
    assert_true(w->closed[1] && w->closed[2]);
    assoc_library_stop();
    mailbox_close(&w->box);
}

static void send_raw(struct wire *w, uint16_t sid, uint32_t ppid, const void *data, size_t len)
{
    static const struct sctp_prinfo reliable = {SCTP_PR_SCTP_NONE, 0};
    int big = 1 << 20; // more than ours may wait
    usrsctp_setsockopt(w->bad->socket, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
    assert_true(send_on(w->bad, sid, ppid, true, reliable, data, len));
}

static void open_channel(struct wire *w, uint16_t sid, const char *label)
{
    struct dcep open = {.type = DCEP_OPEN};
    g_strlcpy(open.label, label, sizeof(open.label));
    assert_true(send_dcep(w->bad, sid, &open));
}

static struct datachan_message *make(const char *label)
{
    struct datachan_message *m = g_malloc0(sizeof(*m) + 1);
    g_strlcpy(m->label, label, sizeof(m->label));
    m->len = 1;
    return m;
}

static void a_message_too_long_is_dropped(void **state)
{
    (void)state;
    static uint8_t data[300000];
    struct wire w;
    open_wire(&w);
    open_channel(&w, 0, "chat");
    send_raw(&w, 0, PPID_BINARY, data, DATACHAN_MESSAGE_MAX + 1);
    run(&w, 2000000);
    assert_int_equal(w.messages, 0);
    send_raw(&w, 0, PPID_BINARY, data, sizeof(data)); // comes in many pieces
    run(&w, 5000000);
    assert_int_equal(w.messages, 0);
    send_raw(&w, 0, PPID_BINARY, data, DATACHAN_MESSAGE_MAX);
    run(&w, 2000000);
    assert_int_equal(w.messages, 1);
    assert_int_equal(w.last_len, DATACHAN_MESSAGE_MAX);
    close_wire(&w);
}

static void data_without_a_channel_is_dropped(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    send_raw(&w, 4, PPID_STRING, "x", 1);
    open_channel(&w, 6, "chat");
    send_raw(&w, 6, 99, "x", 1); // an unknown kind
    send_raw(&w, 6, 52, "x", 1); // one that is no longer used
    run(&w, 1000000);
    assert_int_equal(w.messages, 0);
    send_raw(&w, 6, PPID_STRING, "x", 1);
    run(&w, 1000000);
    assert_int_equal(w.messages, 1);
    close_wire(&w);
}

static void the_rate_is_capped_to_the_message(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    open_channel(&w, 0, "chat");
    run(&w, 1000000);
    for (unsigned i = 0; i < 4 * DATACHAN_RATE_MSGS; i++)
        send_raw(&w, 0, PPID_STRING, "x", 1);
    int64_t begin_us = clock_us;
    while (w.messages == 0)
        run(&w, STEP_US);
    run(&w, 1000000); // all have come by now
    unsigned passed_us = (unsigned)(clock_us - begin_us);
    assert_in_range(w.messages, DATACHAN_RATE_MSGS, DATACHAN_RATE_MSGS + passed_us * DATACHAN_RATE_MSGS / 1000000);
    assert_true(w.messages < 3 * DATACHAN_RATE_MSGS);
    run(&w, 2000000);
    unsigned before = w.messages;
    send_raw(&w, 0, PPID_STRING, "x", 1);
    run(&w, 100000);
    assert_int_equal(w.messages, before + 1); // the bucket has filled again
    close_wire(&w);
}

static void what_waits_for_a_slow_receiver_is_bounded(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    struct assoc *bad = w.bad;
    w.bad = NULL; // takes nothing
    for (unsigned i = 0; i < 100; i++) {
        struct datachan_message *m = g_malloc0(sizeof(*m) + 60000);
        g_strlcpy(m->label, "chat", sizeof(m->label));
        m->len = 60000;
        assoc_send(w.good, m);
        turn(&w);
        assert_in_range(w.good->queued, 0, DATACHAN_QUEUE_MAX);
    }
    assert_true(w.good->queued > DATACHAN_QUEUE_MAX / 2);
    w.bad = bad;
    run(&w, 20000000); // it wakes up and gets what waited
    assert_int_equal(w.good->queued, 0);
    close_wire(&w);
}

// ---- closing -----------------------------------------------------------------------------------------------

static void a_channel_the_peer_closes_is_closed(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    open_channel(&w, 0, "chat");
    run(&w, 500000);
    assert_non_null(channels_find(&w.good->channels, 0));
    assert_true(channels_find(&w.good->channels, 0)->acked);
    reset_stream(w.bad, 0);
    run(&w, 1000000);
    assert_null(channels_find(&w.good->channels, 0));
    assert_int_equal(w.good->resets->len, 0); // our half was closed too, and the peer agreed
    assert_int_equal(w.bad->resets->len, 0);
    open_channel(&w, 0, "again"); // the stream can be used anew
    run(&w, 500000);
    assert_string_equal(channels_find(&w.good->channels, 0)->open.label, "again");
    close_wire(&w);
}

static void a_channel_of_ours_the_peer_closes_is_opened_anew(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    assoc_send(w.good, make("chat"));
    run(&w, 500000);
    struct channel *channel = channels_find_name(&w.good->channels, "chat", "");
    assert_non_null(channel);
    assert_int_equal(channel->sid % 2, 1); // the DTLS server's streams are odd
    assert_true(channel->acked);
    reset_stream(w.bad, channel->sid);
    assoc_send(w.good, make("chat"));
    run(&w, 1000000);
    assert_null(channels_find_name(&w.good->channels, "chat", ""));
    assoc_send(w.good, make("chat"));
    run(&w, 1000000);
    assert_non_null(channels_find_name(&w.good->channels, "chat", ""));
    assert_int_equal(w.good->queued, 0);
    close_wire(&w);
}

static void many_closed_at_once_are_all_closed(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    for (uint16_t sid = 0; sid < 20; sid += 2)
        open_channel(&w, sid, "chat");
    run(&w, 500000);
    for (uint16_t sid = 0; sid < 20; sid += 2) {
        reset_stream(w.bad, sid);
        turn(&w); // one request each: they queue up
    }
    run(&w, 3000000);
    for (uint16_t sid = 0; sid < 20; sid += 2)
        assert_null(channels_find(&w.good->channels, sid));
    assert_int_equal(w.good->resets->len + w.bad->resets->len, 0);
    close_wire(&w);
}

static void a_wrong_open_is_closed(void **state)
{
    (void)state;
    uint8_t open[600] = {DCEP_OPEN, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0}; // a label of 256 bytes
    struct wire w;
    open_wire(&w);
    send_raw(&w, 2, PPID_DCEP, open, DCEP_HEADER + 256);
    send_raw(&w, 4, PPID_DCEP, "junk", 4);
    run(&w, 1000000);
    assert_null(channels_find(&w.good->channels, 2));
    assert_null(channels_find(&w.good->channels, 4));
    assert_int_equal(w.good->resets->len, 0); // both were reset and that is done
    assert_false(w.good->gone);
    open_channel(&w, 4, "chat");
    open_channel(&w, 4, "chat"); // twice on one stream: closed
    run(&w, 1000000);
    close_wire(&w);
}

static void an_abort_ends_it(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    struct assoc *bad = w.bad;
    w.bad = NULL;
    assoc_free(bad);
    run(&w, 500000);
    assert_true(w.good->gone);
    assert_false(assoc_turn(w.good, clock_us));
    assoc_send(w.good, make("chat"));
    assert_int_equal(w.good->queued, 0);
    close_wire(&w);
}

static void a_silent_peer_is_given_up(void **state)
{
    (void)state;
    struct wire w;
    open_wire(&w);
    struct assoc *bad = w.bad;
    assoc_send(w.good, make("chat"));
    w.bad = NULL; // hears nothing any more
    run(&w, 300000000);
    assert_true(w.good->gone);
    w.bad = bad;
    close_wire(&w);
}

// usrsctp may still know an address when we have forgotten it.
static void late_callbacks_find_nobody(void **state)
{
    (void)state;
    union sctp_sockstore from = {.sa = {0}};
    struct sctp_rcvinfo info = {0};
    struct wire w;
    open_wire(&w);
    void *address = w.bad->address;
    struct assoc *bad = w.bad;
    w.bad = NULL;
    assoc_free(bad);
    assert_int_equal(on_packet(address, &w, 4, 0, 0), 0);
    assert_int_equal(on_receive(NULL, from, malloc(4), 4, info, MSG_EOR, address), 1);
    assert_int_equal(on_receive(NULL, from, NULL, 0, info, 0, address), 1);
    close_wire(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_too_long_is_dropped),
        cmocka_unit_test(data_without_a_channel_is_dropped),
        cmocka_unit_test(the_rate_is_capped_to_the_message),
        cmocka_unit_test(what_waits_for_a_slow_receiver_is_bounded),
        cmocka_unit_test(a_channel_the_peer_closes_is_closed),
        cmocka_unit_test(a_channel_of_ours_the_peer_closes_is_opened_anew),
        cmocka_unit_test(many_closed_at_once_are_all_closed),
        cmocka_unit_test(a_wrong_open_is_closed),
        cmocka_unit_test(an_abort_ends_it),
        cmocka_unit_test(a_silent_peer_is_given_up),
        cmocka_unit_test(late_callbacks_find_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
