// Do Opus and RED payloads say nothing impossible, and do RED's blocks tile the payload? (rtp/codec_opus.c)
// SPDX-License-Identifier: MIT
#include "rtp/codec_opus.h"
#include "tests/fuzz/fuzz.h"

static void check_red(const uint8_t *data, size_t len)
{
    struct red_block blocks[RED_BLOCKS_MAX], primary;
    int count = red_parse(blocks, data, len);
    assert(count <= RED_BLOCKS_MAX && count != 0);
    if (red_primary(&primary, data, len))
        return;
    assert((size_t)primary.offset + primary.len == len && primary.timestamp_offset == 0);
    if (count < 0)
        return;
    for (int i = 1; i < count; i++)
        assert(blocks[i].offset == blocks[i - 1].offset + blocks[i - 1].len);
    assert(blocks[count - 1].offset == primary.offset && blocks[count - 1].pt == primary.pt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct opus_packet packet;
    check_red(data, len);
    if (opus_parse(&packet, data, len))
        return 0;
    assert(packet.frame_count >= 1 && packet.frame_count <= OPUS_FRAMES_MAX);
    assert(packet.duration_ts == packet.frame_count * packet.frame_ts);
    assert(packet.duration_ts <= OPUS_DURATION_MAX_TS);
    return 0;
}
