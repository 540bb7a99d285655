// How are keys agreed, and how does SCTP travel? (DTLS 1.2+, RFC 6347, 5764 (DTLS-SRTP), 8842, 8261; OpenSSL behind
// this file)
// SPDX-License-Identifier: MIT
//
// Sans-I/O: datagrams in, datagrams out, time as an argument. Worker thread only (the certificate may be shared by
// threads after dtls_cert_new()).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/cipher.h"

enum {
    DTLS_MTU = 1200,                // no datagram of ours is longer
    DTLS_FINGERPRINT_MAX = 32,      // bytes: SHA-256
    DTLS_FINGERPRINT_TEXT = 32 * 3, // "AB:CD:...", with the NUL
    DTLS_PLAIN_MAX = 16384,         // RFC 6347 s4.1: bytes of one record's plaintext
};

// The server's identity: an ECDSA P-256 key and a self-signed certificate, made at start, never written to disk.
struct dtls_cert;
struct dtls_cert *dtls_cert_new(void);
void dtls_cert_free(struct dtls_cert *cert);
const char *dtls_cert_fingerprint(const struct dtls_cert *cert); // SHA-256 as SDP writes it, upper case

enum dtls_role { DTLS_SERVER, DTLS_CLIENT };
enum dtls_state { DTLS_HANDSHAKING, DTLS_CONNECTED, DTLS_CLOSED, DTLS_FAILED };

struct dtls;

// SRTP profiles are offered or preferred in the order GCM_128, GCM_256, CM_80.
struct dtls *dtls_new(struct dtls_cert *cert, enum dtls_role role);
void dtls_free(struct dtls *dtls);

// Offers and takes no other SRTP profile than this one. Before the handshake.
void dtls_set_profile(struct dtls *dtls, enum cipher_profile profile);

// What the peer's certificate must hash to, from its SDP (`sha-256` only: -ENOTSUP for another algorithm, -EBADMSG
// for a bad length). Without a fingerprint no handshake completes. A changed fingerprint on a connected association
// is refused (-EBUSY).
int dtls_set_fingerprint(struct dtls *dtls, const char *algorithm, const uint8_t *digest, size_t len);

// Starts the client's handshake (DTLS_CLIENT), or nothing.
void dtls_start(struct dtls *dtls, int64_t now_us);

// One datagram from the validated path. Junk is ignored: it never fails the association (a bad record is dropped as
// RFC 6347 s4.1.2.7 allows), and a server begins anew after a handshake that made no sense. Ignored too: everything
// before the fingerprint is known. Afterwards ask dtls_state(), dtls_next_tx() and dtls_read().
void dtls_rx(struct dtls *dtls, const uint8_t *data, size_t len, int64_t now_us);

// The next datagram to send: its length, or 0. `cap` at least DTLS_MTU + 128.
size_t dtls_next_tx(struct dtls *dtls, uint8_t *buf, size_t cap);

// The next decrypted SCTP packet: its length, or 0.
size_t dtls_read(struct dtls *dtls, uint8_t *buf, size_t cap);

// Encrypts one SCTP packet; the datagram comes out of dtls_next_tx(). -ENOTCONN before the handshake is done,
// -EMSGSIZE: empty or more than DTLS_MTU (DATACHAN_PACKET_MAX leaves room for the record, so that the datagram has
// no more than DTLS_MTU either).
int dtls_send(struct dtls *dtls, const uint8_t *data, size_t len);

// Sends close_notify.
void dtls_shutdown(struct dtls *dtls);

enum dtls_state dtls_state(const struct dtls *dtls);

// When dtls_tick() wants to be called next (retransmission: first after 100 ms, doubling; RFC 6347 s4.2.4),
// INT64_MAX: never. A handshake that has not completed 30 s after its first datagram becomes DTLS_FAILED.
int64_t dtls_due(const struct dtls *dtls);
void dtls_tick(struct dtls *dtls, int64_t now_us);

// The peer has shown that it has the keys, and so our last flight (RFC 8827 s6.5: no false start): SRTP or data of
// its verified. What the library kept for the handshake goes, some 40 KiB; data, closing and refusing to renegotiate
// go on without it. Nothing before it is connected or after.
void dtls_settle(struct dtls *dtls);

// The keys of a connected association (RFC 5764 s4.2): ours to seal with, theirs to open with. -ENOTCONN otherwise,
// when it is settled, or when the peer offered no SRTP profile of ours.
int dtls_srtp_keys(const struct dtls *dtls, struct cipher_keys *seal, struct cipher_keys *open);
