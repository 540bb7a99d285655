// Is every request of a receiver read and written as the RFCs draw it? (rtp/rtcpfb.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/rtcpfb.h"

#include <errno.h>

static uint8_t buf[1500];

static struct rtcpfb parse(const void *octets, size_t len)
{
    struct reader r = reader_of(octets, len);
    struct rtcp p;
    struct rtcpfb fb;
    assert_true(rtcp_next(&r, &p));
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(rtcpfb_parse(&p, &fb), 0);
    return fb;
}

static void nack_octets(void **state)
{
    (void)state;
    const uint16_t seqs[] = {65530, 65531, 65535, 10, 11, 12};
    const uint8_t want[] = {0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfa, 0x80, 0x11, 0, 11, 0, 1};
    struct writer w = writer_of(buf, sizeof(buf));
    // 65530 + 16 = 10: the last the mask reaches, over the wrap.
    assert_int_equal(rtcpfb_nack_write(&w, 1, 2, seqs, 6), 6);
    assert_true(w.ok);
    assert_int_equal(writer_len(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    struct rtcpfb fb = parse(want, sizeof(want));
    assert_int_equal(fb.kind, RTCPFB_NACK);
    assert_int_equal(fb.sender_ssrc, 1);
    assert_int_equal(fb.media_ssrc, 2);
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(&fb);
    uint16_t seq;
    for (int i = 0; i < 6; i++) {
        assert_true(rtcpfb_nack_next(&it, &seq));
        assert_int_equal(seq, seqs[i]);
    }
    assert_false(rtcpfb_nack_next(&it, &seq));
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void nack_round_trip(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 500; round++) {
        uint16_t seqs[200];
        uint16_t at = (uint16_t)random_next(&seed);
        size_t n = 1 + random_next(&seed) % 200;
        for (size_t i = 0; i < n; i++)
            seqs[i] = at = (uint16_t)(at + 1 + random_next(&seed) % 24);
        struct writer w = writer_of(buf, sizeof(buf));
        assert_int_equal(rtcpfb_nack_write(&w, 1, 2, seqs, n), n);
        struct rtcpfb fb = parse(buf, writer_len(&w));
        struct rtcpfb_nack_iter it = rtcpfb_nack_iter(&fb);
        uint16_t seq;
        for (size_t i = 0; i < n; i++) {
            assert_true(rtcpfb_nack_next(&it, &seq));
            assert_int_equal(seq, seqs[i]);
        }
        assert_false(rtcpfb_nack_next(&it, &seq));
    }
}

static void nack_all_of_a_mask(void **state)
{
    (void)state;
    const uint8_t octets[] = {0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff};
    struct rtcpfb fb = parse(octets, sizeof(octets));
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(&fb);
    uint16_t seq, n = 0;
    while (rtcpfb_nack_next(&it, &seq))
        assert_int_equal(seq, (uint16_t)(65535 + n++));
    assert_int_equal(n, 17);
}

static void nack_takes_what_fits(void **state)
{
    (void)state;
    const uint16_t seqs[] = {100, 200, 200, 201, 300};
    for (size_t cap = 0; cap < 32; cap++) {
        uint8_t *exact = malloc(cap ? cap : 1);
        struct writer w = writer_of(exact, cap);
        size_t want = cap < 16 ? 0 : cap < 20 ? 1 : cap < 24 ? 4 : 5;
        assert_int_equal(rtcpfb_nack_write(&w, 1, 2, seqs, 5), want);
        assert_true(w.ok);
        assert_int_equal(writer_len(&w), cap < 16 ? 0 : cap < 20 ? 16 : cap < 24 ? 20 : 24);
        free(exact);
    }
    struct writer w = writer_of(buf, sizeof(buf));
    assert_int_equal(rtcpfb_nack_write(&w, 1, 2, seqs, 0), 0);
    assert_int_equal(writer_len(&w), 0);
    w.ok = false;
    assert_int_equal(rtcpfb_nack_write(&w, 1, 2, seqs, 5), 0);
}

static void pli(void **state)
{
    (void)state;
    const uint8_t want[] = {0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2};
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_pli_write(&w, 1, 2);
    assert_int_equal(writer_len(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    struct rtcpfb fb = parse(want, sizeof(want));
    assert_int_equal(fb.kind, RTCPFB_PLI);
    assert_int_equal(fb.media_ssrc, 2);
}

static void fir(void **state)
{
    (void)state;
    const struct rtcpfb_fir entries[] = {{0xa, 255}, {0xb, 1}};
    const uint8_t want[] = {0x84, 206, 0,   6, 0, 0, 0, 1, 0, 0,   0, 0, 0, 0,
                            0,    0xa, 255, 0, 0, 0, 0, 0, 0, 0xb, 1, 0, 0, 0};
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_fir_write(&w, 1, entries, 2);
    assert_int_equal(writer_len(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    struct rtcpfb fb = parse(want, sizeof(want));
    assert_int_equal(fb.kind, RTCPFB_FIR);
    struct rtcpfb_fir got;
    for (int i = 0; i < 2; i++) {
        assert_true(rtcpfb_fir_next(&fb.fci, &got));
        assert_int_equal(got.ssrc, entries[i].ssrc);
        assert_int_equal(got.seq_nr, entries[i].seq_nr);
    }
    assert_false(rtcpfb_fir_next(&fb.fci, &got));
}

static void remb_octets(void **state)
{
    (void)state;
    // 2,500,000 bit/s = 156,250 << 4.
    const uint8_t want[] = {0x8f, 206, 0, 6,    0,    0,    0, 1, 0, 0, 0, 0, 'R', 'E',
                            'M',  'B', 2, 0x12, 0x62, 0x5a, 0, 0, 0, 7, 0, 0, 0,   8};
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_remb_write(&w, 1, 2500000, (const uint32_t[]){7, 8}, 2);
    assert_int_equal(writer_len(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));
    struct rtcpfb fb = parse(want, sizeof(want));
    assert_int_equal(fb.kind, RTCPFB_REMB);
    uint64_t bps;
    struct reader ssrcs;
    assert_int_equal(rtcpfb_remb_parse(&fb, &bps, &ssrcs), 0);
    assert_int_equal(bps, 2500000);
    assert_int_equal(reader_u32(&ssrcs), 7);
    assert_int_equal(reader_u32(&ssrcs), 8);
    assert_int_equal(reader_left(&ssrcs), 0);
}

static void remb_rates(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int less = 0; less < 2; less++) {
            uint64_t bps = (UINT64_C(1) << bit) - (unsigned)less, got;
            struct writer w = writer_of(buf, sizeof(buf));
            rtcpfb_remb_write(&w, 1, bps, NULL, 0);
            struct rtcpfb fb = parse(buf, writer_len(&w));
            struct reader ssrcs;
            assert_int_equal(rtcpfb_remb_parse(&fb, &got, &ssrcs), 0);
            assert_true(got <= bps && bps - got <= bps >> 17);
            if (bps < 1 << 18 || !less)
                assert_true(got == bps);
        }
}

static void remb_refused(void **state)
{
    (void)state;
    uint64_t bps;
    struct reader ssrcs;
    uint8_t octets[] = {0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 2, 0, 0, 1, 0, 0, 0, 7};
    struct rtcpfb fb = parse(octets, sizeof(octets));
    assert_int_equal(rtcpfb_remb_parse(&fb, &bps, &ssrcs), -EBADMSG); // two SSRCs promised, one there
    octets[16] = 1;
    assert_int_equal(rtcpfb_remb_parse(&fb, &bps, &ssrcs), 0);
    octets[17] = 63 << 2; // 1 << 63
    assert_int_equal(rtcpfb_remb_parse(&fb, &bps, &ssrcs), 0);
    octets[19] = 2; // 1 << 64
    assert_int_equal(rtcpfb_remb_parse(&fb, &bps, &ssrcs), -EBADMSG);
    octets[15] = 'C';
    fb = parse(octets, sizeof(octets));
    assert_int_equal(fb.kind, RTCPFB_OTHER);
    assert_int_equal(rtcpfb_remb_parse(&fb, &bps, &ssrcs), -EBADMSG);
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_remb_write(&w, 1, 1, (const uint32_t[256]){0}, 256);
    assert_false(w.ok);
}

static void kinds_and_lengths(void **state)
{
    (void)state;
    static const struct {
        uint8_t fmt, type;
        size_t body_len;
        int want;
        enum rtcpfb_kind kind;
    } cases[] = {
        {RTPFB_NACK, RTCP_RTPFB, 8, -EBADMSG, 0},  {RTPFB_NACK, RTCP_RTPFB, 12, 0, RTCPFB_NACK},
        {RTPFB_TWCC, RTCP_RTPFB, 12, -EBADMSG, 0}, {RTPFB_TWCC, RTCP_RTPFB, 16, 0, RTCPFB_TWCC},
        {3, RTCP_RTPFB, 8, 0, RTCPFB_OTHER},       {PSFB_PLI, RTCP_PSFB, 8, 0, RTCPFB_PLI},
        {PSFB_PLI, RTCP_PSFB, 4, -EBADMSG, 0},     {PSFB_FIR, RTCP_PSFB, 12, -EBADMSG, 0},
        {PSFB_FIR, RTCP_PSFB, 16, 0, RTCPFB_FIR},  {PSFB_AFB, RTCP_PSFB, 8, 0, RTCPFB_OTHER},
        {2, RTCP_PSFB, 12, 0, RTCPFB_OTHER},       {PSFB_PLI, RTCP_RR, 8, -EBADMSG, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf));
        memset(rtcp_room(&w, cases[i].type, cases[i].fmt, cases[i].body_len), 0, cases[i].body_len);
        struct reader r = reader_of(buf, writer_len(&w));
        struct rtcp p;
        struct rtcpfb fb;
        assert_true(rtcp_next(&r, &p));
        assert_int_equal(rtcpfb_parse(&p, &fb), cases[i].want);
        if (!cases[i].want)
            assert_int_equal(fb.kind, cases[i].kind);
    }
}

static void expect_print(const struct writer *w, const char *want)
{
    char line[160];
    struct rtcpfb fb = parse(w->start, writer_len(w));
    assert_int_equal(rtcpfb_print(&fb, line, sizeof(line)), strlen(want));
    assert_string_equal(line, want);
}

static void print(void **state)
{
    (void)state;
    struct writer w = writer_of(buf, sizeof(buf));
    rtcpfb_nack_write(&w, 1, 2, (const uint16_t[]){5, 7}, 2);
    expect_print(&w, "NACK from 00000001 of 00000002 5 7");
    w = writer_of(buf, sizeof(buf));
    rtcpfb_pli_write(&w, 1, 2);
    expect_print(&w, "PLI from 00000001 of 00000002");
    w = writer_of(buf, sizeof(buf));
    rtcpfb_fir_write(&w, 1, &(struct rtcpfb_fir){3, 4}, 1);
    expect_print(&w, "FIR from 00000001 of 00000000 [00000003 nr 4]");
    w = writer_of(buf, sizeof(buf));
    rtcpfb_remb_write(&w, 1, 1000000, (const uint32_t[]){9}, 1);
    expect_print(&w, "REMB from 00000001 of 00000000 1000000 bps 00000009");
    buf[16] = 200;
    expect_print(&w, "REMB from 00000001 of 00000000 malformed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nack_octets),
        cmocka_unit_test(nack_round_trip),
        cmocka_unit_test(nack_all_of_a_mask),
        cmocka_unit_test(nack_takes_what_fits),
        cmocka_unit_test(pli),
        cmocka_unit_test(fir),
        cmocka_unit_test(remb_octets),
        cmocka_unit_test(remb_rates),
        cmocka_unit_test(remb_refused),
        cmocka_unit_test(kinds_and_lengths),
        cmocka_unit_test(print),
    };
    return cmocka_run_group_tests_name("rtp/rtcpfb", tests, NULL, NULL);
}
