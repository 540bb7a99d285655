// Does the server know how busy its media threads are, and notice one that stands still? (signaling/load.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/rig.h"

static struct sfu_event said(const char *text)
{
    return (struct sfu_event){.type = SFU_LOAD_DATA, .text = text};
}

static void test_workers_are_asked_and_heard(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct load *load = &rig->hub->load;
    rig_pass(rig, 2);
    assert_int_equal(load->worker_count, 1);
    assert_int_equal(load->workers[0].rx_packets, 7);
    assert_int_equal(load->reason_count, 1);
    assert_string_equal(load->reasons[0], "muted");
    assert_int_equal(load->drops[0][0], 2);
    assert_true(rig->hub->counters.sfu_events >= 2);
    rig_free(rig);
}

static void test_silence_is_noticed_and_forgiven(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    rig_pass(rig, 2);
    fake_sfu_hold(rig->sfu, true);
    rig_pass(rig, LOAD_STUCK_S - 2);
    assert_false(load_is_stuck(&rig->hub->load, rig->hub->now_us));
    rig_pass(rig, 3);
    assert_true(load_is_stuck(&rig->hub->load, rig->hub->now_us));
    fake_sfu_hold(rig->sfu, false);
    rig_pass(rig, 2);
    assert_false(load_is_stuck(&rig->hub->load, rig->hub->now_us));
    rig_free(rig);
}

static void test_busy_is_a_share_of_the_time_between(void **state)
{
    (void)state;
    struct load load = {.worker_count = 1};
    struct sfu_event event = said("worker=0 cpu_us=1000000");
    load_rx(&load, &event, 1000000);
    assert_true(load.workers[0].busy == 0);
    event = said("worker=0 cpu_us=1250000");
    load_rx(&load, &event, 2000000);
    assert_true(load.workers[0].busy == 0.25);
    event = said("worker=0 cpu_us=9250000"); // clocks are not that exact
    load_rx(&load, &event, 3000000);
    assert_true(load.workers[0].busy == 1.0);
}

static void test_bounds(void **state)
{
    (void)state;
    struct load load = {.worker_count = 1};
    struct sfu_event event = said("worker=0");
    event.peer = 1; // no such worker
    load_rx(&load, &event, 5);
    assert_int_equal(load.workers[1].answered_us, 0);
    GString *text = g_string_new("worker=0");
    for (int i = 0; i < LOAD_DROPS_MAX + 10; i++)
        g_string_append_printf(text, " drop_%d=1", i);
    g_string_append(text, " drop_a_reason_with_a_name_that_is_much_too_long=1");
    event = said(text->str);
    load_rx(&load, &event, 5);
    assert_int_equal(load.reason_count, LOAD_DROPS_MAX);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers_are_asked_and_heard),
        cmocka_unit_test(test_silence_is_noticed_and_forgiven),
        cmocka_unit_test(test_busy_is_a_share_of_the_time_between),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
