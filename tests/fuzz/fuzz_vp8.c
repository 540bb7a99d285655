// Is what a VP8 payload descriptor says within the payload? (rtp/codec_vp8.c)
// SPDX-License-Identifier: MIT
#include <stdbool.h>

#include "rtp/codec_vp8.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct vp8_descriptor d;
    if (vp8_parse(&d, data, len))
        return 0;
    assert(d.size >= 1 && d.size < len);
    assert(d.picture_id_bits == 0 || d.picture_id_bits == 7 || d.picture_id_bits == 15);
    assert(d.picture_id_bits == 0 || d.picture_id_at + (d.picture_id_bits == 15) < d.size);
    assert(d.picture_id >> d.picture_id_bits == 0);
    assert(!d.has_tl0picidx || d.tl0picidx_at < d.size);
    assert(d.tid <= 3 && d.partition <= 7 && d.keyidx <= 31);
    assert(!d.keyframe || d.start_of_frame);
    assert(!d.width || d.keyframe);
    return 0;
}
