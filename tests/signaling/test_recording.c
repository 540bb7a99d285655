// Is a room recorded when it should be, by whom it may be, and does everybody know?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/site.h"
#include "tests/signaling/rig.h"

#define WITH_DIR "RECORDING_DIR=recordings"

static struct rig *pair(const char *settings, struct client **ana, struct client **bob)
{
    struct rig *rig = rig_new(settings);
    *ana = client_new(rig, NULL);
    *bob = client_new(rig, NULL);
    client_join(*ana, "ana", NULL);
    client_join(*bob, "bob", NULL);
    client_clear(*ana);
    client_clear(*bob);
    forget_commands(rig);
    return rig;
}

static const char *state_of(struct client *client)
{
    return text_of(client_wait(client, "recording-changed"), "state");
}

static void say(struct rig *rig, uint64_t room, bool on, enum sfu_reason reason, const char *text)
{
    fake_sfu_say(rig->sfu,
                 &(struct sfu_event){.type = SFU_RECORDING, .room = room, .on = on, .reason = reason, .text = text});
    rig_turn(rig);
}

static void test_start_and_stop(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(WITH_DIR, &ana, &bob);
    client_ask(ana, "recording-start", "{}");
    json_t *told = client_wait(bob, "recording-changed"); // before the media server was asked
    assert_true(flag_of(told, "recording"));
    assert_string_equal(text_of(told, "state"), "starting");
    assert_string_equal(text_of(told, "by"), "ana");
    assert_string_equal(text_of(told, "since"), "2026-01-31T10:00:00.000Z");
    char *id = g_strdup(text_of(told, "recordingId"));
    assert_int_equal(strlen(id), RECORDING_ID_CHARS);
    assert_true(g_str_has_prefix(id, "20260131T100000Z-"));
    assert_string_equal(state_of(bob), "on");
    assert_string_equal(state_of(ana), "starting");
    char *command = g_strdup_printf("record 1 %s", id);
    expect_command(rig, command);
    expect_command(rig, "record-note 1 {\"type\":\"room\",\"id\":\"r\",\"title\":null,\"recordedBy\":\"ana\"}");
    expect_command(rig,
                   "record-note 1 {\"type\":\"participant\",\"user\":\"ana\",\"name\":\"ana\",\"role\":\"host\"}");
    expect_command(rig, "record-note 1 {\"type\":\"participant\",\"user\":\"bob\"");
    client_ask_badly(ana, "recording-start", "{}", "busy");

    struct client *eve = client_new(rig, NULL); // a latecomer knows, and is noted
    json_t *ack = client_join(eve, "eve", NULL);
    assert_true(flag_of(json_object_get(ack, "recording"), "recording"));
    assert_string_equal(text_of(json_object_get(ack, "recording"), "by"), "ana");
    assert_string_equal(state_of(eve), "on");
    expect_command(rig, "record-note 1 {\"type\":\"participant\",\"user\":\"eve\",\"name\":\"eve\"");

    client_ask(ana, "mute-participant", "{\"targetId\":\"bob\"}");
    expect_command(rig,
                   "record-note 1 {\"type\":\"muted-by-host\",\"user\":\"bob\",\"by\":\"ana\",\"kind\":\"audio\"}");

    client_clear(bob);
    client_ask(ana, "recording-stop", "{}");
    told = client_wait(bob, "recording-changed");
    assert_false(flag_of(told, "recording"));
    assert_string_equal(text_of(told, "state"), "stopping");
    assert_string_equal(text_of(told, "recordingId"), id);
    assert_string_equal(state_of(bob), "off");
    expect_command(rig, "record-stop 1");
    client_ask_badly(ana, "recording-stop", "{}", "not-found");
    client_ask(ana, "recording-start", "{}"); // and once more
    g_free(id);
    g_free(command);
    rig_free(rig);
}

// Who comes back learns how things are, whether or not they changed meanwhile.
static void test_resume(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(WITH_DIR, &ana, &bob);
    const struct participant *p = client_participant(bob);
    char *join = g_strdup_printf("\"sessionToken\":\"%s\"", p->session_token);
    client_drop(bob, 1006);
    client_ask(ana, "recording-start", "{}");
    struct client *again = client_new(rig, NULL);
    client_join(again, "bob", join);
    assert_string_equal(state_of(again), "on");
    client_drop(again, 1006);
    client_ask(ana, "recording-stop", "{}");
    struct client *third = client_new(rig, NULL);
    client_join(third, "bob", join);
    assert_string_equal(state_of(third), "off");
    g_free(join);
    rig_free(rig);
}

static void test_who_may(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(WITH_DIR, &ana, &bob);
    client_ask_badly(bob, "recording-start", "{}", "forbidden");
    client_ask(ana, "recording-start", "{}");
    client_ask_badly(bob, "recording-stop", "{}", "forbidden");
    rig_free(rig);

    static const struct {
        const char *claims;
        bool may;
    } cases[] = {
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\"}", true},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\",\"record\":false}", false},
        {"{\"sub\":\"a\",\"room\":\"r\",\"record\":true}", true},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"observer\",\"record\":true}", true},
        {"{\"sub\":\"a\",\"room\":\"r\"}", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        rig = rig_new("JWT_SECRET=" SECRET " " WITH_DIR);
        struct client *one = client_new(rig, NULL);
        char *token = make_token(SECRET, cases[i].claims);
        char *with = g_strdup_printf("\"token\":\"%s\"", token);
        client_join(one, "a", with);
        if (cases[i].may)
            client_ask(one, "recording-start", "{}");
        else
            client_ask_badly(one, "recording-start", "{}", "forbidden");
        g_free(token);
        g_free(with);
        rig_free(rig);
    }
}

// To be host of a call because one began it gives no right that the token does not: neither on the socket nor by
// the session token over HTTP.
static void test_right_in_call(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        bool may;
    } cases[] = {
        {"{\"sub\":\"ana\"}", false},
        {"{\"sub\":\"ana\",\"role\":\"host\"}", true},
        {"{\"sub\":\"ana\",\"record\":true}", true},
        {"{\"sub\":\"ana\",\"role\":\"host\",\"record\":false}", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct rig *rig = rig_new("JWT_SECRET=" SECRET " " WITH_DIR);
        struct client *ana = client_new(rig, "call");
        char *token = make_token(SECRET, cases[i].claims);
        char *begin = g_strdup_printf("{\"token\":\"%s\",\"participantIds\":[\"bob\"]}", token);
        client_ask(ana, "CALL_INITIATE", begin);
        assert_int_equal(client_participant(ana)->role, ROLE_HOST);
        if (cases[i].may)
            client_ask(ana, "CALL_RECORDING_START", "{}");
        else
            client_ask_badly(ana, "CALL_RECORDING_START", "{}", "forbidden");
        g_free(begin);
        g_free(token);
        rig_free(rig);
    }
}

static void test_off(void **state)
{
    (void)state;
    static const char *const settings[] = {NULL, WITH_DIR " RECORD_ROOMS=never"};
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        struct client *ana, *bob;
        struct rig *rig = pair(settings[i], &ana, &bob);
        client_ask_badly(ana, "recording-start", "{}", "forbidden");
        client_ask_badly(ana, "update-room", "{\"record\":true}", "forbidden");
        client_ask_badly(ana, "recording-stop", "{}", "not-found");
        assert_false(client_was_told(bob, "recording-changed"));
        rig_free(rig);
    }
}

// The disk is full, and then it is not; it is slow; it fails.
static void test_trouble(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(WITH_DIR, &ana, &bob);
    client_ask(ana, "recording-start", "{}");
    client_clear(ana);
    say(rig, 1, true, SFU_DISK_FULL, "no space");
    json_t *told = client_wait(ana, "recording-changed");
    assert_true(flag_of(told, "recording"));
    assert_string_equal(text_of(told, "state"), "paused");
    assert_string_equal(text_of(told, "reason"), "disk-full");
    say(rig, 1, true, SFU_OK, "id");
    told = client_wait(ana, "recording-changed");
    assert_string_equal(text_of(told, "state"), "on");
    assert_true(json_is_null(json_object_get(told, "reason")));
    say(rig, 1, true, SFU_DISK_SLOW, "slow");
    told = client_wait(ana, "recording-changed");
    assert_string_equal(text_of(told, "state"), "on");
    assert_string_equal(text_of(told, "reason"), "disk-slow");
    say(rig, 1, false, SFU_DISK_FAILED, "gone");
    told = client_wait(ana, "recording-changed");
    assert_false(flag_of(told, "recording"));
    assert_string_equal(text_of(told, "reason"), "disk-failed");
    say(rig, 0, false, SFU_INTERRUPTED, "of-yesterday"); // nobody's here
    assert_false(client_was_told(ana, "recording-changed"));
    rig_free(rig);
}

// It cannot begin: whoever asked is told why, and everybody that they are not recorded.
static void test_cannot_begin(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(WITH_DIR, &ana, &bob);
    fake_sfu_hold(rig->sfu, true);
    client_say(ana, "{\"event\":\"recording-start\",\"id\":77,\"data\":{}}");
    assert_false(client_was_told(ana, "ack"));
    fake_sfu_say(rig->sfu, &(struct sfu_event){.type = SFU_RECORDING,
                                               .room = 1,
                                               .tag = rig->hub->last_tag,
                                               .reason = SFU_DISK_FAILED,
                                               .text = "no directory"});
    rig_turn(rig);
    json_t *error = client_wait(ana, "error");
    assert_string_equal(text_of(error, "code"), "internal");
    assert_non_null(strstr(text_of(error, "message"), "no directory"));
    assert_string_equal(state_of(bob), "starting");
    assert_string_equal(state_of(bob), "off");
    fake_sfu_hold(rig->sfu, false);
    client_ask(ana, "recording-start", "{}");
    rig_free(rig);
}

// All rooms, from their first packet on, and nobody can stop it.
static void test_always(void **state)
{
    (void)state;
    struct rig *rig = rig_new(WITH_DIR " RECORD_ROOMS=always");
    struct client *ana = client_new(rig, NULL);
    json_t *ack = client_join(ana, "ana", NULL);
    assert_true(flag_of(json_object_get(ack, "recording"), "recording"));
    assert_true(json_is_null(json_object_get(json_object_get(ack, "recording"), "by")));
    assert_string_equal(state_of(ana), "starting");
    client_ask_badly(ana, "recording-stop", "{}", "forbidden");
    client_ask_badly(ana, "recording-start", "{}", "busy");
    rig_free(rig);
}

// The room was made to be recorded. Its host may stop that until the room is empty; then it is as it was made.
static void test_policy(void **state)
{
    (void)state;
    struct rig *rig = rig_new(WITH_DIR);
    struct room *room = roster_add(&rig->hub->roster, "r", rig->hub->now_us, rig->hub->wall_ms);
    room->is_reserved = true;
    room->policy.is_recorded = true;
    for (unsigned i = 0; i < 2; i++) {
        struct client *ana = client_new(rig, NULL);
        json_t *ack = client_join(ana, "ana", NULL);
        assert_true(flag_of(json_object_get(ack, "recording"), "recording"));
        client_ask(ana, "recording-stop", "{}");
        rig_turn(rig);
        assert_null(room->recording);
        client_ask(ana, "leave-room", "{}");
        client_clear(ana);
    }
    rig_free(rig);
}

// The media of all failed and begin anew: so does the recording, as another one. An empty room forgets it.
static void test_media_begin_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_new(WITH_DIR);
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_ask(ana, "recording-start", "{}");
    struct participant *p = client_participant(ana);
    char *first = g_strdup(p->room->recording->id);
    client_clear(ana);
    forget_commands(rig);
    fake_sfu_say(rig->sfu,
                 &(struct sfu_event){.type = SFU_GONE, .room = 1, .peer = p->peer, .reason = SFU_MEDIA_FAILED});
    sfu_leave(rig->sfu, 1, p->peer); // what the fake still holds
    rig_turn(rig);
    assert_string_equal(state_of(ana), "waiting");
    client_ask(ana, "signal-offer", "{\"sdp\":\"v=0\"}");
    assert_string_not_equal(p->room->recording->id, first);
    char *command = g_strdup_printf("record %" G_GUINT64_FORMAT " %s", p->room->number, p->room->recording->id);
    const char *got;
    do {
        got = fake_sfu_take(rig->sfu);
        assert_non_null(got);
    } while (strcmp(got, command) != 0);
    assert_string_equal(state_of(ana), "on");
    client_ask(ana, "leave-room", "{}");
    json_t *ack = client_join(ana, "ana", NULL);
    assert_false(flag_of(json_object_get(ack, "recording"), "recording"));
    g_free(first);
    g_free(command);
    rig_free(rig);
}

static void test_call_dialect(void **state)
{
    (void)state;
    struct client *ana, *bob;
    struct rig *rig = pair(WITH_DIR, &ana, &bob);
    struct client *eve = client_new(rig, "call");
    client_join(eve, "eve", NULL);
    client_ask(ana, "CALL_RECORDING_START", "{}"); // every name is understood on every session
    assert_true(flag_of(client_wait(eve, "CALL_RECORDING_CHANGED"), "recording"));
    client_ask(ana, "CALL_RECORDING_STOP", "{}");
    rig_free(rig);
}

// ---- over HTTP ----------------------------------------------------------------------------------------------

#define ROUTE "/api/rooms/r/recording"

static int serve(struct visit *v, enum http_method method, const char *path, const char *authorization)
{
    return visit_ask(v, (struct http_request){.method = method, .path = path, .authorization = authorization});
}

static void test_http(void **state)
{
    (void)state;
    struct visit v = visit_of(WITH_DIR);
    assert_int_equal(serve(&v, HTTP_POST, ROUTE, NULL), 404);
    struct client *ana = client_new(v.rig, NULL);
    client_join(ana, "ana", NULL);
    assert_int_equal(serve(&v, HTTP_POST, ROUTE, NULL), 201);
    assert_true(flag_of(v.json, "recording"));
    assert_string_equal(text_of(v.json, "recordingId"), client_participant(ana)->room->recording->id);
    assert_int_equal(serve(&v, HTTP_POST, ROUTE, NULL), 409);
    assert_string_equal(state_of(ana), "starting");
    assert_int_equal(serve(&v, HTTP_DELETE, ROUTE, NULL), 200);
    assert_false(flag_of(v.json, "recording"));
    assert_int_equal(serve(&v, HTTP_DELETE, ROUTE, NULL), 404);
    assert_int_equal(serve(&v, HTTP_GET, ROUTE, NULL), 405);
    visit_clear(&v);
}

// A room nobody is in yet: it is recorded when somebody is.
static void test_http_before_anybody(void **state)
{
    (void)state;
    struct visit v = visit_of(WITH_DIR);
    struct room *room = roster_add(&v.rig->hub->roster, "r", v.rig->hub->now_us, v.rig->hub->wall_ms);
    room->is_reserved = true;
    assert_int_equal(serve(&v, HTTP_POST, ROUTE, NULL), 202);
    assert_string_equal(text_of(v.json, "state"), "waiting");
    assert_int_equal(serve(&v, HTTP_DELETE, ROUTE, NULL), 202);
    assert_int_equal(serve(&v, HTTP_POST, ROUTE, NULL), 202);
    struct client *ana = client_new(v.rig, NULL);
    json_t *ack = client_join(ana, "ana", NULL);
    assert_true(flag_of(json_object_get(ack, "recording"), "recording"));
    visit_clear(&v);
}

static void test_http_rights(void **state)
{
    (void)state;
    static const struct {
        const char *claims; // NULL: no token
        int status;
    } cases[] = {
        {NULL, 401},
        {"{\"sub\":\"a\",\"room\":\"r\"}", 403},
        {"{\"sub\":\"a\",\"room\":\"other\",\"role\":\"host\"}", 403},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\",\"record\":false}", 403},
        {"{\"sub\":\"a\",\"room\":\"*\",\"role\":\"host\"}", 201},
    };
    struct visit v = visit_of("JWT_SECRET=" SECRET " " WITH_DIR);
    struct client *ana = client_new(v.rig, NULL);
    char *token = make_token(SECRET, "{\"sub\":\"ana\",\"room\":\"r\",\"role\":\"host\"}");
    char *with = g_strdup_printf("\"token\":\"%s\"", token);
    client_join(ana, "ana", with);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *header = cases[i].claims ? make_bearer(cases[i].claims) : NULL;
        assert_int_equal(serve(&v, HTTP_POST, ROUTE, header), cases[i].status);
        g_free(header);
    }
    char *mine = g_strconcat("Bearer ", client_participant(ana)->session_token, NULL);
    assert_int_equal(serve(&v, HTTP_DELETE, ROUTE, mine), 200);
    g_free(mine);
    g_free(token);
    g_free(with);
    visit_clear(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_who_may),
        cmocka_unit_test(test_right_in_call),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_cannot_begin),
        cmocka_unit_test(test_always),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_media_begin_anew),
        cmocka_unit_test(test_call_dialect),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_before_anybody),
        cmocka_unit_test(test_http_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
