// Are format parameters read, and codecs matched, as their RFCs say? (rtp/sdp_codec.c, rtp/sdp_span.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/sdp_codec.h"

static struct sdp_span span(const char *text)
{
    return sdp_span_of(text);
}

static void test_spans(void **state)
{
    (void)state;
    struct sdp_span rest = span("  one  two ");
    assert_true(sdp_span_is(sdp_span_word(&rest), "one"));
    assert_true(sdp_span_is(sdp_span_word(&rest), "two"));
    assert_int_equal(sdp_span_word(&rest).len, 0);
    rest = span("one\t two \t");
    assert_true(sdp_span_is(sdp_span_word(&rest), "one"));
    assert_true(sdp_span_is(sdp_span_word(&rest), "two"));
    assert_int_equal(sdp_span_word(&rest).len, 0);
    rest = span("a;;b");
    assert_true(sdp_span_is(sdp_span_cut(&rest, ';'), "a"));
    assert_int_equal(sdp_span_cut(&rest, ';').len, 0);
    assert_true(sdp_span_is(sdp_span_cut(&rest, ';'), "b"));
    assert_int_equal(rest.len, 0);
    assert_true(sdp_span_is(sdp_span_trim(span(" \t x y\t ")), "x y"));
    assert_true(sdp_span_starts(span("DTLS/SCTP"), "DTLS/"));
    assert_false(sdp_span_starts(span("DTL"), "DTLS"));
    assert_false(sdp_span_has_word(span("trickle2 ice2"), "trickle"));
    assert_true(sdp_span_is(sdp_span_of(NULL), ""));
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_true(sdp_span_number(span("0"), 0, &n) && n == 0);
    assert_true(sdp_span_number(span("127"), 127, &n) && n == 127);
    assert_false(sdp_span_number(span("128"), 127, &n));
    assert_false(sdp_span_number(span("9"), 5, &n));
    assert_true(sdp_span_number(span("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
    assert_false(sdp_span_number(span("18446744073709551616"), UINT64_MAX, &n));
    assert_false(sdp_span_number(span("99999999999999999999999"), UINT64_MAX, &n));
    assert_false(sdp_span_number(span(""), 10, &n));
    assert_false(sdp_span_number(span("-1"), 10, &n));
    assert_false(sdp_span_number(span("1 "), 10, &n));
}

static void test_copy_never_cuts(void **state)
{
    (void)state;
    char buf[4] = "xxx";
    assert_int_equal(sdp_span_copy(span("abc"), buf, sizeof(buf)), 0);
    assert_string_equal(buf, "abc");
    assert_int_equal(sdp_span_copy(span("abcd"), buf, sizeof(buf)), -ENOSPC);
    assert_string_equal(buf, "");
}

static void test_params(void **state)
{
    (void)state;
    struct sdp_span value, fmtp = span("minptime=10; useinbandfec=1;Stereo=1;cbr");
    assert_true(sdp_param(fmtp, "useinbandfec", &value) && sdp_span_is(value, "1"));
    assert_true(sdp_param(fmtp, "stereo", &value) && sdp_span_is(value, "1"));
    assert_true(sdp_param(fmtp, "cbr", &value) && value.len == 0);
    assert_false(sdp_param(fmtp, "ptime", &value));
    assert_int_equal(sdp_param_int(fmtp, "minptime", 3), 10);
    assert_int_equal(sdp_param_int(fmtp, "maxptime", 120), 120);
    assert_int_equal(sdp_param_int(fmtp, "cbr", 7), 7);
    assert_true(sdp_param(span("sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA=="), "sprop-parameter-sets", &value));
    assert_true(sdp_span_is(value, "Z0IAH5WoFAFuQA==,aM48gA=="));
    assert_false(sdp_param((struct sdp_span){0}, "apt", &value));
}

static void test_rtx(void **state)
{
    (void)state;
    static struct sdp_media m;
    sdp_media_init(&m, SDP_VIDEO);
    m.codec_count = 3;
    m.codecs[0] = (struct sdp_codec){.pt = 96, .name = span("VP8"), .fmtp = span("apt=5")};
    m.codecs[1] = (struct sdp_codec){.pt = 97, .name = span("RTX"), .fmtp = span("apt=96;rtx-time=3000")};
    m.codecs[2] = (struct sdp_codec){.pt = 98, .name = span("rtx"), .fmtp = span("apt=200")};
    assert_int_equal(sdp_rtx_apt(&m.codecs[0]), -1);
    assert_int_equal(sdp_rtx_apt(&m.codecs[1]), 96);
    assert_int_equal(sdp_rtx_apt(&m.codecs[2]), -1);
    assert_ptr_equal(sdp_find_rtx(&m, 96), &m.codecs[1]);
    assert_null(sdp_find_rtx(&m, 97));
}

// RFC 6184 section 8.1, table 5
static void test_h264_profiles(void **state)
{
    (void)state;
    static const struct {
        const char *fmtp;
        enum sdp_h264_profile profile;
        uint8_t level;
    } profiles[] = {
        {"profile-level-id=42e01f", SDP_H264_CONSTRAINED_BASELINE, 31},
        {"profile-level-id=42C02A", SDP_H264_CONSTRAINED_BASELINE, 42},
        {"profile-level-id=4240 1f", SDP_H264_UNKNOWN, 0},
        {"profile-level-id=4de01f", SDP_H264_CONSTRAINED_BASELINE, 31},
        {"profile-level-id=58f01f", SDP_H264_CONSTRAINED_BASELINE, 31},
        {"profile-level-id=42a01f", SDP_H264_BASELINE, 31},
        {"profile-level-id=58A01F", SDP_H264_BASELINE, 31},
        {"profile-level-id=58001f", SDP_H264_EXTENDED, 31},
        {"profile-level-id=4d401f", SDP_H264_MAIN, 31},
        {"profile-level-id=64001f", SDP_H264_HIGH, 31},
        {"profile-level-id=640c1f", SDP_H264_CONSTRAINED_HIGH, 31},
        {"profile-level-id=6e001f", SDP_H264_HIGH_10, 31},
        {"profile-level-id=7a001f", SDP_H264_HIGH_422, 31},
        {"profile-level-id=f4001f", SDP_H264_HIGH_444, 31},
        {"profile-level-id=42f00b", SDP_H264_CONSTRAINED_BASELINE, 9},
        {"profile-level-id=42e00b", SDP_H264_CONSTRAINED_BASELINE, 11},
        {"profile-level-id=640009", SDP_H264_HIGH, 9},
        {"profile-level-id=42e11f", SDP_H264_UNKNOWN, 31},
        {"profile-level-id=64ff1f", SDP_H264_UNKNOWN, 31},
        {"packetization-mode=1", SDP_H264_BASELINE, 10},
    };
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        struct sdp_h264 h264;
        int result = sdp_h264_parse(&h264, span(profiles[i].fmtp));
        if (profiles[i].level == 0) {
            assert_int_equal(result, -EBADMSG);
            continue;
        }
        assert_int_equal(result, 0);
        assert_int_equal(h264.profile, profiles[i].profile);
        assert_int_equal(h264.level, profiles[i].level);
    }
}

static void test_h264_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"profile-level-id=42e01", "profile-level-id=42e01f0", "profile-level-id=42e01g",
                                      "profile-level-id=",      "packetization-mode=3",     "packetization-mode=x",
                                      "profile-level-id=0x42e0"};
    struct sdp_h264 h264;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sdp_h264_parse(&h264, span(bad[i])), -EBADMSG);
    assert_int_equal(sdp_h264_parse(&h264, span("level-asymmetry-allowed=1;packetization-mode=2")), 0);
    assert_true(h264.level_asymmetry && h264.mode == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),          cmocka_unit_test(test_numbers), cmocka_unit_test(test_copy_never_cuts),
        cmocka_unit_test(test_params),         cmocka_unit_test(test_rtx),     cmocka_unit_test(test_h264_profiles),
        cmocka_unit_test(test_h264_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
