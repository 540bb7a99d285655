// Which number do the next n bits hold, and how is one written?
// SPDX-License-Identifier: MIT
#include "rtp/bits.h"

void bit_reader_init(struct bit_reader *r, const uint8_t *data, size_t len)
{
    *r = (struct bit_reader){data, 0, 8 * len, true};
}

// Takes n bits if there are as many; the cursor stays where it is when there are not.
static bool take(struct bit_reader *r, size_t n)
{
    if (r->ok && r->end - r->at >= n)
        return true;
    r->ok = false;
    return false;
}

uint32_t bit_read(struct bit_reader *r, unsigned n)
{
    uint64_t value = 0;
    unsigned got = 0;

    if (!n || !take(r, n))
        return 0;
    while (got < n) {
        unsigned used = r->at % 8;
        unsigned step = 8 - used < n - got ? 8 - used : n - got;
        uint8_t byte = (uint8_t)(r->data[r->at / 8] << used);
        value = value << step | byte >> (8 - step);
        got += step;
        r->at += step;
    }
    return (uint32_t)value;
}

bool bit_read_flag(struct bit_reader *r)
{
    return bit_read(r, 1);
}

uint32_t bit_read_ns(struct bit_reader *r, uint32_t n)
{
    unsigned width = 0;
    while (n >> width)
        width++;
    if (!width) {
        r->ok = false;
        return 0;
    }

    uint32_t shorter = (uint32_t)((UINT64_C(1) << width) - n);
    uint32_t value = bit_read(r, width - 1);
    if (value < shorter)
        return value;
    return (value << 1) - shorter + bit_read(r, 1);
}

uint32_t bit_read_ue(struct bit_reader *r)
{
    unsigned zeros = 0;

    while (r->ok && !bit_read_flag(r))
        zeros++;
    if (zeros > 31)
        r->ok = false;
    if (!r->ok)
        return 0;
    return (uint32_t)((UINT32_C(1) << zeros) - 1 + bit_read(r, zeros));
}

int32_t bit_read_se(struct bit_reader *r)
{
    uint32_t code = bit_read_ue(r);
    int32_t magnitude = (int32_t)(code / 2 + code % 2);
    return code % 2 ? magnitude : -magnitude;
}

void bit_skip(struct bit_reader *r, size_t n)
{
    if (take(r, n))
        r->at += n;
}

void bit_writer_init(struct bit_writer *w, uint8_t *data, size_t len)
{
    *w = (struct bit_writer){data, 0, 8 * len, true};
}

void bit_write(struct bit_writer *w, uint32_t value, unsigned n)
{
    if (!w->ok || w->end - w->at < n) {
        w->ok = false;
        return;
    }
    while (n--) {
        uint8_t *byte = &w->data[w->at / 8];
        uint8_t bit = (uint8_t)(0x80 >> w->at % 8);
        *byte = value >> n & 1 ? *byte | bit : *byte & (uint8_t)~bit;
        w->at++;
    }
}

void bit_copy(struct bit_writer *w, struct bit_reader *r, size_t n)
{
    while (n && r->ok && w->ok) {
        unsigned step = n < 32 ? (unsigned)n : 32;
        bit_write(w, bit_read(r, step), step);
        n -= step;
    }
}

size_t bit_writer_finish(struct bit_writer *w)
{
    if (w->ok && w->at % 8)
        bit_write(w, 0, 8 - (unsigned)(w->at % 8));
    return w->at / 8;
}
