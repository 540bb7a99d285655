// Is what a VP9 payload descriptor says within the payload? (rtp/codec_vp9.c)
// SPDX-License-Identifier: MIT
#include "rtp/codec_vp9.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct vp9_descriptor d;
    if (vp9_parse(&d, data, len))
        return 0;
    assert(d.size >= 1 && d.size < len);
    assert(d.picture_id_bits == 0 || d.picture_id_bits == 7 || d.picture_id_bits == 15);
    assert(d.picture_id_bits == 0 || d.picture_id_at + (d.picture_id_bits == 15) < d.size);
    assert(d.picture_id >> d.picture_id_bits == 0);
    assert(!d.has_tl0picidx || (d.tl0picidx_at < d.size && !d.flexible));
    assert(d.tid <= 7 && d.sid <= 7);
    assert(d.reference_count <= VP9_REFERENCES_MAX && d.spatial_count <= VP9_SPATIAL_MAX);
    assert((d.spatial_count > 0) == d.has_structure);
    return 0;
}
