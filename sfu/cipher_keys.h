// Which session keys follow from the master key? (RFC 3711 section 4.3, RFC 7714 section 11; inside cipher*)
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sfu/cipher.h"

enum cipher_label { // RFC 3711 s4.3.1, 4.3.2
    CIPHER_LABEL_RTP_KEY = 0,
    CIPHER_LABEL_RTP_AUTH = 1,
    CIPHER_LABEL_RTP_SALT = 2,
    CIPHER_LABEL_RTCP_KEY = 3,
    CIPHER_LABEL_RTCP_AUTH = 4,
    CIPHER_LABEL_RTCP_SALT = 5,
};

enum {
    CIPHER_AUTH_KEY_LEN = 20, // RFC 3711 s8.2: n_a of HMAC-SHA1
    CIPHER_SHA1_TAG = 10,     // RFC 3711 s8.2: n_tag of the _80 profiles
    CIPHER_GCM_TAG = 16,      // RFC 7714 s13.2
    CIPHER_DERIVED_MAX = 48,
};

// One session key of len bytes (at most CIPHER_DERIVED_MAX); the key derivation rate is 0. RFC 3711 s4.3.3.
void cipher_derive(const struct cipher_keys *keys, enum cipher_label label, uint8_t *out, size_t len);

static inline size_t cipher_tag_len(enum cipher_profile profile)
{
    return profile == CIPHER_CM_SHA1_80 ? CIPHER_SHA1_TAG : CIPHER_GCM_TAG;
}
