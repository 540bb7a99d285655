// How many bits per second went through here lately?
// SPDX-License-Identifier: MIT
//
// A window of about one second in 16 slices. All zero is ready.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    RATE_SLICES = 16,
    RATE_SLICE_US = 65536, // the window is 15 to 16 of them: 1.0 s
};

struct rate {
    int64_t slice; // number of the newest slice since time 0
    int64_t first; // slice of the first byte ever
    uint64_t total;
    uint32_t bytes[RATE_SLICES];
};

void rate_add(struct rate *r, int64_t now_us, size_t bytes);

// Bits per second over the window up to now. A stream younger than the window is divided by its age.
uint64_t rate_bps(struct rate *r, int64_t now_us);
