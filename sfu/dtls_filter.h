// Which datagrams may the DTLS library see? (RFC 6347 section 4.1, 4.2.2; inside dtls*)
// SPDX-License-Identifier: MIT
//
// Until the keys are agreed anyone who can forge the browser's address could end the handshake with one datagram: a
// plaintext alert, a record of an unknown type, a handshake message that contradicts itself. Nothing of that kind
// gets past here. Records of later epochs are sealed; the library judges those. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/dtls.h"

// True when every record in the datagram is one that `role` may be sent.
bool dtls_filter(enum dtls_role role, const uint8_t *data, size_t len);
