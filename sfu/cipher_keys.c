// Which session keys follow from the master key?
// SPDX-License-Identifier: MIT
#include "sfu/cipher_keys.h"

#include <glib.h>
#include <openssl/evp.h>
#include <string.h>

enum { LABEL_AT = 7 }; // RFC 3711 s4.3.1: key_id is added to the 14-byte salt as label * 2^48

static const struct {
    enum cipher_profile profile;
    size_t key_len, salt_len;
} profiles[] = {
    {CIPHER_CM_SHA1_80, 16, 14}, // RFC 5764 s4.1.2
    {CIPHER_GCM_128, 16, 12},    // RFC 7714 s12
    {CIPHER_GCM_256, 32, 12},
};

static int find(enum cipher_profile profile)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(profiles); i++) {
        if (profiles[i].profile == profile)
            return i;
    }
    return -1;
}

size_t cipher_key_len(enum cipher_profile profile)
{
    int i = find(profile);
    return i < 0 ? 0 : profiles[i].key_len;
}

size_t cipher_salt_len(enum cipher_profile profile)
{
    int i = find(profile);
    return i < 0 ? 0 : profiles[i].salt_len;
}

size_t cipher_overhead(enum cipher_profile profile)
{
    return find(profile) < 0 ? 0 : cipher_tag_len(profile);
}

void cipher_derive(const struct cipher_keys *keys, enum cipher_label label, uint8_t *out, size_t len)
{
    static const uint8_t zero[CIPHER_DERIVED_MAX];
    uint8_t iv[16] = {0};
    int n = 0;
    g_assert(len <= CIPHER_DERIVED_MAX);
    memcpy(iv, keys->salt,
           cipher_salt_len(keys->profile)); // RFC 7714 s11: a 12-byte salt gets two zero bytes behind it
    iv[LABEL_AT] ^= (uint8_t)label;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *aes = cipher_key_len(keys->profile) == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    int ok =
        ctx && EVP_EncryptInit_ex(ctx, aes, NULL, keys->key, iv) && EVP_EncryptUpdate(ctx, out, &n, zero, (int)len);
    g_assert(ok && n == (int)len);
    EVP_CIPHER_CTX_free(ctx);
}
