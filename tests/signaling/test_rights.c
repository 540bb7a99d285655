// Who may send which command and use which route? (a row for each of both tables; a row that lacks is a failure)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/commands.h"
#include "signaling/site.h"
#include "tests/signaling/rig.h"

#define SETTINGS "JWT_SECRET=" SECRET " RECORDING_DIR=recordings"

// The columns of both tables: no token; a token of each role for room r; a token of role host for another room.
enum { STRANGER, OBSERVER, PARTICIPANT, HOST_OF_R, HOST_ELSEWHERE, WHO };

static const char *const claims[WHO] = {
    NULL,
    "{\"sub\":\"eye\",\"room\":\"r\",\"role\":\"observer\"}",
    "{\"sub\":\"pat\",\"room\":\"r\"}",
    "{\"sub\":\"doc\",\"room\":\"r\",\"role\":\"host\"}",
    "{\"sub\":\"hal\",\"room\":\"q\",\"role\":\"host\"}",
};

static char *token_of(int who)
{
    return claims[who] ? make_token(SECRET, claims[who]) : NULL;
}

// ---- commands -----------------------------------------------------------------------------------------------

// '+': may (whether it then works is not asked here), '-': unauthorized or forbidden, '0': has no room to do it in.
static const struct {
    const char *name, *data, *may; // by column
} command_rows[] = {
    {"join-room", "{\"roomId\":\"r\"}", "-+++-"},
    {"leave-room", "{}", "-+++0"},
    {"signal-offer", "{\"sdp\":\"v=0\"}", "-+++0"},
    {"signal-answer", "{\"sdp\":\"v=0\"}", "-+++0"},
    {"ice-candidate", "{}", "-+++0"},
    {"media-update", "{\"isMuted\":false}", "--++0"},
    {"mute-participant", "{\"targetId\":\"pat\"}", "---+0"},
    {"remove-participant", "{\"targetId\":\"eye\"}", "---+0"},
    {"close-room", "{}", "---+0"},
    {"chat-message", "{\"text\":\"x\"}", "-+++0"},
    {"admit", "{\"userId\":\"bob\"}", "---+0"},
    {"deny", "{\"userId\":\"bob\"}", "---+0"},
    {"lock-room", "{}", "---+0"},
    {"update-room", "{\"name\":\"x\"}", "---+0"},
    {"recording-start", "{}", "---+0"},
    {"recording-stop", "{}", "---+0"},
    {"heartbeat", "{}", "+++++"},
    {"call-initiate", "{\"participantIds\":[\"bob\"]}", "-++++"},
    {"call-answer", "{}", "-++++"},
    {"call-decline", "{}", "-++++"},
    {"call-end", "{}", "---++"},
    {"call-leave", "{}", "-++++"},
    {"call-add-participants", "{\"participantIds\":[\"bob\"]}", "-++++"},
    {"select-layer", "{\"userId\":\"pat\",\"source\":\"camera\"}", "-+++0"},
};

static struct client *enter(struct rig *rig, int who)
{
    struct client *client = client_new(rig, NULL);
    char *token = token_of(who);
    char *join = token ? g_strdup_printf("{\"event\":\"join-room\",\"data\":{\"roomId\":\"%s\",\"token\":\"%s\"}}",
                                         who == HOST_ELSEWHERE ? "q" : "r", token)
                       : g_strdup("{\"event\":\"heartbeat\"}");
    client_say(client, join);
    if (who == HOST_ELSEWHERE)
        client_say(client, "{\"event\":\"leave-room\"}");
    client_clear(client);
    g_free(join);
    g_free(token);
    return client;
}

static char verdict(struct client *client)
{
    for (const GList *one = client->inbox.head; one; one = one->next) {
        const json_t *message = one->data, *data = json_object_get(message, "data");
        if (strcmp(text_of(message, "event"), "error") != 0)
            continue;
        const char *code = text_of(data, "code");
        bool is_refused = strcmp(code, "unauthorized") == 0 || strcmp(code, "forbidden") == 0;
        return is_refused ? '-' : strstr(text_of(data, "message"), "you are in no room") ? '0' : '+';
    }
    return '+';
}

static char try_command(const char *name, const char *data, int who)
{
    struct rig *rig = rig_new(SETTINGS);
    struct client *clients[WHO] = {NULL};
    for (int i = OBSERVER; i <= HOST_OF_R; i++)
        if (i != who)
            clients[i] = enter(rig, i);
    clients[who] = enter(rig, who);
    char *message = g_strdup_printf("{\"event\":\"%s\",\"id\":7,\"data\":%s}", name, data);
    client_say(clients[who], message);
    char got = verdict(clients[who]);
    g_free(message);
    rig_free(rig);
    return got;
}

static bool has_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(command_rows); i++)
        if (strcmp(command_rows[i].name, name) == 0)
            return true;
    return false;
}

static void test_commands(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; command_name(i); i++)
        if (!has_command(command_name(i)))
            fail_msg("%s: say here which role may", command_name(i));
    for (size_t i = 0; i < G_N_ELEMENTS(command_rows); i++) {
        char got[WHO + 1] = "";
        assert_true(command_exists(command_rows[i].name));
        for (int who = 0; who < WHO; who++)
            got[who] = try_command(command_rows[i].name, command_rows[i].data, who);
        if (strcmp(got, command_rows[i].may) != 0 && ++wrong)
            print_error("%s %s: %s, not %s\n", command_rows[i].name, command_rows[i].data, got, command_rows[i].may);
    }
    assert_int_equal(wrong, 0);
}

// ---- routes -------------------------------------------------------------------------------------------------

// '+': may, '-': 401 or 403, '0': 404, as if it were not there. Room r has its people in it; the call is pat's, and
// CALL its id. Nothing was recorded, taps are off, and what /metrics asks for (a token for every room) nobody here
// has.
static const struct {
    enum http_method method;
    const char *path, *body, *may; // by column
} route_rows[] = {
    {HTTP_GET, "/health", NULL, "+++++"},
    {HTTP_GET, "/calls", NULL, "+++++"},
    {HTTP_GET, "/calls/history", NULL, "-++++"},
    {HTTP_GET, "/calls/active", NULL, "-++++"},
    {HTTP_POST, "/calls/signaling/offer", "{\"callId\":\"CALL\",\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}",
     "--+--"},
    {HTTP_POST, "/calls/signaling/answer", "{\"callId\":\"CALL\",\"answer\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}",
     "--+--"},
    {HTTP_POST, "/calls/signaling/ice-candidate", "{\"callId\":\"CALL\",\"candidate\":null}", "--+--"},
    {HTTP_POST, "/calls", "{\"participantIds\":[\"bob\"]}", "--+++"},
    {HTTP_GET, "/calls/:id", NULL, "--+--"},
    {HTTP_POST, "/calls/:id/answer", "{\"accept\":true}", "--+--"},
    {HTTP_POST, "/calls/:id/end", "{}", "--+--"},
    {HTTP_POST, "/calls/:id/participants", "{\"participantIds\":[\"eve\"]}", "--+--"},
    {HTTP_GET, "/calls/:id/participants", NULL, "--+--"},
    {HTTP_PATCH, "/calls/:id/media", "{\"isMuted\":true}", "--+--"},
    {HTTP_POST, "/api/video/calls", "{}", "--+++"},
    {HTTP_GET, "/api/video/calls/:id", NULL, "--+--"},
    {HTTP_POST, "/api/video/calls/:id/join", "{}", "--+--"},
    {HTTP_POST, "/api/video/calls/:id/end", "{}", "--+--"},
    {HTTP_GET, "/api/ice-servers", NULL, "-++++"},
    {HTTP_GET, "/metrics", NULL, "-----"},
    {HTTP_GET, "/api/webrtc/stats", NULL, "---++"},
    {HTTP_POST, "/api/rooms", "{\"roomId\":\"r\"}", "-+++-"},
    {HTTP_GET, "/api/rooms/:id", NULL, "-+++-"},
    {HTTP_PATCH, "/api/rooms/:id", "{\"locked\":true}", "---+-"},
    {HTTP_DELETE, "/api/rooms/:id", NULL, "---+-"},
    {HTTP_POST, "/api/rooms/:id/recording", "{}", "---+-"},
    {HTTP_DELETE, "/api/rooms/:id/recording", NULL, "---0-"},
    {HTTP_POST, "/api/rooms/:id/taps", "{}", "-----"},
    {HTTP_GET, "/api/rooms/:id/taps", NULL, "-----"},
    {HTTP_DELETE, "/api/rooms/:id/taps/:tap", NULL, "-----"},
    {HTTP_GET, "/api/recordings", NULL, "---00"},
    {HTTP_GET, "/api/recordings/:id", NULL, "---00"},
    {HTTP_DELETE, "/api/recordings/:id", NULL, "---00"},
    {HTTP_GET, "/api/recordings/:id/files/:name", NULL, "---00"},
};

// The call that `:id` stands for where the path is one of calls.
static char *start_call(struct rig *rig)
{
    struct client *pat = client_of(rig, NULL, "pat");
    client_of(rig, NULL, "bob");
    const json_t *ack = client_ask(pat, "call-initiate", "{\"participantIds\":[\"bob\"]}");
    return g_strdup(text_of(ack, "callId"));
}

static char *replace(const char *text, const char *what, const char *with)
{
    char **parts = g_strsplit(text ? text : "", what, 2);
    char *joined = g_strjoinv(with, parts);
    g_strfreev(parts);
    return joined;
}

static char *path_of(const char *pattern, const char *call)
{
    bool is_room = g_str_has_prefix(pattern, "/api/rooms/"), is_call = strstr(pattern, "calls/") != NULL;
    return replace(pattern, ":id", is_room ? "r" : is_call ? call : "x");
}

static void answered_late(void *arg)
{
    (void)arg;
}

static char try_route(size_t row, int who)
{
    struct rig *rig = rig_new(SETTINGS);
    struct site *site = site_new(rig->hub);
    char *call = start_call(rig), *path = path_of(route_rows[row].path, call), *token = token_of(who);
    char *bearer = token ? g_strconcat("Bearer ", token, NULL) : NULL;
    struct http_response response = {0};
    char *body = replace(route_rows[row].body, "CALL", call);
    const struct http_request request = {.method = route_rows[row].method,
                                         .path = path,
                                         .host = "localhost",
                                         .address = "192.0.2.1", // the machine itself has rights of its own
                                         .authorization = bearer,
                                         .content_type = "application/json",
                                         .body = body,
                                         .body_len = strlen(body)};
    for (int i = OBSERVER; i <= HOST_OF_R; i++)
        enter(rig, i);
    struct exchange *x = exchange_new(rig->hub, &request, &response, answered_late, NULL);
    site_serve(site, x);
    int status = response.status; // 0: the answer comes later
    exchange_free(x);
    http_response_clear(&response);
    site_free(site);
    rig_free(rig);
    g_free(call);
    g_free(path);
    g_free(body);
    g_free(token);
    g_free(bearer);
    return status == 401 || status == 403 ? '-' : status == 404 ? '0' : '+';
}

static bool has_route(enum http_method method, const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(route_rows); i++)
        if (route_rows[i].method == method && strcmp(route_rows[i].path, path) == 0)
            return true;
    return false;
}

static void test_routes(void **state)
{
    (void)state;
    enum http_method method;
    const char *path;
    int wrong = 0;
    for (size_t i = 0; (path = site_route(i, &method)); i++)
        if (!has_route(method, path))
            fail_msg("%s %s: say here which role may", http_method_name(method), path);
    for (size_t i = 0; i < G_N_ELEMENTS(route_rows); i++) {
        char got[WHO + 1] = "";
        for (int who = 0; who < WHO; who++)
            got[who] = try_route(i, who);
        if (strcmp(got, route_rows[i].may) != 0 && ++wrong)
            print_error("%s %s: %s, not %s\n", http_method_name(route_rows[i].method), route_rows[i].path, got,
                        route_rows[i].may);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
