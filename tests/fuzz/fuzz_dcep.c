// Is every accepted DCEP message the same after being written again? (sfu/dcep.c)
// SPDX-License-Identifier: MIT
#include "sfu/dcep.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dcep dcep;
    uint8_t out[DCEP_OPEN_MAX];
    if (dcep_parse(&dcep, data, len))
        return 0;
    assert(dcep_write(&dcep, out, sizeof(out)) == len);
    assert(memcmp(out, data, len) == 0);
    return 0;
}
