// Does a browser get the servers that are set, and credentials that coturn takes?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "signaling/ice_servers.h"

static void set(struct config *c, const char *key, const char *value)
{
    char err[200];
    assert_int_equal(config_set(c, key, value, err, sizeof(err)), 0);
}

static void test_none(void **state)
{
    (void)state;
    struct config c;
    config_init(&c);
    json_t *servers = ice_servers(&c, "ana", 0);
    assert_int_equal(json_array_size(servers), 0);
    json_decref(servers);
    config_clear(&c);
}

static void test_all(void **state)
{
    (void)state;
    struct config c;
    config_init(&c);
    set(&c, "STUN_SERVERS", "[\"stun:a:1\",\"stun:b:2\"]");
    set(&c, "TURN_SERVERS", "[{\"urls\":\"turn:c:3\",\"username\":\"u\",\"credential\":\"p\"}]");
    set(&c, "TURN_URLS", "turn:d:4,turns:d:5");
    set(&c, "TURN_SECRET", "north");
    set(&c, "TURN_TTL", "600");
    json_t *servers = ice_servers(&c, "ana", INT64_C(1700000000123));
    assert_int_equal(json_array_size(servers), 3);
    assert_int_equal(json_array_size(json_object_get(json_array_get(servers, 0), "urls")), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(servers, 1), "credential")), "p");
    const json_t *turn = json_array_get(servers, 2);
    assert_string_equal(json_string_value(json_object_get(turn, "username")), "1700000600:ana");
    // printf '1700000600:ana' | openssl dgst -sha1 -hmac north -binary | base64
    assert_string_equal(json_string_value(json_object_get(turn, "credential")), "CUniVFvDjgPnZ3VOzvcSzL4PGY4=");
    json_decref(servers);
    config_clear(&c);
}

// Servers with secrets of their own: each has its credentials, and no secret is told.
static void test_secrets(void **state)
{
    (void)state;
    struct config c;
    config_init(&c);
    assert_false(ice_servers_expire(&c));
    set(&c, "TURN_SERVERS",
        "[{\"urls\":\"turn:c:3\",\"secret\":\"north\"},{\"urls\":[\"turn:d:4\"],\"secret\":\"south\"}]");
    set(&c, "TURN_TTL", "600");
    assert_true(ice_servers_expire(&c));
    json_t *servers = ice_servers(&c, "ana", INT64_C(1700000000123));
    char *text = json_dumps(servers, 0);
    assert_null(strstr(text, "north"));
    assert_null(strstr(text, "secret"));
    const json_t *first = json_array_get(servers, 0), *second = json_array_get(servers, 1);
    assert_string_equal(json_string_value(json_object_get(first, "urls")), "turn:c:3");
    assert_string_equal(json_string_value(json_object_get(first, "credential")), "CUniVFvDjgPnZ3VOzvcSzL4PGY4=");
    assert_string_not_equal(json_string_value(json_object_get(second, "credential")), "CUniVFvDjgPnZ3VOzvcSzL4PGY4=");
    assert_string_equal(json_string_value(json_object_get(second, "username")), "1700000600:ana");
    free(text);
    json_decref(servers);
    config_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_none), cmocka_unit_test(test_all),
                                       cmocka_unit_test(test_secrets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
