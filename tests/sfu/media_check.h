// What do ffprobe and ffmpeg say about a recorded file? (nothing, where they are not installed)
// SPDX-License-Identifier: MIT
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Standard output of a command, chomped, NULL when the program is missing; *ok: exit status 0 and silent on stderr.
static inline char *media_run(const char *const *argv, bool *ok)
{
    char *out = NULL, *err = NULL;
    int status = -1;
    char *program = g_find_program_in_path(argv[0]);
    if (!program)
        return NULL;
    g_free(program);
    *ok = g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, NULL) &&
          status == 0 && err[0] == '\0';
    if (!*ok)
        g_printerr("%s %s: %s\n", argv[0], argv[g_strv_length((char **)argv) - 1], err ? err : "?");
    g_free(err);
    return g_strchomp(out ? out : g_strdup(""));
}

// Does every frame decode without a word? True also where there is no ffmpeg. (In the file's own ticks: the frame
// rate that ffmpeg guesses would make some frames of a browser fall on one tick.)
static inline bool media_decodes(const char *path)
{
    const char *const argv[] = {"ffmpeg", "-nostdin",       "-v", "error", "-i",   path, "-map",
                                "0",      "-enc_time_base", "-1", "-f",    "null", "-",  NULL};
    bool ok = true;
    g_free(media_run(argv, &ok));
    return ok;
}

// One entry of ffprobe, as "format=duration" or "stream=codec_name"; NULL where there is no ffprobe.
static inline char *media_probe(const char *path, const char *entry)
{
    const char *const argv[] = {"ffprobe", "-v", "error", "-count_packets", "-show_entries", entry, "-of",
                                "csv=p=0", path, NULL};
    bool ok = false;
    return media_run(argv, &ok);
}

// A number; `otherwise` where there is no ffprobe.
static inline double media_number(const char *path, const char *entry, double otherwise)
{
    char *text = media_probe(path, entry);
    double number = text ? g_ascii_strtod(text, NULL) : otherwise;
    g_free(text);
    return number;
}

// A directory of the test's own.
static inline char *media_dir(void)
{
    char *dir = g_dir_make_tmp("roda-record-XXXXXX", NULL);
    g_assert(dir);
    return dir;
}

static inline void media_remove(char *dir)
{
    const char *const argv[] = {"rm", "-rf", dir, NULL};
    bool ok = false;
    g_free(media_run(argv, &ok));
    g_free(dir);
}
