// Does an exchange read what was asked, name what is wrong, and answer once, now or later?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/exchange.h"
#include "tests/signaling/rig.h"

static struct rig *rig;
static struct http_request request;
static struct http_response response;
static struct exchange *x;
static unsigned late_count;

static void on_late(void *arg)
{
    assert_ptr_equal(arg, &response);
    assert_true(response.status > 0);
    late_count++;
}

static void open_exchange(struct http_request wanted)
{
    request = wanted;
    x = exchange_new(rig->hub, &request, &response, on_late, &response);
}

static void close_exchange(void)
{
    exchange_free(x);
    x = NULL;
    http_response_clear(&response);
}

static int set_up(void **state)
{
    (void)state;
    rig = rig_new(NULL);
    late_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_exchange();
    rig_free(rig);
    return 0;
}

// "code: message" of the answer.
static char *error_text(void)
{
    json_t *json = json_loadb(response.body, response.body_len, 0, NULL);
    const json_t *error = json_object_get(json, "error");
    char *text = g_strdup_printf("%d %s: %s", response.status, text_of(error, "code"), text_of(error, "message"));
    json_decref(json);
    return text;
}

static void expect_error(const char *beginning)
{
    char *text = error_text();
    if (!g_str_has_prefix(text, beginning))
        fail_msg("%s, not %s", text, beginning);
    g_free(text);
}

static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
        const char *id, *user;
    } cases[] = {
        {"/calls", "/calls", true, NULL, NULL},
        {"/calls", "/calls/", false, NULL, NULL},
        {"/calls/:id", "/calls/5", true, "5", NULL},
        {"/calls/:id", "/calls/", false, NULL, NULL},
        {"/calls/:id", "/calls", false, NULL, NULL},
        {"/calls/:id", "/calls/5/", false, NULL, NULL},
        {"/calls/:id", "/calls/5/x", false, NULL, NULL},
        {"/calls/:id/media", "/calls/5/media", true, "5", NULL},
        {"/calls/:id/media", "/calls//media", false, NULL, NULL},
        {"/calls/:id/media", "/calls/5/medi", false, NULL, NULL},
        {"/calls/:id/media", "/calls/5/media2", false, NULL, NULL},
        {"/calls/:id/users/:user", "/calls/5/users/ana", true, "5", "ana"},
        {"/:id/:user", "/a/b", true, "a", "b"},
        {"/:id/x/:user/y", "/:id/x/:user/y", true, ":id", ":user"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        open_exchange((struct http_request){.path = cases[i].path});
        if (exchange_matches(x, cases[i].pattern) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].path);
        if (cases[i].id)
            assert_string_equal(exchange_param(x, "id"), cases[i].id);
        if (cases[i].user)
            assert_string_equal(exchange_param(x, "user"), cases[i].user);
        close_exchange();
    }
}

static bool reads(enum http_method method, const char *type, const char *body, const char *const *query)
{
    close_exchange();
    open_exchange((struct http_request){.method = method,
                                        .path = "/",
                                        .content_type = type,
                                        .body = body,
                                        .body_len = body ? strlen(body) : 0,
                                        .query = query});
    return exchange_read(x);
}

static void test_bodies(void **state)
{
    (void)state;
    static const char json[] = "application/json";
    assert_true(reads(HTTP_POST, NULL, NULL, NULL));
    assert_false(field_has(&x->body, "a"));
    assert_true(reads(HTTP_POST, json, "{\"a\":1}", NULL));
    assert_int_equal(field_int(&x->body, "a", 0, 5, 0), 1);
    assert_true(reads(HTTP_PATCH, "Application/JSON; charset=utf-8", "{\"a\":1}", NULL));
    assert_true(reads(HTTP_GET, NULL, "what a GET carries has no meaning", NULL));
    char *deep = g_strnfill(100000, '[');
    char *deep_field = g_strconcat("{\"a\":", deep, NULL);
    static const struct {
        const char *type, *body, *error;
    } wrong[] = {
        {NULL, "{}", "415 unsupported-media-type"},
        {"text/plain", "{}", "415 unsupported-media-type"},
        {"application/jsonx", "{}", "415 unsupported-media-type"},
        {"application/json", "{", "400 bad-json"},
        {"application/json", "[]", "400 bad-json"},
        {"application/json", "5", "400 bad-json"},
        {"application/json", "{\"a\":1,\"a\":2}", "400 bad-json"},
        {"application/json", "{\"a\":\"\xff\"}", "400 bad-json"},
        {"application/json", "{\"a\":\"\\u0000\"}", "400 bad-json"},
        {"application/json", "{}{}", "400 bad-json"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_false(reads(HTTP_POST, wrong[i].type, wrong[i].body, NULL));
        expect_error(wrong[i].error);
    }
    assert_false(reads(HTTP_POST, json, deep, NULL));
    expect_error("400 bad-json: more than 12 levels deep");
    assert_false(reads(HTTP_POST, json, deep_field, NULL));
    expect_error("400 bad-json: more than 12 levels deep");
    g_free(deep);
    g_free(deep_field);
}

static void test_queries(void **state)
{
    (void)state;
    static const char *const good[] = {"page=3", "limit=20", "flag=true", "name=a=b", "bare", NULL};
    assert_true(reads(HTTP_GET, NULL, NULL, good));
    struct page page = exchange_page(x);
    assert_int_equal(page.page, 3);
    assert_int_equal(page.limit, 20);
    assert_int_equal(page.offset, 40);
    assert_true(field_bool(&x->query, "flag", false));
    assert_string_equal(field_text(&x->query, "name", 10), "a=b");
    assert_string_equal(field_text(&x->query, "bare", 10), "");
    assert_false(exchange_is_wrong(x));
    static const struct {
        const char *field, *error;
    } wrong[] = {
        {"page=0", "400 bad-field: page"},     {"page=-1", "400 bad-field: page"},
        {"page=x", "400 bad-field: page"},     {"page=", "400 bad-field: page"},
        {"page=1.5", "400 bad-field: page"},   {"page=99999999999999999999", "400 bad-field: page"},
        {"page= 1", "400 bad-field: page"},    {"limit=0", "400 bad-field: limit"},
        {"limit=101", "400 bad-field: limit"}, {"limit=true", "400 bad-field: limit"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_true(reads(HTTP_GET, NULL, NULL, (const char *const[]){wrong[i].field, NULL}));
        exchange_page(x);
        assert_true(exchange_is_wrong(x));
        expect_error(wrong[i].error);
    }
    assert_false(reads(HTTP_GET, NULL, NULL, (const char *const[]){"a=1", "a=1", NULL}));
    expect_error("400 bad-field: a: named twice");
    assert_false(reads(HTTP_GET, NULL, NULL, (const char *const[]){"a=\xff", NULL}));
    expect_error("400 bad-field");
    assert_false(reads(HTTP_GET, NULL, NULL, (const char *const[]){"\xff=a", NULL}));
    expect_error("400 bad-field");
    const char *many[HTTP_QUERY_MAX + 2] = {0};
    char *fields[HTTP_QUERY_MAX + 1];
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        many[i] = fields[i] = g_strdup_printf("f%zu=1", i);
    assert_false(reads(HTTP_GET, NULL, NULL, many));
    expect_error("400 bad-field: the query has more than 32");
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_free(fields[i]);
}

static void test_page_answer(void **state)
{
    (void)state;
    assert_true(reads(HTTP_GET, NULL, NULL, NULL));
    struct page page = exchange_page(x);
    exchange_answer_page(x, &page, "calls", json_array(), 37);
    assert_string_equal(response.body, "{\"calls\":[],\"page\":1,\"limit\":10,\"total\":37}");
}

static void test_success_family(void **state)
{
    (void)state;
    open_exchange((struct http_request){.path = "/"});
    x->has_success = true;
    exchange_answer(x, 200, json_pack("{s:i}", "a", 1));
    assert_string_equal(response.body, "{\"success\":true,\"data\":{\"a\":1}}");
    exchange_refuse(x, 404, "not-found", "no");
    assert_string_equal(response.body, "{\"success\":false,\"error\":{\"code\":\"not-found\",\"message\":\"no\"}}");
}

// Every code has a status of protocol.md section 7.
static void test_statuses(void **state)
{
    (void)state;
    static const int statuses[] = {400, 401, 403, 404, 405, 409, 413, 415, 429, 500};
    for (enum error error = ERROR_BAD_JSON; error <= ERROR_INTERNAL; error++) {
        struct fault fault = {0};
        fault_say(&fault, error, "why");
        open_exchange((struct http_request){.path = "/"});
        exchange_fail(x, &fault);
        bool found = false;
        for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
            found = found || statuses[i] == response.status;
        assert_true(found);
        close_exchange();
    }
    struct fault fault = {0};
    fault_draining(&fault);
    open_exchange((struct http_request){.path = "/"});
    exchange_fail(x, &fault);
    assert_int_equal(response.status, 503); // not a conflict: later it may be done
    close_exchange();
}

static void test_later(void **state)
{
    (void)state;
    open_exchange((struct http_request){.path = "/"});
    uint64_t ticket = exchange_defer(x);
    assert_true(exchange_is_deferred(x));
    assert_ptr_equal(exchange_find(rig->hub, ticket), x);
    assert_null(exchange_find(rig->hub, ticket + 1));
    rig_pass(rig, DEFER_MAX_S - 1);
    assert_int_equal(late_count, 0);
    exchange_answer(x, 200, json_object());
    assert_int_equal(late_count, 1);
    assert_false(exchange_is_deferred(x));
    assert_null(exchange_find(rig->hub, ticket));
    rig_pass(rig, DEFER_MAX_S + 1);
    assert_int_equal(late_count, 1);
    assert_int_equal(response.status, 200);
}

static void test_too_late(void **state)
{
    (void)state;
    open_exchange((struct http_request){.path = "/"});
    uint64_t ticket = exchange_defer(x);
    rig_pass(rig, DEFER_MAX_S + 1);
    assert_int_equal(late_count, 1);
    expect_error("504 internal");
    assert_null(exchange_find(rig->hub, ticket));
}

// The client goes, or the server does, before the answer is there.
static void test_nobody_waits(void **state)
{
    (void)state;
    open_exchange((struct http_request){.path = "/"});
    uint64_t ticket = exchange_defer(x);
    close_exchange();
    assert_null(exchange_find(rig->hub, ticket));
    rig_pass(rig, DEFER_MAX_S + 1);
    assert_int_equal(late_count, 0);
    open_exchange((struct http_request){.path = "/"});
    exchange_defer(x);
    rig_free(rig);
    close_exchange();
    assert_int_equal(late_count, 0);
    rig = rig_new(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_patterns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_page_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_success_family, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_waits, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
