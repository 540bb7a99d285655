// Who are we in DTLS, and what do we accept?
// SPDX-License-Identifier: MIT
#include "sfu/dtls_cert.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>

enum {
    VALID_BEFORE_S = 24 * 3600, // clocks differ
    VALID_AFTER_S = 10 * 365 * 24 * 3600,
    X509_V3 = 2,
};

// ECDHE alone: forward secrecy. GCM alone: dtls_record.c speaks no other. RFC 8827 s6.5 asks everybody for the first;
// RSA ones are for a peer whose certificate is RSA.
#define CIPHER_LIST                                                                                                  \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                                                   \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"

// RFC 5764 s4.1.2, RFC 7714 s14.2; the first that both sides have wins, whichever side we are on as a server.
#define PROFILE_LIST "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

static void name_and_sign(X509 *x509, EVP_PKEY *key)
{
    uint64_t serial;
    X509_NAME *name = X509_NAME_new();
    int ok = name && RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 && X509_set_version(x509, X509_V3) &&
             ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1) &&
             X509_gmtime_adj(X509_getm_notBefore(x509), -VALID_BEFORE_S) &&
             X509_gmtime_adj(X509_getm_notAfter(x509), VALID_AFTER_S) &&
             X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"roda", -1, -1, 0) &&
             X509_set_subject_name(x509, name) && X509_set_issuer_name(x509, name) && X509_set_pubkey(x509, key) &&
             X509_sign(x509, key, EVP_sha256());
    g_assert(ok);
    X509_NAME_free(name);
}

static void print_fingerprint(X509 *x509, char out[DTLS_FINGERPRINT_TEXT])
{
    unsigned char digest[DTLS_FINGERPRINT_MAX];
    unsigned len = 0;
    int ok = X509_digest(x509, EVP_sha256(), digest, &len);
    g_assert(ok && len == DTLS_FINGERPRINT_MAX);
    for (unsigned i = 0; i < len; i++)
        snprintf(out + 3 * i, 4, "%02X%s", digest[i], i + 1 < len ? ":" : "");
}

// RFC 8842 s3, RFC 8122 s5: not the issuer or the date counts, only that this is the certificate the SDP named.
static int verify(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls_expected *expected = SSL_get_app_data(ssl);
    X509 *x509 = X509_STORE_CTX_get0_cert(store);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool same = expected->known && x509 && X509_digest(x509, EVP_sha256(), digest, &len) &&
                len == DTLS_FINGERPRINT_MAX && CRYPTO_memcmp(digest, expected->digest, len) == 0;
    expected->refused = !same;
    X509_STORE_CTX_set_error(store, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return same;
}

static SSL_CTX *context_new(X509 *x509, EVP_PKEY *key)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    // SSL_CTX_set_tlsext_use_srtp() is the one that returns 0 on success.
    // No later version either: dtls_record.c knows this one's records.
    int ok = ctx && SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) &&
             SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) && SSL_CTX_set_cipher_list(ctx, CIPHER_LIST) &&
             SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") && SSL_CTX_use_certificate(ctx, x509) &&
             SSL_CTX_use_PrivateKey(ctx, key) && SSL_CTX_set_tlsext_use_srtp(ctx, PROFILE_LIST) == 0;
    g_assert(ok);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_SINGLE_ECDH_USE);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 1); // DTLS: a datagram is read whole
    return ctx;
}

struct dtls_cert *dtls_cert_new(void)
{
    struct dtls_cert *cert = g_new0(struct dtls_cert, 1);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    g_assert(key && x509);
    name_and_sign(x509, key);
    print_fingerprint(x509, cert->fingerprint);
    cert->ctx = context_new(x509, key);
    X509_free(x509);
    EVP_PKEY_free(key);
    return cert;
}

void dtls_cert_free(struct dtls_cert *cert)
{
    if (!cert)
        return;
    SSL_CTX_free(cert->ctx);
    g_free(cert);
}

const char *dtls_cert_fingerprint(const struct dtls_cert *cert)
{
    return cert->fingerprint;
}
