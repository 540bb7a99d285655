// Does a subscriber get the layer it may have, whole pictures, and no more? (rtp/layers.h)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtp/layers.h"

static struct layers l;

static int begin_simulcast(void **state)
{
    (void)state;
    layers_init(&l, false);
    layers_set_alive(&l, 7);
    return 0;
}

static int begin_svc(void **state)
{
    (void)state;
    layers_init(&l, true);
    return 0;
}

enum what { MIDDLE = 0, START = 1, KEY = 2 | START, SYNC = 4 | START, END = 8, MARKER = 16, ALONE = START | END };

static enum layers_verdict rx_layer(unsigned spatial, unsigned sid, unsigned temporal, uint64_t seq, int what)
{
    struct codec_info info = {
        .keyframe = (what & KEY) == KEY,
        .start_of_frame = what & START,
        .end_of_frame = what & END,
        .spatial = (uint8_t)sid,
        .temporal = (uint8_t)temporal,
        .layers = dd_layers_from(sid, temporal),
    };
    if (info.keyframe)
        info.switch_up = 0xff;
    else if ((what & SYNC) == SYNC)
        info.switch_up = (uint8_t)(1U << temporal);
    return layers_rx(&l, spatial, seq, what & MARKER, &info);
}

// A packet of the simulcast layer `spatial`.
static enum layers_verdict rx(unsigned spatial, unsigned temporal, uint64_t seq, int what)
{
    return rx_layer(spatial, 0, temporal, seq, what);
}

// A packet of the SVC stream.
static enum layers_verdict svc(unsigned sid, unsigned temporal, uint64_t seq, int what)
{
    return rx_layer(0, sid, temporal, seq, what);
}

// ---- simulcast ---------------------------------------------------------------------------------------------------

static void waits_for_a_key_frame(void **state)
{
    (void)state;
    assert_int_equal(layers_current(&l), LAYERS_NONE);
    assert_int_equal(layers_wants_keyframe(&l), 2);
    assert_int_equal(rx(2, 0, 10, START), LAYERS_IGNORE);
    assert_int_equal(rx(2, 0, 11, KEY), LAYERS_SWITCH);
    assert_int_equal(rx(2, 0, 12, END), LAYERS_FORWARD);
    assert_int_equal(layers_current(&l), 2);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
    assert_int_equal(rx(0, 0, 500, KEY), LAYERS_IGNORE);
    assert_int_equal(rx(2, 0, 9, MIDDLE), LAYERS_DROP); // of before
}

static void any_picture_is_better_than_none(void **state)
{
    (void)state;
    assert_int_equal(rx(0, 0, 10, KEY), LAYERS_SWITCH);
    assert_int_equal(layers_wants_keyframe(&l), 2);
    assert_int_equal(rx(0, 0, 11, START), LAYERS_FORWARD);
    assert_int_equal(rx(1, 0, 700, KEY), LAYERS_IGNORE); // halfway is no help now
    assert_int_equal(rx(2, 0, 900, KEY), LAYERS_SWITCH);
    assert_int_equal(rx(0, 0, 12, START), LAYERS_IGNORE);
}

static void never_more_than_wanted(void **state)
{
    (void)state;
    layers_want(&l, 1, 7);
    assert_int_equal(rx(2, 0, 10, KEY), LAYERS_IGNORE);
    assert_int_equal(rx(1, 0, 10, KEY), LAYERS_SWITCH);
    assert_int_equal(rx(2, 0, 11, KEY), LAYERS_IGNORE);
}

static void goes_down_at_a_key_frame(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    layers_want(&l, 0, 7);
    assert_int_equal(layers_wants_keyframe(&l), 0);
    assert_int_equal(rx(0, 0, 500, START), LAYERS_IGNORE);
    assert_int_equal(rx(2, 0, 11, START), LAYERS_FORWARD); // so long the picture goes on
    assert_int_equal(rx(0, 0, 501, KEY), LAYERS_SWITCH);
    assert_int_equal(rx(2, 0, 13, START), LAYERS_IGNORE);
}

static void late_packets_of_the_last_layer_still_pass(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    rx(2, 0, 14, MIDDLE);
    layers_want(&l, 0, 7);
    rx(0, 0, 501, KEY);
    assert_int_equal(rx(2, 0, 12, MIDDLE), LAYERS_FORWARD);
    assert_int_equal(rx(2, 0, 15, MIDDLE), LAYERS_IGNORE);
    assert_int_equal(rx(2, 0, 9, MIDDLE), LAYERS_DROP);
    assert_int_equal(rx(1, 0, 12, MIDDLE), LAYERS_IGNORE);
}

static void a_dead_layer_is_replaced(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    layers_set_alive(&l, 3);
    assert_int_equal(layers_wants_keyframe(&l), 1);
    assert_int_equal(rx(1, 0, 300, KEY), LAYERS_SWITCH);
    layers_set_alive(&l, 4); // only what is more than it had
    assert_int_equal(layers_wants_keyframe(&l), 2);
    layers_set_alive(&l, 0);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE); // whom to ask?
    assert_int_equal(layers_current(&l), 1);
    assert_int_equal(rx(1, 0, 301, START), LAYERS_FORWARD);
    layers_set_alive(&l, 7);
    assert_int_equal(layers_wants_keyframe(&l), 2);
}

static void only_a_larger_layer_lives(void **state)
{
    (void)state;
    layers_want(&l, 0, 7);
    layers_set_alive(&l, 6);
    assert_int_equal(layers_wants_keyframe(&l), 1);
    assert_int_equal(rx(2, 0, 10, KEY), LAYERS_IGNORE);
    assert_int_equal(rx(1, 0, 10, KEY), LAYERS_SWITCH);
}

static void begins_before_anything_is_known_to_live(void **state)
{
    (void)state;
    layers_set_alive(&l, 0);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
    assert_int_equal(rx(1, 0, 10, KEY), LAYERS_SWITCH);
}

static void none_is_none(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    layers_want(&l, LAYERS_NONE, 7);
    assert_int_equal(rx(2, 0, 11, START), LAYERS_IGNORE);
    assert_int_equal(rx(2, 0, 12, KEY), LAYERS_IGNORE);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
    layers_want(&l, LAYERS_HIGHEST, 7);
    assert_int_equal(rx(2, 0, 13, START), LAYERS_IGNORE);
    assert_int_equal(layers_wants_keyframe(&l), 2);
    assert_int_equal(rx(2, 0, 14, KEY), LAYERS_SWITCH);
}

static void a_restart_waits_for_a_key_frame(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    layers_restart(&l);
    assert_int_equal(rx(2, 0, 11, START), LAYERS_IGNORE);
    assert_int_equal(layers_wants_keyframe(&l), 2);
    assert_int_equal(rx(2, 0, 12, KEY), LAYERS_SWITCH);
    layers_want(&l, 0, 7);
    assert_int_equal(rx(0, 0, 500, KEY), LAYERS_SWITCH);
    layers_restart(&l);
    assert_int_equal(rx(2, 0, 12, MIDDLE), LAYERS_IGNORE); // nothing of before either
}

static void wishes_out_of_range_are_cut(void **state)
{
    (void)state;
    layers_want(&l, 99, 99);
    assert_int_equal(rx(2, 6, 10, KEY), LAYERS_SWITCH);
    assert_int_equal(rx(2, 7, 11, START), LAYERS_FORWARD);
    layers_want(&l, -5, 0);
    assert_int_equal(layers_current(&l), LAYERS_NONE);
}

// ---- temporal ----------------------------------------------------------------------------------------------------

static void temporal_layers_are_left_at_a_picture(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    assert_int_equal(rx(2, 2, 11, START), LAYERS_FORWARD);
    layers_want(&l, 2, 1);
    assert_int_equal(rx(2, 2, 12, END), LAYERS_FORWARD); // the rest of the picture
    assert_int_equal(rx(2, 2, 14, START), LAYERS_DROP_PICTURE);
    assert_int_equal(rx(2, 2, 15, END), LAYERS_DROP_PICTURE);
    assert_int_equal(rx(2, 1, 16, START), LAYERS_FORWARD);
    assert_int_equal(rx(2, 2, 13, MIDDLE), LAYERS_FORWARD); // late, of the old picture
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
}

static void a_late_packet_changes_nothing(void **state)
{
    (void)state;
    rx(2, 0, 10, KEY);
    assert_int_equal(rx(2, 2, 14, START), LAYERS_FORWARD);
    layers_want(&l, 2, 0);
    assert_int_equal(rx(2, 1, 12, START), LAYERS_FORWARD);
    assert_int_equal(rx(2, 2, 15, END), LAYERS_FORWARD);
    assert_int_equal(rx(2, 1, 16, START), LAYERS_DROP_PICTURE);
}

static void temporal_layers_are_added_where_allowed(void **state)
{
    (void)state;
    layers_want(&l, 2, 0);
    rx(2, 0, 10, KEY);
    assert_int_equal(rx(2, 1, 11, SYNC), LAYERS_DROP_PICTURE);
    layers_want(&l, 2, 7);
    assert_int_equal(rx(2, 1, 12, START), LAYERS_DROP_PICTURE);
    assert_int_equal(rx(2, 2, 13, SYNC), LAYERS_DROP_PICTURE); // one step at a time
    assert_int_equal(rx(2, 1, 14, SYNC), LAYERS_FORWARD);
    assert_int_equal(rx(2, 1, 15, MIDDLE), LAYERS_FORWARD);
    assert_int_equal(rx(2, 2, 16, START), LAYERS_DROP_PICTURE);
    assert_int_equal(rx(2, 2, 18, SYNC), LAYERS_FORWARD);
    assert_int_equal(rx(2, 2, 17, END), LAYERS_DROP_PICTURE); // late, of the old picture
}

static void a_key_frame_adds_all_temporal_layers(void **state)
{
    (void)state;
    layers_want(&l, 2, 0);
    rx(2, 0, 10, KEY);
    layers_want(&l, 2, 2);
    assert_int_equal(rx(2, 0, 11, KEY), LAYERS_FORWARD);
    assert_int_equal(rx(2, 2, 12, START), LAYERS_FORWARD);
    assert_int_equal(rx(2, 3, 13, START), LAYERS_DROP_PICTURE);
}

// ---- SVC ---------------------------------------------------------------------------------------------------------

static void svc_begins_with_all_wanted_layers(void **state)
{
    (void)state;
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_HIGHEST);
    assert_int_equal(svc(0, 0, 9, ALONE), LAYERS_IGNORE);
    assert_int_equal(svc(0, 0, 10, KEY | END), LAYERS_SWITCH);
    assert_int_equal(svc(1, 0, 11, ALONE), LAYERS_FORWARD);
    assert_int_equal(svc(2, 0, 12, ALONE | MARKER), LAYERS_FORWARD);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
}

static void svc_marks_the_end_of_what_is_kept(void **state)
{
    (void)state;
    layers_want(&l, 1, 7);
    assert_int_equal(svc(0, 0, 10, KEY | END), LAYERS_SWITCH);
    assert_int_equal(svc(1, 0, 11, START), LAYERS_FORWARD);
    assert_int_equal(svc(1, 0, 12, END), LAYERS_FORWARD_MARKER);
    assert_int_equal(svc(2, 0, 13, ALONE | MARKER), LAYERS_DROP);
    assert_int_equal(svc(0, 0, 14, ALONE | MARKER), LAYERS_FORWARD); // a picture of one layer: marked already
    layers_restart(&l);
    layers_want(&l, 0, 7);
    assert_int_equal(svc(0, 0, 20, KEY | END), LAYERS_SWITCH_MARKER);
}

static void svc_goes_down_at_a_picture(void **state)
{
    (void)state;
    svc(0, 0, 10, KEY | END);
    svc(1, 0, 11, START);
    layers_want(&l, 0, 7);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
    assert_int_equal(svc(1, 0, 12, END), LAYERS_FORWARD);
    assert_int_equal(svc(2, 0, 13, ALONE | MARKER), LAYERS_FORWARD);
    assert_int_equal(svc(0, 0, 15, ALONE), LAYERS_FORWARD_MARKER);
    assert_int_equal(svc(1, 0, 16, ALONE), LAYERS_DROP);
    assert_int_equal(svc(2, 0, 14, END), LAYERS_FORWARD); // late, of the old picture
}

static void svc_goes_up_at_a_key_frame(void **state)
{
    (void)state;
    layers_want(&l, 0, 7);
    svc(0, 0, 10, KEY | END);
    layers_want(&l, 2, 7);
    assert_int_equal(layers_wants_keyframe(&l), 2);
    assert_int_equal(svc(0, 0, 11, ALONE), LAYERS_FORWARD_MARKER);
    assert_int_equal(svc(1, 0, 12, ALONE), LAYERS_DROP);
    assert_int_equal(svc(0, 0, 13, KEY | END), LAYERS_FORWARD);
    assert_int_equal(svc(1, 0, 14, ALONE), LAYERS_FORWARD);
    assert_int_equal(svc(2, 0, 15, ALONE), LAYERS_FORWARD_MARKER);
    assert_int_equal(svc(1, 0, 12, ALONE), LAYERS_DROP); // late, of the old picture
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
}

static void svc_never_switches_its_only_stream(void **state)
{
    (void)state;
    svc(0, 0, 10, KEY | END);
    layers_want(&l, 0, 7);
    assert_int_equal(svc(0, 0, 11, KEY | END), LAYERS_FORWARD_MARKER);
    layers_want(&l, LAYERS_NONE, 7);
    assert_int_equal(svc(0, 0, 12, KEY | END), LAYERS_IGNORE);
    assert_int_equal(layers_wants_keyframe(&l), LAYERS_NONE);
}

static void svc_drops_pictures_and_parts(void **state)
{
    (void)state;
    layers_want(&l, 1, 0);
    svc(0, 0, 10, KEY | END);
    assert_int_equal(svc(2, 0, 11, ALONE), LAYERS_DROP);
    assert_int_equal(svc(0, 1, 12, ALONE), LAYERS_DROP_PICTURE);
    assert_int_equal(svc(1, 1, 13, ALONE), LAYERS_DROP_PICTURE);
    assert_int_equal(svc(2, 1, 14, ALONE), LAYERS_DROP_PICTURE);
}

static void svc_changes_between_pictures_only(void **state)
{
    (void)state;
    svc(0, 0, 10, KEY | END);
    layers_want(&l, 0, 0);
    assert_int_equal(svc(1, 0, 11, START), LAYERS_FORWARD); // a frame begins, but not a picture
    assert_int_equal(svc(0, 1, 12, START), LAYERS_DROP_PICTURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_for_a_key_frame, begin_simulcast),
        cmocka_unit_test_setup(any_picture_is_better_than_none, begin_simulcast),
        cmocka_unit_test_setup(never_more_than_wanted, begin_simulcast),
        cmocka_unit_test_setup(goes_down_at_a_key_frame, begin_simulcast),
        cmocka_unit_test_setup(late_packets_of_the_last_layer_still_pass, begin_simulcast),
        cmocka_unit_test_setup(a_dead_layer_is_replaced, begin_simulcast),
        cmocka_unit_test_setup(only_a_larger_layer_lives, begin_simulcast),
        cmocka_unit_test_setup(begins_before_anything_is_known_to_live, begin_simulcast),
        cmocka_unit_test_setup(none_is_none, begin_simulcast),
        cmocka_unit_test_setup(a_restart_waits_for_a_key_frame, begin_simulcast),
        cmocka_unit_test_setup(wishes_out_of_range_are_cut, begin_simulcast),
        cmocka_unit_test_setup(temporal_layers_are_left_at_a_picture, begin_simulcast),
        cmocka_unit_test_setup(a_late_packet_changes_nothing, begin_simulcast),
        cmocka_unit_test_setup(temporal_layers_are_added_where_allowed, begin_simulcast),
        cmocka_unit_test_setup(a_key_frame_adds_all_temporal_layers, begin_simulcast),
        cmocka_unit_test_setup(svc_begins_with_all_wanted_layers, begin_svc),
        cmocka_unit_test_setup(svc_marks_the_end_of_what_is_kept, begin_svc),
        cmocka_unit_test_setup(svc_goes_down_at_a_picture, begin_svc),
        cmocka_unit_test_setup(svc_goes_up_at_a_key_frame, begin_svc),
        cmocka_unit_test_setup(svc_never_switches_its_only_stream, begin_svc),
        cmocka_unit_test_setup(svc_drops_pictures_and_parts, begin_svc),
        cmocka_unit_test_setup(svc_changes_between_pictures_only, begin_svc),
    };
    return cmocka_run_group_tests_name("rtp/layers", tests, NULL, NULL);
}
