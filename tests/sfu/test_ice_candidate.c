// Are candidate lines read as RFC 8839 section 5.1 writes them, and nothing else?
// SPDX-License-Identifier: MIT
#include "sfu/ice_candidate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const good[] = {
    // RFC 8839 s5.1
    "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
    "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
    // Chromium, Firefox
    "candidate:842163049 1 udp 1677729535 198.51.100.7 55226 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag "
    "pQ3x network-cost 999",
    "a=candidate:3098175849 1 udp 2113937151 e2494022-4d9a-4c1e-a750-cc48d4f8d6ee.local 46154 typ host generation 0",
    "candidate:0 1 UDP 2122252543 2001:db8::1 50000 typ host",
    "candidate:1 1 TCP 2105524479 192.0.2.1 9 typ host tcptype active",
    "candidate:2 2 UDP 2122187006 192.0.2.1 40001 typ host ",
    "candidate:+/09azAZ 255 udp 4294967295 relay.example.com 65535 typ relay raddr ::1 rport 1",
    "1 1 udp 1 192.0.2.1 1 typ something-new",
};

static const char *const bad[] = {
    "",
    "candidate:",
    "candidate:1 1 udp 1 192.0.2.1 1",
    "candidate:1 1 udp 1 192.0.2.1 1 typ",
    "candidate:1 1 udp 1 192.0.2.1 1 type host",
    "candidate:1 0 udp 1 192.0.2.1 1 typ host",
    "candidate:1 256 udp 1 192.0.2.1 1 typ host",
    "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
    "candidate:1 1 udp 99999999999 192.0.2.1 1 typ host",
    "candidate:1 1 udp -1 192.0.2.1 1 typ host",
    "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
    "candidate:1 1 udp 1 192.0.2.1 x typ host",
    "candidate:1 1  udp 1 192.0.2.1 1 typ host",
    "candidate:1;2 1 udp 1 192.0.2.1 1 typ host",
    "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 1 typ host",
    "candidate:1 1 udp 1 192.0.2.1 1 typ host raddr",
    "candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=fmtp:1 x",
    "candidate:1 1 udp 1 192.0.2.1\t1 typ host",
    "candidate:1 1 udp 1 \xc3\xa9.local 1 typ host",
    "candidate:1 1 udp 1 192.0.2.1 1 typ host ufrag a:b",
};

static void takes_what_is_a_candidate(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(ice_candidate_check(good[i]), 0);
}

static void refuses_what_is_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(ice_candidate_check(bad[i]), -EBADMSG);
    assert_int_equal(ice_candidate_check(NULL), -EBADMSG);
}

static void refuses_a_long_line(void **state)
{
    (void)state;
    char line[ICE_LINE_MAX + 64] = "candidate:1 1 udp 1 192.0.2.1 1 typ host x ";
    memset(line + strlen(line), 'y', sizeof(line) - strlen(line) - 1);
    assert_int_equal(ice_candidate_check(line), -EBADMSG);
}

static void reads_the_fields(void **state)
{
    (void)state;
    struct candidate c;
    assert_int_equal(candidate_parse(&c, good[2]), 0);
    assert_string_equal(c.foundation, "842163049");
    assert_string_equal(c.address, "198.51.100.7");
    assert_string_equal(c.ufrag, "pQ3x");
    assert_int_equal(c.priority, 1677729535);
    assert_int_equal(c.port, 55226);
    assert_int_equal(c.component, 1);
    assert_true(c.udp);
    assert_int_equal(c.type, CANDIDATE_SRFLX);
    assert_int_equal(candidate_parse(&c, good[5]), 0);
    assert_false(c.udp);
}

static void knows_addresses_from_names(void **state)
{
    (void)state;
    struct candidate c;
    union sockaddr_any address;
    assert_int_equal(candidate_parse(&c, good[0]), 0);
    assert_true(candidate_sockaddr(&c, &address));
    assert_int_equal(address.in.sin_family, AF_INET);
    assert_int_equal(ntohl(address.in.sin_addr.s_addr), 0xcb00718d);
    assert_int_equal(ntohs(address.in.sin_port), 8998);
    assert_int_equal(candidate_parse(&c, good[4]), 0);
    assert_true(candidate_sockaddr(&c, &address));
    assert_int_equal(address.in6.sin6_family, AF_INET6);
    assert_int_equal(ntohs(address.in6.sin6_port), 50000);
    assert_int_equal(candidate_parse(&c, good[3]), 0);
    assert_false(candidate_sockaddr(&c, &address));
}

static void announces_another_address(void **state)
{
    (void)state;
    char out[ICE_LINE_MAX];
    candidate_announce("candidate:1 1 UDP 2130706431 10.0.0.5 8998 typ host", "203.0.113.9", out);
    assert_string_equal(out, "candidate:1 1 UDP 2130706431 203.0.113.9 8998 typ host");
    candidate_announce("candidate:1 1 UDP 5 fd00::1 8998 typ host", "2001:db8::9", out);
    assert_string_equal(out, "candidate:1 1 UDP 5 2001:db8::9 8998 typ host");
}

static void announces_only_for_host_candidates_of_the_family(void **state)
{
    (void)state;
    char out[ICE_LINE_MAX];
    const char *v6 = "candidate:1 1 UDP 5 fd00::1 8998 typ host";
    const char *srflx = "candidate:1 1 UDP 5 192.0.2.1 8998 typ srflx raddr 10.0.0.1 rport 1";
    candidate_announce(v6, "203.0.113.9", out);
    assert_string_equal(out, v6);
    candidate_announce(srflx, "203.0.113.9", out);
    assert_string_equal(out, srflx);
    candidate_announce(v6, NULL, out);
    assert_string_equal(out, v6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_a_candidate),
        cmocka_unit_test(refuses_what_is_not),
        cmocka_unit_test(refuses_a_long_line),
        cmocka_unit_test(reads_the_fields),
        cmocka_unit_test(knows_addresses_from_names),
        cmocka_unit_test(announces_another_address),
        cmocka_unit_test(announces_only_for_host_candidates_of_the_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
