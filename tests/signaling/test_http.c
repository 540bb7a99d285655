// Which origins may use the server, and what counts as a bearer token?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "signaling/http.h"

static void test_bearer(void **state)
{
    (void)state;
    assert_string_equal(http_bearer("Bearer abc"), "abc");
    assert_string_equal(http_bearer("bearer abc"), "abc");
    assert_null(http_bearer("Basic abc"));
    assert_null(http_bearer("Bearer"));
    assert_null(http_bearer(NULL));
}

static bool may(const char *key, const char *value, const char *origin, const char *host)
{
    struct config config;
    char err[200];
    config_init(&config);
    if (key)
        assert_int_equal(config_set(&config, key, value, err, sizeof(err)), 0);
    assert_int_equal(config_check(&config, err, sizeof(err)), 0);
    bool result = http_origin_may_connect(&config, origin, host);
    config_clear(&config);
    return result;
}

static void test_open_origins(void **state)
{
    (void)state;
    assert_true(may(NULL, NULL, NULL, "localhost:3001"));
    assert_true(may(NULL, NULL, "http://localhost:5173", "localhost:3001"));
    assert_true(may(NULL, NULL, "http://127.0.0.1", "x"));
    assert_true(may(NULL, NULL, "http://[::1]:80", "x"));
    assert_false(may(NULL, NULL, "null", "localhost:3001"));
    assert_false(may(NULL, NULL, "https://evil.example", "localhost:3001"));
    assert_false(may(NULL, NULL, "http://localhost.evil.example", "localhost:3001"));
    assert_false(may(NULL, NULL, "http://127.0.0.1.evil.example", "x"));
    // A foreign name that was pointed at this machine: Host and Origin agree, and yet.
    assert_false(may(NULL, NULL, "http://evil.example:3001", "evil.example:3001"));
    assert_true(may("FRONTEND_URL", "https://app.example", "https://app.example", "x"));
}

static void test_origins_with_tokens(void **state)
{
    (void)state;
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    assert_true(may("JWT_SECRET", secret, NULL, "roda.example"));
    assert_true(may("JWT_SECRET", secret, "https://roda.example", "Roda.Example"));
    assert_true(may("JWT_SECRET", secret, "https://roda.example:8443", "roda.example:8443"));
    assert_false(may("JWT_SECRET", secret, "https://roda.example:8443", "roda.example"));
    assert_false(may("JWT_SECRET", secret, "http://localhost:5173", "roda.example"));
    assert_false(may("JWT_SECRET", secret, "null", "roda.example"));
    assert_false(may("JWT_SECRET", secret, "https://evil.example", NULL));
    assert_false(may("JWT_SECRET", secret, "", ""));
}

static void test_loopback(void **state)
{
    (void)state;
    assert_true(http_address_is_loopback("127.0.0.1") && http_address_is_loopback("::1"));
    assert_true(http_address_is_loopback("::ffff:127.0.0.1"));
    assert_false(http_address_is_loopback("10.0.0.1") || http_address_is_loopback("") ||
                 http_address_is_loopback("::ffff:10.0.0.1"));
}

// What is not UTF-8 in a request must not break the answer.
static void test_error_is_json(void **state)
{
    (void)state;
    struct http_response response = {0};
    http_error(&response, 404, "not-found", "no %s", "\xff\xfe\"");
    json_t *json = json_loadb(response.body, response.body_len, 0, NULL);
    assert_non_null(json_object_get(json_object_get(json, "error"), "message"));
    json_decref(json);
    http_response_clear(&response);
}

static void test_security_headers(void **state)
{
    (void)state;
    static const char *const names[] = {"content-security-policy:", "permissions-policy:", "x-content-type-options:"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        bool found = false;
        for (const struct http_header *h = http_security_headers; h->name; h++)
            found = found || strcmp(h->name, names[i]) == 0;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bearer),
        cmocka_unit_test(test_open_origins),
        cmocka_unit_test(test_origins_with_tokens),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_error_is_json),
        cmocka_unit_test(test_security_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
