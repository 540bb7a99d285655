// What time is it? Read once per loop turn and passed on as `now_us`.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>
#include <time.h>

// Microseconds of a clock that never jumps.
static inline int64_t now_monotonic_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

// Microseconds since 1970 of the wall clock.
static inline int64_t now_wall_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
