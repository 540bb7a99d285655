// How much sound is in this Opus packet, and which part of a RED packet is the packet itself?
// SPDX-License-Identifier: MIT
#include "rtp/codec_opus.h"

#include <errno.h>

#include "rtp/bytes.h"

// RFC 6716 section 3.1, table 2: four lengths per SILK and CELT bandwidth, two per hybrid one; in 1/48000 s.
static uint16_t frame_length(unsigned config, enum opus_mode *mode)
{
    static const uint16_t silk[] = {480, 960, 1920, 2880};
    static const uint16_t hybrid[] = {480, 960};
    static const uint16_t celt[] = {120, 240, 480, 960};

    if (config < 12) {
        *mode = OPUS_SILK;
        return silk[config % 4];
    }
    if (config < 16) {
        *mode = OPUS_HYBRID;
        return hybrid[config % 2];
    }
    *mode = OPUS_CELT;
    return celt[config % 4];
}

// RFC 6716 section 3.2: the code in the TOC, and for code 3 the byte after it. 0: not a count.
static unsigned frame_count(const uint8_t *payload, size_t len)
{
    unsigned code = payload[0] & 3;

    if (code == 0)
        return 1;
    if (code == 1)
        return len % 2 ? 2 : 0; // two frames of equal size
    if (code == 2)
        return len > 1 ? 2 : 0;
    return len > 1 ? payload[1] & 0x3f : 0;
}

int opus_parse(struct opus_packet *packet, const uint8_t *payload, size_t len)
{
    *packet = (struct opus_packet){0};
    if (!len)
        return -EBADMSG;

    unsigned count = frame_count(payload, len);
    packet->frame_ts = frame_length(payload[0] >> 3, &packet->mode);
    if (!count || count * packet->frame_ts > OPUS_DURATION_MAX_TS)
        return -EBADMSG;
    packet->stereo = payload[0] & 4;
    packet->frame_count = (uint8_t)count;
    packet->duration_ts = (uint16_t)(count * packet->frame_ts);
    packet->dtx = len <= OPUS_DTX_LEN_MAX;
    return 0;
}

// RFC 2198 section 3: four header bytes per redundant block, one for the primary, then the data in the same order.
int red_parse(struct red_block block[static RED_BLOCKS_MAX], const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    int count = 0;

    for (;;) {
        if (count == RED_BLOCKS_MAX)
            return -EBADMSG;
        uint8_t head = reader_u8(&r);
        block[count] = (struct red_block){.pt = head & 0x7f};
        if (!(head & 0x80))
            break;
        uint32_t rest = reader_u24(&r);
        block[count].timestamp_offset = (uint16_t)(rest >> 10);
        block[count].len = rest & 0x3ff;
        count++;
    }
    for (int i = 0; i <= count; i++) {
        if (i == count)
            block[i].len = (uint16_t)reader_left(&r);
        block[i].offset = (uint16_t)(len - reader_left(&r));
        reader_skip(&r, block[i].len);
    }
    return r.ok && len <= UINT16_MAX ? count + 1 : -EBADMSG;
}

int red_primary(struct red_block *primary, const uint8_t *payload, size_t len)
{
    struct red_block block[RED_BLOCKS_MAX];
    int count = red_parse(block, payload, len);

    if (count < 0)
        return count;
    *primary = block[count - 1];
    return 0;
}
