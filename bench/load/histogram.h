// How long did most, nearly all and the slowest take? (microseconds, within 3 %)
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

enum {
    HISTOGRAM_LINEAR = 64, // values below have a bucket of their own
    HISTOGRAM_STEPS = 32,  // buckets between two powers of two above
    HISTOGRAM_BUCKETS = HISTOGRAM_LINEAR + 20 * HISTOGRAM_STEPS,
};

struct histogram { // zeroed is empty
    uint64_t count, sum_us;
    int64_t max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t value_us); // negative counts as 0

// The value that `share` (0..1) of all do not exceed; 0 when empty.
int64_t histogram_percentile(const struct histogram *histogram, double share);
