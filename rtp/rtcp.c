// What do the packets of an RTCP compound say: reports, names, goodbyes?
// SPDX-License-Identifier: MIT
#include "rtp/rtcp.h"

#include "rtp/text.h"

#include <errno.h>

enum {
    VERSION = 2,
    PADDING_BIT = 0x20,
    COUNT_MASK = 0x1f,
    SR_LEN = 24,    // sender SSRC and sender information
    SDES_END = 0,   // RFC 3550 section 6.5
    SDES_CNAME = 1, // RFC 3550 section 6.5.1
    LOST_MAX = 0x7fffff,
};

static void reader_fail(struct reader *r)
{
    r->ok = false;
    r->p = r->end;
}

bool rtcp_next(struct reader *r, struct rtcp *out)
{
    if (!r->ok || !reader_left(r))
        return false;
    uint8_t first = reader_u8(r);
    out->type = reader_u8(r);
    out->count = first & COUNT_MASK;
    size_t len = (size_t)reader_u16(r) * 4;
    out->body = reader_sub(r, len);
    if (!r->ok)
        return false;
    bool padded = first & PADDING_BIT;
    uint8_t padding = padded && len ? out->body.end[-1] : 0;
    if (first >> 6 != VERSION || padding > len || (padded && !padding))
        reader_fail(r);
    else
        out->body.end -= padding;
    return r->ok;
}

uint8_t *rtcp_room(struct writer *w, uint8_t type, uint8_t count, size_t body_len)
{
    if (count > COUNT_MASK || body_len % 4 || body_len / 4 > UINT16_MAX) {
        w->ok = false;
        return NULL;
    }
    uint8_t *p = writer_room(w, RTCP_HEADER_LEN + body_len);
    if (!p)
        return NULL;
    p[0] = (uint8_t)(VERSION << 6 | count);
    p[1] = type;
    wr16(p + 2, (uint16_t)(body_len / 4));
    return p + RTCP_HEADER_LEN;
}

// ---- reports ------------------------------------------------------------------------------------------------

int rtcp_sr_parse(const struct rtcp *rtcp, struct rtcp_sr *out, struct reader *reports)
{
    struct reader r = rtcp->body;
    out->ssrc = reader_u32(&r);
    out->ntp = reader_u64(&r);
    out->ts = reader_u32(&r);
    out->packets = reader_u32(&r);
    out->octets = reader_u32(&r);
    *reports = reader_sub(&r, (size_t)rtcp->count * RTCP_REPORT_LEN);
    return rtcp->type == RTCP_SR && r.ok ? 0 : -EBADMSG;
}

int rtcp_rr_parse(const struct rtcp *rtcp, uint32_t *sender_ssrc, struct reader *reports)
{
    struct reader r = rtcp->body;
    *sender_ssrc = reader_u32(&r);
    *reports = reader_sub(&r, (size_t)rtcp->count * RTCP_REPORT_LEN);
    return rtcp->type == RTCP_RR && r.ok ? 0 : -EBADMSG;
}

bool rtcp_report_next(struct reader *reports, struct rtcp_report *out)
{
    if (!reader_left(reports))
        return false;
    out->ssrc = reader_u32(reports);
    out->fraction_lost = reader_u8(reports);
    uint32_t lost = reader_u24(reports);
    out->lost = (int32_t)lost - (lost > LOST_MAX ? 1 << 24 : 0);
    out->ext_seq = reader_u32(reports);
    out->jitter_ts = reader_u32(reports);
    out->lsr = reader_u32(reports);
    out->dlsr = reader_u32(reports);
    return reports->ok;
}

static void reports_put(uint8_t *p, const struct rtcp_report *reports, size_t n)
{
    for (const struct rtcp_report *rb = reports; rb < reports + n; rb++, p += RTCP_REPORT_LEN) {
        int32_t lost = rb->lost > LOST_MAX ? LOST_MAX : rb->lost < -LOST_MAX - 1 ? -LOST_MAX - 1 : rb->lost;
        wr32(p, rb->ssrc);
        p[4] = rb->fraction_lost;
        wr24(p + 5, (uint32_t)lost);
        wr32(p + 8, rb->ext_seq);
        wr32(p + 12, rb->jitter_ts);
        wr32(p + 16, rb->lsr);
        wr32(p + 20, rb->dlsr);
    }
}

// Room for a packet with a list of n items; more than a 5-bit count can tell do not fit.
static uint8_t *counted_room(struct writer *w, enum rtcp_type type, size_t n, size_t head_len, size_t item_len)
{
    if (n > RTCP_REPORTS_MAX) {
        w->ok = false;
        return NULL;
    }
    return rtcp_room(w, (uint8_t)type, (uint8_t)n, head_len + n * item_len);
}

void rtcp_sr_write(struct writer *w, const struct rtcp_sr *sr, const struct rtcp_report *reports, size_t n)
{
    uint8_t *p = counted_room(w, RTCP_SR, n, SR_LEN, RTCP_REPORT_LEN);
    if (!p)
        return;
    wr32(p, sr->ssrc);
    wr64(p + 4, sr->ntp);
    wr32(p + 12, sr->ts);
    wr32(p + 16, sr->packets);
    wr32(p + 20, sr->octets);
    reports_put(p + SR_LEN, reports, n);
}

void rtcp_rr_write(struct writer *w, uint32_t sender_ssrc, const struct rtcp_report *reports, size_t n)
{
    uint8_t *p = counted_room(w, RTCP_RR, n, 4, RTCP_REPORT_LEN);
    if (!p)
        return;
    wr32(p, sender_ssrc);
    reports_put(p + 4, reports, n);
}

// ---- SDES, BYE ------------------------------------------------------------------------------------------------

bool rtcp_sdes_next(struct reader *r, struct rtcp_sdes *out)
{
    if (!reader_left(r))
        return false;
    const uint8_t *start = r->p;
    *out = (struct rtcp_sdes){.ssrc = reader_u32(r)};
    for (uint8_t type = reader_u8(r); type != SDES_END; type = reader_u8(r)) {
        uint8_t len = reader_u8(r);
        const uint8_t *data = reader_bytes(r, len);
        if (type == SDES_CNAME && data && !out->cname) {
            out->cname = (const char *)data;
            out->cname_len = len;
        }
    }
    reader_skip(r, -(size_t)(r->p - start) & 3);
    return r->ok;
}

void rtcp_sdes_write(struct writer *w, uint32_t ssrc, const char *cname, size_t cname_len)
{
    if (cname_len > RTCP_TEXT_MAX) {
        w->ok = false;
        return;
    }
    size_t used = 4 + 2 + cname_len;
    size_t len = (used + 4) & ~(size_t)3; // at least one octet that ends the list
    uint8_t *p = rtcp_room(w, RTCP_SDES, 1, len);
    if (!p)
        return;
    wr32(p, ssrc);
    p[4] = SDES_CNAME;
    p[5] = (uint8_t)cname_len;
    memcpy(p + 6, cname, cname_len);
    memset(p + used, 0, len - used);
}

int rtcp_bye_parse(const struct rtcp *rtcp, struct rtcp_bye *out)
{
    struct reader r = rtcp->body;
    *out = (struct rtcp_bye){.ssrcs = reader_sub(&r, (size_t)rtcp->count * 4)};
    if (reader_left(&r)) {
        out->reason_len = reader_u8(&r);
        out->reason = (const char *)reader_bytes(&r, out->reason_len);
    }
    return rtcp->type == RTCP_BYE && r.ok ? 0 : -EBADMSG;
}

void rtcp_bye_write(struct writer *w, const uint32_t *ssrcs, size_t n)
{
    uint8_t *p = counted_room(w, RTCP_BYE, n, 0, 4);
    for (size_t i = 0; p && i < n; i++)
        wr32(p + 4 * i, ssrcs[i]);
}

// ---- print --------------------------------------------------------------------------------------------------

// Text from the wire, with what a log line cannot show as dots.
static void print_peer_text(struct text *t, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_add(t, "%c", s[i] >= ' ' && s[i] <= '~' ? s[i] : '.');
}

static void print_reports(struct text *t, struct reader *reports)
{
    struct rtcp_report rb;
    while (rtcp_report_next(reports, &rb))
        text_add(t, " [%08x fraction %u lost %d seq %u jitter %u lsr %08x dlsr %u]", rb.ssrc, rb.fraction_lost,
                 rb.lost, rb.ext_seq, rb.jitter_ts, rb.lsr, rb.dlsr);
}

static void print_sr(struct text *t, const struct rtcp *rtcp)
{
    struct rtcp_sr sr;
    struct reader reports;
    if (rtcp_sr_parse(rtcp, &sr, &reports)) {
        text_add(t, "SR malformed");
        return;
    }
    text_add(t, "SR ssrc %08x ntp %016llx ts %u packets %u octets %u", sr.ssrc, (unsigned long long)sr.ntp, sr.ts,
             sr.packets, sr.octets);
    print_reports(t, &reports);
}

static void print_rr(struct text *t, const struct rtcp *rtcp)
{
    uint32_t sender_ssrc;
    struct reader reports;
    if (rtcp_rr_parse(rtcp, &sender_ssrc, &reports)) {
        text_add(t, "RR malformed");
        return;
    }
    text_add(t, "RR ssrc %08x", sender_ssrc);
    print_reports(t, &reports);
}

static void print_sdes(struct text *t, const struct rtcp *rtcp)
{
    text_add(t, "SDES");
    struct reader r = rtcp->body;
    struct rtcp_sdes sdes;
    while (rtcp_sdes_next(&r, &sdes)) {
        text_add(t, " [%08x ", sdes.ssrc);
        print_peer_text(t, sdes.cname, sdes.cname_len);
        text_add(t, "]");
    }
    if (!r.ok)
        text_add(t, " malformed");
}

static void print_bye(struct text *t, const struct rtcp *rtcp)
{
    struct rtcp_bye bye;
    if (rtcp_bye_parse(rtcp, &bye)) {
        text_add(t, "BYE malformed");
        return;
    }
    text_add(t, "BYE");
    while (reader_left(&bye.ssrcs))
        text_add(t, " %08x", reader_u32(&bye.ssrcs));
    if (bye.reason_len)
        text_add(t, " because ");
    print_peer_text(t, bye.reason, bye.reason_len);
}

size_t rtcp_print(const struct rtcp *rtcp, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    switch (rtcp->type) {
    case RTCP_SR:
        print_sr(&t, rtcp);
        break;
    case RTCP_RR:
        print_rr(&t, rtcp);
        break;
    case RTCP_SDES:
        print_sdes(&t, rtcp);
        break;
    case RTCP_BYE:
        print_bye(&t, rtcp);
        break;
    default:
        text_add(&t, "RTCP %u/%u of %zu octets", rtcp->type, rtcp->count, reader_left(&rtcp->body));
    }
    return t.len;
}
