// Which of two numbers that wrap around comes first?
// SPDX-License-Identifier: MIT
//
// Serial number arithmetic (RFC 1982) for sequence numbers (16 bits) and RTP timestamps (32 bits). Two numbers
// exactly half the circle apart have no order: neither is newer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// a - b the short way round: positive when a comes after b.
static inline int16_t seq_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static inline int32_t ts_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool ts_newer(uint32_t a, uint32_t b)
{
    return ts_diff(a, b) > 0;
}

// Extends 16-bit sequence numbers to 64 bits that do not wrap. Zeroed is ready. The first number s becomes
// 65536 + s, so that what arrives late from before it still has a number.
struct seq_unwrap {
    uint64_t newest; // the highest so far; 0: none yet
};

// The extended number of seq, taken as the one nearest to the newest. Changes nothing.
static inline uint64_t seq_unwrap_peek(const struct seq_unwrap *u, uint16_t seq)
{
    if (!u->newest)
        return UINT64_C(65536) + seq;
    return u->newest + (uint64_t)(int64_t)seq_diff(seq, (uint16_t)u->newest);
}

// The same, and remembers it when it is the newest.
static inline uint64_t seq_unwrap_rx(struct seq_unwrap *u, uint16_t seq)
{
    uint64_t ext = seq_unwrap_peek(u, seq);
    if (ext > u->newest)
        u->newest = ext;
    return ext;
}
