// Are reports, names and goodbyes read inside their packets, and written as they are read? (rtp/rtcp.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/rtcp.h"

#include <errno.h>

static uint8_t buf[1500];

static struct writer begin(void)
{
    memset(buf, 0xee, sizeof(buf));
    return writer_of(buf, sizeof(buf));
}

// The only packet in what was written.
static struct rtcp single(const struct writer *w)
{
    assert_true(w->ok);
    struct reader r = reader_of(w->start, writer_len(w));
    struct rtcp p;
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(reader_left(&r), 0);
    return p;
}

static struct rtcp_report report(uint32_t ssrc, int32_t lost)
{
    return (struct rtcp_report){.ssrc = ssrc,
                                .fraction_lost = 200,
                                .lost = lost,
                                .ext_seq = 0x0001fffe,
                                .jitter_ts = 77,
                                .lsr = 0xb7052000,
                                .dlsr = 0x00054000};
}

static void expect_report(struct reader *reports, const struct rtcp_report *want)
{
    struct rtcp_report got;
    assert_true(rtcp_report_next(reports, &got));
    assert_int_equal(got.ssrc, want->ssrc);
    assert_int_equal(got.fraction_lost, want->fraction_lost);
    assert_int_equal(got.lost, want->lost);
    assert_int_equal(got.ext_seq, want->ext_seq);
    assert_int_equal(got.jitter_ts, want->jitter_ts);
    assert_int_equal(got.lsr, want->lsr);
    assert_int_equal(got.dlsr, want->dlsr);
}

static void sender_report(void **state)
{
    (void)state;
    const struct rtcp_sr want = {1, UINT64_C(0xb44db70520000000), 0xfffffff0, 1000, 0x80000000};
    const struct rtcp_report reports[] = {report(5, 0), report(6, -3)};
    struct writer w = begin();
    rtcp_sr_write(&w, &want, reports, 2);
    assert_int_equal(writer_len(&w), 4 + 24 + 48);
    struct rtcp p = single(&w);
    assert_int_equal(p.type, RTCP_SR);
    assert_int_equal(p.count, 2);
    struct rtcp_sr got;
    struct reader r;
    assert_int_equal(rtcp_sr_parse(&p, &got, &r), 0);
    assert_int_equal(got.ssrc, want.ssrc);
    assert_true(got.ntp == want.ntp);
    assert_int_equal(got.ts, want.ts);
    assert_int_equal(got.packets, want.packets);
    assert_int_equal(got.octets, want.octets);
    expect_report(&r, &reports[0]);
    expect_report(&r, &reports[1]);
    struct rtcp_report none;
    assert_false(rtcp_report_next(&r, &none));
    uint32_t ssrc;
    assert_int_equal(rtcp_rr_parse(&p, &ssrc, &r), -EBADMSG);
}

static void octets_of_a_receiver_report(void **state)
{
    (void)state;
    const struct rtcp_report rb = report(0x01020304, -1);
    const uint8_t want[] = {0x81, 201, 0,    7,    0xaa, 0xbb, 0xcc, 0xdd, 1,    2, 3,    4, 200, 0xff, 0xff, 0xff,
                            0,    1,   0xff, 0xfe, 0,    0,    0,    77,   0xb7, 5, 0x20, 0, 0,   5,    0x40, 0};
    struct writer w = begin();
    rtcp_rr_write(&w, 0xaabbccdd, &rb, 1);
    assert_int_equal(writer_len(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    struct rtcp p = single(&w);
    uint32_t ssrc;
    struct reader r;
    assert_int_equal(rtcp_rr_parse(&p, &ssrc, &r), 0);
    assert_int_equal(ssrc, 0xaabbccdd);
    expect_report(&r, &rb);
}

static void lost_is_24_bits_and_signed(void **state)
{
    (void)state;
    static const struct {
        int32_t in, out;
    } cases[] = {{0, 0},  {0x7fffff, 0x7fffff}, {0x800000, 0x7fffff}, {-0x800000, -0x800000}, {INT32_MIN, -0x800000},
                 {-1, -1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct rtcp_report rb = report(1, cases[i].in);
        struct writer w = begin();
        rtcp_rr_write(&w, 1, &rb, 1);
        struct rtcp p = single(&w);
        uint32_t ssrc;
        struct reader r;
        assert_int_equal(rtcp_rr_parse(&p, &ssrc, &r), 0);
        rb.lost = cases[i].out;
        expect_report(&r, &rb);
    }
}

static void at_most_31_reports(void **state)
{
    (void)state;
    struct rtcp_report reports[32];
    for (unsigned i = 0; i < 32; i++)
        reports[i] = report(i, 0);
    struct writer w = begin();
    rtcp_rr_write(&w, 1, reports, 32);
    assert_false(w.ok);
    assert_int_equal(writer_len(&w), 0);
    w = begin();
    rtcp_rr_write(&w, 1, reports, 31);
    struct rtcp p = single(&w);
    uint32_t ssrc;
    struct reader r;
    assert_int_equal(rtcp_rr_parse(&p, &ssrc, &r), 0);
    for (unsigned i = 0; i < 31; i++)
        expect_report(&r, &reports[i]);
    assert_int_equal(reader_left(&r), 0);
}

static void a_count_beyond_the_packet(void **state)
{
    (void)state;
    struct rtcp_report rb = report(1, 0);
    struct writer w = begin();
    rtcp_rr_write(&w, 1, &rb, 1);
    rtcp_rr_write(&w, 2, &rb, 1); // what a parser that leaves its packet would read
    buf[0] = 0x82;
    struct reader r = reader_of(buf, writer_len(&w)), reports;
    struct rtcp p;
    uint32_t ssrc;
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(rtcp_rr_parse(&p, &ssrc, &reports), -EBADMSG);
    assert_int_equal(reader_left(&reports), 0);
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(rtcp_rr_parse(&p, &ssrc, &reports), 0);
    assert_int_equal(ssrc, 2);
}

static void profile_extensions_do_not_shift_the_rest(void **state)
{
    (void)state;
    struct writer w = begin();
    memcpy(rtcp_room(&w, RTCP_RR, 0, 12), "\0\0\0\1extended", 12);
    memcpy(rtcp_room(&w, RTCP_XR, 0, 8), "\0\0\0\1????", 8);
    memcpy(rtcp_room(&w, RTCP_APP, 3, 8), "\0\0\0\1name", 8);
    rtcp_bye_write(&w, (const uint32_t[]){9}, 1);
    struct reader r = reader_of(buf, writer_len(&w));
    struct rtcp p;
    const uint8_t want[] = {RTCP_RR, RTCP_XR, RTCP_APP, RTCP_BYE};
    for (size_t i = 0; i < sizeof(want); i++) {
        assert_true(rtcp_next(&r, &p));
        assert_int_equal(p.type, want[i]);
    }
    assert_false(rtcp_next(&r, &p));
    assert_true(r.ok);
}

static void malformed_compounds(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t octets[8];
        size_t len;
        bool good;
    } cases[] = {
        {"an empty packet", {0x80, 203, 0, 0}, 4, true},
        {"half a header", {0x80, 203, 0}, 3, false},
        {"version 1", {0x40, 203, 0, 0}, 4, false},
        {"a length too long", {0x80, 201, 0, 1}, 4, false},
        {"a length of one and three octets", {0x80, 201, 0, 1, 1, 2, 3}, 7, false},
        {"padding of 0", {0xa0, 201, 0, 1, 1, 2, 3, 0}, 8, false},
        {"padding of all", {0xa0, 201, 0, 1, 1, 2, 3, 4}, 8, true},
        {"padding of more", {0xa0, 201, 0, 1, 1, 2, 3, 5}, 8, false},
        {"padding of an empty packet", {0xa0, 201, 0, 0}, 4, false},
        {"something behind", {0x80, 203, 0, 0, 7}, 5, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t *exact = malloc(cases[i].len);
        memcpy(exact, cases[i].octets, cases[i].len);
        struct reader r = reader_of(exact, cases[i].len);
        struct rtcp p;
        while (rtcp_next(&r, &p))
            ;
        if (r.ok != cases[i].good)
            fail_msg("%s", cases[i].what);
        assert_false(rtcp_next(&r, &p));
        free(exact);
    }
}

static void padding_is_taken_off(void **state)
{
    (void)state;
    const uint8_t octets[] = {0xa0, 201, 0, 2, 0, 0, 0, 5, 0, 0, 0, 4};
    struct reader r = reader_of(octets, sizeof(octets)), reports;
    struct rtcp p;
    uint32_t ssrc;
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(reader_left(&p.body), 4);
    assert_int_equal(rtcp_rr_parse(&p, &ssrc, &reports), 0);
    assert_int_equal(ssrc, 5);
}

static void cname(void **state)
{
    (void)state;
    char name[RTCP_TEXT_MAX + 1];
    memset(name, 'n', sizeof(name));
    for (size_t len = 1; len <= RTCP_TEXT_MAX; len++) {
        struct writer w = begin();
        rtcp_sdes_write(&w, 0xabc, name, len);
        struct rtcp p = single(&w);
        assert_int_equal(p.type, RTCP_SDES);
        assert_int_equal(p.count, 1);
        struct rtcp_sdes sdes;
        assert_true(rtcp_sdes_next(&p.body, &sdes));
        assert_int_equal(sdes.ssrc, 0xabc);
        assert_int_equal(sdes.cname_len, len);
        assert_memory_equal(sdes.cname, name, len);
        assert_false(rtcp_sdes_next(&p.body, &sdes));
        assert_true(p.body.ok);
    }
    struct writer w = begin();
    rtcp_sdes_write(&w, 1, name, RTCP_TEXT_MAX + 1);
    assert_false(w.ok);
}

static void several_chunks(void **state)
{
    (void)state;
    // NAME before CNAME; then a chunk of no items; then one whose list ends exactly on a word.
    static const uint8_t octets[] = {0x83, 202, 0, 8, 0, 0, 0, 1, 2, 2, 'a', 'b', 1, 3, 'c', 'n', 'x', 0,
                                     0,    0,   0, 0, 0, 2, 0, 0, 0, 0, 0,   0,   0, 3, 1,   1,   'z', 0};
    struct reader r = reader_of(octets, sizeof(octets));
    struct rtcp p;
    struct rtcp_sdes s;
    assert_true(rtcp_next(&r, &p));
    assert_true(rtcp_sdes_next(&p.body, &s));
    assert_int_equal(s.ssrc, 1);
    assert_int_equal(s.cname_len, 3);
    assert_memory_equal(s.cname, "cnx", 3);
    assert_true(rtcp_sdes_next(&p.body, &s));
    assert_int_equal(s.ssrc, 2);
    assert_null(s.cname);
    assert_true(rtcp_sdes_next(&p.body, &s));
    assert_int_equal(s.ssrc, 3);
    assert_memory_equal(s.cname, "z", 1);
    assert_false(rtcp_sdes_next(&p.body, &s));
    assert_true(p.body.ok);
}

static void broken_chunks(void **state)
{
    (void)state;
    static const uint8_t octets[][8] = {
        {0, 0, 0, 1, 1, 9, 'a', 'b'}, // an item that leaves the packet
        {0, 0, 0, 1, 1, 2, 'a', 'b'}, // a list without its end
        {0, 0, 0, 1, 2, 1, 'a', 1},   // an item cut behind its type
    };
    for (size_t i = 0; i < 3; i++) {
        struct reader r = reader_of(octets[i], 8);
        struct rtcp_sdes s;
        assert_false(rtcp_sdes_next(&r, &s));
        assert_false(r.ok);
    }
}

static void bye(void **state)
{
    (void)state;
    struct writer w = begin();
    rtcp_bye_write(&w, (const uint32_t[]){1, 0xfffffffe}, 2);
    struct rtcp p = single(&w);
    struct rtcp_bye b;
    assert_int_equal(rtcp_bye_parse(&p, &b), 0);
    assert_int_equal(reader_u32(&b.ssrcs), 1);
    assert_int_equal(reader_u32(&b.ssrcs), 0xfffffffe);
    assert_int_equal(reader_left(&b.ssrcs), 0);
    assert_null(b.reason);
    w = begin();
    rtcp_bye_write(&w, (const uint32_t[32]){0}, 32);
    assert_false(w.ok);

    static const uint8_t reasoned[] = {0x81, 203, 0, 2, 0, 0, 0, 7, 3, 'o', 'u', 't'};
    struct reader r = reader_of(reasoned, sizeof(reasoned));
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(rtcp_bye_parse(&p, &b), 0);
    assert_int_equal(b.reason_len, 3);
    assert_memory_equal(b.reason, "out", 3);

    static const uint8_t cut[] = {0x81, 203, 0, 2, 0, 0, 0, 7, 4, 'o', 'u', 't'};
    r = reader_of(cut, sizeof(cut));
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(rtcp_bye_parse(&p, &b), -EBADMSG);
    static const uint8_t few[] = {0x82, 203, 0, 1, 0, 0, 0, 7};
    r = reader_of(few, sizeof(few));
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(rtcp_bye_parse(&p, &b), -EBADMSG);
}

static void what_does_not_fit_leaves_no_part(void **state)
{
    (void)state;
    struct rtcp_sr sr = {.ssrc = 1};
    for (size_t cap = 28; cap < 28 + 12; cap++) {
        uint8_t *exact = malloc(cap);
        struct writer w = writer_of(exact, cap);
        rtcp_sr_write(&w, &sr, NULL, 0);
        assert_true(w.ok);
        rtcp_sdes_write(&w, 1, "a", 1); // 12 octets
        assert_false(w.ok);
        assert_int_equal(writer_len(&w), 28);
        free(exact);
    }
}

static void expect_print(struct reader r, const char *want)
{
    struct rtcp p;
    char line[256];
    assert_true(rtcp_next(&r, &p));
    size_t len = rtcp_print(&p, line, sizeof(line));
    assert_string_equal(line, want);
    assert_int_equal(len, strlen(line));
}

static void print(void **state)
{
    (void)state;
    const struct rtcp_sr sr = {1, 2, 3, 4, 5};
    const struct rtcp_report rb = report(6, -3);
    struct writer w = begin();
    rtcp_sr_write(&w, &sr, &rb, 1);
    expect_print(reader_of(buf, writer_len(&w)),
                 "SR ssrc 00000001 ntp 0000000000000002 ts 3 packets 4 octets 5 [00000006 fraction 200 lost -3 seq "
                 "131070 jitter 77 lsr b7052000 dlsr 344064]");
    w = begin();
    rtcp_rr_write(&w, 1, NULL, 0);
    expect_print(reader_of(buf, writer_len(&w)), "RR ssrc 00000001");
    w = begin();
    rtcp_sdes_write(&w, 1, "a\nb", 3);
    expect_print(reader_of(buf, writer_len(&w)), "SDES [00000001 a.b]");
    w = begin();
    rtcp_bye_write(&w, (const uint32_t[]){16}, 1);
    expect_print(reader_of(buf, writer_len(&w)), "BYE 00000010");
    expect_print(reader_of("\x81\xcb\0\2\0\0\0\7\3out", 12), "BYE 00000007 because out");
    expect_print(reader_of("\x81\xc8\0\0", 4), "SR malformed");
    expect_print(reader_of("\x80\xc9\0\0", 4), "RR malformed");
    expect_print(reader_of("\x81\xcb\0\0", 4), "BYE malformed");
    expect_print(reader_of("\x81\xca\0\1abcd", 8), "SDES malformed");
    expect_print(reader_of("\x8f\xce\0\0", 4), "RTCP 206/15 of 0 octets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sender_report),
        cmocka_unit_test(octets_of_a_receiver_report),
        cmocka_unit_test(lost_is_24_bits_and_signed),
        cmocka_unit_test(at_most_31_reports),
        cmocka_unit_test(a_count_beyond_the_packet),
        cmocka_unit_test(profile_extensions_do_not_shift_the_rest),
        cmocka_unit_test(malformed_compounds),
        cmocka_unit_test(padding_is_taken_off),
        cmocka_unit_test(cname),
        cmocka_unit_test(several_chunks),
        cmocka_unit_test(broken_chunks),
        cmocka_unit_test(bye),
        cmocka_unit_test(what_does_not_fit_leaves_no_part),
        cmocka_unit_test(print),
    };
    return cmocka_run_group_tests_name("rtp/rtcp", tests, NULL, NULL);
}
