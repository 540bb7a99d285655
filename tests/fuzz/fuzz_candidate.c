// Is a candidate line within its bounds, and still one when its address is replaced? (sfu/ice_candidate.c)
// SPDX-License-Identifier: MIT
#include "sfu/ice_candidate.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *line = fuzz_text(data, len);
    struct candidate c, announced;
    union sockaddr_any address;
    char out[ICE_LINE_MAX];
    if (candidate_parse(&c, line) == 0) {
        assert(c.component >= 1 && c.foundation[0] && c.address[0]);
        candidate_sockaddr(&c, &address);
        candidate_announce(line, "203.0.113.7", out);
        assert(strlen(out) < ICE_LINE_MAX && candidate_parse(&announced, out) == 0);
        assert(announced.port == c.port && announced.component == c.component);
    }
    free(line);
    return 0;
}
