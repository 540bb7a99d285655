// Is DCEP read and written as RFC 8832 section 5 draws it?
// SPDX-License-Identifier: MIT
#include "sfu/dcep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/rtp/octets.h"

static int parse_hex(struct dcep *dcep, const char *hex)
{
    struct octets o = octets_of(hex);
    int rc = dcep_parse(dcep, o.data, o.len);
    free(o.data);
    return rc;
}

static void reads_what_chromium_sends(void **state)
{
    (void)state;
    struct dcep dcep;
    assert_int_equal(parse_hex(&dcep, "03 00 0100 00000000 0004 0000 63686174"), 0);
    assert_int_equal(dcep.type, DCEP_OPEN);
    assert_int_equal(dcep.channel_type, DCEP_RELIABLE);
    assert_int_equal(dcep.priority, 256);
    assert_string_equal(dcep.label, "chat");
    assert_string_equal(dcep.protocol, "");
    assert_int_equal(parse_hex(&dcep, "03 81 0100 00000005 0001 0004 61 6a736f6e"), 0);
    assert_int_equal(dcep.channel_type, DCEP_UNORDERED | DCEP_REXMIT);
    assert_int_equal(dcep.reliability, 5);
    assert_string_equal(dcep.label, "a");
    assert_string_equal(dcep.protocol, "json");
    assert_int_equal(parse_hex(&dcep, "02"), 0);
    assert_int_equal(dcep.type, DCEP_ACK);
}

static void knows_all_six_channel_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        char hex[64];
        struct dcep dcep;
        bool known = (type & 0x7f) <= 2;
        snprintf(hex, sizeof(hex), "03 %02x 0100 00000000 0000 0000", type);
        assert_int_equal(parse_hex(&dcep, hex), known ? 0 : -EBADMSG);
    }
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "04",
        "0200", // an ACK with something behind it
        "03",
        "03 00 0100 00000000 0004 00",
        "03 00 0100 00000000 0004 0000 636861",     // a label cut short
        "03 00 0100 00000000 0004 0000 6368617400", // something behind it
        "03 00 0100 00000000 ffff ffff 63",
        "03 00 0100 00000000 0004 0000 63006174", // NUL
        "03 00 0100 00000000 0000 0001 00",
    };
    struct dcep dcep;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse_hex(&dcep, bad[i]), -EBADMSG);
}

static void names_have_a_bound(void **state)
{
    (void)state;
    struct dcep open = {.type = DCEP_OPEN}, back;
    uint8_t buf[DCEP_OPEN_MAX];
    memset(open.label, 'l', DCEP_NAME_MAX);
    memset(open.protocol, 'p', DCEP_NAME_MAX);
    assert_int_equal(dcep_write(&open, buf, sizeof(buf)), sizeof(buf));
    assert_int_equal(dcep_parse(&back, buf, sizeof(buf)), 0);
    assert_memory_equal(&back, &open, sizeof(back));
    for (unsigned at = 9; at <= 11; at += 2) { // one name a byte longer, the other a byte shorter
        buf[at]++;
        buf[20 - at]--;
        assert_int_equal(dcep_parse(&back, buf, sizeof(buf)), -E2BIG);
        buf[at]--;
        buf[20 - at]++;
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    struct dcep open = {DCEP_OPEN, DCEP_UNORDERED | DCEP_TIMED, 512, 3000, "files \xc3\xa9", "v2"}, back;
    static const struct dcep ack = {.type = DCEP_ACK};
    uint8_t buf[DCEP_OPEN_MAX];
    size_t len = dcep_write(&open, buf, sizeof(buf));
    assert_int_equal(len, DCEP_HEADER + 8 + 2);
    assert_int_equal(dcep_parse(&back, buf, len), 0);
    assert_memory_equal(&back, &open, sizeof(back));
    for (size_t cap = 0; cap < len; cap++)
        assert_int_equal(dcep_write(&open, buf, cap), 0);
    assert_int_equal(dcep_write(&ack, buf, 1), 1);
    assert_int_equal(buf[0], 2);
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct dcep dcep;
    uint8_t buf[DCEP_OPEN_MAX];
    (void)arg;
    if (dcep_parse(&dcep, data, len) == 0) {
        assert_int_equal(dcep_write(&dcep, buf, sizeof(buf)), len);
        assert_memory_equal(buf, data, len);
    }
}

static void stays_inside_any_message(void **state)
{
    (void)state;
    struct octets o = octets_of("03 81 0100 00000005 0001 0004 61 6a736f6e");
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 1, try_parse, NULL);
    octets_try_random(64, 20000, 2, try_parse, NULL);
    free(o.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_chromium_sends), cmocka_unit_test(knows_all_six_channel_types),
        cmocka_unit_test(refuses_the_rest),          cmocka_unit_test(names_have_a_bound),
        cmocka_unit_test(writes_what_it_reads),      cmocka_unit_test(stays_inside_any_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
