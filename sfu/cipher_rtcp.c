// How is an RTCP packet sealed and opened?
// SPDX-License-Identifier: MIT
//
// RFC 3711 s3.4:  header and SSRC (8) | encrypted part | E + index (4) | tag
// RFC 7714 s9.1:  header and SSRC (8) | encrypted part | tag | E + index (4)
#include "sfu/cipher_rtcp.h"

#include <errno.h>
#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/cipher_keys.h"

enum {
    INDEX_LEN = 4,
    SHA1_LEN = 20,
};

#define ENCRYPTED_FLAG UINT32_C(0x80000000) // RFC 3711 s3.4: E
#define INDEX_MAX      UINT32_C(0x7fffffff)

struct cipher_rtcp {
    enum cipher_profile profile;
    uint8_t salt[CIPHER_SALT_MAX];
    uint32_t index; // last one used for sealing

    // AES-GCM
    const struct cipher_engine *engine;
    struct cipher_gcm *gcm;

    // AES-CM and HMAC-SHA1
    EVP_CIPHER_CTX *ctr;
    EVP_MAC_CTX *mac;
};

static EVP_MAC_CTX *mac_new(const struct cipher_keys *keys)
{
    uint8_t key[CIPHER_AUTH_KEY_LEN];
    char digest[] = "SHA1";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    cipher_derive(keys, CIPHER_LABEL_RTCP_AUTH, key, sizeof(key));
    int ok = ctx && EVP_MAC_init(ctx, key, sizeof(key), params);
    g_assert(ok);
    EVP_MAC_free(hmac);
    OPENSSL_cleanse(key, sizeof(key));
    return ctx;
}

static EVP_CIPHER_CTX *ctr_new(const uint8_t *key)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_128_ctr(), NULL, key, NULL, 1);
    g_assert(ok);
    return ctx;
}

struct cipher_rtcp *cipher_rtcp_new(const struct cipher_keys *keys, const struct cipher_engine *engine)
{
    struct cipher_rtcp *rtcp = g_new0(struct cipher_rtcp, 1);
    uint8_t key[CIPHER_KEY_MAX];
    rtcp->profile = keys->profile;
    rtcp->engine = engine;
    cipher_derive(keys, CIPHER_LABEL_RTCP_SALT, rtcp->salt, cipher_salt_len(keys->profile));
    cipher_derive(keys, CIPHER_LABEL_RTCP_KEY, key, cipher_key_len(keys->profile));
    if (keys->profile == CIPHER_CM_SHA1_80) {
        rtcp->ctr = ctr_new(key);
        rtcp->mac = mac_new(keys);
    } else {
        rtcp->gcm = engine->gcm_new(keys->profile, key);
    }
    OPENSSL_cleanse(key, sizeof(key));
    return rtcp;
}

void cipher_rtcp_free(struct cipher_rtcp *rtcp)
{
    if (rtcp->gcm)
        rtcp->engine->gcm_free(rtcp->gcm);
    EVP_CIPHER_CTX_free(rtcp->ctr);
    EVP_MAC_CTX_free(rtcp->mac);
    OPENSSL_cleanse(rtcp, sizeof(*rtcp));
    g_free(rtcp);
}

// ---- AES-CM and HMAC-SHA1 ----------------------------------------------------------------------------------

// RFC 3711 s4.1.1: IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16; the low 16 bits count blocks.
static void xor_keystream(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len, uint32_t index)
{
    uint8_t iv[16] = {0};
    int n = 0;
    memcpy(iv, rtcp->salt, sizeof(rtcp->salt));
    for (unsigned i = 0; i < 4; i++) {
        iv[4 + i] ^= buf[4 + i]; // the SSRC lies at 4 in both
        iv[10 + i] ^= (uint8_t)(index >> (24 - 8 * i));
    }
    int ok = EVP_CipherInit_ex(rtcp->ctr, NULL, NULL, NULL, iv, 1) &&
             EVP_CipherUpdate(rtcp->ctr, buf + CIPHER_RTCP_HEADER, &n, buf + CIPHER_RTCP_HEADER,
                              (int)(len - CIPHER_RTCP_HEADER));
    g_assert(ok);
}

static void sha1_tag(struct cipher_rtcp *rtcp, const uint8_t *buf, size_t len, uint8_t tag[SHA1_LEN])
{
    size_t n = 0;
    int ok = EVP_MAC_init(rtcp->mac, NULL, 0, NULL) && EVP_MAC_update(rtcp->mac, buf, len) &&
             EVP_MAC_final(rtcp->mac, tag, &n, SHA1_LEN);
    g_assert(ok && n == SHA1_LEN);
}

static size_t seal_cm(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len)
{
    uint8_t tag[SHA1_LEN];
    xor_keystream(rtcp, buf, len, rtcp->index);
    wr32(buf + len, ENCRYPTED_FLAG | rtcp->index);
    sha1_tag(rtcp, buf, len + INDEX_LEN, tag);
    memcpy(buf + len + INDEX_LEN, tag, CIPHER_SHA1_TAG);
    return len + INDEX_LEN + CIPHER_SHA1_TAG;
}

static int open_cm(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len)
{
    uint8_t tag[SHA1_LEN];
    size_t plain = len - INDEX_LEN - CIPHER_SHA1_TAG;
    sha1_tag(rtcp, buf, plain + INDEX_LEN, tag);
    if (CRYPTO_memcmp(tag, buf + plain + INDEX_LEN, CIPHER_SHA1_TAG) != 0)
        return -EBADMSG;
    xor_keystream(rtcp, buf, plain, rd32(buf + plain) & INDEX_MAX);
    return (int)plain;
}

// ---- AES-GCM -----------------------------------------------------------------------------------------------

// RFC 7714 s9.1: IV = (00 00 | SSRC | 00 00 | index) XOR salt.
static void gcm_iv(const struct cipher_rtcp *rtcp, const uint8_t *buf, uint32_t index, uint8_t iv[CIPHER_GCM_NONCE])
{
    memcpy(iv, rtcp->salt, CIPHER_GCM_NONCE);
    for (unsigned i = 0; i < 4; i++) {
        iv[2 + i] ^= buf[4 + i];
        iv[8 + i] ^= (uint8_t)(index >> (24 - 8 * i));
    }
}

// RFC 7714 s9.2: the associated data is the header and the word with E and the index.
static void gcm_associated(const uint8_t *buf, uint32_t word, uint8_t out[CIPHER_RTCP_HEADER + INDEX_LEN])
{
    memcpy(out, buf, CIPHER_RTCP_HEADER);
    wr32(out + CIPHER_RTCP_HEADER, word);
}

static size_t seal_gcm(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len)
{
    uint8_t iv[CIPHER_GCM_NONCE], associated[CIPHER_RTCP_HEADER + INDEX_LEN];
    struct cipher_span text = {buf + CIPHER_RTCP_HEADER, len - CIPHER_RTCP_HEADER};
    uint32_t word = ENCRYPTED_FLAG | rtcp->index;
    gcm_iv(rtcp, buf, rtcp->index, iv);
    gcm_associated(buf, word, associated);
    rtcp->engine->gcm_seal(rtcp->gcm, iv, (struct cipher_span){associated, sizeof(associated)}, text, buf + len);
    wr32(buf + len + CIPHER_GCM_TAG, word);
    return len + CIPHER_GCM_TAG + INDEX_LEN;
}

static int open_gcm(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len)
{
    uint8_t iv[CIPHER_GCM_NONCE], associated[CIPHER_RTCP_HEADER + INDEX_LEN];
    size_t plain = len - CIPHER_GCM_TAG - INDEX_LEN;
    struct cipher_span text = {buf + CIPHER_RTCP_HEADER, plain - CIPHER_RTCP_HEADER};
    uint32_t word = rd32(buf + len - INDEX_LEN);
    gcm_iv(rtcp, buf, word & INDEX_MAX, iv);
    gcm_associated(buf, word, associated);
    bool good = rtcp->engine->gcm_open(rtcp->gcm, iv, (struct cipher_span){associated, sizeof(associated)}, text,
                                       buf + plain);
    return good ? (int)plain : -EBADMSG;
}

// ---- both --------------------------------------------------------------------------------------------------

size_t cipher_rtcp_seal(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len, size_t cap)
{
    if (len < CIPHER_RTCP_HEADER || cap < len + INDEX_LEN + cipher_tag_len(rtcp->profile) || rtcp->index == INDEX_MAX)
        return 0;
    rtcp->index++;
    return rtcp->profile == CIPHER_CM_SHA1_80 ? seal_cm(rtcp, buf, len) : seal_gcm(rtcp, buf, len);
}

int cipher_rtcp_peek(const struct cipher_rtcp *rtcp, const uint8_t *buf, size_t len, uint32_t *ssrc, uint32_t *index)
{
    size_t behind = rtcp->profile == CIPHER_CM_SHA1_80 ? CIPHER_SHA1_TAG : 0;
    if (len < CIPHER_RTCP_HEADER + INDEX_LEN + cipher_tag_len(rtcp->profile) || buf[0] >> 6 != 2)
        return -EBADMSG;
    uint32_t word = rd32(buf + len - behind - INDEX_LEN);
    // Browsers encrypt all their RTCP (RFC 8827 s6.5): nobody has a reason to send it in the clear.
    if (!(word & ENCRYPTED_FLAG))
        return -EBADMSG;
    *ssrc = rd32(buf + 4);
    *index = word & INDEX_MAX;
    return 0;
}

int cipher_rtcp_open(struct cipher_rtcp *rtcp, uint8_t *buf, size_t len)
{
    return rtcp->profile == CIPHER_CM_SHA1_80 ? open_cm(rtcp, buf, len) : open_gcm(rtcp, buf, len);
}
