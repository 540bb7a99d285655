// What does one RTP packet say, and where in it are its parts?
// SPDX-License-Identifier: MIT
#include "rtp/rtp.h"

#include "rtp/bytes.h"
#include "rtp/text.h"

// RFC 3550 section 5.1: the bits of the first two octets.
enum {
    VERSION = 2,
    PADDING_BIT = 0x20,
    EXTENSION_BIT = 0x10,
    CSRC_MASK = 0x0f,
    MARKER_BIT = 0x80,
    PT_MASK = 0x7f,
};

enum rtp_reject rtp_parse_header(struct rtp *rtp, const uint8_t *buf, size_t len)
{
    if (len < RTP_HEADER_LEN)
        return RTP_SHORT;
    if (len > RTP_PACKET_MAX)
        return RTP_LONG;
    if (buf[0] >> 6 != VERSION)
        return RTP_BAD_VERSION;
    *rtp = (struct rtp){
        .ts = rd32(buf + 4),
        .ssrc = rd32(buf + 8),
        .seq = rd16(buf + 2),
        .pt = buf[1] & PT_MASK,
        .marker = buf[1] & MARKER_BIT,
        .csrc_count = buf[0] & CSRC_MASK,
    };
    size_t off = RTP_HEADER_LEN + (size_t)rtp->csrc_count * 4;
    if (off > len)
        return RTP_BAD_CSRC;
    if (buf[0] & EXTENSION_BIT) {
        if (len - off < RTP_EXT_HEAD_LEN)
            return RTP_BAD_EXTENSION;
        size_t ext_len = (size_t)rd16(buf + off + 2) * 4;
        rtp->ext_profile = rd16(buf + off);
        off += RTP_EXT_HEAD_LEN;
        if (len - off < ext_len)
            return RTP_BAD_EXTENSION;
        rtp->ext_off = (uint16_t)off;
        rtp->ext_len = (uint16_t)ext_len;
        off += ext_len;
    }
    rtp->payload_off = (uint16_t)off;
    rtp->payload_len = (uint16_t)(len - off);
    return RTP_OK;
}

enum rtp_reject rtp_parse(struct rtp *rtp, const uint8_t *buf, size_t len)
{
    enum rtp_reject reject = rtp_parse_header(rtp, buf, len);
    if (reject || !(buf[0] & PADDING_BIT))
        return reject;
    uint8_t padding = buf[len - 1];
    if (padding == 0 || padding > rtp->payload_len)
        return RTP_BAD_PADDING;
    rtp->padding_len = padding;
    rtp->payload_len = (uint16_t)(rtp->payload_len - padding);
    return RTP_OK;
}

size_t rtp_header_write(const struct rtp *rtp, bool has_ext, uint8_t *buf, size_t cap)
{
    if (cap < RTP_HEADER_LEN)
        return 0;
    buf[0] = (uint8_t)(VERSION << 6 | (has_ext ? EXTENSION_BIT : 0));
    buf[1] = (uint8_t)((rtp->marker ? MARKER_BIT : 0) | (rtp->pt & PT_MASK));
    wr16(buf + 2, rtp->seq);
    wr32(buf + 4, rtp->ts);
    wr32(buf + 8, rtp->ssrc);
    return RTP_HEADER_LEN;
}

size_t rtp_pad(uint8_t *buf, size_t len, size_t cap, uint8_t n)
{
    if (len < RTP_HEADER_LEN || len > cap || cap - len < n || n == 0)
        return 0;
    buf[0] |= PADDING_BIT;
    memset(buf + len, 0, n);
    buf[len + n - 1] = n;
    return len + n;
}

size_t rtp_print(const struct rtp *rtp, char *out, size_t cap)
{
    struct text t = text_of(out, cap);
    text_add(&t, "ssrc %08x pt %u seq %u ts %u payload %u", rtp->ssrc, rtp->pt, rtp->seq, rtp->ts, rtp->payload_len);
    if (rtp->marker)
        text_add(&t, " marker");
    if (rtp->csrc_count)
        text_add(&t, " csrcs %u", rtp->csrc_count);
    if (rtp->ext_off)
        text_add(&t, " ext %04x+%u", rtp->ext_profile, rtp->ext_len);
    if (rtp->padding_len)
        text_add(&t, " padding %u", rtp->padding_len);
    return t.len;
}

const char *rtp_reject_name(enum rtp_reject reject)
{
    static const char *const names[RTP_REJECT_COUNT] = {
        [RTP_OK] = "ok",
        [RTP_SHORT] = "short",
        [RTP_LONG] = "long",
        [RTP_BAD_VERSION] = "version",
        [RTP_BAD_CSRC] = "csrc",
        [RTP_BAD_EXTENSION] = "extension",
        [RTP_BAD_PADDING] = "padding",
    };
    return (unsigned)reject < RTP_REJECT_COUNT ? names[reject] : "unknown";
}
