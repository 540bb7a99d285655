// Which protocol does a datagram on the media port belong to?
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

enum demux {
    DEMUX_UNKNOWN, // drop
    DEMUX_STUN,
    DEMUX_ZRTP,
    DEMUX_DTLS,
    DEMUX_TURN_CHANNEL,
    DEMUX_RTP,
    DEMUX_RTCP,
};

// By the first octet, RFC 7983 section 7. RTP stands for RTP or RTCP. (The ranges RFC 9443 gave to QUIC are unknown.)
static inline enum demux demux_first(uint8_t first)
{
    if (first <= 3)
        return DEMUX_STUN;
    if (first >= 16 && first <= 19)
        return DEMUX_ZRTP;
    if (first >= 20 && first <= 63)
        return DEMUX_DTLS;
    if (first >= 64 && first <= 79)
        return DEMUX_TURN_CHANNEL;
    if (first >= 128 && first <= 191)
        return DEMUX_RTP;
    return DEMUX_UNKNOWN;
}

// By the first two octets. RTCP packet types are 192..223 where RTP has marker and payload type 64..95, which is why
// RTP must not use those types (RFC 5761 section 4). An empty datagram, or RTP of one octet, is unknown.
static inline enum demux demux(const uint8_t *buf, size_t len)
{
    if (len == 0)
        return DEMUX_UNKNOWN;
    enum demux first = demux_first(buf[0]);
    if (first != DEMUX_RTP)
        return first;
    if (len < 2)
        return DEMUX_UNKNOWN;
    return buf[1] >= 192 && buf[1] <= 223 ? DEMUX_RTCP : DEMUX_RTP;
}
