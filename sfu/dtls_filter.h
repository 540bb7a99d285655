// What may the DTLS library see? (RFC 6347 section 4.1, 4.2.2; inside dtls*)
// SPDX-License-Identifier: MIT
//
// Until the keys are agreed anyone who can forge the browser's address could end the handshake with one datagram: a
// plaintext alert, a record of an unknown type, a handshake message that contradicts itself. Nothing of that kind
// gets past here. Nor do the sequence numbers of such records, which OpenSSL would believe: one forged high number
// makes every genuine record after it look replayed. They are numbered anew in the order they come; handshake
// messages have numbers of their own. Records of later epochs are sealed; the library judges those. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/dtls.h"

enum { DTLS_FILTER_MAX = 2048 }; // octets of a datagram; a longer one is no browser's

struct dtls_filter {
    enum dtls_role role; // ours
    uint64_t next;       // sequence number of the next plaintext record
};

// Copies a datagram as it may be seen; the length, or 0 when it may not be.
size_t dtls_filter(struct dtls_filter *filter, const uint8_t *data, size_t len, uint8_t out[DTLS_FILTER_MAX]);
