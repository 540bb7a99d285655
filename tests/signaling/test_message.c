// Is the envelope read and written as documented, and every wrong one refused with the right word?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>

#include "signaling/message.h"

static void test_parse(void **state)
{
    (void)state;
    static const char text[] = "{\"event\":\"join-room\",\"timestamp\":\"x\",\"id\":7,\"data\":{\"roomId\":\"a\"}}";
    struct message m;
    struct fault fault = {0};
    assert_true(message_parse(&m, text, strlen(text), &fault));
    assert_string_equal(m.event, "join-room");
    assert_int_equal(json_integer_value(m.id), 7);
    assert_string_equal(json_string_value(json_object_get(m.data, "roomId")), "a");
    message_clear(&m);
    static const char bare[] = "{\"event\":\"heartbeat\",\"data\":null}";
    assert_true(message_parse(&m, bare, strlen(bare), &fault));
    assert_null(m.id);
    assert_int_equal(json_object_size(m.data), 0);
    message_clear(&m);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum error error;
        const char *says;
        bool has_id;
    } wrong[] = {
        {"", ERROR_BAD_JSON, "line 1", false},
        {"hello", ERROR_BAD_JSON, "line 1", false},
        {"{", ERROR_BAD_JSON, "line 1", false},
        {"[]", ERROR_BAD_JSON, "object", false},
        {"\"x\"", ERROR_BAD_JSON, "", false},
        {"{\"event\":\"a\"} {}", ERROR_BAD_JSON, "line 1", false},
        {"{\"event\":\"a\",\"event\":\"b\"}", ERROR_BAD_JSON, "line 1", false},
        {"{\"event\":\"a\xff\"}", ERROR_BAD_JSON, "line 1", false},
        {"{\"event\":\"a\\u0000\"}", ERROR_BAD_JSON, "line 1", false},
        {"{\"event\":\"a\",\"data\":{\"x\":[[[[[[[[[[[1]]]]]]]]]]]}}", ERROR_BAD_JSON, "deep", false},
        {"{\"id\":1}", ERROR_BAD_FIELD, "event:", true},
        {"{\"event\":5,\"id\":1}", ERROR_BAD_FIELD, "event:", true},
        {"{\"event\":\"\",\"id\":\"a\"}", ERROR_BAD_FIELD, "event:", true},
        {"{\"event\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", ERROR_BAD_FIELD,
         "event:", false},
        {"{\"event\":\"a\",\"id\":1.5}", ERROR_BAD_FIELD, "id:", false},
        {"{\"event\":\"a\",\"id\":{}}", ERROR_BAD_FIELD, "id:", false},
        {"{\"event\":\"a\",\"id\":1,\"data\":[]}", ERROR_BAD_FIELD, "data:", true},
        {"{\"event\":\"a\",\"id\":1,\"data\":\"x\"}", ERROR_BAD_FIELD, "data:", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct message m;
        struct fault fault = {0};
        assert_false(message_parse(&m, wrong[i].text, strlen(wrong[i].text), &fault));
        assert_int_equal(fault.error, wrong[i].error);
        assert_non_null(strstr(fault.text, wrong[i].says));
        assert_true(g_utf8_validate(fault.text, -1, NULL));
        assert_int_equal(m.id != NULL, wrong[i].has_id);
        message_clear(&m);
    }
}

// Brackets inside texts do not count as depth.
static void test_depth(void **state)
{
    (void)state;
    static const char text[] = "{\"event\":\"a\",\"data\":{\"x\":\"[[[[[[[[[[[[[[[[\\\"[[[[\\\\\"}}";
    struct message m;
    struct fault fault = {0};
    assert_true(message_parse(&m, text, strlen(text), &fault));
    message_clear(&m);
    GString *deep = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append_c(deep, '[');
    assert_false(message_parse(&m, deep->str, deep->len, &fault));
    message_clear(&m);
    g_string_free(deep, TRUE);
}

static void test_print(void **state)
{
    (void)state;
    json_t *data = json_pack("{s:s}", "a", "b"), *id = json_string("x");
    char *text = message_print("ack", data, id, INT64_C(1769853600007));
    assert_string_equal(text, "{\"event\":\"ack\",\"timestamp\":\"2026-01-31T10:00:00.007Z\",\"data\":{\"a\":\"b\"},"
                              "\"id\":\"x\"}");
    free(text);
    text = message_print("e", data, NULL, 0);
    assert_string_equal(text, "{\"event\":\"e\",\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"data\":{\"a\":\"b\"}}");
    free(text);
    json_decref(data);
    json_decref(id);
}

static bool is_abc(const char *text)
{
    return strcmp(text, "abc") == 0;
}

static void test_fields(void **state)
{
    (void)state;
    static const char *const words[] = {"red", "green", NULL};
    json_t *data = json_loads("{\"t\":\"h\xc3\xa9llo\",\"n\":3,\"b\":true,\"z\":null,\"w\":\"green\",\"i\":\"abc\","
                              "\"p\":\"a\\nb\"}",
                              0, NULL);
    struct fault fault = {0};
    struct fields f = {.data = data, .fault = &fault};
    assert_string_equal(field_text(&f, "t", 5), "h\xc3\xa9llo");
    assert_null(field_text(&f, "absent", 5));
    assert_null(field_text(&f, "z", 5));
    assert_int_equal(field_int(&f, "n", 0, 5, 1), 3);
    assert_int_equal(field_int(&f, "absent", 0, 5, 1), 1);
    assert_true(field_bool(&f, "b", false));
    assert_true(field_bool(&f, "absent", true));
    assert_int_equal(field_choice(&f, "w", words, 0), 1);
    assert_string_equal(field_need_id(&f, "i", is_abc), "abc");
    assert_string_equal(field_need_prose(&f, "p", 9), "a\nb");
    assert_false(field_has(&f, "z"));
    assert_int_equal(fault.error, ERROR_NONE);
    json_decref(data);
}

// The first bad field is the one that is reported.
static void test_bad_fields(void **state)
{
    (void)state;
    static const char *const words[] = {"red", "green", NULL};
    json_t *data = json_loads("{\"t\":5,\"long\":\"aaaa\",\"ctl\":\"a\\u0001\",\"n\":9,\"b\":\"yes\",\"w\":\"blue\","
                              "\"i\":\"x\",\"e\":\"\",\"f\":1.5}",
                              0, NULL);
    for (int i = 0; i < 11; i++) {
        static const char *const names[] = {"t", "long", "ctl", "n", "b", "w", "i", "e", "f", "absent", "absent"};
        struct fault fault = {0};
        struct fields f = {.data = data, .fault = &fault};
        switch (i) {
        case 0:
        case 1:
        case 2:
            assert_null(field_text(&f, names[i], 3));
            break;
        case 3:
        case 8:
            assert_int_equal(field_int(&f, names[i], 0, 5, 4), 4);
            break;
        case 4:
            field_bool(&f, names[i], false);
            break;
        case 5:
            assert_int_equal(field_choice(&f, names[i], words, 0), 0);
            break;
        case 6:
            assert_null(field_id(&f, names[i], is_abc));
            break;
        case 7:
            field_need_text(&f, names[i], 3);
            break;
        case 9:
            assert_null(field_need_id(&f, names[i], is_abc));
            break;
        default:
            assert_null(field_need_prose(&f, names[i], 3));
        }
        field_bool(&f, "t", false);
        assert_int_equal(fault.error, ERROR_BAD_FIELD);
        assert_ptr_equal(strstr(fault.text, names[i]), fault.text);
        assert_int_equal(fault.text[strlen(names[i])], ':');
    }
    json_decref(data);
}

static void test_error_names(void **state)
{
    (void)state;
    static const char *const names[] = {"bad-json",  "unknown-event", "bad-field",    "unauthorized",
                                        "forbidden", "not-found",     "room-full",    "room-closed",
                                        "busy",      "bad-sdp",       "rate-limited", "internal"};
    for (int i = 0; i < 12; i++)
        assert_string_equal(error_name((enum error)(i + 1)), names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),       cmocka_unit_test(test_wrong),  cmocka_unit_test(test_depth),
        cmocka_unit_test(test_print),       cmocka_unit_test(test_fields), cmocka_unit_test(test_bad_fields),
        cmocka_unit_test(test_error_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
