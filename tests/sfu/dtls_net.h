// How do two ends of DTLS meet in a test? (a network of datagrams, in the test's time)
// SPDX-License-Identifier: MIT
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sfu/dtls.h"
#include "tests/rtp/dice.h"
#include "tests/sfu/wall.h"

enum { SERVER, CLIENT, FLYING_MAX = 256 };

struct datagram {
    int to;
    size_t len;
    uint8_t data[DTLS_MTU + 128];
};

struct net {
    struct dtls_cert *cert[2];
    struct dtls *end[2];
    struct datagram flying[FLYING_MAX];
    unsigned first, count;
    unsigned sent; // datagrams of both sides since the beginning
};

// What the network does with the datagram that is to be delivered.
typedef void(deliver_h)(struct net *net, const struct datagram *datagram, void *arg);

static inline void digest_of(const struct dtls_cert *cert, uint8_t digest[DTLS_FINGERPRINT_MAX])
{
    const char *text = dtls_cert_fingerprint(cert);
    for (unsigned i = 0; i < DTLS_FINGERPRINT_MAX; i++)
        digest[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
}

static inline void expect_cert(struct dtls *dtls, const struct dtls_cert *cert)
{
    uint8_t digest[DTLS_FINGERPRINT_MAX];
    digest_of(cert, digest);
    assert_int_equal(dtls_set_fingerprint(dtls, "sha-256", digest, sizeof(digest)), 0);
}

static inline void open_net(struct net *net)
{
    clock_us = 0;
    memset(net, 0, sizeof(*net));
    for (int side = 0; side < 2; side++) {
        net->cert[side] = dtls_cert_new();
        net->end[side] = dtls_new(net->cert[side], side == CLIENT ? DTLS_CLIENT : DTLS_SERVER);
    }
    expect_cert(net->end[SERVER], net->cert[CLIENT]);
    expect_cert(net->end[CLIENT], net->cert[SERVER]);
}

static inline void close_net(struct net *net)
{
    for (int side = 0; side < 2; side++) {
        dtls_free(net->end[side]);
        dtls_cert_free(net->cert[side]);
    }
}

static inline void collect(struct net *net)
{
    for (int side = 0; side < 2; side++) {
        for (;;) {
            struct datagram *d = &net->flying[(net->first + net->count) % FLYING_MAX];
            d->len = dtls_next_tx(net->end[side], d->data, sizeof(d->data));
            if (d->len == 0)
                break;
            assert_in_range(d->len, 1, DTLS_MTU);
            assert_true(net->count < FLYING_MAX - 1);
            d->to = !side;
            net->count++;
            net->sent++;
        }
    }
}

static inline void give(struct net *net, const struct datagram *d)
{
    dtls_rx(net->end[d->to], d->data, d->len, clock_us);
    collect(net);
}

static inline void deliver_all(struct net *net, const struct datagram *d, void *arg)
{
    (void)arg;
    give(net, d);
}

static inline int64_t next_due(const struct net *net)
{
    int64_t a = dtls_due(net->end[SERVER]), b = dtls_due(net->end[CLIENT]);
    return a < b ? a : b;
}

// Lets both talk until nothing is under way and no timer runs before `until_us`.
static inline void run(struct net *net, deliver_h *deliver, void *arg, int64_t until_us)
{
    for (;;) {
        collect(net);
        while (net->count > 0) {
            struct datagram d = net->flying[net->first];
            net->first = (net->first + 1) % FLYING_MAX;
            net->count--;
            deliver(net, &d, arg);
        }
        int64_t due_us = next_due(net);
        if (due_us > until_us)
            return;
        if (due_us > clock_us)
            clock_us = due_us;
        for (int side = 0; side < 2; side++) {
            if (clock_us >= dtls_due(net->end[side]))
                dtls_tick(net->end[side], clock_us);
        }
    }
}

static inline bool is_connected(const struct net *net)
{
    return dtls_state(net->end[SERVER]) == DTLS_CONNECTED && dtls_state(net->end[CLIENT]) == DTLS_CONNECTED;
}

static inline enum cipher_profile keys_agree(const struct net *net)
{
    struct cipher_keys seal[2], open[2];
    for (int side = 0; side < 2; side++)
        assert_int_equal(dtls_srtp_keys(net->end[side], &seal[side], &open[side]), 0);
    assert_memory_equal(&seal[CLIENT], &open[SERVER], sizeof(seal[0]));
    assert_memory_equal(&seal[SERVER], &open[CLIENT], sizeof(seal[0]));
    assert_memory_not_equal(&seal[SERVER], &seal[CLIENT], sizeof(seal[0]));
    return seal[SERVER].profile;
}

static inline void data_flows(struct net *net)
{
    for (int side = 0; side < 2; side++) {
        uint8_t buf[DTLS_PLAIN_MAX];
        assert_int_equal(dtls_send(net->end[side], (const uint8_t *)"sctp", 4), 0);
        assert_int_equal(dtls_send(net->end[side], (const uint8_t *)"more", 4), 0);
        run(net, deliver_all, NULL, clock_us);
        assert_int_equal(dtls_read(net->end[!side], buf, sizeof(buf)), 4);
        assert_memory_equal(buf, "sctp", 4);
        assert_int_equal(dtls_read(net->end[!side], buf, sizeof(buf)), 4);
        assert_memory_equal(buf, "more", 4);
        assert_int_equal(dtls_read(net->end[!side], buf, sizeof(buf)), 0);
    }
}

static inline void connect_net(struct net *net)
{
    dtls_start(net->end[CLIENT], clock_us);
    run(net, deliver_all, NULL, 1000000);
    assert_true(is_connected(net));
}

// ---- what anybody can send

static inline void give_bytes(struct net *net, int to, const void *data, size_t len)
{
    dtls_rx(net->end[to], data, len, clock_us);
}

static inline void junk(struct net *net, const struct datagram *d, struct dice *dice)
{
    static const uint8_t fatal[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40};
    static const uint8_t close_notify[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0};
    static const uint8_t early_ccs[] = {20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 1, 1};
    static const uint8_t unknown[] = {30, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 1, 1};
    static const uint8_t plain_data[] = {23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 3, 'a', 'b', 'c'};
    static const uint8_t forged_data[] = {23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 99, 0, 3, 'a', 'b', 'c'};
    static const uint8_t forged_alert[] = {21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 98, 0, 2, 2, 40};
    static const uint8_t later_epoch[] = {23, 254, 253, 0, 9, 0, 0, 0, 0, 0, 99, 0, 3, 'a', 'b', 'c'};
    static const uint8_t mad_fragment[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 13,
                                           11, 0,   0,   5, 0, 9, 0, 0, 4, 0, 0,  9, 7};
    give_bytes(net, d->to, fatal, sizeof(fatal));
    give_bytes(net, d->to, close_notify, sizeof(close_notify));
    give_bytes(net, d->to, early_ccs, sizeof(early_ccs));
    give_bytes(net, d->to, unknown, sizeof(unknown));
    give_bytes(net, d->to, plain_data, sizeof(plain_data));
    give_bytes(net, d->to, forged_data, sizeof(forged_data));
    give_bytes(net, d->to, forged_alert, sizeof(forged_alert));
    give_bytes(net, d->to, later_epoch, sizeof(later_epoch));
    give_bytes(net, d->to, mad_fragment, sizeof(mad_fragment));
    give_bytes(net, d->to, "", 0);
    for (unsigned i = 0; i < 8; i++) {
        uint8_t random[64];
        for (unsigned k = 0; k < sizeof(random); k++)
            random[k] = (uint8_t)dice_next(dice);
        random[0] = (uint8_t)(20 + i % 4);
        give_bytes(net, d->to, random, dice_below(dice, sizeof(random)) + 1);
    }
}
