// Would the filter before the DTLS library let through again what it let through? (sfu/dtls_filter.c)
// SPDX-License-Identifier: MIT
#include "sfu/dtls_filter.h"
#include "tests/fuzz/fuzz.h"

// A role, then the datagrams, each with its length before it.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    struct dtls_filter filter = {.role = fuzz_u8(&in) & 1 ? DTLS_CLIENT : DTLS_SERVER};
    uint8_t out[DTLS_FILTER_MAX], again[DTLS_FILTER_MAX];
    while (in.len) {
        size_t size = fuzz_u16(&in);
        uint8_t *datagram = fuzz_block(&in, &size);
        uint64_t before = filter.next;
        size_t passed = dtls_filter(&filter, datagram, size, out);
        assert(passed == 0 || passed == size);
        assert(filter.next >= before);
        if (passed) {
            struct dtls_filter same = {.role = filter.role, .next = before};
            assert(dtls_filter(&same, out, passed, again) == passed);
            assert(memcmp(out, again, passed) == 0);
        }
        free(datagram);
    }
    return 0;
}
