// How is an RTCP packet sealed and opened? (SRTCP: RFC 3711 section 3.4, RFC 7714 section 9; inside cipher*)
// SPDX-License-Identifier: MIT
//
// One implementation for both engines, of which it takes AES-GCM; AES-CM is OpenSSL's. So all sender SSRCs of a
// transport share one index (they differ in the SSRC, which is part of the nonce) and an opener need remember no more
// than a replay window for each, which libsrtp cannot offer: it keeps a stream for every SSRC it ever saw.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sfu/cipher.h"
#include "sfu/cipher_engine.h"

enum { CIPHER_RTCP_HEADER = 8 }; // RFC 3550 s6.4.1: what stays in the clear, the sender's SSRC included

struct cipher_rtcp;

// One direction of one transport.
struct cipher_rtcp *cipher_rtcp_new(const struct cipher_keys *keys, const struct cipher_engine *engine);
void cipher_rtcp_free(struct cipher_rtcp *rtcp);

// Seals in place; the new length, or 0 when there is no room, no packet, or the 2^31 indices are used up.
size_t cipher_rtcp_seal(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len, size_t cap);

// Who sent it, and its index (from packet bytes not verified yet). -EBADMSG: malformed or not encrypted.
int cipher_rtcp_peek(const struct cipher_rtcp *rtcp, const uint8_t *buf, size_t len, uint32_t *ssrc, uint32_t *index);

// Verifies and opens in place a packet that cipher_rtcp_peek() took: the plain length, or -EBADMSG.
int cipher_rtcp_open(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len);
