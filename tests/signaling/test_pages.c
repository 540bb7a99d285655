// Does every page path give the page, every file its type, and nothing outside the folder?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "signaling/pages.h"

static struct config config;
static char *parent;
static struct http_response response;

static void put(const char *name, const char *text)
{
    char *path = g_build_filename(parent, name, NULL);
    char *folder = g_path_get_dirname(path);
    assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    g_free(folder);
    g_free(path);
}

static int set_up(void **state)
{
    (void)state;
    parent = g_dir_make_tmp("roda-pages-XXXXXX", NULL);
    config_init(&config);
    config.web_dir = g_build_filename(parent, "web", NULL);
    put("web/index.html", "<p>page</p>");
    put("web/main.js", "main");
    put("web/style.css", "style");
    put("web/icon.svg", "icon");
    put("web/js/part-1.mjs", "part");
    put("web/README.md", "not for the browser");
    put("web/.secret.js", "hidden");
    put("outside.js", "outside");
    put("web/folder.js/x", "a folder with a name like a file");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"web/index.html",
                                        "web/main.js",
                                        "web/style.css",
                                        "web/icon.svg",
                                        "web/js/part-1.mjs",
                                        "web/js",
                                        "web/README.md",
                                        "web/.secret.js",
                                        "outside.js",
                                        "web/folder.js/x",
                                        "web/folder.js",
                                        "web",
                                        ""};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *path = g_build_filename(parent, names[i], NULL);
        assert_int_equal(g_remove(path), 0);
        g_free(path);
    }
    g_free(parent);
    config_clear(&config);
    http_response_clear(&response);
    return 0;
}

static bool serve(const char *path, const char *etag)
{
    http_response_clear(&response);
    return pages_serve(&config, &(struct http_request){.path = path, .if_none_match = etag}, &response);
}

// What follows the headers is that text.
static void expect_body(const char *text)
{
    char body[64];
    assert_int_equal(filepart_read(response.file, body, sizeof(body)), (int)strlen(text));
    assert_memory_equal(body, text, strlen(text));
}

static void test_page_paths(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",      "/teste-video",      "/medico/sala-teste",   "/paciente/sala-teste",
                                        "/video", "/video/sala-teste", "/participant/a.b_c~1", "/index.html",
                                        "/calls"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        assert_true(serve(paths[i], NULL));
        assert_int_equal(response.status, 200);
        assert_string_equal(response.content_type, "text/html; charset=utf-8");
        expect_body("<p>page</p>");
    }
}

static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type, *body;
    } files[] = {
        {"/main.js", "text/javascript; charset=utf-8", "main"},
        {"/style.css", "text/css; charset=utf-8", "style"},
        {"/icon.svg", "image/svg+xml", "icon"},
        {"/js/part-1.mjs", "text/javascript; charset=utf-8", "part"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        assert_true(serve(files[i].path, NULL));
        assert_string_equal(response.content_type, files[i].type);
        expect_body(files[i].body);
    }
}

static void test_nothing_else(void **state)
{
    (void)state;
    static const char *const paths[] = {"/../outside.js",
                                        "/js/../../outside.js",
                                        "/.secret.js",
                                        "/./main.js",
                                        "//main.js",
                                        "/js//part-1.mjs",
                                        "/README.md",
                                        "/none.js",
                                        "/folder.js",
                                        "/folder.js/",
                                        "/js",
                                        "/js/",
                                        "main.js",
                                        "",
                                        "/main.js\n",
                                        "/main.js?x",
                                        "/medico/",
                                        "/medico/a/b",
                                        "/medico/a b",
                                        "/video/../x",
                                        "/medico",
                                        "/js\\part-1.mjs",
                                        "/main%2ejs"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_false(serve(paths[i], NULL));
}

static void test_etag(void **state)
{
    (void)state;
    assert_true(serve("/main.js", NULL));
    char *etag = g_strdup(response.etag);
    assert_int_equal(etag[0], '"');
    assert_true(serve("/main.js", etag));
    assert_int_equal(response.status, 304);
    assert_int_equal(response.body_len, 0);
    assert_null(response.content_type);
    put("web/main.js", "main, changed");
    assert_true(serve("/main.js", etag));
    assert_int_equal(response.status, 200);
    g_free(etag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_paths),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_etag),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
