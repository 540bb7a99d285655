// How does libsrtp2 seal and open? (the portable engine, and the reference)
// SPDX-License-Identifier: MIT
//
// libsrtp finds a stream by walking a list, so each stream gets a session of its own with one specific SSRC. For
// SSRCs not known yet there is a door: a session that takes any SSRC, whose keys cost junk no more than a tag check.
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "sfu/cipher_engine.h"
#include "sfu/cipher_gcm.h"
#include "sfu/cipher_keys.h"
#include "sfu/cipher_window.h"

enum { FIRST_MAX = 2048 }; // bytes of a packet that may open a stream

struct srtp_keys {
    struct cipher_session base;
    uint8_t key_and_salt[CIPHER_KEY_MAX + CIPHER_SALT_MAX];
    srtp_t door; // made for the first unknown SSRC
};

struct srtp_one {
    struct cipher_stream base;
    srtp_t session;
};

static gpointer init_once(gpointer arg)
{
    (void)arg;
    return GINT_TO_POINTER(srtp_init() == srtp_err_status_ok);
}

static bool is_available(void)
{
    static GOnce once = G_ONCE_INIT;
    return GPOINTER_TO_INT(g_once(&once, init_once, NULL));
}

static struct cipher_session *session_new(const struct cipher_keys *keys)
{
    struct srtp_keys *session = g_new0(struct srtp_keys, 1);
    size_t key_len = cipher_key_len(keys->profile);
    session->base = (struct cipher_session){&cipher_engine_srtp, keys->profile};
    memcpy(session->key_and_salt, keys->key, key_len);
    memcpy(session->key_and_salt + key_len, keys->salt, cipher_salt_len(keys->profile));
    return &session->base;
}

static void session_free(struct cipher_session *base)
{
    struct srtp_keys *session = (struct srtp_keys *)base;
    if (session->door)
        srtp_dealloc(session->door);
    explicit_bzero(session, sizeof(*session));
    g_free(session);
}

static srtp_t create(struct srtp_keys *keys, srtp_ssrc_t ssrc)
{
    srtp_policy_t policy = {.ssrc = ssrc, .key = keys->key_and_salt, .window_size = CIPHER_WINDOW};
    switch (keys->base.profile) {
    case CIPHER_CM_SHA1_80:
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
        // The same sequence number gives the same key stream, which is safe for the same payload: a resend without
        // RTX is that. With GCM it would not be: a resend differs in its header extension, and two tags under one
        // nonce give the authentication key away.
        policy.allow_repeat_tx = 1;
        break;
    case CIPHER_GCM_256:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
        break;
    default:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
        break;
    }
    srtp_t session = NULL;
    srtp_err_status_t status = srtp_create(&session, &policy);
    g_assert(status == srtp_err_status_ok);
    return session;
}

static struct cipher_stream *stream_new(struct cipher_session *base, uint32_t ssrc)
{
    struct srtp_one *stream = g_new0(struct srtp_one, 1);
    stream->base = (struct cipher_stream){base, ssrc};
    stream->session = create((struct srtp_keys *)base, (srtp_ssrc_t){ssrc_specific, ssrc});
    return &stream->base;
}

static void stream_free(struct cipher_stream *base)
{
    struct srtp_one *stream = (struct srtp_one *)base;
    srtp_dealloc(stream->session);
    g_free(stream);
}

static void seal(struct cipher_job *jobs, const uint16_t *header_len, size_t count)
{
    (void)header_len;
    for (size_t i = 0; i < count; i++) {
        int len = (int)jobs[i].len;
        srtp_err_status_t status = srtp_protect(((struct srtp_one *)jobs[i].stream)->session, jobs[i].buf, &len);
        jobs[i].len = status == srtp_err_status_ok ? (size_t)len : 0;
    }
}

static int unprotect(srtp_t session, uint8_t *buf, size_t len)
{
    int n = (int)len;
    switch (srtp_unprotect(session, buf, &n)) {
    case srtp_err_status_ok:
        return n;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return -EALREADY;
    default:
        return -EBADMSG;
    }
}

static int open_packet(struct cipher_stream *base, uint8_t *buf, size_t len, size_t header_len)
{
    (void)header_len;
    return unprotect(((struct srtp_one *)base)->session, buf, len);
}

static int open_first(struct cipher_session *base, uint32_t ssrc, uint8_t *buf, size_t len, size_t header_len,
                      struct cipher_stream **stream)
{
    struct srtp_keys *session = (struct srtp_keys *)base;
    _Alignas(16) uint8_t copy[FIRST_MAX];
    (void)header_len;
    if (len > sizeof(copy))
        return -EBADMSG;
    memcpy(copy, buf, len);
    if (!session->door)
        session->door = create(session, (srtp_ssrc_t){ssrc_any_inbound, 0});
    int rc = unprotect(session->door, copy, len);
    if (rc < 0)
        return rc;
    srtp_remove_stream(session->door, htonl(ssrc)); // or the door would remember every SSRC
    *stream = stream_new(base, ssrc);
    rc = unprotect(((struct srtp_one *)*stream)->session, buf, len);
    g_assert(rc >= 0);
    return rc;
}

const struct cipher_engine cipher_engine_srtp = {
    .name = "libsrtp",
    .is_available = is_available,
    .session_new = session_new,
    .session_free = session_free,
    .stream_new = stream_new,
    .stream_free = stream_free,
    .seal = seal,
    .open = open_packet,
    .open_first = open_first,
    .gcm_new = cipher_gcm_new,
    .gcm_free = cipher_gcm_free,
    .gcm_seal = cipher_gcm_seal,
    .gcm_open = cipher_gcm_open,
};
