// How does the Intel multi-buffer library seal and open? (the fast engine; x86-64 with AES and carry-less
// multiplication)
// SPDX-License-Identifier: MIT
//
// All streams of a direction share their session keys, as RFC 3711 has it; a stream is no more than its window. GCM
// takes one call per packet. AES-CM with HMAC-SHA1 gains from many packets at once: the library works on them side by
// side, so a batch is handed in whole and flushed once.
#include <errno.h>
#include <glib.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <string.h>

#include "rtp/bytes.h"
#include "sfu/cipher_engine.h"
#include "sfu/cipher_keys.h"
#include "sfu/cipher_window.h"

enum {
    ALIGNMENT = 64,
    AES_ROUND_KEYS = 16 * 15,
    SHA1_BLOCK = 64,
    SHA1_STATE = 20,
    SHA1_SHORT = 12, // what the library writes of a tag when not all of it is wanted
    SEQ_AT = 2,      // RFC 3550 s5.1
    BATCH_MAX = 64,
};

struct mb_keys {
    struct cipher_session base;
    struct gcm_key_data gcm;
    _Alignas(16) uint8_t aes[AES_ROUND_KEYS], aes_inverse[AES_ROUND_KEYS];
    _Alignas(16) uint8_t inner[SHA1_STATE], outer[SHA1_STATE]; // HMAC's first block, hashed
    uint8_t salt[CIPHER_SALT_MAX];
};

struct mb_stream {
    struct cipher_stream base;
    struct cipher_window window;
};

// Where a batch of CM jobs keeps what the library reads and writes meanwhile.
struct scratch {
    _Alignas(16) uint8_t iv[BATCH_MAX][16];
    uint8_t tag[BATCH_MAX][16];
};

static GPrivate managers = G_PRIVATE_INIT((GDestroyNotify)free_mb_mgr);

// The library's state belongs to one thread.
static IMB_MGR *manager(void)
{
    IMB_MGR *m = g_private_get(&managers);
    if (m)
        return m;
    m = alloc_mb_mgr(0);
    g_assert(m);
    init_mb_mgr_auto(m, NULL);
    g_private_set(&managers, m);
    return m;
}

static bool is_available(void)
{
    const uint64_t wanted = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
    IMB_MGR *m = alloc_mb_mgr(0);
    if (!m)
        return false;
    init_mb_mgr_auto(m, NULL);
    bool available = imb_get_errno(m) == 0 && (m->features & wanted) == wanted && m->used_arch != IMB_ARCH_NOAESNI;
    free_mb_mgr(m);
    return available;
}

// ---- keys --------------------------------------------------------------------------------------------------

static void make_hmac(struct mb_keys *keys, const uint8_t key[CIPHER_AUTH_KEY_LEN])
{
    uint8_t block[SHA1_BLOCK];
    memset(block, 0x36, sizeof(block)); // RFC 2104 s2
    for (unsigned i = 0; i < CIPHER_AUTH_KEY_LEN; i++)
        block[i] ^= key[i];
    IMB_SHA1_ONE_BLOCK(manager(), block, keys->inner);
    for (unsigned i = 0; i < sizeof(block); i++)
        block[i] ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(manager(), block, keys->outer);
    OPENSSL_cleanse(block, sizeof(block));
}

static void expand(enum cipher_profile profile, const uint8_t *key, struct gcm_key_data *expanded)
{
    if (profile == CIPHER_GCM_256)
        IMB_AES256_GCM_PRE(manager(), key, expanded);
    else
        IMB_AES128_GCM_PRE(manager(), key, expanded);
}

static struct cipher_session *session_new(const struct cipher_keys *master)
{
    struct mb_keys *keys = g_aligned_alloc0(1, sizeof(*keys), ALIGNMENT);
    uint8_t key[CIPHER_KEY_MAX], auth[CIPHER_AUTH_KEY_LEN];
    keys->base = (struct cipher_session){&cipher_engine_ipsecmb, master->profile};
    cipher_derive(master, CIPHER_LABEL_RTP_SALT, keys->salt, cipher_salt_len(master->profile));
    cipher_derive(master, CIPHER_LABEL_RTP_KEY, key, cipher_key_len(master->profile));
    if (master->profile == CIPHER_CM_SHA1_80) {
        IMB_AES_KEYEXP_128(manager(), key, keys->aes, keys->aes_inverse);
        cipher_derive(master, CIPHER_LABEL_RTP_AUTH, auth, sizeof(auth));
        make_hmac(keys, auth);
        OPENSSL_cleanse(auth, sizeof(auth));
    } else {
        expand(master->profile, key, &keys->gcm);
    }
    OPENSSL_cleanse(key, sizeof(key));
    return &keys->base;
}

static void session_free(struct cipher_session *base)
{
    OPENSSL_cleanse(base, sizeof(struct mb_keys));
    g_aligned_free(base);
}

static const struct mb_keys *keys_of(const struct mb_stream *stream)
{
    return (const struct mb_keys *)stream->base.session;
}

static struct cipher_stream *stream_new(struct cipher_session *session, uint32_t ssrc)
{
    struct mb_stream *stream = g_new0(struct mb_stream, 1);
    stream->base = (struct cipher_stream){session, ssrc};
    return &stream->base;
}

static void stream_free(struct cipher_stream *base)
{
    g_free(base);
}

// ---- AES-GCM -----------------------------------------------------------------------------------------------

// RFC 7714 s8.1: IV = (00 00 | SSRC | ROC | SEQ) XOR salt.
static void gcm_iv(const struct mb_stream *stream, uint64_t index, uint8_t iv[IMB_GCM_IV_DATA_LEN])
{
    const uint8_t *salt = keys_of(stream)->salt;
    wr16(iv, rd16(salt));
    wr32(iv + 2, rd32(salt + 2) ^ stream->base.ssrc);
    wr16(iv + 6, rd16(salt + 6) ^ (uint16_t)(index >> 32));
    wr32(iv + 8, rd32(salt + 8) ^ (uint32_t)index);
}

static void encrypt(enum cipher_profile profile, const struct gcm_key_data *key, const uint8_t *iv,
                    struct cipher_span associated, struct cipher_span text, uint8_t *tag)
{
    IMB_MGR *m = manager();
    struct gcm_context_data context;
    if (profile == CIPHER_GCM_256)
        IMB_AES256_GCM_ENC(m, key, &context, text.data, text.data, text.len, iv, associated.data, associated.len, tag,
                           CIPHER_GCM_TAG);
    else
        IMB_AES128_GCM_ENC(m, key, &context, text.data, text.data, text.len, iv, associated.data, associated.len, tag,
                           CIPHER_GCM_TAG);
}

static bool decrypt(enum cipher_profile profile, const struct gcm_key_data *key, const uint8_t *iv,
                    struct cipher_span associated, struct cipher_span text, const uint8_t *wanted)
{
    IMB_MGR *m = manager();
    struct gcm_context_data context;
    uint8_t tag[CIPHER_GCM_TAG];
    if (profile == CIPHER_GCM_256)
        IMB_AES256_GCM_DEC(m, key, &context, text.data, text.data, text.len, iv, associated.data, associated.len, tag,
                           CIPHER_GCM_TAG);
    else
        IMB_AES128_GCM_DEC(m, key, &context, text.data, text.data, text.len, iv, associated.data, associated.len, tag,
                           CIPHER_GCM_TAG);
    return CRYPTO_memcmp(tag, wanted, sizeof(tag)) == 0;
}

static void gcm_seal(const struct mb_stream *stream, uint8_t *buf, size_t len, size_t header_len, uint64_t index)
{
    const struct mb_keys *keys = keys_of(stream);
    struct cipher_span header = {buf, header_len}, body = {buf + header_len, len - header_len};
    uint8_t iv[IMB_GCM_IV_DATA_LEN];
    gcm_iv(stream, index, iv);
    encrypt(keys->base.profile, &keys->gcm, iv, header, body, buf + len);
}

// `len` without the tag behind it.
static bool gcm_open(const struct mb_stream *stream, uint8_t *buf, size_t len, size_t header_len, uint64_t index)
{
    const struct mb_keys *keys = keys_of(stream);
    struct cipher_span header = {buf, header_len}, body = {buf + header_len, len - header_len};
    uint8_t iv[IMB_GCM_IV_DATA_LEN];
    gcm_iv(stream, index, iv);
    return decrypt(keys->base.profile, &keys->gcm, iv, header, body, buf + len);
}

// ---- AES-GCM by itself -------------------------------------------------------------------------------------

struct cipher_gcm {
    struct gcm_key_data key;
    enum cipher_profile profile;
};

static struct cipher_gcm *key_new(enum cipher_profile profile, const uint8_t *key)
{
    struct cipher_gcm *gcm = g_aligned_alloc0(1, sizeof(*gcm), ALIGNMENT);
    gcm->profile = profile;
    expand(profile, key, &gcm->key);
    return gcm;
}

static void key_free(struct cipher_gcm *gcm)
{
    OPENSSL_cleanse(gcm, sizeof(*gcm));
    g_aligned_free(gcm);
}

static void key_seal(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, uint8_t *tag)
{
    encrypt(gcm->profile, &gcm->key, nonce, associated, text, tag);
}

static bool key_open(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, const uint8_t *tag)
{
    return decrypt(gcm->profile, &gcm->key, nonce, associated, text, tag);
}

// ---- AES-CM and HMAC-SHA1 ----------------------------------------------------------------------------------

// RFC 3711 s4.1.1: IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16.
static void cm_iv(const struct mb_stream *stream, uint64_t index, uint8_t iv[16])
{
    memcpy(iv, keys_of(stream)->salt, CIPHER_SALT_MAX);
    wr32(iv + 4, rd32(iv + 4) ^ stream->base.ssrc);
    wr32(iv + 8, rd32(iv + 8) ^ (uint32_t)(index >> 16));
    wr16(iv + 12, rd16(iv + 12) ^ (uint16_t)index);
    wr16(iv + 14, 0);
}

// Hands one packet in. Behind it, where the tag goes later, lies the rollover counter, which the tag covers (s4.2).
static IMB_JOB *cm_submit(IMB_MGR *m, const struct mb_stream *stream, struct scratch *scratch, size_t slot,
                          uint8_t *buf, size_t len, size_t header_len, uint64_t index, bool sealing)
{
    const struct mb_keys *keys = keys_of(stream);
    IMB_JOB *job = IMB_GET_NEXT_JOB(m);
    cm_iv(stream, index, scratch->iv[slot]);
    wr32(buf + len, (uint32_t)(index >> 16));
    memset(job, 0, sizeof(*job));
    job->cipher_mode = len > header_len ? IMB_CIPHER_CNTR : IMB_CIPHER_NULL;
    job->cipher_direction = sealing ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    job->chain_order = sealing ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job->enc_keys = keys->aes;
    job->dec_keys = keys->aes_inverse;
    job->key_len_in_bytes = 16;
    job->iv = scratch->iv[slot];
    job->iv_len_in_bytes = 16;
    job->src = buf;
    job->dst = buf + header_len;
    job->cipher_start_src_offset_in_bytes = header_len;
    job->msg_len_to_cipher_in_bytes = len - header_len;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->msg_len_to_hash_in_bytes = len + 4;
    job->u.HMAC._hashed_auth_key_xor_ipad = keys->inner;
    job->u.HMAC._hashed_auth_key_xor_opad = keys->outer;
    job->auth_tag_output = scratch->tag[slot];
    job->auth_tag_output_len_in_bytes = SHA1_SHORT;
    return IMB_SUBMIT_JOB(m);
}

// Whatever order they come back in, all are done when the library has nothing left.
static void cm_finish(IMB_MGR *m, IMB_JOB *job)
{
    for (; job; job = IMB_GET_COMPLETED_JOB(m))
        g_assert(job->status == IMB_STATUS_COMPLETED);
}

static void cm_flush(IMB_MGR *m)
{
    IMB_JOB *job;
    while ((job = IMB_FLUSH_JOB(m)))
        g_assert(job->status == IMB_STATUS_COMPLETED);
}

static bool cm_open(const struct mb_stream *stream, uint8_t *buf, size_t len, size_t header_len, uint64_t index)
{
    struct scratch scratch;
    uint8_t tag[CIPHER_SHA1_TAG];
    IMB_MGR *m = manager();
    memcpy(tag, buf + len, sizeof(tag));
    cm_finish(m, cm_submit(m, stream, &scratch, 0, buf, len, header_len, index, false));
    cm_flush(m);
    return CRYPTO_memcmp(tag, scratch.tag[0], sizeof(tag)) == 0;
}

// ---- both --------------------------------------------------------------------------------------------------

// May this packet be sealed? If so its index is used up.
static bool claim(struct mb_stream *stream, const uint8_t *buf, uint64_t *index)
{
    *index = cipher_window_estimate(&stream->window, rd16(buf + SEQ_AT));
    bool fresh = cipher_window_is_fresh(&stream->window, *index);
    // cipher.h says why AES-CM may seal a number again.
    bool again = stream->base.session->profile == CIPHER_CM_SHA1_80 && !cipher_window_is_old(&stream->window, *index);
    if (!fresh && !again)
        return false;
    cipher_window_add(&stream->window, *index);
    return true;
}

static void seal(struct cipher_job *jobs, const uint16_t *header_len, size_t count)
{
    struct scratch scratch;
    bool submitted[BATCH_MAX] = {false};
    IMB_MGR *m = manager();
    g_assert(count <= BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        struct mb_stream *stream = (struct mb_stream *)jobs[i].stream;
        uint64_t index;
        if (!claim(stream, jobs[i].buf, &index)) {
            jobs[i].len = 0;
        } else if (stream->base.session->profile == CIPHER_CM_SHA1_80) {
            cm_finish(m, cm_submit(m, stream, &scratch, i, jobs[i].buf, jobs[i].len, header_len[i], index, true));
            submitted[i] = true;
        } else {
            gcm_seal(stream, jobs[i].buf, jobs[i].len, header_len[i], index);
            jobs[i].len += CIPHER_GCM_TAG;
        }
    }
    cm_flush(m);
    for (size_t i = 0; i < count; i++) {
        if (!submitted[i])
            continue;
        memcpy(jobs[i].buf + jobs[i].len, scratch.tag[i], CIPHER_SHA1_TAG);
        jobs[i].len += CIPHER_SHA1_TAG;
    }
}

static int open_packet(struct cipher_stream *base, uint8_t *buf, size_t len, size_t header_len)
{
    struct mb_stream *stream = (struct mb_stream *)base;
    uint64_t index = cipher_window_estimate(&stream->window, rd16(buf + SEQ_AT));
    if (!cipher_window_is_fresh(&stream->window, index))
        return -EALREADY;
    size_t plain = len - cipher_tag_len(base->session->profile);
    bool good = base->session->profile == CIPHER_CM_SHA1_80 ? cm_open(stream, buf, plain, header_len, index)
                                                            : gcm_open(stream, buf, plain, header_len, index);
    if (!good)
        return -EBADMSG;
    cipher_window_add(&stream->window, index);
    return (int)plain;
}

static int open_first(struct cipher_session *session, uint32_t ssrc, uint8_t *buf, size_t len, size_t header_len,
                      struct cipher_stream **stream)
{
    struct mb_stream fresh = {.base = {session, ssrc}};
    int rc = open_packet(&fresh.base, buf, len, header_len);
    if (rc >= 0)
        *stream = g_memdup2(&fresh, sizeof(fresh));
    return rc;
}

const struct cipher_engine cipher_engine_ipsecmb = {
    .name = "ipsec-mb",
    .is_available = is_available,
    .session_new = session_new,
    .session_free = session_free,
    .stream_new = stream_new,
    .stream_free = stream_free,
    .seal = seal,
    .open = open_packet,
    .open_first = open_first,
    .gcm_new = key_new,
    .gcm_free = key_free,
    .gcm_seal = key_seal,
    .gcm_open = key_open,
};
