// How does a retransmitted packet travel in its own stream, and how is the original had back?
// SPDX-License-Identifier: MIT
//
// RFC 4588 section 4: the payload is the original sequence number (OSN, 2 octets) and the original payload; payload
// type, SSRC and sequence number are the retransmission stream's own; all else is the original's.
#pragma once

#include "rtp/rtp.h"

#include <stddef.h>
#include <stdint.h>

enum { RTX_OSN_LEN = 2 };

// Turns the view of a retransmission into the view of the original; the bytes stay as they are. 0, or -ENODATA for a
// payload without an OSN (browsers probe bandwidth with such packets): the view is then unchanged.
int rtx_unwrap(struct rtp *rtp, const uint8_t *buf, uint8_t media_pt, uint32_t media_ssrc);

// Writes the original `in` (parsed as rtp) as a retransmission, header extension and CSRCs included, padding left
// out. Returns its length, or 0 when it does not fit. The buffers must not overlap.
size_t rtx_wrap(const struct rtp *rtp, const uint8_t *in, uint8_t rtx_pt, uint32_t rtx_ssrc, uint16_t rtx_seq,
                uint8_t *out, size_t cap);
