// How long does an interrupted Matroska file play, and what must be mended in it?
// SPDX-License-Identifier: MIT
#include "sfu/record_repair.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtp/bytes.h"

// RFC 8794 section 11.3 (EBML, Void), RFC 9559 section 5 (Matroska)
enum {
    ID_EBML = 0x1A45DFA3,
    ID_SEGMENT = 0x18538067,
    ID_INFO = 0x1549A966,
    ID_CLUSTER = 0x1F43B675,
    ID_VOID = 0xEC,
    ID_DURATION = 0x4489,
    ID_TIMESTAMP = 0xE7,
    ID_SIMPLE_BLOCK = 0xA3,
    ID_BLOCK_GROUP = 0xA0,
    ID_BLOCK = 0xA1,
    ID_BLOCK_DURATION = 0x9B,
};

enum {
    HEAD_MAX = 12,          // octets of an id and a size
    DURATION_LEN = 11,      // octets of the Duration element with its id and size, a 64-bit float
    CLUSTER_MAX = 64 << 20, // no writer of ours makes a larger one
    LAST_FRAME_MS = 20,     // how long a last frame that does not say is taken to be
    TICK_US = 1000,         // RFC 9559 section 11.1: TimestampScale as record_file.c leaves it
};

#define SIZE_UNKNOWN INT64_MAX

struct element {
    uint32_t id;
    int64_t at, body, end; // offsets of the head, of what is in it, and behind it; end SIZE_UNKNOWN
};

// ---- heads -------------------------------------------------------------------------------------------------------

// A number of 1 to 8 octets whose first bits tell its length (RFC 8794 section 4). -1: cut short or too long.
static int64_t read_vint(struct reader *r, bool keep_marker, bool *all_ones)
{
    uint8_t first = reader_u8(r);
    if (!first)
        return -1;
    unsigned len = (unsigned)__builtin_clz(first) - 24 + 1;
    uint64_t value = keep_marker ? first : first & (0xffU >> len);
    for (unsigned i = 1; i < len; i++)
        value = value << 8 | reader_u8(r);
    if (all_ones)
        *all_ones = value == (UINT64_C(1) << 7 * len) - 1;
    return r->ok ? (int64_t)value : -1;
}

static bool read_head(struct reader *r, int64_t at, struct element *e)
{
    const uint8_t *start = r->p;
    bool unknown;
    int64_t id = read_vint(r, true, NULL);
    int64_t size = read_vint(r, false, &unknown);
    if (id < 0 || id > UINT32_MAX || size < 0)
        return false;
    e->id = (uint32_t)id;
    e->at = at;
    e->body = at + (r->p - start);
    e->end = unknown ? SIZE_UNKNOWN : e->body + size;
    return unknown || size <= INT64_MAX - e->body;
}

// The element at this offset. False: there is none, or it does not end within `limit`.
static bool element_at(int fd, int64_t at, int64_t limit, struct element *e)
{
    uint8_t buf[HEAD_MAX];
    ssize_t n = pread(fd, buf, sizeof(buf), at);
    if (n <= 0)
        return false;
    struct reader r = reader_of(buf, (size_t)n);
    return read_head(&r, at, e) && (e->end == SIZE_UNKNOWN || e->end <= limit);
}

// ---- the last cluster --------------------------------------------------------------------------------------------

struct cluster {
    int64_t base, last, last_duration; // in ticks; last: relative to base; last_duration -1: not told
};

static int64_t read_uint(struct reader *r)
{
    int64_t value = 0;
    while (reader_left(r))
        value = value << 8 | reader_u8(r);
    return value;
}

// RFC 9559 section 10.1: track number, then a signed 16-bit time.
static void note_block(struct reader *r, struct cluster *c)
{
    read_vint(r, false, NULL);
    int16_t relative = (int16_t)reader_u16(r);
    if (r->ok && relative >= c->last) {
        c->last = relative;
        c->last_duration = -1;
    }
}

static void walk_cluster(struct reader r, struct cluster *c, unsigned depth)
{
    struct element e;
    while (reader_left(&r)) {
        if (!read_head(&r, 0, &e) || e.end == SIZE_UNKNOWN)
            return;
        struct reader body = reader_sub(&r, (size_t)(e.end - e.body));
        if (e.id == ID_TIMESTAMP)
            c->base = read_uint(&body);
        else if (e.id == ID_SIMPLE_BLOCK || e.id == ID_BLOCK)
            note_block(&body, c);
        else if (e.id == ID_BLOCK_DURATION)
            c->last_duration = read_uint(&body);
        else if (e.id == ID_BLOCK_GROUP && depth == 0)
            walk_cluster(body, c, 1);
    }
}

static int end_of_cluster(int fd, const struct element *e, int64_t *end_us)
{
    int64_t len = e->end - e->body;
    uint8_t *buf = len <= CLUSTER_MAX ? malloc((size_t)len + 1) : NULL;
    if (!buf)
        return -EFBIG;
    struct cluster c = {.last_duration = -1};
    ssize_t n = pread(fd, buf, (size_t)len, e->body);
    if (n == len)
        walk_cluster(reader_of(buf, (size_t)len), &c, 0);
    free(buf);
    *end_us = (c.base + c.last + (c.last_duration < 0 ? LAST_FRAME_MS : c.last_duration)) * TICK_US;
    return n == len ? 0 : -EIO;
}

// ---- the whole ---------------------------------------------------------------------------------------------------

// Where the duration belongs: the room left in Info, or where it was written before. 0: nowhere.
static int64_t find_duration(int fd, const struct element *info)
{
    struct element e;
    for (int64_t at = info->body; at < info->end && element_at(fd, at, info->end, &e); at = e.end) {
        if (e.end - e.at == DURATION_LEN && (e.id == ID_VOID || e.id == ID_DURATION))
            return e.at;
        if (e.end == SIZE_UNKNOWN)
            break;
    }
    return 0;
}

static int write_duration(int fd, int64_t at, int64_t duration_us)
{
    uint8_t buf[DURATION_LEN];
    double ticks = (double)duration_us / TICK_US;
    uint64_t bits;
    memcpy(&bits, &ticks, sizeof(bits));
    wr16(buf, ID_DURATION);
    buf[2] = 0x80 | sizeof(bits);
    wr64(buf + 3, bits);
    return pwrite(fd, buf, sizeof(buf), at) == sizeof(buf) ? 0 : -EIO;
}

// Walks the segment's children: notes Info and the last whole cluster. Returns the offset behind the last whole
// child.
static int64_t walk_segment(int fd, int64_t at, int64_t limit, struct element *info, struct element *last)
{
    struct element e;
    while (at < limit && element_at(fd, at, limit, &e) && e.end != SIZE_UNKNOWN) {
        if (e.id == ID_INFO)
            *info = e;
        if (e.id == ID_CLUSTER)
            *last = e;
        at = e.end;
    }
    return at;
}

int record_repair(int fd, int64_t *duration_us)
{
    struct stat st;
    struct element head, segment, info = {0}, last = {0};
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size == 0)
        return -ENODATA;
    if (!element_at(fd, 0, st.st_size, &head) || head.id != ID_EBML || head.end == SIZE_UNKNOWN)
        return -EBADMSG;
    if (!element_at(fd, head.end, INT64_MAX, &segment) || segment.id != ID_SEGMENT)
        return -EBADMSG;
    int64_t end = walk_segment(fd, segment.body, st.st_size, &info, &last);
    if (!last.end)
        return -ENODATA;
    int64_t end_us;
    int rc = end_of_cluster(fd, &last, &end_us);
    if (rc < 0)
        return rc;
    if (duration_us)
        *duration_us = end_us;
    if (end < st.st_size && ftruncate(fd, end) < 0)
        return -errno;
    int64_t at = info.end ? find_duration(fd, &info) : 0;
    return at ? write_duration(fd, at, end_us) : 0;
}
