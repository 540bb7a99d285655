// Is every form of the VP9 payload descriptor read? (rtp/codec_vp9.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/bits.h"
#include "rtp/codec_vp9.h"
#include "tests/rtp/octets.h"

static int parse(struct vp9_descriptor *d, const char *hex)
{
    struct octets o = octets_of(hex);
    int err = vp9_parse(d, o.data, o.len);
    free(o.data);
    return err;
}

static void flags(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    assert_int_equal(parse(&d, "00 aa"), 0);
    assert_false(d.inter_picture || d.flexible || d.start_of_frame || d.end_of_frame || d.has_structure ||
                 d.not_above);
    assert_int_equal(d.size, 1);
    assert_int_equal(parse(&d, "40 aa"), 0);
    assert_true(d.inter_picture && !d.reference_count); // P without F has no references
    assert_int_equal(parse(&d, "08 aa"), 0);
    assert_true(d.start_of_frame);
    assert_int_equal(parse(&d, "04 aa"), 0);
    assert_true(d.end_of_frame);
    assert_int_equal(parse(&d, "01 aa"), 0);
    assert_true(d.not_above);
}

static void picture_ids(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    assert_int_equal(parse(&d, "80 7f aa"), 0);
    assert_int_equal(d.picture_id_bits, 7);
    assert_int_equal(d.picture_id, 0x7f);
    assert_int_equal(d.picture_id_at, 1);
    assert_int_equal(parse(&d, "80 92 34 aa"), 0);
    assert_int_equal(d.picture_id_bits, 15);
    assert_int_equal(d.picture_id, 0x1234);
    assert_int_equal(d.size, 3);
}

static void layer_indices(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    assert_int_equal(parse(&d, "20 55 c8 aa"), 0); // TID 2, U, SID 2, D; TL0PICIDX
    assert_true(d.has_layers && d.switch_up && d.inter_layer && d.has_tl0picidx);
    assert_int_equal(d.tid, 2);
    assert_int_equal(d.sid, 2);
    assert_int_equal(d.tl0picidx, 0xc8);
    assert_int_equal(d.tl0picidx_at, 2);
    assert_int_equal(d.size, 3);

    assert_int_equal(parse(&d, "a0 8001 ee c8 aa"), 0); // behind a picture id
    assert_int_equal(d.tid, 7);
    assert_int_equal(d.sid, 7);
    assert_false(d.switch_up || d.inter_layer);
    assert_int_equal(d.tl0picidx_at, 4);

    assert_int_equal(parse(&d, "30 20 aa"), 0); // flexible mode has no TL0PICIDX
    assert_int_equal(d.tid, 1);
    assert_false(d.has_tl0picidx);
    assert_int_equal(d.size, 2);
}

static void references(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    assert_int_equal(parse(&d, "50 02 aa"), 0);
    assert_int_equal(d.reference_count, 1);
    assert_int_equal(d.reference[0], 1);
    assert_int_equal(parse(&d, "50 03 09 fe aa"), 0);
    assert_int_equal(d.reference_count, 3);
    assert_int_equal(d.reference[1], 4);
    assert_int_equal(d.reference[2], 127);
    assert_int_equal(d.size, 4);
    assert_int_equal(parse(&d, "50 03 09 ff 02 aa"), -EBADMSG); // a fourth
}

static void structures(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    assert_int_equal(parse(&d, "02 50 0140 00b4 0280 0168 0500 02d0 aa"), 0); // Y, three layers
    assert_int_equal(d.spatial_count, 3);
    assert_int_equal(d.structure_width[0], 320);
    assert_int_equal(d.structure_height[1], 360);
    assert_int_equal(d.structure_width[2], 1280);
    assert_int_equal(d.structure_height[2], 720);
    assert_int_equal(d.size, 14);

    // G: four pictures with 1, 1, 1, 2 references
    assert_int_equal(parse(&d, "02 08 04 04 04 54 01 34 02 58 01 02 aa"), 0);
    assert_int_equal(d.spatial_count, 1);
    assert_int_equal(d.structure_width[0], 0);
    assert_int_equal(d.size, 12);
    assert_int_equal(parse(&d, "02 08 04 04 04 54 01 34 02 58 01"), -EBADMSG);
    assert_int_equal(parse(&d, "02 00 aa"), 0); // neither
    assert_int_equal(d.spatial_count, 1);
    assert_int_equal(parse(&d, "02 08 00 aa"), 0); // a group of none
}

// The uncompressed header of a key frame in `profile` (VP9 bitstream specification 6.2).
static struct octets key_frame(unsigned profile, unsigned color_space, unsigned width, unsigned height)
{
    uint8_t buf[32] = {0x08}; // B
    struct bit_writer w;
    bit_writer_init(&w, buf + 1, sizeof(buf) - 1);
    bit_write(&w, 2, 2);
    bit_write(&w, profile & 1, 1);
    bit_write(&w, profile >> 1, 1);
    bit_write(&w, 0, profile == 3);
    bit_write(&w, 0, 2);
    bit_write(&w, 2, 2);
    bit_write(&w, 0x498342, 24);
    bit_write(&w, 1, profile >= 2);
    bit_write(&w, color_space, 3);
    bit_write(&w, 1, color_space != 7);
    if (profile & 1)
        bit_write(&w, 0, color_space == 7 ? 1 : 3);
    bit_write(&w, width - 1, 16);
    bit_write(&w, height - 1, 16);
    return octets_copy(buf, 1 + bit_writer_finish(&w));
}

static void frame_size(void **state)
{
    (void)state;
    struct vp9_descriptor d;
    for (unsigned i = 0; i < 8; i++) {
        struct octets o = key_frame(i / 2, i % 2 ? 7 : 2, 1280, 65535);
        assert_int_equal(vp9_parse(&d, o.data, o.len), 0);
        assert_int_equal(d.width, 1280);
        assert_int_equal(d.height, 65535);
        assert_int_equal(vp9_parse(&d, o.data, o.len - 1), 0);
        assert_int_equal(d.width, 0);
        o.data[3] ^= 1; // in the sync code
        assert_int_equal(vp9_parse(&d, o.data, o.len), 0);
        assert_int_equal(d.width, 0);
        free(o.data);
    }
    struct octets o = key_frame(0, 2, 640, 360);
    o.data[0] = 0; // not the frame's first packet
    assert_int_equal(vp9_parse(&d, o.data, o.len), 0);
    assert_int_equal(d.width, 0);
    o.data[0] = 0x48; // not a key picture
    assert_int_equal(vp9_parse(&d, o.data, o.len), 0);
    assert_int_equal(d.width, 0);
    free(o.data);
}

static void must_be_refused(const uint8_t *data, size_t len, void *whole)
{
    struct vp9_descriptor d;
    assert_int_equal(vp9_parse(&d, data, len), len < *(size_t *)whole ? -EBADMSG : 0);
}

static void cut_short(void **state)
{
    (void)state;
    static const char *const whole[] = {
        "00 aa",
        "80 7f aa",
        "a0 8001 ee c8 aa",
        "f0 8001 20 03 09 fe aa",
        "02 50 0140 00b4 0280 0168 0500 02d0 aa",
        "02 08 04 04 04 54 01 34 02 58 01 02 aa",
        "b2 8001 00 58 0140 00b4 0280 0168 0500 02d0 01 04 01 aa",
    };
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        struct octets o = octets_of(whole[i]);
        octets_try_prefixes(o.data, o.len, must_be_refused, &o.len);
        free(o.data);
    }
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct vp9_descriptor d;
    (void)arg;
    if (vp9_parse(&d, data, len) < 0)
        return;
    assert_true(d.size < len);
    assert_true(d.reference_count <= VP9_REFERENCES_MAX);
    assert_true(d.spatial_count <= VP9_SPATIAL_MAX);
}

static void anything(void **state)
{
    (void)state;
    octets_try_random(60, 20000, 5, try_parse, NULL);
    struct octets o = key_frame(1, 2, 640, 360);
    octets_try_damaged(o.data, o.len, 5000, 6, try_parse, NULL);
    free(o.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags),      cmocka_unit_test(picture_ids), cmocka_unit_test(layer_indices),
        cmocka_unit_test(references), cmocka_unit_test(structures),  cmocka_unit_test(frame_size),
        cmocka_unit_test(cut_short),  cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/codec_vp9", tests, NULL, NULL);
}
