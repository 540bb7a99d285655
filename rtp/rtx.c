// How does a retransmitted packet travel in its own stream, and how is the original had back?
// SPDX-License-Identifier: MIT
#include "rtp/rtx.h"

#include "rtp/bytes.h"

#include <errno.h>

int rtx_unwrap(struct rtp *rtp, const uint8_t *buf, uint8_t media_pt, uint32_t media_ssrc)
{
    if (rtp->payload_len < RTX_OSN_LEN)
        return -ENODATA;
    rtp->seq = rd16(buf + rtp->payload_off);
    rtp->pt = media_pt;
    rtp->ssrc = media_ssrc;
    rtp->payload_off = (uint16_t)(rtp->payload_off + RTX_OSN_LEN);
    rtp->payload_len = (uint16_t)(rtp->payload_len - RTX_OSN_LEN);
    return 0;
}

size_t rtx_wrap(const struct rtp *rtp, const uint8_t *in, uint8_t rtx_pt, uint32_t rtx_ssrc, uint16_t rtx_seq,
                uint8_t *out, size_t cap)
{
    // The marker, the extension bit and the CSRC count stay; the padding bit goes with the padding.
    struct writer w = writer_of(out, cap);
    writer_u8(&w, in[0] & (uint8_t)~0x20);
    writer_u8(&w, (uint8_t)((in[1] & 0x80) | (rtx_pt & 0x7f)));
    writer_u16(&w, rtx_seq);
    writer_u32(&w, rtp->ts);
    writer_u32(&w, rtx_ssrc);
    writer_bytes(&w, in + RTP_HEADER_LEN, rtp_header_len(rtp) - RTP_HEADER_LEN);
    writer_u16(&w, rtp->seq);
    writer_bytes(&w, in + rtp->payload_off, rtp->payload_len);
    return w.ok ? writer_len(&w) : 0;
}
