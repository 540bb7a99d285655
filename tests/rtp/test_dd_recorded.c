// Are the dependency descriptors of real streams understood, and is what they leave out decodable? (rtp/dd.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/codec.h"
#include "rtp/dd.h"
#include "tests/rtp/dd_rewritten.h"
#include "tests/rtp/octets.h"

// Someone who gets what `layers` says, and whose wish for a temporal layer stays or changes now and then.
struct receiver {
    unsigned spatial, temporal, wanted;
    bool restless;
    uint8_t has[65536 / 8]; // frames it got, by number
    unsigned frames;
};

enum { RECEIVERS = 3 * 5 };

// Every frame that one gets refers only to frames that one got before.
static void receive(struct receiver *r, const struct dd_frame *f, uint64_t *seed)
{
    struct codec_info info = {.start_of_frame = f->start_of_frame, .switch_up = f->switch_up};

    if (!f->start_of_frame)
        return;
    if (r->restless && f->spatial == 0 && octets_random(seed) % 8 == 0)
        r->wanted = octets_random(seed) % 4;
    if (f->has_structure)
        r->temporal = r->wanted;
    if (f->spatial <= r->spatial && (f->spatial == 0 || r->wanted > r->temporal))
        r->temporal = codec_switch_up(&info, r->temporal, r->wanted);
    if (!(f->layers & codec_layer_bit(r->spatial, r->temporal)))
        return;
    for (unsigned i = 0; i < f->fdiff_count; i++) {
        uint16_t number = (uint16_t)(f->frame_number - f->fdiff[i]);
        assert_true(r->has[number / 8] >> number % 8 & 1);
    }
    r->has[f->frame_number / 8] |= (uint8_t)(1U << f->frame_number % 8);
    r->frames++;
}

struct stream {
    struct receiver receiver[RECEIVERS];
    uint64_t seed;
    char name[64];
    uint32_t ssrc;
    struct dd_state dd;
    unsigned packets, keyframes;
    uint64_t seen; // layers, by dd_layer_bit()
    uint16_t widest;
};

// The stream of a line "case ssrc ..."
static struct stream *stream_of(struct stream *streams, size_t n, const char *name, uint32_t ssrc)
{
    for (struct stream *s = streams; s < streams + n; s++) {
        if (!s->packets) {
            snprintf(s->name, sizeof(s->name), "%s", name);
            s->ssrc = ssrc;
            s->seed = ssrc;
            for (unsigned i = 0; i < RECEIVERS; i++) {
                s->receiver[i].spatial = i % 3;
                s->receiver[i].wanted = i / 3;
                s->receiver[i].restless = i / 3 == 4;
            }
        }
        if (s->ssrc == ssrc && !strcmp(s->name, name))
            return s;
    }
    fail_msg("more streams than expected");
    return NULL;
}

static void feed(struct stream *s, const struct octets *o)
{
    struct dd_frame f;
    struct dd_state before = s->dd;
    assert_int_equal(dd_parse(&s->dd, o->data, o->len, &f), 0);
    assert_true(f.layers & dd_layer_bit(f.spatial, f.temporal));
    for (unsigned i = 0; i < RECEIVERS; i++)
        receive(&s->receiver[i], &f, &s->seed);
    s->packets++;
    s->keyframes += f.has_structure && !f.fdiff_count;
    s->seen |= dd_layer_bit(f.spatial, f.temporal);
    s->widest = f.width > s->widest ? f.width : s->widest;
    if (f.has_structure)
        before = s->dd;
    assert_rewritten(&before, o->data, o->len, &f, (uint16_t)(f.frame_number + 40000), 0);
    assert_rewritten(&before, o->data, o->len, &f, f.frame_number, f.active & ~(f.active >> 1) ? 1 : f.active);
}

static void browser_streams(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t seen;
        unsigned streams;
    } expected[] = {
        {"av1_l1t3", 0x7, 1},        {"av1_l3t3", 0x70707, 1}, {"av1_l3t3key", 0x70707, 1}, {"av1_sim", 0x7, 3},
        {"h264_sim", 0x1, 3},        {"vp8_l1t3", 0x7, 1},     {"vp8_sim", 0x7, 3},         {"vp9_l3t3", 0x70707, 1},
        {"vp9_l3t3key", 0x70707, 1}, {"vp9_sim", 0x7, 3},
    };
    static struct stream streams[64];
    char line[512], name[64], hex[400];
    unsigned ssrc, lines = 0;

    FILE *file = fopen(VECTORS "/dd-vectors/chromium156.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%63s %x %399s", name, &ssrc, hex) != 3 || *name == '#')
            continue;
        struct octets o = octets_of(hex);
        feed(stream_of(streams, 64, name, ssrc), &o);
        free(o.data);
        lines++;
    }
    fclose(file);
    assert_int_equal(lines, 1468);

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        uint64_t seen = 0;
        unsigned count = 0;
        for (struct stream *s = streams; s->packets; s++) {
            if (strcmp(s->name, expected[i].name) != 0)
                continue;
            seen |= s->seen;
            count++;
            assert_true(s->keyframes >= 1);
            assert_true(s->receiver[0].frames < s->receiver[6].frames || seen == 0x1);
            assert_true(s->receiver[6].frames >= s->receiver[12].frames);
            if (expected[i].seen == 0x1)
                assert_int_equal(s->widest, 0); // this encoder does not tell
            else
                assert_true(s->widest == 320 || s->widest == 640 || s->widest == 1280);
        }
        assert_int_equal(seen, expected[i].seen);
        assert_int_equal(count, expected[i].streams);
    }
}

static void changing_active_targets(void **state)
{
    (void)state;
    static struct stream s;
    char line[512], hex[400];

    FILE *file = fopen(VECTORS "/dd-vectors/livekit.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (*line == '#' || sscanf(line, "%399s", hex) != 1)
            continue;
        struct octets o = octets_of(hex);
        feed(&s, &o);
        free(o.data);
    }
    fclose(file);
    assert_int_equal(s.packets, 14);
    assert_int_equal(s.keyframes, 2);
    assert_int_equal(s.dd.target_count, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(browser_streams),
        cmocka_unit_test(changing_active_targets),
    };
    return cmocka_run_group_tests_name("rtp/dd_recorded", tests, NULL, NULL);
}
