// Does every HTTP route answer as documented, and only those who may hear it?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/api.h"
#include "signaling/site.h"
#include "tests/signaling/rig.h"

static int get(struct visit *v, const char *path)
{
    return visit_ask(v, (struct http_request){.method = HTTP_GET, .path = path});
}

static int post(struct visit *v, const char *path, const char *body)
{
    return visit_ask(v, (struct http_request){.method = HTTP_POST, .path = path, .body = body});
}

static const char *error_code(const struct visit *v)
{
    return text_of(json_object_get(v->json, "error"), "code");
}

static void test_health(void **state)
{
    (void)state;
    struct visit v = visit_of("JWT_SECRET=" SECRET); // open to all, also where tokens are asked for
    assert_int_equal(get(&v, "/health"), 200);
    assert_string_equal(text_of(v.json, "status"), "ok");
    assert_int_equal(json_integer_value(json_object_get(v.json, "timestamp")), INT64_C(1769853600000));
    assert_int_equal(json_integer_value(json_object_get(v.json, "uptime")), 0);
    rig_pass(v.rig, 60);
    get(&v, "/health");
    assert_int_equal(json_integer_value(json_object_get(v.json, "uptime")), 60);
    v.rig->hub->is_draining = true;
    assert_int_equal(get(&v, "/health"), 503);
    assert_string_equal(text_of(v.json, "status"), "draining");
    visit_clear(&v);
}

static void test_rooms(void **state)
{
    (void)state;
    struct visit v = visit_of(NULL);
    assert_int_equal(post(&v, "/api/rooms", NULL), 201);
    char *id = g_strdup(text_of(v.json, "roomId"));
    assert_int_equal(strlen(id), 36);
    char *url = g_strdup_printf("http://localhost:3001/participant/%s", id);
    assert_string_equal(text_of(v.json, "joinURL"), url);
    assert_true(g_str_has_prefix(text_of(v.json, "qrDataUrl"), "data:image/png;base64,iVBOR"));
    char *path = g_strconcat("/api/rooms/", id, NULL);
    assert_int_equal(get(&v, path), 200);
    assert_false(flag_of(v.json, "isActive"));
    assert_int_equal(json_integer_value(json_object_get(v.json, "participantCount")), 0);
    assert_string_equal(text_of(v.json, "createdAt"), "2026-01-31T10:00:00.000Z");

    struct client *ana = client_new(v.rig, NULL);
    char *join = g_strdup_printf("{\"roomId\":\"%s\"}", id);
    client_ask(ana, "join-room", join);
    get(&v, path);
    assert_true(flag_of(v.json, "isActive"));
    assert_int_equal(json_integer_value(json_object_get(v.json, "participantCount")), 1);

    assert_int_equal(visit_ask(&v, (struct http_request){.method = HTTP_DELETE, .path = path}), 200);
    assert_true(flag_of(v.json, "closed"));
    const json_t *told = client_wait(ana, "close-room");
    assert_true(json_is_null(json_object_get(told, "by")));
    assert_int_equal(get(&v, path), 404);
    g_free(id);
    g_free(url);
    g_free(path);
    g_free(join);
    visit_clear(&v);
}

static void test_room_of_ones_choice(void **state)
{
    (void)state;
    struct visit v = visit_of("APP_DOMAIN=https://app.example/ MAX_ROOMS=2");
    assert_int_equal(post(&v, "/api/rooms", "{\"roomId\":\"sala\"}"), 201);
    assert_string_equal(text_of(v.json, "joinURL"), "https://app.example/participant/sala");
    assert_int_equal(post(&v, "/api/rooms", "{\"roomId\":\"sala\"}"), 409);
    assert_int_equal(post(&v, "/api/rooms", "{}"), 201);
    assert_int_equal(post(&v, "/api/rooms", "{}"), 429);
    assert_string_equal(error_code(&v), "room-full");
    visit_clear(&v);
}

static void test_room_rules(void **state)
{
    (void)state;
    struct visit v = visit_of(NULL);
    assert_int_equal(post(&v, "/api/rooms",
                          "{\"roomId\":\"r\",\"maxParticipants\":2,\"password\":\"quiet\",\"waitingRoom\":true,"
                          "\"locked\":true,\"expiresIn\":60,\"name\":\"Dr. Sol\"}"),
                     201);
    assert_null(strstr(v.response.body, "quiet"));
    assert_int_equal(get(&v, "/api/rooms/r"), 200);
    assert_null(strstr(v.response.body, "quiet"));
    assert_true(flag_of(v.json, "hasPassword"));
    assert_true(flag_of(v.json, "waitingRoom"));
    assert_true(flag_of(v.json, "locked"));
    assert_int_equal(json_integer_value(json_object_get(v.json, "maxParticipants")), 2);
    assert_string_equal(text_of(v.json, "name"), "Dr. Sol");
    assert_string_equal(text_of(v.json, "expiresAt"), "2026-01-31T10:01:00.000Z");

    struct http_request patch = {.method = HTTP_PATCH, .path = "/api/rooms/r"};
    patch.body = "{\"password\":null,\"locked\":false,\"waitingRoom\":false,\"name\":null}";
    assert_int_equal(visit_ask(&v, patch), 200);
    assert_false(flag_of(v.json, "hasPassword"));
    assert_true(json_is_null(json_object_get(v.json, "name")));
    assert_int_equal(json_integer_value(json_object_get(v.json, "maxParticipants")), 2);
    struct client *ana = client_new(v.rig, NULL);
    client_join(ana, "ana", NULL);
    patch.body = "{\"locked\":true,\"maxParticipants\":5}";
    assert_int_equal(visit_ask(&v, patch), 200);
    assert_true(flag_of(client_wait(ana, "room-changed"), "locked"));
    for (int i = 0; i < 4; i++) {
        rig_pass(v.rig, 20);
        client_ask(ana, "heartbeat", "{}");
    }
    assert_int_equal(get(&v, "/api/rooms/r"), 200); // nobody is thrown out
    client_drop(ana, 1000);
    rig_pass(v.rig, 0.25);
    assert_int_equal(get(&v, "/api/rooms/r"), 404);
    visit_clear(&v);
}

static void test_expiry_of_empty_rooms(void **state)
{
    (void)state;
    struct visit v = visit_of("ROOM_TTL=100");
    post(&v, "/api/rooms", "{\"roomId\":\"r\"}");
    assert_string_equal(text_of(v.json, "expiresAt"), "2026-01-31T10:01:40.000Z");
    rig_pass(v.rig, 90);
    struct client *ana = client_new(v.rig, NULL);
    client_join(ana, "ana", NULL);
    get(&v, "/api/rooms/r");
    assert_true(json_is_null(json_object_get(v.json, "expiresAt")));
    client_drop(ana, 1000);
    rig_pass(v.rig, 99);
    assert_int_equal(get(&v, "/api/rooms/r"), 200);
    assert_string_equal(text_of(v.json, "expiresAt"), "2026-01-31T10:03:10.000Z");
    rig_pass(v.rig, 1);
    assert_int_equal(get(&v, "/api/rooms/r"), 404);
    visit_clear(&v);
}

// A Host header that is no host does not get into a link.
static void test_bad_host(void **state)
{
    (void)state;
    struct visit v = visit_of("JWT_SECRET=" SECRET);
    char *token = make_bearer("{\"sub\":\"ana\",\"role\":\"host\",\"room\":\"*\"}");
    visit_ask(&v, (struct http_request){.method = HTTP_POST,
                                        .path = "/api/rooms",
                                        .authorization = token,
                                        .body = "{\"roomId\":\"r\"}",
                                        .host = "a\"b/<c>"});
    assert_string_equal(text_of(v.json, "joinURL"), "http://localhost/participant/r");
    g_free(token);
    visit_clear(&v);
}

// In open mode a page could have its own name pointed at this machine, and read what is said to it.
static void test_foreign_name(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int status;
    } rows[] = {{"evil.example", 403},
                {"evil.example:3001", 403},
                {"localhost.evil.example", 403},
                {"127.0.0.1.evil.example", 403},
                {"localhost", 404},
                {"127.0.0.1:3001", 404},
                {"[::1]:3001", 404},
                {"192.0.2.7:80", 404},
                {"front.example:8443", 404},
                {"front.example", 403},
                {"app.example", 404}};
    struct visit v = visit_of("FRONTEND_URL=https://front.example:8443 APP_DOMAIN=https://app.example");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(visit_ask(&v, (struct http_request){.path = "/api/rooms/none", .host = rows[i].host}),
                         rows[i].status);
    assert_int_equal(visit_ask(&v, (struct http_request){.path = "/health", .host = "evil.example"}), 200);
    visit_clear(&v);
}

static void test_ice_servers(void **state)
{
    (void)state;
    struct visit v = visit_of("JWT_SECRET=" SECRET " TURN_SECRET=north TURN_URLS=turn:t TURN_TTL=60");
    assert_int_equal(get(&v, "/api/ice-servers"), 401);
    char *token = make_bearer("{\"sub\":\"ana\"}");
    assert_int_equal(visit_ask(&v, (struct http_request){.path = "/api/ice-servers", .authorization = token}), 200);
    const json_t *turn = json_array_get(json_object_get(v.json, "iceServers"), 0);
    assert_string_equal(text_of(turn, "username"), "1769853660:ana");
    g_free(token);
    visit_clear(&v);
}

static void test_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *claims; // NULL: no token
        enum http_method method;
        const char *path, *body;
        int status;
    } cases[] = {
        {NULL, HTTP_POST, "/api/rooms", NULL, 401},
        {NULL, HTTP_GET, "/api/rooms/r", NULL, 401},
        {NULL, HTTP_DELETE, "/api/rooms/r", NULL, 401},
        {"{\"sub\":\"a\",\"exp\":1}", HTTP_POST, "/api/rooms", NULL, 401},
        {"{\"sub\":\"a\",\"room\":\"q\"}", HTTP_POST, "/api/rooms", NULL, 403},
        {"{\"sub\":\"a\",\"room\":\"q\"}", HTTP_POST, "/api/rooms", "{\"roomId\":\"r\"}", 403},
        {"{\"sub\":\"a\",\"room\":\"r\"}", HTTP_POST, "/api/rooms", "{\"roomId\":\"r\"}", 201},
        {"{\"sub\":\"a\",\"room\":\"q\"}", HTTP_GET, "/api/rooms/r", NULL, 403},
        {"{\"sub\":\"a\",\"room\":\"s\"}", HTTP_POST, "/api/rooms", "{\"roomId\":\"s\",\"locked\":true}", 403},
        {"{\"sub\":\"a\",\"room\":\"r\"}", HTTP_PATCH, "/api/rooms/r", "{\"locked\":true}", 403},
        {"{\"sub\":\"a\",\"room\":\"q\",\"role\":\"host\"}", HTTP_PATCH, "/api/rooms/r", "{}", 403},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\"}", HTTP_PATCH, "/api/rooms/r", "{\"locked\":1}", 400},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\"}", HTTP_PATCH, "/api/rooms/r", "{\"locked\":true}", 200},
        {"{\"sub\":\"a\",\"room\":\"r\"}", HTTP_GET, "/api/rooms/r", NULL, 200},
        {"{\"sub\":\"a\",\"room\":\"r\"}", HTTP_DELETE, "/api/rooms/r", NULL, 403},
        {"{\"sub\":\"a\",\"room\":\"q\",\"role\":\"host\"}", HTTP_DELETE, "/api/rooms/r", NULL, 403},
        {"{\"sub\":\"a\",\"room\":\"*\",\"role\":\"host\"}", HTTP_DELETE, "/api/rooms/none", NULL, 404},
        {"{\"sub\":\"a\",\"room\":\"*\",\"role\":\"host\"}", HTTP_DELETE, "/api/rooms/r", NULL, 200},
    };
    struct visit v = visit_of("JWT_SECRET=" SECRET);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *token = cases[i].claims ? make_bearer(cases[i].claims) : NULL;
        int status = visit_ask(
            &v, (struct http_request){
                    .method = cases[i].method, .path = cases[i].path, .body = cases[i].body, .authorization = token});
        assert_int_equal(status, cases[i].status);
        g_free(token);
    }
    visit_clear(&v);
}

// The host of a room may close it with nothing but its session token.
static void test_delete_by_session_token(void **state)
{
    (void)state;
    struct visit v = visit_of(NULL);
    struct client *ana = client_new(v.rig, NULL), *bob = client_new(v.rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    char *anas = g_strconcat("Bearer ", client_participant(ana)->session_token, NULL);
    char *bobs = g_strconcat("bearer ", client_participant(bob)->session_token, NULL);
    struct http_request request = {.method = HTTP_DELETE, .path = "/api/rooms/r", .authorization = bobs};
    assert_int_equal(visit_ask(&v, request), 403);
    request.authorization = NULL;
    request.address = "192.168.1.9"; // no loopback, no token
    assert_int_equal(visit_ask(&v, request), 403);
    request.authorization = anas;
    assert_int_equal(visit_ask(&v, request), 200);
    assert_string_equal(text_of(client_wait(bob, "close-room"), "by"), "ana");
    g_free(anas);
    g_free(bobs);
    visit_clear(&v);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        const char *path, *body, *type;
        int status;
        const char *code;
    } wrong[] = {
        {HTTP_GET, "/nothing", NULL, NULL, 404, "not-found"},
        {HTTP_GET, "/ws", NULL, NULL, 400, "bad-request"},
        {HTTP_GET, "/api", NULL, NULL, 404, "not-found"},
        {HTTP_GET, "/api/rooms/", NULL, NULL, 404, "not-found"},
        {HTTP_GET, "/api/rooms/a/b", NULL, NULL, 404, "not-found"},
        {HTTP_GET, "/api/rooms/none", NULL, NULL, 404, "not-found"},
        {HTTP_GET, "/api/rooms/\xff", NULL, NULL, 404, "not-found"},
        {HTTP_DELETE, "/api/rooms/none", NULL, NULL, 404, "not-found"},
        {HTTP_GET, "/api/rooms", NULL, NULL, 405, "method-not-allowed"},
        {HTTP_POST, "/health", NULL, NULL, 405, "method-not-allowed"},
        {HTTP_PUT, "/api/rooms/r", NULL, NULL, 405, "method-not-allowed"},
        {HTTP_POST, "/", NULL, NULL, 405, "method-not-allowed"},
        {HTTP_DELETE, "/medico/sala", NULL, NULL, 405, "method-not-allowed"},
        {HTTP_POST, "/api/rooms", "{", NULL, 400, "bad-json"},
        {HTTP_POST, "/api/rooms", "[]", NULL, 400, "bad-json"},
        {HTTP_POST, "/api/rooms", "{\"roomId\":5}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"roomId\":\"a/b\"}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"maxParticipants\":0}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"maxParticipants\":13}", NULL, 400, "bad-field"}, // MAX_PARTICIPANTS
        {HTTP_POST, "/api/rooms", "{\"maxParticipants\":\"2\"}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"password\":\"abc\"}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"password\":7}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"waitingRoom\":1}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"locked\":\"true\"}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"expiresIn\":59}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"expiresIn\":2592001}", NULL, 400, "bad-field"},
        {HTTP_POST, "/api/rooms", "{\"name\":[]}", NULL, 400, "bad-field"},
        {HTTP_PATCH, "/api/rooms/none", "{}", NULL, 404, "not-found"},
        {HTTP_POST, "/api/rooms", "{}", "text/plain", 415, "unsupported-media-type"},
    };
    struct visit v = visit_of(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        int status = visit_ask(&v, (struct http_request){.method = wrong[i].method,
                                                         .path = wrong[i].path,
                                                         .body = wrong[i].body,
                                                         .content_type = wrong[i].type});
        assert_int_equal(status, wrong[i].status);
        assert_string_equal(error_code(&v), wrong[i].code);
        assert_int_equal(status == 405, v.response.allow[0] != '\0');
    }
    visit_clear(&v);
}

static void test_cors(void **state)
{
    (void)state;
    struct visit v = visit_of("FRONTEND_URL=https://a.example,https://b.example:8443/");
    struct http_request request = {
        .method = HTTP_OPTIONS, .path = "/api/rooms", .origin = "https://b.example:8443", .asked_method = "POST"};
    assert_int_equal(visit_ask(&v, request), 204);
    assert_string_equal(v.response.allowed, "https://b.example:8443");
    assert_true(v.response.is_preflight);
    request.method = HTTP_GET;
    request.path = "/health";
    visit_ask(&v, request);
    assert_string_equal(v.response.allowed, "https://b.example:8443");
    assert_false(v.response.is_preflight);
    static const char *const strangers[] = {"https://evil.example", "https://a.example:1", "http://a.example", "null",
                                            ""};
    for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++) {
        request.origin = strangers[i];
        visit_ask(&v, request);
        assert_string_equal(v.response.allowed, "");
    }
    visit_clear(&v);
}

static void test_too_many_requests(void **state)
{
    (void)state;
    struct visit v = visit_of(NULL);
    for (int i = 0; i < REQUESTS_BURST; i++)
        assert_int_equal(post(&v, "/health", NULL), 405);
    assert_int_equal(post(&v, "/health", NULL), 429);
    assert_string_equal(error_code(&v), "rate-limited");
    struct http_request other = {.method = HTTP_GET, .path = "/health", .address = "10.0.0.7"};
    assert_int_equal(visit_ask(&v, other), 200);
    rig_pass(v.rig, 1);
    assert_int_equal(get(&v, "/health"), 200);
    visit_clear(&v);
}

static void test_draining(void **state)
{
    (void)state;
    struct visit v = visit_of(NULL);
    v.rig->hub->is_draining = true;
    assert_int_equal(post(&v, "/api/rooms", NULL), 503);
    visit_clear(&v);
}

// What a room is made with and what it is changed to ask for the same right.
static void test_record_by_patch(void **state)
{
    (void)state;
    struct visit v = visit_of("RECORDING_DIR=recordings JWT_SECRET=" SECRET);
    char *may = make_bearer("{\"sub\":\"ana\",\"room\":\"r\",\"role\":\"host\"}");
    char *may_not = make_bearer("{\"sub\":\"bob\",\"room\":\"r\",\"role\":\"host\",\"record\":false}");
    struct http_request make = {
        .method = HTTP_POST, .path = "/api/rooms", .body = "{\"roomId\":\"r\"}", .authorization = may};
    struct http_request patch = {
        .method = HTTP_PATCH, .path = "/api/rooms/r", .body = "{\"record\":true}", .authorization = may_not};
    assert_int_equal(visit_ask(&v, make), 201);
    assert_int_equal(visit_ask(&v, patch), 403);
    assert_false(roster_find(&v.rig->hub->roster, "r")->policy.is_recorded);
    patch.authorization = may;
    assert_int_equal(visit_ask(&v, patch), 200);
    assert_true(roster_find(&v.rig->hub->roster, "r")->policy.is_recorded);
    patch.authorization = may_not;
    patch.body = "{\"record\":false}";
    assert_int_equal(visit_ask(&v, patch), 403);
    patch.body = "{\"locked\":true}";
    assert_int_equal(visit_ask(&v, patch), 200);
    g_free(may);
    g_free(may_not);
    visit_clear(&v);
}

// In open mode a page of somewhere else, in a browser on this machine, changes nothing (a POST without a body is
// sent without asking first).
static void test_foreign_page(void **state)
{
    (void)state;
    struct visit v = visit_of("RECORDING_DIR=recordings");
    struct http_request make = {.method = HTTP_POST, .path = "/api/rooms", .origin = "https://evil.example"};
    assert_int_equal(visit_ask(&v, make), 403);
    assert_string_equal(error_code(&v), "forbidden");
    make.origin = "null";
    assert_int_equal(visit_ask(&v, make), 403);
    make.origin = "http://localhost:3001";
    assert_int_equal(visit_ask(&v, make), 201);
    make.origin = NULL;
    assert_int_equal(visit_ask(&v, make), 201);
    visit_clear(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_rooms),
        cmocka_unit_test(test_room_of_ones_choice),
        cmocka_unit_test(test_room_rules),
        cmocka_unit_test(test_expiry_of_empty_rooms),
        cmocka_unit_test(test_bad_host),
        cmocka_unit_test(test_foreign_name),
        cmocka_unit_test(test_ice_servers),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_delete_by_session_token),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_cors),
        cmocka_unit_test(test_too_many_requests),
        cmocka_unit_test(test_draining),
        cmocka_unit_test(test_record_by_patch),
        cmocka_unit_test(test_foreign_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
