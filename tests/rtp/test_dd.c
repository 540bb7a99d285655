// Are dependency descriptors understood, remembered and rewritten right? (rtp/dd.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/bits.h"
#include "rtp/dd.h"
#include "tests/rtp/dd_rewritten.h"
#include "tests/rtp/octets.h"

// Key frame descriptors by name, see tests/vectors/dd-vectors/README.md.
#define L1T3 "800001800214eaa860414d141020842701df010d"
#define L3T3                                                                                                         \
    "d0013481e81485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac" \
    "1282503157f974000ca864330e222222eca8655304224230eca87753013f00b3027f016704ff02cf"
#define L3T3_KEY                                                                                                     \
    "8f008581e81485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157" \
    "e0"                                                                                                             \
    "01974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf"
#define S3T3                                                                                                         \
    "c1000180081485214ea000a8000600004000100002a000a8000600004000100002a000a80006000040001d954926caa493655248c55fe5" \
    "d0"                                                                                                             \
    "0032a190cc38e58803b2a1954c10e10843b2a1dd4c01dc010803bc0218077c0434"
#define L2T2_KEY_SHIFT "8700ed80e3061eaa82804028280514d14134518010a091889a09409fc059c13fc0b3c0"
#define NO_CHAINS      "8000138002044eaaaf2860414d34538a0940413fc0b3c0"
#define L1T1           "80000180003a410180ef808680"

struct row {
    uint8_t spatial, temporal;
    const char *dtis;
    uint8_t fdiff[3]; // ends with 0
    uint8_t chain_fdiff[3];
};

static int parse(struct dd_state *dd, const char *hex, struct dd_frame *frame)
{
    struct octets o = octets_of(hex);
    int err = dd_parse(dd, o.data, o.len, frame);
    free(o.data);
    return err;
}

static void assert_dtis(const struct dd_dtis *dtis, const char *expected)
{
    for (unsigned i = 0; expected[i]; i++)
        assert_int_equal("-DSR"[dd_dti(dtis, i)], expected[i]);
}

static void assert_templates(const struct dd_state *dd, const struct row *row, size_t n)
{
    assert_int_equal(dd->template_count, n);
    for (size_t i = 0; i < n; i++, row++) {
        const struct dd_template *t = &dd->template[i];
        assert_int_equal(t->spatial, row->spatial);
        assert_int_equal(t->temporal, row->temporal);
        assert_dtis(&t->dtis, row->dtis);
        unsigned fdiffs = 0;
        for (; fdiffs < 3 && row->fdiff[fdiffs]; fdiffs++)
            assert_int_equal(t->fdiff[fdiffs], row->fdiff[fdiffs]);
        assert_int_equal(t->fdiff_count, fdiffs);
        assert_memory_equal(t->chain_fdiff, row->chain_fdiff, dd->chain_count);
    }
}

static void structure_l1t3(void **state)
{
    (void)state;
    // "RTP Payload Format For AV1" A.10.2.1; browsers order the decode targets the other way round
    static const struct row rows[] = {
        {0, 0, "SSS", {0}, {0}}, {0, 0, "SSS", {4}, {4}}, {0, 1, "-DS", {2}, {2}},
        {0, 2, "--D", {1}, {1}}, {0, 2, "--D", {1}, {3}},
    };
    struct dd_state dd = {0};
    struct dd_frame f;
    assert_int_equal(parse(&dd, L1T3, &f), 0);
    assert_templates(&dd, rows, 5);
    assert_int_equal(dd.target_count, 3);
    assert_int_equal(dd.chain_count, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dd.target[i].spatial, 0);
        assert_int_equal(dd.target[i].temporal, i);
        assert_int_equal(dd.target[i].chain, 0);
    }
    assert_true(f.start_of_frame && !f.end_of_frame && f.has_structure && !f.has_active);
    assert_int_equal(f.frame_number, 1);
    assert_int_equal(f.template_id, 0);
    assert_int_equal(f.fdiff_count, 0);
    assert_int_equal(f.active, 7);
    assert_int_equal(f.target_count, 3);
    assert_int_equal(f.width, 480);
    assert_int_equal(f.height, 270);
    assert_int_equal(f.switch_up, 0xff);
    assert_int_equal(f.layers, UINT64_MAX);
}

static void structure_l3t3(void **state)
{
    (void)state;
    // A.10.2.2, with the key frame's template second in each layer
    static const struct row rows[] = {
        {0, 0, "SSSRRRRRR", {12}, {12, 11, 10}},  {0, 0, "SSSSSSSSS", {0}, {0, 0, 0}},
        {0, 1, "-DS-RR-RR", {6}, {6, 5, 4}},      {0, 2, "--D--R--R", {3}, {3, 2, 1}},
        {0, 2, "--D--R--R", {3}, {9, 8, 7}},      {1, 0, "---SSSRRR", {12, 1}, {1, 1, 1}},
        {1, 0, "---SSSSSS", {1}, {1, 1, 1}},      {1, 1, "----DS-RR", {6, 1}, {7, 6, 5}},
        {1, 2, "-----D--R", {3, 1}, {4, 3, 2}},   {1, 2, "-----D--R", {3, 1}, {10, 9, 8}},
        {2, 0, "------SSS", {12, 1}, {2, 1, 1}},  {2, 0, "------SSS", {1}, {2, 1, 1}},
        {2, 1, "-------DS", {6, 1}, {8, 7, 6}},   {2, 2, "--------D", {3, 1}, {5, 4, 3}},
        {2, 2, "--------D", {3, 1}, {11, 10, 9}},
    };
    static const uint16_t width[] = {320, 640, 1280}, height[] = {180, 360, 720};
    struct dd_state dd = {0};
    struct dd_frame f;
    assert_int_equal(parse(&dd, L3T3, &f), 0);
    assert_templates(&dd, rows, 15);
    assert_int_equal(dd.template_offset, 15);
    assert_int_equal(f.template_id, 16);
    assert_int_equal(f.frame_number, 308);
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(dd.target[i].spatial, i / 3);
        assert_int_equal(dd.target[i].temporal, i % 3);
        assert_int_equal(dd.target[i].chain, i / 3);
    }
    assert_int_equal(dd.spatial_count, 3);
    assert_memory_equal(dd.width, width, sizeof(width));
    assert_memory_equal(dd.height, height, sizeof(height));

    // the next one is T1 of S0 and says that only S0 is active
    assert_int_equal(parse(&dd, "d10146401c", &f), 0);
    assert_int_equal(f.spatial, 0);
    assert_int_equal(f.temporal, 1);
    assert_true(f.has_active && !f.has_structure);
    assert_int_equal(f.active, 7);
    assert_int_equal(f.layers, dd_layers_from(0, 1));
    assert_int_equal(f.switch_up, 0xfc); // S for the target with three temporal layers
}

static void structures_of_other_modes(void **state)
{
    (void)state;
    struct dd_state dd = {0};
    struct dd_frame f;

    static const struct row shift[] = {
        {0, 0, "SSSS", {0}, {0, 0}}, {0, 0, "SS--", {2}, {2, 1}}, {0, 0, "SS--", {4}, {4, 1}},
        {0, 1, "-D--", {2}, {2, 3}}, {1, 0, "--SS", {1}, {1, 1}}, {1, 0, "--SS", {4}, {3, 4}},
        {1, 1, "---D", {2}, {1, 2}},
    };
    assert_int_equal(parse(&dd, L2T2_KEY_SHIFT, &f), 0);
    assert_templates(&dd, shift, 7);
    assert_int_equal(dd.template_offset, 7);

    static const struct row chainless[] = {
        {0, 0, "SSS", {0}, {0}},    {0, 0, "SSS", {4}, {0}}, {0, 0, "SRR", {4}, {0}},    {0, 1, "-SS", {2}, {0}},
        {0, 1, "-DS", {4, 2}, {0}}, {0, 2, "--D", {1}, {0}}, {0, 2, "--D", {3, 1}, {0}},
    };
    dd = (struct dd_state){0};
    assert_int_equal(parse(&dd, NO_CHAINS, &f), 0);
    assert_templates(&dd, chainless, 7);
    assert_int_equal(dd.chain_count, 0);
    assert_int_equal(f.width, 1280);

    dd = (struct dd_state){0};
    assert_int_equal(parse(&dd, L1T1, &f), 0);
    assert_int_equal(dd.template_count, 2);
    assert_int_equal(dd.target_count, 1);
    assert_int_equal(f.width, 480);
    assert_int_equal(parse(&dd, "400001", &f), 0);
    assert_true(!f.start_of_frame && f.end_of_frame && !f.has_structure);
}

static void who_needs_which_frame(void **state)
{
    (void)state;
    struct dd_state dd = {0};
    struct dd_frame f;

    // simulcast in one stream: nobody gets another's layer
    assert_int_equal(parse(&dd, S3T3, &f), 0);
    assert_int_equal(f.layers, 0xff);
    assert_int_equal(parse(&dd, "c60002", &f), 0); // S1T0, refers to nothing
    assert_int_equal(f.fdiff_count, 0);
    assert_int_equal(f.layers, 0xff00);
    assert_int_equal(parse(&dd, "c8000a", &f), 0); // S1T2
    assert_int_equal(f.layers, 0xfc00);
    assert_true(f.discardable);
    assert_int_equal(parse(&dd, "cb0003", &f), 0); // S2T0: S2 and all who want more than there is
    assert_int_equal(f.layers, dd_layers_from(2, 0));

    // K-SVC: the key picture is everybody's, later pictures of S0 are not
    dd = (struct dd_state){0};
    assert_int_equal(parse(&dd, L3T3_KEY, &f), 0);
    assert_int_equal(f.layers, UINT64_MAX);
    assert_int_equal(parse(&dd, "d00088", &f), 0);
    assert_int_equal(f.layers, 0xff);
    assert_int_equal(f.switch_up, 0xff);
    assert_false(f.discardable);
}

static void active_targets(void **state)
{
    (void)state;
    struct dd_state dd = {0};
    struct dd_frame f;
    assert_int_equal(parse(&dd, L3T3, &f), 0);
    assert_int_equal(dd_targets_within(&dd, 7, 7), 0x1ff);
    assert_int_equal(dd_targets_within(&dd, 1, 1), 0x1b);
    assert_int_equal(dd_targets_within(&dd, 0, 0), 1);

    // S2 goes: who wants it gets S1
    assert_int_equal(parse(&dd, "d50135 40fc", &f), 0);
    assert_int_equal(f.active, 0x3f);
    assert_int_equal(f.layers, dd_layers_from(1, 0));
    assert_int_equal(parse(&dd, "d40136", &f), 0); // S1T0, active targets stay as they are
    assert_int_equal(f.active, 0x3f);
    assert_int_equal(f.spatial, 1);
    assert_int_equal(dd_targets_within(&dd, 7, 7), 0x3f);

    // a frame of only inactive targets: it is sent, so whoever wants its layers may have it
    assert_int_equal(parse(&dd, "da0136", &f), 0);
    assert_int_equal(f.spatial, 2);
    assert_int_equal(f.layers, dd_layers_from(2, 1) | dd_layers_from(2, 0));

    // no bit set is all bits set
    assert_int_equal(parse(&dd, "d50138 4000", &f), 0);
    assert_int_equal(f.active, 0x1ff);

    // only S2: who wants less gets the least that is produced
    assert_int_equal(parse(&dd, "da0139 4700", &f), 0);
    assert_int_equal(f.active, 0x1c0);
    assert_int_equal(f.layers, UINT64_MAX);
}

static void what_comes_late(void **state)
{
    (void)state;
    struct dd_state dd = {0};
    struct dd_frame f;
    assert_int_equal(parse(&dd, L3T3, &f), 0); // frame 308
    struct dd_state before = dd;

    // the same again, thirty frames older, serves itself alone
    struct octets o = octets_of(L3T3);
    o.data[2] = (uint8_t)(308 - 30);
    o.data[1] = (308 - 30) >> 8;
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_true(f.has_structure);
    assert_memory_equal(&dd, &before, sizeof(dd));

    // far older: the sender began anew
    o.data[1] = 0;
    o.data[2] = 5;
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_int_equal(dd.structure_frame, 5);
    free(o.data);

    // an active mask older than the one known
    assert_int_equal(parse(&dd, "d50020 40fc", &f), 0);
    assert_int_equal(parse(&dd, "d5001e 401c", &f), 0);
    assert_int_equal(f.active, 0x3f);
    assert_int_equal(parse(&dd, "d50021 401c", &f), 0);
    assert_int_equal(f.active, 7);
    // neither does the structure's own packet, sent again, make all of them active
    assert_int_equal(dd.structure_frame, 5);
    o = octets_of(L3T3);
    o.data[1] = 0;
    o.data[2] = 5;
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_int_equal(dd.active, 7);
    free(o.data);
}

static void without_its_structure(void **state)
{
    (void)state;
    struct dd_state dd = {0}, zero = {0};
    struct dd_frame f;
    assert_int_equal(parse(&dd, "c51234", &f), -ENOENT);
    assert_true(f.start_of_frame && f.end_of_frame);
    assert_int_equal(f.template_id, 5);
    assert_int_equal(f.frame_number, 0x1234);
    assert_memory_equal(&dd, &zero, sizeof(dd));

    assert_int_equal(parse(&dd, L1T3, &f), 0); // templates 0 to 4
    assert_int_equal(parse(&dd, "c40002", &f), 0);
    assert_int_equal(parse(&dd, "c50002", &f), -ENOENT);
    assert_int_equal(parse(&dd, "ff0002", &f), -ENOENT);
    // a structure that does not have its own packet's template
    assert_int_equal(parse(&dd, "850001800214eaa860414d141020842701df010d", &f), -EBADMSG);
}

// A descriptor of frame 2, template 2 of L1T3, with the three custom parts.
static size_t write_custom(uint8_t buf[static 64], unsigned fdiffs)
{
    struct bit_writer w;
    bit_writer_init(&w, buf, 64);
    bit_write(&w, 0xc2, 8);
    bit_write(&w, 2, 16);
    bit_write(&w, 7, 5); // custom_dtis, custom_fdiffs, custom_chains
    bit_write(&w, 1, 2); // D
    bit_write(&w, 2, 2); // S
    bit_write(&w, 3, 2); // R
    for (unsigned i = 0; i < fdiffs; i++) {
        bit_write(&w, 1 + i % 3, 2);
        bit_write(&w, i % 3 ? 0xfffU >> (4 * (2 - i % 3)) : 6, 4 * (1 + i % 3));
    }
    bit_write(&w, 0, 2);
    bit_write(&w, 200, 8);
    size_t len = bit_writer_finish(&w);
    assert_true(w.ok);
    return len;
}

static void custom_parts(void **state)
{
    (void)state;
    struct dd_state dd = {0};
    struct dd_frame f;
    uint8_t buf[64];
    assert_int_equal(parse(&dd, L1T3, &f), 0);
    struct octets o = octets_copy(buf, write_custom(buf, 3));
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_dtis(&f.dtis, "DSR");
    assert_int_equal(f.temporal, 1);
    assert_int_equal(f.fdiff_count, 3);
    assert_int_equal(f.fdiff[0], 7);
    assert_int_equal(f.fdiff[1], 256);
    assert_int_equal(f.fdiff[2], 4096);
    assert_int_equal(f.chain_count, 1);
    assert_int_equal(f.chain_fdiff[0], 200);
    assert_int_equal(f.switch_up, 1U << 1);
    assert_int_equal(f.active_at, 29);
    assert_false(f.discardable);
    for (size_t n = 0; n < o.len; n++)
        assert_int_not_equal(dd_parse(&dd, o.data, n == 3 ? 2 : n, &f), 0); // three octets alone are whole
    free(o.data);

    o = octets_copy(buf, write_custom(buf, DD_FDIFFS_MAX));
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_int_equal(f.fdiff_count, DD_FDIFFS_MAX);
    free(o.data);
    o = octets_copy(buf, write_custom(buf, DD_FDIFFS_MAX + 1));
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), -EBADMSG);
    free(o.data);
}

// A structure of `count` templates whose layers go on by `next`, one target, no chains; 0 fdiffs but `fdiffs` in the
// first.
static int parse_structure_of(unsigned count, unsigned next, unsigned fdiffs)
{
    uint8_t buf[DD_LEN_MAX + 8];
    struct bit_writer w;
    bit_writer_init(&w, buf, sizeof(buf));
    bit_write(&w, 0xc0, 8);
    bit_write(&w, 1, 16);
    bit_write(&w, 16, 5);
    bit_write(&w, 0, 6 + 5);
    for (unsigned i = 1; i < count; i++)
        bit_write(&w, next, 2);
    bit_write(&w, 3, 2);
    for (unsigned i = 0; i < count; i++)
        bit_write(&w, 2, 2);
    for (unsigned i = 0; i < fdiffs; i++)
        bit_write(&w, 0x1f, 5);
    for (unsigned i = 0; i < count; i++)
        bit_write(&w, 0, 1);
    bit_write(&w, 0, 1); // chain_cnt
    bit_write(&w, 0, 1); // resolutions_present_flag
    struct octets o = octets_copy(buf, bit_writer_finish(&w));
    struct dd_state dd = {0};
    struct dd_frame f;
    int err = dd_parse(&dd, o.data, o.len, &f);
    assert_true(w.ok);
    assert_int_equal(dd.has_structure, !err);
    free(o.data);
    return err;
}

static void bounds(void **state)
{
    (void)state;
    assert_int_equal(parse_structure_of(1, 0, 0), 0);
    assert_int_equal(parse_structure_of(DD_TEMPLATES_MAX, 0, 0), 0);
    assert_int_equal(parse_structure_of(DD_TEMPLATES_MAX + 1, 0, 0), -EBADMSG);
    assert_int_equal(parse_structure_of(DD_TEMPORAL_MAX, 1, 0), 0);
    assert_int_equal(parse_structure_of(DD_TEMPORAL_MAX + 1, 1, 0), -EBADMSG);
    assert_int_equal(parse_structure_of(DD_SPATIAL_MAX, 2, 0), 0);
    assert_int_equal(parse_structure_of(DD_SPATIAL_MAX + 1, 2, 0), -EBADMSG);
    assert_int_equal(parse_structure_of(2, 0, DD_FDIFFS_MAX), 0);
    assert_int_equal(parse_structure_of(2, 0, DD_FDIFFS_MAX + 1), -EBADMSG);

    struct dd_state dd = {0};
    struct dd_frame f;
    uint8_t *longest = calloc(1, DD_LEN_MAX + 1);
    struct octets o = octets_of(L1T3);
    memcpy(longest, o.data, o.len); // zero padding is legal
    assert_int_equal(dd_parse(&dd, longest, DD_LEN_MAX, &f), 0);
    assert_int_equal(dd_parse(&dd, longest, DD_LEN_MAX + 1, &f), -EBADMSG);
    free(longest);
    free(o.data);
}

static void rewriting(void **state)
{
    (void)state;
    struct dd_state dd = {0};
    struct dd_frame f;
    uint8_t buf[64], out[80];

    assert_int_equal(parse(&dd, L1T3, &f), 0);
    struct octets o = octets_of("c40002");
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_int_equal(dd_rewrite(out, sizeof(out), o.data, o.len, 0x1234, 3, f.active_at, f.target_count), 4);
    assert_memory_equal(out, "\xc4\x12\x34\x43", 4); // 01000 for the flags, 011 for the mask
    assert_int_equal(dd_rewrite(out, sizeof(out), o.data, o.len, 0xfffe, 0, f.active_at, f.target_count), 3);
    assert_memory_equal(out, "\xc4\xff\xfe", 3);
    assert_int_equal(dd_rewrite(out, sizeof(out), o.data, 2, 1, 0, 0, 0), -EBADMSG);
    assert_int_equal(dd_rewrite(out, sizeof(out), o.data, 3, 1, 1, 0, 0), -EBADMSG);
    assert_int_equal(dd_rewrite(out, sizeof(out), o.data, 3, 1, 1, 0, 33), -EBADMSG);
    assert_int_equal(dd_rewrite(out, sizeof(out), o.data, 3, 1, 1, 29, 3), -EBADMSG);
    free(o.data);

    o = octets_copy(buf, write_custom(buf, 3));
    assert_int_equal(dd_parse(&dd, o.data, o.len, &f), 0);
    assert_rewritten(&dd, o.data, o.len, &f, 77, 0);
    assert_rewritten(&dd, o.data, o.len, &f, 77, 5);
    free(o.data);
}

// ---- what nobody should send -----------------------------------------------------------------------------------

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct dd_state *dd = arg, before = *dd;
    struct dd_frame f;
    uint8_t out[DD_LEN_MAX + DD_ACTIVE_GROWTH];
    int err = dd_parse(dd, data, len, &f);

    if (err) {
        assert_memory_equal(dd, &before, sizeof(before));
        return;
    }
    assert_true(dd->template_count <= DD_TEMPLATES_MAX && dd->target_count <= DD_TARGETS_MAX);
    assert_true(f.spatial < DD_SPATIAL_MAX && f.temporal < DD_TEMPORAL_MAX);
    int n = dd_rewrite(out, sizeof(out), data, len, 1, 1, f.active_at, f.target_count);
    assert_in_range(n, len, len + DD_ACTIVE_GROWTH);
}

static void cut_and_damaged(void **state)
{
    (void)state;
    static const char *const whole[] = {L1T3, L3T3, L3T3_KEY, S3T3, L2T2_KEY_SHIFT, NO_CHAINS, L1T1, "d50135 40fc"};
    static struct dd_state dd;
    struct dd_frame f;

    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        struct octets o = octets_of(whole[i]);
        dd = (struct dd_state){0};
        octets_try_prefixes(o.data, o.len, try_parse, &dd);
        octets_try_damaged(o.data, o.len, 2000, 7 + i, try_parse, &dd);
        for (size_t n = 0; i < 7 && n < o.len; n++) // what lacks an octet lacks something
            assert_int_not_equal(dd_parse(&(struct dd_state){0}, o.data, n, &f), 0);
        free(o.data);
    }
    octets_try_random(80, 5000, 11, try_parse, &dd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure_l1t3),
        cmocka_unit_test(structure_l3t3),
        cmocka_unit_test(structures_of_other_modes),
        cmocka_unit_test(who_needs_which_frame),
        cmocka_unit_test(active_targets),
        cmocka_unit_test(what_comes_late),
        cmocka_unit_test(without_its_structure),
        cmocka_unit_test(custom_parts),
        cmocka_unit_test(bounds),
        cmocka_unit_test(rewriting),
        cmocka_unit_test(cut_and_damaged),
    };
    return cmocka_run_group_tests_name("rtp/dd", tests, NULL, NULL);
}
