// Are video layers allocations read right? (rtp/vla.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/vla.h"
#include "tests/rtp/octets.h"

static int parse(struct vla *vla, const char *hex)
{
    struct octets o = octets_of(hex);
    int err = vla_parse(vla, o.data, o.len);
    free(o.data);
    return err;
}

static void one_stream(void **state)
{
    (void)state;
    struct vla vla;
    // one spatial layer, three temporal ones of 128, 167, 237 kbit/s, 640x360 at 60
    assert_int_equal(parse(&vla, "01 80 8001 a701 ed01 027f 0167 3c"), 0);
    assert_int_equal(vla.stream, 0);
    assert_int_equal(vla.stream_count, 1);
    assert_int_equal(vla.layer_count, 1);
    assert_int_equal(vla.layer[0].temporal_count, 3);
    assert_int_equal(vla.layer[0].bitrate_bps[0], 128000);
    assert_int_equal(vla.layer[0].bitrate_bps[1], 167000);
    assert_int_equal(vla.layer[0].bitrate_bps[2], 237000);
    assert_int_equal(vla.layer[0].width, 640);
    assert_int_equal(vla.layer[0].height, 360);
    assert_int_equal(vla.layer[0].fps, 60);

    // two spatial layers, without sizes
    assert_int_equal(parse(&vla, "03 a0 2d 3a 53 51 6a 9601"), 0);
    assert_int_equal(vla.layer_count, 2);
    assert_int_equal(vla.layer[1].stream, 0);
    assert_int_equal(vla.layer[1].spatial, 1);
    assert_int_equal(vla.layer[1].bitrate_bps[2], 150000);
    assert_int_equal(vla.layer[1].width, 0);
}

static void several_streams(void **state)
{
    (void)state;
    struct vla vla;
    // three streams with one layer each; it came on the second
    assert_int_equal(parse(&vla, "61 00 9601 f403 eb07 013f00b33c 027f01673c 04ff02cf3c"), 0);
    assert_int_equal(vla.stream, 1);
    assert_int_equal(vla.stream_count, 3);
    assert_int_equal(vla.layer_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vla.layer[i].stream, i);
        assert_int_equal(vla.layer[i].spatial, 0);
        assert_int_equal(vla.layer[i].temporal_count, 1);
        assert_int_equal(vla.layer[i].width, 320U << i);
    }
    assert_int_equal(vla.layer[2].bitrate_bps[0], 1003000);

    // own masks: 0101, none, 0001; temporal layers 1, 4, 2
    assert_int_equal(parse(&vla, "20 50 10 34 01 02030405 0607"), 0);
    assert_int_equal(vla.layer_count, 3);
    assert_int_equal(vla.layer[0].spatial, 0);
    assert_int_equal(vla.layer[1].spatial, 2);
    assert_int_equal(vla.layer[1].temporal_count, 4);
    assert_int_equal(vla.layer[1].bitrate_bps[3], 5000);
    assert_int_equal(vla.layer[2].stream, 2);
    assert_int_equal(vla.layer[2].bitrate_bps[1], 7000);
}

static void extremes(void **state)
{
    (void)state;
    struct vla vla;
    assert_int_equal(parse(&vla, "00"), 0); // nothing is encoded
    assert_int_equal(vla.layer_count, 0);
    assert_int_equal(parse(&vla, "30"), 0);
    assert_int_equal(vla.stream_count, 4);
    assert_int_equal(parse(&vla, "01 00 ffffffff0f"), 0); // more than 32 bits of bit/s
    assert_int_equal(vla.layer[0].bitrate_bps[0], 4294967000);
    assert_int_equal(parse(&vla, "01 00 01 ffffffff00"), 0);
    assert_int_equal(vla.layer[0].width, 65535);
    assert_int_equal(parse(&vla, "41 00 01"), -EBADMSG); // stream 1 of 1
    assert_int_equal(parse(&vla, "40"), -EBADMSG);
    assert_int_equal(parse(&vla, "01 00 01 027f01"), -EBADMSG);
    assert_int_equal(parse(&vla, "01 00"), -EBADMSG);
    assert_int_equal(parse(&vla, ""), -EBADMSG);
    assert_int_equal(parse(&vla, "01 00 01 027f01673c 00"), 0); // what more there is, is not for us

    // sixteen layers of four temporal ones, all with a size
    uint8_t most[1 + 4 + 64 + 80] = {0x3f, 0xff, 0xff, 0xff, 0xff};
    struct octets o = octets_copy(most, sizeof(most));
    assert_int_equal(vla_parse(&vla, o.data, o.len), 0);
    assert_int_equal(vla.layer_count, VLA_LAYERS_MAX);
    assert_int_equal(vla.layer[15].stream, 3);
    assert_int_equal(vla.layer[15].spatial, 3);
    assert_int_equal(vla.layer[15].width, 1);
    free(o.data);
}

static void browser_recordings(void **state)
{
    (void)state;
    char line[512], name[64], hex[400];
    unsigned count = 0;
    uint64_t sizes = 0;

    FILE *file = fopen(VECTORS "/dd-vectors/vla156.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        struct vla vla;
        if (*line == '#' || sscanf(line, "%63s %399s", name, hex) != 2)
            continue;
        assert_int_equal(parse(&vla, hex), 0);
        assert_in_range(vla.layer_count, 1, 3);
        for (unsigned i = 0; i < vla.layer_count; i++) {
            const struct vla_layer *layer = &vla.layer[i];
            for (unsigned t = 1; t < layer->temporal_count; t++)
                assert_true(layer->bitrate_bps[t] > layer->bitrate_bps[t - 1]);
            assert_in_range(layer->bitrate_bps[0], 10000, 5000000);
            if (layer->width)
                assert_int_equal(layer->width * 9, layer->height * 16);
            sizes += layer->width != 0;
        }
        count++;
    }
    fclose(file);
    assert_int_equal(count, 41);
    assert_true(sizes > count);
}

static void try_parse(const uint8_t *data, size_t len, void *arg)
{
    struct vla vla;
    (void)arg;
    if (vla_parse(&vla, data, len) == 0)
        assert_true(vla.layer_count <= VLA_LAYERS_MAX && vla.stream < vla.stream_count);
}

static void anything(void **state)
{
    (void)state;
    struct octets o = octets_of("07a84d648e01e201a602a203b706b008f40b013f00b311027f01671104ff02cf11");
    octets_try_prefixes(o.data, o.len, try_parse, NULL);
    octets_try_damaged(o.data, o.len, 20000, 1, try_parse, NULL);
    free(o.data);
    octets_try_random(255, 20000, 2, try_parse, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stream),         cmocka_unit_test(several_streams), cmocka_unit_test(extremes),
        cmocka_unit_test(browser_recordings), cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/vla", tests, NULL, NULL);
}
