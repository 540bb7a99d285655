// How do records travel once the keys are agreed? (RFC 6347 section 4.1, RFC 5246 section 6.2.3.3, RFC 5288; inside
// dtls*)
// SPDX-License-Identifier: MIT
//
// OpenSSL keeps some 40 KiB for an association, of which a connected one needs two keys and three numbers: these.
// Keys come from OpenSSL's secret by its own derivation, and its AES-GCM seals and opens. One epoch (the first with
// keys; we never renegotiate), AES-GCM suites only (all that dtls_cert.c agrees to). Pure but for the keys.
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/cipher_window.h"
#include "sfu/dtls.h"

// RFC 5246 section 6.2.1
enum dtls_content {
    DTLS_CHANGE_CIPHER_SPEC = 20,
    DTLS_ALERT = 21,
    DTLS_HANDSHAKE = 22,
    DTLS_APPLICATION_DATA = 23,
};

enum {
    DTLS_RECORD_HEADER = 13,                    // type, version (2), epoch (2), sequence number (6), length (2)
    DTLS_RECORD_MORE = DTLS_RECORD_HEADER + 24, // octets a sealed record has more than what is in it
};

struct dtls_record_keys {
    uint8_t key[32];
    uint8_t salt[4]; // the fixed octets of the nonce
};

struct dtls_record {
    const EVP_CIPHER *cipher; // NULL: no keys yet
    struct dtls_record_keys tx, rx;
    uint64_t next_seq;   // to send with
    uint64_t next_nonce; // its explicit octets
    struct cipher_window taken;
};

// Takes the keys of a handshake that is done.
void dtls_record_init(struct dtls_record *record, const SSL *ssl, enum dtls_role role);
void dtls_record_clear(struct dtls_record *record);

// OpenSSL sends this datagram: what we seal comes after its sequence numbers and nonces. To be called with every one
// since the association began.
void dtls_record_follow(struct dtls_record *record, const uint8_t *datagram, size_t len);

// Seals one record; its length. `room` is len + DTLS_RECORD_MORE at least.
size_t dtls_record_seal(struct dtls_record *record, enum dtls_content type, const uint8_t *data, size_t len,
                        uint8_t *out, size_t room);

// Opens one whole record (header and all) of at most DTLS_PLAIN_MAX octets into `out`, which is as long; the length
// of what is in it, -EBADMSG: not sealed for us, -EALREADY: it or a much later one was taken before.
int dtls_record_open(struct dtls_record *record, const uint8_t *data, size_t len, uint8_t *out);
