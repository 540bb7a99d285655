// Does a file come out whole or in exactly the part that was asked for?
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "signaling/http.h"

enum { SIZE = 300000 };

static char *folder, *path;

static int set_up(void **state)
{
    (void)state;
    char *bytes = g_malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i % 251);
    folder = g_dir_make_tmp("roda-file-XXXXXX", NULL);
    path = g_build_filename(folder, "f", NULL);
    assert_true(g_file_set_contents(path, bytes, SIZE, NULL));
    g_free(bytes);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    g_remove(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return 0;
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t size;
        enum range range;
        uint64_t first, last;
    } cases[] = {
        {NULL, 100, RANGE_WHOLE, 0, 0},
        {"bytes=0-0", 100, RANGE_PART, 0, 0},
        {"bytes=0-99", 100, RANGE_PART, 0, 99},
        {"bytes=10-", 100, RANGE_PART, 10, 99},
        {"Bytes=10-20", 100, RANGE_PART, 10, 20},
        {"bytes=90-200", 100, RANGE_PART, 90, 99},
        {"bytes=99-99", 100, RANGE_PART, 99, 99},
        {"bytes=-1", 100, RANGE_PART, 99, 99},
        {"bytes=-100", 100, RANGE_PART, 0, 99},
        {"bytes=-1000", 100, RANGE_PART, 0, 99},
        {"bytes=100-", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=100-200", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=20-10", 100, RANGE_WHOLE, 0, 0}, // RFC 9110 section 14.1.1: invalid, so it counts for nothing
        {"bytes=0-1,5-6", 100, RANGE_WHOLE, 0, 0},
        {"bytes=a-", 100, RANGE_WHOLE, 0, 0},
        {"bytes=", 100, RANGE_WHOLE, 0, 0},
        {"bytes=-", 100, RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", 100, RANGE_WHOLE, 0, 0},
        {"bytes= 1-2", 100, RANGE_WHOLE, 0, 0},
        {"bytes=1-2 ", 100, RANGE_WHOLE, 0, 0},
        {"bytes=1", 100, RANGE_WHOLE, 0, 0},
        {"bytes=99999999999999999999999-", 100, RANGE_WHOLE, 0, 0},
        {"items=0-1", 100, RANGE_WHOLE, 0, 0},
        {"", 100, RANGE_WHOLE, 0, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t first = 0, last = 0;
        enum range range = range_parse(cases[i].text, cases[i].size, &first, &last);
        if (range != cases[i].range)
            fail_msg("%s: %d, not %d", cases[i].text, (int)range, (int)cases[i].range);
        if (range == RANGE_PART && (first != cases[i].first || last != cases[i].last))
            fail_msg("%s: other bytes", cases[i].text);
    }
}

// All that is left, in pieces of that size; returns how many bytes came.
static size_t drain(struct filepart *part, size_t piece, uint64_t first)
{
    unsigned char out[65536];
    size_t have = 0;
    ssize_t n;
    while ((n = filepart_read(part, out, piece)) != 0) {
        if (n == -EAGAIN)
            continue;
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(out[i], (first + have + (size_t)i) % 251);
        have += (size_t)n;
    }
    assert_int_equal(filepart_left(part), 0);
    return have;
}

static void test_reading(void **state)
{
    (void)state;
    static const size_t pieces[] = {1000, 65536};
    char etag[64];
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        struct filepart *part = filepart_open(path, etag, sizeof(etag));
        assert_int_equal(filepart_size(part), SIZE);
        assert_int_equal(drain(part, pieces[i], 0), SIZE);
        filepart_free(part);
        part = filepart_open(path, etag, sizeof(etag));
        filepart_cut(part, 777, 70000);
        assert_int_equal(filepart_left(part), 70000 - 777 + 1);
        assert_int_equal(drain(part, pieces[i], 777), 70000 - 777 + 1);
        filepart_free(part);
    }
    assert_null(filepart_open("/nonexistent", etag, sizeof(etag)));
    assert_null(filepart_open(folder, etag, sizeof(etag)));
}

// A file that shrinks while it is sent ends the answer instead of repeating or inventing bytes.
static void test_shrunk(void **state)
{
    (void)state;
    char etag[64], out[1000];
    struct filepart *part = filepart_open(path, etag, sizeof(etag));
    assert_int_equal(truncate(path, 500), 0);
    assert_int_equal(filepart_read(part, out, sizeof(out)), 500);
    assert_int_equal(filepart_read(part, out, sizeof(out)), -EIO);
    filepart_free(part);
    tear_down(NULL);
    set_up(NULL);
}

static struct http_response ask(struct http_request request)
{
    struct http_response response = {0};
    http_file(&response, &request, path, "video/webm");
    return response;
}

static void test_answers(void **state)
{
    (void)state;
    struct http_response whole = ask((struct http_request){0});
    char *etag = g_strdup(whole.etag), *weak = g_strconcat("W/", etag, NULL);
    char *among = g_strconcat("\"a\", ", etag, NULL);
    assert_int_equal(whole.status, 200);
    assert_int_equal(http_response_size(&whole), SIZE);
    http_response_clear(&whole);
    const struct {
        struct http_request request;
        int status;
        uint64_t size;
        const char *content_range;
    } cases[] = {
        {{.range = "bytes=0-9"}, 206, 10, "bytes 0-9/300000"},
        {{.range = "bytes=-1"}, 206, 1, "bytes 299999-299999/300000"},
        {{.range = "bytes=0-9", .if_range = etag}, 206, 10, "bytes 0-9/300000"},
        {{.range = "bytes=0-9", .if_range = "\"other\""}, 200, SIZE, ""},
        {{.range = "bytes=0-9", .if_range = weak}, 200, SIZE, ""}, // section 13.1.5: strong comparison
        {{.range = "bytes=0-9", .if_range = "Sat, 31 Jan 2026 10:00:00 GMT"}, 200, SIZE, ""},
        {{.range = "bytes=0-9", .method = HTTP_HEAD}, 200, SIZE, ""}, // section 14.2: for GET only
        {{.range = "bytes=300000-"}, 416, UINT64_MAX, "bytes */300000"},
        {{.if_none_match = etag}, 304, 0, ""},
        {{.if_none_match = weak}, 304, 0, ""},
        {{.if_none_match = "*"}, 304, 0, ""},
        {{.if_none_match = among}, 304, 0, ""},
        {{.if_none_match = "\"other\""}, 200, SIZE, ""},
        {{.if_none_match = etag, .range = "bytes=0-9"}, 304, 0, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct http_response response = ask(cases[i].request);
        assert_int_equal(response.status, cases[i].status);
        if (cases[i].size != UINT64_MAX)
            assert_int_equal(http_response_size(&response), cases[i].size);
        assert_string_equal(response.content_range, cases[i].content_range);
        assert_int_equal(response.etag[0] != '\0', response.status != 416);
        http_response_clear(&response);
    }
    g_free(etag);
    g_free(weak);
    g_free(among);
}

static void test_missing(void **state)
{
    (void)state;
    struct http_response response = {0};
    http_file(&response, &(struct http_request){0}, "/nonexistent", "video/webm");
    assert_int_equal(response.status, 404);
    assert_null(response.file);
    http_response_clear(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),  cmocka_unit_test(test_reading), cmocka_unit_test(test_shrunk),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
