// Are addresses read as what they are? (sfu/address.c)
// SPDX-License-Identifier: MIT
#include "sfu/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static union sockaddr_any address_of(const char *text, uint16_t port)
{
    union sockaddr_any a;
    assert_true(address_parse(&a, text));
    address_set_port(&a, port);
    return a;
}

static void test_parse(void **state)
{
    (void)state;
    union sockaddr_any a;
    assert_true(address_parse(&a, "192.0.2.7"));
    assert_int_equal(a.sa.sa_family, AF_INET);
    assert_int_equal(ntohl(a.in.sin_addr.s_addr), 0xc0000207);
    assert_int_equal(address_len(&a), sizeof(a.in));
    assert_int_equal(address_port(&a), 0);
    assert_true(address_parse(&a, "2001:db8::1"));
    assert_int_equal(a.sa.sa_family, AF_INET6);
    assert_int_equal(a.in6.sin6_addr.s6_addr[15], 1);
    assert_int_equal(address_len(&a), sizeof(a.in6));
    assert_int_equal(address_port(&a), 0);
}

static void test_no_address(void **state)
{
    (void)state;
    union sockaddr_any a;
    static const char *const names[] = {
        "", "a.local", "192.0.2", "192.0.2.7:80", "[2001:db8::1]", "2001:db8::1%eth0"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_false(address_parse(&a, names[i]));
}

static void test_same(void **state)
{
    (void)state;
    static const char *const texts[] = {"192.0.2.7", "2001:db8::1"}, *const others[] = {"192.0.2.8", "2001:db8::2"};
    for (unsigned i = 0; i < 2; i++) {
        union sockaddr_any a = address_of(texts[i], 5000), b = a;
        assert_int_equal(address_port(&a), 5000);
        assert_true(address_is_same(&a, &b));
        address_set_port(&b, 5001);
        assert_false(address_is_same(&a, &b));
        b = address_of(others[i], 5000);
        assert_false(address_is_same(&a, &b));
        b = address_of(texts[!i], 5000);
        assert_false(address_is_same(&a, &b));
    }
    union sockaddr_any a = address_of("fe80::1", 5000), scoped = a;
    scoped.in6.sin6_scope_id = 2;
    assert_true(address_is_same(&a, &scoped));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_no_address),
        cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
