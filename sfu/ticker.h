// When is the next tick?
// SPDX-License-Identifier: MIT
//
// A worker ticks every TICKER_QUIET_US, but TICKER_HASTE_US after the last tick where somebody waits for it: a packet
// is missing, a key frame is wanted. One per worker, shared with what lives on it; its thread only.
#pragma once

#include <stdint.h>
#include <sys/param.h>

enum {
    TICKER_HASTE_US = 10000,
    TICKER_QUIET_US = 20000,
};

struct ticker {
    int64_t wanted_us; // at the latest
    int64_t ticked_us;
    int64_t late_us; // the latest tick since somebody asked
};

// A tick at `at_us`, which is not past, would be of use.
static inline void ticker_want(struct ticker *ticker, int64_t at_us)
{
    ticker->wanted_us = MIN(ticker->wanted_us, at_us);
}

static inline int64_t ticker_due(const struct ticker *ticker)
{
    return MAX(ticker->wanted_us, ticker->ticked_us + TICKER_HASTE_US);
}

static inline void ticker_tick(struct ticker *ticker, int64_t now_us)
{
    ticker->late_us = MAX(ticker->late_us, now_us - ticker_due(ticker));
    ticker->ticked_us = now_us;
    ticker->wanted_us = now_us + TICKER_QUIET_US;
}

// The first tick after a rest is due now.
static inline void ticker_start(struct ticker *ticker, int64_t now_us)
{
    ticker->ticked_us = now_us - TICKER_HASTE_US;
    ticker->wanted_us = now_us;
}
