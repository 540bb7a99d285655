// What time does a library believe it is? (the test's: libraries ask gettimeofday(), which is defined here)
// SPDX-License-Identifier: MIT
//
// For one file of a test program.
#pragma once

#include <stdint.h>
#include <sys/time.h>

static int64_t clock_us;

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    int64_t wall_us = INT64_C(1700000000000000) + clock_us;
    *tv = (struct timeval){.tv_sec = wall_us / 1000000, .tv_usec = wall_us % 1000000};
    return 0;
}
