// What must an SRTP engine be able to do? (the seam of cipher.h: libsrtp2 and ipsec-mb; inside cipher*)
// SPDX-License-Identifier: MIT
//
// Of RTP engines see packets with a header that rtp_parse_header() took and the SSRC that belongs to the stream; of
// SRTCP they do no more than AES-GCM. Which streams there are, all else of SRTCP and the choice of engine are common.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/cipher.h"

// The session keys of one direction of one transport; an engine's own struct begins with it.
struct cipher_session {
    const struct cipher_engine *engine;
    enum cipher_profile profile;
};

// One SSRC in one direction; likewise.
struct cipher_stream {
    struct cipher_session *session;
    uint32_t ssrc;
};

enum { CIPHER_GCM_NONCE = 12 };

struct cipher_gcm; // a key of AES-GCM by itself

struct cipher_span {
    uint8_t *data;
    size_t len;
};

struct cipher_engine {
    const char *name;
    bool (*is_available)(void);

    struct cipher_session *(*session_new)(const struct cipher_keys *keys);
    void (*session_free)(struct cipher_session *session);

    struct cipher_stream *(*stream_new)(struct cipher_session *session, uint32_t ssrc); // outgoing
    void (*stream_free)(struct cipher_stream *stream);

    // As cipher_seal(); every job's stream is of this engine. header_len[i]: octets of jobs[i] that stay in the
    // clear.
    void (*seal)(struct cipher_job *jobs, const uint16_t *header_len, size_t count);

    // As cipher_open(). `open_first` is for an SSRC without a stream: makes one when the packet verifies.
    int (*open)(struct cipher_stream *stream, uint8_t *buf, size_t len, size_t header_len);
    int (*open_first)(struct cipher_session *session, uint32_t ssrc, uint8_t *buf, size_t len, size_t header_len,
                      struct cipher_stream **stream);

    // AES-GCM (NIST SP 800-38D) in place, with a nonce of CIPHER_GCM_NONCE bytes and a tag of 16 bytes.
    // gcm_open: false when the tag is wrong; then the bytes in text mean nothing any more.
    struct cipher_gcm *(*gcm_new)(enum cipher_profile profile, const uint8_t *key); // GCM_128 or GCM_256
    void (*gcm_free)(struct cipher_gcm *gcm);
    void (*gcm_seal)(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, uint8_t *tag);
    bool (*gcm_open)(struct cipher_gcm *gcm, const uint8_t *nonce, struct cipher_span associated,
                     struct cipher_span text, const uint8_t *tag);
};

extern const struct cipher_engine cipher_engine_srtp;
#ifdef RODA_IPSEC_MB
extern const struct cipher_engine cipher_engine_ipsecmb;
#endif

// The chosen engine, and a session of it (cipher.c).
const struct cipher_engine *cipher_engine(void);
struct cipher_session *cipher_session_new(const struct cipher_keys *keys);
