// Does a participant's side in the media server follow what page and media server say?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/commands.h"
#include "tests/signaling/rig.h"

#define OFFER(session_id) "{\"sdp\":\"v=0\\r\\no=- " session_id " 2 IN IP4 127.0.0.1\\r\\n\"}"

static struct rig *one(struct client **ana)
{
    struct rig *rig = rig_new(NULL);
    *ana = client_new(rig, NULL);
    client_join(*ana, "ana", NULL);
    client_clear(*ana);
    expect_command(rig, "join 1 2 ana");
    return rig;
}

static void say(struct rig *rig, struct sfu_event event)
{
    fake_sfu_say(rig->sfu, &event);
    rig_turn(rig);
}

// Offers of all of its RTCPeerConnections go to one peer: the media server knows them apart, and only it knows
// whether they are acceptable.
static void test_new_connection(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = one(&ana);
    bob = client_new(rig, NULL);
    client_join(bob, "bob", NULL);
    client_clear(bob);
    client_ask(ana, "signal-offer", OFFER("77"));
    client_ask(ana, "signal-offer", OFFER("78"));
    client_ask_badly(ana, "signal-offer", "{\"sdp\":\"o=- 999 junk\"}", "bad-sdp");
    expect_command(rig, "offer 1 2");
    expect_command(rig, "offer 1 2");
    expect_command(rig, "offer 1 2");
    assert_int_equal(g_queue_get_length(&bob->inbox), 0);
    rig_free(rig);
}

// A locked participant calls its camera a screen.
static void test_lock_holds_by_any_name(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = one(&ana);
    bob = client_new(rig, NULL);
    client_join(bob, "bob", NULL);
    client_ask(bob, "signal-offer", OFFER("5"));
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\",\"kind\":\"video\",\"locked\":true}");
    expect_command(rig, "mute 1 3 camera on");
    expect_command(rig, "mute 1 3 screen on");
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\",\"locked\":true}");
    expect_command(rig, "mute 1 3 microphone on");
    expect_command(rig, "mute 1 3 screen-audio on");
    rig_free(rig);
}

// The media server gave up: the participant stays, is told, and its next offer starts anew.
static void test_media_failed(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = one(&ana);
    bob = client_new(rig, NULL);
    client_join(bob, "bob", NULL);
    client_clear(bob);
    fake_sfu_hold(rig->sfu, true);
    client_say(ana, "{\"event\":\"offer\",\"id\":5,\"data\":{\"sdp\":\"v=0\"}}");
    fake_sfu_hold(rig->sfu, false);
    say(rig, (struct sfu_event){.type = SFU_GONE, .room = 1, .peer = 2, .reason = SFU_MEDIA_FAILED});
    assert_string_equal(text_of(client_wait(ana, "error"), "code"), "internal");
    assert_int_equal(json_array_size(json_object_get(client_wait(ana, "tracks"), "tracks")), 0);
    assert_string_equal(text_of(client_wait(ana, "media-state"), "state"), "failed");
    assert_int_equal(g_queue_get_length(&bob->inbox), 0);
    client_ask_badly(ana, "signal-answer", "{\"sdp\":\"v=0\"}", "bad-sdp");
    client_ask_badly(ana, "ice", "{\"candidate\":\"candidate:1\"}", "not-found");
    client_ask(ana, "media-update", "{\"isMuted\":true}");
    client_ask(bob, "select-layer", "{\"userId\":\"ana\",\"source\":\"camera\"}");
    client_ask(ana, "signal-offer", "{\"sdp\":\"v=0\"}");
    expect_command(rig, "join 1 4 ana");
    expect_command(rig, "mute 1 4 microphone on");
    sfu_leave(rig->sfu, 1, 2); // what the fake still holds
    rig_free(rig);
}

static void test_states(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, NULL, "connected", "disconnected", "failed"};
    struct client *ana;
    struct rig *rig = one(&ana);
    for (int i = 0; i < 5; i++) {
        say(rig, (struct sfu_event){.type = SFU_STATE, .room = 1, .peer = 2, .state = (enum sfu_state)i});
        if (names[i])
            assert_string_equal(text_of(client_wait(ana, "media-state"), "state"), names[i]);
        assert_int_equal(g_queue_get_length(&ana->inbox), 0);
    }
    rig_free(rig);
}

static void test_tracks(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = one(&ana);
    bob = client_new(rig, NULL);
    client_ask(bob, "join-room", "{\"roomId\":\"r\",\"userId\":\"bob\",\"name\":\"Bob B.\"}");
    const struct sfu_track tracks[] = {
        {.mid = "0", .user = "bob", .publisher = 3, .source = SFU_MICROPHONE},
        {.mid = "1", .user = "bob", .publisher = 3, .source = SFU_CAMERA, .video = true},
        {.mid = "2", .user = "gone", .publisher = 9, .source = SFU_SCREEN_AUDIO},
    };
    say(rig, (struct sfu_event){.type = SFU_TRACKS, .room = 1, .peer = 2, .track_count = 3, .tracks = tracks});
    json_t *list = json_object_get(client_wait(ana, "tracks"), "tracks");
    assert_int_equal(json_array_size(list), 3);
    const json_t *camera = json_array_get(list, 1);
    assert_string_equal(text_of(camera, "mid"), "1");
    assert_string_equal(text_of(camera, "userId"), "bob");
    assert_string_equal(text_of(camera, "name"), "Bob B.");
    assert_string_equal(text_of(camera, "kind"), "video");
    assert_string_equal(text_of(camera, "source"), "camera");
    assert_string_equal(text_of(json_array_get(list, 2), "kind"), "audio");
    assert_string_equal(text_of(json_array_get(list, 2), "name"), "gone");
    rig_free(rig);
}

static void test_candidates(void **state)
{
    (void)state;
    struct client *ana;
    struct rig *rig = one(&ana);
    say(rig, (struct sfu_event){.type = SFU_CANDIDATE, .room = 1, .peer = 2, .text = "candidate:7"});
    json_t *data = client_wait(ana, "ice-candidate");
    assert_string_equal(text_of(data, "from"), "sfu");
    assert_string_equal(text_of(json_object_get(data, "candidate"), "candidate"), "candidate:7");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(data, "candidate"), "sdpMLineIndex")), 0);
    say(rig, (struct sfu_event){.type = SFU_CANDIDATE, .room = 1, .peer = 2, .text = ""});
    assert_string_equal(text_of(json_object_get(client_wait(ana, "ice-candidate"), "candidate"), "candidate"), "");
    rig_free(rig);
}

static void test_speaker(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = one(&ana);
    bob = client_new(rig, NULL);
    client_join(bob, "bob", NULL);
    say(rig, (struct sfu_event){.type = SFU_SPEAKER, .room = 1, .peer = 3, .level = -20});
    json_t *data = client_wait(ana, "active-speaker");
    assert_string_equal(text_of(data, "userId"), "bob");
    assert_int_equal(json_integer_value(json_object_get(data, "level")), -20);
    client_wait(bob, "active-speaker");
    say(rig, (struct sfu_event){.type = SFU_SPEAKER, .room = 1, .peer = 0, .level = -127});
    data = client_wait(ana, "active-speaker");
    assert_true(json_is_null(json_object_get(data, "userId")));
    say(rig, (struct sfu_event){.type = SFU_SPEAKER, .room = 99, .peer = 3, .level = -20}); // a room that is gone
    rig_free(rig);
}

// A screen that is published counts as shared, unless its owner has said that it is not.
static void test_published_screen(void **state)
{
    (void)state;
    struct client *ana;
    struct rig *rig = one(&ana);
    struct sfu_event shown = {.type = SFU_PUBLISHED, .room = 1, .peer = 2, .source = SFU_SCREEN, .on = true};
    struct sfu_event hidden = shown, camera = shown;
    hidden.on = false;
    camera.source = SFU_CAMERA;
    say(rig, camera);
    assert_false(client_was_told(ana, "media-changed"));
    say(rig, shown);
    assert_true(flag_of(client_wait(ana, "media-changed"), "isSharingScreen"));
    say(rig, shown);
    assert_false(client_was_told(ana, "media-changed"));
    say(rig, hidden);
    assert_false(flag_of(client_wait(ana, "media-changed"), "isSharingScreen"));
    client_ask(ana, "media-update", "{\"isSharingScreen\":false}");
    client_clear(ana);
    say(rig, shown);
    assert_false(client_was_told(ana, "media-changed"));
    rig_free(rig);
}

static void test_every_refusal(void **state)
{
    (void)state;
    static const struct {
        enum sfu_reason reason;
        const char *code;
    } refusals[] = {
        {SFU_BAD_SDP, "bad-sdp"},         {SFU_GLARE, "busy"},       {SFU_NO_OFFER, "bad-sdp"},
        {SFU_BAD_CANDIDATE, "bad-field"}, {SFU_LEFT, "room-closed"}, {SFU_CLOSED, "room-closed"},
        {SFU_MEDIA_FAILED, "internal"},   {SFU_TOO_MANY, "busy"},
    };
    struct client *ana;
    struct rig *rig = one(&ana);
    fake_sfu_hold(rig->sfu, true);
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        client_say(ana, "{\"event\":\"offer\",\"id\":5,\"data\":{\"sdp\":\"v=0\"}}");
        say(rig, (struct sfu_event){.type = SFU_REFUSED,
                                    .room = 1,
                                    .peer = 2,
                                    .tag = rig->hub->last_tag,
                                    .reason = refusals[i].reason,
                                    .text = "because"});
        json_t *error = client_wait(ana, "error");
        assert_string_equal(text_of(error, "code"), refusals[i].code);
        assert_non_null(strstr(text_of(error, "message"), "because"));
        assert_string_equal(text_of(error, "event"), "offer");
    }
    rig_free(rig);
}

// Late news of a peer that has left is news to nobody.
static void test_late_events(void **state)
{
    (void)state;
    struct client *ana;
    struct rig *rig = one(&ana);
    client_ask(ana, "leave-room", "{}");
    client_clear(ana);
    for (int type = SFU_OFFER; type <= SFU_STATS_DATA; type++)
        say(rig, (struct sfu_event){.type = (enum sfu_event_type)type, .room = 1, .peer = 2, .tag = 1, .text = "x"});
    assert_int_equal(g_queue_get_length(&ana->inbox), 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_connection), cmocka_unit_test(test_lock_holds_by_any_name),
        cmocka_unit_test(test_media_failed),   cmocka_unit_test(test_states),
        cmocka_unit_test(test_tracks),         cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_speaker),        cmocka_unit_test(test_published_screen),
        cmocka_unit_test(test_every_refusal),  cmocka_unit_test(test_late_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
