// Is exactly the token believed that the configured key signed, and exactly for what it says?
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "tests/signaling/rig.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static const int64_t NOW_MS = INT64_C(1769853600000);

// Made with the openssl command: claims {"sub":"ana","name":"Ana","role":"host","room":["r","s"],"exp":4102444800}.
static const char rsa_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzAtiz+uXpnXF5k3G/d/H\n"
                                 "eiwFbSN3zkEBAaxxUPd4ao7hSmC2/DAm971Vthfw5jSYKBf+8zdqooSPz6IWkPl/\n"
                                 "hXfG+VIBv2ANVuhR1VsQROn0RsENt40ZWVkdydMKVP84D0xbb4mTZ0x1+QNB0He0\n"
                                 "v3Nebn1sSgdcSI3LignW8KqzKbS88pdJowUUc7Pd/74alVmTm0EChqtsFLBtkwDy\n"
                                 "S6kTYNkoJbMZD4Y8Sp1/KBwkKhIC6JybAMiE/94eE9zD8WO0u/0fafAmV5fqLeGP\n"
                                 "4BUAa05E549vhrt662KJ7rv91DvxuyP17zSkcND3j+WLfJzEabcqa+ICjIhBHz/V\n"
                                 "EwIDAQAB\n"
                                 "-----END PUBLIC KEY-----\n";

static const char rsa_token[] =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbmEiLCJuYW1lIjoiQW5hIiwicm9sZSI6Imhvc3QiLCJyb29tIjp"
    "bInIiLCJzIl0sImV4cCI6NDEwMjQ0NDgwMH0.mpIkpJuFKkr_3NdH2QJ3kXvXEwZ64GLPZvKdZNZQIDL9HoRdmTNx3mQqJh8flLe"
    "jDUyMNskDlJ4lqvyoHM0KRPWBN3ojC2ToNnK8nHwCGn-CnOMTZkB4O82v_9oMOpxz5nVJlJkXARJnH45Eqoa-PqchabiXBTK-vHN"
    "uCkSN_uBd6gPozctXqzLRphfPNwUBVqo9FxPRJd3WvES5_AeuZGXFmR0EN0eFscxvltBF1XOuZ9C6bcIFMc70C0s25Q0doCaX8hn"
    "mhoSV_Q8ypYMCao86WWEGuETMM-0AJGHRLVZluylAobVwbrBpuCwXS562qAu5tWDxOWg4EFQP5QFqxQ";

static const char ec_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEm4V/WWVRBOqCaIN5xRENXsrJ9V2H\n"
                                "FFl/MTvzb4R0AnPQ0TFln/I9tETn3dMl1c9qhWf+OQUM0SR77nATKjEfwA==\n"
                                "-----END PUBLIC KEY-----\n";

static const char ec_token[] =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbmEiLCJuYW1lIjoiQW5hIiwicm9sZSI6Imhvc3QiLCJyb29tIjp"
    "bInIiLCJzIl0sImV4cCI6NDEwMjQ0NDgwMH0.qOjeCS2AW4ZoQ2CPPsoVZ915mbJmtvxzw9u_uzft1iQHWV4sVbVii9JU9TB8TEh"
    "e2zR0pKtAR5qZvuLknu2avg";

static struct auth *auth_with(const char *key, const char *value)
{
    struct config config;
    char err[200];
    config_init(&config);
    assert_int_equal(config_set(&config, key, value, err, sizeof(err)), 0);
    struct auth *auth = auth_new(&config, err, sizeof(err));
    assert_non_null(auth);
    config_clear(&config);
    return auth;
}

// Returns whether it was believed; why not is left in why.
static char why[200];
static bool believes(const struct auth *auth, const char *token)
{
    struct identity identity;
    why[0] = '\0';
    int rc = auth_verify(auth, token, NOW_MS, &identity, why, sizeof(why));
    identity_clear(&identity);
    return rc == 0;
}

static void test_claims(void **state)
{
    (void)state;
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    char *token =
        make_token(SECRET, "{\"sub\":\"ana\",\"name\":\"Ana\",\"avatar\":\"https://a/b.png\",\"role\":\"observer\","
                           "\"room\":\"r\",\"exp\":1769853601,\"nbf\":1769853599}");
    struct identity identity, copy;
    assert_int_equal(auth_verify(auth, token, NOW_MS, &identity, why, sizeof(why)), 0);
    identity_copy(&copy, &identity);
    identity_clear(&identity);
    assert_string_equal(copy.user, "ana");
    assert_string_equal(copy.name, "Ana");
    assert_string_equal(copy.avatar, "https://a/b.png");
    assert_int_equal(copy.role, ROLE_OBSERVER);
    assert_true(identity_covers(&copy, "r"));
    assert_false(identity_covers(&copy, "R"));
    identity_clear(&copy);
    g_free(token);
    token = make_token(SECRET, "{\"sub\":\"bob\"}");
    assert_int_equal(auth_verify(auth, token, NOW_MS, &identity, why, sizeof(why)), 0);
    assert_int_equal(identity.role, ROLE_PARTICIPANT);
    assert_false(identity_covers(&identity, "r")); // no room is named, so none is opened
    identity_clear(&identity);
    g_free(token);
    token = make_token(SECRET, "{\"sub\":\"bob\",\"room\":[\"a\",\"*\"]}");
    assert_int_equal(auth_verify(auth, token, NOW_MS, &identity, why, sizeof(why)), 0);
    assert_true(identity_covers(&identity, "anything"));
    identity_clear(&identity);
    g_free(token);
    auth_free(auth);
}

static void test_refused_claims(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *says;
    } bad[] = {
        {"{}", "sub"},
        {"{\"sub\":5}", "sub"},
        {"{\"sub\":\"\"}", "sub"},
        {"{\"sub\":\"two words\"}", "sub"},
        {"{\"sub\":\"sfu\"}", "sub"},
        {"{\"sub\":\"a\",\"role\":\"admin\"}", "role"},
        {"{\"sub\":\"a\",\"role\":2}", "role"},
        {"{\"sub\":\"a\",\"room\":5}", "room"},
        {"{\"sub\":\"a\",\"name\":[]}", "name"},
        {"{\"sub\":\"a\",\"exp\":1769853595}", "expired"},
        {"{\"sub\":\"a\",\"exp\":\"tomorrow\"}", "exp"},
        {"{\"sub\":\"a\",\"nbf\":1769853606}", "yet"},
        {"[]", "JSON"},
        {"{\"sub\":\"a\",\"sub\":\"b\"}", "JSON"},
    };
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *token = make_token(SECRET, bad[i].claims);
        assert_false(believes(auth, token));
        assert_non_null(strstr(why, bad[i].says));
        g_free(token);
    }
    auth_free(auth);
}

// Good but old is told apart from never good.
static void test_expired(void **state)
{
    (void)state;
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    struct identity identity;
    char *old = make_token(SECRET, "{\"sub\":\"a\",\"exp\":1}");
    char *forged = make_token("another secret of thirty-two byte", "{\"sub\":\"a\",\"exp\":1}");
    assert_int_equal(auth_verify(auth, old, NOW_MS, &identity, why, sizeof(why)), -ETIME);
    assert_int_equal(auth_verify(auth, forged, NOW_MS, &identity, why, sizeof(why)), -EACCES);
    g_free(old);
    g_free(forged);
    auth_free(auth);
}

static void test_refused_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"RS256\"}",
        "{}",
        "{\"alg\":5}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
    };
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        char *token = make_token_with(headers[i], SECRET, "{\"sub\":\"a\"}");
        assert_false(believes(auth, token));
        g_free(token);
    }
    char *token = make_token("another secret of thirty-two byte", "{\"sub\":\"a\"}");
    assert_false(believes(auth, token));
    g_free(token);
    auth_free(auth);
}

static void test_refused_shapes(void **state)
{
    (void)state;
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    char *token = make_token(SECRET, "{\"sub\":\"a\"}");
    assert_true(believes(auth, token));
    char *dot = strrchr(token, '.');
    char *cut = g_strndup(token, (gsize)(dot - token)), *unsigned_ = g_strndup(token, (gsize)(dot - token + 1));
    char *padded = g_strconcat(token, "=", NULL), *longer = g_strconcat(token, ".x", NULL);
    char *huge = g_strnfill(TOKEN_MAX + 1, 'a');
    char *huge_dots = g_strconcat("a.b.", huge, NULL);
    const char *const bad[] = {"", ".", "..", "a.b.c", cut, unsigned_, padded, longer, huge, huge_dots, " . . "};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(believes(auth, bad[i]));
    for (char *c = token; *c; c++) { // every single changed character breaks it
        char old = *c;
        *c = old == 'A' ? 'B' : 'A';
        assert_false(believes(auth, token));
        *c = old;
    }
    g_free(cut);
    g_free(unsigned_);
    g_free(padded);
    g_free(longer);
    g_free(huge);
    g_free(huge_dots);
    g_free(token);
    auth_free(auth);
}

static void check_public_key(const char *pem, const char *good, const char *other)
{
    struct auth *auth = auth_with("JWT_PUBLIC_KEY", pem);
    struct identity identity;
    assert_int_equal(auth_verify(auth, good, NOW_MS, &identity, why, sizeof(why)), 0);
    assert_string_equal(identity.user, "ana");
    assert_int_equal(identity.role, ROLE_HOST);
    assert_true(identity_covers(&identity, "s"));
    identity_clear(&identity);
    assert_false(believes(auth, other));
    // The classic: the public key taken for the secret of an HMAC.
    char *confused = make_token(pem, "{\"sub\":\"ana\",\"room\":\"*\",\"role\":\"host\"}");
    assert_false(believes(auth, confused));
    g_free(confused);
    char *changed = g_strdup(good);
    char *signature = strrchr(changed, '.') + 1;
    signature[10] = signature[10] == 'A' ? 'B' : 'A';
    assert_false(believes(auth, changed));
    *signature = '\0';
    assert_false(believes(auth, changed));
    g_free(changed);
    auth_free(auth);
}

static void test_public_keys(void **state)
{
    (void)state;
    check_public_key(rsa_public, rsa_token, ec_token);
    check_public_key(ec_public, ec_token, rsa_token);
    char **lines = g_strsplit(ec_public, "\n", -1);
    char *one_line = g_strjoinv("\\n", lines); // as a .env file has it
    check_public_key(one_line, ec_token, rsa_token);
    g_strfreev(lines);
    g_free(one_line);
}

static void test_bad_public_key(void **state)
{
    (void)state;
    static const char *const bad[] = {"-----BEGIN PUBLIC KEY-----\nnonsense\n", "/nonexistent/key.pem"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct config config;
        config_init(&config);
        config_set(&config, "JWT_PUBLIC_KEY", bad[i], why, sizeof(why));
        assert_null(auth_new(&config, why, sizeof(why)));
        assert_ptr_equal(strstr(why, "JWT_PUBLIC_KEY"), why);
        config_clear(&config);
    }
}

// Without a key nobody is believed: open mode does not mean that anything signed anyhow counts.
static void test_open_mode(void **state)
{
    (void)state;
    struct config config;
    config_init(&config);
    struct auth *auth = auth_new(&config, why, sizeof(why));
    assert_true(auth_is_open(auth));
    char *token = make_token("", "{\"sub\":\"a\"}");
    assert_false(believes(auth, token));
    g_free(token);
    auth_free(auth);
    config_clear(&config);
}

static void test_ids(void **state)
{
    (void)state;
    char *longest = g_strnfill(128, 'a'), *too_long = g_strnfill(129, 'a');
    assert_true(is_user_id("ana@example.org") && is_user_id(longest));
    assert_false(is_user_id("") || is_user_id("a b") || is_user_id("jo\xc3\xa3o") || is_user_id("sfu"));
    assert_false(is_user_id(too_long) || is_user_id("a\n"));
    assert_true(is_room_id("sala-teste") && is_room_id("A.b_c~1") && is_room_id(longest));
    assert_false(is_room_id("") || is_room_id("a/b") || is_room_id("..") || is_room_id(".") || is_room_id("a?b"));
    assert_false(is_room_id(too_long) || is_room_id("a b"));
    g_free(longest);
    g_free(too_long);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_refused_claims),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_refused_headers),
        cmocka_unit_test(test_refused_shapes),
        cmocka_unit_test(test_public_keys),
        cmocka_unit_test(test_bad_public_key),
        cmocka_unit_test(test_open_mode),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
