// Does a file give back the frames it took, each with a time of its own? (sfu/record_file.c)
// SPDX-License-Identifier: MIT
#include "sfu/record_file.h"

#include <fcntl.h>
#include <libavformat/avformat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/sfu/media_check.h"

enum { FRAME_US = 20000, FRAME_LEN = 12, WALL_S = 1700000000 };

struct shelf {
    char *dir;
    int fd;
    struct record_file *file;
    uint8_t count; // frames put
};

static int begin(void **state)
{
    struct shelf *s = g_new0(struct shelf, 1);
    const struct record_frame first = {.keyframe = true};
    s->dir = media_dir();
    s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = s;
    return record_file_new(s->fd, "sound.webm", CODEC_OPUS, &first, WALL_S * INT64_C(1000000), &s->file);
}

static int end(void **state)
{
    struct shelf *s = *state;
    close(s->fd);
    media_remove(s->dir);
    g_free(s);
    return 0;
}

// Opus (RFC 6716 section 3.1: one frame of 20 ms); the bytes behind the TOC say which frame it is.
static void put(struct shelf *s, int64_t at_us)
{
    uint8_t data[FRAME_LEN] = {0xf8};
    memset(data + 1, s->count++, sizeof(data) - 1);
    const struct record_frame frame = {.data = data, .len = sizeof(data), .keyframe = true};
    assert_int_equal(record_file_put(s->file, &frame, at_us, FRAME_US), 0);
}

// Everything that was put is there, in that order, at these milliseconds.
static void expect(struct shelf *s, const int64_t *at_ms, unsigned count)
{
    AVFormatContext *input = NULL;
    char *path = g_build_filename(s->dir, "sound.webm", NULL);
    AVPacket *packet = av_packet_alloc();
    assert_int_equal(record_file_free(s->file), 0);
    assert_int_equal(avformat_open_input(&input, path, NULL, NULL), 0);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(av_read_frame(input, packet), 0);
        assert_int_equal(packet->size, FRAME_LEN);
        assert_int_equal(packet->data[1], i);
        assert_int_equal(av_rescale_q(packet->pts, input->streams[0]->time_base, (AVRational){1, 1000}), at_ms[i]);
        av_packet_unref(packet);
    }
    assert_int_equal(av_read_frame(input, packet), AVERROR_EOF);
    av_packet_free(&packet);
    avformat_close_input(&input);
    g_free(path);
}

static void test_in_order(void **state)
{
    struct shelf *s = *state;
    for (int64_t i = 0; i < 5; i++)
        put(s, i * FRAME_US);
    expect(s, (const int64_t[]){0, 20, 40, 60, 80}, 5);
}

// A browser's packets may carry one RTP timestamp twice, or fall into one millisecond.
static void test_one_instant(void **state)
{
    struct shelf *s = *state;
    put(s, 0);
    put(s, 20000);
    put(s, 20000);
    put(s, 20400);
    put(s, 40000);
    expect(s, (const int64_t[]){0, 20, 21, 22, 40}, 5);
}

static void test_a_crowd_pushes_the_next(void **state)
{
    struct shelf *s = *state;
    for (unsigned i = 0; i < 4; i++)
        put(s, 0);
    put(s, 2000);
    put(s, 20000);
    expect(s, (const int64_t[]){0, 1, 2, 3, 4, 20}, 6);
}

static void test_across_a_flush(void **state)
{
    struct shelf *s = *state;
    put(s, 0);
    put(s, FRAME_US);
    assert_true(record_file_is_dirty(s->file));
    int64_t before = record_file_bytes(s->file);
    assert_int_equal(record_file_flush(s->file), 0);
    assert_false(record_file_is_dirty(s->file));
    assert_true(record_file_bytes(s->file) > before);
    put(s, FRAME_US);
    put(s, 2 * FRAME_US);
    expect(s, (const int64_t[]){0, 20, 21, 40}, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order, begin, end),
        cmocka_unit_test_setup_teardown(test_one_instant, begin, end),
        cmocka_unit_test_setup_teardown(test_a_crowd_pushes_the_next, begin, end),
        cmocka_unit_test_setup_teardown(test_across_a_flush, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
