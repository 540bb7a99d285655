// Does walking the OBUs of an AV1 payload stay inside it? (rtp/codec_av1.c)
// SPDX-License-Identifier: MIT
#include "rtp/codec_av1.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct av1_payload av1;
    struct reader r = reader_of(data, len);
    while (reader_left(&r))
        av1_leb128(&r);
    if (av1_parse(&av1, data, len))
        return 0;
    assert(len > 1);
    assert(av1.spatial <= 3 && av1.temporal <= 7);
    assert(av1.has_sequence || (!av1.width && !av1.height));
    assert(!(av1.continues && av1.new_sequence));
    return 0;
}
