// Is every form of the VP8 payload descriptor read? (rtp/codec_vp8.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/codec_vp8.h"
#include "tests/rtp/octets.h"

static int parse(struct vp8_descriptor *d, const char *hex)
{
    struct octets o = octets_of(hex);
    int err = vp8_parse(d, o.data, o.len);
    free(o.data);
    return err;
}

static void required_byte(void **state)
{
    (void)state;
    struct vp8_descriptor d;
    assert_int_equal(parse(&d, "10 01"), 0); // S, an inter frame
    assert_true(d.start && d.start_of_frame && !d.keyframe && !d.non_reference);
    assert_int_equal(d.size, 1);
    assert_int_equal(d.picture_id_bits, 0);
    assert_false(d.has_tl0picidx || d.has_tid || d.has_keyidx);

    assert_int_equal(parse(&d, "35 00"), 0); // N, S, partition 5: the 00 is no frame header
    assert_true(d.non_reference && d.start && !d.start_of_frame && !d.keyframe);
    assert_int_equal(d.partition, 5);

    assert_int_equal(parse(&d, "00 00"), 0); // goes on
    assert_true(!d.start && !d.start_of_frame && !d.keyframe);
}

static void extensions(void **state)
{
    (void)state;
    struct vp8_descriptor d;

    assert_int_equal(parse(&d, "90 80 7b 01"), 0); // I, seven bits
    assert_int_equal(d.picture_id_bits, 7);
    assert_int_equal(d.picture_id, 0x7b);
    assert_int_equal(d.picture_id_at, 2);
    assert_int_equal(d.size, 3);

    assert_int_equal(parse(&d, "90 80 92 34 01"), 0); // I, fifteen bits
    assert_int_equal(d.picture_id_bits, 15);
    assert_int_equal(d.picture_id, 0x1234);
    assert_int_equal(d.size, 4);

    assert_int_equal(parse(&d, "90 40 fe 01"), 0); // L alone
    assert_true(d.has_tl0picidx);
    assert_int_equal(d.tl0picidx, 0xfe);
    assert_int_equal(d.tl0picidx_at, 2);

    assert_int_equal(parse(&d, "90 20 bf 01"), 0); // T: TID 2, Y; the key index bits are not meant
    assert_true(d.has_tid && d.layer_sync && !d.has_keyidx);
    assert_int_equal(d.tid, 2);
    assert_int_equal(d.keyidx, 0);

    assert_int_equal(parse(&d, "90 10 ff 01"), 0); // K: neither are TID and Y
    assert_true(d.has_keyidx && !d.has_tid && !d.layer_sync);
    assert_int_equal(d.keyidx, 31);
    assert_int_equal(d.tid, 0);

    assert_int_equal(parse(&d, "90 f0 ffff fe 45 01"), 0); // all
    assert_int_equal(d.picture_id, 0x7fff);
    assert_int_equal(d.tl0picidx, 0xfe);
    assert_int_equal(d.tl0picidx_at, 4);
    assert_int_equal(d.tid, 1);
    assert_false(d.layer_sync);
    assert_int_equal(d.keyidx, 5);
    assert_int_equal(d.size, 6);
}

static void keyframes(void **state)
{
    (void)state;
    struct vp8_descriptor d;

    // 640x360; the two highest bits of each number are scaling
    assert_int_equal(parse(&d, "10 d00200 9d012a 8042 68c1 47"), 0);
    assert_true(d.keyframe);
    assert_int_equal(d.width, 640);
    assert_int_equal(d.height, 360);
    assert_int_equal(parse(&d, "10 d00200 9d012a 8002 68"), 0); // one octet short
    assert_true(d.keyframe);
    assert_int_equal(d.width, 0);
    assert_int_equal(parse(&d, "10 d00200 9d012b 8002 6801"), 0); // not the start code
    assert_int_equal(d.width, 0);
    assert_int_equal(parse(&d, "10 d10200 9d012a 8002 6801"), 0);
    assert_false(d.keyframe);
    assert_int_equal(d.width, 0);
}

static void must_be_refused(const uint8_t *data, size_t len, void *whole)
{
    struct vp8_descriptor d;
    assert_int_equal(vp8_parse(&d, data, len), len < *(size_t *)whole ? -EBADMSG : 0);
}

static void cut_short(void **state)
{
    (void)state;
    static const char *const whole[] = {"10 01",       "90 00 01",    "90 80 7b 01",        "90 80 92 34 01",
                                        "90 40 fe 01", "90 20 bf 01", "90 f0 ffff fe 45 01"};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        struct octets o = octets_of(whole[i]);
        octets_try_prefixes(o.data, o.len, must_be_refused, &o.len);
        free(o.data);
    }
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct vp8_descriptor d;
    (void)arg;
    if (vp8_parse(&d, data, len) < 0)
        return;
    assert_in_range(d.size, 1, 6);
    assert_true(d.size < len);
    assert_true(!d.picture_id_bits || d.picture_id >> d.picture_id_bits == 0);
}

static void anything(void **state)
{
    (void)state;
    octets_try_random(20, 20000, 5, try_parse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(required_byte), cmocka_unit_test(extensions), cmocka_unit_test(keyframes),
        cmocka_unit_test(cut_short),     cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/codec_vp8", tests, NULL, NULL);
}
