// How are big-endian numbers read and written without ever leaving a buffer?
// SPDX-License-Identifier: MIT
//
// Network byte order throughout. rd*() and wr*() trust the caller; `struct reader` and `struct writer` are bounded
// cursors whose `ok` is sticky: the first access past the end clears it, moves the reader to its end (so loops on
// reader_left() stop), reads as 0 and writes nothing. Check `ok` once, at the end.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t rd16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t rd24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t rd32(const uint8_t *p)
{
    return (uint32_t)rd16(p) << 16 | rd16(p + 2);
}

static inline uint64_t rd64(const uint8_t *p)
{
    return (uint64_t)rd32(p) << 32 | rd32(p + 4);
}

static inline void wr16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void wr24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    wr16(p + 1, (uint16_t)v);
}

static inline void wr32(uint8_t *p, uint32_t v)
{
    wr16(p, (uint16_t)(v >> 16));
    wr16(p + 2, (uint16_t)v);
}

static inline void wr64(uint8_t *p, uint64_t v)
{
    wr32(p, (uint32_t)(v >> 32));
    wr32(p + 4, (uint32_t)v);
}

// ---- reader: borrows the bytes, owns nothing ---------------------------------------------------------------

struct reader {
    const uint8_t *p, *end; // next octet, one past the last
    bool ok;                // false: something was read past the end
};

static inline struct reader reader_of(const void *buf, size_t len)
{
    const uint8_t *p = buf;
    return (struct reader){p, len ? p + len : p, true};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

// Takes n octets and returns where they begin, or NULL (and ok = false) when fewer are left.
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
    if (!r->ok || reader_left(r) < n) {
        r->ok = false;
        r->p = r->end;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p = n ? p + n : p;
    return p;
}

static inline void reader_skip(struct reader *r, size_t n)
{
    (void)reader_bytes(r, n);
}

// Takes n octets as a reader of their own, which cannot leave them. Too few left: both are not ok, the new one empty.
static inline struct reader reader_sub(struct reader *r, size_t n)
{
    const uint8_t *p = reader_bytes(r, n);
    struct reader sub = reader_of(p, r->ok ? n : 0);
    sub.ok = r->ok;
    return sub;
}

static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 2);
    return p ? rd16(p) : 0;
}

static inline uint32_t reader_u24(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 3);
    return p ? rd24(p) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 4);
    return p ? rd32(p) : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 8);
    return p ? rd64(p) : 0;
}

// ---- writer: fills a buffer of the caller's ------------------------------------------------------------------

struct writer {
    uint8_t *start, *p, *end; // first octet, next octet, one past the room
    bool ok;                  // false: something did not fit and was not written
};

static inline struct writer writer_of(void *buf, size_t cap)
{
    uint8_t *p = buf;
    return (struct writer){p, p, cap ? p + cap : p, true};
}

static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->p - w->start);
}

static inline size_t writer_left(const struct writer *w)
{
    return (size_t)(w->end - w->p);
}

// Takes room for n octets and returns where it begins, or NULL (and ok = false) when there is less.
static inline uint8_t *writer_room(struct writer *w, size_t n)
{
    if (!w->ok || writer_left(w) < n) {
        w->ok = false;
        return NULL;
    }
    uint8_t *p = w->p;
    w->p = n ? p + n : p;
    return p;
}

static inline void writer_bytes(struct writer *w, const void *src, size_t n)
{
    uint8_t *p = writer_room(w, n);
    if (p && n)
        memcpy(p, src, n);
}

static inline void writer_fill(struct writer *w, uint8_t v, size_t n)
{
    uint8_t *p = writer_room(w, n);
    if (p && n)
        memset(p, v, n);
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
    uint8_t *p = writer_room(w, 1);
    if (p)
        p[0] = v;
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
    uint8_t *p = writer_room(w, 2);
    if (p)
        wr16(p, v);
}

static inline void writer_u24(struct writer *w, uint32_t v)
{
    uint8_t *p = writer_room(w, 3);
    if (p)
        wr24(p, v);
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
    uint8_t *p = writer_room(w, 4);
    if (p)
        wr32(p, v);
}

static inline void writer_u64(struct writer *w, uint64_t v)
{
    uint8_t *p = writer_room(w, 8);
    if (p)
        wr64(p, v);
}
