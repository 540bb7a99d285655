// Does only what may be a handshake reach the DTLS library, with numbers nobody can forge?
// SPDX-License-Identifier: MIT
#include "sfu/dtls_filter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "tests/rtp/octets.h"

// type, version, epoch, sequence number, length
#define HANDSHAKE "16fefd 0000 000000000063 "
// type, length, message_seq, offset, fragment length
#define CLIENT_HELLO "01 000003 0000 000000 000003 aabbcc"

static size_t filter_hex(enum dtls_role role, const char *hex)
{
    struct dtls_filter filter = {.role = role};
    uint8_t out[DTLS_FILTER_MAX];
    struct octets o = octets_of(hex);
    size_t len = dtls_filter(&filter, o.data, o.len, out);
    assert_true(len == 0 || len == o.len);
    free(o.data);
    return len;
}

static void takes_what_the_role_is_sent(void **state)
{
    (void)state;
    assert_int_not_equal(filter_hex(DTLS_SERVER, HANDSHAKE "000f " CLIENT_HELLO), 0);
    assert_int_equal(filter_hex(DTLS_CLIENT, HANDSHAKE "000f " CLIENT_HELLO), 0);
    assert_int_not_equal(filter_hex(DTLS_CLIENT, HANDSHAKE "000d 02 000001 0000 000000 000001 aa"), 0);
    assert_int_equal(filter_hex(DTLS_SERVER, HANDSHAKE "000d 02 000001 0000 000000 000001 aa"), 0);
    assert_int_not_equal(filter_hex(DTLS_CLIENT, HANDSHAKE "000c 0e 000000 0005 000000 000000"), 0); // hello done
    assert_int_not_equal(filter_hex(DTLS_SERVER, "14fefd 0000 000000000001 0001 01"), 0);
    // two messages in a record, two records in a datagram
    assert_int_not_equal(filter_hex(DTLS_SERVER, HANDSHAKE "001e " CLIENT_HELLO CLIENT_HELLO), 0);
    assert_int_not_equal(filter_hex(DTLS_SERVER, HANDSHAKE "000f " CLIENT_HELLO HANDSHAKE "000f " CLIENT_HELLO), 0);
    // sealed
    assert_int_not_equal(filter_hex(DTLS_SERVER, "15fefd 0001 000000000001 0003 aabbcc"), 0);
    assert_int_not_equal(filter_hex(DTLS_SERVER, "2faabbccddeeff"), 0);
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "16",
        "15fefd 0000 000000000001 0002 0228",          // a plaintext alert
        "17fefd 0000 000000000001 0001 aa",            // plaintext data
        "18fefd 0000 000000000001 0001 aa",            // heartbeat
        "18fefd 0001 000000000001 0001 aa",            // even sealed
        "14fefd 0000 000000000001 0001 02",            // no ChangeCipherSpec
        "14fefd 0000 000000000001 0002 0101",          //
        "160303 0000 000000000001 000f " CLIENT_HELLO, // TLS
        HANDSHAKE "0010 " CLIENT_HELLO,                // longer than the datagram
        HANDSHAKE "000e " CLIENT_HELLO,                // shorter than the message
        HANDSHAKE "0000",
        HANDSHAKE "000f 01 000003 0000 000001 000003 aabbcc", // a fragment beyond its message
        HANDSHAKE "000f 01 000002 0000 000000 000003 aabbcc",
        HANDSHAKE "000f 01 ffffff 0000 000000 000003 aabbcc", // endless
        HANDSHAKE "000c 01 000003 0000 000000 000000",        // a fragment of nothing
        HANDSHAKE "000f 14 000003 0000 000000 000003 aabbcc", // Finished in the clear
        HANDSHAKE "000f 63 000003 0000 000000 000003 aabbcc", // unknown
        HANDSHAKE "000f " CLIENT_HELLO "00",                  // something behind it
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(filter_hex(DTLS_SERVER, bad[i]), 0);
}

static void numbers_plain_records_anew(void **state)
{
    (void)state;
    struct dtls_filter filter = {.role = DTLS_SERVER};
    uint8_t out[DTLS_FILTER_MAX];
    struct octets o =
        octets_of(HANDSHAKE "000f " CLIENT_HELLO "16fefd 0001 000000000063 0001 aa" HANDSHAKE "000f " CLIENT_HELLO);
    for (uint64_t i = 0; i < 4; i += 2) {
        assert_int_equal(dtls_filter(&filter, o.data, o.len, out), o.len);
        assert_int_equal(rd64(out + 3), i);
        assert_int_equal(rd64(out + 28 + 3), UINT64_C(0x0001000000000063));
        assert_int_equal(rd64(out + 42 + 3), i + 1);
        assert_memory_equal(out + 11, o.data + 11, 17);
    }
    free(o.data);
}

static void try_both(const uint8_t *data, size_t len, void *arg)
{
    uint8_t out[DTLS_FILTER_MAX];
    (void)arg;
    for (unsigned role = DTLS_SERVER; role <= DTLS_CLIENT; role++) {
        struct dtls_filter filter = {.role = (enum dtls_role)role};
        size_t n = dtls_filter(&filter, data, len, out);
        assert_true(n == 0 || n == len);
    }
}

static void stays_inside_any_datagram(void **state)
{
    (void)state;
    struct octets o = octets_of(HANDSHAKE "001e " CLIENT_HELLO CLIENT_HELLO "16fefd 0001 000000000063 0001 aa");
    octets_try_prefixes(o.data, o.len, try_both, NULL);
    octets_try_damaged(o.data, o.len, 20000, 1, try_both, NULL);
    octets_try_random(100, 20000, 2, try_both, NULL);
    octets_try_random(DTLS_FILTER_MAX + 10, 200, 3, try_both, NULL);
    free(o.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_role_is_sent),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(numbers_plain_records_anew),
        cmocka_unit_test(stays_inside_any_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
