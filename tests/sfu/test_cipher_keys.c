// Are session keys derived as RFC 3711 appendix B.3 says?
// SPDX-License-Identifier: MIT
#include "sfu/cipher_keys.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/rtp/octets.h"

static const struct {
    enum cipher_label label;
    const char *key;
} derived[] = {
    {CIPHER_LABEL_RTP_KEY, "c61e7a93744f39ee10734afe3ff7a087"},
    {CIPHER_LABEL_RTP_SALT, "30cbbc08863d8c85d49db34a9ae1"},
    {CIPHER_LABEL_RTP_AUTH, "cebe321f6ff7716b6fd4ab49af256a156d38baa4"},
    {CIPHER_LABEL_RTCP_KEY, "4c1aa45a81f73d61c800bbb00fbb1eaa"},
    {CIPHER_LABEL_RTCP_AUTH, "8d54534feb49ae8e7993a6bd0b844fc323a93dfd"},
    {CIPHER_LABEL_RTCP_SALT, "9581c7ad87b3e530bf3e4454a8b3"},
};

static void keys_are_rfc_3711s(void **state)
{
    (void)state;
    struct cipher_keys keys = {.profile = CIPHER_CM_SHA1_80};
    struct octets key = octets_of("e1f97a0d3e018be0d64fa32c06de4139"),
                  salt = octets_of("0ec675ad498afeebb6960b3aabe6");
    memcpy(keys.key, key.data, key.len);
    memcpy(keys.salt, salt.data, salt.len);
    for (unsigned i = 0; i < sizeof(derived) / sizeof(derived[0]); i++) {
        struct octets want = octets_of(derived[i].key);
        uint8_t out[CIPHER_DERIVED_MAX];
        cipher_derive(&keys, derived[i].label, out, want.len);
        assert_memory_equal(out, want.data, want.len);
        free(want.data);
    }
    free(key.data);
    free(salt.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_rfc_3711s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
