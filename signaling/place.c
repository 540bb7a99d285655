// Can this process use the folders, files and programs that its settings name?
// SPDX-License-Identifier: MIT
#include "signaling/place.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

static bool fault(char *why, size_t why_size, const char *path, const char *what)
{
    g_snprintf(why, why_size, "%s: %s", path, what);
    return false;
}

// ---- folders and files --------------------------------------------------------------------------------------

static bool is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

bool place_folder_is_usable(const char *path, char *why, size_t why_size)
{
    char *folder = g_strdup(path);
    while (!is_there(folder)) {
        char *above = g_path_get_dirname(folder);
        g_free(folder);
        folder = above;
    }
    bool ok = true;
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
        ok = fault(why, why_size, folder, "it is not a folder");
    else if (access(folder, W_OK | X_OK) != 0)
        ok = fault(why, why_size, folder, "this user may not write there; name a folder that it may write into");
    g_free(folder);
    return ok;
}

bool place_file_is_usable(const char *path, char *why, size_t why_size)
{
    if (!is_there(path)) {
        char *folder = g_path_get_dirname(path);
        bool has_folder = g_file_test(folder, G_FILE_TEST_EXISTS);
        bool ok = has_folder ? place_folder_is_usable(folder, why, why_size)
                             : fault(why, why_size, folder, "there is no such folder; make it");
        g_free(folder);
        return ok;
    }
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return fault(why, why_size, path, "it is not a file");
    if (access(path, R_OK | W_OK) != 0)
        return fault(why, why_size, path, "this user may not read and write it");
    return true;
}

// ---- commands -----------------------------------------------------------------------------------------------

// "NAME=value" before a command.
static bool is_assignment(const char *word)
{
    size_t name = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
    return name > 0 && word[name] == '=';
}

// Of PATH, or of the shell itself.
static bool shell_knows(const char *program)
{
    const char *const argv[] = {"/bin/sh", "-c", "command -v -- \"$1\"", "sh", program, NULL};
    int status = -1;
    bool has_run = g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                NULL, NULL, NULL, NULL, &status, NULL);
    return has_run && status == 0;
}

static bool program_is_usable(const char *program, char *why, size_t why_size)
{
    if (strpbrk(program, "$`|&;(){}<>*?~!"))
        return true;
    if (!strchr(program, '/'))
        return shell_knows(program) || fault(why, why_size, program, "there is no such program");
    if (!g_path_is_absolute(program))
        return fault(why, why_size, program, "name it by its whole path: it is run in another folder");
    if (!g_file_test(program, G_FILE_TEST_IS_REGULAR))
        return fault(why, why_size, program, "there is no such program");
    return access(program, X_OK) == 0 || fault(why, why_size, program, "this user may not run it (chmod +x)");
}

bool place_command_is_usable(const char *command, char *why, size_t why_size)
{
    char **words = NULL;
    GError *error = NULL;
    if (!g_shell_parse_argv(command, NULL, &words, &error)) {
        fault(why, why_size, command, error->message);
        g_clear_error(&error);
        return false;
    }
    char **word = words;
    while (*word && is_assignment(*word))
        word++;
    bool ok = !*word || program_is_usable(*word, why, why_size);
    g_strfreev(words);
    return ok;
}
