// Does the room look at who speaks, soon but not nervously? (rtp/speaker.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rtp/speaker.h"

enum { MS = 1000, QUIET = 127, VOICE = 35, LOUD = 20, PACKET_MS = 20, LOOK_MS = 60, PEOPLE = 3 };

static struct speaker s;
static int64_t now_us;
static int speaking; // as told so far
static unsigned speaking_level;
static int changes;

static int begin(void **state)
{
    (void)state;
    speaker_init(&s);
    now_us = 5000 * MS;
    speaking = SPEAKER_NOBODY;
    changes = 0;
    return 0;
}

static void look(void)
{
    int index;
    unsigned level;
    if (!speaker_due(&s, now_us, &index, &level))
        return;
    assert_int_not_equal(index, speaking);
    speaking = index;
    speaking_level = level;
    changes++;
}

// Three people at these levels for so long; above 127: sends nothing.
static void talk(int duration_ms, unsigned a, unsigned b, unsigned c)
{
    const unsigned level[PEOPLE] = {a, b, c};
    for (int ms = 0; ms < duration_ms; ms += PACKET_MS) {
        for (unsigned i = 0; i < PEOPLE; i++)
            if (level[i] <= 127)
                speaker_rx(&s, i, level[i], level[i] < 60, now_us);
        now_us += PACKET_MS * MS;
        if (now_us / MS % LOOK_MS == 0)
            look();
    }
}

static void silence_is_nobody(void **state)
{
    (void)state;
    talk(5000, QUIET, 80, 65);
    assert_int_equal(speaking, SPEAKER_NOBODY);
    assert_int_equal(changes, 0);
}

static void the_first_voice_is_found_at_once(void **state)
{
    (void)state;
    talk(1000, QUIET, QUIET, QUIET);
    talk(500, QUIET, VOICE, QUIET);
    assert_int_equal(speaking, 1);
    assert_in_range(speaking_level, VOICE, SPEAKER_FLOOR);
    assert_int_equal(changes, 1);
}

static void a_cough_changes_nothing(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    talk(200, VOICE, LOUD, QUIET);
    talk(1000, VOICE, QUIET, QUIET);
    assert_int_equal(speaking, 0);
    assert_int_equal(changes, 1);
}

static void who_stays_louder_takes_over(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    talk(300, VOICE, LOUD, QUIET);
    assert_int_equal(speaking, 0);
    talk(400, VOICE, LOUD, QUIET);
    assert_int_equal(speaking, 1);
    assert_int_equal(changes, 2);
}

static void equals_do_not_flicker(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    for (int n = 0; n < 50; n++) {
        talk(100, VOICE, VOICE + 2, QUIET);
        talk(100, VOICE + 2, VOICE, QUIET);
    }
    assert_int_equal(speaking, 0);
    assert_int_equal(changes, 1);
}

static void a_little_louder_is_not_enough(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    talk(3000, VOICE, VOICE - SPEAKER_MARGIN + 1, QUIET);
    assert_int_equal(speaking, 0);
    talk(3000, VOICE, VOICE - SPEAKER_MARGIN - 2, QUIET);
    assert_int_equal(speaking, 1);
}

static void quick_to_rise_slow_to_fall(void **state)
{
    (void)state;
    talk(200, VOICE, QUIET, QUIET);
    assert_in_range(s.voice[0].loudness_q8 / 256, SPEAKER_SILENCE - VOICE - 10, SPEAKER_SILENCE - VOICE);
    talk(60, QUIET, QUIET, QUIET);
    assert_in_range(s.voice[0].loudness_q8 / 256, SPEAKER_SILENCE - VOICE - 25, SPEAKER_SILENCE - VOICE);
    talk(2000, QUIET, QUIET, QUIET);
    assert_in_range(s.voice[0].loudness_q8 / 256, 0, 5);
}

static void a_conversation_is_followed(void **state)
{
    (void)state;
    for (int n = 0; n < 10; n++) {
        talk(3000, VOICE, QUIET, QUIET);
        assert_int_equal(speaking, 0);
        talk(3000, QUIET, QUIET, VOICE);
        assert_int_equal(speaking, 2);
    }
    assert_int_equal(changes, 20);
}

static void a_breath_keeps_the_word(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    for (int n = 0; n < 10; n++) {
        talk(1200, QUIET, QUIET, QUIET);
        talk(600, VOICE, QUIET, QUIET);
    }
    assert_int_equal(changes, 1);
}

static void long_silence_ends_it(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    talk(4000, QUIET, QUIET, QUIET);
    assert_int_equal(speaking, SPEAKER_NOBODY);
    assert_int_equal(speaking_level, SPEAKER_SILENCE);
    assert_int_equal(changes, 2);
    talk(500, VOICE, QUIET, QUIET);
    assert_int_equal(speaking, 0);
}

static void who_sends_nothing_is_silent(void **state)
{
    (void)state;
    talk(1000, LOUD, QUIET, QUIET);
    talk(1500, 128, VOICE, QUIET); // gone in the middle of a word
    assert_int_equal(speaking, 1);
    talk(4000, 128, 128, 128);
    assert_int_equal(speaking, SPEAKER_NOBODY);
}

static void noise_without_voice_does_not_count(void **state)
{
    (void)state;
    for (int ms = 0; ms < 3000; ms += PACKET_MS) {
        speaker_rx(&s, 0, LOUD, false, now_us);
        now_us += PACKET_MS * MS;
        look();
    }
    assert_int_equal(changes, 0);
}

static void leaving_frees_the_word(void **state)
{
    (void)state;
    talk(1000, LOUD, QUIET, QUIET);
    speaker_forget(&s, 0);
    look();
    assert_int_equal(speaking, SPEAKER_NOBODY);
    talk(500, QUIET, VOICE, QUIET);
    assert_int_equal(speaking, 1);
    speaker_forget(&s, 2); // someone else: nothing to tell
    look();
    assert_int_equal(changes, 3);
}

static void a_challenger_may_leave(void **state)
{
    (void)state;
    talk(1000, VOICE, QUIET, QUIET);
    talk(300, VOICE, LOUD, QUIET);
    speaker_forget(&s, 1);
    talk(1000, VOICE, 128, QUIET);
    assert_int_equal(changes, 1);
}

static void bad_indexes_and_levels_are_ignored(void **state)
{
    (void)state;
    for (int ms = 0; ms < 1000; ms += PACKET_MS) {
        speaker_rx(&s, SPEAKER_MAX, LOUD, true, now_us);
        speaker_rx(&s, UINT32_MAX, LOUD, true, now_us);
        speaker_rx(&s, 3, 200, true, now_us);
        now_us += PACKET_MS * MS;
        look();
    }
    speaker_forget(&s, SPEAKER_MAX);
    assert_int_equal(changes, 0);
}

// Ten times the packets say the same as one: time counts, not packets.
static void packet_size_does_not_matter(void **state)
{
    (void)state;
    struct speaker fine = s;
    for (int ms = 0; ms < 200; ms += 10)
        speaker_rx(&fine, 0, VOICE, true, now_us + ms * MS);
    for (int ms = 0; ms < 200; ms += 60)
        speaker_rx(&s, 0, VOICE, true, now_us + ms * MS);
    int32_t difference = fine.voice[0].loudness_q8 - s.voice[0].loudness_q8;
    assert_in_range(difference + 8 * 256, 0, 16 * 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silence_is_nobody, begin),
        cmocka_unit_test_setup(the_first_voice_is_found_at_once, begin),
        cmocka_unit_test_setup(a_cough_changes_nothing, begin),
        cmocka_unit_test_setup(who_stays_louder_takes_over, begin),
        cmocka_unit_test_setup(equals_do_not_flicker, begin),
        cmocka_unit_test_setup(a_little_louder_is_not_enough, begin),
        cmocka_unit_test_setup(quick_to_rise_slow_to_fall, begin),
        cmocka_unit_test_setup(a_conversation_is_followed, begin),
        cmocka_unit_test_setup(a_breath_keeps_the_word, begin),
        cmocka_unit_test_setup(long_silence_ends_it, begin),
        cmocka_unit_test_setup(who_sends_nothing_is_silent, begin),
        cmocka_unit_test_setup(noise_without_voice_does_not_count, begin),
        cmocka_unit_test_setup(leaving_frees_the_word, begin),
        cmocka_unit_test_setup(a_challenger_may_leave, begin),
        cmocka_unit_test_setup(bad_indexes_and_levels_are_ignored, begin),
        cmocka_unit_test_setup(packet_size_does_not_matter, begin),
    };
    return cmocka_run_group_tests_name("rtp/speaker", tests, NULL, NULL);
}
