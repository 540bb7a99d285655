// How long did most, nearly all and the slowest take?
// SPDX-License-Identifier: MIT
#include "bench/load/histogram.h"

static unsigned bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_LINEAR)
        return (unsigned)value;
    unsigned shift = 0;
    while (value >> shift >= 2 * HISTOGRAM_STEPS)
        shift++;
    unsigned bucket = HISTOGRAM_LINEAR + (shift - 1) * HISTOGRAM_STEPS + (unsigned)(value >> shift) - HISTOGRAM_STEPS;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

// The largest value of a bucket.
static int64_t value_of(unsigned bucket)
{
    if (bucket < HISTOGRAM_LINEAR)
        return bucket;
    unsigned above = bucket - HISTOGRAM_LINEAR, shift = above / HISTOGRAM_STEPS + 1;
    return ((int64_t)(above % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t value_us)
{
    uint64_t value = value_us > 0 ? (uint64_t)value_us : 0;
    h->count++;
    h->sum_us += value;
    if (value_us > h->max_us)
        h->max_us = value_us;
    h->buckets[bucket_of(value)]++;
}

int64_t histogram_percentile(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && seen >= wanted)
            return value_of(i) < h->max_us ? value_of(i) : h->max_us;
    }
    return h->max_us;
}
