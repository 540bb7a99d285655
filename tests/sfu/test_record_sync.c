// Are sound and picture of one person still together after ten minutes, whatever their clocks do?
// SPDX-License-Identifier: MIT
//
// Lips: a frame and the sound of the same moment, sampled by clocks that drift apart, sent over a line that delays
// each packet as it likes, with or without loss; found again in the files by their number. The real writer thread;
// time is made up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sfu/command.h"
#include "sfu/now.h"
#include "sfu/record.h"
#include "tests/sfu/record_rig.h"

enum {
    MINUTES = 10,
    END_US = MINUTES * 60 * RIG_SECOND_US,
    APART_US = 60000, // what lips may be apart
    FRAME_US = 20000, // of sound
    SEED = 4711,      // of delays and losses: a failure can be had again
    DELAY_US = 30000,
    JITTER_US = 60000,              // of a packet
    REPORT_US = RIG_SECOND_US,      // between two sender reports
    WALL_US = 1234 * RIG_SECOND_US, // their wall clock minus ours
    MOMENTS = 5,
};

// One track and its sampling clock.
struct lips {
    struct rig_feed feed;
    int64_t ppm; // of its clock, too fast
    unsigned loss_percent;
    int64_t report_us;
    int64_t at_us; // arrival of the last packet: a line does not change their order here
};

// The clock says `media_us`: what is the time?
static int64_t truth_us(const struct lips *l, int64_t media_us)
{
    return l->feed.start_us + media_us - media_us * l->ppm / 1000000;
}

static int64_t media_us_of(const struct lips *l)
{
    return (int64_t)l->feed.turn * l->feed.loop->period_us + l->feed.loop->packet[l->feed.next].at_us;
}

static void put_report(struct lips *l, int64_t now_us)
{
    const struct rig_loop *loop = l->feed.loop;
    int64_t media_us = now_us - l->feed.start_us;
    media_us += media_us * l->ppm / 1000000;
    struct record_item item = {.kind = RECORD_REPORT,
                               .track = l->feed.track,
                               .at_us = now_us + DELAY_US + g_random_int_range(0, JITTER_US),
                               .ts = loop->first_ts + (uint32_t)ntp_us_to_ts(media_us, codec_clock_hz(loop->codec)),
                               .wall_us = now_us + WALL_US,
                               .rtt_us = 2 * DELAY_US};
    record_queue_put(l->feed.queue, &item, NULL, 0);
}

// A queue that is full is the writer's time to catch up: time here runs much faster.
static void put_packet(struct lips *l, int64_t at_us)
{
    uint64_t refused = l->feed.refused;
    for (rig_put(&l->feed, at_us); l->feed.refused > refused; rig_put(&l->feed, at_us)) {
        refused = l->feed.refused;
        g_usleep(2000);
    }
}

static void speak(struct lips *l, int64_t now_us)
{
    for (; truth_us(l, media_us_of(l)) <= now_us;) {
        int64_t sent_us = truth_us(l, media_us_of(l));
        l->at_us = MAX(l->at_us, sent_us + DELAY_US + g_random_int_range(0, JITTER_US));
        if ((unsigned)g_random_int_range(0, 100) >= l->loss_percent)
            put_packet(l, l->at_us);
        if (++l->feed.next == l->feed.loop->count) {
            l->feed.next = 0;
            l->feed.turn++;
        }
    }
    if (now_us < l->report_us)
        return;
    l->report_us = now_us + REPORT_US;
    put_report(l, now_us);
}

static char *record(unsigned loss_percent, int64_t epoch_us)
{
    char err[256], *dir = media_dir();
    struct mailbox events;
    g_random_set_seed(SEED);
    mailbox_init(&events, NULL, NULL);
    struct recorder_config cfg = {.dir = dir, .events = &events};
    struct recorder *recorder = recorder_new(&cfg, err, sizeof(err));
    struct record_queue *queue = record_queue_new(recorder_inbox(recorder));
    struct lips sound = {.ppm = 150, .loss_percent = loss_percent}, picture = {.ppm = -150};
    rig_begin(queue, "one", epoch_us);
    rig_begin_track(&sound.feed, queue, 0, 11, "ana", SFU_MICROPHONE, opus, epoch_us + 100000);
    rig_begin_track(&picture.feed, queue, 1, 11, "ana", SFU_CAMERA, vp8, epoch_us + 100000);
    for (int64_t now_us = epoch_us; now_us < epoch_us + END_US; now_us += 20000) {
        speak(&sound, now_us);
        speak(&picture, now_us);
        record_queue_flush(queue, now_us + DELAY_US + JITTER_US);
    }
    rig_end(queue, epoch_us + END_US + RIG_SECOND_US);
    recorder_free(recorder);
    for (struct mail *mail = mailbox_take(&events), *next; mail; mail = next) {
        next = mail->next;
        sfu_event_free(event_of_mail(mail));
    }
    mailbox_close(&events);
    return dir;
}

// ---- what is in the files ----------------------------------------------------------------------------------------

// The time of each frame since the recording began; NULL where there is no ffprobe.
static GArray *frame_times(const char *dir, const json_t *file)
{
    char *path = g_build_filename(dir, "one", rig_text(file, "file"), NULL);
    char *text = media_probe(path, "packet=pts_time");
    GArray *times = text ? g_array_new(FALSE, FALSE, sizeof(double)) : NULL;
    char **lines = g_strsplit(text ? text : "", "\n", -1);
    for (char **line = lines; *line && **line && times; line++) {
        double at = rig_number(file, "start") + g_ascii_strtod(*line, NULL);
        g_array_append_val(times, at);
    }
    g_strfreev(lines);
    g_free(text);
    g_free(path);
    return times;
}

// Sampling times by the clock of the track: of every frame of the loop, over and over.
static double media_time(const struct rig_loop *loop, size_t n)
{
    size_t frames = 0;
    int64_t at_us[RIG_PACKETS_MAX];
    for (unsigned i = 0; i < loop->count; i++)
        if (i == 0 || loop->packet[i].at_us != loop->packet[i - 1].at_us)
            at_us[frames++] = loop->packet[i].at_us;
    return ((double)(n / frames) * (double)loop->period_us + (double)at_us[n % frames]) / RIG_SECOND_US;
}

static double error_at(const GArray *times, const struct rig_loop *loop, double ppm, double moment)
{
    size_t n = 0;
    while (n + 1 < times->len && media_time(loop, n) < moment)
        n++;
    double truth = 0.1 + media_time(loop, n) * (1 - ppm / 1e6);
    return g_array_index(times, double, n) - truth;
}

static void test_lips(void **state)
{
    (void)state;
    char *dir = record(0, 5000 * (int64_t)RIG_SECOND_US);
    json_t *m = rig_manifest(dir, "one");
    assert_int_equal(rig_file_count(m), 2);
    bool is_first_sound = strcmp(rig_text(rig_file(m, 0), "kind"), "audio") == 0;
    GArray *sound = frame_times(dir, rig_file(m, is_first_sound ? 0 : 1));
    GArray *picture = frame_times(dir, rig_file(m, is_first_sound ? 1 : 0));
    static const double moments[MOMENTS] = {0, 1, 10, 120, MINUTES * 60 - 2};
    for (unsigned i = 0; sound && picture && i < MOMENTS; i++) {
        double heard = error_at(sound, opus, 150, moments[i]), seen = error_at(picture, vp8, -150, moments[i]);
        print_message("after %3.0f s: sound %+.1f ms, picture %+.1f ms, apart %+.1f ms\n", moments[i], heard * 1e3,
                      seen * 1e3, (heard - seen) * 1e3);
        // Until the first report nothing but arrival ties the two together, a frame of sound after it began.
        double most = (moments[i] < 1 ? JITTER_US + FRAME_US : APART_US) / 1e6;
        if (heard - seen > most || heard - seen < -most)
            fail_msg("after %f s they are %f s apart", moments[i], heard - seen);
    }
    for (size_t i = 0; i < 2; i++)
        rig_near(rig_number(rig_file(m, i), "start") + rig_number(rig_file(m, i), "duration"), MINUTES * 60, 0.2);
    if (sound)
        g_array_unref(sound);
    if (picture)
        g_array_unref(picture);
    json_decref(m);
    media_remove(dir);
}

// Sound that lost every twentieth packet is as long as what was said, and says how much is missing.
static void test_lossy_sound(void **state)
{
    (void)state;
    char *dir = record(5, 5000 * (int64_t)RIG_SECOND_US);
    json_t *m = rig_manifest(dir, "one");
    for (size_t i = 0; i < 2; i++) {
        const json_t *file = rig_file(m, i);
        rig_near(rig_number(file, "start") + rig_number(file, "duration"), MINUTES * 60, 0.2);
        if (strcmp(rig_text(file, "kind"), "audio") != 0)
            continue;
        double lost = rig_number(file, "packets_lost"), sent = rig_number(file, "frames") + lost;
        assert_true(lost > 0.03 * sent && lost < 0.07 * sent);
        rig_near(rig_number(file, "missing"), lost * 0.02, 1);
        rig_check_file(dir, "one", file);
    }
    json_decref(m);
    media_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lips), cmocka_unit_test(test_lossy_sound)};
    return cmocka_run_group_tests(tests, rig_load_loops, rig_free_loops);
}
