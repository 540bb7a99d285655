// How does a test sit at the session layer? (a hub without a network, clients that collect what they are told)
// SPDX-License-Identifier: MIT
#include "tests/signaling/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/archive.h"
#include "signaling/calls.h"
#include "signaling/commands.h"
#include "signaling/crypto.h"
#include "signaling/librarian.h"
#include "signaling/log.h"
#include "signaling/site.h"

enum { PATIENCE_S = 20 };

static const int64_t START_US = 1000000000, START_MS = INT64_C(1769853600000); // 2026-01-31T10:00:00Z

struct rig *rig_new(const char *settings)
{
    struct rig *rig = g_new0(struct rig, 1);
    char err[400];
    log_init(LOG_LEVEL_ERROR, LOG_TEXT);
    char **words = g_strsplit(settings ? settings : "", " ", -1);
    config_init(&rig->config);
    for (char **word = words; *word && **word; word++) {
        char *equals = strchr(*word, '=');
        *equals = '\0';
        assert_int_equal(config_set(&rig->config, *word, equals + 1, err, sizeof(err)), 0);
    }
    g_strfreev(words);
    assert_int_equal(config_check(&rig->config, err, sizeof(err)), 0);
    rig->auth = auth_new(&rig->config, err, sizeof(err));
    rig->sfu = sfu_new(&(struct sfu_config){0}, err, sizeof(err));
    assert_non_null(rig->auth);
    assert_non_null(rig->sfu);
    rig->hub = hub_new(&rig->config, rig->auth, rig->sfu, START_US, START_MS);
    rig->clients = g_ptr_array_new();
    return rig;
}

static void client_free(struct client *client)
{
    if (client->session)
        client_drop(client, 1006);
    g_queue_clear_full(&client->inbox, (GDestroyNotify)json_decref);
    json_decref(client->last);
    g_free(client);
}

void rig_free(struct rig *rig)
{
    for (guint i = 0; i < rig->clients->len; i++)
        client_free(rig->clients->pdata[i]);
    g_ptr_array_free(rig->clients, TRUE);
    hub_free(rig->hub);
    if (rig->store)
        assert_int_equal(store_health(rig->store).lost, 0);
    store_free(rig->store);
    assert_int_equal(fake_sfu_peer_count(rig->sfu), 0);
    sfu_free(rig->sfu);
    auth_free(rig->auth);
    config_clear(&rig->config);
    g_free(rig);
}

void rig_turn(struct rig *rig)
{
    hub_rx_sfu(rig->hub);
    hub_rx_store(rig->hub);
    for (guint i = 0; i < rig->clients->len; i++) {
        struct client *client = rig->clients->pdata[i];
        if (client->session && client->close_code)
            client_drop(client, client->close_code);
    }
}

void rig_pass(struct rig *rig, double seconds)
{
    int ticks = (int)(seconds * 1000 / TICK_EVERY_MS);
    for (int i = 0; i < ticks; i++) {
        rig->hub->now_us += TICK_EVERY_MS * 1000;
        rig->hub->wall_ms += TICK_EVERY_MS;
        hub_tick(rig->hub);
        rig_turn(rig);
    }
}

static void no_wake(void *arg)
{
    (void)arg;
}

void rig_open_store(struct rig *rig)
{
    char err[400];
    rig->store = store_new(&rig->config, no_wake, NULL, err, sizeof(err));
    if (!rig->store)
        fail_msg("%s", err);
    archive_attach(rig->hub, rig->store);
}

void settle_store(struct store *store)
{
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    store_flush(store);
    while (store_settled(store) < store_last_ticket(store)) {
        if (g_get_monotonic_time() > until_us)
            fail_msg("nothing was written for %d s", PATIENCE_S);
        g_usleep(1000);
    }
}

void rig_settle(struct rig *rig)
{
    settle_store(rig->store);
    rig_turn(rig);
}

// ---- clients ------------------------------------------------------------------------------------------------

static void on_send(void *arg, const char *text)
{
    struct client *client = arg;
    json_t *message = json_loads(text, 0, NULL);
    assert_non_null(message);
    assert_true(json_is_string(json_object_get(message, "event")));
    assert_int_equal(json_string_length(json_object_get(message, "timestamp")), strlen("2026-01-31T10:00:00.000Z"));
    g_queue_push_tail(&client->inbox, message);
}

static void on_ping(void *arg)
{
    ((struct client *)arg)->ping_count++;
}

static void on_close(void *arg, uint16_t code, const char *reason)
{
    struct client *client = arg;
    client->close_code = code;
    g_strlcpy(client->close_reason, reason, sizeof(client->close_reason));
}

static const struct session_output output = {on_send, on_ping, on_close};

struct client *client_new(struct rig *rig, const char *dialect)
{
    struct client *client = g_new0(struct client, 1);
    client->rig = rig;
    client->session = session_new(rig->hub, &output, client, dialect ? dialect_find(dialect) : NULL, NULL);
    g_queue_init(&client->inbox);
    g_ptr_array_add(rig->clients, client);
    return client;
}

struct client *client_of(struct rig *rig, const char *dialect, const char *user)
{
    struct client *client = client_new(rig, dialect);
    if (auth_is_open(rig->auth)) {
        session_identify(client->session, user, user);
        return client;
    }
    struct identity identity = {.name = g_strdup(user), .role = ROLE_PARTICIPANT};
    g_strlcpy(identity.user, user, sizeof(identity.user));
    session_set_identity(client->session, &identity);
    return client;
}

struct call *call_of(struct rig *rig, const char *id)
{
    struct call *call = calls_find(rig->hub, id);
    assert_non_null(call);
    return call;
}

void client_say(struct client *client, const char *message)
{
    assert_non_null(client->session);
    command_rx(client->session, message, strlen(message));
    rig_turn(client->rig);
}

static json_t *take_reply(struct client *client, const char *event, int id)
{
    for (GList *at = client->inbox.head; at; at = at->next) {
        json_t *message = at->data;
        if (strcmp(text_of(message, "event"), event) != 0 || json_integer_value(json_object_get(message, "id")) != id)
            continue;
        g_queue_delete_link(&client->inbox, at);
        json_decref(client->last);
        client->last = message;
        return json_object_get(message, "data");
    }
    return NULL;
}

static int ask(struct client *client, const char *event, const char *data)
{
    int id = ++client->next_id;
    char *message = g_strdup_printf("{\"event\":\"%s\",\"id\":%d,\"data\":%s}", event, id, data);
    client_say(client, message);
    g_free(message);
    return id;
}

json_t *client_ask(struct client *client, const char *event, const char *data)
{
    int id = ask(client, event, data);
    json_t *ack = take_reply(client, "ack", id);
    if (!ack) {
        json_t *error = take_reply(client, "error", id);
        fail_msg("%s: no ack: %s: %s", event, text_of(error, "code"), text_of(error, "message"));
    }
    assert_null(take_reply(client, "ack", id));
    return ack;
}

void client_ask_badly(struct client *client, const char *event, const char *data, const char *code)
{
    int id = ask(client, event, data);
    assert_null(take_reply(client, "ack", id));
    json_t *error = take_reply(client, "error", id);
    assert_non_null(error);
    assert_string_equal(text_of(error, "code"), code);
    assert_string_equal(text_of(error, "event"), event);
    assert_true(strlen(text_of(error, "message")) > 0);
    if (strcmp(code, "bad-field") == 0)
        assert_non_null(strchr(text_of(error, "message"), ':'));
}

json_t *client_wait(struct client *client, const char *event)
{
    json_t *message;
    while ((message = g_queue_pop_head(&client->inbox))) {
        json_decref(client->last);
        client->last = message;
        if (strcmp(text_of(message, "event"), event) == 0)
            return json_object_get(message, "data");
    }
    fail_msg("never told: %s", event);
    return NULL;
}

bool client_was_told(struct client *client, const char *event)
{
    for (GList *at = client->inbox.head; at; at = at->next)
        if (strcmp(text_of(at->data, "event"), event) == 0)
            return true;
    return false;
}

void client_clear(struct client *client)
{
    g_queue_clear_full(&client->inbox, (GDestroyNotify)json_decref);
    g_queue_init(&client->inbox);
}

void client_drop(struct client *client, uint16_t code)
{
    struct session *session = client->session;
    client->session = NULL;
    hub_lost(session, code);
}

json_t *client_join(struct client *client, const char *user, const char *more)
{
    char *data = g_strdup_printf("{\"roomId\":\"r\",\"userId\":\"%s\",\"name\":\"%s\"%s%s}", user, user,
                                 more ? "," : "", more ? more : "");
    json_t *ack = client_ask(client, "join-room", data);
    g_free(data);
    return ack;
}

struct participant *client_participant(struct client *client)
{
    assert_non_null(client->session);
    assert_non_null(client->session->participant);
    return client->session->participant;
}

// ---- small things -------------------------------------------------------------------------------------------

const char *text_of(const json_t *data, const char *field)
{
    const char *text = json_string_value(json_object_get(data, field));
    return text ? text : "";
}

bool flag_of(const json_t *data, const char *field)
{
    assert_true(json_is_boolean(json_object_get(data, field)));
    return json_is_true(json_object_get(data, field));
}

void expect_command(struct rig *rig, const char *beginning)
{
    const char *line;
    while ((line = fake_sfu_take(rig->sfu)))
        if (g_str_has_prefix(line, beginning))
            return;
    fail_msg("the media server was never told: %s", beginning);
}

void forget_commands(struct rig *rig)
{
    while (fake_sfu_take(rig->sfu))
        ;
}

static char *base64url(const void *data, size_t len)
{
    char *text = g_base64_encode(data, len);
    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    *strchrnul(text, '=') = '\0';
    return text;
}

char *make_token_with(const char *header, const char *secret, const char *claims)
{
    char *first = base64url(header, strlen(header)), *second = base64url(claims, strlen(claims));
    char *text = g_strconcat(first, ".", second, NULL);
    uint8_t mac[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha256(secret, text, strlen(text), mac);
    char *third = base64url(mac, sizeof(mac));
    char *token = g_strconcat(text, ".", third, NULL);
    g_free(first);
    g_free(second);
    g_free(third);
    g_free(text);
    return token;
}

char *make_token(const char *secret, const char *claims)
{
    return make_token_with("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", secret, claims);
}

char *make_bearer(const char *claims)
{
    char *token = make_token(SECRET, claims);
    char *bearer = g_strconcat("Bearer ", token, NULL);
    g_free(token);
    return bearer;
}

// ---- HTTP ---------------------------------------------------------------------------------------------------

struct visit visit_of(const char *settings)
{
    struct visit visit = {.rig = rig_new(settings)};
    visit.site = site_new(visit.rig->hub);
    return visit;
}

void visit_clear(struct visit *visit)
{
    json_decref(visit->json);
    http_response_clear(&visit->response);
    site_free(visit->site);
    rig_free(visit->rig);
}

static void on_late(void *arg)
{
    *(bool *)arg = true;
}

int visit_ask(struct visit *visit, struct http_request request)
{
    bool is_late = false;
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    json_decref(visit->json);
    http_response_clear(&visit->response);
    request.host = request.host ? request.host : "localhost:3001";
    request.address = request.address ? request.address : "127.0.0.1";
    request.content_type = request.content_type ? request.content_type : "application/json";
    request.body_len = request.body ? strlen(request.body) : 0;
    struct exchange *x = exchange_new(visit->rig->hub, &request, &visit->response, on_late, &is_late);
    site_serve(visit->site, x);
    bool is_deferred = exchange_is_deferred(x);
    while (exchange_is_deferred(x) && g_get_monotonic_time() < until_us) {
        hub_rx_librarian(visit->rig->hub);
        rig_turn(visit->rig);
        g_usleep(200);
    }
    assert_true(is_late || !is_deferred);
    exchange_free(x);
    rig_turn(visit->rig);
    visit->json = visit->response.body ? json_loadb(visit->response.body, visit->response.body_len, 0, NULL) : NULL;
    return visit->response.status;
}
