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
    char *before = g_strconcat(" ", token, NULL), *after = g_strconcat(token, "\n", NULL);
    char **parts = g_strsplit(token, ".", 3);
    char *padded_head = g_strconcat(parts[0], "=.", parts[1], ".", parts[2], NULL);
    char *broken_line = g_strconcat(parts[0], ".", parts[1], "\r\n.", parts[2], NULL);
    char *json = g_strdup_printf("{\"payload\":\"%s\",\"protected\":\"%s\",\"signature\":\"%s\"}", parts[1], parts[0],
                                 parts[2]); // the other form of RFC 7515, section 7.2
    const char *const bad[] = {"",   ".",       "..",    "a.b.c", cut,   unsigned_,   padded,      longer,
                               huge, huge_dots, " . . ", before,  after, padded_head, broken_line, json};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(believes(auth, bad[i]));
    for (char *c = token; *c; c++) { // every single changed character breaks it
        char old = *c;
        *c = old == 'A' ? 'B' : 'A';
        assert_false(believes(auth, token));
        *c = old;
    }
    g_strfreev(parts);
    g_free(before);
    g_free(after);
    g_free(padded_head);
    g_free(broken_line);
    g_free(json);
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

// ---- RFC 7515 appendix A ------------------------------------------------------------------------------------

#define RFC_CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const char rfc_secret[] =
    "\x03\x23\x35\x4b\x2b\x0f\xa5\xbc\x83\x7e\x06\x65\x77\x7b\xa6\x8f\x5a\xb3\x28\xe6\xf0\x54\xc9\x28\xa9\x0f\x84"
    "\xb2\xd2\x50\x2e\xbf\xd3\xfb\x5a\x92\xd2\x06\x47\xef\x96\x8a\xb4\xc3\x77\x62\x3d\x22\x3d\x2e\x21\x72\x05\x2e"
    "\x4f\x08\xc0\xcd\x9a\xf5\x67\xd0\x80\xa3";

static const char rfc_hs256[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

static const char rfc_rsa[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
                              "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
                              "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
                              "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
                              "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
                              "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
                              "oQIDAQAB\n"
                              "-----END PUBLIC KEY-----\n";

static const char rfc_rs256[] =
    "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9"
    "CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6"
    "_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0"
    "igcN_IoypGlUPQGe77Rw";

static const char rfc_ec[] = "-----BEGIN PUBLIC KEY-----\n"
                             "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                             "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                             "-----END PUBLIC KEY-----\n";

static const char rfc_es256[] =
    "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

// Its claims name no `sub` and are of 2011. So a right signature is told by what is said next: that it has expired,
// or, on the day it was made, that nobody is named.
static void test_rfc_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *key, *good;
    } algorithms[] = {
        {"JWT_SECRET", rfc_secret, rfc_hs256},  // A.1
        {"JWT_PUBLIC_KEY", rfc_rsa, rfc_rs256}, // A.2
        {"JWT_PUBLIC_KEY", rfc_ec, rfc_es256},  // A.3
    };
    struct identity identity;
    for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        struct auth *auth = auth_with(algorithms[i].setting, algorithms[i].key);
        const char *good = algorithms[i].good;
        assert_int_equal(auth_verify(auth, good, NOW_MS, &identity, why, sizeof(why)), -ETIME);
        assert_int_equal(auth_verify(auth, good, INT64_C(1300819379000), &identity, why, sizeof(why)), -EACCES);
        assert_string_equal(why, "the token's sub is not a user id");
        char *wrong = g_strdup(good);
        char *c = strchr(wrong, '.') + 5; // in the claims
        *c = *c == 'A' ? 'B' : 'A';
        assert_int_equal(auth_verify(auth, wrong, NOW_MS, &identity, why, sizeof(why)), -EACCES);
        g_free(wrong);
        for (size_t j = 0; j < G_N_ELEMENTS(algorithms); j++) {
            if (j == i)
                continue;
            assert_int_equal(auth_verify(auth, algorithms[j].good, NOW_MS, &identity, why, sizeof(why)), -EACCES);
            assert_non_null(strstr(why, "another algorithm"));
        }
        auth_free(auth);
    }
}

// Appendix A.5: a token nobody signed.
static void test_unsecured(void **state)
{
    (void)state;
    static const char unsecured[] = "eyJhbGciOiJub25lIn0." RFC_CLAIMS ".";
    static const char *const keys[][2] = {
        {"JWT_SECRET", rfc_secret}, {"JWT_PUBLIC_KEY", rfc_rsa}, {"JWT_PUBLIC_KEY", rfc_ec}};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        struct auth *auth = auth_with(keys[i][0], keys[i][1]);
        assert_false(believes(auth, unsecured));
        assert_non_null(strstr(why, "another algorithm"));
        auth_free(auth);
    }
}

// ---- what is in a header, and when --------------------------------------------------------------------------

static void test_believed_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool is_believed;
    } cases[] = {
        {"{\"alg\":\"HS256\"}", true},
        {"{\"alg\":\"HS256\",\"kid\":\"../../../dev/null\"}", true}, // there is one key, whatever it is called
        {"{\"alg\":\"HS256\",\"kid\":7}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"jku\":\"https://evil.example/keys\"}", true},
        {"{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"x5u\":\"https://evil.example\"}", true},
        {"{ \"alg\" :\r\n\t\"HS256\" }", true},
        {"{\"alg\":\"hs256\"}", false},
        {"{\"alg\":\"HS256 \"}", false},
        {"{\"alg\":\"\"}", false},
        {"{\"alg\":null}", false},
        {"{\"alg\":[\"HS256\"]}", false},
        {"{\"alg\":\"HS384\"}", false},
        {"{\"alg\":\"ES256\"}", false},
        {"{\"alg\":\"nOnE\"}", false},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS256\",\"crit\":[]}", false},
        {"{\"alg\":\"HS256\",\"crit\":null}", false},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", false},
        {"[\"HS256\"]", false},
        {"\"HS256\"", false},
        {"", false},
    };
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *token = make_token_with(cases[i].header, SECRET, "{\"sub\":\"a\"}");
        if (believes(auth, token) != cases[i].is_believed)
            fail_msg("%s: %s", cases[i].header, why);
        g_free(token);
    }
    auth_free(auth);
}

// The clocks may differ by AUTH_LEEWAY_S, and not by more.
static void test_leeway(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        int rc;
    } cases[] = {
        {"{\"sub\":\"a\",\"exp\":1769853600}", 0},
        {"{\"sub\":\"a\",\"exp\":1769853596}", 0},
        {"{\"sub\":\"a\",\"exp\":1769853595.5}", 0},
        {"{\"sub\":\"a\",\"exp\":1769853595}", -ETIME},
        {"{\"sub\":\"a\",\"exp\":0}", -ETIME},
        {"{\"sub\":\"a\",\"exp\":-1}", -ETIME},
        {"{\"sub\":\"a\",\"exp\":1e300}", 0},
        {"{\"sub\":\"a\",\"exp\":null}", -EACCES},
        {"{\"sub\":\"a\",\"exp\":\"1769853700\"}", -EACCES},
        {"{\"sub\":\"a\",\"exp\":[1769853700]}", -EACCES},
        {"{\"sub\":\"a\",\"exp\":true}", -EACCES},
        {"{\"sub\":\"a\",\"nbf\":1769853600}", 0},
        {"{\"sub\":\"a\",\"nbf\":1769853605}", 0},
        {"{\"sub\":\"a\",\"nbf\":1769853605.5}", -EACCES},
        {"{\"sub\":\"a\",\"nbf\":1769853606}", -EACCES},
        {"{\"sub\":\"a\",\"nbf\":\"now\"}", -EACCES},
        {"{\"sub\":\"a\",\"nbf\":1769853606,\"exp\":1}", -ETIME},
    };
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    struct identity identity;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *token = make_token(SECRET, cases[i].claims);
        int rc = auth_verify(auth, token, NOW_MS, &identity, why, sizeof(why));
        if (rc != cases[i].rc)
            fail_msg("%s: %d, not %d", cases[i].claims, rc, cases[i].rc);
        identity_clear(&identity);
        g_free(token);
    }
    auth_free(auth);
}

// ---- which rooms, as whom -----------------------------------------------------------------------------------

static void test_rooms_and_roles(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        bool covers_r, covers_star;
        enum role role;
    } cases[] = {
        {"{\"sub\":\"a\"}", false, false, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\"}", true, false, ROLE_HOST},
        {"{\"sub\":\"a\",\"room\":\"r2\",\"role\":\"observer\"}", false, false, ROLE_OBSERVER},
        {"{\"sub\":\"a\",\"room\":[],\"role\":\"participant\"}", false, false, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":[\"q\",\"r\"]}", true, false, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":[\"q\",7,null,[\"r\"]]}", false, false, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":\"*\"}", true, true, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":[\"*\"]}", true, true, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":\"r*\"}", false, false, ROLE_PARTICIPANT}, // no pattern
        {"{\"sub\":\"a\",\"room\":\"q,r\"}", false, false, ROLE_PARTICIPANT},
        {"{\"sub\":\"a\",\"room\":\"\"}", false, false, ROLE_PARTICIPANT},
    };
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    struct identity identity;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *token = make_token(SECRET, cases[i].claims);
        assert_int_equal(auth_verify(auth, token, NOW_MS, &identity, why, sizeof(why)), 0);
        if (identity_covers(&identity, "r") != cases[i].covers_r || identity.role != cases[i].role ||
            identity_covers(&identity, "any") != cases[i].covers_star)
            fail_msg("%s", cases[i].claims);
        identity_clear(&identity);
        g_free(token);
    }
    auth_free(auth);
}

static void test_size(void **state)
{
    (void)state;
    struct auth *auth = auth_with("JWT_SECRET", SECRET);
    for (int more = -1; more <= 1; more++) {
        // Padding in a claim nobody reads, until the token is as long as it may be, or one longer.
        char *token = NULL;
        for (size_t fill = 5900; !token || strlen(token) < (size_t)(TOKEN_MAX + more); fill++) {
            g_free(token);
            char *text = g_strnfill(fill, 'x');
            char *claims = g_strdup_printf("{\"sub\":\"a\",\"x\":\"%s\"}", text);
            token = make_token(SECRET, claims);
            g_free(claims);
            g_free(text);
        }
        assert_int_equal(believes(auth, token), strlen(token) <= TOKEN_MAX);
        g_free(token);
    }
    auth_free(auth);
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
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_unsecured),
        cmocka_unit_test(test_believed_headers),
        cmocka_unit_test(test_leeway),
        cmocka_unit_test(test_rooms_and_roles),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
