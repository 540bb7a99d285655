// How do we draw random names, sign, and check signatures? (the only file that knows OpenSSL)
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CRYPTO_SHA1_BYTES = 20,
    CRYPTO_SHA256_BYTES = 32,
    CRYPTO_RSA_BITS_MIN = 2048, // RFC 7518 section 3.3: a key of 2048 bits or larger MUST be used
};

// `len` random characters of [A-Za-z0-9_-] (six bits each) and a NUL.
void crypto_random_text(char *out, size_t len);

// A version 4 UUID (RFC 9562 section 5.4): 36 characters and a NUL.
void crypto_uuid(char out[37]);

// In a time that does not depend on where they differ.
bool crypto_equal(const void *a, const void *b, size_t len);
bool crypto_equal_text(const char *a, const char *b);

// RFC 4648 sections 4 and 5. Base64 of data, to be freed with g_free().
char *crypto_base64(const void *data, size_t len);

// Decodes unpadded base64url into out and returns the number of bytes, or -1 (a foreign character, too long).
int crypto_base64url_read(const char *text, size_t len, uint8_t *out, size_t size);

void crypto_hmac_sha1(const char *key, const char *text, uint8_t out[CRYPTO_SHA1_BYTES]);
void crypto_hmac_sha256(const char *key, const char *text, size_t len, uint8_t out[CRYPTO_SHA256_BYTES]);

// What is kept of a password: scrypt (RFC 7914) with N = 4096, r = 8, p = 1 and a salt of its own. One takes 4 MiB
// and 5 to 10 ms of a core: the caller bounds how often.
struct crypto_password {
    uint8_t salt[16], hash[32];
};

void crypto_password_set(struct crypto_password *kept, const char *password);
bool crypto_password_matches(const struct crypto_password *kept, const char *password);

// A public key that checks JWT signatures (RFC 7518 sections 3.3 and 3.4).
struct crypto_key;

// Takes an RSA key or a P-256 key in PEM; anything else is NULL and one sentence in err.
struct crypto_key *crypto_key_parse(const char *pem, char *err, size_t err_size);
void crypto_key_free(struct crypto_key *key);

const char *crypto_key_algorithm(const struct crypto_key *key); // "RS256" or "ES256"

// ES256 signatures are the 64 bytes r || s of RFC 7518, not DER.
bool crypto_key_verify(const struct crypto_key *key, const char *text, size_t len, const uint8_t *signature,
                       size_t signature_len);

// Whether the first certificate of one PEM file belongs to the private key of the other. False: one sentence in err,
// and whether it is about the key's file.
bool crypto_check_pair(const char *cert_path, const char *key_path, bool *is_of_key, char *err, size_t err_size);
