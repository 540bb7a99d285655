// Is no token believed that the key did not sign, and no claim that cannot be? (signaling/auth.c)
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <stdio.h>

#include "signaling/auth.h"
#include "signaling/crypto.h"
#include "tests/fuzz/fuzz.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct auth *auth;

static void start(void)
{
    struct config config;
    char err[200];
    config_init(&config);
    assert(config_set(&config, "JWT_SECRET", SECRET, err, sizeof(err)) == 0);
    auth = auth_new(&config, err, sizeof(err));
    assert(auth);
    config_clear(&config);
}

static char *base64url(const void *data, size_t len)
{
    char *text = crypto_base64(data, len);
    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

// The header of the token is fixed, its claims are the input, and the signature is right.
static char *sign(const uint8_t *claims, size_t len)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    uint8_t signature[CRYPTO_SHA256_BYTES];
    char *first = base64url(header, sizeof(header) - 1), *second = base64url(claims, len);
    char *signed_text = g_strdup_printf("%s.%s", first, second);
    crypto_hmac_sha256(SECRET, signed_text, strlen(signed_text), signature);
    char *third = base64url(signature, sizeof(signature));
    char *token = g_strdup_printf("%s.%s", signed_text, third);
    g_free(first);
    g_free(second);
    g_free(third);
    g_free(signed_text);
    return token;
}

// The first octet says whether the rest is a token or the claims of one.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    struct identity identity;
    char err[200] = "";
    if (!auth)
        start();
    bool is_signed = fuzz_u8(&in) & 1;
    char *token = is_signed ? sign(in.p, in.len) : g_strndup((const char *)in.p, in.len);
    if (auth_verify(auth, token, INT64_C(1769853600000), &identity, err, sizeof(err)) == 0) {
        assert(is_signed);
        assert(is_user_id(identity.user) && identity.role <= ROLE_HOST);
        identity_clear(&identity);
    } else {
        assert(err[0]);
    }
    g_free(token);
    return 0;
}
