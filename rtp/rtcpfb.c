// What does a receiver ask of a sender: resend these, send a key frame, send at most so much?
// SPDX-License-Identifier: MIT
#include "rtp/rtcpfb.h"

#include "rtp/seq.h"
#include "rtp/text.h"

#include <errno.h>

enum {
    HEAD_LEN = 8, // sender and media SSRC
    NACK_LEN = 4, // one packet id with its mask
    NACK_MASK_BITS = 16,
    FIR_LEN = 8,             // one entry
    REMB_HEAD_LEN = 8,       // name, number of SSRCs, rate
    REMB_MANTISSA_BITS = 18, // draft-alvestrand-rmcat-remb-03 section 2.2
};

static const uint8_t remb_name[4] = {'R', 'E', 'M', 'B'};

static enum rtcpfb_kind transport_kind(uint8_t fmt)
{
    return fmt == RTPFB_NACK ? RTCPFB_NACK : fmt == RTPFB_TWCC ? RTCPFB_TWCC : RTCPFB_OTHER;
}

static enum rtcpfb_kind payload_kind(uint8_t fmt, struct reader fci)
{
    if (fmt == PSFB_PLI)
        return RTCPFB_PLI;
    if (fmt == PSFB_FIR)
        return RTCPFB_FIR;
    const uint8_t *name = fmt == PSFB_AFB ? reader_bytes(&fci, sizeof(remb_name)) : NULL;
    return name && memcmp(name, remb_name, sizeof(remb_name)) == 0 ? RTCPFB_REMB : RTCPFB_OTHER;
}

// How much feedback control information a message of this kind has at least.
static const uint8_t fci_min[RTCPFB_KIND_COUNT] = {
    [RTCPFB_NACK] = NACK_LEN,
    [RTCPFB_TWCC] = 8,
    [RTCPFB_FIR] = FIR_LEN,
    [RTCPFB_REMB] = REMB_HEAD_LEN,
};

int rtcpfb_parse(const struct rtcp *rtcp, struct rtcpfb *out)
{
    struct reader r = rtcp->body;
    out->sender_ssrc = reader_u32(&r);
    out->media_ssrc = reader_u32(&r);
    out->fci = r;
    if (rtcp->type == RTCP_RTPFB)
        out->kind = transport_kind(rtcp->count);
    else if (rtcp->type == RTCP_PSFB)
        out->kind = payload_kind(rtcp->count, r);
    else
        return -EBADMSG;
    return r.ok && reader_left(&r) >= fci_min[out->kind] ? 0 : -EBADMSG;
}

static uint8_t *room(struct writer *w, enum rtcp_type type, uint8_t fmt, uint32_t sender_ssrc, uint32_t media_ssrc,
                     size_t fci_len)
{
    uint8_t *p = rtcp_room(w, (uint8_t)type, fmt, HEAD_LEN + fci_len);
    if (!p)
        return NULL;
    wr32(p, sender_ssrc);
    wr32(p + 4, media_ssrc);
    return p + HEAD_LEN;
}

// ---- NACK ---------------------------------------------------------------------------------------------------

struct rtcpfb_nack_iter rtcpfb_nack_iter(const struct rtcpfb *fb)
{
    return (struct rtcpfb_nack_iter){.fci = fb->fci};
}

bool rtcpfb_nack_next(struct rtcpfb_nack_iter *it, uint16_t *seq)
{
    if (it->blp) {
        unsigned bit = (unsigned)__builtin_ctz(it->blp);
        it->blp &= (uint16_t)(it->blp - 1);
        *seq = (uint16_t)(it->pid + 1 + bit);
        return true;
    }
    if (reader_left(&it->fci) < NACK_LEN)
        return false;
    *seq = it->pid = reader_u16(&it->fci);
    it->blp = reader_u16(&it->fci);
    return true;
}

// Puts as many leading sequence numbers as one entry holds into out (or nowhere, to count). Returns how many.
static size_t nack_entry(const uint16_t *seqs, size_t n, uint8_t *out)
{
    uint16_t blp = 0;
    size_t i = 1;
    for (; i < n; i++) {
        uint16_t ahead = (uint16_t)(seqs[i] - seqs[0]);
        if (ahead > NACK_MASK_BITS)
            break;
        if (ahead)
            blp |= (uint16_t)(1u << (ahead - 1));
    }
    if (out) {
        wr16(out, seqs[0]);
        wr16(out + 2, blp);
    }
    return i;
}

size_t rtcpfb_nack_write(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs, size_t n)
{
    const size_t head = RTCP_HEADER_LEN + HEAD_LEN;
    size_t entries_max = w->ok && writer_left(w) > head ? (writer_left(w) - head) / NACK_LEN : 0;
    if (entries_max > UINT16_MAX - HEAD_LEN / 4)
        entries_max = UINT16_MAX - HEAD_LEN / 4;
    size_t entries = 0, done = 0;
    while (done < n && entries < entries_max) {
        done += nack_entry(seqs + done, n - done, NULL);
        entries++;
    }
    if (!entries)
        return 0;
    uint8_t *p = room(w, RTCP_RTPFB, RTPFB_NACK, sender_ssrc, media_ssrc, entries * NACK_LEN);
    if (!p)
        return 0;
    for (size_t i = 0; i < done; p += NACK_LEN)
        i += nack_entry(seqs + i, done - i, p);
    return done;
}

// ---- key frame requests -------------------------------------------------------------------------------------

void rtcpfb_pli_write(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc)
{
    room(w, RTCP_PSFB, PSFB_PLI, sender_ssrc, media_ssrc, 0);
}

bool rtcpfb_fir_next(struct reader *fci, struct rtcpfb_fir *out)
{
    if (reader_left(fci) < FIR_LEN)
        return false;
    out->ssrc = reader_u32(fci);
    out->seq_nr = reader_u8(fci);
    reader_skip(fci, 3);
    return true;
}

void rtcpfb_fir_write(struct writer *w, uint32_t sender_ssrc, const struct rtcpfb_fir *entries, size_t n)
{
    uint8_t *p = room(w, RTCP_PSFB, PSFB_FIR, sender_ssrc, 0, n * FIR_LEN);
    for (size_t i = 0; p && i < n; i++, p += FIR_LEN) {
        wr32(p, entries[i].ssrc);
        wr32(p + 4, (uint32_t)entries[i].seq_nr << 24);
    }
}

// ---- REMB ---------------------------------------------------------------------------------------------------

int rtcpfb_remb_parse(const struct rtcpfb *fb, uint64_t *bitrate_bps, struct reader *ssrcs)
{
    if (fb->kind != RTCPFB_REMB)
        return -EBADMSG;
    struct reader r = fb->fci;
    reader_skip(&r, sizeof(remb_name));
    uint8_t n = reader_u8(&r);
    uint32_t rate = reader_u24(&r);
    *ssrcs = reader_sub(&r, (size_t)n * 4);
    uint64_t mantissa = rate & ((1u << REMB_MANTISSA_BITS) - 1);
    unsigned exponent = rate >> REMB_MANTISSA_BITS;
    *bitrate_bps = mantissa << exponent;
    return r.ok && *bitrate_bps >> exponent == mantissa ? 0 : -EBADMSG;
}

void rtcpfb_remb_write(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, size_t n)
{
    if (n > RTCPFB_REMB_SSRCS_MAX) {
        w->ok = false;
        return;
    }
    uint8_t *p = room(w, RTCP_PSFB, PSFB_AFB, sender_ssrc, 0, REMB_HEAD_LEN + 4 * n);
    if (!p)
        return;
    uint32_t exponent = 0;
    while (bitrate_bps >> exponent >> REMB_MANTISSA_BITS)
        exponent++;
    memcpy(p, remb_name, sizeof(remb_name));
    p[4] = (uint8_t)n;
    wr24(p + 5, exponent << REMB_MANTISSA_BITS | (uint32_t)(bitrate_bps >> exponent));
    for (size_t i = 0; i < n; i++)
        wr32(p + REMB_HEAD_LEN + 4 * i, ssrcs[i]);
}

// ---- print --------------------------------------------------------------------------------------------------

static void print_nack(struct text *t, const struct rtcpfb *fb)
{
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(fb);
    uint16_t seq;
    while (rtcpfb_nack_next(&it, &seq))
        text_add(t, " %u", seq);
}

static void print_fir(struct text *t, const struct rtcpfb *fb)
{
    struct reader fci = fb->fci;
    struct rtcpfb_fir fir;
    while (rtcpfb_fir_next(&fci, &fir))
        text_add(t, " [%08x nr %u]", fir.ssrc, fir.seq_nr);
}

static void print_remb(struct text *t, const struct rtcpfb *fb)
{
    uint64_t bitrate_bps;
    struct reader ssrcs;
    if (rtcpfb_remb_parse(fb, &bitrate_bps, &ssrcs)) {
        text_add(t, " malformed");
        return;
    }
    text_add(t, " %llu bps", (unsigned long long)bitrate_bps);
    while (reader_left(&ssrcs))
        text_add(t, " %08x", reader_u32(&ssrcs));
}

size_t rtcpfb_print(const struct rtcpfb *fb, char *out, size_t cap)
{
    static const char *const names[RTCPFB_KIND_COUNT] = {
        [RTCPFB_OTHER] = "feedback", [RTCPFB_NACK] = "NACK", [RTCPFB_TWCC] = "TWCC",
        [RTCPFB_PLI] = "PLI",        [RTCPFB_FIR] = "FIR",   [RTCPFB_REMB] = "REMB",
    };
    struct text t = text_of(out, cap);
    text_add(&t, "%s from %08x of %08x", names[fb->kind], fb->sender_ssrc, fb->media_ssrc);
    if (fb->kind == RTCPFB_NACK)
        print_nack(&t, fb);
    else if (fb->kind == RTCPFB_FIR)
        print_fir(&t, fb);
    else if (fb->kind == RTCPFB_REMB)
        print_remb(&t, fb);
    else if (fb->kind != RTCPFB_PLI)
        text_add(&t, ", %zu octets", reader_left(&fb->fci));
    return t.len;
}
