// How is a data channel opened? (DCEP, RFC 8832 section 5; pure)
// SPDX-License-Identifier: MIT
//
//     0: type 3 | 1: channel type | 2: priority (2) | 4: reliability (4) | 8: label length (2) | 10: protocol length
//     (2) 12: label, protocol
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { // RFC 8832 s8.2.1
    DCEP_ACK = 0x02,
    DCEP_OPEN = 0x03,
};

enum { // RFC 8832 s5.1: channel types; the top bit says unordered
    DCEP_RELIABLE = 0x00,
    DCEP_REXMIT = 0x01, // reliability: how often to send again
    DCEP_TIMED = 0x02,  // reliability: milliseconds to try
    DCEP_UNORDERED = 0x80,
};

enum {
    DCEP_HEADER = 12,
    DCEP_NAME_MAX = 128, // ours: bytes of a label or a protocol
    DCEP_OPEN_MAX = DCEP_HEADER + 2 * DCEP_NAME_MAX,
};

struct dcep {
    uint8_t type;         // DCEP_ACK: the rest is not used
    uint8_t channel_type; // one of the six
    uint16_t priority;
    uint32_t reliability;
    char label[DCEP_NAME_MAX + 1]; // UTF-8 without NUL
    char protocol[DCEP_NAME_MAX + 1];
};

// 0; -EBADMSG: no DCEP message, or a NUL in a name; -E2BIG: a name longer than DCEP_NAME_MAX.
int dcep_parse(struct dcep *dcep, const uint8_t *buf, size_t len);

// The length written, or 0 when cap is less.
size_t dcep_write(const struct dcep *dcep, uint8_t *buf, size_t cap);
