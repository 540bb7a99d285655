// Do other servers hear of everything, signed, in order, and once more when they did not take it?
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/archive.h"
#include "signaling/calls.h"
#include "signaling/courier.h"
#include "signaling/hooks.h"
#include "signaling/log.h"
#include "signaling/presence.h"
#include "signaling/webhook.h"
#include "tests/signaling/receiver.h"
#include "tests/signaling/rig.h"
#include "tests/signaling/wire.h"

#define HOOK_SECRET "0123456789abcdef"

enum { PATIENCE_S = 20 };

static void no_wake(void *arg)
{
    (void)arg;
}

// ---- the courier ----------------------------------------------------------------------------------------------

static struct courier *make_courier(unsigned timeout_ms)
{
    return courier_new(
        &(struct courier_config){.secret = HOOK_SECRET, .retry_min_ms = 10, .timeout_ms = timeout_ms, .wake = no_wake});
}

static struct parcel *make_parcel(const struct receiver *receiver, const char *path, const char *subject,
                                  const char *body)
{
    char *url = g_strdup_printf("http://127.0.0.1:%d%s", receiver_port(receiver), path);
    struct parcel *parcel = parcel_new(body, url, subject, body);
    parcel->created_ms = g_get_real_time() / 1000;
    g_free(url);
    return parcel;
}

// The next parcel that is done with.
static struct parcel *wait_done(struct courier *courier, unsigned *failures)
{
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    while (g_get_monotonic_time() < until_us) {
        struct parcel *parcel = courier_take(courier);
        if (parcel && parcel->outcome != PARCEL_LATER)
            return parcel;
        *failures += parcel != NULL;
        if (parcel)
            parcel_free(parcel);
        else
            g_usleep(1000);
    }
    fail_msg("nothing became of it");
    return NULL;
}

static void expect_done(struct courier *courier, const char *id, enum outcome outcome, unsigned failures)
{
    unsigned failed = 0;
    struct parcel *parcel = wait_done(courier, &failed);
    assert_string_equal(parcel->id, id);
    assert_int_equal(parcel->outcome, outcome);
    assert_int_equal(failed, failures);
    assert_int_equal(parcel->attempts, failures + 1);
    parcel_free(parcel);
}

static void courier_end(struct courier *courier)
{
    courier_stop(courier, 0);
    courier_free(courier);
}

static void test_signature(void **state)
{
    (void)state;
    char signature[SIGNATURE_SIZE];
    courier_sign(signature, HOOK_SECRET, 1769853600, "{\"id\":\"x\"}");
    assert_string_equal(signature,
                        "t=1769853600,v1=099c1d7dfc521924bf39a31e2c8b7e89666ce15b0893ca4b176c151436a7b9ae");
}

static void test_request(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    struct courier *courier = make_courier(5000);
    courier_post(courier, make_parcel(receiver, "/ok", "s", "{\"olá\":1}"));
    expect_done(courier, "{\"olá\":1}", PARCEL_TAKEN, 0);
    const char *request = receiver_wait(receiver, "/ok", 0);
    const char *said = strstr(request, "\r\nX-Roda-Signature: ");
    assert_non_null(said);
    assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"olá\":1}"));
    char signature[SIGNATURE_SIZE];
    int64_t t = g_ascii_strtoll(strstr(said, "t=") + 2, NULL, 10);
    assert_true(llabs(t - g_get_real_time() / G_USEC_PER_SEC) < 60);
    courier_sign(signature, HOOK_SECRET, t, "{\"olá\":1}");
    assert_non_null(strstr(said, signature));
    courier_end(courier);
    receiver_free(receiver);
}

// What is not 2xx is tried again, without following anybody elsewhere; 410 means no.
static void test_answers(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    struct courier *courier = make_courier(5000);
    courier_post(courier, make_parcel(receiver, "/flaky", "s", "a"));
    expect_done(courier, "a", PARCEL_TAKEN, 2);
    courier_post(courier, make_parcel(receiver, "/gone", "s", "b"));
    expect_done(courier, "b", PARCEL_GIVEN_UP, 0);
    courier_post(courier, make_parcel(receiver, "/big", "s", "c"));
    expect_done(courier, "c", PARCEL_TAKEN, 0);
    struct parcel *old = make_parcel(receiver, "/redirect", "s", "d");
    old->created_ms -= PARCEL_AGE_MAX_S * INT64_C(1000);
    courier_post(courier, old);
    expect_done(courier, "d", PARCEL_GIVEN_UP, 0);
    courier_post(courier, make_parcel(receiver, "/redirect", "s", "e"));
    receiver_wait(receiver, "/redirect", 3);
    assert_int_equal(receiver_count(receiver, "/ok"), 0);
    courier_end(courier);
    receiver_free(receiver);
}

// One subject keeps its order, whatever goes wrong; the others do not wait for it.
static void test_order(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    struct courier *courier = make_courier(5000);
    static const char *const bodies[] = {"1", "2", "3", "4", "5"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        courier_post(courier, make_parcel(receiver, "/flaky", "s", bodies[i]));
    expect_done(courier, "1", PARCEL_TAKEN, 2);
    for (size_t i = 1; i < G_N_ELEMENTS(bodies); i++)
        expect_done(courier, bodies[i], PARCEL_TAKEN, 0);
    for (unsigned i = 0; i < 7; i++) {
        const char *body = strstr(receiver_wait(receiver, "/flaky", i), "\r\n\r\n") + 4;
        assert_string_equal(body, bodies[i < 2 ? 0 : i - 2]);
    }
    courier_end(courier);
    receiver_free(receiver);
}

// Who does not answer takes its lanes and nobody else's, and the end does not wait for it.
static void test_slow(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    struct courier *courier = make_courier(60000);
    for (unsigned i = 0; i < 2 * COURIER_LANES; i++) {
        char subject[16];
        g_snprintf(subject, sizeof(subject), "s%u", i);
        courier_post(courier, make_parcel(receiver, "/never", subject, "slow"));
    }
    receiver_wait(receiver, "/never", COURIER_LANES - 1);
    courier_post(courier, make_parcel(receiver, "/ok", "s0", "quick"));
    expect_done(courier, "quick", PARCEL_TAKEN, 0);
    assert_int_equal(receiver_count(receiver, "/never"), COURIER_LANES);
    courier_end(courier);
    receiver_free(receiver);
}

static void test_timeout(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    struct courier *courier = make_courier(50);
    courier_post(courier, make_parcel(receiver, "/never", "s", "slow"));
    receiver_wait(receiver, "/never", 2);
    courier_end(courier);
    receiver_free(receiver);
}

// ---- from an event to a receiver ------------------------------------------------------------------------------

struct office {
    struct receiver *receiver;
    char *dir, *path;
    struct rig *rig;
    struct webhook *webhook;
};

static void office_open(struct office *office, int port)
{
    char err[400];
    char *settings = g_strdup_printf(
        "WEBHOOK_URL=http://127.0.0.1:%d/ok,http://localhost:%d/flaky WEBHOOK_SECRET=" HOOK_SECRET " DATABASE_URL=%s",
        port, port, office->path);
    office->rig = rig_new(settings);
    struct store *store = store_new(&office->rig->config, no_wake, NULL, err, sizeof(err));
    if (!store)
        fail_msg("%s", err);
    office->rig->hub->wall_ms = g_get_real_time() / 1000; // deliveries have an age
    office->webhook = webhook_new(&office->rig->config, store, no_wake, NULL);
    archive_attach(office->rig->hub, store);
    hooks_attach(office->rig->hub, office->webhook);
    g_free(settings);
}

static void office_close(struct office *office)
{
    struct store *store = office->rig->hub->store;
    rig_free(office->rig);
    webhook_free(office->webhook);
    store_free(store);
}

static struct office *office_new(void)
{
    struct office *office = g_new0(struct office, 1);
    office->receiver = receiver_new(0);
    office->dir = g_dir_make_tmp("roda-webhook-XXXXXX", NULL);
    office->path = g_build_filename(office->dir, "roda.db", NULL);
    office_open(office, receiver_port(office->receiver));
    return office;
}

static void office_free(struct office *office)
{
    char *lock = g_strconcat(office->path, ".lock", NULL);
    office_close(office);
    if (office->receiver)
        receiver_free(office->receiver);
    g_remove(office->path);
    g_remove(lock);
    g_rmdir(office->dir);
    g_free(lock);
    g_free(office->path);
    g_free(office->dir);
    g_free(office);
}

// Turns until that many deliveries were taken.
static void wait_taken(struct office *office, uint64_t count)
{
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    while (webhook_health(office->webhook).taken < count) {
        if (g_get_monotonic_time() > until_us)
            fail_msg("%d taken, not %d", (int)webhook_health(office->webhook).taken, (int)count);
        rig_turn(office->rig);
        g_usleep(1000);
    }
}

// The event number n as the receiver got it; to be released.
static json_t *event_at(struct office *office, const char *path, unsigned n)
{
    const char *body = strstr(receiver_wait(office->receiver, path, n), "\r\n\r\n") + 4;
    json_t *json = json_loads(body, 0, NULL);
    assert_non_null(json);
    assert_int_equal(strlen(text_of(json, "id")), 36);
    assert_int_equal(strlen(text_of(json, "timestamp")), strlen("2026-01-31T10:00:00.000Z"));
    return json;
}

static void expect_event(struct office *office, unsigned n, const char *event, const char *field, const char *value)
{
    json_t *json = event_at(office, "/ok", n);
    assert_string_equal(text_of(json, "event"), event);
    assert_string_equal(text_of(json_object_get(json, "data"), field), value);
    json_decref(json);
}

static void test_room(void **state)
{
    (void)state;
    struct office *office = office_new();
    struct client *ana = client_new(office->rig, NULL);
    client_say(ana, "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"userId\":\"ana\"}}");
    client_say(ana, "{\"event\":\"leave-room\"}");
    wait_taken(office, 8);
    expect_event(office, 0, "room.created", "roomId", "r");
    expect_event(office, 1, "participant.joined", "userId", "ana");
    expect_event(office, 2, "participant.left", "reason", "left");
    expect_event(office, 3, "room.closed", "reason", "empty");
    json_t *here = event_at(office, "/ok", 0), *there = event_at(office, "/flaky", 0);
    assert_true(json_equal(here, there)); // the same id for both
    json_decref(here);
    json_decref(there);
    assert_int_equal(webhook_health(office->webhook).tries_failed, 2);
    assert_int_equal(webhook_health(office->webhook).waiting, 0);
    office_free(office);
}

// Whoever closes a room is named, though gone with it.
static void test_room_closed(void **state)
{
    (void)state;
    struct office *office = office_new();
    struct client *ana = client_new(office->rig, NULL);
    client_say(ana, "{\"event\":\"join-room\",\"data\":{\"roomId\":\"r\",\"userId\":\"ana\",\"role\":\"host\"}}");
    client_say(ana, "{\"event\":\"close-room\",\"data\":{\"reason\":\"enough\"}}");
    wait_taken(office, 8);
    expect_event(office, 2, "participant.left", "reason", "closed");
    expect_event(office, 3, "room.closed", "closedBy", "ana");
    office_free(office);
}

static struct call *ring(struct office *office, struct client *caller, const char *user)
{
    struct fault fault = {0};
    struct actor actor;
    session_identify(caller->session, "ana", "Ana");
    assert_true(actor_of_session(caller->session, &actor));
    struct call *call = calls_start(office->rig->hub, &actor,
                                    &(struct call_wish){.type = CALL_VIDEO, .users = &user, .user_count = 1}, &fault);
    assert_non_null(call);
    return call;
}

static void test_call(void **state)
{
    (void)state;
    struct office *office = office_new();
    struct client *ana = client_new(office->rig, "call"), *bob = client_new(office->rig, "call");
    struct call *call = ring(office, ana, "bob");
    struct fault fault = {0};
    struct actor actor;
    session_identify(bob->session, "bob", "Bob");
    assert_true(actor_of_session(bob->session, &actor));
    assert_true(calls_answer(office->rig->hub, call, &actor, NULL, &fault));
    assert_true(calls_end(office->rig->hub, call, &actor, NULL, &fault));
    wait_taken(office, 14);
    static const char *const events[] = {"participant.joined", "call.started", "participant.joined",
                                         "call.answered",      "call.ended",   "participant.left",
                                         "participant.left"};
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        expect_event(office, i, events[i], "callId", call->id);
    json_t *end = event_at(office, "/ok", 4);
    const json_t *data = json_object_get(end, "data");
    assert_string_equal(text_of(data, "endedBy"), "bob");
    assert_string_equal(text_of(data, "status"), "ENDED");
    assert_true(json_is_integer(json_object_get(data, "duration")));
    assert_int_equal(json_array_size(json_object_get(data, "participants")), 2);
    json_decref(end);
    office_free(office);
}

// Nobody takes it before the server ends; then somebody does, and it is the same event.
static void test_restart(void **state)
{
    (void)state;
    struct office *office = office_new();
    int port = receiver_port(office->receiver);
    receiver_free(office->receiver);
    office->receiver = NULL;
    webhook_emit(office->webhook, "test", "s", json_pack("{s:i}", "n", 1), g_get_real_time() / 1000);
    webhook_emit(office->webhook, "test", "s", json_pack("{s:i}", "n", 2), g_get_real_time() / 1000);
    office_close(office);
    office->receiver = receiver_new(port);
    office_open(office, port);
    assert_int_equal(webhook_health(office->webhook).waiting, 4);
    wait_taken(office, 2);
    json_t *first = event_at(office, "/ok", 0), *second = event_at(office, "/ok", 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "data"), "n")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(second, "data"), "n")), 2);
    json_decref(first);
    json_decref(second);
    office_free(office);
}

// The real process: what it tells arrives without anybody turning a crank.
static void test_process(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    char *url = g_strdup_printf("WEBHOOK_URL=http://127.0.0.1:%d/ok", receiver_port(receiver));
    struct process process =
        process_start((const char *const[]){url, "WEBHOOK_SECRET=" HOOK_SECRET, "DRAIN_TIMEOUT=0", NULL});
    int status;
    struct ws ws = ws_open(&process, "/ws", NULL, &status);
    assert_int_equal(status, 101);
    ws_say(&ws, "{\"event\":\"join-room\",\"id\":1,\"data\":{\"roomId\":\"r\",\"userId\":\"ana\"}}");
    ws_wait(&ws, "ack");
    assert_non_null(strstr(receiver_wait(receiver, "/ok", 0), "\"event\":\"room.created\""));
    assert_non_null(strstr(receiver_wait(receiver, "/ok", 1), "\"event\":\"participant.joined\""));
    ws_close(&ws);
    assert_int_equal(process_stop(&process), 0);
    // What happens at the end is told as well.
    assert_non_null(strstr(receiver_wait(receiver, "/ok", 2), "\"event\":\"participant.left\""));
    assert_non_null(strstr(receiver_wait(receiver, "/ok", 3), "\"event\":\"room.closed\""));
    receiver_free(receiver);
    g_free(url);
}

// A url that is no longer set gets nothing any more.
static void test_other_url(void **state)
{
    (void)state;
    struct office *office = office_new();
    int port = receiver_port(office->receiver);
    receiver_free(office->receiver);
    webhook_emit(office->webhook, "test", "s", json_object(), g_get_real_time() / 1000);
    office_close(office);
    office->receiver = receiver_new(0);
    assert_true(receiver_port(office->receiver) != port);
    office_open(office, receiver_port(office->receiver));
    assert_int_equal(webhook_health(office->webhook).waiting, 0);
    office_free(office);
}

static void test_none(void **state)
{
    (void)state;
    struct config config;
    config_init(&config);
    assert_null(webhook_new(&config, NULL, no_wake, NULL));
    webhook_emit(NULL, "test", "s", json_object(), 0);
    webhook_rx(NULL);
    webhook_free(NULL);
    assert_int_equal(webhook_health(NULL).waiting, 0);
    config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature),   cmocka_unit_test(test_request), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_order),       cmocka_unit_test(test_slow),    cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_room),        cmocka_unit_test(test_call),    cmocka_unit_test(test_restart),
        cmocka_unit_test(test_other_url),   cmocka_unit_test(test_none),    cmocka_unit_test(test_process),
        cmocka_unit_test(test_room_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
