// How is a file, or a part of it, read piece by piece without making anybody wait?
// SPDX-License-Identifier: MIT
#include "signaling/filepart.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    AHEAD = 1 << 20, // bytes the disk is asked to fetch at a time
    ASKS_MAX = 200,  // then the read is made to wait after all: some file systems never have it ready
};

struct filepart {
    int fd;
    uint64_t size, at, end;
    unsigned asks; // in a row that found nothing fetched
};

struct filepart *filepart_open(const char *path, char *etag, size_t etag_size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        errno = ENOENT;
        return NULL;
    }
    g_snprintf(etag, (gulong)etag_size, "\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x\"",
               (gint64)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec, (gint64)st.st_size);
    struct filepart *part = g_new0(struct filepart, 1);
    part->fd = fd;
    part->size = part->end = (uint64_t)st.st_size;
    return part;
}

void filepart_free(struct filepart *part)
{
    if (!part)
        return;
    close(part->fd);
    g_free(part);
}

uint64_t filepart_size(const struct filepart *part)
{
    return part->size;
}

uint64_t filepart_left(const struct filepart *part)
{
    return part->end - part->at;
}

void filepart_cut(struct filepart *part, uint64_t first, uint64_t last)
{
    g_assert(first <= last && last < part->size);
    part->at = first;
    part->end = last + 1;
}

// What is not in memory yet is asked for and read at a later call, so that a slow disk holds up nobody else.
static ssize_t read_at(struct filepart *part, struct iovec *piece)
{
    ssize_t n = -1;
    errno = EOPNOTSUPP;
    if (part->asks < ASKS_MAX)
        n = preadv2(part->fd, piece, 1, (off_t)part->at, RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
        return n;
    return preadv(part->fd, piece, 1, (off_t)part->at);
}

ssize_t filepart_read(struct filepart *part, void *out, size_t size)
{
    struct iovec piece = {out, size < filepart_left(part) ? size : filepart_left(part)};
    if (piece.iov_len == 0)
        return 0;
    ssize_t n = read_at(part, &piece);
    if (n > 0) {
        part->at += (uint64_t)n;
        part->asks = 0;
        return n;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        return -EIO;
    posix_fadvise(part->fd, (off_t)part->at, AHEAD, POSIX_FADV_WILLNEED);
    part->asks++;
    return -EAGAIN;
}

// ---- Range --------------------------------------------------------------------------------------------------

// Digits at *text, which moves behind them; false when there are none or too many.
static bool read_position(const char **text, uint64_t *position)
{
    char *end;
    if (!g_ascii_isdigit(**text))
        return false;
    errno = 0;
    *position = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

// "-500": the last 500 bytes.
static enum range read_suffix(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t len;
    if (!read_position(&text, &len) || *text)
        return RANGE_WHOLE;
    if (len == 0 || size == 0)
        return RANGE_UNSATISFIABLE;
    *first = len < size ? size - len : 0;
    *last = size - 1;
    return RANGE_PART;
}

enum range range_parse(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
    static const char unit[] = "bytes=";
    if (!text || g_ascii_strncasecmp(text, unit, sizeof(unit) - 1) != 0)
        return RANGE_WHOLE;
    text += sizeof(unit) - 1;
    if (*text == '-')
        return read_suffix(text + 1, size, first, last);
    uint64_t end = UINT64_MAX;
    if (!read_position(&text, first) || *text++ != '-')
        return RANGE_WHOLE;
    if (*text && (!read_position(&text, &end) || *text || end < *first))
        return RANGE_WHOLE;
    if (*first >= size)
        return RANGE_UNSATISFIABLE;
    *last = end < size ? end : size - 1;
    return RANGE_PART;
}
