// Do we gather on the addresses that were named, and on loopback only where there is no other?
// SPDX-License-Identifier: MIT
#include "sfu/ice_address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// The addresses with a comma after each.
static const char *print(const union sockaddr_any *list, size_t count)
{
    static char text[ICE_TWIN_MAX * (INET6_ADDRSTRLEN + 1) + 1];
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[INET6_ADDRSTRLEN];
        bool v6 = list[i].sa.sa_family == AF_INET6;
        const void *bytes = v6 ? (const void *)&list[i].in6.sin6_addr : (const void *)&list[i].in.sin_addr;
        assert_non_null(inet_ntop(list[i].sa.sa_family, bytes, one, sizeof(one)));
        strcat(text, one);
        strcat(text, ",");
    }
    return text;
}

static void test_named(void **state)
{
    static const struct {
        const char *named[6], *used;
    } cases[] = {
        {{"192.0.2.1", "192.0.2.2"}, "192.0.2.1,192.0.2.2,"},
        {{"127.0.0.1"}, "127.0.0.1,"},
        {{"127.0.0.1", "127.0.0.2"}, "127.0.0.1,127.0.0.2,"},
        {{"127.0.0.1", "192.0.2.2"}, "192.0.2.2,"},
        {{"192.0.2.2", "127.0.0.1", "192.0.2.3"}, "192.0.2.2,192.0.2.3,"},
        {{"::1", "192.0.2.2"}, "::1,192.0.2.2,"}, // of another family it is no other name of the same
        {{"2001:db8::1", "::1", "127.0.0.1"}, "2001:db8::1,127.0.0.1,"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        union sockaddr_any list[ICE_TWIN_MAX];
        struct ice_config config = {.bind_address = cases[i].named};
        size_t count = ice_addresses(&config, list);
        assert_string_equal(print(list, count), cases[i].used);
    }
}

static void test_all(void **state)
{
    (void)state;
    union sockaddr_any list[ICE_TWIN_MAX];
    size_t count = ice_addresses(&(struct ice_config){0}, list);
    const char *text = print(list, count);
    assert_true(count > 0);
    assert_true(strcmp(text, "127.0.0.1,") == 0 || strcmp(text, "127.0.0.1,::1,") == 0 || !strstr(text, "127.0.0.1"));
}

static void test_wrong(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {{"nonsense"}, {"203.0.113.250"}};
    for (size_t i = 0; i < 2; i++) {
        char err[200] = "";
        struct ice_config config = {.bind_address = wrong[i]};
        assert_true(ice_config_check(&config, err, sizeof(err)) < 0);
        assert_non_null(strstr(err, wrong[i][0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_named), cmocka_unit_test(test_all),
                                       cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
