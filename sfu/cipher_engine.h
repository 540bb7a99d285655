// What must an SRTP engine be able to do? (the seam of cipher.h: libsrtp2 and ipsec-mb; inside cipher*)
// SPDX-License-Identifier: MIT
//
// Engines see RTP only, with a header that rtp_parse_header() took and the SSRC that belongs to the stream. Which
// streams there are, SRTCP and the choice of engine are common.
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
};

extern const struct cipher_engine cipher_engine_srtp;
#ifdef RODA_IPSEC_MB
extern const struct cipher_engine cipher_engine_ipsecmb;
#endif

// The chosen engine's session (cipher.c).
struct cipher_session *cipher_session_new(const struct cipher_keys *keys);
