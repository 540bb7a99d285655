// Is a copy sent only where it may be, by whom it may be, and does everybody know?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/metrics.h"
#include "signaling/net.h"
#include "signaling/site.h"
#include "tests/signaling/rig.h"

#define TARGETS "TAP_TARGETS=127.0.0.1,10.1.0.0/16,::1"
#define ROUTE   "/api/rooms/r/taps"
#define BOB     "{\"userId\":\"bob\",\"source\":\"microphone\",\"address\":\"127.0.0.1\",\"port\":5004}"
#define SDP     "v=0\r\nm=audio 5004 RTP/AVP 96\r\n"

struct desk {
    struct visit visit;
    struct client *ana, *bob; // in the room, she is its host
    char id[40];              // of the last tap made
    uint64_t tag;             // of the last tap the media server was asked for
    uint64_t room, peer;      // the same
};

static struct desk desk_of(const char *settings)
{
    return (struct desk){.visit = visit_of(settings)};
}

static struct desk pair(void)
{
    struct desk d = desk_of(TARGETS " RECORDING_DIR=recordings");
    d.ana = client_new(d.visit.rig, NULL);
    d.bob = client_new(d.visit.rig, NULL);
    client_join(d.ana, "ana", NULL);
    client_join(d.bob, "bob", NULL);
    client_clear(d.ana);
    client_clear(d.bob);
    forget_commands(d.visit.rig);
    return d;
}

static void desk_clear(struct desk *d)
{
    visit_clear(&d->visit);
}

static int serve_as(struct desk *d, enum http_method method, const char *path, const char *body, const char *header)
{
    int status = visit_ask(
        &d->visit, (struct http_request){.method = method, .path = path, .body = body, .authorization = header});
    rig_pass(d->visit.rig, 0.5); // the bounds of requests are of other tests
    return status;
}

static int serve(struct desk *d, enum http_method method, const char *path, const char *body)
{
    return serve_as(d, method, path, body, NULL);
}

static int remove_tap(struct desk *d, const char *id)
{
    char *path = g_strconcat(ROUTE "/", id, NULL);
    int status = serve(d, HTTP_DELETE, path, NULL);
    g_free(path);
    return status;
}

// The next tap the media server is asked for; the rest of its line is `rest`.
static void expect_tap(struct desk *d, const char *rest)
{
    const char *line;
    do {
        line = fake_sfu_take(d->visit.rig->sfu);
        assert_non_null(line);
    } while (!g_str_has_prefix(line, "tap "));
    char **words = g_strsplit(line, " ", 5);
    d->room = g_ascii_strtoull(words[1], NULL, 10);
    d->tag = g_ascii_strtoull(words[2], NULL, 10);
    d->peer = g_ascii_strtoull(words[3], NULL, 10);
    assert_string_equal(words[4], rest);
    g_strfreev(words);
}

static void make_tap(struct desk *d)
{
    assert_int_equal(serve(d, HTTP_POST, ROUTE, BOB), 201);
    g_strlcpy(d->id, text_of(d->visit.json, "id"), sizeof(d->id));
    expect_tap(d, "microphone 127.0.0.1 5004");
    assert_int_equal(d->peer, client_participant(d->bob)->peer);
}

static void say(struct desk *d, bool on, enum sfu_reason reason)
{
    fake_sfu_say(d->visit.rig->sfu, &(struct sfu_event){.type = SFU_TAP,
                                                        .room = d->room,
                                                        .tag = d->tag,
                                                        .peer = d->peer,
                                                        .on = on,
                                                        .reason = reason,
                                                        .text = on ? SDP : NULL});
    rig_turn(d->visit.rig);
}

// "bob microphone on, bob camera off": what this one was told last of all.
static char *print_taps(const json_t *taps)
{
    GString *line = g_string_new(NULL);
    size_t i;
    json_t *tap;
    assert_true(json_is_array(taps));
    json_array_foreach(taps, i, tap)
        g_string_append_printf(line, "%s%s %s %s", i ? ", " : "", text_of(tap, "userId"), text_of(tap, "source"),
                               flag_of(tap, "active") ? "on" : "off");
    return g_string_free(line, FALSE);
}

static void expect_told(struct client *client, const char *event, const char *taps)
{
    char *told = print_taps(json_object_get(client_wait(client, event), "taps"));
    assert_string_equal(told, taps);
    g_free(told);
}

static const json_t *first_tap(struct desk *d)
{
    assert_int_equal(serve(d, HTTP_GET, ROUTE, NULL), 200);
    return json_array_get(json_object_get(d->visit.json, "taps"), 0);
}

static size_t tap_count(struct desk *d)
{
    assert_int_equal(serve(d, HTTP_GET, ROUTE, NULL), 200);
    return json_array_size(json_object_get(d->visit.json, "taps"));
}

// ---- life -------------------------------------------------------------------------------------------------------

static void test_life(void **state)
{
    (void)state;
    struct desk d = pair();
    assert_int_equal(tap_count(&d), 0);
    make_tap(&d);
    assert_string_equal(text_of(d.visit.json, "roomId"), "r");
    assert_string_equal(text_of(d.visit.json, "userId"), "bob");
    assert_string_equal(text_of(d.visit.json, "source"), "microphone");
    assert_string_equal(text_of(d.visit.json, "address"), "127.0.0.1");
    assert_int_equal(json_integer_value(json_object_get(d.visit.json, "port")), 5004);
    assert_false(flag_of(d.visit.json, "active"));
    assert_true(json_is_null(json_object_get(d.visit.json, "sdp")));
    expect_told(d.bob, "tap-changed", "bob microphone off");
    expect_told(d.ana, "tap-changed", "bob microphone off");

    say(&d, true, SFU_OK);
    expect_told(d.bob, "tap-changed", "bob microphone on");
    const json_t *tap = first_tap(&d);
    assert_true(flag_of(tap, "active"));
    assert_string_equal(text_of(tap, "sdp"), SDP);
    assert_string_equal(text_of(tap, "id"), d.id);
    client_clear(d.bob);
    say(&d, true, SFU_OK); // another codec: news only to whoever asks for it
    assert_false(client_was_told(d.bob, "tap-changed"));
    say(&d, false, SFU_OK); // not published any more
    expect_told(d.bob, "tap-changed", "bob microphone off");
    assert_true(json_is_null(json_object_get(first_tap(&d), "sdp")));
    say(&d, true, SFU_OK);
    expect_told(d.bob, "tap-changed", "bob microphone on");

    assert_int_equal(remove_tap(&d, d.id), 200);
    assert_string_equal(text_of(d.visit.json, "id"), d.id);
    assert_false(flag_of(d.visit.json, "active"));
    char *stop = g_strdup_printf("tap-stop %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, d.room, d.tag);
    expect_command(d.visit.rig, stop);
    expect_told(d.bob, "tap-changed", "");
    assert_int_equal(tap_count(&d), 0);
    say(&d, true, SFU_OK); // what was under way
    assert_false(client_was_told(d.bob, "tap-changed"));
    g_free(stop);
    desk_clear(&d);
}

// Whoever comes later, or comes back, knows; so does whoever speaks another dialect.
static void test_latecomers(void **state)
{
    (void)state;
    static const struct {
        const char *dialect, *event;
    } cases[] = {{NULL, "tap-changed"}, {"call", "CALL_TAP_CHANGED"}, {"webrtc", "webrtc:tap-changed"}};
    struct desk d = pair();
    make_tap(&d);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct client *eve = client_new(d.visit.rig, cases[i].dialect);
        char *user = g_strdup_printf("eve%zu", i),
             *told = print_taps(json_object_get(client_join(eve, user, NULL), "taps"));
        assert_string_equal(told, "bob microphone off");
        expect_told(eve, cases[i].event, "bob microphone off");
        g_free(user);
        g_free(told);
    }
    char *join = g_strdup_printf("\"sessionToken\":\"%s\"", client_participant(d.ana)->session_token);
    client_drop(d.ana, 1006);
    assert_int_equal(remove_tap(&d, d.id), 200);
    d.ana = client_new(d.visit.rig, NULL);
    assert_int_equal(json_array_size(json_object_get(client_join(d.ana, "ana", join), "taps")), 0);
    expect_told(d.ana, "tap-changed", "");
    g_free(join);
    desk_clear(&d);
}

// ---- what becomes of the one who is copied ----------------------------------------------------------------------

static void fail_media(struct desk *d, struct client *client)
{
    const struct participant *p = client_participant(client);
    uint64_t room = p->room->number, peer = p->peer;
    fake_sfu_say(d->visit.rig->sfu,
                 &(struct sfu_event){.type = SFU_GONE, .room = room, .peer = peer, .reason = SFU_MEDIA_FAILED});
    sfu_leave(d->visit.rig->sfu, room, peer); // what the fake still holds
    rig_turn(d->visit.rig);
}

static void test_another_peer(void **state)
{
    (void)state;
    struct desk d = pair();
    make_tap(&d);
    say(&d, true, SFU_OK);
    const struct desk old = d;
    client_clear(d.ana);
    fail_media(&d, d.bob);
    expect_told(d.ana, "tap-changed", "bob microphone off");
    client_ask(d.bob, "signal-offer", "{\"sdp\":\"v=0\"}");
    expect_tap(&d, "microphone 127.0.0.1 5004");
    assert_int_equal(d.tag, old.tag);
    assert_int_equal(d.peer, client_participant(d.bob)->peer);
    assert_int_not_equal(d.peer, old.peer);
    say(&d, true, SFU_OK);
    expect_told(d.ana, "tap-changed", "bob microphone on");
    struct desk late = old;
    say(&late, false, SFU_LEFT); // of the old peer
    assert_false(client_was_told(d.ana, "tap-changed"));

    fail_media(&d, d.bob); // and the room's media begin anew
    fail_media(&d, d.ana);
    assert_int_equal(client_participant(d.bob)->room->number, 0);
    assert_false(flag_of(first_tap(&d), "active"));
    client_ask(d.bob, "signal-offer", "{\"sdp\":\"v=0\"}");
    expect_tap(&d, "microphone 127.0.0.1 5004");
    assert_int_not_equal(d.room, old.room);
    say(&d, true, SFU_OK);
    assert_true(flag_of(first_tap(&d), "active"));
    desk_clear(&d);
}

// A reload with the session token keeps the peer, so the tap too; one that is not known again is another peer.
static void test_reload(void **state)
{
    (void)state;
    struct desk d = desk_of("JWT_SECRET=" SECRET " " TARGETS);
    char *token = make_token(SECRET, "{\"sub\":\"bob\",\"room\":\"r\",\"role\":\"host\"}");
    char *with = g_strdup_printf("\"token\":\"%s\"", token), *header = g_strconcat("Bearer ", token, NULL);
    d.bob = client_new(d.visit.rig, NULL);
    client_join(d.bob, "bob", with);
    assert_int_equal(serve_as(&d, HTTP_POST, ROUTE, BOB, header), 201);
    expect_tap(&d, "microphone 127.0.0.1 5004");
    struct client *again = client_new(d.visit.rig, NULL); // alone, and replaced
    char *told = print_taps(json_object_get(client_join(again, "bob", with), "taps"));
    assert_string_equal(told, "bob microphone off");
    expect_tap(&d, "microphone 127.0.0.1 5004");
    assert_int_equal(d.peer, client_participant(again)->peer);
    say(&d, true, SFU_OK);
    expect_told(again, "tap-changed", "bob microphone off"); // with the rest of how things are
    expect_told(again, "tap-changed", "bob microphone on");

    char *token_again = g_strdup_printf("\"sessionToken\":\"%s\"", client_participant(again)->session_token);
    client_drop(again, 1006);
    struct client *third = client_new(d.visit.rig, NULL);
    client_join(third, "bob", token_again);
    expect_told(third, "tap-changed", "bob microphone on");
    assert_null(fake_sfu_take(d.visit.rig->sfu));
    g_free(token_again);
    g_free(told);
    g_free(header);
    g_free(token);
    g_free(with);
    desk_clear(&d);
}

static void test_leave(void **state)
{
    (void)state;
    struct desk d = pair();
    make_tap(&d);
    assert_int_equal(serve(&d, HTTP_POST, ROUTE,
                           "{\"userId\":\"ana\",\"source\":\"camera\",\"address\":\"::0:1\",\"port\":65534}"),
                     201);
    assert_string_equal(text_of(d.visit.json, "address"), "::1");
    client_clear(d.ana);
    client_ask(d.bob, "leave-room", "{}");
    char *stop = g_strdup_printf("tap-stop %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, d.room, d.tag);
    expect_command(d.visit.rig, stop);
    expect_told(d.ana, "tap-changed", "ana camera off");
    assert_int_equal(tap_count(&d), 1);
    client_drop(d.ana, 1006); // she does not come back in time
    rig_pass(d.visit.rig, 120);
    assert_int_equal(serve(&d, HTTP_GET, ROUTE, NULL), 404);
    g_free(stop);
    desk_clear(&d);
}

// What is sent where is on the recording's timeline.
static void test_timeline(void **state)
{
    (void)state;
    struct desk d = pair();
    client_ask(d.ana, "recording-start", "{}");
    make_tap(&d);
    say(&d, true, SFU_OK);
    expect_command(d.visit.rig,
                   "record-note 1 {\"type\":\"tap-started\",\"user\":\"bob\",\"source\":\"microphone\"}");
    assert_int_equal(remove_tap(&d, d.id), 200);
    expect_command(d.visit.rig, "record-note 1 {\"type\":\"tap-ended\",\"user\":\"bob\",\"source\":\"microphone\"}");
    desk_clear(&d);
}

// A copy that is being sent already is on it too; one that waits for its source is not.
static void test_timeline_begins_later(void **state)
{
    (void)state;
    struct desk d = pair();
    make_tap(&d);
    say(&d, true, SFU_OK);
    assert_int_equal(
        serve(&d, HTTP_POST, ROUTE, "{\"userId\":\"ana\",\"source\":\"camera\",\"address\":\"::1\",\"port\":5006}"),
        201);
    forget_commands(d.visit.rig);
    client_ask(d.ana, "recording-start", "{}");
    unsigned noted = 0;
    for (const char *line = fake_sfu_take(d.visit.rig->sfu); line; line = fake_sfu_take(d.visit.rig->sfu))
        if (strstr(line, "tap-started")) {
            assert_string_equal(
                line, "record-note 1 {\"type\":\"tap-started\",\"user\":\"bob\",\"source\":\"microphone\"}");
            noted++;
        }
    assert_int_equal(noted, 1);
    desk_clear(&d);
}

static void test_is_counted(void **state)
{
    (void)state;
    struct desk d = pair();
    make_tap(&d);
    rig_pass(d.visit.rig, 2);
    GString *text = metrics_print(d.visit.rig->hub, METRICS_PROMETHEUS);
    assert_non_null(strstr(text->str, "\nroda_taps 0\n")); // nothing is sent yet
    assert_non_null(strstr(text->str, "\nroda_media_tapped_packets_total 4\n"));
    assert_non_null(strstr(text->str, "\nroda_media_tapped_bytes_total 400\n"));
    g_string_free(text, TRUE);
    say(&d, true, SFU_OK);
    text = metrics_print(d.visit.rig->hub, METRICS_PROMETHEUS);
    assert_non_null(strstr(text->str, "\nroda_taps 1\n"));
    g_string_free(text, TRUE);
    desk_clear(&d);
}

// ---- what is refused --------------------------------------------------------------------------------------------

static void test_bad_wishes(void **state)
{
    (void)state;
    static const struct {
        const char *body, *names;
        int status;
    } cases[] = {
        {"{}", "userId", 400},
        {"{\"userId\":\"b b\",\"source\":\"camera\",\"address\":\"::1\",\"port\":1}", "userId", 400},
        {"{\"userId\":\"bob\",\"address\":\"::1\",\"port\":1}", "source", 400},
        {"{\"userId\":\"bob\",\"source\":\"nose\",\"address\":\"::1\",\"port\":1}", "source", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"port\":1}", "address", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"localhost\",\"port\":1}", "address", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"10.2.0.1\",\"port\":1}", "TAP_TARGETS", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"::ffff:127.0.0.1\",\"port\":1}", "address", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"127.0.0.1\"}", "port", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"127.0.0.1\",\"port\":0}", "port", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"127.0.0.1\",\"port\":65535}", "port", 400},
        {"{\"userId\":\"bob\",\"source\":\"camera\",\"address\":\"127.0.0.1\",\"port\":\"1\"}", "port", 400},
        {"{\"userId\":\"eve\",\"source\":\"camera\",\"address\":\"127.0.0.1\",\"port\":1}", "userId", 404},
    };
    struct desk d = pair();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(serve(&d, HTTP_POST, ROUTE, cases[i].body), cases[i].status);
        const json_t *error = json_object_get(d.visit.json, "error");
        assert_string_equal(text_of(error, "code"), cases[i].status == 404 ? "not-found" : "bad-field");
        assert_non_null(strstr(text_of(error, "message"), cases[i].names));
    }
    assert_int_equal(serve(&d, HTTP_POST, "/api/rooms/other/taps", BOB), 404);
    assert_int_equal(remove_tap(&d, "nothing"), 404);
    assert_false(client_was_told(d.bob, "tap-changed"));
    assert_null(fake_sfu_take(d.visit.rig->sfu));
    desk_clear(&d);
}

static void test_bounds(void **state)
{
    (void)state;
    struct desk d = pair();
    for (int i = 0; i < SFU_TAPS_MAX; i++) {
        char *body = g_strdup_printf(
            "{\"userId\":\"bob\",\"source\":\"screen\",\"address\":\"10.1.2.3\",\"port\":%d}", 4000 + 2 * i);
        assert_int_equal(serve(&d, HTTP_POST, ROUTE, body), 201);
        if (i == 0)
            assert_int_equal(serve(&d, HTTP_POST, ROUTE, body), 409); // there is this one
        g_free(body);
    }
    assert_int_equal(serve(&d, HTTP_POST, ROUTE, BOB), 409);
    assert_string_equal(text_of(json_object_get(d.visit.json, "error"), "code"), "busy");
    assert_int_equal(tap_count(&d), SFU_TAPS_MAX);
    desk_clear(&d);
}

// The media server cannot: the tap is gone, and everybody knows.
static void test_unreachable(void **state)
{
    (void)state;
    struct desk d = pair();
    make_tap(&d);
    client_clear(d.bob);
    say(&d, false, SFU_BAD_ADDRESS);
    expect_told(d.bob, "tap-changed", "");
    assert_int_equal(tap_count(&d), 0);
    desk_clear(&d);
}

static void test_off(void **state)
{
    (void)state;
    static const enum http_method methods[] = {HTTP_POST, HTTP_GET, HTTP_DELETE};
    struct desk d = desk_of(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        const char *path = methods[i] == HTTP_DELETE ? ROUTE "/x" : ROUTE;
        assert_int_equal(serve(&d, methods[i], path, methods[i] == HTTP_POST ? BOB : NULL), 403);
        const json_t *error = json_object_get(d.visit.json, "error");
        assert_string_equal(text_of(error, "code"), "forbidden");
        assert_non_null(strstr(text_of(error, "message"), "TAP_TARGETS"));
    }
    desk_clear(&d);
}

static void test_rights(void **state)
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
        {"{\"sub\":\"a\",\"room\":\"r\",\"record\":true}", 200},
        {"{\"sub\":\"a\",\"room\":\"*\",\"role\":\"host\"}", 200},
    };
    struct desk d = desk_of("JWT_SECRET=" SECRET " " TARGETS);
    d.bob = client_new(d.visit.rig, NULL);
    char *token = make_token(SECRET, "{\"sub\":\"bob\",\"room\":\"r\",\"role\":\"host\"}");
    char *with = g_strdup_printf("\"token\":\"%s\"", token);
    client_join(d.bob, "bob", with);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *header = cases[i].claims ? make_bearer(cases[i].claims) : NULL;
        bool may = cases[i].status == 200;
        assert_int_equal(serve_as(&d, HTTP_GET, ROUTE, NULL, header), cases[i].status);
        assert_int_equal(serve_as(&d, HTTP_POST, ROUTE, BOB, header), may ? 201 : cases[i].status);
        char *path = g_strconcat(ROUTE "/", may ? text_of(d.visit.json, "id") : "x", NULL);
        assert_int_equal(serve_as(&d, HTTP_DELETE, path, NULL, header), cases[i].status);
        g_free(path);
        g_free(header);
    }
    char *mine = g_strconcat("Bearer ", client_participant(d.bob)->session_token, NULL);
    assert_int_equal(serve_as(&d, HTTP_POST, ROUTE, BOB, mine), 201);
    g_free(mine);
    g_free(token);
    g_free(with);
    desk_clear(&d);
}

// ---- addresses --------------------------------------------------------------------------------------------------

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_in;
    } cases[] = {
        {"127.0.0.1", true}, {"127.0.0.2", false}, {"10.1.255.255", true},      {"10.2.0.0", false},
        {"fd12::1", true},   {"fe80::1", false},   {"::ffff:127.0.0.1", false}, {"nonsense", false},
    };
    char **ranges = g_strsplit("127.0.0.1,10.1.0.0/16,fd00::/8", ",", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(net_has(ranges, cases[i].address), cases[i].is_in);
    g_strfreev(ranges);
    static const char *const none[] = {"",          "localhost",  "127.1",    "0x7f.0.0.1",
                                       "010.1.0.1", "fe80::1%lo", "1.2.3.4.5"};
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        assert_null(net_address(none[i]));

    static const struct {
        const char *value, *bad; // NULL: it is fine
    } settings[] = {
        {"127.0.0.1,10.1.0.0/16,::1,fd00::/8", NULL},
        {"[\"10.0.0.0/8\"]", NULL},
        {"127.0.0.1,10.1.0.0/33", "10.1.0.0/33"},
        {"10.1.2.3/16", "10.1.2.3/16"},
        {"localhost", "localhost"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        struct config config;
        char err[300] = "";
        config_init(&config);
        assert_int_equal(config_set(&config, "TAP_TARGETS", settings[i].value, err, sizeof(err)), 0);
        assert_int_equal(config_check(&config, err, sizeof(err)) == 0, settings[i].bad == NULL);
        assert_true(!settings[i].bad || (strstr(err, "TAP_TARGETS") && strstr(err, settings[i].bad)));
        config_clear(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_latecomers),
        cmocka_unit_test(test_another_peer),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_timeline),
        cmocka_unit_test(test_timeline_begins_later),
        cmocka_unit_test(test_is_counted),
        cmocka_unit_test(test_bad_wishes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
