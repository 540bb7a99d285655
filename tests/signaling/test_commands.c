// Does every command do what the protocol says, and refuse what it says it refuses?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/commands.h"
#include "tests/signaling/rig.h"

// Two people in room "r": ana, the host, and bob; everything said so far is cleared.
static struct rig *pair(struct client **ana, struct client **bob)
{
    struct rig *rig = rig_new(NULL);
    *ana = client_new(rig, NULL);
    *bob = client_new(rig, NULL);
    client_join(*ana, "ana", NULL);
    client_join(*bob, "bob", NULL);
    client_clear(*ana);
    client_clear(*bob);
    while (fake_sfu_take(rig->sfu))
        ;
    return rig;
}

static void test_join_ack(void **state)
{
    (void)state;
    struct rig *rig = rig_new("STUN_SERVERS=stun:a:1");
    struct client *ana = client_new(rig, NULL), *bob = client_new(rig, NULL);
    json_t *ack = client_join(ana, "ana", NULL);
    assert_string_equal(text_of(ack, "roomId"), "r");
    assert_string_equal(text_of(ack, "userId"), "ana");
    assert_string_equal(text_of(ack, "name"), "ana");
    assert_string_equal(text_of(ack, "role"), "host");
    assert_string_equal(text_of(ack, "hostId"), "ana");
    assert_int_equal(strlen(text_of(ack, "sessionToken")), SESSION_TOKEN_CHARS);
    assert_false(flag_of(ack, "resumed"));
    assert_int_equal(json_array_size(json_object_get(ack, "iceServers")), 1);
    const json_t *self = json_array_get(json_object_get(ack, "participants"), 0);
    assert_string_equal(text_of(self, "userId"), "ana");
    assert_false(flag_of(self, "isMuted"));
    assert_true(flag_of(self, "isVideoEnabled"));
    assert_false(flag_of(self, "isSharingScreen"));
    expect_command(rig, "join 1 2 ana");

    assert_int_equal(json_array_size(json_object_get(client_wait(ana, "ice-servers"), "iceServers")), 1);
    json_t *list = client_wait(ana, "room-participants");
    assert_string_equal(text_of(list, "hostId"), "ana");
    assert_int_equal(json_array_size(json_object_get(list, "participants")), 1);

    ack = client_join(bob, "bob", NULL);
    assert_string_equal(text_of(ack, "role"), "participant");
    assert_string_equal(text_of(ack, "hostId"), "ana");
    assert_int_equal(json_array_size(json_object_get(ack, "participants")), 2);
    json_t *joined = client_wait(ana, "user-connected");
    assert_string_equal(text_of(joined, "userId"), "bob");
    assert_string_equal(text_of(joined, "name"), "bob");
    assert_false(client_was_told(bob, "user-connected"));
    assert_false(client_was_told(bob, "host-changed"));
    rig_free(rig);
}

// Without userId and name the server makes up one and takes it for the other.
static void test_join_as_guest(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    json_t *ack = client_ask(ana, "join-room", "{\"roomId\":\"r\"}");
    assert_int_equal(strlen(text_of(ack, "userId")), 10);
    assert_string_equal(text_of(ack, "name"), text_of(ack, "userId"));
    rig_free(rig);
}

// A client that never sends ids still learns everything it needs.
static void test_join_without_id(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    client_say(ana, "{\"event\":\"join-room\",\"timestamp\":\"now\",\"data\":{\"roomId\":\"r\",\"userId\":\"ana\"}}");
    assert_false(client_was_told(ana, "ack"));
    assert_string_equal(text_of(client_wait(ana, "room-participants"), "userId"), "ana");
    client_say(ana, "{\"event\":\"chat-message\",\"data\":{}}");
    assert_string_equal(text_of(client_wait(ana, "error"), "code"), "bad-field");
    rig_free(rig);
}

static void test_ids_may_be_texts(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    client_say(ana, "{\"event\":\"heartbeat\",\"id\":\"beat-1\"}");
    assert_true(client_was_told(ana, "ack"));
    json_t *ack = g_queue_peek_head(&ana->inbox);
    assert_string_equal(text_of(ack, "id"), "beat-1");
    rig_free(rig);
}

static void test_leave(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(bob, "leave-room", "{}");
    json_t *left = client_wait(ana, "user-disconnected");
    assert_string_equal(text_of(left, "userId"), "bob");
    assert_string_equal(text_of(left, "reason"), "left");
    expect_command(rig, "leave 1 3");
    client_ask_badly(bob, "chat-message", "{\"text\":\"hi\"}", "not-found");
    client_ask(bob, "join-room", "{\"roomId\":\"other\"}"); // the socket may go on
    client_ask(ana, "leave-room", "{}");
    assert_int_equal(roster_room_count(&rig->hub->roster), 1);
    rig_free(rig);
}

static void test_offer_to_sfu(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "signal-offer",
               "{\"target\":\"sfu\",\"sdp\":{\"type\":\"offer\",\"sdp\":\"v=0\"},\"sources\":{\"0\":\"microphone\","
               "\"1\":\"screen\"}}");
    expect_command(rig, "offer 1 2 0=microphone 1=screen");
    json_t *answer = client_wait(ana, "signal-answer");
    assert_string_equal(text_of(answer, "from"), "sfu");
    assert_string_equal(text_of(json_object_get(answer, "sdp"), "type"), "answer");
    assert_ptr_equal(strstr(text_of(json_object_get(answer, "sdp"), "sdp"), "v=0"),
                     text_of(json_object_get(answer, "sdp"), "sdp"));
    assert_false(client_was_told(bob, "signal-offer"));
    client_ask(ana, "signal-offer", "{\"sdp\":\"v=0 as a bare text\"}");
    client_ask(ana, "offer", "{\"to\":\"sfu\",\"sdp\":\"v=0\"}");
    client_ask(ana, "offer", "{\"target\":null,\"sdp\":\"v=0\",\"sources\":{}}");
    rig_free(rig);
}

// A client tells by this order to which of its offers an answer belongs.
static void test_answer_before_ack(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_clear(ana);
    client_say(ana, "{\"event\":\"signal-offer\",\"id\":5,\"data\":{\"sdp\":\"v=0\"}}");
    GString *order = g_string_new(NULL);
    for (GList *one = ana->inbox.head; one; one = one->next) {
        const char *event = text_of(one->data, "event");
        if (strcmp(event, "ack") == 0 || strcmp(event, "signal-answer") == 0)
            g_string_append_printf(order, "%s ", event);
    }
    assert_string_equal(order->str, "signal-answer ack ");
    g_string_free(order, TRUE);
    rig_free(rig);
}

static void test_refused_offers(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask_badly(ana, "signal-offer", "{\"sdp\":\"hello\"}", "bad-sdp");
    client_ask_badly(ana, "signal-offer", "{\"sdp\":\"v=0 x-glare\"}", "busy");
    client_say(ana, "{\"event\":\"offer\",\"id\":99,\"data\":{\"sdp\":\"v=0 x-glare\"}}");
    assert_true(g_str_has_prefix(text_of(client_wait(ana, "error"), "message"), "glare:"));
    assert_false(client_was_told(ana, "signal-answer"));
    rig_free(rig);
}

static void test_answer_to_sfu(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask_badly(ana, "signal-answer", "{\"sdp\":\"v=0\"}", "bad-sdp");
    fake_sfu_say(rig->sfu, &(struct sfu_event){.type = SFU_OFFER, .room = 1, .peer = 2, .text = "v=0 theirs"});
    rig_turn(rig);
    json_t *offer = client_wait(ana, "signal-offer");
    assert_string_equal(text_of(offer, "from"), "sfu");
    assert_string_equal(text_of(json_object_get(offer, "sdp"), "sdp"), "v=0 theirs");
    client_ask_badly(ana, "signal-offer", "{\"sdp\":\"v=0\"}", "busy");
    client_ask_badly(ana, "signal-answer", "{\"sdp\":\"x\"}", "bad-sdp");
    client_ask(ana, "signal-answer",
               "{\"sdp\":{\"type\":\"answer\",\"sdp\":\"v=0\"},\"sources\":{\"2\":\"camera\"}}");
    expect_command(rig, "answer 1 2 2=camera");
    rig_free(rig);
}

static void test_candidates(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "ice-candidate",
               "{\"candidate\":{\"candidate\":\"candidate:1 1 udp 1 1.2.3.4 5 typ host\","
               "\"sdpMid\":\"0\",\"sdpMLineIndex\":0}}");
    expect_command(rig, "candidate 1 2 0 candidate:1");
    client_ask(ana, "ice", "{\"candidate\":\"candidate:2\"}");
    expect_command(rig, "candidate 1 2 - candidate:2");
    static const char *const ends[] = {"{}", "{\"candidate\":null}", "{\"candidate\":\"\"}",
                                       "{\"candidate\":{\"candidate\":\"\"}}",
                                       "{\"candidate\":{\"candidate\":null}}"};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        client_ask(ana, "ice-candidate", ends[i]);
        expect_command(rig, "candidate 1 2 - end");
    }
    client_ask_badly(ana, "ice-candidate", "{\"candidate\":\"nonsense\"}", "bad-field");
    rig_free(rig);
}

static void test_relay(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "signal-offer",
               "{\"target\":\"bob\",\"sdp\":{\"type\":\"offer\",\"sdp\":\"anything\"},\"more\":[1,{\"x\":2}]}");
    json_t *offer = client_wait(bob, "signal-offer");
    assert_string_equal(text_of(offer, "from"), "ana");
    assert_string_equal(text_of(json_object_get(offer, "sdp"), "sdp"), "anything");
    assert_int_equal(json_array_size(json_object_get(offer, "more")), 2);
    client_ask(bob, "answer", "{\"to\":\"ana\",\"sdp\":\"bare\"}");
    assert_string_equal(text_of(client_wait(ana, "signal-answer"), "sdp"), "bare");
    client_ask(bob, "ice", "{\"targetUserId\":\"ana\",\"candidate\":{\"candidate\":\"c\",\"sdpMid\":\"1\"}}");
    assert_string_equal(text_of(json_object_get(client_wait(ana, "ice-candidate"), "candidate"), "sdpMid"), "1");
    assert_null(fake_sfu_take(rig->sfu));

    struct client *far = client_new(rig, NULL);
    client_ask(far, "join-room", "{\"roomId\":\"elsewhere\",\"userId\":\"far\"}");
    client_ask_badly(ana, "signal-offer", "{\"target\":\"far\",\"sdp\":\"x\"}", "not-found");
    client_ask_badly(ana, "signal-offer", "{\"target\":\"nobody\",\"sdp\":\"x\"}", "not-found");
    client_ask_badly(ana, "signal-offer", "{\"target\":\"ana\",\"sdp\":\"x\"}", "bad-field");
    client_ask_badly(ana, "ice", "{\"target\":5,\"candidate\":\"x\"}", "bad-field");
    rig_free(rig);
}

// The names go in as they come and out as the hearer wants them.
static void test_dialects_meet(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct client *signal = client_new(rig, NULL), *live = client_new(rig, "live");
    client_join(signal, "ana", NULL);
    client_join(live, "bob", NULL);
    client_ask(signal, "offer", "{\"target\":\"bob\",\"sdp\":\"x\"}");
    client_wait(live, "offer");
    client_ask(live, "signal-answer", "{\"target\":\"ana\",\"sdp\":\"x\"}");
    client_wait(signal, "signal-answer");
    client_ask(signal, "ice", "{\"target\":\"bob\",\"candidate\":\"x\"}");
    client_wait(live, "ice");
    client_ask(live, "offer", "{\"sdp\":\"v=0\"}");
    client_wait(live, "answer");
    rig_free(rig);
}

static void expect_media(struct client *client, const char *user, bool muted, bool video, bool screen)
{
    json_t *data = client_wait(client, "media-changed");
    assert_string_equal(text_of(data, "userId"), user);
    assert_int_equal(flag_of(data, "isMuted"), muted);
    assert_int_equal(flag_of(data, "isVideoEnabled"), video);
    assert_int_equal(flag_of(data, "isSharingScreen"), screen);
}

static void test_media_update(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(bob, "media-update", "{\"isMuted\":true}");
    expect_command(rig, "mute 1 3 microphone on");
    expect_media(ana, "bob", true, true, false);
    expect_media(bob, "bob", true, true, false);
    client_ask(bob, "media-update", "{\"isVideoEnabled\":false,\"isMuted\":false,\"isSharingScreen\":null}");
    expect_command(rig, "mute 1 3 microphone off");
    expect_command(rig, "mute 1 3 camera on");
    expect_media(ana, "bob", false, false, false);
    client_ask(bob, "media-update", "{\"isSharingScreen\":false}");
    expect_command(rig, "mute 1 3 screen on");
    expect_command(rig, "mute 1 3 screen-audio on");
    client_clear(ana);
    client_ask(bob, "media-update", "{\"isSharingScreen\":true}");
    expect_command(rig, "mute 1 3 screen off");
    expect_command(rig, "mute 1 3 screen-audio off");
    expect_media(ana, "bob", false, false, true);
    client_ask(bob, "media-update", "{}");
    assert_null(fake_sfu_take(rig->sfu)); // nothing changed
    expect_media(ana, "bob", false, false, true);
    rig_free(rig);
}

static void test_mute_by_host(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\"}");
    expect_command(rig, "mute 1 3 microphone on");
    json_t *told = client_wait(bob, "mute-participant");
    assert_string_equal(text_of(told, "targetId"), "bob");
    assert_string_equal(text_of(told, "from"), "ana");
    assert_string_equal(text_of(told, "kind"), "audio");
    assert_true(flag_of(told, "muted"));
    assert_false(flag_of(told, "locked"));
    expect_media(ana, "bob", true, true, false);
    assert_false(client_was_told(ana, "mute-participant"));
    client_ask(bob, "media-update", "{\"isMuted\":false}"); // not locked: bob may
    expect_command(rig, "mute 1 3 microphone off");
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\",\"kind\":\"video\"}");
    expect_command(rig, "mute 1 3 camera on");
    client_ask_badly(bob, "mute-participant", "{\"targetId\":\"ana\"}", "forbidden");
    rig_free(rig);
}

static void test_lock(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\",\"locked\":true}");
    assert_true(flag_of(client_wait(bob, "mute-participant"), "locked"));
    client_ask_badly(bob, "media-update", "{\"isMuted\":false,\"isVideoEnabled\":false}", "forbidden");
    assert_true(client_participant(bob)->is_video_enabled); // all or nothing
    client_ask(bob, "media-update", "{\"isVideoEnabled\":false}");
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\",\"muted\":false}");
    json_t *told = client_wait(bob, "mute-participant");
    assert_false(flag_of(told, "muted"));
    assert_false(flag_of(told, "locked"));
    assert_true(client_participant(bob)->is_muted); // the host never opens a microphone
    client_ask(bob, "media-update", "{\"isMuted\":false}");
    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\",\"kind\":\"video\",\"locked\":true}");
    client_ask_badly(bob, "media-update", "{\"isVideoEnabled\":true}", "forbidden");
    client_ask(bob, "media-update", "{\"isMuted\":true}");
    rig_free(rig);
}

static void test_remove(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask_badly(bob, "remove-participant", "{\"targetId\":\"ana\"}", "forbidden");
    client_ask_badly(ana, "remove-participant", "{\"targetId\":\"ana\"}", "bad-field");
    client_ask_badly(ana, "remove-participant", "{\"targetId\":\"carl\"}", "not-found");
    client_ask(ana, "remove-participant", "{\"targetId\":\"bob\",\"reason\":\"noise\"}");
    json_t *told = client_wait(bob, "remove-participant");
    assert_string_equal(text_of(told, "targetId"), "bob");
    assert_string_equal(text_of(told, "from"), "ana");
    assert_string_equal(text_of(told, "reason"), "noise");
    assert_int_equal(bob->close_code, 1000);
    assert_string_equal(text_of(client_wait(ana, "user-disconnected"), "reason"), "removed");
    expect_command(rig, "leave 1 3");
    rig_free(rig);
}

static void test_close_room(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask_badly(bob, "close-room", "{}", "forbidden");
    fake_sfu_hold(rig->sfu, true);
    client_say(bob, "{\"event\":\"signal-offer\",\"id\":50,\"data\":{\"sdp\":\"v=0\"}}"); // in the air
    client_ask(ana, "close-room", "{\"reason\":\"over\"}");
    assert_string_equal(text_of(client_wait(bob, "error"), "code"), "room-closed");
    json_t *told = client_wait(bob, "close-room");
    assert_string_equal(text_of(told, "by"), "ana");
    assert_string_equal(text_of(told, "reason"), "over");
    assert_int_equal(bob->close_code, 1000);
    assert_int_equal(ana->close_code, 1000);
    assert_null(ana->session);
    expect_command(rig, "close 1");
    assert_int_equal(roster_room_count(&rig->hub->roster), 0);
    assert_int_equal(rig->hub->roster.participant_count, 0);
    assert_int_equal(rig->hub->sessions->len, 0);
    assert_int_equal(g_hash_table_size(rig->hub->roster.peers), 0);
    assert_int_equal(g_hash_table_size(rig->hub->roster.numbers), 0);
    assert_int_equal(fake_sfu_room_count(rig->sfu), 0);
    rig_free(rig);
}

static void test_chat(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    struct client *carl = client_new(rig, NULL);
    client_join(carl, "carl", NULL);
    client_ask(ana, "chat-message", "{\"text\":\"ol\xc3\xa1\\nall\"}");
    json_t *told = client_wait(bob, "chat-message");
    assert_string_equal(text_of(told, "from"), "ana");
    assert_string_equal(text_of(told, "name"), "ana");
    assert_string_equal(text_of(told, "text"), "ol\xc3\xa1\nall");
    assert_string_equal(text_of(told, "timestamp"), "2026-01-31T10:00:00.000Z");
    client_wait(carl, "chat-message");
    assert_false(client_was_told(ana, "chat-message"));
    client_ask(ana, "chat-message", "{\"text\":\"psst\",\"to\":\"bob\"}");
    assert_string_equal(text_of(client_wait(bob, "chat-message"), "to"), "bob");
    assert_false(client_was_told(carl, "chat-message"));

    char *text = g_strnfill(4001, 'a');
    char *data = g_strdup_printf("{\"text\":\"%s\"}", text);
    client_ask_badly(ana, "chat-message", data, "bad-field");
    text[4000] = '\0';
    g_free(data);
    data = g_strdup_printf("{\"text\":\"%s\"}", text);
    client_ask(ana, "chat-message", data);
    g_free(data);
    g_free(text);
    rig_free(rig);
}

static void test_heartbeat(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "heartbeat", "{}");
    assert_string_equal(text_of(client_wait(bob, "user-heartbeat"), "userId"), "ana");
    assert_false(client_was_told(ana, "user-heartbeat"));
    struct client *stranger = client_new(rig, NULL);
    client_ask(stranger, "heartbeat", "{}"); // no room needed
    rig_free(rig);
}

static void test_select_layer(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    client_ask(ana, "select-layer", "{\"userId\":\"bob\",\"source\":\"camera\",\"spatial\":1,\"temporal\":0}");
    expect_command(rig, "layer 1 2 3 camera 1 0");
    client_ask(ana, "select-layer", "{\"userId\":\"bob\",\"source\":\"screen\"}");
    expect_command(rig, "layer 1 2 3 screen -1 -1");
    client_ask_badly(ana, "select-layer", "{\"userId\":\"bob\",\"source\":\"hat\"}", "bad-field");
    client_ask_badly(ana, "select-layer", "{\"userId\":\"bob\",\"source\":\"camera\",\"spatial\":9}", "bad-field");
    rig_free(rig);
}

// Wrong messages and what they are called; none changes anything, none closes the socket.
static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *event, *data, *code;
    } wrong[] = {
        {"join-room", "{\"roomId\":\"r2\"}", "busy"},
        {"no-such-event", "{}", "unknown-event"},
        {"CALL_INITIATED", "{}", "unknown-event"},
        {"webrtc:calls", "{}", "unknown-event"},
        {"ack", "{}", "unknown-event"},
        {"signal-offer", "{}", "bad-field"},
        {"signal-offer", "{\"sdp\":5}", "bad-field"},
        {"signal-offer", "{\"sdp\":{\"type\":\"offer\"}}", "bad-field"},
        {"signal-offer", "{\"sdp\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}", "bad-field"},
        {"signal-offer", "{\"sdp\":\"v=0\",\"sources\":[]}", "bad-field"},
        {"signal-offer", "{\"sdp\":\"v=0\",\"sources\":{\"0\":\"hat\"}}", "bad-field"},
        {"signal-offer", "{\"sdp\":\"v=0\",\"sources\":{\"0\":1}}", "bad-field"},
        {"signal-offer", "{\"sdp\":\"v=0\",\"sources\":{\"123456789012345678901234567890123\":\"camera\"}}",
         "bad-field"},
        {"signal-answer", "{\"sdp\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}", "bad-field"},
        {"ice-candidate", "{\"candidate\":5}", "bad-field"},
        {"ice-candidate", "{\"candidate\":{\"candidate\":5}}", "bad-field"},
        {"ice-candidate",
         "{\"candidate\":{\"candidate\":\"candidate:1\",\"sdpMid\":\"123456789012345678901234567890123\"}}",
         "bad-field"},
        {"media-update", "{\"isMuted\":\"yes\"}", "bad-field"},
        {"media-update", "{\"isVideoEnabled\":1}", "bad-field"},
        {"mute-participant", "{}", "bad-field"},
        {"mute-participant", "{\"targetId\":7}", "bad-field"},
        {"mute-participant", "{\"targetId\":\"nobody\"}", "not-found"},
        {"mute-participant", "{\"targetId\":\"bob\",\"kind\":\"smell\"}", "bad-field"},
        {"mute-participant", "{\"targetId\":\"bob\",\"locked\":\"x\"}", "bad-field"},
        {"remove-participant", "{}", "bad-field"},
        {"remove-participant", "{\"targetId\":\"bob\",\"reason\":5}", "bad-field"},
        {"close-room", "{\"reason\":[]}", "bad-field"},
        {"chat-message", "{}", "bad-field"},
        {"chat-message", "{\"text\":\"\"}", "bad-field"},
        {"chat-message", "{\"text\":5}", "bad-field"},
        {"chat-message", "{\"text\":\"a\\u0007\"}", "bad-field"},
        {"chat-message", "{\"text\":\"a\",\"to\":\"nobody\"}", "not-found"},
        {"chat-message", "{\"text\":\"a\",\"to\":5}", "bad-field"},
        {"select-layer", "{\"source\":\"camera\"}", "bad-field"},
        {"select-layer", "{\"userId\":\"bob\"}", "bad-field"},
        {"select-layer", "{\"userId\":\"bob\",\"source\":\"camera\",\"spatial\":\"1\"}", "bad-field"},
    };
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        client_ask_badly(ana, wrong[i].event, wrong[i].data, wrong[i].code);
    assert_null(fake_sfu_take(rig->sfu));
    assert_int_equal(g_queue_get_length(&bob->inbox), 0);
    assert_int_equal(ana->close_code, 0);
    rig_free(rig);
}

static void test_before_joining(void **state)
{
    (void)state;
    static const char *const commands[] = {"leave-room",         "signal-offer", "answer",       "ice",
                                           "media-update",       "close-room",   "chat-message", "mute-participant",
                                           "remove-participant", "select-layer"};
    struct rig *rig = rig_new(NULL);
    struct client *ana = client_new(rig, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        client_ask_badly(ana, commands[i], "{}", "not-found");
    static const char *const joins[] = {
        "{}",
        "{\"roomId\":5}",
        "{\"roomId\":\"\"}",
        "{\"roomId\":\"a/b\"}",
        "{\"roomId\":\"r\",\"userId\":\"a b\"}",
        "{\"roomId\":\"r\",\"userId\":\"sfu\"}",
        "{\"roomId\":\"r\",\"name\":\"a\\nb\"}",
        "{\"roomId\":\"r\",\"name\":5}",
        "{\"roomId\":\"r\",\"role\":\"king\"}",
        "{\"roomId\":\"r\",\"sessionToken\":5}",
        "{\"roomId\":\"r\",\"freshMedia\":5}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(joins); i++)
        client_ask_badly(ana, "join-room", joins[i], "bad-field");
    assert_int_equal(roster_room_count(&rig->hub->roster), 0);
    rig_free(rig);
}

static void test_unanswered_questions_are_bounded(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    fake_sfu_hold(rig->sfu, true);
    for (int i = 0; i < WAITING_MAX; i++)
        client_say(ana, "{\"event\":\"ice\",\"id\":1000,\"data\":{\"candidate\":\"candidate:1\"}}");
    assert_int_equal(g_queue_get_length(&ana->inbox), 0);
    client_ask_badly(ana, "ice", "{\"candidate\":\"candidate:1\"}", "rate-limited");
    rig_free(rig);
}

static void test_rate_limit(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    rig_pass(rig, 10); // a full bucket
    client_clear(ana);
    for (int i = 0; i < MESSAGES_BURST; i++)
        client_ask(ana, "heartbeat", "{}");
    client_ask_badly(ana, "heartbeat", "{}", "rate-limited");
    rig_pass(rig, 1);
    for (int i = 0; i < MESSAGES_PER_S; i++)
        client_ask(ana, "heartbeat", "{}");
    client_ask_badly(ana, "heartbeat", "{}", "rate-limited");
    for (int i = 0; i < REFUSALS_BURST - 1; i++)
        client_ask_badly(ana, "heartbeat", "{}", "rate-limited");
    assert_int_equal(ana->close_code, 0);
    client_say(ana, "garbage counts as well");
    assert_int_equal(ana->close_code, 1008);
    rig_free(rig);
}

// Candidates come in bursts by nature: they count a quarter.
static void test_candidates_count_mildly(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(&ana, &bob);
    rig_pass(rig, 10);
    for (int i = 0; i < 4 * MESSAGES_BURST; i++)
        client_ask(ana, "ice", "{\"candidate\":\"candidate:1\"}");
    client_ask_badly(ana, "ice", "{\"candidate\":\"candidate:1\"}", "rate-limited");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_ack),
        cmocka_unit_test(test_join_as_guest),
        cmocka_unit_test(test_join_without_id),
        cmocka_unit_test(test_ids_may_be_texts),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_offer_to_sfu),
        cmocka_unit_test(test_answer_before_ack),
        cmocka_unit_test(test_refused_offers),
        cmocka_unit_test(test_answer_to_sfu),
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_dialects_meet),
        cmocka_unit_test(test_media_update),
        cmocka_unit_test(test_mute_by_host),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_close_room),
        cmocka_unit_test(test_chat),
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_select_layer),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_before_joining),
        cmocka_unit_test(test_unanswered_questions_are_bounded),
        cmocka_unit_test(test_rate_limit),
        cmocka_unit_test(test_candidates_count_mildly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
