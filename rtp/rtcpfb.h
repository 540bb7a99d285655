// What does a receiver ask of a sender: resend these, send a key frame, send at most so much?
// SPDX-License-Identifier: MIT
//
// RFC 4585 section 6 (common form, NACK, PLI), RFC 5104 section 4.3.1 (FIR), draft-alvestrand-rmcat-remb-03 (REMB).
// The transport-wide message (RTPFB_TWCC) is read and written by twcc.h. Writers as in rtcp.h.
#pragma once

#include "rtp/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTPFB_NACK = 1,  // RFC 4585 section 6.2.1
    RTPFB_TWCC = 15, // draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1
    PSFB_PLI = 1,    // RFC 4585 section 6.3.1
    PSFB_FIR = 4,    // RFC 5104 section 4.3.1
    PSFB_AFB = 15,   // RFC 4585 section 6.4; REMB is one of these
};

enum rtcpfb_kind {
    RTCPFB_OTHER, // none of ours
    RTCPFB_NACK,
    RTCPFB_TWCC,
    RTCPFB_PLI,
    RTCPFB_FIR,
    RTCPFB_REMB,
    RTCPFB_KIND_COUNT,
};

struct rtcpfb {
    enum rtcpfb_kind kind;
    uint32_t sender_ssrc;
    uint32_t media_ssrc; // 0 in FIR and REMB, whose entries name the streams
    struct reader fci;   // feedback control information
};

// Any RTPFB or PSFB packet. 0, or -EBADMSG when it is not one or too short for its kind.
int rtcpfb_parse(const struct rtcp *rtcp, struct rtcpfb *out);

// One line of text, always terminated, cut to fit. Returns its length.
size_t rtcpfb_print(const struct rtcpfb *fb, char *out, size_t cap);

// ---- NACK: packet ids with a bit mask of the 16 that follow ----------------------------------------------------

struct rtcpfb_nack_iter {
    struct reader fci;
    uint16_t pid;
    uint16_t blp; // not yet returned
};

struct rtcpfb_nack_iter rtcpfb_nack_iter(const struct rtcpfb *fb);

// The next sequence number asked for; false at the end. Note that 4 octets can ask for 17 packets.
bool rtcpfb_nack_next(struct rtcpfb_nack_iter *it, uint16_t *seq);

// Asks for n sequence numbers, in ascending (wrapping) order. Writes as many as fit; returns how many, 0 when none do
// (w->ok stays true: this packet is optional).
size_t rtcpfb_nack_write(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs, size_t n);

// ---- key frame requests -------------------------------------------------------------------------------------

void rtcpfb_pli_write(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc);

struct rtcpfb_fir {
    uint32_t ssrc;
    uint8_t seq_nr; // a command repeated has the same number
};

// The entries: struct reader r = fb.fci. False at the end.
bool rtcpfb_fir_next(struct reader *fci, struct rtcpfb_fir *out);
void rtcpfb_fir_write(struct writer *w, uint32_t sender_ssrc, const struct rtcpfb_fir *entries, size_t n);

// ---- REMB: 6-bit exponent, 18-bit mantissa -------------------------------------------------------------------

enum { RTCPFB_REMB_SSRCS_MAX = 255 };

// 0 or -EBADMSG. `ssrcs`: the streams it speaks of, 4 octets each, for reader_u32(). A rate over 64 bits is refused.
int rtcpfb_remb_parse(const struct rtcpfb *fb, uint64_t *bitrate_bps, struct reader *ssrcs);
// Rounds the rate down to what the mantissa holds.
void rtcpfb_remb_write(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, size_t n);
