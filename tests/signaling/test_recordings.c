// Does who may see a recording get it, whole or in parts, and nobody anything else?
// SPDX-License-Identifier: MIT
//
// library, librarian, desk and their routes, on a real disk.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "signaling/librarian.h"
#include "signaling/site.h"
#include "signaling/webhook.h"
#include "tests/signaling/receiver.h"
#include "tests/signaling/rig.h"

#define ONE  "20260101T100000Z-aaaaaaaaaa"
#define TWO  "20260102T100000Z-bbbbbbbbbb"
#define LIVE "20260103T100000Z-cccccccccc"

// ---- what is on the disk --------------------------------------------------------------------------------------

static char *dir;

static void put(const char *id, const char *name, const char *text)
{
    char *folder = g_build_filename(dir, id, NULL), *path = g_build_filename(folder, name, NULL);
    g_mkdir_with_parents(folder, 0700);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    g_free(folder);
    g_free(path);
}

static bool is_there(const char *id)
{
    char *path = g_build_filename(dir, id, NULL);
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    return exists;
}

static void put_recording(const char *id, const char *room, const char *state, const char *started)
{
    char *manifest =
        g_strdup_printf("{\"version\":1,\"state\":\"%s\",\"started\":\"%s\",\"duration\":61.2,"
                        "\"room\":{\"number\":1,\"id\":\"%s\"},"
                        "\"participants\":[{\"user\":\"ana\",\"name\":\"Ana\"},{\"user\":\"bob\"}],"
                        "\"tracks\":[{\"file\":\"1-camera-ana.webm\",\"user\":\"ana\",\"kind\":\"video\","
                        "\"bytes\":10,\"state\":\"%s\"},"
                        "{\"file\":\"../../secret\",\"state\":\"complete\"}],\"timeline\":[]}",
                        state, started, room, state);
    put(id, "manifest.json", manifest);
    put(id, "1-camera-ana.webm", "0123456789");
    g_free(manifest);
}

static void remove_dir(const char *path)
{
    GDir *list = g_dir_open(path, 0, NULL);
    for (const char *name = list ? g_dir_read_name(list) : NULL; name; name = g_dir_read_name(list)) {
        char *one = g_build_filename(path, name, NULL);
        if (g_file_test(one, G_FILE_TEST_IS_DIR) && !g_file_test(one, G_FILE_TEST_IS_SYMLINK))
            remove_dir(one);
        else
            g_unlink(one);
        g_free(one);
    }
    if (list)
        g_dir_close(list);
    g_rmdir(path);
}

static int set_up(void **state)
{
    (void)state;
    char *base = g_dir_make_tmp("roda-recordings-XXXXXX", NULL);
    dir = g_build_filename(base, "all", NULL);
    char *secret = g_build_filename(base, "secret", NULL);
    assert_true(g_file_set_contents(secret, "not yours", -1, NULL));
    put_recording(ONE, "r", "complete", "2026-01-01T10:00:00.000Z");
    put_recording(TWO, "other", "interrupted", "2026-01-02T10:00:00.000Z");
    put_recording(LIVE, "r", "recording", "2026-01-03T10:00:00.000Z");
    put("not-one", "file", "no manifest");
    put("broken", "manifest.json", "{\"state\":");
    g_free(base);
    g_free(secret);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char *base = g_path_get_dirname(dir);
    remove_dir(base);
    g_free(base);
    g_clear_pointer(&dir, g_free);
    return 0;
}

// ---- who asks -------------------------------------------------------------------------------------------------

static void on_wake(void *arg)
{
    (void)arg;
}

static struct visit reader_of(const char *more)
{
    char *settings = g_strdup_printf("RECORDING_DIR=%s%s%s", dir, more ? " " : "", more ? more : "");
    struct visit r = visit_of(settings);
    r.rig->hub->librarian = librarian_new(&r.rig->config, on_wake, NULL);
    g_free(settings);
    return r;
}

static void reader_clear(struct visit *r)
{
    struct librarian *librarian = r->rig->hub->librarian;
    r->rig->hub->librarian = NULL;
    librarian_free(librarian);
    visit_clear(r);
}

static int ask(struct visit *r, enum http_method method, const char *path)
{
    return visit_ask(r, (struct http_request){.method = method, .path = path});
}

static int list(struct visit *r, const char *const *query)
{
    return visit_ask(r, (struct http_request){.method = HTTP_GET, .path = "/api/recordings", .query = query});
}

static const json_t *item(const struct visit *r, size_t i)
{
    return json_array_get(json_object_get(r->json, "recordings"), i);
}

static size_t count(const struct visit *r)
{
    return json_array_size(json_object_get(r->json, "recordings"));
}

static void test_list(void **state)
{
    (void)state;
    struct visit r = reader_of(NULL);
    assert_int_equal(list(&r, NULL), 200);
    assert_int_equal(count(&r), 3);
    assert_int_equal(json_integer_value(json_object_get(r.json, "total")), 3);
    assert_string_equal(text_of(item(&r, 0), "id"), LIVE); // newest first
    assert_string_equal(text_of(item(&r, 2), "id"), ONE);
    assert_string_equal(text_of(item(&r, 2), "roomId"), "r");
    assert_string_equal(text_of(item(&r, 2), "state"), "complete");
    assert_string_equal(text_of(item(&r, 2), "startedAt"), "2026-01-01T10:00:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(item(&r, 2), "bytes")), 10);
    assert_true(g_strstr_len(r.response.body, (gssize)r.response.body_len, "\"duration\":61.2,") != NULL);
    const json_t *people = json_object_get(item(&r, 2), "participants");
    assert_string_equal(text_of(json_array_get(people, 0), "name"), "Ana");
    assert_string_equal(text_of(json_array_get(people, 1), "name"), "bob");

    static const struct {
        const char *query[3];
        size_t count;
        const char *first;
    } cases[] = {
        {{"roomId=other"}, 1, TWO},
        {{"state=complete"}, 1, ONE},
        {{"state=any"}, 3, LIVE},
        {{"from=2026-01-02T00:00:00Z"}, 2, LIVE},
        {{"from=2026-01-02", "before=2026-01-03T00:00:00Z"}, 1, TWO},
        {{"page=2", "limit=2"}, 1, ONE},
        {{"roomId=nowhere"}, 0, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(list(&r, cases[i].query), i == 4 ? 400 : 200); // a day alone is no moment
        if (i == 4)
            continue;
        assert_int_equal(count(&r), cases[i].count);
        assert_string_equal(text_of(item(&r, 0), "id"), cases[i].first);
    }
    static const char *const wrong[][2] = {
        {"roomId=a b"}, {"state=lost"}, {"limit=1000"}, {"from=yesterday"}, {"page=0"}};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_int_equal(list(&r, wrong[i]), 400);
    put_recording(LIVE, "r", "complete", "2026-01-03T10:00:00.000Z"); // what changes is read again
    assert_int_equal(list(&r, cases[1].query), 200);
    assert_int_equal(count(&r), 2);
    reader_clear(&r);
}

static void test_manifest(void **state)
{
    (void)state;
    struct visit r = reader_of(NULL);
    assert_int_equal(ask(&r, HTTP_GET, "/api/recordings/" ONE), 200);
    assert_string_equal(text_of(r.json, "id"), ONE);
    assert_string_equal(text_of(r.json, "state"), "complete");
    assert_int_equal(ask(&r, HTTP_GET, "/api/recordings/" LIVE), 200);
    static const char *const none[] = {"nothing", "not-one", "broken", "..", ".", "%2e%2e", "not-one/file"};
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        char *path = g_strconcat("/api/recordings/", none[i], NULL);
        assert_int_equal(ask(&r, HTTP_GET, path), 404);
        g_free(path);
    }
    reader_clear(&r);
}

#define FILES "/api/recordings/" ONE "/files/"

static void test_files(void **state)
{
    (void)state;
    struct visit r = reader_of(NULL);
    assert_int_equal(ask(&r, HTTP_GET, FILES "1-camera-ana.webm"), 200);
    assert_string_equal(r.response.content_type, "video/webm");
    assert_int_equal(http_response_size(&r.response), 10);
    assert_true(r.response.has_ranges);
    char *etag = g_strdup(r.response.etag);
    assert_true(etag[0] == '"');
    struct http_request part = {.method = HTTP_GET, .path = FILES "1-camera-ana.webm", .range = "bytes=2-4"};
    assert_int_equal(visit_ask(&r, part), 206);
    assert_string_equal(r.response.content_range, "bytes 2-4/10");
    part.if_range = "\"other\"";
    assert_int_equal(visit_ask(&r, part), 200);
    part.if_range = etag;
    part.range = "bytes=10-";
    assert_int_equal(visit_ask(&r, part), 416);
    struct http_request known = {.method = HTTP_GET, .path = FILES "1-camera-ana.webm", .if_none_match = etag};
    assert_int_equal(visit_ask(&r, known), 304);
    g_free(etag);

    put(ONE, "hook.log", "done");
    assert_int_equal(ask(&r, HTTP_GET, FILES "hook.log"), 200);
    put(ONE, "1-camera-ana.webm.vtt", "WEBVTT");
    assert_int_equal(ask(&r, HTTP_GET, FILES "1-camera-ana.webm.vtt"), 200);
    put(ONE, "unnamed.webm", "x");
    put(ONE, "unnamed.webm.vtt", "x");
    static const char *const none[] = {"manifest.json",
                                       "unnamed.webm",
                                       "unnamed.webm.vtt",
                                       "../../secret",
                                       "2-camera-ana.webm",
                                       "session.mp4",
                                       "",
                                       "..",
                                       "."};
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        char *path = g_strconcat(FILES, none[i], NULL);
        assert_int_equal(ask(&r, HTTP_GET, path), 404);
        g_free(path);
    }
    // Not before it is finished.
    assert_int_equal(ask(&r, HTTP_GET, "/api/recordings/" LIVE "/files/1-camera-ana.webm"), 409);
    // A link is no file of ours.
    char *link = g_build_filename(dir, ONE, "1-camera-ana.webm", NULL);
    g_unlink(link);
    assert_int_equal(symlink("../../secret", link), 0);
    assert_int_equal(ask(&r, HTTP_GET, FILES "1-camera-ana.webm"), 404);
    g_free(link);
    reader_clear(&r);
}

static void test_delete(void **state)
{
    (void)state;
    struct visit r = reader_of(NULL);
    assert_int_equal(ask(&r, HTTP_DELETE, "/api/recordings/" LIVE), 409);
    put(ONE, "hook.started", "");
    char *claim = g_build_filename(dir, ONE, "hook.started", NULL);
    int fd = open(claim, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(ask(&r, HTTP_DELETE, "/api/recordings/" ONE), 409);
    close(fd);
    assert_int_equal(ask(&r, HTTP_DELETE, "/api/recordings/" ONE), 200);
    assert_false(is_there(ONE));
    assert_false(is_there(".deleted-" ONE));
    assert_int_equal(ask(&r, HTTP_DELETE, "/api/recordings/" ONE), 404);
    assert_int_equal(ask(&r, HTTP_DELETE, "/api/recordings/not-one"), 404);
    assert_true(is_there("not-one"));
    g_free(claim);
    reader_clear(&r);
}

static void test_rights(void **state)
{
    (void)state;
    static const struct {
        const char *claims; // NULL: no token
        int list, manifest; // of room r
        size_t count;
    } cases[] = {
        {NULL, 401, 401, 0},
        {"{\"sub\":\"a\",\"room\":\"r\"}", 403, 403, 0},
        {"{\"sub\":\"a\",\"room\":\"r\",\"role\":\"host\",\"record\":false}", 403, 403, 0},
        {"{\"sub\":\"a\",\"role\":\"host\"}", 200, 404, 0},
        {"{\"sub\":\"a\",\"room\":\"other\",\"role\":\"host\"}", 200, 404, 1},
        {"{\"sub\":\"a\",\"room\":[\"other\",\"r\"],\"role\":\"host\"}", 200, 200, 3},
        {"{\"sub\":\"a\",\"room\":\"r\",\"record\":true}", 200, 200, 2},
        {"{\"sub\":\"a\",\"room\":\"*\",\"role\":\"host\"}", 200, 200, 3},
    };
    struct visit r = reader_of("JWT_SECRET=" SECRET);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *token = cases[i].claims ? make_token(SECRET, cases[i].claims) : NULL;
        char *header = token ? g_strconcat("Bearer ", token, NULL) : NULL;
        struct http_request request = {.method = HTTP_GET, .path = "/api/recordings", .authorization = header};
        assert_int_equal(visit_ask(&r, request), cases[i].list);
        assert_int_equal(count(&r), cases[i].count);
        request.path = "/api/recordings/" ONE;
        assert_int_equal(visit_ask(&r, request), cases[i].manifest);
        request.path = FILES "1-camera-ana.webm";
        assert_int_equal(visit_ask(&r, request), cases[i].manifest);
        request.method = HTTP_DELETE;
        request.path = "/api/recordings/" LIVE; // would be 409
        assert_int_equal(visit_ask(&r, request), cases[i].manifest == 200 ? 409 : cases[i].manifest);
        g_free(token);
        g_free(header);
    }
    reader_clear(&r);
}

static void test_off(void **state)
{
    (void)state;
    struct visit r = visit_of(NULL);
    assert_int_equal(list(&r, NULL), 404);
    reader_clear(&r);
}

// The rig's clock says 2026-01-31.
static void test_retention(void **state)
{
    (void)state;
    put_recording("20260130T100000Z-dddddddddd", "r", "complete", "2026-01-30T10:00:00.000Z");
    put(".deleted-before", "file", "left by a deletion that was cut short");
    struct visit r = reader_of("RECORDING_RETENTION_DAYS=20");
    librarian_tick(r.rig->hub->librarian, r.rig->hub->wall_ms);
    assert_int_equal(list(&r, NULL), 200); // after the sweep: one thread
    assert_int_equal(count(&r), 2);
    assert_false(is_there(ONE));
    assert_false(is_there(TWO));
    assert_false(is_there(".deleted-before"));
    assert_true(is_there(LIVE)); // old, but not finished
    assert_true(is_there("not-one"));
    reader_clear(&r);
}

// ---- the webhook ----------------------------------------------------------------------------------------------

struct office {
    struct visit reader;
    struct store *store;
};

static struct office office_of(const char *settings)
{
    char err[200];
    struct office o = {.reader = reader_of(settings)};
    struct hub *hub = o.reader.rig->hub;
    o.store = store_new(&o.reader.rig->config, on_wake, NULL, err, sizeof(err));
    assert_non_null(o.store);
    hub->store = o.store;
    hub->wall_ms = g_get_real_time() / 1000; // deliveries have an age
    hub->webhook = webhook_new(&o.reader.rig->config, o.store, on_wake, NULL);
    assert_non_null(hub->webhook);
    return o;
}

static void office_close(struct office *o)
{
    struct hub *hub = o->reader.rig->hub;
    webhook_free(hub->webhook);
    hub->webhook = NULL;
    hub->store = NULL;
    store_free(o->store);
    reader_clear(&o->reader);
}

static bool is_marked(const char *id)
{
    char *path = g_build_filename(dir, id, ".told", NULL);
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    return exists;
}

static void turn_until_marked(struct office *o, const char *id)
{
    for (unsigned i = 0; i < 20000 && !is_marked(id); i++) {
        hub_rx_librarian(o->reader.rig->hub);
        hub_rx_store(o->reader.rig->hub);
        g_usleep(500);
    }
    assert_true(is_marked(id));
}

// Of what is finished, once each, also by the next process; not of what is being recorded, until it is finished.
static void test_webhook(void **state)
{
    (void)state;
    struct receiver *receiver = receiver_new(0);
    char *settings =
        g_strdup_printf("RECORDING_WEBHOOK=http://127.0.0.1:%d/flaky WEBHOOK_SECRET=" SECRET " DATABASE_URL=%s.db",
                        receiver_port(receiver), dir);
    struct office o = office_of(settings);
    turn_until_marked(&o, ONE);
    turn_until_marked(&o, TWO);
    assert_false(is_marked(LIVE));
    office_close(&o); // the receiver has failed so far; it is tried again by the next process

    o = office_of(settings);
    const char *request = receiver_wait(receiver, "/flaky", 0);
    assert_non_null(strstr(request, "X-Roda-Signature: t="));
    put_recording(LIVE, "r", "interrupted", "2026-01-03T10:00:00.000Z");
    librarian_announce(o.reader.rig->hub->librarian, LIVE);
    librarian_announce(o.reader.rig->hub->librarian, NULL);
    turn_until_marked(&o, LIVE);
    unsigned told[3] = {0};
    static const char *const ids[] = {ONE, TWO, LIVE};
    for (unsigned n = 0; !told[2]; n++) {
        while (receiver_count(receiver, "/flaky") <= n) {
            hub_rx_store(o.reader.rig->hub);
            g_usleep(500);
        }
        const char *body = strstr(receiver_wait(receiver, "/flaky", n), "\r\n\r\n") + 4;
        json_t *json = json_loads(body, 0, NULL), *data = json_object_get(json, "data");
        assert_string_equal(text_of(json, "event"), "recording.finished");
        assert_non_null(strstr(body, "\"duration\":61.2,"));
        for (unsigned i = 0; i < 3; i++)
            told[i] += strcmp(text_of(data, "recordingId"), ids[i]) == 0;
        assert_true(json_is_array(json_object_get(data, "tracks")));
        assert_null(json_object_get(data, "timeline"));
        json_decref(json);
    }
    assert_int_equal(told[2], 1);
    assert_true(told[0] >= 1 && told[1] >= 1);
    office_close(&o);
    receiver_free(receiver);
    g_free(settings);
}

// What a start finds does not pile up: a few at a time, and whoever asks meanwhile is answered in between.
static void test_many_untold(void **state)
{
    (void)state;
    enum { MANY = 3 * LIBRARIAN_FOUND_MAX + 5 };
    for (unsigned i = 0; i < MANY; i++) {
        char *id = g_strdup_printf("20260201T%06uZ-many", i);
        put_recording(id, "many", "complete", "2026-02-01T10:00:00.000Z");
        g_free(id);
    }
    struct visit r = reader_of(NULL);
    struct librarian *a = r.rig->hub->librarian;
    struct librarian_question list = {.kind = LIBRARIAN_LIST, .query = {.limit = 1}};
    assert_true(librarian_ask(a, &list));
    unsigned found = 0, before_list = 0;
    for (unsigned i = 0; i < 20000 && found < MANY + 2; i++) {
        struct librarian_answer *answer = librarian_next(a);
        if (!answer) {
            g_usleep(500);
            continue;
        }
        assert_true(answer->kind == LIBRARIAN_FOUND || answer->kind == LIBRARIAN_LIST);
        found += answer->kind == LIBRARIAN_FOUND;
        if (answer->kind == LIBRARIAN_LIST)
            before_list = found;
        librarian_answer_free(answer);
    }
    assert_int_equal(found, MANY + 2); // and ONE and TWO
    assert_int_equal(before_list, LIBRARIAN_FOUND_MAX);
    reader_clear(&r);
}

static void test_told_is_bounded(void **state)
{
    (void)state;
    struct visit r = reader_of(NULL);
    struct librarian *a = r.rig->hub->librarian;
    char id[32];
    for (unsigned i = 0; i <= LIBRARIAN_TOLD_MAX; i++) {
        g_snprintf(id, sizeof(id), "recording-%u", i);
        assert_true(librarian_may_tell(a, id));
        assert_false(librarian_may_tell(a, id));
    }
    assert_false(librarian_may_tell(a, "recording-1"));
    assert_true(librarian_may_tell(a, "recording-0")); // told again rather than never
    for (unsigned i = 0; i < LIBRARIAN_TOLD_MAX; i++)
        librarian_mark_later(a, "recording-0", 7);
    assert_false(librarian_may_tell(a, "one-more"));
    reader_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_manifest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_webhook, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_untold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
