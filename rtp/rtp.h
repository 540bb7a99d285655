// What does one RTP packet say, and where in it are its parts?
// SPDX-License-Identifier: MIT
//
// RFC 3550 section 5.1 (fixed header), 5.3.1 (extension). The view holds numbers and offsets, never pointers: it
// stays true for every copy of the bytes. Element level of the header extension: ext.h.
//
//     0                   1                   2                   3
//     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//    |                           timestamp                           |
//    |                             SSRC                              |
//    |                     CSRC (0..15 of them)                      |
//    |   extension profile (X)       |     length in words (X)       |
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_HEADER_LEN = 12,     // octets of the fixed header
    RTP_EXT_HEAD_LEN = 4,    // profile and length, in front of the extension's elements
    RTP_PACKET_MAX = 0xffff, // octets of a packet this parser takes
};

// Why a packet is refused. RTP_OK is 0.
enum rtp_reject {
    RTP_OK,
    RTP_SHORT,         // less than a header
    RTP_LONG,          // more than RTP_PACKET_MAX
    RTP_BAD_VERSION,   // not 2
    RTP_BAD_CSRC,      // the CSRC list leaves the packet
    RTP_BAD_EXTENSION, // the header extension leaves the packet
    RTP_BAD_PADDING,   // padding of 0 octets or more than there are
    RTP_REJECT_COUNT,
};

struct rtp {
    uint32_t ts;
    uint32_t ssrc;
    uint16_t seq;
    uint8_t pt;
    bool marker;
    uint8_t csrc_count;   // CSRCs begin at RTP_HEADER_LEN
    uint8_t padding_len;  // octets at the packet's end, the count octet included; 0: none
    uint16_t ext_profile; // 0xBEDE, 0x100x (RFC 8285) or another's
    uint16_t ext_off;     // first element, behind the 4-octet head; 0: the packet has no extension
    uint16_t ext_len;     // octets of the elements and their padding
    uint16_t payload_off; // behind the header, or behind the OSN after rtx_unwrap()
    uint16_t payload_len; // without padding; 0 is legal (a probe)
};

// Octets of fixed header, CSRCs and extension.
static inline size_t rtp_header_len(const struct rtp *rtp)
{
    if (rtp->ext_off)
        return (size_t)rtp->ext_off + rtp->ext_len;
    return RTP_HEADER_LEN + (size_t)rtp->csrc_count * 4;
}

// Parses a packet in the clear. On a reject the view's content is unspecified.
enum rtp_reject rtp_parse(struct rtp *rtp, const uint8_t *buf, size_t len);

// The same without looking at the padding, which SRTP encrypts: padding_len is 0 and the payload runs to the end.
enum rtp_reject rtp_parse_header(struct rtp *rtp, const uint8_t *buf, size_t len);

// Writes the fixed header: marker, pt (7 bits), seq, ts, ssrc; no CSRC, no padding bit. `has_ext`: an extension block
// (ext_list_write) follows. Returns RTP_HEADER_LEN, or 0 when cap is less.
size_t rtp_header_write(const struct rtp *rtp, bool has_ext, uint8_t *buf, size_t cap);

// Appends `n` octets of padding (n >= 1) to a packet of `len` octets that has none, and sets its padding bit. Returns
// the new length, or 0 when it does not fit or there is no packet.
size_t rtp_pad(uint8_t *buf, size_t len, size_t cap, uint8_t n);

// One line of text, always terminated, cut to fit. Returns its length.
size_t rtp_print(const struct rtp *rtp, char *out, size_t cap);

// A short word for counters and logs.
const char *rtp_reject_name(enum rtp_reject reject);
