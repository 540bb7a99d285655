// Does a forwarder learn the right things of every codec, from a browser and from anybody? (rtp/codec.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rtp/codec.h"
#include "rtp/demux.h"
#include "rtp/ext.h"
#include "rtp/rtp.h"
#include "tests/rtp/octets.h"
#include "tests/rtp/rtpdump.h"

enum { STREAMS_MAX = 4, OPUS_PT = 111, DD_ID = 13, NO_DD = 0 };

// A recording and the packets of one payload type in it.
struct walk {
    struct rtpdump dump;
    enum codec codec;
    uint8_t pt, dd_id;
    struct {
        uint32_t ssrc;
        struct codec_state state;
    } stream[STREAMS_MAX];

    struct rtp rtp; // the current packet
    const uint8_t *payload;
    struct ext dd;
    unsigned index; // of its stream
    struct codec_info info;
};

static void walk_open(struct walk *w, const char *name, enum codec codec, uint8_t pt, uint8_t dd_id)
{
    char path[128];
    snprintf(path, sizeof(path), "chromium156-plain-rtp/%s.a2b.rtpdump", name);
    *w = (struct walk){.codec = codec, .pt = pt, .dd_id = dd_id};
    rtpdump_open(&w->dump, path);
}

static bool walk_next(struct walk *w)
{
    while (rtpdump_next(&w->dump)) {
        if (demux(w->dump.buf, w->dump.len) != DEMUX_RTP || rtp_parse(&w->rtp, w->dump.buf, w->dump.len) != RTP_OK ||
            w->rtp.pt != w->pt || !w->rtp.payload_len)
            continue;
        for (w->index = 0; w->stream[w->index].ssrc && w->stream[w->index].ssrc != w->rtp.ssrc;)
            assert_true(++w->index < STREAMS_MAX);
        w->stream[w->index].ssrc = w->rtp.ssrc;
        w->payload = w->dump.buf + w->rtp.payload_off;
        w->dd = (struct ext){0};
        if (w->dd_id)
            assert_true(ext_find(&w->rtp, w->dump.buf, w->dd_id, &w->dd));
        assert_int_equal(codec_inspect(w->codec, &w->stream[w->index].state, w->payload, w->rtp.payload_len,
                                       w->rtp.marker, w->dd.data, w->dd.len, &w->info),
                         0);
        return true;
    }
    rtpdump_close(&w->dump);
    return false;
}

// ---- browsers ----------------------------------------------------------------------------------------------------

static void one_layer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum codec codec;
        uint8_t pt;
        bool picture_id;
    } rows[] = {
        {"vp8", CODEC_VP8, 96, true},
        {"h264cb", CODEC_H264, 108, false},
        {"av1", CODEC_AV1, 45, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct walk w;
        unsigned packets = 0, keyframes = 0;
        uint16_t picture_id = 0;
        bool new_picture = true;
        walk_open(&w, rows[i].name, rows[i].codec, rows[i].pt, NO_DD);
        while (walk_next(&w)) {
            assert_int_equal(w.info.start_of_frame, new_picture);
            assert_int_equal(w.info.end_of_frame, w.rtp.marker);
            assert_int_equal(w.info.width, 640);
            assert_int_equal(w.info.height, 360);
            assert_int_equal(w.info.spatial, 0);
            assert_int_equal(w.info.temporal, 0);
            assert_int_equal(w.info.layers, UINT64_MAX);
            assert_int_equal(w.info.has_picture_id, rows[i].picture_id);
            assert_true(packets || w.info.keyframe); // it begins with one
            if (rows[i].picture_id) {
                assert_int_equal(w.info.picture_id_bits, 15);
                assert_true(!packets || w.info.picture_id == ((picture_id + new_picture) & 0x7fff));
                picture_id = w.info.picture_id;
            }
            new_picture = w.rtp.marker;
            keyframes += w.info.keyframe;
            packets++;
        }
        assert_true(packets > 90);
        assert_true(keyframes < 4);
    }
}

static void assert_same_layers(const struct codec_info *dd, const struct codec_info *payload)
{
    assert_int_equal(dd->keyframe, payload->keyframe);
    assert_int_equal(dd->start_of_frame, payload->start_of_frame);
    assert_int_equal(dd->spatial, payload->spatial);
    assert_int_equal(dd->temporal, payload->temporal);
    assert_int_equal(dd->has_picture_id, payload->has_picture_id);
    assert_int_equal(dd->picture_id, payload->picture_id);
    assert_false(payload->has_frame_number);
    assert_true(dd->has_frame_number);
}

static void scalable(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum codec codec;
        uint8_t pt;
    } rows[] = {{"vp9_l3t3", CODEC_VP9, 98}, {"av1_l3t3", CODEC_AV1, 45}};
    for (size_t i = 0; i < 2; i++) {
        struct walk w, plain;
        uint64_t seen = 0;
        unsigned keyframes = 0;
        walk_open(&w, rows[i].name, rows[i].codec, rows[i].pt, DD_ID);
        walk_open(&plain, rows[i].name, rows[i].codec, rows[i].pt, NO_DD);
        while (walk_next(&w)) {
            assert_true(walk_next(&plain));
            assert_same_layers(&w.info, &plain.info);
            seen |= codec_layer_bit(w.info.spatial, w.info.temporal);
            keyframes += w.info.keyframe;
            assert_int_equal(w.info.width, 320 << w.info.spatial);
            assert_int_equal(w.info.height, 180 << w.info.spatial);
            assert_true(w.info.layers & codec_layer_bit(7, 7));
            assert_true(plain.info.layers == dd_layers_from(w.info.spatial, w.info.temporal));
            if (rows[i].codec == CODEC_VP9) {
                assert_int_equal(w.info.end_of_frame, plain.info.end_of_frame);
                assert_int_equal(plain.info.width, w.info.width);
            }
        }
        assert_false(walk_next(&plain));
        assert_int_equal(seen, 0x70707);
        assert_true(keyframes >= 1 && keyframes < 4);
    }
}

// Who receives spatial layers up to `spatial` sees each picture end with a marker, and no marker elsewhere. (There is
// a picture whose upper layers the encoder dropped; that one lacks the marker for all.)
static void markers_of_fewer_layers(void **state)
{
    (void)state;
    for (unsigned spatial = 0; spatial < 4; spatial++) {
        for (unsigned dd_id = 0; dd_id <= DD_ID; dd_id += DD_ID) {
            struct walk w;
            bool ended = true, marked = true;
            uint32_t ts = 0, any_ts = 0;
            unsigned pictures = 0, all = 0;
            walk_open(&w, "vp9_l3t3", CODEC_VP9, 98, (uint8_t)dd_id);
            while (walk_next(&w)) {
                if (all && w.rtp.ts != any_ts && !marked)
                    ended = true;
                all += !all || w.rtp.ts != any_ts;
                any_ts = w.rtp.ts;
                marked = w.rtp.marker;
                if (!(w.info.layers & codec_layer_bit(spatial, 7)) || w.info.spatial > spatial)
                    continue;
                assert_int_equal(ended, !pictures || w.rtp.ts != ts);
                pictures += !pictures || w.rtp.ts != ts;
                ts = w.rtp.ts;
                ended = codec_marker(&w.info, w.rtp.marker, spatial);
            }
            assert_true(pictures > 40);
            assert_int_equal(pictures, all);
        }
    }
}

static void simulcast(void **state)
{
    (void)state;
    struct walk w, plain;
    unsigned packets[STREAMS_MAX] = {0}, keyframes[STREAMS_MAX] = {0}, widths = 0;
    uint64_t seen[STREAMS_MAX] = {0};
    walk_open(&w, "vp8_sim", CODEC_VP8, 96, DD_ID);
    walk_open(&plain, "vp8_sim", CODEC_VP8, 96, NO_DD);
    while (walk_next(&w)) {
        assert_true(walk_next(&plain));
        assert_int_equal(w.info.keyframe, plain.info.keyframe);
        assert_int_equal(w.info.start_of_frame, plain.info.start_of_frame);
        assert_int_equal(w.info.end_of_frame, plain.info.end_of_frame);
        assert_int_equal(w.info.width, plain.info.width);
        assert_int_equal(w.info.spatial, 0);
        assert_true(packets[w.index]++ || w.info.keyframe);
        keyframes[w.index] += w.info.keyframe;
        seen[w.index] |= codec_layer_bit(0, w.info.temporal);
        widths |= w.info.width;
    }
    assert_false(walk_next(&plain));
    assert_int_equal(widths, 320 | 640 | 1280);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(packets[i] > 50 && keyframes[i] >= 1);
        assert_int_equal(seen[i], 7);
    }
    assert_int_equal(packets[3], 0);
}

static void sound(void **state)
{
    (void)state;
    struct walk w;
    uint32_t ts = 0;
    unsigned packets = 0;
    walk_open(&w, "vp8", CODEC_OPUS, OPUS_PT, NO_DD);
    while (walk_next(&w)) {
        assert_int_equal(w.info.duration_ts, 960);
        assert_false(w.info.silence);
        assert_true(w.info.keyframe && w.info.start_of_frame && w.info.end_of_frame);
        assert_int_equal(w.info.layers, UINT64_MAX);
        assert_true(!packets++ || w.rtp.ts == ts + 960);
        ts = w.rtp.ts;
    }
    assert_true(packets > 50);
}

// ---- rewriting ---------------------------------------------------------------------------------------------------

static int inspect(enum codec codec, const char *hex, struct codec_info *info)
{
    struct codec_state state = {0};
    struct octets o = octets_of(hex);
    int err = codec_inspect(codec, &state, o.data, o.len, false, NULL, 0, info);
    free(o.data);
    return err;
}

static void assert_rewritten(enum codec codec, const char *before, const char *after)
{
    struct codec_info info;
    struct octets in = octets_of(before), out = octets_of(after);
    assert_int_equal(inspect(codec, before, &info), 0);
    codec_rewrite(&info, in.data, 0xfedc, 0x42);
    assert_memory_equal(in.data, out.data, out.len);
    free(in.data);
    free(out.data);
}

static void rewriting(void **state)
{
    (void)state;
    assert_rewritten(CODEC_VP8, "90 80 7b 01", "90 80 5c 01");
    assert_rewritten(CODEC_VP8, "90 80 92 34 01", "90 80 fe dc 01");
    assert_rewritten(CODEC_VP8, "90 f0 ffff fe 45 01", "90 f0 fedc 42 45 01");
    assert_rewritten(CODEC_VP8, "90 40 fe 01", "90 40 42 01");
    assert_rewritten(CODEC_VP8, "10 01", "10 01");
    assert_rewritten(CODEC_VP9, "a0 8001 ee c8 aa", "a0 fedc ee 42 aa");
    assert_rewritten(CODEC_VP9, "80 7f aa", "80 5c aa");
    assert_rewritten(CODEC_VP9, "f0 8001 20 03 09 fe aa", "f0 fedc 20 03 09 fe aa");
    assert_rewritten(CODEC_H264, "65 88 84", "65 88 84");
    assert_rewritten(CODEC_AV1, "10 30 aa", "10 30 aa");

    struct walk w;
    walk_open(&w, "vp9_l3t3", CODEC_VP9, 98, DD_ID);
    while (walk_next(&w)) {
        struct octets o = octets_copy(w.payload, w.rtp.payload_len);
        struct codec_state plain = {0};
        struct codec_info info;
        codec_rewrite(&w.info, o.data, w.info.picture_id ^ 0x5a5a, 0);
        assert_int_equal(codec_inspect(CODEC_VP9, &plain, o.data, o.len, false, NULL, 0, &info), 0);
        assert_int_equal(info.picture_id, (w.info.picture_id ^ 0x5a5a) & 0x7fff);
        codec_rewrite(&info, o.data, w.info.picture_id, 0);
        assert_memory_equal(o.data, w.payload, o.len);
        free(o.data);
    }
}

// ---- the answers one by one --------------------------------------------------------------------------------------

static void temporal_layers(void **state)
{
    (void)state;
    struct codec_info info;

    // VP8: T2 with Y, T1 without, a frame that nothing refers to
    assert_int_equal(inspect(CODEC_VP8, "90 20 a0 01", &info), 0);
    assert_int_equal(info.switch_up, 4);
    assert_int_equal(info.layers, dd_layers_from(0, 2));
    assert_int_equal(codec_switch_up(&info, 0, 7), 0); // layer 1 is missing
    assert_int_equal(codec_switch_up(&info, 1, 7), 2);
    assert_int_equal(codec_switch_up(&info, 1, 1), 1);
    assert_int_equal(codec_switch_up(&info, 3, 0), 0); // down at any time
    assert_int_equal(inspect(CODEC_VP8, "80 20 a0 01", &info), 0);
    assert_int_equal(codec_switch_up(&info, 1, 2), 1); // not in the middle of a frame
    assert_int_equal(inspect(CODEC_VP8, "b0 20 40 01", &info), 0);
    assert_int_equal(info.switch_up, 0);
    assert_true(info.discardable);

    // at a key frame everything is possible
    assert_int_equal(inspect(CODEC_VP8, "90 20 00 00", &info), 0);
    assert_true(info.keyframe);
    assert_int_equal(codec_switch_up(&info, 0, 7), 7);

    // VP9: T1 with U
    assert_int_equal(inspect(CODEC_VP9, "68 30 01 aa", &info), 0);
    assert_int_equal(info.switch_up, 2);
    assert_int_equal(codec_switch_up(&info, 0, 2), 1);
}

static void where_a_decoder_may_start(void **state)
{
    (void)state;
    static const struct {
        enum codec codec;
        const char *hex;
        bool keyframe;
    } rows[] = {
        {CODEC_VP9, "28 00 01 aa", true},   // key picture, layer 0
        {CODEC_VP9, "20 00 01 aa", false},  // not its beginning
        {CODEC_VP9, "28 03 01 aa", false},  // layer 1 on top of layer 0
        {CODEC_VP9, "28 02 01 aa", true},   // layer 1 on its own
        {CODEC_VP9, "68 00 01 aa", false},  // refers to earlier pictures
        {CODEC_H264, "67 42", true},        // SPS
        {CODEC_H264, "65 88", true},        // IDR
        {CODEC_H264, "7c 05 88 80", false}, // its second fragment
        {CODEC_H264, "65 48", false},       // its second slice
        {CODEC_H264, "41 9a", false},       // P
        {CODEC_AV1, "18 08 00", true},      // N
        {CODEC_AV1, "10 08 00", true},      // a sequence header without N
        {CODEC_AV1, "90 08 00", false},     // the rest of something
        {CODEC_AV1, "10 30 00", false},     // a frame
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct codec_info info;
        assert_int_equal(inspect(rows[i].codec, rows[i].hex, &info), 0);
        assert_int_equal(info.keyframe, rows[i].keyframe);
    }
}

static void av1_fragments_keep_their_layer(void **state)
{
    (void)state;
    static const uint8_t first[] = {0x50, 0x34, 0x50, 0xaa}, second[] = {0x90, 0xaa};
    struct codec_state av1 = {0};
    struct codec_info info;
    assert_int_equal(codec_inspect(CODEC_AV1, &av1, first, sizeof(first), false, NULL, 0, &info), 0);
    assert_int_equal(info.spatial, 2);
    assert_int_equal(codec_inspect(CODEC_AV1, &av1, second, sizeof(second), true, NULL, 0, &info), 0);
    assert_int_equal(info.spatial, 2);
    assert_int_equal(info.temporal, 2);
    assert_true(!info.start_of_frame && info.end_of_frame);
}

static void with_and_without_descriptor(void **state)
{
    (void)state;
    struct octets dd = octets_of("800001800214eaa860414d141020842701df010d"), late = octets_of("c50002");
    static const uint8_t sealed[] = {0x80, 0x55, 0xaa, 0x12}, delta[] = {0x10, 0x01};
    struct codec_state codec = {0};
    struct codec_info info, zero = {0};

    // end-to-end encrypted: the descriptor is enough
    assert_int_equal(codec_inspect(CODEC_H264, &codec, sealed, 4, false, NULL, 0, &info), -EBADMSG);
    assert_memory_equal(&info, &zero, sizeof(info));
    assert_int_equal(codec_inspect(CODEC_H264, &codec, sealed, 4, false, dd.data, dd.len, &info), 0);
    assert_true(info.keyframe && info.start_of_frame && !info.end_of_frame && info.has_frame_number);
    assert_int_equal(info.width, 480);
    assert_int_equal(info.dd_target_count, 3);
    assert_int_equal(info.dd_active_at, 160);

    // one that cannot be used leaves the payload's own word, but its number can be read
    assert_int_equal(codec_inspect(CODEC_VP8, &codec, delta, 2, true, late.data, late.len, &info), 0);
    assert_true(info.start_of_frame && info.end_of_frame && !info.keyframe && info.has_frame_number);
    assert_int_equal(info.frame_number, 2);
    assert_int_equal(codec_inspect(CODEC_VP8, &codec, delta, 2, true, dd.data, dd.len - 1, &info), 0);
    assert_false(info.has_frame_number);
    assert_int_equal(codec_inspect(CODEC_H264, &codec, sealed, 4, false, late.data, late.len, &info), -EBADMSG);

    // audio has none
    assert_int_equal(codec_inspect(CODEC_OPUS, &codec, sealed, 4, false, dd.data, dd.len, &info), 0);
    assert_false(info.has_frame_number);
    free(dd.data);
    free(late.data);
}

static void audio(void **state)
{
    (void)state;
    struct codec_info info;
    assert_int_equal(inspect(CODEC_OPUS, "78", &info), 0);
    assert_true(info.silence && info.keyframe);
    assert_int_equal(inspect(CODEC_OPUS, "7b", &info), 0); // not Opus, or sealed: it goes on all the same
    assert_int_equal(info.duration_ts, 0);
    assert_int_equal(inspect(CODEC_RED, "ef 0f0003 6f 030405 78aabbcc", &info), 0);
    assert_int_equal(info.duration_ts, 960);
    assert_false(info.silence);
    assert_int_equal(inspect(CODEC_RED, "ef 0f0003 6f 030405 78", &info), 0);
    assert_true(info.silence);
    assert_int_equal(inspect(CODEC_RED, "ef 0f0003 6f 0304", &info), -EBADMSG);
    assert_int_equal(inspect(CODEC_PCMU, "ffffffff", &info), 0);
    assert_int_equal(info.duration_ts, 4);
    for (enum codec codec = 0; codec < CODEC_COUNT; codec++)
        assert_int_equal(inspect(codec, "", &info), -EBADMSG);
}

static void names(void **state)
{
    (void)state;
    enum codec codec;
    for (enum codec i = 0; i < CODEC_COUNT; i++) {
        const char *name = codec_name(i);
        codec = CODEC_COUNT;
        assert_true(codec_find(name, strlen(name), codec_clock_hz(i), codec_channels(i), &codec));
        assert_int_equal(codec, i);
        assert_int_equal(codec_is_video(i), codec_clock_hz(i) == 90000);
    }
    assert_true(codec_find("vp8/", 3, 90000, 0, &codec)); // without case, within its length
    assert_int_equal(codec, CODEC_VP8);
    assert_true(codec_find("pcmu", 4, 8000, 0, &codec));
    assert_false(codec_find("VP8", 3, 48000, 0, &codec));
    assert_false(codec_find("opus", 4, 48000, 1, &codec));
    assert_false(codec_find("VP", 2, 90000, 0, &codec));
    assert_false(codec_find("VP88", 4, 90000, 0, &codec));
    assert_false(codec_find("", 0, 90000, 0, &codec));
}

// ---- what nobody should send -------------------------------------------------------------------------------------

struct victim {
    enum codec codec;
    struct codec_state state;
    const uint8_t *dd;
    size_t dd_len;
};

static void try_inspect(const uint8_t *data, size_t len, void *arg)
{
    struct victim *v = arg;
    struct codec_info info;
    int err = codec_inspect(v->codec, &v->state, data, len, len % 2, v->dd, v->dd_len, &info);

    assert_true(!err || err == -EBADMSG);
    assert_true(info.spatial < 8 && info.temporal < 8);
    assert_true(!info.has_picture_id || info.picture_id_at + info.picture_id_bits / 8U < len);
    assert_true(!info.has_tl0picidx || info.tl0picidx_at < len);
    struct octets copy = octets_copy(data, len);
    codec_rewrite(&info, copy.data, 0xffff, 0xff);
    free(copy.data);
}

static void cut_and_damaged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum codec codec;
        uint8_t pt, dd_id;
    } rows[] = {
        {"vp8", CODEC_VP8, 96, NO_DD},       {"h264cb", CODEC_H264, 108, NO_DD}, {"av1", CODEC_AV1, 45, NO_DD},
        {"vp9_l3t3", CODEC_VP9, 98, DD_ID},  {"av1_l3t3", CODEC_AV1, 45, DD_ID}, {"vp8_sim", CODEC_VP8, 96, DD_ID},
        {"vp8", CODEC_OPUS, OPUS_PT, NO_DD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct walk w;
        static struct victim v;
        v = (struct victim){.codec = rows[i].codec};
        walk_open(&w, rows[i].name, rows[i].codec, rows[i].pt, rows[i].dd_id);
        for (unsigned n = 0; walk_next(&w); n++) {
            size_t len = w.rtp.payload_len;
            v.dd = w.dd.data;
            v.dd_len = w.dd.len;
            if (n % 10 == 0)
                octets_try_prefixes(w.payload, len < 64 ? len : 64, try_inspect, &v);
            octets_try_damaged(w.payload, len < 64 ? len : 64, 20, 1 + n, try_inspect, &v);
            octets_try_damaged(w.payload, len, 1, 1 + n, try_inspect, &v);
        }
    }
}

static void anything(void **state)
{
    (void)state;
    static struct victim v;
    uint8_t dd[40];
    uint64_t seed = 9;
    for (enum codec codec = 0; codec < CODEC_COUNT; codec++) {
        v = (struct victim){.codec = codec, .dd = dd, .dd_len = sizeof(dd)};
        octets_try_random(100, 5000, 3, try_inspect, &v);
        for (unsigned round = 0; round < 500; round++) {
            for (size_t i = 0; i < sizeof(dd); i++)
                dd[i] = (uint8_t)octets_random(&seed);
            octets_try_random(30, 3, 3 + round, try_inspect, &v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_layer),
        cmocka_unit_test(scalable),
        cmocka_unit_test(markers_of_fewer_layers),
        cmocka_unit_test(simulcast),
        cmocka_unit_test(sound),
        cmocka_unit_test(rewriting),
        cmocka_unit_test(temporal_layers),
        cmocka_unit_test(where_a_decoder_may_start),
        cmocka_unit_test(av1_fragments_keep_their_layer),
        cmocka_unit_test(with_and_without_descriptor),
        cmocka_unit_test(audio),
        cmocka_unit_test(names),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests_name("rtp/codec", tests, NULL, NULL);
}
