// How often may somebody do something? (token buckets)
// SPDX-License-Identifier: MIT
//
// Pure: time is a parameter, nothing is allocated.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Holds up to `burst` tokens and gains `per_s` of them a second.
struct bucket {
    double per_s, burst;
    double tokens;
    int64_t filled_us;
};

void bucket_init(struct bucket *bucket, double per_s, double burst, int64_t now_us);

// Takes `cost` tokens, or none and returns false. A clock that steps back is taken as standing still.
bool bucket_take(struct bucket *bucket, double cost, int64_t now_us);
