// Are the OBUs of AV1 packets found, and layers and picture size with them? (rtp/codec_av1.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/bits.h"
#include "rtp/codec_av1.h"
#include "tests/rtp/octets.h"

static int parse(struct av1_payload *av1, const char *hex)
{
    struct octets o = octets_of(hex);
    int err = av1_parse(av1, o.data, o.len);
    free(o.data);
    return err;
}

static void aggregation_header(void **state)
{
    (void)state;
    struct av1_payload av1;
    assert_int_equal(parse(&av1, "10 30 aa"), 0); // W 1: a frame
    assert_true(av1.has_frame && !av1.continues && !av1.continued && !av1.new_sequence && !av1.has_layers);
    assert_int_equal(parse(&av1, "50 30"), 0); // Y
    assert_true(av1.continued && av1.has_frame);
    assert_int_equal(parse(&av1, "90 30 aa"), 0); // Z: what looks like a header is none
    assert_true(av1.continues && !av1.has_frame);
    assert_int_equal(parse(&av1, "90 ff"), 0);
    assert_int_equal(parse(&av1, "18 30"), 0); // N
    assert_true(av1.new_sequence);
    assert_int_equal(parse(&av1, "98 30"), -EBADMSG); // N and Z
    assert_int_equal(parse(&av1, "10"), -EBADMSG);
    assert_int_equal(parse(&av1, ""), -EBADMSG);
}

static void elements(void **state)
{
    (void)state;
    struct av1_payload av1;
    // W 0: each has its length
    assert_int_equal(parse(&av1, "00 02 2800 03 30aabb"), 0); // metadata, frame
    assert_true(av1.has_frame);
    assert_int_equal(parse(&av1, "00 02 2800 8300 30aabb"), 0); // a length of two octets
    assert_int_equal(parse(&av1, "00 02 2800 03 30aa"), -EBADMSG);
    assert_int_equal(parse(&av1, "00 02 2800 00"), -EBADMSG);            // an empty element
    assert_int_equal(parse(&av1, "00 02 2800 80"), -EBADMSG);            // half a length
    assert_int_equal(parse(&av1, "00 ffffffffff7f 28"), -EBADMSG);       // more than 32 bits
    assert_int_equal(parse(&av1, "00 808080808080808001 28"), -EBADMSG); // more than eight octets
    // W 2 and 3: the last has none
    assert_int_equal(parse(&av1, "20 02 2800 18aabb"), 0);
    assert_true(av1.has_frame);
    assert_int_equal(parse(&av1, "30 01 28 01 28 30aabb"), 0);
    assert_int_equal(parse(&av1, "20 02 2800"), -EBADMSG); // there is only one
    assert_int_equal(parse(&av1, "30 02 2800 01 30"), -EBADMSG);
    assert_int_equal(parse(&av1, "20 03 2800"), -EBADMSG);
    // the fragment's end, then a whole OBU
    assert_int_equal(parse(&av1, "a0 02 ffff 30aa"), 0);
    assert_true(av1.continues && av1.has_frame);
    assert_int_equal(parse(&av1, "10 b0"), -EBADMSG); // obu_forbidden_bit
}

static void layers(void **state)
{
    (void)state;
    struct av1_payload av1;
    assert_int_equal(parse(&av1, "10 34 50 aa"), 0); // T2, S2
    assert_true(av1.has_layers && av1.has_frame);
    assert_int_equal(av1.temporal, 2);
    assert_int_equal(av1.spatial, 2);
    assert_int_equal(parse(&av1, "10 36 e8 02 aabb"), 0); // with obu_size
    assert_int_equal(av1.temporal, 7);
    assert_int_equal(av1.spatial, 1);
    assert_int_equal(parse(&av1, "50 34"), 0); // cut behind the first octet
    assert_false(av1.has_layers);
    static const struct {
        const char *hex;
        bool frame;
    } types[] = {{"10 12", false}, {"10 18", true},  {"10 20", false},
                 {"10 28", false}, {"10 38", false}, {"10 78", false}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_int_equal(parse(&av1, types[i].hex), 0);
        assert_int_equal(av1.has_frame, types[i].frame);
        assert_false(av1.has_sequence);
    }
}

struct sequence {
    bool reduced, timing, equal_interval, decoder_model, display_delay;
    unsigned points;
    unsigned idc[4], level;
    uint32_t width, height;
};

// A packet with one sequence header (AV1 5.5.1).
static struct octets write_sequence(const struct sequence *s)
{
    uint8_t buf[128] = {0x18, 0x08};
    struct bit_writer w;
    bit_writer_init(&w, buf + 2, sizeof(buf) - 2);
    bit_write(&w, 0, 4);
    bit_write(&w, s->reduced, 1);
    if (s->reduced) {
        bit_write(&w, 31, 5);
    } else {
        bit_write(&w, s->timing, 1);
        if (s->timing) {
            bit_write(&w, 1, 32);
            bit_write(&w, 30, 32);
            bit_write(&w, s->equal_interval, 1);
            if (s->equal_interval)
                bit_write(&w, 5, 5); // ue(v) of 4
            bit_write(&w, s->decoder_model, 1);
            if (s->decoder_model) {
                bit_write(&w, 9, 5);
                bit_write(&w, 12345, 32);
                bit_write(&w, 31, 5);
                bit_write(&w, 31, 5);
            }
        }
        bit_write(&w, s->display_delay, 1);
        bit_write(&w, s->points - 1, 5);
        for (unsigned i = 0; i < s->points; i++) {
            bit_write(&w, s->idc[i], 12);
            bit_write(&w, s->level, 5);
            bit_write(&w, 1, s->level > 7);
            if (s->timing && s->decoder_model) {
                bit_write(&w, i % 2, 1);
                bit_write(&w, 0x1fffff, i % 2 ? 21 : 0);
            }
            if (s->display_delay) {
                bit_write(&w, i % 2, 1);
                bit_write(&w, 15, i % 2 ? 4 : 0);
            }
        }
    }
    bit_write(&w, 15, 4);
    bit_write(&w, 10, 4);
    bit_write(&w, s->width - 1, 16);
    bit_write(&w, s->height - 1, 11);
    size_t len = 2 + bit_writer_finish(&w);
    assert_true(w.ok);
    return octets_copy(buf, len);
}

static void sequence_headers(void **state)
{
    (void)state;
    static const struct {
        struct sequence s;
        unsigned top;
    } rows[] = {
        {{.reduced = true, .width = 640, .height = 360}, 0},
        {{.points = 1, .width = 1280, .height = 720}, 0},
        {{.points = 1, .level = 8, .width = 1280, .height = 720}, 0},
        {{.points = 3, .idc = {0x107, 0x103, 0x101}, .width = 640, .height = 360}, 0},
        {{.points = 3, .idc = {0x707, 0x307, 0x107}, .level = 9, .width = 1280, .height = 720}, 2},
        {{.timing = true, .points = 1, .width = 1920, .height = 1080}, 0},
        {{.timing = true, .equal_interval = true, .points = 1, .width = 1920, .height = 1080}, 0},
        {{.timing = true,
          .decoder_model = true,
          .display_delay = true,
          .points = 4,
          .idc = {0x301},
          .width = 65535,
          .height = 1},
         1},
        {{.display_delay = true, .points = 2, .idc = {0xfff, 0x101}, .level = 12, .width = 1, .height = 2048}, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct octets o = write_sequence(&rows[i].s);
        struct av1_payload av1;
        assert_int_equal(av1_parse(&av1, o.data, o.len), 0);
        assert_true(av1.has_sequence && av1.new_sequence);
        assert_int_equal(av1.width, rows[i].s.width);
        assert_int_equal(av1.height, rows[i].s.height);
        assert_int_equal(av1.top_spatial, rows[i].top);
        for (size_t n = 2; n < o.len; n++) { // a fragment: it is one, but nobody knows how large
            assert_int_equal(av1_parse(&av1, o.data, n), 0);
            assert_true(av1.has_sequence);
            assert_int_equal(av1.width, 0);
            assert_int_equal(av1.top_spatial, 0);
        }
        free(o.data);
    }
}

static void leb128(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint32_t value;
    } rows[] = {{"00", 0},        {"7f", 127}, {"8001", 128}, {"e58e26", 624485}, {"ffffffff0f", UINT32_MAX},
                {"8180808000", 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct octets o = octets_of(rows[i].hex);
        struct reader r = reader_of(o.data, o.len);
        assert_int_equal(av1_leb128(&r), rows[i].value);
        assert_true(r.ok && !reader_left(&r));
        r = reader_of(o.data, o.len - 1);
        assert_int_equal(av1_leb128(&r), 0);
        assert_false(r.ok);
        free(o.data);
    }
    struct octets o = octets_of("ffffffff1f00");
    struct reader r = reader_of(o.data, o.len);
    assert_int_equal(av1_leb128(&r), 0);
    assert_false(r.ok);
    free(o.data);
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct av1_payload av1;
    (void)arg;
    if (av1_parse(&av1, data, len) == 0)
        assert_true(av1.spatial < 4 && av1.temporal < 8 && av1.top_spatial < 4);
}

static void anything(void **state)
{
    (void)state;
    static const struct sequence s = {
        .timing = true, .decoder_model = true, .display_delay = true, .points = 4, .width = 640, .height = 360};
    struct octets o = write_sequence(&s);
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 1, try_parse, NULL);
    free(o.data);
    o = octets_of("00 02 2800 03 34aabb 8200 3610");
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 2, try_parse, NULL);
    free(o.data);
    octets_try_random(64, 20000, 3, try_parse, NULL);
    octets_try_random(1500, 200, 4, try_parse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregation_header), cmocka_unit_test(elements), cmocka_unit_test(layers),
        cmocka_unit_test(sequence_headers),   cmocka_unit_test(leb128),   cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/codec_av1", tests, NULL, NULL);
}
