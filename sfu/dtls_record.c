// How do records travel once the keys are agreed?
// SPDX-License-Identifier: MIT
#include "sfu/dtls_record.h"

#include <errno.h>
#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

#include "rtp/bytes.h"

enum {
    EPOCH = 1,
    EPOCH_AT = 3,
    SEQUENCE_AT = 5,
    LENGTH_AT = 11,
    NONCE = 8, // octets of a nonce that travel with the record (RFC 5288 section 3)
    TAG = 16,
    AAD = 13,
    RANDOM = 32, // octets that each side's hello holds
};

#define VERSION       0xfefd // DTLS 1.2
#define SEQUENCE_MASK UINT64_C(0xffffffffffff)

G_STATIC_ASSERT(DTLS_RECORD_MORE == DTLS_RECORD_HEADER + NONCE + TAG);

// ---- keys --------------------------------------------------------------------------------------------------

static gpointer fetch(gpointer name)
{
    return EVP_CIPHER_fetch(NULL, name, NULL);
}

// Fetched once: a lookup for each record would cost more than sealing it.
static const EVP_CIPHER *cipher_of(const SSL_CIPHER *suite)
{
    static GOnce aes_128 = G_ONCE_INIT, aes_256 = G_ONCE_INIT;
    int nid = SSL_CIPHER_get_cipher_nid(suite);
    g_assert(nid == NID_aes_128_gcm || nid == NID_aes_256_gcm);
    const EVP_CIPHER *cipher = nid == NID_aes_128_gcm ? g_once(&aes_128, fetch, (gpointer) "AES-128-GCM")
                                                      : g_once(&aes_256, fetch, (gpointer) "AES-256-GCM");
    g_assert(cipher);
    return cipher;
}

// RFC 5246 section 6.3: PRF(master secret, "key expansion", server random | client random)
static void expand(const SSL *ssl, uint8_t *block, size_t len)
{
    static const char label[] = "key expansion";
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    uint8_t secret[SSL_MAX_MASTER_KEY_LENGTH], randoms[2 * RANDOM];
    size_t secret_len = SSL_SESSION_get_master_key(SSL_get_session(ssl), secret, sizeof(secret));
    size_t randoms_len =
        SSL_get_server_random(ssl, randoms, RANDOM) + SSL_get_client_random(ssl, randoms + RANDOM, RANDOM);
    g_assert(secret_len > 0 && randoms_len == sizeof(randoms)); // else the keys would be anybody's
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)EVP_MD_get0_name(digest), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret, secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (char *)label, sizeof(label) - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, randoms, sizeof(randoms)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int ok = ctx && EVP_KDF_derive(ctx, block, len, params);
    g_assert(ok == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(secret, sizeof(secret));
}

void dtls_record_init(struct dtls_record *record, const SSL *ssl, enum dtls_role role)
{
    uint8_t block[sizeof(record->tx) + sizeof(record->rx)];
    record->cipher = cipher_of(SSL_get_current_cipher(ssl));
    size_t key_len = (size_t)EVP_CIPHER_get_key_length(record->cipher), salt_len = sizeof(record->tx.salt);
    struct dtls_record_keys *client = role == DTLS_CLIENT ? &record->tx : &record->rx;
    struct dtls_record_keys *server = role == DTLS_CLIENT ? &record->rx : &record->tx;
    expand(ssl, block, 2 * (key_len + salt_len));
    // client key | server key | client salt | server salt
    memcpy(client->key, block, key_len);
    memcpy(server->key, block + key_len, key_len);
    memcpy(client->salt, block + 2 * key_len, salt_len);
    memcpy(server->salt, block + 2 * key_len + salt_len, salt_len);
    OPENSSL_cleanse(block, sizeof(block));
}

void dtls_record_clear(struct dtls_record *record)
{
    OPENSSL_cleanse(record, sizeof(*record));
}

// ---- records -----------------------------------------------------------------------------------------------

void dtls_record_follow(struct dtls_record *record, const uint8_t *datagram, size_t len)
{
    struct reader r = reader_of(datagram, len);
    while (reader_left(&r) > 0) {
        const uint8_t *header = reader_bytes(&r, DTLS_RECORD_HEADER);
        struct reader body = reader_sub(&r, header ? rd16(header + LENGTH_AT) : 0);
        g_assert(r.ok);
        if (rd16(header + EPOCH_AT) != EPOCH)
            continue;
        record->next_seq = (rd64(header + EPOCH_AT) & SEQUENCE_MASK) + 1;
        const uint8_t *nonce = reader_bytes(&body, NONCE);
        record->next_nonce = nonce ? rd64(nonce) + 1 : record->next_nonce;
    }
}

// What a record's tag covers besides what is in it: its number, type, version and length (RFC 5246 section 6.2.3.3).
static void write_aad(uint8_t aad[AAD], const uint8_t *header, size_t plain_len)
{
    memcpy(aad, header + EPOCH_AT, 8);
    memcpy(aad + 8, header, 3);
    wr16(aad + 11, (uint16_t)plain_len);
}

// Seals or opens `len` octets, for `out`; the tag is written, or compared. A context is made for each record: it
// would be a kilobyte of every silent association.
static bool transform(const struct dtls_record *record, bool is_seal, const uint8_t *header, const uint8_t *data,
                      size_t len, uint8_t *out, uint8_t *tag)
{
    const struct dtls_record_keys *keys = is_seal ? &record->tx : &record->rx;
    uint8_t nonce[sizeof(keys->salt) + NONCE], aad[AAD];
    int n;
    memcpy(nonce, keys->salt, sizeof(keys->salt));
    memcpy(nonce + sizeof(keys->salt), header + DTLS_RECORD_HEADER, NONCE);
    write_aad(aad, header, len);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_CipherInit_ex2(ctx, record->cipher, keys->key, nonce, is_seal, NULL) &&
              (is_seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag)) &&
              EVP_CipherUpdate(ctx, NULL, &n, aad, AAD) && EVP_CipherUpdate(ctx, out, &n, data, (int)len) &&
              EVP_CipherFinal_ex(ctx, out + len, &n) &&
              (!is_seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag));
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

size_t dtls_record_seal(struct dtls_record *record, enum dtls_content type, const uint8_t *data, size_t len,
                        uint8_t *out, size_t room)
{
    g_assert(record->cipher && len + DTLS_RECORD_MORE <= room && record->next_seq <= SEQUENCE_MASK);
    out[0] = (uint8_t)type;
    wr16(out + 1, VERSION);
    wr64(out + EPOCH_AT, (uint64_t)EPOCH << 48 | record->next_seq++);
    wr16(out + LENGTH_AT, (uint16_t)(NONCE + len + TAG));
    uint8_t *sealed = out + DTLS_RECORD_HEADER + NONCE;
    wr64(out + DTLS_RECORD_HEADER, record->next_nonce++);
    bool ok = transform(record, true, out, data, len, sealed, sealed + len);
    g_assert(ok);
    return len + DTLS_RECORD_MORE;
}

int dtls_record_open(struct dtls_record *record, const uint8_t *data, size_t len, uint8_t *out)
{
    if (len < DTLS_RECORD_MORE || len - DTLS_RECORD_MORE > DTLS_PLAIN_MAX || rd16(data + 1) != VERSION ||
        rd16(data + EPOCH_AT) != EPOCH || rd16(data + LENGTH_AT) != len - DTLS_RECORD_HEADER)
        return -EBADMSG;
    uint64_t seq = rd64(data + EPOCH_AT) & SEQUENCE_MASK;
    if (!cipher_window_is_fresh(&record->taken, seq))
        return -EALREADY;
    const uint8_t *sealed = data + DTLS_RECORD_HEADER + NONCE;
    size_t plain_len = len - DTLS_RECORD_MORE;
    uint8_t tag[TAG];
    memcpy(tag, sealed + plain_len, TAG);
    if (!transform(record, false, data, sealed, plain_len, out, tag))
        return -EBADMSG;
    cipher_window_add(&record->taken, seq);
    return (int)plain_len;
}
