// Do names, signatures and base64 come out as the RFCs say?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "signaling/crypto.h"

// RFC 2202 section 3 test case 2 and RFC 4231 section 4.3 test case 2.
static void test_hmac(void **state)
{
    (void)state;
    static const uint8_t sha1[] = {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                                   0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79};
    static const uint8_t sha256[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                     0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                     0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    static const char text[] = "what do ya want for nothing?";
    uint8_t out1[CRYPTO_SHA1_BYTES], out256[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha1("Jefe", text, out1);
    crypto_hmac_sha256("Jefe", text, strlen(text), out256);
    assert_memory_equal(out1, sha1, sizeof(sha1));
    assert_memory_equal(out256, sha256, sizeof(sha256));
}

// RFC 4648 section 10, unpadded.
static void test_base64url(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes;
    } good[] = {{"", ""},           {"Zg", "f"},          {"Zm8", "fo"},      {"Zm9v", "foo"},
                {"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}, {"_-8", "\xff\xef"}};
    static const char *const bad[] = {"Z", "Zg==", "Zm9v.", "Zm 9", "Zm9vY", "Zh", "+/8", "Z\x80", "Zm9"};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        int n = crypto_base64url_read(good[i].text, strlen(good[i].text), out, sizeof(out));
        assert_int_equal(n, strlen(good[i].bytes));
        assert_memory_equal(out, good[i].bytes, n);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(crypto_base64url_read(bad[i], strlen(bad[i]), out, sizeof(out)), -1);
    assert_int_equal(crypto_base64url_read("Zg\0", 3, out, sizeof(out)), -1);
    assert_int_equal(crypto_base64url_read("Zm9vYmE", 7, out, 4), -1);
}

static void test_random(void **state)
{
    (void)state;
    char a[33], b[33], uuid[37];
    crypto_random_text(a, 32);
    crypto_random_text(b, 32);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 32);
    assert_string_not_equal(a, b);
    crypto_uuid(uuid);
    assert_true(g_uuid_string_is_valid(uuid));
    assert_int_equal(uuid[14], '4');
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(crypto_equal_text("same", "same"));
    assert_false(crypto_equal_text("same", "sane"));
    assert_false(crypto_equal_text("same", "same "));
    assert_true(crypto_equal_text("", ""));
}

static const char small_rsa[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDOfQMo+LQXepSJ087S6dlCOt5A\n"
                                "wKJN7mgncMZ+y17G0tHJvUFjnSi6aAPMmlEi5B6NnS7SQtjXw3O0CD6Rm293F6r8\n"
                                "Ip2ySCY9+Nomg4ai07vawEEg+w9ZPImbszFrZr4t50R/g90g5xzkJp68Ws8A0isV\n"
                                "zZfkUhwyLF24+XTofwIDAQAB\n"
                                "-----END PUBLIC KEY-----\n";

static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
                           "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE12EpxTZLCY0nuDSn6jQ48XXPdtVbNoA+\n"
                           "SX/Rg4zcImoxRnuDxF3YZFDmO1VK3c1J2v3e4h2k29xE5kaEN56u7R7skhIukIc7\n"
                           "bqoN6My0nwYqyh0a3WDAehFQUFwyCnK1\n"
                           "-----END PUBLIC KEY-----\n";

static const char ed25519[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEAD+Q6864v2WoYv1i+pJpVWJiDDFbxwkcujXdAqYOOlFo=\n"
                              "-----END PUBLIC KEY-----\n";

static void test_bad_keys(void **state)
{
    (void)state;
    char err[120] = "";
    assert_null(crypto_key_parse("hello", err, sizeof(err)));
    assert_non_null(strstr(err, "PEM"));
    assert_null(crypto_key_parse(small_rsa, err, sizeof(err)));
    assert_non_null(strstr(err, "2048"));
    assert_null(crypto_key_parse(p384, err, sizeof(err)));
    assert_non_null(strstr(err, "P-256"));
    assert_null(crypto_key_parse(ed25519, err, sizeof(err)));
    assert_non_null(strstr(err, "neither"));
    crypto_key_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac),  cmocka_unit_test(test_base64url), cmocka_unit_test(test_random),
        cmocka_unit_test(test_equal), cmocka_unit_test(test_bad_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
