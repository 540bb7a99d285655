// Do two ends agree on keys whatever the network does, and never with the wrong one?
// SPDX-License-Identifier: MIT
//
// Time is the test's (wall.h), for OpenSSL too.
#include "sfu/dtls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sfu/datachan.h"
#include "sfu/dtls_cert.h"
#include "tests/sfu/dtls_net.h"

// ---- a good network ----------------------------------------------------------------------------------------

static void both_roles_agree(void **state)
{
    (void)state;
    struct net net;
    open_net(&net);
    dtls_start(net.end[SERVER], 0); // means nothing
    connect_net(&net);
    assert_int_equal(clock_us, 0); // without one retransmission
    assert_int_equal(keys_agree(&net), CIPHER_GCM_128);
    data_flows(&net);
    assert_int_equal(next_due(&net), INT64_MAX);
    close_net(&net);
}

static void a_full_sctp_packet_fits(void **state)
{
    (void)state;
    struct net net;
    static const uint8_t packet[DTLS_MTU + 1];
    uint8_t buf[DTLS_PLAIN_MAX];
    open_net(&net);
    assert_int_equal(dtls_send(net.end[CLIENT], packet, 10), -ENOTCONN);
    connect_net(&net);
    assert_int_equal(dtls_send(net.end[CLIENT], packet, DATACHAN_PACKET_MAX), 0);
    run(&net, deliver_all, NULL, clock_us); // collect() checks the length
    assert_int_equal(dtls_read(net.end[SERVER], buf, sizeof(buf)), DATACHAN_PACKET_MAX);
    assert_int_equal(dtls_send(net.end[CLIENT], packet, DTLS_MTU + 1), -EMSGSIZE);
    assert_int_equal(dtls_send(net.end[CLIENT], packet, 0), -EMSGSIZE);
    close_net(&net);
}

static void closing_tells_the_other(void **state)
{
    (void)state;
    struct net net;
    struct cipher_keys seal, open;
    open_net(&net);
    connect_net(&net);
    dtls_shutdown(net.end[SERVER]);
    run(&net, deliver_all, NULL, clock_us);
    assert_int_equal(dtls_state(net.end[SERVER]), DTLS_CLOSED);
    assert_int_equal(dtls_state(net.end[CLIENT]), DTLS_CLOSED);
    assert_int_equal(dtls_send(net.end[CLIENT], (const uint8_t *)"x", 1), -ENOTCONN);
    assert_int_equal(dtls_srtp_keys(net.end[CLIENT], &seal, &open), -ENOTCONN);
    dtls_shutdown(net.end[CLIENT]);
    close_net(&net);
}

// ---- a bad network -----------------------------------------------------------------------------------------

static void drop_one(struct net *net, const struct datagram *d, void *arg)
{
    unsigned *left = arg;
    if ((*left)-- != 0)
        give(net, d);
}

static void any_datagram_may_be_lost(void **state)
{
    (void)state;
    struct net net;
    for (unsigned lost = 0; lost < 12; lost++) {
        unsigned left = lost;
        open_net(&net);
        dtls_start(net.end[CLIENT], 0);
        run(&net, drop_one, &left, 5000000);
        assert_true(is_connected(&net));
        assert_in_range(clock_us, 0, 400000);
        keys_agree(&net);
        data_flows(&net);
        close_net(&net);
    }
}

static void deliver_some(struct net *net, const struct datagram *d, void *arg)
{
    if (!dice_chance(arg, 35))
        give(net, d);
    if (dice_chance(arg, 20))
        give(net, d);
}

static void many_may_be_lost_or_doubled(void **state)
{
    (void)state;
    struct net net;
    unsigned connected = 0;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct dice dice = {seed};
        open_net(&net);
        dtls_start(net.end[CLIENT], 0);
        run(&net, deliver_some, &dice, 60000000);
        connected += is_connected(&net);
        close_net(&net);
    }
    assert_in_range(connected, 58, 60); // some may fail: 30 s are 30 s
}

static void deliver_twice(struct net *net, const struct datagram *d, void *arg)
{
    deliver_all(net, d, arg);
    deliver_all(net, d, arg);
}

static void every_datagram_may_come_twice(void **state)
{
    (void)state;
    struct net net;
    open_net(&net);
    dtls_start(net.end[CLIENT], 0);
    run(&net, deliver_twice, NULL, 5000000);
    assert_true(is_connected(&net));
    data_flows(&net);
    close_net(&net);
}

// Holds each datagram back until the next one has passed it.
struct swap {
    struct datagram held;
    bool is_held;
};

static void deliver_swapped(struct net *net, const struct datagram *d, void *arg)
{
    struct swap *swap = arg;
    if (!swap->is_held && net->count > 0) {
        swap->held = *d;
        swap->is_held = true;
        return;
    }
    give(net, d);
    if (swap->is_held)
        give(net, &swap->held);
    swap->is_held = false;
}

static void flights_may_come_out_of_order(void **state)
{
    (void)state;
    struct net net;
    struct swap swap = {.is_held = false};
    open_net(&net);
    dtls_start(net.end[CLIENT], 0);
    run(&net, deliver_swapped, &swap, 5000000);
    assert_true(is_connected(&net));
    close_net(&net);
}

static void deliver_none(struct net *net, const struct datagram *d, void *arg)
{
    unsigned *count = arg;
    (void)net, (void)d;
    (*count)++;
}

static void retransmits_at_100_ms_doubling_and_gives_up_at_30_s(void **state)
{
    (void)state;
    struct net net;
    unsigned flights = 0;
    static const int64_t times_us[] = {0, 100000, 300000, 700000, 1500000, 3100000};
    open_net(&net);
    dtls_start(net.end[CLIENT], 0);
    for (unsigned i = 0; i < 6; i++) {
        run(&net, deliver_none, &flights, times_us[i]);
        assert_int_equal(flights, i + 1);
        assert_int_equal(clock_us, times_us[i]);
    }
    run(&net, deliver_none, &flights, 29999999);
    assert_int_equal(dtls_state(net.end[CLIENT]), DTLS_HANDSHAKING);
    run(&net, deliver_none, &flights, 30000000);
    assert_int_equal(dtls_state(net.end[CLIENT]), DTLS_FAILED);
    assert_int_equal(dtls_due(net.end[CLIENT]), INT64_MAX);
    close_net(&net);
}

// ---- hostile datagrams -------------------------------------------------------------------------------------

static void deliver_with_junk(struct net *net, const struct datagram *d, void *arg)
{
    junk(net, d, arg);
    for (size_t len = 1; len < d->len; len += 1 + d->len / 16) // cut short: what was to be a record is none
        give_bytes(net, d->to, d->data, len);
    give(net, d);
    junk(net, d, arg);
    collect(net);
}

static void junk_changes_nothing(void **state)
{
    (void)state;
    struct net net;
    struct dice dice = {1};
    uint8_t buf[DTLS_PLAIN_MAX];
    open_net(&net);
    dtls_start(net.end[CLIENT], 0);
    run(&net, deliver_with_junk, &dice, 5000000);
    assert_true(is_connected(&net));
    keys_agree(&net);
    for (int side = 0; side < 2; side++) {
        struct datagram d = {.to = side};
        for (unsigned i = 0; i < 100; i++)
            junk(&net, &d, &dice);
        assert_int_equal(dtls_read(net.end[side], buf, sizeof(buf)), 0);
    }
    assert_true(is_connected(&net));
    data_flows(&net);
    close_net(&net);
}

// A hello that no honest client sends, well formed: the server refuses it and listens on.
static void a_mad_hello_does_not_end_the_call(void **state)
{
    (void)state;
    struct net net;
    static const uint8_t mad[] = {
        22,  254, 255, 0,  0, 0, 0, 0, 0, 0, 0, 0,  56,          // record
        1,   0,   0,   44, 0, 0, 0, 0, 0, 0, 0, 44,              // ClientHello
        254, 253, 0,   0,  0, 0, 0, 0, 0, 0, 0, 0,  0,  0, 0, 0, // version, random
        0,   0,   0,   0,  0, 0, 0, 0, 0, 0, 0, 0,  0,  0, 0, 0,
        0,   0,   0,   0,  2, 0, 1, 1, 0, 0, 0, 0, // no session, no cookie, NULL-MD5
    };
    open_net(&net);
    for (unsigned i = 0; i < 3; i++) {
        give_bytes(&net, SERVER, mad, 69);
        uint8_t buf[DTLS_MTU + 128];
        assert_int_equal(dtls_next_tx(net.end[SERVER], buf, sizeof(buf)), 0); // not even an alert
    }
    connect_net(&net);
    data_flows(&net);
    close_net(&net);
}

// ---- who it is ---------------------------------------------------------------------------------------------

static void the_wrong_certificate_is_refused(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct net net;
        open_net(&net);
        expect_cert(net.end[wrong], net.cert[wrong]); // of the peer, it should be
        dtls_start(net.end[CLIENT], 0);
        run(&net, deliver_all, NULL, 40000000);
        assert_int_equal(dtls_state(net.end[wrong]), DTLS_FAILED);
        assert_int_not_equal(dtls_state(net.end[!wrong]), DTLS_CONNECTED);
        close_net(&net);
    }
}

static void one_wrong_bit_is_refused(void **state)
{
    (void)state;
    struct net net;
    uint8_t digest[DTLS_FINGERPRINT_MAX];
    open_net(&net);
    digest_of(net.cert[CLIENT], digest);
    digest[31] ^= 1;
    assert_int_equal(dtls_set_fingerprint(net.end[SERVER], "SHA-256", digest, sizeof(digest)), 0);
    dtls_start(net.end[CLIENT], 0);
    run(&net, deliver_all, NULL, 1000000);
    assert_int_equal(dtls_state(net.end[SERVER]), DTLS_FAILED);
    close_net(&net);
}

static void a_client_without_certificate_is_refused(void **state)
{
    (void)state;
    struct net net;
    struct dtls_cert nameless = {.ctx = SSL_CTX_new(DTLS_method())};
    open_net(&net);
    SSL_CTX_set_tlsext_use_srtp(nameless.ctx, "SRTP_AEAD_AES_128_GCM");
    dtls_free(net.end[CLIENT]);
    net.end[CLIENT] = dtls_new(&nameless, DTLS_CLIENT);
    expect_cert(net.end[CLIENT], net.cert[SERVER]);
    dtls_start(net.end[CLIENT], 0);
    run(&net, deliver_all, NULL, 40000000);
    assert_int_not_equal(dtls_state(net.end[SERVER]), DTLS_CONNECTED);
    close_net(&net);
    SSL_CTX_free(nameless.ctx);
}

static void nothing_happens_without_a_fingerprint(void **state)
{
    (void)state;
    struct net net;
    open_net(&net);
    dtls_free(net.end[SERVER]);
    net.end[SERVER] = dtls_new(net.cert[SERVER], DTLS_SERVER);
    dtls_start(net.end[CLIENT], 0);
    run(&net, deliver_all, NULL, 1000000);
    assert_int_equal(dtls_state(net.end[SERVER]), DTLS_HANDSHAKING);
    assert_int_equal(dtls_due(net.end[SERVER]), INT64_MAX);
    expect_cert(net.end[SERVER], net.cert[CLIENT]); // the answer came
    run(&net, deliver_all, NULL, 5000000);
    assert_true(is_connected(&net));
    close_net(&net);
}

static void a_fingerprint_must_be_one(void **state)
{
    (void)state;
    struct net net;
    uint8_t digest[64] = {1};
    open_net(&net);
    assert_int_equal(dtls_set_fingerprint(net.end[SERVER], "sha-1", digest, 20), -ENOTSUP);
    assert_int_equal(dtls_set_fingerprint(net.end[SERVER], "sha-512", digest, 64), -ENOTSUP);
    assert_int_equal(dtls_set_fingerprint(net.end[SERVER], "sha-256", digest, 31), -EBADMSG);
    connect_net(&net);
    assert_int_equal(dtls_set_fingerprint(net.end[SERVER], "sha-256", digest, 32), -EBUSY);
    expect_cert(net.end[SERVER], net.cert[CLIENT]); // the same again is no change
    close_net(&net);
}

static void our_fingerprint_is_written_as_sdp_wants(void **state)
{
    (void)state;
    struct dtls_cert *a = dtls_cert_new(), *b = dtls_cert_new();
    const char *text = dtls_cert_fingerprint(a);
    assert_int_equal(strlen(text), DTLS_FINGERPRINT_TEXT - 1);
    assert_int_equal(strspn(text, "0123456789ABCDEF:"), strlen(text));
    for (unsigned i = 2; i < strlen(text); i += 3)
        assert_int_equal(text[i], ':');
    assert_string_not_equal(text, dtls_cert_fingerprint(b));
    dtls_cert_free(a);
    dtls_cert_free(b);
    dtls_cert_free(NULL);
    dtls_free(NULL);
}

// ---- profiles ----------------------------------------------------------------------------------------------

static enum cipher_profile chosen_for(const char *client_list)
{
    struct net net;
    struct cipher_keys seal, open;
    enum cipher_profile profile = CIPHER_NONE;
    open_net(&net);
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(net.cert[CLIENT]->ctx, client_list), 0);
    dtls_free(net.end[CLIENT]);
    net.end[CLIENT] = dtls_new(net.cert[CLIENT], DTLS_CLIENT);
    expect_cert(net.end[CLIENT], net.cert[SERVER]);
    connect_net(&net);
    if (dtls_srtp_keys(net.end[SERVER], &seal, &open) == 0)
        profile = keys_agree(&net);
    close_net(&net);
    return profile;
}

static void the_server_chooses_the_profile(void **state)
{
    (void)state;
    // Chromium's order, Firefox's, and less.
    assert_int_equal(chosen_for("SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM"),
                     CIPHER_GCM_128);
    assert_int_equal(chosen_for("SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM"), CIPHER_GCM_128);
    assert_int_equal(chosen_for("SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM"), CIPHER_GCM_256);
    assert_int_equal(chosen_for("SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80"), CIPHER_CM_SHA1_80);
    assert_int_equal(chosen_for("SRTP_AES128_CM_SHA1_32"), CIPHER_NONE);
}

// ---- browsers ----------------------------------------------------------------------------------------------

// The recorded datagrams of a browser's hello, in the order given by `order` ("12", "21", "112", ...).
static void greet(struct dtls *server, const char *browser, const char *order)
{
    for (; *order; order++) {
        char path[512];
        uint8_t data[2048];
        snprintf(path, sizeof(path), "%s/dtls-clienthello/%s-clienthello-%c.bin", VECTORS, browser, *order);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t len = fread(data, 1, sizeof(data), f);
        fclose(f);
        assert_true(len > 100);
        dtls_rx(server, data, len, clock_us);
    }
}

// The server's flight begins with a ServerHello that chooses GCM_128 (RFC 5764 s4.1.1: type 14).
static bool answers(struct dtls *server)
{
    static const uint8_t use_srtp[] = {0, 14, 0, 5, 0, 2, 0, 7, 0};
    uint8_t buf[DTLS_MTU + 128];
    size_t len = dtls_next_tx(server, buf, sizeof(buf)), rest;
    if (len == 0)
        return false;
    assert_int_equal(buf[0], 22);
    assert_int_equal(buf[13], 2);
    assert_non_null(memmem(buf, len, use_srtp, sizeof(use_srtp)));
    while ((rest = dtls_next_tx(server, buf, sizeof(buf))) > 0)
        assert_in_range(rest, 1, DTLS_MTU);
    return true;
}

static void browsers_hellos_are_reassembled(void **state)
{
    (void)state;
    static const char *const browsers[] = {"chromium156", "firefox153esr"};
    static const char *const orders[] = {"12", "21", "112", "122", "1212", "2121", "2211"};
    struct dtls_cert *cert = dtls_cert_new();
    for (unsigned b = 0; b < 2; b++) {
        for (unsigned o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
            struct dtls *server = dtls_new(cert, DTLS_SERVER);
            expect_cert(server, cert);
            greet(server, browsers[b], orders[o]);
            assert_true(answers(server));
            assert_int_equal(dtls_state(server), DTLS_HANDSHAKING);
            dtls_free(server);
        }
        struct dtls *server = dtls_new(cert, DTLS_SERVER);
        expect_cert(server, cert);
        greet(server, browsers[b], "11");
        assert_false(answers(server)); // half a hello is no hello
        greet(server, browsers[b], "2");
        assert_true(answers(server));
        dtls_free(server);
    }
    dtls_cert_free(cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_roles_agree),
        cmocka_unit_test(a_full_sctp_packet_fits),
        cmocka_unit_test(closing_tells_the_other),
        cmocka_unit_test(any_datagram_may_be_lost),
        cmocka_unit_test(many_may_be_lost_or_doubled),
        cmocka_unit_test(every_datagram_may_come_twice),
        cmocka_unit_test(flights_may_come_out_of_order),
        cmocka_unit_test(retransmits_at_100_ms_doubling_and_gives_up_at_30_s),
        cmocka_unit_test(junk_changes_nothing),
        cmocka_unit_test(a_mad_hello_does_not_end_the_call),
        cmocka_unit_test(the_wrong_certificate_is_refused),
        cmocka_unit_test(one_wrong_bit_is_refused),
        cmocka_unit_test(a_client_without_certificate_is_refused),
        cmocka_unit_test(nothing_happens_without_a_fingerprint),
        cmocka_unit_test(a_fingerprint_must_be_one),
        cmocka_unit_test(our_fingerprint_is_written_as_sdp_wants),
        cmocka_unit_test(the_server_chooses_the_profile),
        cmocka_unit_test(browsers_hellos_are_reassembled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
