// What did a server that is gone leave unfinished?
// SPDX-License-Identifier: MIT
#include "sfu/record_recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sfu/log.h"
#include "sfu/record_hook.h"
#include "sfu/record_manifest.h"
#include "sfu/record_repair.h"
#include "sfu/record_session.h"

static void mend_file(int dir_fd, struct record_manifest *m, size_t index)
{
    const char *name = record_manifest_file_name(m, index);
    struct stat st = {0};
    int64_t duration_us = -1;
    int fd = name ? openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC) : -1;
    int rc = fd < 0 ? -ENOENT : record_repair(fd, &duration_us);
    if (fd >= 0) {
        fstat(fd, &st);
        close(fd);
    }
    if (rc == -ENODATA) // nothing but a head: there was no frame yet
        unlinkat(dir_fd, name, 0);
    record_manifest_settle_file(m, index, rc < 0 ? -1 : duration_us, rc < 0 ? 0 : st.st_size);
}

static void close_manifest(int dir_fd, struct record_manifest *m, const char *name)
{
    for (size_t i = 0; i < record_manifest_file_count(m); i++)
        if (record_manifest_file_is_open(m, i))
            mend_file(dir_fd, m, i);
    record_manifest_set_state(m, "interrupted", record_manifest_last_us(m));
    int rc = record_manifest_write(m, true);
    if (rc < 0)
        sfu_log(SFU_LOG_ERROR, "recording %s was interrupted, and its manifest cannot be written: %s", name,
                strerror(-rc));
}

// Returns true when there is something to tell.
static bool look_into(int dir_fd, struct record_recovered *r)
{
    if (flock(dir_fd, LOCK_EX | LOCK_NB) < 0)
        return false; // it is being recorded
    struct record_manifest *m = record_manifest_load(dir_fd);
    if (!m)
        return false;
    r->interrupted = strcmp(record_manifest_state(m), "recording") == 0;
    if (r->interrupted)
        close_manifest(dir_fd, m, r->name);
    r->wants_hook = record_manifest_wants_hook(m) && !record_hook_was_run(dir_fd);
    record_manifest_free(m);
    return r->interrupted || r->wants_hook;
}

void record_recover(int base_fd, void (*found)(void *arg, const struct record_recovered *recovered), void *arg)
{
    int fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *base = fd < 0 ? NULL : fdopendir(fd);
    if (!base) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry = readdir(base); entry; entry = readdir(base)) {
        if (!record_session_name_is_good(entry->d_name))
            continue;
        int dir_fd = openat(base_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0)
            continue;
        struct record_recovered r = {.name = entry->d_name};
        if (look_into(dir_fd, &r))
            found(arg, &r);
        close(dir_fd);
    }
    closedir(base);
}
