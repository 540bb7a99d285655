// Does demultiplexing look only at the octets there are, and by both ways alike? (rtp/demux.h)
// SPDX-License-Identifier: MIT
#include "rtp/demux.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum demux kind = demux(data, len);
    if (len == 0) {
        assert(kind == DEMUX_UNKNOWN);
        return 0;
    }
    enum demux first = demux_first(data[0]);
    if (first == DEMUX_RTP)
        assert(kind == DEMUX_RTP || kind == DEMUX_RTCP || (kind == DEMUX_UNKNOWN && len == 1));
    else
        assert(kind == first);
    return 0;
}
