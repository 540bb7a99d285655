// How many bits per second went through here lately?
// SPDX-License-Identifier: MIT
#include "rtp/rate.h"

// Slices are counted from 1, so that 0 means: nothing yet.
static int64_t slice_of(int64_t now_us)
{
    return now_us / RATE_SLICE_US + 1;
}

static uint32_t *bytes_of(struct rate *r, int64_t slice)
{
    return &r->bytes[(uint64_t)slice % RATE_SLICES];
}

// Moves the window up to `slice`; what falls out is forgotten.
static void advance(struct rate *r, int64_t slice)
{
    if (slice - r->slice > RATE_SLICES)
        r->slice = slice - RATE_SLICES;
    while (r->slice < slice) {
        uint32_t *oldest = bytes_of(r, ++r->slice);
        r->total -= *oldest;
        *oldest = 0;
    }
}

void rate_add(struct rate *r, int64_t now_us, size_t bytes)
{
    int64_t slice = slice_of(now_us);
    if (!r->first)
        r->first = slice;
    advance(r, slice);
    *bytes_of(r, r->slice) += (uint32_t)bytes;
    r->total += bytes;
}

uint64_t rate_bps(struct rate *r, int64_t now_us)
{
    if (!r->first)
        return 0;
    advance(r, slice_of(now_us));
    int64_t oldest = r->slice - (RATE_SLICES - 1);
    int64_t from = oldest > r->first ? oldest : r->first;
    int64_t window_us = now_us - (from - 1) * RATE_SLICE_US;
    if (window_us < RATE_SLICE_US)
        window_us = RATE_SLICE_US;
    return r->total * 8 * 1000000 / (uint64_t)window_us;
}
