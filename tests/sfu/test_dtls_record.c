// Does an association go on as it was when the library has gone?
// SPDX-License-Identifier: MIT
#include "sfu/dtls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sfu/datachan.h"
#include "sfu/dtls_cert.h"
#include "tests/sfu/dtls_net.h"

static void settle(struct net *net, unsigned who)
{
    for (int side = 0; side < 2; side++) {
        if (who >> side & 1)
            dtls_settle(net->end[side]);
    }
}

// The library on the other side judges our records, and we its; then both are ours.
static void settled_ends_go_on(void **state)
{
    (void)state;
    for (unsigned who = 1; who < 4; who++) {
        struct net net;
        static const uint8_t packet[DATACHAN_PACKET_MAX];
        uint8_t buf[DTLS_PLAIN_MAX];
        open_net(&net);
        settle(&net, who); // means nothing yet
        connect_net(&net);
        data_flows(&net); // the library has sent something: we come after it
        keys_agree(&net);
        settle(&net, who);
        data_flows(&net);
        data_flows(&net);
        assert_int_equal(dtls_send(net.end[CLIENT], packet, sizeof(packet)), 0);
        run(&net, deliver_all, NULL, clock_us);
        assert_int_equal(dtls_read(net.end[SERVER], buf, sizeof(buf)), sizeof(packet));
        assert_int_equal(next_due(&net), INT64_MAX);
        settle(&net, 3);
        data_flows(&net);
        close_net(&net);
    }
}

static void settled_ends_speak_every_suite(void **state)
{
    (void)state;
    struct net net;
    static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"};
    for (unsigned i = 0; i < 2; i++) {
        open_net(&net);
        dtls_free(net.end[CLIENT]);
        assert_int_equal(SSL_CTX_set_cipher_list(net.cert[CLIENT]->ctx, suites[i]), 1);
        net.end[CLIENT] = dtls_new(net.cert[CLIENT], DTLS_CLIENT);
        expect_cert(net.end[CLIENT], net.cert[SERVER]);
        connect_net(&net);
        settle(&net, 1 << SERVER);
        data_flows(&net);
        settle(&net, 1 << CLIENT);
        data_flows(&net);
        close_net(&net);
    }
}

static void settled_ends_close(void **state)
{
    (void)state;
    for (unsigned who = 1; who < 4; who++) {
        for (int closes = 0; closes < 2; closes++) {
            struct net net;
            open_net(&net);
            connect_net(&net);
            settle(&net, who);
            dtls_shutdown(net.end[closes]);
            run(&net, deliver_all, NULL, clock_us);
            assert_int_equal(dtls_state(net.end[closes]), DTLS_CLOSED);
            assert_int_equal(dtls_state(net.end[!closes]), DTLS_CLOSED);
            assert_int_equal(dtls_send(net.end[!closes], (const uint8_t *)"x", 1), -ENOTCONN);
            dtls_settle(net.end[closes]);
            close_net(&net);
        }
    }
}

// A datagram of one record of data.
static struct datagram make_data(struct net *net, int from, const char *text)
{
    struct datagram d = {.to = !from};
    assert_int_equal(dtls_send(net->end[from], (const uint8_t *)text, strlen(text)), 0);
    d.len = dtls_next_tx(net->end[from], d.data, sizeof(d.data));
    assert_int_equal(d.len, 13 + 8 + strlen(text) + 16);
    return d;
}

static size_t left_to_read(struct net *net, int side)
{
    uint8_t buf[DTLS_PLAIN_MAX];
    size_t count = 0;
    while (dtls_read(net->end[side], buf, sizeof(buf)) > 0)
        count++;
    return count;
}

static void a_settled_end_takes_nothing_twice(void **state)
{
    (void)state;
    struct net net;
    struct datagram early, late;
    open_net(&net);
    connect_net(&net);
    early = make_data(&net, CLIENT, "early");
    give(&net, &early);
    late = make_data(&net, CLIENT, "late");
    dtls_settle(net.end[SERVER]);
    assert_int_equal(left_to_read(&net, SERVER), 1);
    give(&net, &early); // what came before we settled is remembered
    assert_int_equal(left_to_read(&net, SERVER), 0);
    give(&net, &late);
    give(&net, &late);
    assert_int_equal(left_to_read(&net, SERVER), 1);
    close_net(&net);
}

static void a_settled_end_takes_nothing_changed(void **state)
{
    (void)state;
    struct net net;
    struct dice dice = {1};
    open_net(&net);
    connect_net(&net);
    settle(&net, 3);
    struct datagram d = make_data(&net, CLIENT, "data");
    for (size_t i = 0; i < 8 * d.len; i++) {
        struct datagram changed = d;
        changed.data[i / 8] ^= (uint8_t)(1 << i % 8);
        give(&net, &changed);
        assert_int_equal(left_to_read(&net, SERVER), 0);
    }
    for (unsigned i = 0; i < 100; i++)
        junk(&net, &d, &dice);
    assert_true(is_connected(&net));
    assert_int_equal(left_to_read(&net, SERVER), 0);
    give(&net, &d); // nor have forged numbers used up its own
    assert_int_equal(left_to_read(&net, SERVER), 1);
    data_flows(&net);
    close_net(&net);
}

// RFC 5288 section 3: a nonce used twice would betray the key.
static void no_nonce_is_used_twice(void **state)
{
    (void)state;
    struct net net;
    uint64_t last[2] = {0};
    open_net(&net);
    connect_net(&net);
    for (unsigned i = 0; i < 100; i++) {
        struct datagram d = make_data(&net, SERVER, "data");
        uint64_t now[2] = {0};
        for (unsigned k = 0; k < 8; k++) {
            now[0] = now[0] << 8 | d.data[3 + k]; // epoch and sequence number
            now[1] = now[1] << 8 | d.data[13 + k];
        }
        if (i > 0) {
            assert_int_equal(now[0], last[0] + 1);
            assert_int_equal(now[1], last[1] + 1);
        }
        memcpy(last, now, sizeof(now));
        if (i == 50)
            dtls_settle(net.end[SERVER]);
    }
    close_net(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settled_ends_go_on),
        cmocka_unit_test(settled_ends_speak_every_suite),
        cmocka_unit_test(settled_ends_close),
        cmocka_unit_test(a_settled_end_takes_nothing_twice),
        cmocka_unit_test(a_settled_end_takes_nothing_changed),
        cmocka_unit_test(no_nonce_is_used_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
