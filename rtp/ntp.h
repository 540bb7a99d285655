// How do microseconds, NTP timestamps and RTP clock units turn into one another?
// SPDX-License-Identifier: MIT
//
// NTP timestamps (RFC 5905 section 6): 64 bits, seconds since 1900 in 32.32 fixed point. Their middle 32 bits, the
// "compact" form of RFC 3550 section 4, are 16.16 seconds. All conversions round down.
#pragma once

#include <stdint.h>

#define NTP_UNIX_S INT64_C(2208988800) // seconds from 1900 to 1970 (RFC 868)

// Wall clock (microseconds since 1970, >= 0) to NTP. After February 2036 the era bit is lost, as it is for everyone.
static inline uint64_t ntp_from_us(int64_t unix_us)
{
    uint64_t s = (uint64_t)(unix_us / 1000000 + NTP_UNIX_S);
    uint64_t us = (uint64_t)(unix_us % 1000000);
    return s << 32 | (us << 32) / 1000000;
}

// NTP to wall clock. Seconds below 2^31 mean the era that begins in 2036 (RFC 4330 section 3).
static inline int64_t ntp_to_us(uint64_t ntp)
{
    int64_t s = (int64_t)(ntp >> 32);
    if (s < INT64_C(0x80000000))
        s += INT64_C(0x100000000);
    int64_t us = (int64_t)(((ntp & 0xffffffff) * 1000000) >> 32);
    return (s - NTP_UNIX_S) * 1000000 + us;
}

// The compact form of an NTP timestamp: what LSR in a report block holds (RFC 3550 section 6.4.1).
static inline uint32_t ntp_compact(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

// A duration (>= 0) in 1/65536 s: what DLSR in a report block holds. Wraps after 18 hours.
static inline uint32_t ntp_compact_from_us(int64_t us)
{
    return (uint32_t)((us / 1000000) << 16) + (uint32_t)(((us % 1000000) << 16) / 1000000);
}

static inline int64_t ntp_compact_to_us(uint32_t compact)
{
    return ((int64_t)compact * 1000000) >> 16;
}

// A duration or instant (>= 0) in units of an RTP clock. No wrap: cut to uint32_t for a timestamp.
static inline int64_t ntp_us_to_ts(int64_t us, uint32_t clock_hz)
{
    return us / 1000000 * clock_hz + us % 1000000 * clock_hz / 1000000;
}

// The other way; `ts` may be a signed difference (rounds towards 0). 0 for a clock of 0 Hz.
static inline int64_t ntp_ts_to_us(int64_t ts, uint32_t clock_hz)
{
    if (!clock_hz)
        return 0;
    return ts / clock_hz * 1000000 + ts % clock_hz * 1000000 / clock_hz;
}
