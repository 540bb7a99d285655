// Does an association hold against a peer whose library is told to do what ours never does?
// SPDX-License-Identifier: MIT
//
// The peer is OpenSSL as it comes; what it says is sealed with the right keys.
#include "sfu/dtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>

#include "rtp/bytes.h"
#include "sfu/dtls_cert.h"
#include "tests/sfu/dtls_net.h"

enum { WIRE_MAX = 64, NO_RENEGOTIATION = 1 << 8 | 100, RECORD_HEADER = 13 };

// A record as it went over the wire.
struct sent {
    uint64_t number; // epoch and sequence number
    uint64_t nonce;
    uint8_t type;
};

struct peer {
    struct net net; // its clock, and end[SERVER] or end[CLIENT] of it: us
    int us;
    SSL *ssl;
    BIO *to_peer, *from_peer;
    struct dtls_expected expected; // the library's app data
    int alert;                     // the last that came: level, description
    struct sent sent[WIRE_MAX];    // our sealed records
    unsigned sent_count;
};

static void note_alert(const SSL *ssl, int where, int value)
{
    struct dtls_expected *expected = SSL_get_app_data(ssl);
    struct peer *peer = (struct peer *)((char *)expected - offsetof(struct peer, expected));
    if (where == SSL_CB_READ_ALERT)
        peer->alert = value;
}

static BIO *memory_new(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(bio, -1);
    return bio;
}

// `us`: our role; the peer has the other one, with these options besides.
static void open_peer(struct peer *peer, int us, uint64_t options)
{
    memset(peer, 0, sizeof(*peer));
    open_net(&peer->net);
    peer->us = us;
    peer->ssl = SSL_new(peer->net.cert[!us]->ctx);
    peer->to_peer = memory_new();
    peer->from_peer = memory_new();
    SSL_set_bio(peer->ssl, peer->to_peer, peer->from_peer);
    SSL_clear_options(peer->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_set_options(peer->ssl, options);
    SSL_set_verify(peer->ssl, SSL_VERIFY_PEER, NULL);
    digest_of(peer->net.cert[us], peer->expected.digest);
    peer->expected.known = true;
    SSL_set_app_data(peer->ssl, &peer->expected);
    SSL_set_info_callback(peer->ssl, note_alert);
    SSL_set_mtu(peer->ssl, DTLS_MTU);
    if (us == SERVER)
        SSL_set_connect_state(peer->ssl);
    else
        SSL_set_accept_state(peer->ssl);
}

static void close_peer(struct peer *peer)
{
    SSL_free(peer->ssl);
    close_net(&peer->net);
}

static struct dtls *us(struct peer *peer)
{
    return peer->net.end[peer->us];
}

static void note_sent(struct peer *peer, const uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += RECORD_HEADER + (size_t)rd16(data + at + 11)) {
        if (rd16(data + at + 3) == 0)
            continue;
        assert_true(peer->sent_count < WIRE_MAX);
        peer->sent[peer->sent_count++] =
            (struct sent){rd64(data + at + 3), rd64(data + at + RECORD_HEADER), data[at]};
    }
}

// Our datagrams, to the peer unless they are lost. How many there were.
static unsigned carry_ours(struct peer *peer, bool lost)
{
    uint8_t buf[DTLS_MTU + 128];
    unsigned count = 0;
    size_t len;
    while ((len = dtls_next_tx(us(peer), buf, sizeof(buf))) > 0) {
        note_sent(peer, buf, len);
        if (!lost)
            assert_int_equal(BIO_write(peer->to_peer, buf, (int)len), (int)len);
        count++;
    }
    return count;
}

// What the peer has said, record by record, as datagrams that any network may make of it. It may be had again.
static void carry_theirs(struct peer *peer)
{
    uint8_t buf[16384];
    int len = BIO_read(peer->from_peer, buf, sizeof(buf));
    for (int at = 0; at < len;) {
        int record = RECORD_HEADER + rd16(buf + at + 11);
        dtls_rx(us(peer), buf + at, (size_t)record, clock_us);
        at += record;
    }
}

static void shake(struct peer *peer)
{
    dtls_start(us(peer), clock_us);
    for (unsigned i = 0; i < 8; i++) {
        carry_ours(peer, false);
        SSL_do_handshake(peer->ssl);
        carry_theirs(peer);
    }
    assert_int_equal(dtls_state(us(peer)), DTLS_CONNECTED);
    assert_true(SSL_is_init_finished(peer->ssl));
}

static void data_comes(struct peer *peer)
{
    uint8_t buf[DTLS_PLAIN_MAX];
    assert_int_equal(SSL_write(peer->ssl, "sctp", 4), 4);
    carry_theirs(peer);
    assert_int_equal(dtls_read(us(peer), buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "sctp", 4);
    assert_int_equal(dtls_read(us(peer), buf, sizeof(buf)), 0);
}

static void data_goes(struct peer *peer)
{
    char buf[DTLS_MTU];
    assert_int_equal(dtls_send(us(peer), (const uint8_t *)"more", 4), 0);
    assert_int_equal(carry_ours(peer, false), 1);
    assert_int_equal(SSL_read(peer->ssl, buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "more", 4);
}

// RFC 5288 section 3: a nonce used twice would betray the key.
static void assert_nothing_sealed_alike(const struct peer *peer)
{
    for (unsigned i = 1; i < peer->sent_count; i++) {
        assert_int_equal(peer->sent[i].number, peer->sent[i - 1].number + 1);
        assert_int_equal(peer->sent[i].nonce, peer->sent[i - 1].nonce + 1);
    }
}

// ---- our last flight ---------------------------------------------------------------------------------------

// We sealed data before we had to say our last flight again: what we seal ourselves comes after all of it.
static void a_lost_last_flight_is_said_again(void **state)
{
    (void)state;
    struct peer peer;
    open_peer(&peer, SERVER, 0);
    SSL_do_handshake(peer.ssl); // its hello
    carry_theirs(&peer);
    carry_ours(&peer, false);
    SSL_do_handshake(peer.ssl); // its certificate, and that it is finished
    carry_theirs(&peer);
    assert_int_equal(dtls_state(us(&peer)), DTLS_CONNECTED);
    assert_true(carry_ours(&peer, true) > 0);
    assert_int_equal(dtls_send(us(&peer), (const uint8_t *)"lost", 4), 0);
    assert_int_equal(carry_ours(&peer, true), 1);
    assert_false(SSL_is_init_finished(peer.ssl));
    clock_us += 10000000;
    DTLSv1_handle_timeout(peer.ssl);
    carry_theirs(&peer);
    assert_true(carry_ours(&peer, false) > 0);
    assert_int_equal(SSL_do_handshake(peer.ssl), 1);
    data_goes(&peer);
    dtls_settle(us(&peer));
    data_goes(&peer);
    data_comes(&peer);
    assert_true(peer.sent_count >= 5); // finished, data, finished, data, data
    assert_nothing_sealed_alike(&peer);
    close_peer(&peer);
}

// ---- a second handshake ------------------------------------------------------------------------------------

// RFC 8827 section 6.5: renegotiation is refused with an alert, by the library and after it.
static void renegotiation_is_refused(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        for (int settled = 0; settled < 2; settled++) {
            struct peer peer;
            open_peer(&peer, side, 0);
            shake(&peer);
            data_comes(&peer);
            if (settled)
                dtls_settle(us(&peer));
            SSL_renegotiate(peer.ssl);
            SSL_do_handshake(peer.ssl); // ClientHello or HelloRequest
            carry_theirs(&peer);
            assert_int_equal(carry_ours(&peer, false), 1);
            SSL_do_handshake(peer.ssl);
            char buf[16];
            SSL_read(peer.ssl, buf, sizeof(buf));
            assert_int_equal(peer.alert, NO_RENEGOTIATION);
            assert_int_equal(dtls_state(us(&peer)), DTLS_CONNECTED);
            assert_nothing_sealed_alike(&peer);
            close_peer(&peer);
        }
    }
}

// RFC 6347 section 4.2.8: anybody can send a hello in the clear. Nothing is said to it, and nothing changes.
static void a_hello_in_the_clear_changes_nothing(void **state)
{
    (void)state;
    for (int settled = 0; settled < 2; settled++) {
        struct peer peer, stranger;
        uint8_t hello[2048];
        open_peer(&stranger, SERVER, 0);
        SSL_do_handshake(stranger.ssl);
        int len = BIO_read(stranger.from_peer, hello, sizeof(hello));
        open_peer(&peer, SERVER, 0);
        shake(&peer);
        if (settled)
            dtls_settle(us(&peer));
        for (unsigned i = 0; i < 3; i++)
            dtls_rx(us(&peer), hello, (size_t)len, clock_us);
        assert_int_equal(carry_ours(&peer, false), 0);
        assert_int_equal(dtls_state(us(&peer)), DTLS_CONNECTED);
        assert_int_equal(dtls_due(us(&peer)), INT64_MAX);
        data_comes(&peer);
        data_goes(&peer);
        close_peer(&peer);
        close_peer(&stranger);
    }
}

// What was overheard of the handshake, and comes once more.
static void an_old_handshake_changes_nothing(void **state)
{
    (void)state;
    for (int settled = 0; settled < 2; settled++) {
        struct peer peer;
        uint8_t heard[4][8192];
        int len[4];
        open_peer(&peer, SERVER, 0);
        for (unsigned i = 0; i < 4; i++) {
            SSL_do_handshake(peer.ssl);
            len[i] = BIO_read(peer.from_peer, heard[i], sizeof(heard[i]));
            for (int at = 0; at < len[i]; at += RECORD_HEADER + rd16(heard[i] + at + 11))
                dtls_rx(us(&peer), heard[i] + at, RECORD_HEADER + (size_t)rd16(heard[i] + at + 11), clock_us);
            carry_ours(&peer, false);
        }
        assert_int_equal(dtls_state(us(&peer)), DTLS_CONNECTED);
        if (settled)
            dtls_settle(us(&peer));
        for (unsigned i = 0; i < 4; i++) {
            for (int at = 0; at < len[i]; at += RECORD_HEADER + rd16(heard[i] + at + 11))
                dtls_rx(us(&peer), heard[i] + at, RECORD_HEADER + (size_t)rd16(heard[i] + at + 11), clock_us);
        }
        assert_int_equal(carry_ours(&peer, false), 0);
        assert_int_equal(dtls_state(us(&peer)), DTLS_CONNECTED);
        data_comes(&peer);
        data_goes(&peer);
        close_peer(&peer);
    }
}

// ---- what was agreed ---------------------------------------------------------------------------------------

// Neither a ticket nor a session that could be taken up again; a client without extended master secret is served.
static void no_session_is_kept(void **state)
{
    (void)state;
    static const uint64_t options[] = {0, SSL_OP_NO_EXTENDED_MASTER_SECRET};
    for (unsigned i = 0; i < 4; i++) {
        struct peer peer;
        open_peer(&peer, i & 1 ? CLIENT : SERVER, options[i >> 1]);
        shake(&peer);
        assert_false(SSL_SESSION_has_ticket(SSL_get_session(peer.ssl)));
        assert_false(SSL_session_reused(peer.ssl));
        data_comes(&peer);
        data_goes(&peer);
        dtls_settle(us(&peer));
        data_comes(&peer);
        data_goes(&peer);
        assert_nothing_sealed_alike(&peer);
        close_peer(&peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_last_flight_is_said_again),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(a_hello_in_the_clear_changes_nothing),
        cmocka_unit_test(an_old_handshake_changes_nothing),
        cmocka_unit_test(no_session_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
