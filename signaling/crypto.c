// How do we draw random names, sign, and check signatures? (the only file that knows OpenSSL)
// SPDX-License-Identifier: MIT
#include "signaling/crypto.h"

#include <glib.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { P256_COORDINATE = 32 }; // bytes of r and of s

struct crypto_key {
    EVP_PKEY *pkey;
    bool is_rsa;
};

static void random_bytes(uint8_t *out, size_t len)
{
    // Without randomness there are no secrets: better no server than a guessable one.
    g_assert(RAND_bytes(out, (int)len) == 1);
}

void crypto_random_text(char *out, size_t len)
{
    random_bytes((uint8_t *)out, len);
    for (size_t i = 0; i < len; i++)
        out[i] = url_alphabet[(uint8_t)out[i] & 63];
    out[len] = '\0';
}

void crypto_uuid(char out[37])
{
    uint8_t b[16];
    random_bytes(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    g_snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
               b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

bool crypto_equal_text(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && crypto_equal(a, b, strlen(a));
}

char *crypto_base64(const void *data, size_t len)
{
    return g_base64_encode(data, len);
}

int crypto_base64url_read(const char *text, size_t len, uint8_t *out, size_t size)
{
    if (len % 4 == 1)
        return -1;
    size_t n = 0;
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = text[i] ? strchr(url_alphabet, text[i]) : NULL;
        if (!at)
            return -1;
        held = (held << 6 | (unsigned)(at - url_alphabet)) & 0xffff;
        bits += 6;
        if (bits < 8)
            continue;
        if (n == size)
            return -1;
        bits -= 8;
        out[n++] = (uint8_t)(held >> bits);
    }
    // Leftover bits must be zero, or one signature could be spelt in several ways.
    return held & ((1u << bits) - 1) ? -1 : (int)n;
}

static void hmac(const EVP_MD *digest, const char *key, const char *text, size_t len, uint8_t *out)
{
    unsigned out_len = 0;
    g_assert(HMAC(digest, key, (int)strlen(key), (const uint8_t *)text, len, out, &out_len));
}

void crypto_hmac_sha1(const char *key, const char *text, uint8_t out[CRYPTO_SHA1_BYTES])
{
    hmac(EVP_sha1(), key, text, strlen(text), out);
}

void crypto_hmac_sha256(const char *key, const char *text, size_t len, uint8_t out[CRYPTO_SHA256_BYTES])
{
    hmac(EVP_sha256(), key, text, len, out);
}

// RFC 7914 section 2: N is what an attacker pays per guess, r = 8 is its advice. N is less than for passwords that
// are stored: these live in memory as long as their room, and the thread that checks them serves everybody else.
static void stretch(const char *password, const uint8_t salt[16], uint8_t hash[32])
{
    enum { N = 4096, R = 8, P = 1, MEMORY_MAX = 16 << 20 };
    g_assert(EVP_PBE_scrypt(password, strlen(password), salt, 16, N, R, P, MEMORY_MAX, hash, 32) == 1);
}

void crypto_password_set(struct crypto_password *kept, const char *password)
{
    random_bytes(kept->salt, sizeof(kept->salt));
    stretch(password, kept->salt, kept->hash);
}

bool crypto_password_matches(const struct crypto_password *kept, const char *password)
{
    uint8_t hash[sizeof(kept->hash)];
    stretch(password, kept->salt, hash);
    return crypto_equal(hash, kept->hash, sizeof(hash));
}

static const char *key_fault(EVP_PKEY *pkey)
{
    char curve[32] = "";
    if (!pkey)
        return "it is not a public key in PEM";
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return EVP_PKEY_get_bits(pkey) < CRYPTO_RSA_BITS_MIN ? "an RSA key needs 2048 bits or more" : NULL;
    if (!EVP_PKEY_is_a(pkey, "EC"))
        return "it is neither an RSA nor an EC key";
    EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL);
    return strcmp(curve, "prime256v1") == 0 ? NULL : "an EC key must be on the curve P-256";
}

struct crypto_key *crypto_key_parse(const char *pem, char *err, size_t err_size)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    const char *fault = key_fault(pkey);
    if (fault) {
        g_snprintf(err, err_size, "%s", fault);
        EVP_PKEY_free(pkey);
        return NULL;
    }
    struct crypto_key *key = g_new0(struct crypto_key, 1);
    key->pkey = pkey;
    key->is_rsa = EVP_PKEY_is_a(pkey, "RSA");
    return key;
}

void crypto_key_free(struct crypto_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    g_free(key);
}

const char *crypto_key_algorithm(const struct crypto_key *key)
{
    return key->is_rsa ? "RS256" : "ES256";
}

// OpenSSL wants r and s as DER; NULL when the signature cannot be two coordinates.
static uint8_t *der_signature(const uint8_t *raw, size_t len, size_t *der_len)
{
    if (len != 2 * P256_COORDINATE)
        return NULL;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    g_assert(sig);
    BIGNUM *r = BN_bin2bn(raw, P256_COORDINATE, NULL);
    BIGNUM *s = BN_bin2bn(raw + P256_COORDINATE, P256_COORDINATE, NULL);
    g_assert(r && s && ECDSA_SIG_set0(sig, r, s));
    uint8_t *der = NULL;
    int n = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    g_assert(n > 0);
    *der_len = (size_t)n;
    return der;
}

bool crypto_key_verify(const struct crypto_key *key, const char *text, size_t len, const uint8_t *signature,
                       size_t signature_len)
{
    uint8_t *der = NULL;
    if (!key->is_rsa) {
        der = der_signature(signature, signature_len, &signature_len);
        if (!der)
            return false;
        signature = der;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
              EVP_DigestVerify(ctx, signature, signature_len, (const uint8_t *)text, len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return ok;
}

// ---- certificates -------------------------------------------------------------------------------------------

// A key with a passphrase is refused rather than asked about on a terminal.
static int no_passphrase(char *out, int size, int is_writing, void *arg)
{
    (void)out, (void)size, (void)is_writing, (void)arg;
    return -1;
}

static X509 *read_certificate(const char *path, char *err, size_t err_size)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *cert = file ? PEM_read_bio_X509(file, NULL, no_passphrase, NULL) : NULL;
    if (!cert)
        g_snprintf(err, err_size, "%s: %s", path, file ? "no certificate in PEM form" : "cannot be read");
    BIO_free(file);
    return cert;
}

static EVP_PKEY *read_key(const char *path, char *err, size_t err_size)
{
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = file ? PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL) : NULL;
    if (!key)
        g_snprintf(err, err_size, "%s: %s", path,
                   file ? "no private key in PEM form without a passphrase" : "cannot be read");
    BIO_free(file);
    return key;
}

bool crypto_check_pair(const char *cert_path, const char *key_path, bool *is_of_key, char *err, size_t err_size)
{
    X509 *cert = read_certificate(cert_path, err, err_size);
    EVP_PKEY *key = cert ? read_key(key_path, err, err_size) : NULL;
    bool fits = key && X509_check_private_key(cert, key) == 1;
    *is_of_key = cert != NULL;
    if (key && !fits)
        g_snprintf(err, err_size, "%s: it is not the key of that certificate", key_path);
    EVP_PKEY_free(key);
    X509_free(cert);
    ERR_clear_error();
    return fits;
}
