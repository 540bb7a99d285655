// Is there room on the disk for more recording?
// SPDX-License-Identifier: MIT
#include "sfu/record_space.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DEPTH_MAX = 2, BLOCK_LEN = 512 }; // recordings, their files; stat() counts in blocks of 512 bytes

void record_space_init(struct record_space *s, int dir_fd, uint64_t quota_bytes, uint64_t floor_bytes)
{
    *s = (struct record_space){.dir_fd = dir_fd, .quota_bytes = quota_bytes, .floor_bytes = floor_bytes};
}

static uint64_t count(int parent_fd, const char *name, unsigned depth)
{
    uint64_t bytes = 0;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        struct stat st;
        if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        bytes += (uint64_t)st.st_blocks * BLOCK_LEN;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            bytes += count(fd, entry->d_name, depth + 1);
    }
    closedir(dir);
    return bytes;
}

static void look(struct record_space *s, int64_t now_us)
{
    struct statvfs fs;
    s->look_us = now_us + RECORD_SPACE_LOOK_US;
    s->free_bytes = fstatvfs(s->dir_fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : UINT64_MAX;
    if (!s->quota_bytes || now_us < s->count_us)
        return;
    s->count_us = now_us + (s->is_short ? RECORD_SPACE_RECOUNT_US : RECORD_SPACE_COUNT_US);
    s->used_bytes = count(s->dir_fd, ".", 1);
}

static bool is_over_quota(const struct record_space *s, uint64_t margin)
{
    return s->quota_bytes && s->used_bytes + margin > s->quota_bytes;
}

static bool is_under_floor(const struct record_space *s, uint64_t margin)
{
    return s->floor_bytes && s->free_bytes < s->floor_bytes + margin;
}

void record_space_tick(struct record_space *s, int64_t now_us)
{
    if (now_us >= s->look_us)
        look(s, now_us);
    bool was_short = s->is_short;
    uint64_t margin = was_short ? RECORD_SPACE_MARGIN : 0;
    s->is_short = is_over_quota(s, margin) || is_under_floor(s, margin);
    if (s->is_short && !was_short)
        s->count_us = now_us + RECORD_SPACE_RECOUNT_US;
}

void record_space_add(struct record_space *s, uint64_t bytes)
{
    s->used_bytes += bytes;
}

const char *record_space_problem(const struct record_space *s)
{
    if (!s->is_short)
        return NULL;
    return is_under_floor(s, RECORD_SPACE_MARGIN) ? "the disk has too little free space: delete or move something"
                                                  : "the recordings have used up their quota: delete some";
}
