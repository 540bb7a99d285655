// Are the NAL units of H.264 packets found, and the picture size with them? (rtp/codec_h264.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/bits.h"
#include "rtp/codec_h264.h"
#include "tests/rtp/octets.h"

static int parse(struct h264_payload *h264, const char *hex)
{
    struct octets o = octets_of(hex);
    int err = h264_parse(h264, o.data, o.len);
    free(o.data);
    return err;
}

static void single_units(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool sps, idr, start, reference;
    } rows[] = {
        {"65 88", false, true, true, true},    // IDR slice, first macroblock
        {"65 48", false, true, false, true},   // IDR slice, a later one
        {"65", false, true, false, true},      // nothing but its header
        {"41 9a", false, false, true, true},   // slice
        {"01 9a", false, false, true, false},  // slice that nothing refers to
        {"41 1a", false, false, false, true},  // later slice
        {"67 42", true, false, true, true},    // SPS
        {"68 ce", false, false, true, true},   // PPS
        {"06 05", false, false, true, false},  // SEI
        {"09 10", false, false, true, false},  // AUD
        {"0c ff", false, false, false, false}, // filler
    };
    struct h264_payload h264;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(&h264, rows[i].hex), 0);
        assert_int_equal(h264.has_sps, rows[i].sps);
        assert_int_equal(h264.has_idr, rows[i].idr);
        assert_int_equal(h264.start_of_frame, rows[i].start);
        assert_int_equal(h264.reference, rows[i].reference);
        assert_int_equal(h264.width, 0);
    }
    assert_int_equal(parse(&h264, "60 88"), -EBADMSG); // type 0
    assert_int_equal(parse(&h264, "7a 88"), -EBADMSG); // MTAP16
    assert_int_equal(parse(&h264, "7f 88"), -EBADMSG); // type 31
    assert_int_equal(parse(&h264, ""), -EBADMSG);
}

static void aggregates(void **state)
{
    (void)state;
    struct h264_payload h264;
    assert_int_equal(parse(&h264, "78 0004 68ce3c80 0002 6588"), 0);
    assert_true(h264.has_idr && !h264.has_sps && h264.start_of_frame && h264.reference);
    assert_int_equal(parse(&h264, "18 0002 0600 0002 01 9a"), 0);
    assert_true(!h264.reference && h264.start_of_frame);
    assert_int_equal(parse(&h264, "79 1234 0002 6588"), 0); // STAP-B
    assert_true(h264.has_idr);
    assert_int_equal(parse(&h264, "78"), -EBADMSG);              // none
    assert_int_equal(parse(&h264, "78 0000"), -EBADMSG);         // empty
    assert_int_equal(parse(&h264, "78 0002 6588 00"), -EBADMSG); // half a length
    assert_int_equal(parse(&h264, "78 0003 6588"), -EBADMSG);    // longer than the packet
    assert_int_equal(parse(&h264, "78 0002 78 00"), -EBADMSG);   // an aggregate in it
    assert_int_equal(parse(&h264, "79 1234"), -EBADMSG);
}

static void fragments(void **state)
{
    (void)state;
    struct h264_payload h264;
    assert_int_equal(parse(&h264, "7c 85 88 80"), 0); // first of an IDR slice
    assert_true(h264.has_idr && h264.start_of_frame && h264.reference);
    assert_int_equal(parse(&h264, "7c 85 48 80"), 0); // of a later slice
    assert_true(h264.has_idr && !h264.start_of_frame);
    assert_int_equal(parse(&h264, "7c 05 88 80"), 0); // goes on
    assert_true(!h264.has_idr && !h264.start_of_frame && h264.reference);
    assert_int_equal(parse(&h264, "7c 45 88"), 0); // ends
    assert_false(h264.has_idr);
    assert_int_equal(parse(&h264, "1c 81 9a"), 0);
    assert_true(h264.start_of_frame && !h264.reference);
    assert_int_equal(parse(&h264, "7d 85 1234 88"), 0); // FU-B
    assert_true(h264.has_idr && h264.start_of_frame);
    assert_int_equal(parse(&h264, "7c 87 42 c0"), 0); // a fragmented SPS cannot be read
    assert_true(h264.has_sps);
    assert_int_equal(h264.width, 0);
    assert_int_equal(parse(&h264, "7c 85"), -EBADMSG);
    assert_int_equal(parse(&h264, "7c 80 88"), -EBADMSG);
    assert_int_equal(parse(&h264, "7c 9c 88"), -EBADMSG);
    assert_int_equal(parse(&h264, "7d 85 1234"), -EBADMSG);
}

// ---- sequence parameter sets -------------------------------------------------------------------------------------

struct sps {
    unsigned profile, chroma;
    bool lists;
    unsigned poc_type, columns, rows;
    bool fields;
    unsigned crop[4];
};

static void write_ue(struct bit_writer *w, uint32_t value)
{
    unsigned width = 0;
    while ((value + 1) >> width)
        width++;
    bit_write(w, 0, width - 1);
    bit_write(w, value + 1, width);
}

static void write_high(struct bit_writer *w, const struct sps *s)
{
    write_ue(w, s->chroma);
    bit_write(w, 0, s->chroma == 3);
    write_ue(w, 0);
    write_ue(w, 0);
    bit_write(w, 0, 1);
    bit_write(w, s->lists, 1);
    if (!s->lists)
        return;
    for (unsigned i = 0; i < (s->chroma == 3 ? 12U : 8U); i++) {
        bit_write(w, i % 2 == 0, 1);
        for (unsigned k = 0; i % 2 == 0 && k < (i < 6 ? 16U : 64U); k++) {
            write_ue(w, i == 4 ? 16 : 1); // se(v): -8 makes the next one 0 and ends the list, +1 goes on
            if (i == 4)
                break;
        }
    }
}

static struct octets write_sps(const struct sps *s)
{
    uint8_t raw[512] = {0x67}, escaped[600];
    struct bit_writer w;
    bit_writer_init(&w, raw, sizeof(raw));
    bit_write(&w, 0x67, 8);
    bit_write(&w, s->profile, 8);
    bit_write(&w, 0x001f, 16);
    write_ue(&w, 0);
    if (s->profile == 100 || s->profile == 244)
        write_high(&w, s);
    write_ue(&w, 0);
    write_ue(&w, s->poc_type);
    if (s->poc_type == 0)
        write_ue(&w, 2);
    if (s->poc_type == 1) {
        bit_write(&w, 0, 1);
        write_ue(&w, 5);
        write_ue(&w, 6);
        write_ue(&w, 3);
        for (unsigned i = 0; i < 3; i++)
            write_ue(&w, 70000 + i);
    }
    write_ue(&w, 1);
    bit_write(&w, 0, 1);
    write_ue(&w, s->columns - 1);
    write_ue(&w, s->rows - 1);
    bit_write(&w, !s->fields, 1);
    bit_write(&w, 0, s->fields);
    bit_write(&w, 1, 1);
    bool cropped = s->crop[0] || s->crop[1] || s->crop[2] || s->crop[3];
    bit_write(&w, cropped, 1);
    for (unsigned i = 0; cropped && i < 4; i++)
        write_ue(&w, s->crop[i]);
    bit_write(&w, 1, 2); // no VUI, stop bit
    size_t len = bit_writer_finish(&w), n = 0;
    assert_true(w.ok);
    for (size_t i = 0; i < len; i++) {
        if (n >= 2 && !escaped[n - 1] && !escaped[n - 2] && raw[i] <= 3)
            escaped[n++] = 3;
        escaped[n++] = raw[i];
    }
    return octets_copy(escaped, n);
}

static void picture_sizes(void **state)
{
    (void)state;
    static const struct {
        struct sps sps;
        uint16_t width, height;
    } rows[] = {
        {{66, 1, false, 0, 40, 23, false, {0, 0, 0, 4}}, 640, 360},
        {{66, 1, false, 2, 20, 15, false, {0}}, 320, 240},
        {{77, 1, false, 1, 80, 45, false, {0}}, 1280, 720},
        {{77, 1, false, 0, 120, 34, true, {0, 0, 0, 2}}, 1920, 1080}, // two rows of macroblocks, units of four lines
        {{100, 1, false, 0, 120, 68, false, {0, 0, 0, 4}}, 1920, 1080},
        {{100, 1, true, 0, 120, 68, false, {0, 0, 0, 4}}, 1920, 1080},
        {{100, 0, false, 0, 10, 10, false, {1, 2, 3, 4}}, 157, 153},
        {{100, 2, false, 0, 10, 10, false, {1, 2, 3, 4}}, 154, 153},
        {{244, 3, true, 0, 10, 10, false, {1, 2, 3, 4}}, 157, 153},
        {{66, 1, false, 0, 4095, 4095 / 2, false, {0}}, 65520, 32752},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct octets o = write_sps(&rows[i].sps);
        struct h264_payload h264;
        uint16_t width = 0, height = 0;
        assert_int_equal(h264_parse(&h264, o.data, o.len), 0);
        assert_int_equal(h264.width, rows[i].width);
        assert_int_equal(h264.height, rows[i].height);
        assert_int_equal(h264_sps_parse(o.data, o.len, &width, &height), 0);
        assert_int_equal(width, rows[i].width);
        for (size_t n = 0; n + 1 < o.len; n++)
            assert_int_equal(h264_sps_parse(o.data, n, &width, &height), -EBADMSG);
        free(o.data);
    }
}

static void impossible_sizes(void **state)
{
    (void)state;
    static const struct sps rows[] = {
        {66, 1, false, 0, 40, 23, false, {160, 160, 0, 0}}, // nothing is left
        {66, 1, false, 0, 40, 23, false, {0, 0, 0xffff, 0xffff}},
        {66, 1, false, 0, 4097, 23, false, {0}},
        {66, 1, false, 0, 23, 2049, false, {0}},
        {100, 4, false, 0, 40, 23, false, {0}}, // chroma_format_idc is 0..3
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct octets o = write_sps(&rows[i]);
        struct h264_payload h264;
        uint16_t width, height;
        assert_int_equal(h264_sps_parse(o.data, o.len, &width, &height), -EBADMSG);
        assert_int_equal(h264_parse(&h264, o.data, o.len), 0); // it is an SPS all the same
        assert_true(h264.has_sps);
        assert_int_equal(h264.width, 0);
        free(o.data);
    }
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct h264_payload h264;
    uint16_t width, height;
    (void)arg;
    if (h264_parse(&h264, data, len) == 0 && h264.width)
        assert_true(h264.has_sps);
    if (h264_sps_parse(data, len, &width, &height) == 0)
        assert_true(width && height);
}

static void anything(void **state)
{
    (void)state;
    const struct sps sps = {244, 3, true, 1, 10, 10, true, {1, 2, 3, 4}};
    struct octets o = write_sps(&sps);
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 1, try_parse, NULL);
    free(o.data);
    o = octets_of("78 0004 68ce3c80 0002 6588 0003 4742c0");
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 2, try_parse, NULL);
    free(o.data);
    octets_try_random(64, 20000, 3, try_parse, NULL);
    octets_try_random(1500, 200, 4, try_parse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_units),  cmocka_unit_test(aggregates),       cmocka_unit_test(fragments),
        cmocka_unit_test(picture_sizes), cmocka_unit_test(impossible_sizes), cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/codec_h264", tests, NULL, NULL);
}
