// Which session descriptions do the SDP tests read? (tests/vectors/sdp)
// SPDX-License-Identifier: MIT
#pragma once

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sdp_file {
    char name[256];
    char *text; // malloc'ed, exactly len bytes, so that ASan sees a read past the end
    size_t len;
};

static inline struct sdp_file sdp_file_read(const char *folder, const char *name)
{
    struct sdp_file file;
    char path[1024];
    snprintf(file.name, sizeof(file.name), "%s", name);
    snprintf(path, sizeof(path), "%s/sdp/%s/%s", VECTORS, folder, name);
    FILE *f = fopen(path, "rb");
    assert(f);
    fseek(f, 0, SEEK_END);
    file.len = (size_t)ftell(f);
    rewind(f);
    file.text = malloc(file.len);
    assert(fread(file.text, 1, file.len, f) == file.len);
    fclose(f);
    return file;
}

// Calls `each` for every .sdp file of the folder; returns how many there were.
static inline int sdp_files_each(const char *folder, void (*each)(const struct sdp_file *file, void *arg), void *arg)
{
    char path[1024];
    int count = 0;
    snprintf(path, sizeof(path), "%s/sdp/%s", VECTORS, folder);
    DIR *dir = opendir(path);
    assert(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strstr(e->d_name, ".sdp"))
            continue;
        struct sdp_file file = sdp_file_read(folder, e->d_name);
        each(&file, arg);
        free(file.text);
        count++;
    }
    closedir(dir);
    return count;
}
