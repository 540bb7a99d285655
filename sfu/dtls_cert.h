// Who are we in DTLS, and what do we accept? (inside dtls*)
// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/ssl.h>

#include "sfu/dtls.h"

// What the peer's certificate must hash to. Every SSL's app data is one of these.
struct dtls_expected {
    bool known;
    bool refused; // a certificate came and was another
    uint8_t digest[DTLS_FINGERPRINT_MAX];
};

struct dtls_cert {
    SSL_CTX *ctx; // shared by every association; read-only once made
    char fingerprint[DTLS_FINGERPRINT_TEXT];
};
