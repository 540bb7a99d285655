// Are header extensions read, mapped and written in both forms? (rtp/ext.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/ext.h"

#include <errno.h>
#include <stdio.h>

// A packet whose extension has this profile and these octets (a multiple of 4), in a block of exactly its size.
struct packet {
    uint8_t *buf;
    size_t len;
    struct rtp rtp;
};

static struct packet packet_of(uint16_t profile, const uint8_t *octets, size_t len)
{
    struct packet p = {.len = RTP_HEADER_LEN + RTP_EXT_HEAD_LEN + len};
    p.buf = malloc(p.len);
    assert_int_equal(len % 4, 0);
    rtp_header_write(&(struct rtp){.pt = 96}, true, p.buf, p.len);
    wr16(p.buf + 12, profile);
    wr16(p.buf + 14, (uint16_t)(len / 4));
    memcpy(p.buf + 16, octets, len);
    assert_int_equal(rtp_parse(&p.rtp, p.buf, p.len), RTP_OK);
    return p;
}

#define PACKET(profile, ...)                                                                                         \
    packet_of(profile, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

// The elements as text: "id:octets id:octets".
static void expect_elements(struct packet p, const char *want)
{
    char got[512] = "";
    size_t at = 0;
    struct ext_iter it = ext_iter(&p.rtp, p.buf);
    struct ext e;
    while (ext_next(&it, &e)) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%u:", at ? " " : "", e.id);
        for (unsigned i = 0; i < e.len; i++)
            at += (size_t)snprintf(got + at, sizeof(got) - at, "%02x", e.data[i]);
    }
    assert_false(ext_next(&it, &e));
    assert_string_equal(got, want);
    free(p.buf);
}

static void one_byte_form(void **state)
{
    (void)state;
    expect_elements(PACKET(0xbede, 0x10, 0xaa, 0x21, 0xbb, 0xcc, 0, 0, 0), "1:aa 2:bbcc");
    expect_elements(PACKET(0xbede, 0, 0x10, 0xaa, 0, 0, 0x22, 1, 2, 3, 0, 0, 0), "1:aa 2:010203");
    expect_elements(PACKET(0xbede, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 0, 0),
                    "14:0102030405060708090a0b0c0d0e0f10");
    expect_elements(PACKET(0xbede, 0, 0, 0, 0), "");
}

static void one_byte_form_ends_early(void **state)
{
    (void)state;
    // RFC 8285 section 4.2: id 15 ends the block; so does id 0 with a length.
    expect_elements(PACKET(0xbede, 0x10, 0xaa, 0xf0, 0, 0x20, 0xbb, 0, 0), "1:aa");
    expect_elements(PACKET(0xbede, 0x10, 0xaa, 0x01, 0, 0, 0x20, 0xbb, 0), "1:aa");
    // An element that leaves the block.
    expect_elements(PACKET(0xbede, 0x10, 0xaa, 0x22, 0xbb), "1:aa");
    expect_elements(PACKET(0xbede, 0, 0, 0, 0x10), "");
}

static void two_byte_form(void **state)
{
    (void)state;
    expect_elements(PACKET(0x1000, 1, 1, 0xaa, 2, 0, 0, 200, 2, 0xbb, 0xcc, 0, 0), "1:aa 2: 200:bbcc");
    expect_elements(PACKET(0x100f, 15, 1, 0xaa, 0), "15:aa"); // appbits, and an id reserved only in the other form
    expect_elements(PACKET(0x1000, 1, 3, 0xaa, 0xbb), "");
    expect_elements(PACKET(0x1000, 0, 0, 0, 7), "");
    expect_elements(PACKET(0x1000, 1, 1, 0xaa, 7), "1:aa");
}

static void other_profiles_and_none(void **state)
{
    (void)state;
    expect_elements(PACKET(0xabac, 0x10, 0xaa, 0, 0), "");
    expect_elements(PACKET(0x1010, 1, 1, 0xaa, 0), "");
    struct rtp rtp = {0};
    struct ext_iter it = ext_iter(&rtp, NULL);
    struct ext e;
    assert_false(ext_next(&it, &e));
    assert_false(ext_find(&rtp, NULL, 1, &e));
}

static void finds_by_id(void **state)
{
    (void)state;
    struct packet p = PACKET(0xbede, 0x10, 0xaa, 0x20, 0xbb, 0x20, 0xcc, 0, 0);
    struct ext e;
    assert_true(ext_find(&p.rtp, p.buf, 2, &e));
    assert_int_equal(e.data[0], 0xbb);
    assert_false(ext_find(&p.rtp, p.buf, 3, &e));
    free(p.buf);
}

static void uris(void **state)
{
    (void)state;
    for (int house = EXT_NONE + 1; house < EXT_HOUSE_COUNT; house++) {
        const char *uri = ext_uri((enum ext_house)house);
        assert_non_null(uri);
        assert_int_equal(ext_by_uri(uri, strlen(uri)), house);
        assert_int_equal(ext_by_uri(uri, strlen(uri) - 1), EXT_NONE);
    }
    assert_null(ext_uri(EXT_NONE));
    assert_null(ext_uri(EXT_HOUSE_COUNT));
    assert_int_equal(ext_by_uri("", 0), EXT_NONE);
    assert_int_equal(ext_by_uri("urn:ietf:params:rtp-hdrext:toffset", 34), EXT_NONE);
    assert_true(EXT_HOUSE_COUNT <= 15);
}

static void map(void **state)
{
    (void)state;
    struct ext_map m = {0};
    assert_int_equal(ext_map_add(&m, 9, EXT_MID), 0);
    assert_int_equal(ext_map_add(&m, 9, EXT_MID), 0);
    assert_int_equal(ext_map_add(&m, 9, EXT_RID), -EEXIST);
    assert_int_equal(ext_map_add(&m, 8, EXT_MID), -EEXIST);
    assert_int_equal(ext_map_add(&m, 255, EXT_RID), 0);
    assert_int_equal(ext_map_add(&m, 0, EXT_TWCC), -EINVAL);
    assert_int_equal(ext_map_add(&m, 15, EXT_TWCC), -EINVAL);
    assert_int_equal(ext_map_add(&m, 3, EXT_NONE), -EINVAL);
    assert_int_equal(ext_map_add(&m, 3, EXT_HOUSE_COUNT), -EINVAL);
    assert_int_equal(m.to_house[9], EXT_MID);
    assert_int_equal(m.from_house[EXT_MID], 9);
    assert_int_equal(m.to_house[255], EXT_RID);
    assert_int_equal(m.to_house[8], EXT_NONE);
    assert_int_equal(m.from_house[EXT_TWCC], 0);
}

static void view(void **state)
{
    (void)state;
    struct ext_map m = {0};
    ext_map_add(&m, 5, EXT_MID);
    ext_map_add(&m, 4, EXT_TWCC);
    struct packet p = PACKET(0xbede, 0x50, '7', 0x31, 1, 2, 0x41, 3, 4, 0x50, '8', 0, 0);
    struct ext_view v;
    memset(&v, 0xff, sizeof(v));
    ext_view_init(&v, &p.rtp, p.buf, &m);
    assert_int_equal(v.has, 1u << EXT_MID | 1u << EXT_TWCC);
    assert_true(ext_view_has(&v, EXT_TWCC));
    assert_false(ext_view_has(&v, EXT_RID));
    struct ext mid = ext_view_get(&v, p.buf, EXT_MID);
    assert_int_equal(mid.id, EXT_MID);
    assert_int_equal(mid.len, 1);
    assert_memory_equal(mid.data, "7", 1);
    uint16_t seq;
    struct ext twcc = ext_view_get(&v, p.buf, EXT_TWCC), rid = ext_view_get(&v, p.buf, EXT_RID);
    assert_int_equal(ext_twcc_parse(&twcc, &seq), 0);
    assert_int_equal(seq, 0x0304);
    assert_null(rid.data);
    free(p.buf);
}

static void writes_one_byte_form(void **state)
{
    (void)state;
    struct ext_list list = {.n = 0};
    uint8_t buf[64];
    assert_int_equal(ext_list_write(&list, buf, sizeof(buf)), 0);
    ext_list_add(&list, 1, "a", 1);
    ext_list_add(&list, 14, "0123456789abcdef", 16);
    ext_list_add(&list, 0, "x", 1);
    ext_list_add(&list, 15, "x", 1);
    size_t len = ext_list_write(&list, buf, sizeof(buf));
    const uint8_t want[] = "\xbe\xde\x00\x05\x10"
                           "a\xef"
                           "0123456789abcdef\0";
    assert_int_equal(len, 24);
    assert_memory_equal(buf, want, 24);
    for (size_t cap = 0; cap < 24; cap++) {
        uint8_t *exact = malloc(cap ? cap : 1);
        assert_int_equal(ext_list_write(&list, exact, cap), 0);
        free(exact);
    }
}

static void writes_two_byte_form_where_it_must(void **state)
{
    (void)state;
    static const struct {
        uint8_t id, len;
        bool two_byte;
    } cases[] = {{14, 16, false}, {16, 16, true}, {1, 17, true}, {1, 0, true}, {255, 255, true}, {1, 1, false}};
    uint8_t data[255], buf[600];
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ext_list list = {.n = 0};
        ext_list_add(&list, 2, "xy", 2);
        ext_list_add(&list, cases[i].id, data, cases[i].len);
        size_t len = ext_list_write(&list, buf, sizeof(buf));
        assert_int_equal(rd16(buf), cases[i].two_byte ? 0x1000 : 0xbede);
        struct packet p = packet_of(rd16(buf), buf + 4, len - 4);
        struct ext e;
        assert_true(ext_find(&p.rtp, p.buf, 2, &e));
        assert_int_equal(e.len, 2);
        assert_memory_equal(e.data, "xy", 2);
        assert_true(ext_find(&p.rtp, p.buf, cases[i].id, &e));
        assert_int_equal(e.len, cases[i].len);
        assert_memory_equal(e.data, data, e.len);
        free(p.buf);
    }
}

static void a_full_list_takes_no_more(void **state)
{
    (void)state;
    struct ext_list list = {.n = 0};
    for (int i = 0; i < EXT_LIST_MAX + 3; i++)
        ext_list_add(&list, 1, "a", 1);
    assert_int_equal(list.n, EXT_LIST_MAX);
}

static struct ext element(const void *data, size_t len)
{
    return (struct ext){data, 1, (uint8_t)len};
}

static void text(void **state)
{
    (void)state;
    char out[EXT_TEXT_MAX + 1];
    struct ext e = element("mid0", 4);
    assert_int_equal(ext_text_parse(&e, out), 0);
    assert_string_equal(out, "mid0");
    static const struct {
        const char *data;
        size_t len;
    } bad[] = {{"", 0},     {"a b", 3},      {"a\0b", 3},
               {"\x7f", 1}, {"\xc3\xa9", 2}, {"012345678901234567890123456789012", 33}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        e = element(bad[i].data, bad[i].len);
        assert_int_equal(ext_text_parse(&e, out), -EBADMSG);
        assert_string_equal(out, "");
    }
    e = element(bad[5].data, 32);
    assert_int_equal(ext_text_parse(&e, out), 0);
    assert_int_equal(strlen(out), 32);
}

static void numbers(void **state)
{
    (void)state;
    uint8_t buf[4];
    uint16_t seq;
    struct ext e = element(buf, ext_twcc_write(buf, 0xfedc));
    assert_int_equal(ext_twcc_parse(&e, &seq), 0);
    assert_int_equal(seq, 0xfedc);

    uint32_t ast;
    static const struct {
        int64_t us;
        uint32_t want;
    } times[] = {
        {0, 0}, {1000000, 1 << 18}, {63999999, 0xffffff}, {64000000, 0}, {INT64_C(64000000) * 99 + 500000, 1 << 17}};
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        e = element(buf, ext_abs_send_time_write(buf, times[i].us));
        assert_int_equal(e.len, 3);
        assert_int_equal(ext_abs_send_time_parse(&e, &ast), 0);
        assert_int_equal(ast, times[i].want);
    }
}

static void audio_level(void **state)
{
    (void)state;
    uint8_t buf[1];
    for (unsigned db = 0; db < 128; db++)
        for (int voice = 0; voice < 2; voice++) {
            struct ext_audio_level in = {voice, (uint8_t)db}, out;
            struct ext e = element(buf, ext_audio_level_write(buf, &in));
            assert_int_equal(buf[0], (unsigned)voice << 7 | db);
            assert_int_equal(ext_audio_level_parse(&e, &out), 0);
            assert_int_equal(out.voice, voice);
            assert_int_equal(out.level_db, db);
        }
}

static void playout_delay(void **state)
{
    (void)state;
    uint8_t buf[3];
    struct ext_playout_delay in = {100, 40950}, out;
    struct ext e = element(buf, ext_playout_delay_write(buf, &in));
    const uint8_t want[] = {0x00, 0xaf, 0xff};
    assert_memory_equal(buf, want, 3);
    assert_int_equal(ext_playout_delay_parse(&e, &out), 0);
    assert_int_equal(out.min_ms, 100);
    assert_int_equal(out.max_ms, 40950);
    in.min_ms = in.max_ms = 65535;
    ext_playout_delay_write(buf, &in);
    assert_int_equal(rd24(buf), 0xffffff);
}

static void video_orientation(void **state)
{
    (void)state;
    uint8_t buf[1];
    for (unsigned v = 0; v < 16; v++) {
        const uint8_t in = (uint8_t)(0xf0 | v); // the upper bits are ignored
        struct ext_video_orientation o;
        struct ext e = element(&in, 1);
        assert_int_equal(ext_video_orientation_parse(&e, &o), 0);
        assert_int_equal(o.back_camera, v >> 3);
        assert_int_equal(o.flip, v >> 2 & 1);
        assert_int_equal(o.rotation, (v & 3) * 90);
        ext_video_orientation_write(buf, &o);
        assert_int_equal(buf[0], v);
    }
}

static void absent_and_short_elements(void **state)
{
    (void)state;
    uint8_t *one = malloc(1);
    struct ext none = {0}, empty = element(one, 0), cut = element(one, 1);
    uint16_t u16;
    uint32_t u32;
    char s[EXT_TEXT_MAX + 1];
    struct ext_audio_level level;
    struct ext_playout_delay delay;
    struct ext_video_orientation orientation;
    *one = 'a';
    const struct ext *const bad[] = {&none, &empty};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ext_text_parse(bad[i], s), -EBADMSG);
        assert_int_equal(ext_audio_level_parse(bad[i], &level), -EBADMSG);
        assert_int_equal(ext_video_orientation_parse(bad[i], &orientation), -EBADMSG);
    }
    const struct ext *const short_too[] = {&none, &empty, &cut};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ext_twcc_parse(short_too[i], &u16), -EBADMSG);
        assert_int_equal(ext_abs_send_time_parse(short_too[i], &u32), -EBADMSG);
        assert_int_equal(ext_playout_delay_parse(short_too[i], &delay), -EBADMSG);
    }
    free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_form),
        cmocka_unit_test(one_byte_form_ends_early),
        cmocka_unit_test(two_byte_form),
        cmocka_unit_test(other_profiles_and_none),
        cmocka_unit_test(finds_by_id),
        cmocka_unit_test(uris),
        cmocka_unit_test(map),
        cmocka_unit_test(view),
        cmocka_unit_test(writes_one_byte_form),
        cmocka_unit_test(writes_two_byte_form_where_it_must),
        cmocka_unit_test(a_full_list_takes_no_more),
        cmocka_unit_test(text),
        cmocka_unit_test(numbers),
        cmocka_unit_test(audio_level),
        cmocka_unit_test(playout_delay),
        cmocka_unit_test(video_orientation),
        cmocka_unit_test(absent_and_short_elements),
    };
    return cmocka_run_group_tests_name("rtp/ext", tests, NULL, NULL);
}
