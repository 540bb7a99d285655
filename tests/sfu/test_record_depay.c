// Do a browser's packets become files that play? (sfu/record_depay.c, sfu/record_file.c, sfu/record_repair.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "rtp/demux.h"
#include "rtp/ntp.h"
#include "rtp/rtp.h"
#include "sfu/record_depay.h"
#include "sfu/record_file.h"
#include "sfu/record_order.h"
#include "sfu/record_repair.h"
#include "tests/rtp/dice.h"
#include "tests/rtp/rtpdump.h"
#include "tests/sfu/media_check.h"

// One stream of a recorded call.
struct vector {
    const char *name;
    uint8_t pt;
    enum codec codec;
    const char *codec_name; // as ffprobe says it
    unsigned width, height; // of the first picture
};

static const struct vector vectors[] = {
    {"vp8", 96, CODEC_VP8, "vp8", 640, 360},       {"vp8", 111, CODEC_OPUS, "opus", 0, 0},
    {"h264cb", 108, CODEC_H264, "h264", 640, 360}, {"av1", 45, CODEC_AV1, "av1", 640, 360},
    {"vp9_l3t3", 98, CODEC_VP9, "vp9", 320, 180},  {"av1_l3t3", 45, CODEC_AV1, "av1", 1280, 720},
};

// A stream on its way into a file.
struct taker {
    const struct vector *v;
    char *dir, *path;
    int dir_fd;
    struct record_order *order;
    struct record_depay *depay;
    struct record_file *file;
    int flush_every; // frames

    unsigned packets, frames, keyframes;
    uint32_t first_ts, last_ts;
    int64_t end_us; // of the last frame
};

static int64_t since_first_us(const struct taker *t, uint32_t ts)
{
    return ntp_ts_to_us((int32_t)(ts - t->first_ts), codec_clock_hz(t->v->codec));
}

static void on_frame(void *arg, const struct record_frame *frame)
{
    struct taker *t = arg;
    if (!t->file) {
        assert_true(frame->keyframe);
        t->first_ts = frame->ts;
        assert_int_equal(record_file_new(t->dir_fd, "file", t->v->codec, frame, 1700000000000000, &t->file), 0);
    }
    int64_t at_us = since_first_us(t, frame->ts);
    int64_t duration_us = ntp_ts_to_us(frame->duration_ts, codec_clock_hz(t->v->codec));
    assert_int_equal(record_file_put(t->file, frame, at_us, duration_us), 0);
    if (t->frames++ % (unsigned)t->flush_every == 0)
        assert_int_equal(record_file_flush(t->file), 0);
    t->keyframes += frame->keyframe;
    t->last_ts = frame->ts;
    t->end_us = at_us + duration_us;
}

static void on_packet(void *arg, const uint8_t *data, size_t len, int64_t at_us, bool lost)
{
    struct taker *t = arg;
    struct rtp rtp;
    (void)at_us;
    assert_int_equal(rtp_parse(&rtp, data, len), RTP_OK);
    record_depay_rx(t->depay, t->v->codec, &rtp, data, lost);
}

static void take_begin(struct taker *t, const struct vector *v)
{
    *t = (struct taker){.v = v, .dir = media_dir(), .flush_every = 15};
    t->path = g_build_filename(t->dir, "file", NULL);
    t->dir_fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    t->order = record_order_new(on_packet, t);
    t->depay = record_depay_new(v->codec, on_frame, t);
}

static void take_all(struct taker *t, struct dice *dice, unsigned loss_percent)
{
    char *name = g_strdup_printf("chromium156-plain-rtp/%s.a2b.rtpdump", t->v->name);
    struct rtpdump d;
    rtpdump_open(&d, name);
    while (rtpdump_next(&d)) {
        struct rtp rtp;
        if (demux(d.buf, d.len) != DEMUX_RTP || rtp_parse(&rtp, d.buf, d.len) != RTP_OK || rtp.pt != t->v->pt)
            continue;
        int64_t at_us = (int64_t)d.at_ms * 1000;
        record_order_tick(t->order, at_us);
        if (!dice_chance(dice, loss_percent))
            record_order_rx(t->order, rtp.seq, d.buf, d.len, at_us);
        t->packets++;
    }
    rtpdump_close(&d);
    record_order_flush(t->order);
    g_free(name);
}

static void take_end(struct taker *t)
{
    assert_non_null(t->file);
    assert_int_equal(record_file_free(t->file), 0);
    record_depay_free(t->depay);
    record_order_free(t->order);
    close(t->dir_fd);
}

static void take_remove(struct taker *t)
{
    media_remove(t->dir);
    g_free(t->path);
}

static void assert_near(double value, double truth, double most)
{
    if (value < truth - most || value > truth + most)
        fail_msg("%f is not within %f of %f", value, most, truth);
}

static void check_stream(const struct taker *t)
{
    char *codec = media_probe(t->path, "stream=codec_name");
    if (codec)
        assert_string_equal(codec, t->v->codec_name);
    g_free(codec);
    assert_int_equal(media_number(t->path, "stream=nb_read_packets", t->frames), t->frames);
    if (t->v->width) {
        assert_int_equal(media_number(t->path, "stream=width", t->v->width), t->v->width);
        assert_int_equal(media_number(t->path, "stream=height", t->v->height), t->v->height);
    }
    assert_near(media_number(t->path, "format=duration", t->end_us / 1e6), t->end_us / 1e6, 0.05);
    assert_true(media_decodes(t->path));
}

static void test_whole_files(void **state)
{
    (void)state;
    struct dice dice = {.state = 1};
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct taker t;
        take_begin(&t, &vectors[i]);
        take_all(&t, &dice, 0);
        assert_int_equal(record_depay_dropped(t.depay), 0);
        take_end(&t);
        print_message("%s/%s: %u packets, %u frames, %u key frames, %.3f s\n", t.v->name, t.v->codec_name, t.packets,
                      t.frames, t.keyframes, t.end_us / 1e6);
        assert_true(t.frames > 20);
        check_stream(&t);
        take_remove(&t);
    }
}

// With packets lost for good: less is in the file, but all of it plays, and time goes on to the end.
static void test_loss(void **state)
{
    (void)state;
    struct dice dice = {.state = 2};
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct taker t, whole;
        take_begin(&whole, &vectors[i]);
        take_all(&whole, &dice, 0);
        take_end(&whole);
        take_begin(&t, &vectors[i]);
        take_all(&t, &dice, 2);
        take_end(&t);
        assert_true(t.frames < whole.frames);
        check_stream(&t);
        if (t.v->codec == CODEC_OPUS)
            assert_near(t.end_us / 1e6, whole.end_us / 1e6, 0.2);
        take_remove(&t);
        take_remove(&whole);
    }
}

static void copy_cut(const char *from, const char *to, size_t len)
{
    gchar *data;
    gsize whole;
    assert_true(g_file_get_contents(from, &data, &whole, NULL));
    assert_true(g_file_set_contents(to, data, (gssize)MIN(len, whole), NULL));
    g_free(data);
}

static int repair(const char *path, int64_t *duration_us)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int rc = record_repair(fd, duration_us);
    close(fd);
    return rc;
}

// The writer is killed between two flushes, or in the middle of one: mended, the file plays and says how long it is.
static void test_interrupted(void **state)
{
    (void)state;
    struct dice dice = {.state = 3};
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct taker t;
        take_begin(&t, &vectors[i]);
        t.flush_every = 5;
        take_all(&t, &dice, 0);
        assert_int_equal(record_file_flush(t.file), 0);
        size_t len = (size_t)record_file_bytes(t.file);
        char *cut = g_build_filename(t.dir, "cut", NULL);
        int64_t whole_us = 0, cut_us;
        copy_cut(t.path, cut, len);
        assert_int_equal(repair(cut, &whole_us), 0);
        assert_near(whole_us / 1e6, t.end_us / 1e6, 0.05);
        assert_near(media_number(cut, "format=duration", whole_us / 1e6), whole_us / 1e6, 0.05);
        assert_true(media_decodes(cut));
        for (unsigned n = 0; n < 50; n++) {
            size_t at = dice_below(&dice, (uint32_t)len);
            copy_cut(t.path, cut, at);
            int rc = repair(cut, &cut_us);
            assert_true(rc == 0 ? cut_us <= whole_us : rc == -ENODATA || rc == -EBADMSG);
            if (n == 0 && rc == 0)
                assert_true(media_decodes(cut));
            if (n == 0 && rc == 0)
                assert_near(media_number(cut, "format=duration", cut_us / 1e6), cut_us / 1e6, 0.05);
        }
        g_free(cut);
        take_end(&t);
        check_stream(&t); // of a finished file nothing is cut off
        assert_int_equal(repair(t.path, &cut_us), 0);
        check_stream(&t);
        take_remove(&t);
    }
}

static void on_nothing(void *arg, const struct record_frame *frame)
{
    (void)arg;
    assert_true(frame->len > 0);
}

// Bytes that come from nowhere do no harm.
static void test_random_payloads(void **state)
{
    (void)state;
    static const enum codec codecs[] = {CODEC_OPUS, CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1};
    struct dice dice = {.state = 4};
    for (unsigned i = 0; i < 20000; i++) {
        static struct record_depay *depay;
        enum codec codec = codecs[i / 4000];
        if (i % 4000 == 0)
            depay = record_depay_new(codec, on_nothing, NULL);
        struct rtp rtp = {
            .ts = i / 3, .payload_len = (uint16_t)dice_below(&dice, 40), .marker = dice_chance(&dice, 30)};
        uint8_t *payload = g_malloc(rtp.payload_len + 1u);
        for (unsigned k = 0; k < rtp.payload_len; k++)
            payload[k] = (uint8_t)dice_next(&dice);
        uint8_t *tight = g_memdup2(payload, rtp.payload_len);
        bool red = codec == CODEC_OPUS && dice_chance(&dice, 50);
        if (tight)
            record_depay_rx(depay, red ? CODEC_RED : codec, &rtp, tight, dice_chance(&dice, 1));
        g_free(tight);
        g_free(payload);
        if (i % 4000 == 3999)
            record_depay_free(depay);
    }
}

static void on_count(void *arg, const struct record_frame *frame)
{
    unsigned *count = arg;
    assert_int_equal(frame->ts, *count * 960);
    (*count)++;
}

// RED repeats the packets before: one of them lost is not lost.
static void test_red_fills_in(void **state)
{
    (void)state;
    unsigned got = 0;
    struct record_depay *depay = record_depay_new(CODEC_OPUS, on_count, &got);
    for (uint32_t i = 0; i < 100; i++) {
        // RFC 2198 section 3: one redundant block 960 ticks older, of one octet, then the primary of one octet.
        uint8_t payload[] = {0x80 | 111, 960 >> 6, (uint8_t)(960 << 2), 1, 111, 0x78, 0x78};
        struct rtp rtp = {.ts = i * 960, .payload_len = sizeof(payload)};
        if (i % 3 != 1 || i == 1)
            record_depay_rx(depay, CODEC_RED, &rtp, payload, i % 3 == 2);
    }
    assert_int_equal(got, 100);
    record_depay_free(depay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_files),  cmocka_unit_test(test_loss),
        cmocka_unit_test(test_interrupted),  cmocka_unit_test(test_random_payloads),
        cmocka_unit_test(test_red_fills_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
