// How does OpenSSL do AES-GCM?
// SPDX-License-Identifier: MIT
#include "sfu/cipher_gcm.h"

#include <glib.h>
#include <openssl/evp.h>

#include "sfu/cipher_keys.h"

// The library's context by another name.
static EVP_CIPHER_CTX *context_of(struct cipher_gcm *gcm)
{
    return (EVP_CIPHER_CTX *)gcm;
}

struct cipher_gcm *cipher_gcm_new(enum cipher_profile profile, const uint8_t *key)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = profile == CIPHER_GCM_256 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    int ok = ctx && EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, 1);
    g_assert(ok);
    return (struct cipher_gcm *)ctx;
}

void cipher_gcm_free(struct cipher_gcm *gcm)
{
    EVP_CIPHER_CTX_free(context_of(gcm));
}

static void run(EVP_CIPHER_CTX *ctx, const uint8_t *nonce, struct cipher_span associated, struct cipher_span text,
                int encrypt)
{
    int n;
    int ok = EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, encrypt) &&
             EVP_CipherUpdate(ctx, NULL, &n, associated.data, (int)associated.len) &&
             EVP_CipherUpdate(ctx, text.data, &n, text.data, (int)text.len);
    g_assert(ok);
}

void cipher_gcm_seal(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = context_of(gcm);
    int n;
    run(ctx, nonce, associated, text, 1);
    int ok = EVP_CipherFinal_ex(ctx, tag, &n) && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CIPHER_GCM_TAG, tag);
    g_assert(ok);
}

bool cipher_gcm_open(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, const uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = context_of(gcm);
    uint8_t last[CIPHER_GCM_TAG];
    int n;
    run(ctx, nonce, associated, text, 0);
    int ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CIPHER_GCM_TAG, (void *)(uintptr_t)tag);
    g_assert(ok);
    return EVP_CipherFinal_ex(ctx, last, &n) == 1;
}
