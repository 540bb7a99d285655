// What do the packets of an RTCP compound say: reports, names, goodbyes?
// SPDX-License-Identifier: MIT
//
// RFC 3550 section 6. Feedback (RFC 4585) is in rtcpfb.h, transport-wide feedback in twcc.h. Reading is a walk:
//
//     struct reader r = reader_of(buf, len);
//     struct rtcp p;
//     while (rtcp_next(&r, &p))
//         switch (p.type) { ... }
//     if (!r.ok)
//         ... the rest was malformed
//
// Each packet is confined to its declared length. Reduced-size RTCP (RFC 5506) is accepted: any type may come first.
// Writers append whole packets to a `struct writer`; a packet that does not fit clears its `ok` and leaves no part of
// itself behind.
#pragma once

#include "rtp/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2.
enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207,
};

enum {
    RTCP_HEADER_LEN = 4,
    RTCP_REPORTS_MAX = 31, // report blocks in one packet, SSRCs in a BYE: a 5-bit count
    RTCP_REPORT_LEN = 24,
    RTCP_TEXT_MAX = 255, // octets of a CNAME or of a reason for leaving
};

// One packet of a compound; the bytes are borrowed.
struct rtcp {
    uint8_t type;       // enum rtcp_type, or one we do not know
    uint8_t count;      // 5 bits: number of reports, sources, or the feedback message type (FMT)
    struct reader body; // behind the 4-octet header, without padding
};

// The next packet; false at the end, or (r->ok false) at something that is not RTCP.
bool rtcp_next(struct reader *r, struct rtcp *out);

// One line of text for any packet (feedback: its type and number only), always terminated, cut to fit. Returns its
// length.
size_t rtcp_print(const struct rtcp *rtcp, char *out, size_t cap);

// ---- reports (RFC 3550 section 6.4) ---------------------------------------------------------------------------

struct rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost; // of 256, since the last report
    int32_t lost;          // since the beginning; 24 bits, signed; written clamped
    uint32_t ext_seq;      // highest sequence number, cycles in the upper half
    uint32_t jitter_ts;    // in RTP clock units
    uint32_t lsr;          // compact NTP of the last SR; 0: none
    uint32_t dlsr;         // since then, in 1/65536 s
};

struct rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp; // 32.32 seconds since 1900
    uint32_t ts;  // the same instant in RTP clock units
    uint32_t packets;
    uint32_t octets; // of payload
};

// 0 or -EBADMSG. `reports` becomes a reader over the report blocks, for rtcp_report_next().
int rtcp_sr_parse(const struct rtcp *rtcp, struct rtcp_sr *out, struct reader *reports);
int rtcp_rr_parse(const struct rtcp *rtcp, uint32_t *sender_ssrc, struct reader *reports);
bool rtcp_report_next(struct reader *reports, struct rtcp_report *out);

// n <= RTCP_REPORTS_MAX; more clears w->ok.
void rtcp_sr_write(struct writer *w, const struct rtcp_sr *sr, const struct rtcp_report *reports, size_t n);
void rtcp_rr_write(struct writer *w, uint32_t sender_ssrc, const struct rtcp_report *reports, size_t n);

// ---- SDES (RFC 3550 section 6.5): one chunk per source, of which we read the CNAME ------------------------------

struct rtcp_sdes {
    uint32_t ssrc;
    const char *cname; // borrowed, not terminated; NULL: the chunk has none
    uint8_t cname_len; // may be 0: Chromium sends an empty one for simulcast
};

// The chunks of an SDES packet: struct reader r = rtcp->body. False at the end or (r->ok false) when malformed.
bool rtcp_sdes_next(struct reader *r, struct rtcp_sdes *out);
void rtcp_sdes_write(struct writer *w, uint32_t ssrc, const char *cname, size_t cname_len);

// ---- BYE (RFC 3550 section 6.6) -----------------------------------------------------------------------------

struct rtcp_bye {
    struct reader ssrcs; // 4 octets each: while (reader_left(&b.ssrcs)) reader_u32(&b.ssrcs)
    const char *reason;  // borrowed, not terminated; NULL: none
    uint8_t reason_len;
};

int rtcp_bye_parse(const struct rtcp *rtcp, struct rtcp_bye *out);
// n <= RTCP_REPORTS_MAX; without a reason.
void rtcp_bye_write(struct writer *w, const uint32_t *ssrcs, size_t n);

// ---- for the files that write other types ----------------------------------------------------------------------

// Takes room for a whole packet (header and `body_len` octets, a multiple of 4) and writes its header. Returns the
// body's place, or NULL and w->ok false.
uint8_t *rtcp_room(struct writer *w, uint8_t type, uint8_t count, size_t body_len);
