// Do the tracks of a room stay together for an hour, whatever their clocks do? (sfu/record_clock.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/param.h>

#include "rtp/ntp.h"
#include "sfu/record_clock.h"
#include "tests/rtp/dice.h"

enum {
    SECOND_US = 1000000,
    SETTLED_US = 10 * SECOND_US, // until then publishers are not yet measured
};

// A track of a publisher whose clocks run at their own pace.
struct source {
    struct dice *dice;
    struct record_wall *wall;
    struct record_clock clock;
    uint32_t clock_hz, first_ts;
    int64_t frame_us, encode_us; // between two frames; from sampling to sending
    int64_t report_us;           // between two reports
    int64_t wall_offset_us;      // the publisher's wall clock minus true time
    int wall_ppm, sampling_ppm;  // how fast its wall clock and its sampling clock run
    int64_t delay_us, jitter_us; // network
    int64_t next_frame_us, next_report_us;
    int64_t error_us; // of the last frame: what the recording says minus the truth
};

static int64_t paced(int64_t us, int ppm)
{
    return us + us / SECOND_US * ppm;
}

static int64_t arrival_us(struct source *s, int64_t sent_us)
{
    return sent_us + s->delay_us + (s->jitter_us ? dice_below(s->dice, (uint32_t)s->jitter_us) : 0);
}

static uint32_t ts_at(const struct source *s, int64_t true_us)
{
    return s->first_ts + (uint32_t)ntp_us_to_ts(paced(true_us, s->sampling_ppm), s->clock_hz);
}

static void send_frame(struct source *s, int64_t true_us)
{
    uint32_t ts = ts_at(s, true_us);
    record_clock_rx(&s->clock, ts, arrival_us(s, true_us + s->encode_us));
    s->error_us = record_clock_us(&s->clock, s->wall, ts) - true_us;
}

static void send_report(struct source *s, int64_t true_us)
{
    int64_t wall_us = INT64_C(1700000000000000) + s->wall_offset_us + paced(true_us, s->wall_ppm);
    int64_t rtt_us = 2 * s->delay_us + (s->jitter_us ? dice_below(s->dice, (uint32_t)s->jitter_us) : 0);
    record_wall_rx(s->wall, wall_us, arrival_us(s, true_us), rtt_us);
    record_clock_sr(&s->clock, ts_at(s, true_us), wall_us);
}

static void run_until(struct source *s, int64_t true_us)
{
    while (s->next_frame_us <= true_us || s->next_report_us <= true_us) {
        if (s->next_report_us < s->next_frame_us) {
            send_report(s, s->next_report_us);
            s->next_report_us += s->report_us;
        } else {
            send_frame(s, s->next_frame_us);
            s->next_frame_us += s->frame_us;
        }
    }
}

static void publish(struct source *s, struct dice *dice, struct record_wall *wall, bool video)
{
    s->dice = dice;
    s->wall = wall;
    s->clock_hz = video ? 90000 : 48000;
    s->first_ts = dice_below(dice, UINT32_MAX);
    s->frame_us = video ? 33333 : 20000;
    s->encode_us = video ? 8000 : 20000;
    s->report_us = video ? SECOND_US : 5 * SECOND_US;
    s->next_report_us = s->report_us / 2;
    record_clock_init(&s->clock, s->clock_hz, video ? 0 : 20000);
}

static void test_an_hour_of_drift(void **state)
{
    (void)state;
    struct dice dice = {.state = 7};
    struct record_wall walls[3] = {0};
    struct source sources[6] = {0};
    static const struct {
        int64_t offset_us, delay_us, jitter_us;
        int wall_ppm, audio_ppm, video_ppm;
    } publishers[3] = {
        {0, 10000, 5000, 0, 80, 0},
        {-3600000000, 40000, 30000, 100, 30, 100},
        {86400000000, 70000, 60000, -100, -150, -100},
    };
    for (unsigned i = 0; i < 6; i++) {
        struct source *s = &sources[i];
        s->wall_offset_us = publishers[i / 2].offset_us;
        s->delay_us = publishers[i / 2].delay_us;
        s->jitter_us = publishers[i / 2].jitter_us;
        s->wall_ppm = publishers[i / 2].wall_ppm;
        s->sampling_ppm = i % 2 ? publishers[i / 2].video_ppm : publishers[i / 2].audio_ppm;
        publish(s, &dice, &walls[i / 2], i % 2);
    }
    int64_t apart_us = 0, lips_us = 0;
    for (int64_t now_us = SECOND_US; now_us < INT64_C(3600) * SECOND_US; now_us += 100000) {
        for (unsigned i = 0; i < 6; i++)
            run_until(&sources[i], now_us);
        for (unsigned i = 0; i < 6; i += 2)
            lips_us = MAX(lips_us, llabs(sources[i].error_us - sources[i + 1].error_us));
        for (unsigned i = 0; i < 36 && now_us > SETTLED_US; i++)
            apart_us = MAX(apart_us, llabs(sources[i / 6].error_us - sources[i % 6].error_us));
    }
    print_message("one publisher's tracks: at most %d us apart; all tracks, once reports have come: %d us\n",
                  (int)lips_us, (int)apart_us);
    assert_true(lips_us <= 40000);
    assert_true(apart_us <= 40000);
}

// The publisher's clock is set an hour forward, then two hours back: its tracks move by nothing that can be seen.
static void test_wall_clock_is_set(void **state)
{
    (void)state;
    struct dice dice = {.state = 3};
    struct record_wall wall = {0};
    struct source s = {.delay_us = 30000, .jitter_us = 10000};
    publish(&s, &dice, &wall, true);
    run_until(&s, 60 * SECOND_US);
    int64_t before_us = s.error_us;
    static const int64_t settings_us[] = {INT64_C(3600) * SECOND_US, INT64_C(-7200) * SECOND_US};
    int64_t now_us = 60 * SECOND_US;
    for (unsigned i = 0; i < 2; i++) {
        s.wall_offset_us += settings_us[i];
        now_us += 60 * SECOND_US;
        run_until(&s, now_us);
        assert_true(llabs(s.error_us - before_us) < 20000);
    }
}

// Muted for a minute, timestamps running on: time runs on as well.
static void test_after_a_pause(void **state)
{
    (void)state;
    struct dice dice = {.state = 5};
    struct record_wall wall = {0};
    struct source s = {.delay_us = 20000, .sampling_ppm = 100};
    publish(&s, &dice, &wall, false);
    run_until(&s, 10 * SECOND_US);
    s.next_frame_us += 60 * SECOND_US;
    run_until(&s, 71 * SECOND_US);
    assert_true(llabs(s.error_us) < 10000);
}

// Time never runs backwards, and timestamps may wrap at any frame.
static void test_never_backwards(void **state)
{
    (void)state;
    struct dice dice = {.state = 11};
    struct record_wall wall = {0};
    struct record_clock clock;
    record_clock_init(&clock, 48000, 20000);
    uint32_t ts = UINT32_MAX - 48000;
    int64_t last_us = INT64_MIN;
    for (int64_t now_us = 0; now_us < 60 * SECOND_US; now_us += 20000) {
        record_clock_rx(&clock, ts, now_us);
        if (dice_below(&dice, 20) == 0) { // reports that lie
            record_wall_rx(&wall, now_us + dice_below(&dice, 5000000), now_us, dice_below(&dice, 100000));
            record_clock_sr(&clock, ts, now_us + dice_below(&dice, 5000000));
        }
        int64_t at_us = record_clock_us(&clock, &wall, ts);
        assert_true(at_us >= last_us);
        last_us = at_us;
        ts += 960;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_hour_of_drift),
        cmocka_unit_test(test_wall_clock_is_set),
        cmocka_unit_test(test_after_a_pause),
        cmocka_unit_test(test_never_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
