// Is every packet of a room accounted for? (whole rooms in virtual time)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/sfu/sim.h"

static uint64_t resent(const struct sim_sender *sender)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < sender->stream_count; i++)
        sum += sender->stream[i].resent;
    return sum;
}

static uint64_t frames_of(const struct sim_sender *sender)
{
    return sender->stream[0].frame;
}

// Everything that was sent was played, nothing else, and nobody had to ask for anything.
static void assert_flawless(const struct sim_receiver *r)
{
    const struct sim_stream *s = &r->from->stream[0];
    assert_int_equal(r->packets, s->packets);
    assert_int_equal(r->frames, s->frame);
    assert_int_equal(r->rtx_packets + r->paddings + r->duplicates + r->undecodable + r->skipped, 0);
    assert_int_equal(r->nacks + r->plis, 0);
    assert_int_equal(r->ts_error_max_us > 1000, 0);
}

// ---- rooms without loss ----------------------------------------------------------------------------------

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct sim *sim = sim_new(1);
    struct sim_peer *peers[4];
    struct sim_sender *camera[4], *microphone[4];
    struct sim_receiver *pictures[4][4], *sound[4][4];
    for (unsigned i = 0; i < 4; i++)
        peers[i] = sim_join(sim, sim_perfect, sim_perfect);
    for (unsigned i = 0; i < 4; i++) {
        camera[i] = sim_publish(peers[i], &sim_camera);
        microphone[i] = sim_publish(peers[i], &sim_microphone);
    }
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 4; j++)
            if (i != j) {
                pictures[i][j] = sim_subscribe(peers[i], camera[j]);
                sound[i][j] = sim_subscribe(peers[i], microphone[j]);
            }
    sim_run(sim, 4 * SIM_SECOND_US);
    for (unsigned i = 0; i < 4; i++) {
        camera[i]->silent = microphone[i]->silent = true;
        assert_in_range(frames_of(camera[i]), 115, 125);
        assert_int_equal(camera[i]->stream[0].plis, camera[i]->stream[0].keyframes - 1);
    }
    sim_run(sim, SIM_SECOND_US);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 4; j++)
            if (i != j) {
                assert_flawless(pictures[i][j]);
                assert_flawless(sound[i][j]);
                assert_true(abs((int)(pictures[i][j]->skew_us - sound[i][j]->skew_us)) < 3000);
                assert_string_equal(pictures[i][j]->cname, sound[i][j]->cname);
                assert_in_range(pictures[i][j]->srs, 3, 7);
                assert_in_range(pictures[i][j]->sub->sendstats.rtt_us, 19000, 22000);
            }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(peers[i]->twcc_missing, 0);
        assert_int_equal(peers[i]->twcc_reported, peers[i]->twcc_out);
        assert_in_range(peers[i]->feedbacks, 30, 100);
        assert_int_equal(peers[i]->rr_lost, 0);
        assert_int_equal(stats_dropped(&peers[i]->stats), 0);
    }
    sim_free(sim);
}

static void numbers_wrap(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_media media = sim_camera;
    media.first_seq = 65500;
    media.first_picture_id = 0x7ff0;
    media.first_ts = (uint32_t) - (5000 * 90000LL + 45000);
    struct sim_sender *camera = sim_publish(alice, &media);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    sim_run(sim, 4 * SIM_SECOND_US);
    camera->silent = true;
    sim_run(sim, SIM_SECOND_US);
    assert_flawless(r);
    sim_free(sim);
}

// The outgoing numbers, not only the incoming ones, pass 65535 while packets are lost.
static void a_long_call_wraps_too(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_shaky);
    struct sim_media media = sim_camera;
    media.packets = 16;
    struct sim_receiver *r = sim_subscribe(bob, sim_publish(alice, &media));
    while (r->sub->timeline.newest.seq < (3 << 16))
        sim_run(sim, SIM_SECOND_US);
    assert_int_equal(r->skipped, 0);
    assert_in_range(r->frames, r->from->stream[0].frame - 30, r->from->stream[0].frame);
    sim_free(sim);
}

static void declared_ssrcs_need_no_mid(void **state)
{
    (void)state;
    struct sim *sim = sim_new(4);
    struct sim_peer *alice = sim_join(sim, sim_shaky, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_media media = sim_camera;
    media.declared = true;
    struct sim_receiver *r = sim_subscribe(bob, sim_publish(alice, &media));
    sim_run(sim, 4 * SIM_SECOND_US);
    assert_in_range(r->frames, 100, 125);
    assert_int_equal(r->skipped, 0);
    assert_int_equal(alice->stats.drops[DROP_UNKNOWN_SSRC], 0);
    sim_free(sim);
}

// ---- loss ------------------------------------------------------------------------------------------------

static void lost_packets_come_again(void **state)
{
    (void)state;
    struct sim *sim = sim_new(5);
    struct sim_peer *peers[3];
    struct sim_receiver *pictures[3][3], *sound[3][3];
    struct sim_sender *camera[3], *microphone[3];
    for (unsigned i = 0; i < 3; i++) {
        peers[i] = sim_join(sim, sim_shaky, sim_shaky);
        camera[i] = sim_publish(peers[i], &sim_camera);
        microphone[i] = sim_publish(peers[i], &sim_microphone);
    }
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 3; j++)
            if (i != j) {
                pictures[i][j] = sim_subscribe(peers[i], camera[j]);
                sound[i][j] = sim_subscribe(peers[i], microphone[j]);
            }
    uint64_t undecodable = 0; // the first packet may be lost: nobody knows to ask for it
    sim_run(sim, SIM_SECOND_US);
    for (unsigned i = 0; i < 9; i++)
        undecodable += i % 4 ? pictures[i / 3][i % 3]->undecodable : 0;
    sim_run(sim, 19 * SIM_SECOND_US);
    for (unsigned i = 0; i < 3; i++)
        camera[i]->silent = microphone[i]->silent = true;
    sim_run(sim, 2 * SIM_SECOND_US);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(resent(camera[i]) > camera[i]->stream[0].packets / 50);
        assert_true(resent(camera[i]) < camera[i]->stream[0].packets / 10);
        for (unsigned j = 0; j < 3; j++) {
            if (i == j)
                continue;
            const struct sim_receiver *r = pictures[i][j];
            assert_int_equal(r->skipped, 0); // all of it came, if late
            undecodable -= r->undecodable;
            assert_true(r->frames + 20 >= frames_of(camera[j])); // but for what was lost before it began
            assert_true(r->rtx_packets > 0);
            assert_true(r->sub->resent_packets < r->packets / 10);
            assert_true(r->delay_max_us < 600000);
            // Sound is not sent again: three in a hundred are lost on each of the two ways.
            assert_in_range(sound[i][j]->frames, frames_of(microphone[j]) * 90 / 100,
                            frames_of(microphone[j]) * 98 / 100);
            assert_true(abs((int)(r->skew_us - sound[i][j]->skew_us)) < 12000);
        }
    }
    assert_int_equal(undecodable, 0);
    sim_free(sim);
}

// What was lost on the way to us is asked of the publisher once, not once per subscriber.
static void a_loss_upstream_is_asked_for_once(void **state)
{
    (void)state;
    struct sim *sim = sim_new(6);
    const struct sim_quality lossy = {.loss_permille = 30, .delay_us = 10000};
    struct sim_peer *alice = sim_join(sim, lossy, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera);
    struct sim_receiver *r[5];
    for (unsigned i = 0; i < 5; i++)
        r[i] = sim_subscribe(sim_join(sim, sim_perfect, sim_perfect), camera);
    sim_run(sim, 10 * SIM_SECOND_US);
    camera->silent = true;
    sim_run(sim, SIM_SECOND_US);
    assert_true(resent(camera) <= alice->up.lost * 3 / 2);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(r[i]->skipped, 0);
        assert_true(r[i]->frames + 3 >= frames_of(camera));
        assert_true(r[i]->sub->resent_packets <= 5);
    }
    sim_free(sim);
}

// A second without any packet: too much to ask for, so a key frame makes a new beginning.
static void a_long_outage_ends_with_a_key_frame(void **state)
{
    (void)state;
    struct sim *sim = sim_new(7);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_media media = sim_camera;
    media.packets = 20;
    struct sim_sender *camera = sim_publish(alice, &media);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    sim_run(sim, 2 * SIM_SECOND_US);
    uint64_t before = camera->stream[0].keyframes;
    alice->up.quality.loss_permille = 1000;
    sim_run(sim, SIM_SECOND_US);
    alice->up.quality.loss_permille = 0;
    sim_run(sim, SIM_SECOND_US);
    assert_int_equal(camera->stream[0].keyframes, before + 1);
    uint64_t frames = r->frames;
    sim_run(sim, SIM_SECOND_US);
    assert_in_range(r->frames - frames, 29, 31);
    sim_free(sim);
}

// ---- coming, going, muting -------------------------------------------------------------------------------

static void who_comes_late_begins_with_a_key_frame(void **state)
{
    (void)state;
    struct sim *sim = sim_new(8);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera);
    struct sim_receiver *first = sim_subscribe(bob, camera);
    sim_run(sim, 3 * SIM_SECOND_US);
    struct sim_peer *carol = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_receiver *late = sim_subscribe(carol, camera);
    int64_t asked_us = sim->now_us;
    while (!late->frames)
        sim_run(sim, SIM_STEP_US);
    assert_true(sim->now_us - asked_us < 250000); // half a round trip, a frame, and what the receiver waits
    sim_run(sim, SIM_SECOND_US);
    assert_int_equal(late->undecodable, 0);
    assert_int_equal(late->keyframes, 1);
    assert_int_equal(late->plis, 0);
    assert_int_equal(first->undecodable + first->skipped, 0);
    sim_free(sim);
}

static void muted_is_silent_at_once_and_closes_the_gap(void **state)
{
    (void)state;
    struct sim *sim = sim_new(9);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera), *microphone = sim_publish(alice, &sim_microphone);
    struct sim_receiver *pictures = sim_subscribe(bob, camera), *sound = sim_subscribe(bob, microphone);
    sim_run(sim, 2 * SIM_SECOND_US);
    track_set_muted(camera->track, true, sim->now_us);
    track_set_muted(microphone->track, true, sim->now_us);
    uint64_t tx = bob->tx_packets, keyframes = camera->stream[0].keyframes;
    sim_run(sim, 3 * SIM_SECOND_US);
    assert_int_equal(bob->tx_packets, tx);
    assert_int_equal(camera->stream[0].keyframes, keyframes);

    track_set_muted(camera->track, false, sim->now_us);
    track_set_muted(microphone->track, false, sim->now_us);
    sim_run(sim, 2 * SIM_SECOND_US);
    assert_int_equal(camera->stream[0].keyframes, keyframes + 1);
    assert_int_equal(pictures->skipped + pictures->undecodable + pictures->nacks, 0);
    assert_int_equal(sound->skipped, 0);
    assert_true(pictures->ts_error_max_us < 1000);
    assert_true(sound->ts_error_max_us < 1000);
    assert_true(abs((int)(pictures->skew_us - sound->skew_us)) < 3000);
    assert_in_range(sound->frames, 195, 205);
    assert_in_range(pictures->frames, 110, 122);
    sim_free(sim);
}

// The page stops sending too while muted, as browsers do when a camera is switched off.
static void muted_and_silent(void **state)
{
    (void)state;
    struct sim *sim = sim_new(10);
    struct sim_peer *alice = sim_join(sim, sim_shaky, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_shaky);
    struct sim_sender *camera = sim_publish(alice, &sim_camera);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    for (unsigned i = 0; i < 5; i++) {
        sim_run(sim, 2 * SIM_SECOND_US);
        track_set_muted(camera->track, true, sim->now_us);
        camera->silent = i & 1;
        sim_run(sim, 4 * SIM_SECOND_US);
        camera->silent = false;
        track_set_muted(camera->track, false, sim->now_us);
    }
    sim_run(sim, 2 * SIM_SECOND_US);
    assert_in_range(r->frames, 320, 365);
    assert_int_equal(r->skipped, 0);
    assert_true(r->ts_error_max_us < 1000);
    sim_free(sim);
}

static void the_publisher_leaves(void **state)
{
    (void)state;
    struct sim *sim = sim_new(11);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera), *other = sim_publish(bob, &sim_camera);
    struct sim_receiver *r = sim_subscribe(bob, camera), *back = sim_subscribe(alice, other);
    sim_run(sim, 2 * SIM_SECOND_US);
    sim_leave(alice);
    assert_null(r->sub->track);
    assert_null(back->sub);
    uint64_t packets = bob->tx_packets;
    sim_run(sim, 2 * SIM_SECOND_US);
    assert_int_equal(bob->tx_packets, packets); // a sub without a track is quiet, and harmless
    sub_resend(r->sub, 1, sim->now_us);
    sub_keyframe(r->sub, sim->now_us);
    sub_set_layer(r->sub, 0, 0, sim->now_us);
    sim_unsubscribe(r);
    sim_free(sim);
}

static void a_reload_goes_on_under_new_ssrcs(void **state)
{
    (void)state;
    struct sim *sim = sim_new(12);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_shaky);
    struct sim_sender *camera = sim_publish(alice, &sim_camera), *microphone = sim_publish(alice, &sim_microphone);
    struct sim_receiver *pictures = sim_subscribe(bob, camera), *sound = sim_subscribe(bob, microphone);
    for (unsigned i = 0; i < 20; i++) {
        sim_run(sim, 2 * SIM_SECOND_US);
        sim_reload(camera);
        sim_reload(microphone);
    }
    sim_run(sim, 2 * SIM_SECOND_US);
    assert_true(pictures->undecodable < 20); // what was lost just before a reload cannot be sent again
    assert_in_range(pictures->frames, 1200, 1270);
    assert_in_range(sound->frames, 1950, 2100);
    assert_true(pictures->ts_error_max_us < 100000); // the time in between can only be guessed
    assert_true(abs((int)(pictures->skew_us - sound->skew_us)) < 12000);
    assert_int_equal(alice->ingress.count, 2); // the old ones are forgotten
    sim_free(sim);
}

static void a_bye_ends_a_layer(void **state)
{
    (void)state;
    struct sim *sim = sim_new(13);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    sim_run(sim, SIM_SECOND_US);
    ingress_bye(&alice->ingress, 4711); // not hers
    assert_true(camera->track->layer[0].bound);
    ingress_bye(&alice->ingress, camera->stream[0].ssrc);
    assert_false(camera->track->layer[0].bound);
    sim_reload(camera);
    sim_run(sim, SIM_SECOND_US);
    assert_in_range(r->frames, 55, 61);
    sim_free(sim);
}

// ---- oddities --------------------------------------------------------------------------------------------

static void probes_leave_no_holes(void **state)
{
    (void)state;
    struct sim *sim = sim_new(17);
    struct sim_peer *alice = sim_join(sim, sim_shaky, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    for (unsigned i = 0; i < 100; i++) {
        sim_run(sim, 100000);
        sim_sender_probe(camera, 0, i & 1, 1 + i % 7);
    }
    camera->silent = true;
    sim_run(sim, SIM_SECOND_US);
    assert_int_equal(r->skipped, 0);
    assert_int_equal(r->undecodable, 0);
    assert_in_range(r->frames, 290, 302);
    assert_in_range(r->paddings, 1, 150); // only where a probe came too late to be left out
    assert_true(alice->twcc_reported + alice->up.lost >= alice->twcc_out);
    sim_free(sim);
}

static void red_goes_through_or_is_taken_off(void **state)
{
    (void)state;
    struct sim *sim = sim_new(18);
    struct sim_media media = sim_microphone;
    media.codec = CODEC_RED;
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_peer *carol = sim_join(sim, sim_perfect, sim_perfect);
    carol->sink.pt[CODEC_RED] = 0;
    struct sim_sender *microphone = sim_publish(alice, &media);
    struct sim_receiver *with = sim_subscribe(bob, microphone), *without = sim_subscribe(carol, microphone);
    sim_run(sim, 2 * SIM_SECOND_US);
    microphone->silent = true;
    sim_run(sim, SIM_SECOND_US);
    assert_flawless(with);
    assert_flawless(without);
    assert_true(without->sub->stats.tx.bytes < with->sub->stats.tx.bytes);
    sim_free(sim);
}

static void levels_reach_the_room(void **state)
{
    (void)state;
    struct sim *sim = sim_new(19);
    struct speaker speaker;
    speaker_init(&speaker);
    struct sim_sender *microphone[2];
    for (unsigned i = 0; i < 2; i++) {
        struct sim_peer *peer = sim_join(sim, sim_perfect, sim_perfect);
        peer->ingress.uplink.speaker = &speaker;
        peer->ingress.uplink.speaker_index = i;
        microphone[i] = sim_publish(peer, &sim_microphone);
    }
    microphone[0]->level_db = 50;
    microphone[1]->level_db = 20;
    int who = SPEAKER_NOBODY;
    unsigned level;
    for (unsigned i = 0; i < 20; i++) {
        sim_run(sim, 100000);
        speaker_due(&speaker, sim->now_us, &who, &level);
    }
    assert_int_equal(who, 1);
    track_set_muted(microphone[1]->track, true, sim->now_us); // shouting into a muted microphone
    speaker_forget(&speaker, 1);
    for (unsigned i = 0; i < 20; i++) {
        sim_run(sim, 100000);
        speaker_due(&speaker, sim->now_us, &who, &level);
    }
    assert_int_equal(who, 0);
    sim_free(sim);
}

static void a_receiver_that_comes_back_needs_a_key_frame(void **state)
{
    (void)state;
    struct sim *sim = sim_new(20);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_receiver *r = sim_subscribe(bob, sim_publish(alice, &sim_camera));
    sim_run(sim, SIM_SECOND_US);
    bob->sink.ready = false;
    sim_run(sim, 2 * SIM_SECOND_US);
    bob->sink.ready = true;
    sim_run(sim, SIM_SECOND_US);
    sub_set_paused(r->sub, true, sim->now_us);
    sim_run(sim, 2 * SIM_SECOND_US);
    sub_set_paused(r->sub, false, sim->now_us);
    sim_run(sim, SIM_SECOND_US);
    assert_int_equal(r->skipped + r->undecodable + r->nacks, 0);
    assert_int_equal(r->keyframes, 3);
    assert_in_range(r->frames, 80, 91);
    assert_true(r->ts_error_max_us < 1000);
    sim_free(sim);
}

static void fir_where_there_is_no_pli(void **state)
{
    (void)state;
    struct sim *sim = sim_new(21);
    struct sim_peer *alice = sim_join(sim, sim_perfect, sim_perfect), *bob = sim_join(sim, sim_perfect, sim_perfect);
    struct sim_sender *camera = sim_publish(alice, &sim_camera);
    camera->track->pli = false;
    camera->track->fir = true;
    sim_run(sim, SIM_SECOND_US);
    struct sim_receiver *r = sim_subscribe(bob, camera);
    sim_run(sim, SIM_SECOND_US);
    assert_int_equal(camera->stream[0].firs, 1);
    assert_int_equal(camera->stream[0].plis, 0);
    assert_true(r->frames > 20);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(numbers_wrap),
        cmocka_unit_test(a_long_call_wraps_too),
        cmocka_unit_test(declared_ssrcs_need_no_mid),
        cmocka_unit_test(lost_packets_come_again),
        cmocka_unit_test(a_loss_upstream_is_asked_for_once),
        cmocka_unit_test(a_long_outage_ends_with_a_key_frame),
        cmocka_unit_test(who_comes_late_begins_with_a_key_frame),
        cmocka_unit_test(muted_is_silent_at_once_and_closes_the_gap),
        cmocka_unit_test(muted_and_silent),
        cmocka_unit_test(the_publisher_leaves),
        cmocka_unit_test(a_reload_goes_on_under_new_ssrcs),
        cmocka_unit_test(a_bye_ends_a_layer),
        cmocka_unit_test(probes_leave_no_holes),
        cmocka_unit_test(red_goes_through_or_is_taken_off),
        cmocka_unit_test(levels_reach_the_room),
        cmocka_unit_test(a_receiver_that_comes_back_needs_a_key_frame),
        cmocka_unit_test(fir_where_there_is_no_pli),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
