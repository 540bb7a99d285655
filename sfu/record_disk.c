// How do the bytes of one recorded file reach the disk, whole or not at all?
// SPDX-License-Identifier: MIT
#include "sfu/record_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

// A change in what is already in the file.
struct patch {
    int64_t at;
    GBytes *bytes;
};

struct record_disk {
    int fd;
    int64_t written;
    GByteArray *pending; // belongs at offset `written`
    GArray *patches;     // of struct patch
};

static void patch_clear(gpointer patch)
{
    g_bytes_unref(((struct patch *)patch)->bytes);
}

struct record_disk *record_disk_new(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    struct record_disk *d = g_new0(struct record_disk, 1);
    d->fd = fd;
    d->pending = g_byte_array_new();
    d->patches = g_array_new(FALSE, FALSE, sizeof(struct patch));
    g_array_set_clear_func(d->patches, patch_clear);
    return d;
}

void record_disk_free(struct record_disk *d)
{
    g_byte_array_unref(d->pending);
    g_array_unref(d->patches);
    close(d->fd);
    g_free(d);
}

int64_t record_disk_end(const struct record_disk *d)
{
    return d->written + d->pending->len;
}

int record_disk_put(struct record_disk *d, int64_t at, const void *data, size_t len)
{
    if (at < 0 || at > record_disk_end(d) || d->pending->len + len > RECORD_DISK_PENDING_MAX)
        return -EINVAL;
    if (at < d->written) {
        struct patch patch = {at, g_bytes_new(data, len)};
        g_array_append_val(d->patches, patch);
        return 0;
    }
    size_t from = (size_t)(at - d->written);
    if (d->pending->len < from + len)
        g_byte_array_set_size(d->pending, (guint)(from + len));
    memcpy(d->pending->data + from, data, len);
    return 0;
}

static int write_all(int fd, const uint8_t *data, size_t len, int64_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        data += n;
        len -= (size_t)n;
        at += n;
    }
    return 0;
}

static int write_patches(struct record_disk *d)
{
    int rc = 0;
    for (guint i = 0; i < d->patches->len && rc == 0; i++) {
        const struct patch *patch = &g_array_index(d->patches, struct patch, i);
        gsize len;
        const uint8_t *data = g_bytes_get_data(patch->bytes, &len);
        rc = write_all(d->fd, data, len, patch->at);
    }
    g_array_set_size(d->patches, 0);
    return rc;
}

int record_disk_flush(struct record_disk *d)
{
    int rc = write_all(d->fd, d->pending->data, d->pending->len, d->written);
    if (rc == 0) {
        d->written += d->pending->len;
        rc = write_patches(d);
    } else {
        g_array_set_size(d->patches, 0);
        if (ftruncate(d->fd, d->written) < 0) // what is left is cut off by record_repair()
            rc = -errno;
    }
    g_byte_array_set_size(d->pending, 0);
    return rc;
}

int record_disk_sync(struct record_disk *d)
{
    return fdatasync(d->fd) < 0 ? -errno : 0;
}

int64_t record_disk_written(const struct record_disk *d)
{
    return d->written;
}

int record_disk_fd(const struct record_disk *d)
{
    return d->fd;
}
