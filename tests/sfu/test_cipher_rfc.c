// Do packets look as the RFCs print them?
// SPDX-License-Identifier: MIT
//
// The RFCs give session keys, which the product only ever derives. So this test is linked without cipher_keys.c,
// reads the files that use it, and hands out the keys the RFCs give.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sfu/cipher_engine.h"
#include "sfu/cipher_keys.h"
#include "sfu/cipher_rtcp.h"
#include "tests/rtp/octets.h"

enum { ROOM = 40 };

static bool is_gcm(enum cipher_profile profile)
{
    return profile != CIPHER_CM_SHA1_80;
}

size_t cipher_key_len(enum cipher_profile profile)
{
    return profile == CIPHER_GCM_256 ? 32 : 16;
}

size_t cipher_salt_len(enum cipher_profile profile)
{
    return is_gcm(profile) ? 12 : 14;
}

void cipher_derive(const struct cipher_keys *keys, enum cipher_label label, uint8_t *out, size_t len)
{
    memset(out, 0, len);
    if (label == CIPHER_LABEL_RTP_KEY || label == CIPHER_LABEL_RTCP_KEY)
        memcpy(out, keys->key, len);
    else if (label == CIPHER_LABEL_RTP_SALT || label == CIPHER_LABEL_RTCP_SALT)
        memcpy(out, keys->salt, len);
}

static struct cipher_keys keys_of(enum cipher_profile profile, const char *key, const char *salt)
{
    struct cipher_keys keys = {.profile = profile};
    struct octets k = octets_of(key), s = octets_of(salt);
    memcpy(keys.key, k.data, k.len);
    memcpy(keys.salt, s.data, s.len);
    free(k.data);
    free(s.data);
    return keys;
}

// RFC 7714 section 16.1.1, 16.2.1 (SRTP) and 17.1, 17.3 (SRTCP, encrypted).
static const struct gcm_vector {
    enum cipher_profile profile;
    const char *key, *srtp, *srtcp;
} gcm_vectors[] = {
    {CIPHER_GCM_128, "000102030405060708090a0b0c0d0e0f",
     "8040f17b8041f8d35501a0b2"
     "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
     "81c8000d4d617273"
     "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87"
     "2"
     "45d9eade800005d4"},
    {CIPHER_GCM_256, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "8040f17b8041f8d35501a0b2"
     "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
     "81c8000d4d617273"
     "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6"
     "c"
     "b26ac3be800005d4"},
};

static const char gcm_salt[] = "517569642070726f2071756f";
static const char plain_rtp[] = "8040f17b8041f8d35501a0b2"
                                "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
static const char plain_rtcp[] = "81c8000d4d617273"
                                 "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef"
                                 "deadbeef";

static void try_srtcp(const struct cipher_engine *engine, const char *key, enum cipher_profile profile,
                      const char *wanted)
{
    struct cipher_keys keys = keys_of(profile, key, gcm_salt);
    struct cipher_rtcp *rtcp = cipher_rtcp_new(&keys, engine);
    struct octets plain = octets_of(plain_rtcp), sealed = octets_of(wanted);
    uint8_t buf[200] = {0};
    uint32_t ssrc, index;
    for (unsigned n = 1; n < 0x5d4; n++) // the RFC's packet has this index
        assert_true(cipher_rtcp_seal(rtcp, buf, 8, sizeof(buf)) > 0);
    memcpy(buf, plain.data, plain.len);
    assert_int_equal(cipher_rtcp_seal(rtcp, buf, plain.len, sizeof(buf)), sealed.len);
    assert_memory_equal(buf, sealed.data, sealed.len);
    assert_int_equal(cipher_rtcp_peek(rtcp, buf, sealed.len, &ssrc, &index), 0);
    assert_int_equal(ssrc, 0x4d617273);
    assert_int_equal(index, 0x5d4);
    assert_int_equal(cipher_rtcp_open(rtcp, buf, sealed.len), plain.len);
    assert_memory_equal(buf, plain.data, plain.len);
    cipher_rtcp_free(rtcp);
    free(plain.data);
    free(sealed.data);
}

static void srtcp_is_rfc_7714s(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        try_srtcp(&cipher_engine_srtp, gcm_vectors[i].key, gcm_vectors[i].profile, gcm_vectors[i].srtcp);
#ifdef RODA_IPSEC_MB
        if (cipher_engine_ipsecmb.is_available())
            try_srtcp(&cipher_engine_ipsecmb, gcm_vectors[i].key, gcm_vectors[i].profile, gcm_vectors[i].srtcp);
#endif
    }
}

// RFC 7714 section 17.2: authenticated, not encrypted. Nobody may send us that.
static void srtcp_in_the_clear_is_refused(void **state)
{
    (void)state;
    struct cipher_keys keys = keys_of(CIPHER_GCM_128, gcm_vectors[0].key, gcm_salt);
    struct cipher_rtcp *rtcp = cipher_rtcp_new(&keys, &cipher_engine_srtp);
    struct octets sealed =
        octets_of("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeef"
                  "deadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4");
    uint32_t ssrc, index;
    assert_int_equal(cipher_rtcp_peek(rtcp, sealed.data, sealed.len, &ssrc, &index), -EBADMSG);
    cipher_rtcp_free(rtcp);
    free(sealed.data);
}

#ifdef RODA_IPSEC_MB
static size_t seal_with(const struct cipher_keys *keys, uint32_t ssrc, uint8_t *buf, size_t len)
{
    const uint16_t header_len = 12;
    struct cipher_session *session = cipher_engine_ipsecmb.session_new(keys);
    struct cipher_stream *stream = cipher_engine_ipsecmb.stream_new(session, ssrc);
    struct cipher_job job = {stream, buf, len};
    cipher_engine_ipsecmb.seal(&job, &header_len, 1);
    cipher_engine_ipsecmb.stream_free(stream);
    cipher_engine_ipsecmb.session_free(session);
    return job.len;
}

static void srtp_is_rfc_7714s(void **state)
{
    (void)state;
    if (!cipher_engine_ipsecmb.is_available())
        skip();
    for (unsigned i = 0; i < 2; i++) {
        struct cipher_keys keys = keys_of(gcm_vectors[i].profile, gcm_vectors[i].key, gcm_salt);
        struct octets plain = octets_of(plain_rtp), sealed = octets_of(gcm_vectors[i].srtp);
        uint8_t buf[200];
        memcpy(buf, plain.data, plain.len);
        assert_int_equal(seal_with(&keys, 0x5501a0b2, buf, plain.len), sealed.len);
        assert_memory_equal(buf, sealed.data, sealed.len);
        free(plain.data);
        free(sealed.data);
    }
}

// RFC 3711 appendix B.2: the key stream of SSRC 0, index 0.
static void key_stream_is_rfc_3711s(void **state)
{
    (void)state;
    if (!cipher_engine_ipsecmb.is_available())
        skip();
    struct cipher_keys keys =
        keys_of(CIPHER_CM_SHA1_80, "2b7e151628aed2a6abf7158809cf4f3c", "f0f1f2f3f4f5f6f7f8f9fafbfcfd");
    struct octets stream = octets_of("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
                                     "41e95b3bb0a2e8dd477901e4fca894c0");
    uint8_t buf[12 + 48 + ROOM] = {0x80};
    assert_int_equal(seal_with(&keys, 0, buf, 12 + 48), 12 + 48 + 10);
    assert_memory_equal(buf + 12, stream.data, stream.len);
    free(stream.data);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srtcp_is_rfc_7714s),
        cmocka_unit_test(srtcp_in_the_clear_is_refused),
#ifdef RODA_IPSEC_MB
        cmocka_unit_test(srtp_is_rfc_7714s),
        cmocka_unit_test(key_stream_is_rfc_3711s),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
