// How does OpenSSL do AES-GCM? (for the engine whose library has it for whole RTP packets only; inside cipher*)
// SPDX-License-Identifier: MIT
#pragma once

#include "sfu/cipher_engine.h"

// As in struct cipher_engine.
struct cipher_gcm *cipher_gcm_new(enum cipher_profile profile, const uint8_t *key);
void cipher_gcm_free(struct cipher_gcm *gcm);
void cipher_gcm_seal(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, uint8_t *tag);
bool cipher_gcm_open(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, const uint8_t *tag);
