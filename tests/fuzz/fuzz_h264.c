// Does walking the NAL units of an H.264 payload, and an SPS, stay inside it? (rtp/codec_h264.c)
// SPDX-License-Identifier: MIT
#include "rtp/codec_h264.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct h264_payload h264;
    uint16_t width = 0, height = 0;
    if (h264_parse(&h264, data, len) == 0) {
        assert(!h264.has_sps || h264.start_of_frame);
        assert((h264.width == 0) == (h264.height == 0) && (!h264.width || h264.has_sps));
    }
    if (h264_sps_parse(data, len, &width, &height) == 0)
        assert(width && height);
    return 0;
}
