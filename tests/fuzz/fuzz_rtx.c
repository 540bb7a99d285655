// Is what was wrapped for retransmission the same after unwrapping? (rtp/rtx.c)
// SPDX-License-Identifier: MIT
#include "rtp/rtx.h"
#include "tests/fuzz/fuzz.h"

static void check_wrap(const struct rtp *rtp, const uint8_t *data, size_t len)
{
    size_t cap = len + RTX_OSN_LEN;
    uint8_t *out = malloc(cap);
    assert(out);
    size_t wrapped = rtx_wrap(rtp, data, 97, 0x11223344, 7, out, cap);
    struct rtp again;
    if (wrapped > RTP_PACKET_MAX) {
        free(out);
        return;
    }
    assert(wrapped && rtp_parse(&again, out, wrapped) == RTP_OK);
    assert(again.pt == 97 && again.ssrc == 0x11223344 && again.seq == 7 && again.marker == rtp->marker);
    assert(rtx_unwrap(&again, out, rtp->pt, rtp->ssrc) == 0);
    assert(again.pt == rtp->pt && again.ssrc == rtp->ssrc && again.seq == rtp->seq && again.ts == rtp->ts);
    assert(again.ext_len == rtp->ext_len && again.csrc_count == rtp->csrc_count);
    assert(again.payload_len == rtp->payload_len);
    assert(memcmp(out + again.payload_off, data + rtp->payload_off, rtp->payload_len) == 0);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rtp rtp;
    if (rtp_parse(&rtp, data, len) != RTP_OK)
        return 0;
    check_wrap(&rtp, data, len);
    if (rtx_unwrap(&rtp, data, 96, 1) == 0)
        assert((size_t)rtp.payload_off + rtp.payload_len + rtp.padding_len == len && rtp.pt == 96 && rtp.ssrc == 1);
    return 0;
}
