// Is the media server's account of a room read in full, within bounds, and told in numbers? (signaling/stats.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/stats.h"

static const char TWO_PEERS[] =
    "peer=11 state=connected rtt_us=20500 nacks_tx=3 plis_tx=1 firs_tx=1 nacks_rx=2 plis_rx=4 firs_rx=0 "
    "remb_bps=900000 "
    "rx_packets=100 rx_bytes=90000 tx_packets=50 tx_bytes=40000 drop_bad_rtcp=1 drop_unknown_ssrc=2\n"
    "publisher=11 mid=1 source=camera muted=0\n"
    "layer=0 rid=q spatial=0 ssrc=1000 bps=150000 expected=200 received=190 jitter_us=1500 asked=12 recovered=9 "
    "given_up=1 "
    "keyframes=2 keyframe_asks=3 rx_packets=190 rx_bytes=9 tx_packets=0 tx_bytes=0 drop_muted=5\n"
    "layer=1 rid=h spatial=1 ssrc=1001 bps=500000 expected=400 received=400 jitter_us=0 keyframes=1\n"
    "publisher=11 mid=0 source=microphone muted=1\n"
    "peer=12 state=connecting rtt_us=0\n"
    "subscriber=12 publisher=11 source=camera ssrc=7 paused=0 spatial=1 temporal=2 bps=480000 lost=-3 "
    "fraction_lost=64 "
    "jitter_us=2000 rtt_us=30000 nacks=5 resent=4 keyframe_asks=1 tx_packets=10 tx_bytes=11000 drop_other_layer=6\n";

static const char *name_of(void *arg, uint64_t peer)
{
    (void)arg;
    return peer == 11 ? "ana" : NULL;
}

static void test_everything_is_read(void **state)
{
    (void)state;
    struct stats_room *room = stats_read(TWO_PEERS, NULL, 5);
    assert_int_equal(room->measured_us, 5);
    assert_int_equal(room->peers->len, 2);
    const struct stats_peer *a = stats_find_peer(room, 11), *b = stats_find_peer(room, 12);
    assert_string_equal(a->state, "connected");
    assert_int_equal(a->rtt_us, 20500);
    assert_int_equal(a->dropped, 3);
    assert_int_equal(a->track_count, 2);
    assert_int_equal(a->tracks[0].layer_count, 2);
    assert_string_equal(a->tracks[0].layers[1].rid, "h");
    assert_int_equal(a->tracks[0].layers[0].dropped, 5);
    assert_true(a->tracks[0].layers[0].loss_percent == 5.0);
    assert_int_equal(a->tracks[1].muted, 1);
    assert_int_equal(a->tracks[1].layer_count, 0);
    assert_int_equal(b->received->len, 1);
    assert_null(stats_find_peer(room, 13));
    stats_room_free(room);
}

static void test_it_is_told_in_numbers(void **state)
{
    (void)state;
    struct stats_room *room = stats_read(TWO_PEERS, NULL, 0);
    json_t *a = stats_peer_json(stats_find_peer(room, 11), name_of, NULL);
    json_t *b = stats_peer_json(stats_find_peer(room, 12), name_of, NULL);
    assert_true(json_number_value(json_object_get(a, "rttMs")) == 20.5);
    assert_int_equal(json_integer_value(json_object_get(a, "keyframeRequestsSent")), 2);
    const json_t *camera = json_array_get(json_object_get(a, "published"), 0);
    assert_int_equal(json_integer_value(json_object_get(camera, "bitrateBps")), 650000);
    const json_t *layer = json_array_get(json_object_get(camera, "layers"), 0);
    assert_int_equal(json_integer_value(json_object_get(layer, "packetsLost")), 10);
    assert_true(json_number_value(json_object_get(layer, "jitterMs")) == 1.5);
    const json_t *received = json_array_get(json_object_get(b, "received"), 0);
    assert_string_equal(json_string_value(json_object_get(received, "userId")), "ana");
    assert_true(json_number_value(json_object_get(received, "lossPercent")) == 25.0);
    assert_int_equal(json_integer_value(json_object_get(received, "packetsLost")), -3); // duplicates (RFC 3550 6.4.1)
    assert_int_equal(json_integer_value(json_object_get(received, "packetsDropped")), 6);
    json_decref(a);
    json_decref(b);
    stats_room_free(room);
}

static void test_loss_is_of_the_last_interval(void **state)
{
    (void)state;
    static const char text[] =
        "peer=1\npublisher=1 mid=0 source=camera muted=0\nlayer=0 ssrc=5 expected=%d received=%d\n";
    static const struct {
        int expected, received;
        double percent;
    } rounds[] = {{100, 50, 50.0}, {200, 150, 0.0}, {300, 240, 10.0}, {10, 5, 50.0}, {10, 5, 0.0}, {20, 30, 0.0}};
    struct stats_room *before = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rounds); i++) {
        char *said = g_strdup_printf(text, rounds[i].expected, rounds[i].received);
        struct stats_room *now = stats_read(said, before, 0);
        assert_true(stats_find_peer(now, 1)->tracks[0].layers[0].loss_percent == rounds[i].percent);
        stats_room_free(before);
        before = now;
        g_free(said);
    }
    stats_room_free(before);
}

static void test_bounds(void **state)
{
    (void)state;
    GString *text = g_string_new("layer=0 ssrc=1\nsubscriber=1 publisher=2\npublisher=9 mid=x\n"); // of nobody
    for (int i = 0; i < STATS_PEERS_MAX + 5; i++)
        g_string_append_printf(text, "peer=%d\n", i + 1);
    for (int i = 0; i < SFU_TRACKS_MAX + 2; i++)
        g_string_append_printf(text, "publisher=1 mid=%0200d\nlayer=0\nlayer=1\nlayer=2\nlayer=3\nlayer=4\n", i);
    struct stats_room *room = stats_read(text->str, NULL, 0);
    assert_int_equal(room->peers->len, STATS_PEERS_MAX);
    stats_room_free(room);
    g_string_assign(text, "peer=1\n");
    for (int i = 0; i < SFU_TRACKS_MAX + 2; i++)
        g_string_append_printf(text, "publisher=1 mid=%0200d\nlayer=0\nlayer=1\nlayer=2\nlayer=3\nlayer=4\n", i);
    for (int i = 0; i < STATS_RECEIVED_MAX + 5; i++)
        g_string_append(text, "subscriber=1 publisher=2\n");
    room = stats_read(text->str, NULL, 0);
    const struct stats_peer *peer = stats_find_peer(room, 1);
    assert_int_equal(peer->track_count, SFU_TRACKS_MAX);
    assert_int_equal(peer->tracks[0].layer_count, STATS_LAYERS_MAX);
    assert_int_equal(strlen(peer->tracks[0].mid), STATS_WORD_MAX - 1);
    assert_int_equal(peer->received->len, STATS_RECEIVED_MAX);
    stats_room_free(room);
    g_string_free(text, TRUE);
}

static void test_odd_texts(void **state)
{
    (void)state;
    static const char *const odd[] = {"",
                                      "\n",
                                      "\n\n",
                                      " ",
                                      "=",
                                      "==\n=",
                                      "peer",
                                      "peer=",
                                      "peer=x y z=",
                                      "peer=1 =5 a= b",
                                      "peer=99999999999999999999999 rtt_us=-99999999999999999999999",
                                      "unknown=1 a=b"};
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        struct stats_room *room = stats_read(odd[i], NULL, 0);
        assert_true(room->peers->len <= 1);
        stats_room_free(room);
    }
}

static void test_pairs(void **state)
{
    (void)state;
    const char *text = "a=1  b=two c d=\n\ne=x=y";
    struct pairs pairs;
    assert_true(pairs_line(&pairs, &text));
    assert_true(pairs_next(&pairs) && strcmp(pairs.key, "a") == 0 && strcmp(pairs.value, "1") == 0);
    assert_true(pairs_next(&pairs) && strcmp(pairs.key, "b") == 0 && strcmp(pairs.value, "two") == 0);
    assert_true(pairs_next(&pairs) && strcmp(pairs.key, "d") == 0 && strcmp(pairs.value, "") == 0);
    assert_false(pairs_next(&pairs));
    assert_true(pairs_line(&pairs, &text) && !pairs_next(&pairs));
    assert_true(pairs_line(&pairs, &text) && pairs_next(&pairs) && strcmp(pairs.value, "x=y") == 0);
    assert_false(pairs_line(&pairs, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_read),
        cmocka_unit_test(test_it_is_told_in_numbers),
        cmocka_unit_test(test_loss_is_of_the_last_interval),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_odd_texts),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
