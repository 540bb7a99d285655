// Does a video layers allocation name only layers that can be? (rtp/vla.c)
// SPDX-License-Identifier: MIT
#include "rtp/vla.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct vla vla;
    if (vla_parse(&vla, data, len))
        return 0;
    assert(vla.layer_count <= VLA_LAYERS_MAX && vla.stream_count <= VLA_STREAMS_MAX);
    for (unsigned i = 0; i < vla.layer_count; i++) {
        assert(vla.layer[i].stream < vla.stream_count && vla.layer[i].spatial < VLA_SPATIAL_MAX);
        assert(vla.layer[i].temporal_count >= 1 && vla.layer[i].temporal_count <= VLA_TEMPORAL_MAX);
    }
    return 0;
}
