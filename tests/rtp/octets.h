// How does a test make octets from text, cut them short and damage them?
// SPDX-License-Identifier: MIT
//
// Every block is a heap block of exactly its length, so that ASan sees the first octet read beyond it.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct octets {
    uint8_t *data;
    size_t len;
};

typedef void octets_try(const uint8_t *data, size_t len, void *arg);

static inline struct octets octets_copy(const uint8_t *data, size_t len)
{
    struct octets o = {malloc(len ? len : 1), len};
    if (!o.data)
        abort();
    if (len)
        memcpy(o.data, data, len);
    return o;
}

static inline uint8_t octets_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    if (!at) {
        fprintf(stderr, "'%c' is not a hex digit\n", c);
        abort();
    }
    return (uint8_t)(at - digits);
}

// From lower case hex digits; blanks are skipped. The caller frees `data`.
static inline struct octets octets_of(const char *hex)
{
    struct octets o = {malloc(strlen(hex) / 2 + 1), 0};
    if (!o.data)
        abort();
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        o.data[o.len++] = (uint8_t)(octets_digit(hex[0]) << 4 | octets_digit(hex[1]));
        hex++;
    }
    struct octets exact = octets_copy(o.data, o.len);
    free(o.data);
    return exact;
}

static inline void octets_try_exact(const uint8_t *data, size_t len, octets_try *try, void *arg)
{
    struct octets o = octets_copy(data, len);
    try(o.data, o.len, arg);
    free(o.data);
}

// Tries every prefix, the empty one and the whole included.
static inline void octets_try_prefixes(const uint8_t *data, size_t len, octets_try *try, void *arg)
{
    for (size_t n = 0; n <= len; n++)
        octets_try_exact(data, n, try, arg);
}

// xorshift64*: the same numbers on every machine. The seed is not 0.
static inline uint32_t octets_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)(*seed * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

// Tries `rounds` random blocks of at most `max` octets.
static inline void octets_try_random(size_t max, unsigned rounds, uint64_t seed, octets_try *try, void *arg)
{
    while (rounds--) {
        struct octets o = {malloc(max ? max : 1), octets_random(&seed) % (max + 1)};
        if (!o.data)
            abort();
        for (size_t i = 0; i < o.len; i++)
            o.data[i] = (uint8_t)octets_random(&seed);
        octets_try_exact(o.data, o.len, try, arg);
        free(o.data);
    }
}

// Tries `rounds` copies with up to four octets replaced and perhaps cut short.
static inline void octets_try_damaged(const uint8_t *data, size_t len, unsigned rounds, uint64_t seed,
                                      octets_try *try, void *arg)
{
    while (len && rounds--) {
        struct octets o = octets_copy(data, len);
        for (uint32_t n = 1 + octets_random(&seed) % 4; n; n--)
            o.data[octets_random(&seed) % len] = (uint8_t)octets_random(&seed);
        octets_try_exact(o.data, octets_random(&seed) % 2 ? len : octets_random(&seed) % (len + 1), try, arg);
        free(o.data);
    }
}
