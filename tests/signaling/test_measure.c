// Does /api/webrtc/stats tell what is measured, to those who may know, and not too often? (measure.c, api_stats.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/measure.h"
#include "signaling/site.h"
#include "tests/signaling/rig.h"

#define TOKENS "JWT_SECRET=" SECRET

// One question that may wait for its answer.
struct question {
    struct http_request request;
    struct http_response response;
    struct exchange *x;
    unsigned late;
    json_t *json;
};

static void on_late(void *arg)
{
    ((struct question *)arg)->late++;
}

static void ask(struct question *q, struct rig *rig, struct site *site, const char *query, const char *claims)
{
    static const char *fields[2];
    char *token = claims ? make_token(SECRET, claims) : NULL;
    char *header = claims ? g_strconcat("Bearer ", token, NULL) : NULL;
    *q = (struct question){.request = {.method = HTTP_GET,
                                       .path = "/api/webrtc/stats",
                                       .query = query ? fields : NULL,
                                       .authorization = header,
                                       .address = "127.0.0.1"}};
    fields[0] = query;
    q->x = exchange_new(rig->hub, &q->request, &q->response, on_late, q);
    site_serve(site, q->x);
    g_free(token);
    g_free(header);
}

static json_t *told(struct question *q, int status)
{
    assert_int_equal(q->response.status, status);
    json_decref(q->json);
    q->json = json_loadb(q->response.body, q->response.body_len, 0, NULL);
    assert_non_null(q->json);
    return q->json;
}

static void forget(struct question *q)
{
    exchange_free(q->x);
    http_response_clear(&q->response);
    json_decref(q->json);
}

static unsigned measurements(struct rig *rig)
{
    unsigned count = 0;
    for (const char *one; (one = fake_sfu_take(rig->sfu));)
        count += g_str_has_prefix(one, "stats ");
    return count;
}

static void test_a_room_is_told_in_full(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct site *site = site_new(rig->hub);
    struct client *ana = client_new(rig, NULL), *bia = client_new(rig, NULL);
    struct question q;
    client_join(ana, "ana", NULL);
    client_join(bia, "bia", NULL);
    char *text = g_strdup_printf("peer=%" G_GUINT64_FORMAT
                                 " state=connected rtt_us=1000\nsubscriber=1 publisher=%" G_GUINT64_FORMAT
                                 " source=camera bps=5\n",
                                 client_participant(ana)->peer, client_participant(bia)->peer);
    fake_sfu_set_stats(rig->sfu, text);
    ask(&q, rig, site, NULL, NULL);
    assert_true(exchange_is_deferred(q.x));
    rig_turn(rig);
    assert_int_equal(q.late, 1);
    const json_t *json = told(&q, 200);
    assert_int_equal(json_integer_value(json_object_get(json, "totalRooms")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "totalParticipants")), 2);
    assert_int_equal(json_integer_value(json_object_get(json, "totalConnections")), 2);
    const json_t *room = json_array_get(json_object_get(json, "rooms"), 0);
    assert_string_equal(text_of(room, "roomId"), "r");
    const json_t *first = json_array_get(json_object_get(room, "participants"), 0);
    const json_t *second = json_array_get(json_object_get(room, "participants"), 1);
    const json_t *media = json_object_get(first, "media");
    assert_true(json_number_value(json_object_get(media, "rttMs")) == 1.0);
    assert_string_equal(text_of(json_array_get(json_object_get(media, "received"), 0), "userId"), "bia");
    assert_true(json_is_null(json_object_get(second, "media"))); // the media server said nothing of it
    forget(&q);
    g_free(text);
    site_free(site);
    rig_free(rig);
}

static void test_polling_does_not_load_the_workers(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct site *site = site_new(rig->hub);
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    measurements(rig);
    for (int i = 0; i < 50; i++) {
        struct question q;
        ask(&q, rig, site, NULL, NULL);
        rig_turn(rig);
        told(&q, 200);
        forget(&q);
    }
    assert_int_equal(measurements(rig), 1);
    rig_pass(rig, 1.1);
    struct question q;
    ask(&q, rig, site, NULL, NULL);
    rig_turn(rig);
    forget(&q);
    assert_int_equal(measurements(rig), 1);
    site_free(site);
    rig_free(rig);
}

static void test_a_silent_media_server_does_not_keep_anybody(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL);
    struct site *site = site_new(rig->hub);
    struct client *ana = client_new(rig, NULL);
    struct question q, impatient;
    client_join(ana, "ana", NULL);
    fake_sfu_hold(rig->sfu, true);
    ask(&q, rig, site, NULL, NULL);
    ask(&impatient, rig, site, NULL, NULL);
    forget(&impatient); // went away meanwhile
    assert_true(exchange_is_deferred(q.x));
    rig_pass(rig, 1.6);
    const json_t *room = json_array_get(json_object_get(told(&q, 200), "rooms"), 0);
    assert_true(json_is_null(json_object_get(room, "mediaAgeMs")));
    forget(&q);
    fake_sfu_hold(rig->sfu, false);
    client_drop(ana, 1000);
    rig_pass(rig, 1); // the room went with its question
    assert_false(measure_is_waiting(rig->hub));
    site_free(site);
    rig_free(rig);
}

static void test_who_may_see_what(void **state)
{
    (void)state;
    struct rig *rig = rig_new(TOKENS);
    struct site *site = site_new(rig->hub);
    roster_add(&rig->hub->roster, "a", 0, 0);
    roster_add(&rig->hub->roster, "b", 0, 0);
    roster_add(&rig->hub->roster, "c", 0, 0);
    static const struct {
        const char *claims, *query;
        int status, rooms;
    } cases[] = {
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"a\"}", NULL, 200, 1},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":[\"a\",\"c\"]}", NULL, 200, 2},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"*\"}", NULL, 200, 3},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"*\"}", "limit=2", 200, 2},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"*\"}", "roomId=b", 200, 1},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"a\"}", "roomId=b", 200, 0},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"a\"}", "roomId=%20", 400, 0},
        {"{\"sub\":\"x\",\"role\":\"host\",\"room\":\"a\"}", "limit=0", 400, 0},
        {"{\"sub\":\"x\",\"role\":\"participant\",\"room\":\"*\"}", NULL, 403, 0},
        {NULL, NULL, 401, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct question q;
        ask(&q, rig, site, cases[i].query, cases[i].claims);
        const json_t *json = told(&q, cases[i].status);
        assert_int_equal(json_array_size(json_object_get(json, "rooms")), cases[i].rooms);
        forget(&q);
    }
    site_free(site);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_room_is_told_in_full),
        cmocka_unit_test(test_polling_does_not_load_the_workers),
        cmocka_unit_test(test_a_silent_media_server_does_not_keep_anybody),
        cmocka_unit_test(test_who_may_see_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
