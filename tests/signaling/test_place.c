// Is what cannot be used told from what can, and is nothing made by looking?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "signaling/place.h"

static char *home; // a folder of this test: file, program (may be run), lost (a link to nothing)

static char *in_home(const char *name)
{
    return g_build_filename(home, name, NULL);
}

static int set_up(void **state)
{
    (void)state;
    home = g_dir_make_tmp("roda-place-XXXXXX", NULL);
    char *file = in_home("file"), *program = in_home("program"), *lost = in_home("lost");
    g_assert(g_file_set_contents(file, "x", 1, NULL) && g_file_set_contents(program, "x", 1, NULL));
    g_assert(g_chmod(file, 0600) == 0 && g_chmod(program, 0700) == 0 && symlink("nothing", lost) == 0);
    g_free(file);
    g_free(program);
    g_free(lost);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"file", "program", "lost"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *path = in_home(names[i]);
        g_unlink(path);
        g_free(path);
    }
    g_assert(g_rmdir(home) == 0); // nothing else was made
    g_free(home);
    return 0;
}

struct row {
    const char *what; // "@" stands for the test's folder
    const char *fault;
};

static void check(bool (*is_usable)(const char *, char *, size_t), const struct row *row)
{
    char why[300] = "";
    char **parts = g_strsplit(row->what, "@", -1), *what = g_strjoinv(home, parts);
    bool ok = is_usable(what, why, sizeof(why));
    if (ok != !row->fault || (row->fault && !strstr(why, row->fault)))
        fail_msg("%s: %s", what, ok ? "taken" : why);
    g_strfreev(parts);
    g_free(what);
}

static void test_folders(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"@", NULL},
        {"@/new", NULL},
        {"@/new/and/deep", NULL},
        {"new", NULL},
        {"@/file", "not a folder"},
        {"@/file/below", "not a folder"},
        {"@/lost", "not a folder"},
        {"/proc/sys/kernel/ostype/x", "/proc/sys/kernel/ostype: it is not a folder"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check(place_folder_is_usable, &rows[i]);
}

static void test_files(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"@/file", NULL},          {"@/new.db", NULL},           {"new.db", NULL},
        {"@", "it is not a file"}, {"@/no/new.db", "no such f"}, {"@/file/new.db", "not a folder"},
        {"@/lost", "not a file"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check(place_file_is_usable, &rows[i]);
}

static void test_commands(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"@/program", NULL},
        {"'@/program' --flag \"a b\"", NULL},
        {"BUCKET=x KEY='a b' @/program", NULL},
        {"cat >/dev/null", NULL},
        {"exec cat", NULL},
        {"$HOOK now", NULL},
        {"(cat)", NULL},
        {"@/file", "may not run it"},
        {"A=b @/file", "may not run it"},
        {"@/missing --flag", "/missing: there is no such program"},
        {"@", "no such program"},
        {"./program", "whole path"},
        {"no-such-program-here", "no such program"},
        {"@/program 'a", "quot"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check(place_command_is_usable, &rows[i]);
}

// Root may write anywhere, so only somebody else can be refused.
static void test_rights(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    check(place_folder_is_usable, &(struct row){"/usr/new", "may not write"});
    check(place_file_is_usable, &(struct row){"/etc/passwd", "may not read and write"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_rights),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
