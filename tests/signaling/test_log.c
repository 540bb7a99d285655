// Is every fact one line, in either format, whatever is in it?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "signaling/log.h"

static char captured[8192];

// Runs say() with standard error in a file and reads that back.
static void capture(void (*say)(void))
{
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    say();
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    size_t n = fread(captured, 1, sizeof(captured) - 1, file);
    captured[n] = '\0';
    fclose(file);
}

static void say_levels(void)
{
    log_error("one", "e%d", 1);
    log_warn("one", "w");
    log_info("one", "i");
    log_debug("one", "d");
}

static void say_nasty(void)
{
    log_warn("area", "a\nb\"c\\d\x7f\x1b[31m");
}

static void say_long(void)
{
    char text[3000];
    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_warn("area", "%s", text);
}

static void test_levels(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_WARN, LOG_TEXT);
    capture(say_levels);
    assert_non_null(strstr(captured, "error one     e1\n"));
    assert_non_null(strstr(captured, "warn  one     w\n"));
    assert_null(strstr(captured, "info"));
}

static int count_lines(void)
{
    int n = 0;
    for (const char *c = captured; *c; c++)
        n += *c == '\n';
    return n;
}

static void test_text_is_one_line(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_WARN, LOG_TEXT);
    capture(say_nasty);
    assert_int_equal(count_lines(), 1);
    assert_null(strchr(captured, '\x1b'));
    capture(say_long);
    assert_int_equal(count_lines(), 1);
}

static void test_json_is_json(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_WARN, LOG_JSON);
    capture(say_nasty);
    assert_int_equal(count_lines(), 1);
    json_t *line = json_loads(captured, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(line, "message")), "a\nb\"c\\d\x7f\x1b[31m");
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(line, "area")), "area");
    json_decref(line);
    capture(say_long);
    assert_int_equal(count_lines(), 1);
    line = json_loads(captured, 0, NULL);
    assert_non_null(line);
    json_decref(line);
}

static void say_about(void)
{
    log_about(LOG_LEVEL_INFO, "room", "dr.house-and-maria", "3f0c0b9e-0000-4000-8000-000000000001", "it begins");
    log_about(LOG_LEVEL_INFO, "room", "dr.house-and-maria", NULL, "it goes on");
    log_about(LOG_LEVEL_INFO, "room", "another", NULL, "it begins");
    log_about(LOG_LEVEL_DEBUG, "room", "another", NULL, "not said");
}

// The lines of what was captured, as JSON.
static json_t *lines_of(void)
{
    json_t *list = json_array();
    for (char *at = captured, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        assert_non_null(end);
        json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
        assert_non_null(line);
        json_array_append_new(list, line);
    }
    return list;
}

static const char *in_line(const json_t *lines, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(lines, i), key));
}

static void test_rooms_are_hashed(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_JSON);
    capture(say_about);
    assert_null(strstr(captured, "maria"));
    json_t *lines = lines_of();
    assert_int_equal(json_array_size(lines), 3);
    assert_string_equal(in_line(lines, 0, "call"), "3f0c0b9e-0000-4000-8000-000000000001");
    assert_int_equal(strlen(in_line(lines, 0, "room")), LOG_HASH_CHARS);
    assert_string_equal(in_line(lines, 0, "room"), in_line(lines, 1, "room"));
    assert_string_not_equal(in_line(lines, 0, "room"), in_line(lines, 2, "room"));
    char first[LOG_HASH_CHARS + 1];
    strcpy(first, in_line(lines, 0, "room"));
    json_decref(lines);

    log_init(LOG_LEVEL_DEBUG, LOG_JSON); // another run has another key
    capture(say_about);
    lines = lines_of();
    assert_string_not_equal(in_line(lines, 0, "room"), first);
    assert_string_equal(in_line(lines, 0, "roomId"), "dr.house-and-maria");
    json_decref(lines);
    log_init(LOG_LEVEL_INFO, LOG_TEXT);
    capture(say_about);
    assert_non_null(strstr(captured, " call=3f0c0b9e-0000-4000-8000-000000000001\n"));
    assert_null(strstr(captured, "maria"));
}

static void say_cut(void)
{
    char text[LOG_LINE_MAX + 10];
    memset(text, 'x', sizeof(text));
    strcpy(text + LOG_LINE_MAX - 2, "\xc3\xa9"); // the cut falls within it
    log_warn("area", "%s", text);
    log_warn("area", "\xff\xfe");
}

static void test_json_is_utf8(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_WARN, LOG_JSON);
    capture(say_cut);
    json_t *lines = lines_of();
    assert_int_equal(json_array_size(lines), 2);
    json_decref(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),       cmocka_unit_test(test_text_is_one_line),
        cmocka_unit_test(test_json_is_json), cmocka_unit_test(test_rooms_are_hashed),
        cmocka_unit_test(test_json_is_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
