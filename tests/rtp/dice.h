// What random numbers does a property test draw? (the same every time)
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

// splitmix64: any seed will do, 0 too.
static inline uint64_t dice_next(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// 0 .. n-1
static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
    return (uint32_t)(dice_next(d) % n);
}

static inline bool dice_chance(struct dice *d, uint32_t percent)
{
    return dice_below(d, 100) < percent;
}
