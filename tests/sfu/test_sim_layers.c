// Does everybody get the layer they chose, whatever happens? (whole rooms in virtual time)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/sfu/sim.h"

static void check_simulcast(bool high_first, struct sim_quality up, struct sim_quality down)
{
    struct sim *sim = sim_new(14);
    struct sim_peer *alice = sim_join(sim, up, sim_perfect);
    struct sim_media media = sim_simulcast;
    media.high_first = high_first;
    struct sim_sender *camera = sim_publish(alice, &media), *microphone = sim_publish(alice, &sim_microphone);
    struct sim_peer *bob = sim_join(sim, sim_perfect, down);
    struct sim_receiver *r = sim_subscribe(bob, camera), *sound = sim_subscribe(bob, microphone);
    unsigned index[3] = {high_first ? 2 : 0, 1, high_first ? 0 : 2}; // stream by size
    sim_run(sim, 3 * SIM_SECOND_US);
    for (unsigned i = 0; i < 12; i++) {
        static const int order[] = {0, 1, 2, 0, 2, 1};
        int wanted = order[i % 6];
        sub_set_layer(r->sub, wanted, -1, sim->now_us);
        sim_run(sim, 400000); // it switches within this
        uint64_t before[3], frames = r->frames;
        for (unsigned j = 0; j < 3; j++)
            before[j] = r->per_layer[j];
        sim_run(sim, 2 * SIM_SECOND_US);
        assert_int_equal(layers_current(&r->sub->layers), wanted);
        assert_true(r->per_layer[index[wanted]] - before[index[wanted]] > 50);
        assert_true(r->frames - frames > 50);
        for (unsigned j = 0; j < 3 && !down.loss_permille; j++)
            assert_true(j == index[wanted] || r->per_layer[j] == before[j]);
        assert_true(abs((int)(r->skew_us - sound->skew_us)) < 12000);
    }
    assert_int_equal(r->skipped, 0);
    assert_int_equal(r->undecodable, 0);
    assert_true(r->ts_error_max_us < 150000); // before the first sender report it can only be guessed
    sim_free(sim);
}

static void simulcast_switches_at_key_frames(void **state)
{
    (void)state;
    check_simulcast(false, sim_perfect, sim_perfect);
    check_simulcast(false, sim_shaky, sim_shaky);
}

static void rids_may_come_in_any_order(void **state)
{
    (void)state;
    check_simulcast(true, sim_perfect, sim_perfect);
    check_simulcast(true, sim_shaky, sim_shaky);
}

static void a_layer_that_stops_is_replaced(void **state)
{
    (void)state;
    struct sim *sim = sim_new(15);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_simulcast);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    sim_run(sim, 2 * SIM_SECOND_US);
    assert_int_equal(layers_current(&r->sub->layers), 2);
    camera->stream[2].off = true; // the encoder gives up its largest picture, short of CPU
    sim_run(sim, 3 * SIM_SECOND_US);
    assert_int_equal(layers_current(&r->sub->layers), 1);
    assert_true(r->per_layer[1] > 40);
    camera->stream[2].off = false;
    camera->stream[2].keyframe = true;
    sim_run(sim, SIM_SECOND_US);
    assert_int_equal(layers_current(&r->sub->layers), 2);
    assert_int_equal(r->undecodable + r->skipped, 0);
    sim_free(sim);
}

static void temporal_layers_are_left_out_without_holes(void **state)
{
    (void)state;
    struct sim *sim = sim_new(16);
    struct sim_peer *alice = sim_join(sim, sim_shaky, sim_perfect);
    struct sim_media media = sim_camera;
    media.temporal = 3;
    struct sim_sender *camera = sim_publish(alice, &media);
    struct sim_receiver *r[3];
    for (unsigned i = 0; i < 3; i++) {
        r[i] = sim_subscribe(sim_join(sim, sim_perfect, i ? sim_shaky : sim_perfect), camera);
        sub_set_layer(r[i]->sub, -1, (int)i, sim->now_us);
    }
    uint64_t undecodable[3]; // what was lost before the first packet came nobody can ask for
    sim_run(sim, SIM_SECOND_US);
    for (unsigned i = 0; i < 3; i++)
        undecodable[i] = r[i]->undecodable;
    sim_run(sim, 9 * SIM_SECOND_US);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(r[i]->skipped, 0);
        assert_int_equal(r[i]->undecodable, undecodable[i]);
        for (unsigned t = 0; t < 3; t++)
            assert_int_equal(r[i]->per_temporal[t] > 0, t <= i);
    }
    assert_in_range(r[0]->frames, 65, 80);
    assert_in_range(r[1]->frames, 135, 155);
    assert_in_range(r[2]->frames, 280, 305);
    for (unsigned i = 0; i < 20; i++) { // up and down while packets are lost
        sub_set_layer(r[1]->sub, -1, (int)(i % 3), sim->now_us);
        sim_run(sim, 700000);
    }
    assert_int_equal(r[1]->skipped, 0);
    assert_int_equal(r[1]->undecodable, undecodable[1]);
    sim_free(sim);
}

// ---- everything at once ----------------------------------------------------------------------------------

static void disturb(struct sim *sim, struct sim_sender *camera, struct sim_receiver *r)
{
    switch (dice_below(&sim->dice, 10)) {
    case 0:
        track_set_muted(camera->track, !camera->track->muted, sim->now_us);
        break;
    case 1:
        camera->silent = !camera->silent;
        break;
    case 2:
        sim_reload(camera);
        break;
    case 3:
        sub_set_paused(r->sub, !r->sub->paused, sim->now_us);
        break;
    case 4:
        r->peer->sink.ready = !r->peer->sink.ready;
        break;
    case 5:
        camera->stream[dice_below(&sim->dice, 3)].off ^= true;
        break;
    case 6:
        sim_sender_probe(camera, dice_below(&sim->dice, 3), dice_chance(&sim->dice, 50), 5);
        break;
    default:
        sub_set_layer(r->sub, (int)dice_below(&sim->dice, 4) - 1, (int)dice_below(&sim->dice, 4) - 1, sim->now_us);
        break;
    }
}

// Whatever happened, when it is over the picture comes back and stays; the receiver has checked every packet.
static void check_chaos(uint64_t seed)
{
    struct sim *sim = sim_new(seed);
    struct sim_peer *alice = sim_join(sim, sim_shaky, sim_shaky), *bob = sim_join(sim, sim_shaky, sim_shaky);
    struct sim_sender *camera = sim_publish(alice, &sim_simulcast);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    for (unsigned i = 0; i < 60; i++) {
        sim_run(sim, 1000 * (1 + dice_below(&sim->dice, 500)));
        disturb(sim, camera, r);
    }
    alice->up.quality = bob->up.quality = bob->down.quality = sim_perfect;
    track_set_muted(camera->track, false, sim->now_us);
    sub_set_paused(r->sub, false, sim->now_us);
    sub_set_layer(r->sub, -1, -1, sim->now_us);
    camera->silent = camera->stream[0].off = camera->stream[1].off = camera->stream[2].off = false;
    bob->sink.ready = true;
    sim_run(sim, 4 * SIM_SECOND_US);
    uint64_t frames = r->frames, undecodable = r->undecodable, skipped = r->skipped;
    sim_run(sim, 2 * SIM_SECOND_US);
    assert_in_range(r->frames - frames, 58, 62);
    assert_int_equal(r->undecodable, undecodable);
    assert_int_equal(r->skipped, skipped);
    assert_int_equal(layers_current(&r->sub->layers), 2);
    sim_free(sim);
}

static void order_comes_back_after_chaos(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 120; seed++)
        check_chaos(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulcast_switches_at_key_frames),
        cmocka_unit_test(rids_may_come_in_any_order),
        cmocka_unit_test(a_layer_that_stops_is_replaced),
        cmocka_unit_test(temporal_layers_are_left_out_without_holes),
        cmocka_unit_test(order_comes_back_after_chaos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
