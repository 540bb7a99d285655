// How is a packet sealed and opened? (SRTP, RFC 3711, 7714; two engines behind one header: libsrtp2 and ipsec-mb)
// SPDX-License-Identifier: MIT
//
// One sealer holds the outgoing streams of a transport, one opener its incoming streams. Every outgoing stream has a
// context of its own, found by the handle that cipher_stream_new() gave; incoming streams are found by SSRC in
// constant time. Worker thread only; cipher_engine_select() once before any other call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cipher_profile { // RFC 5764 s4.1.2, RFC 7714 s14.2
    CIPHER_NONE = 0,
    CIPHER_CM_SHA1_80 = 0x0001,
    CIPHER_GCM_128 = 0x0007,
    CIPHER_GCM_256 = 0x0008,
};

enum {
    CIPHER_KEY_MAX = 32,
    CIPHER_SALT_MAX = 14,
    CIPHER_TRAILER_MAX = 20, // bytes a sealed packet may grow (tag 16, or 10; SRTCP index 4 more)
    // Incoming SSRCs remembered per opener. The one silent longest makes room for a verified new one; its rollover
    // counter and what it has sent are forgotten with it.
    CIPHER_OPEN_STREAMS = 128,
};

struct cipher_keys {
    enum cipher_profile profile;
    uint8_t key[CIPHER_KEY_MAX];
    uint8_t salt[CIPHER_SALT_MAX];
};

size_t cipher_key_len(enum cipher_profile profile);
size_t cipher_salt_len(enum cipher_profile profile);
size_t cipher_overhead(enum cipher_profile profile); // bytes an RTP packet grows: 16, 16, 10

// Chooses the engine for the process: "auto" (the fastest this CPU has), "libsrtp", "ipsec-mb". -EINVAL: no such
// name; -ENOTSUP: this CPU or build lacks it. Returns 0.
int cipher_engine_select(const char *name);
const char *cipher_engine_name(void);

// ---- sealing ----
struct cipher_sealer;
struct cipher_stream; // one outgoing SSRC

struct cipher_sealer *cipher_sealer_new(const struct cipher_keys *keys);
void cipher_sealer_free(struct cipher_sealer *sealer); // its streams must be freed before

struct cipher_stream *cipher_stream_new(struct cipher_sealer *sealer, uint32_t ssrc);
void cipher_stream_free(struct cipher_stream *stream);

// One packet to seal in place: buf has room for CIPHER_TRAILER_MAX more than len. After cipher_seal(), len is the
// sealed length, or 0 when the packet could not be sealed: not RTP of the stream's SSRC, sequence number out of its
// window, or one that was sealed before. (AES-CM alone allows that again: a resend without RTX is the same payload
// under the same key stream. Under GCM the changed header extension would give the authentication key away.)
struct cipher_job {
    struct cipher_stream *stream;
    uint8_t *buf;
    size_t len;
};
void cipher_seal(struct cipher_job *jobs, size_t count); // packets of one stream in sending order

// Seals one compound RTCP packet in place; returns the new length, or 0: no room, or not RTCP.
size_t cipher_seal_rtcp(struct cipher_sealer *sealer, uint8_t *buf, size_t len, size_t cap);

// ---- opening ----
struct cipher_opener;
struct cipher_opener *cipher_opener_new(const struct cipher_keys *keys);
void cipher_opener_free(struct cipher_opener *opener);

// Opens in place: the plain length, or -EBADMSG (tag wrong, malformed), -EALREADY (replayed or too old); then the
// bytes in buf mean nothing any more. Nothing is remembered of a packet that does not verify.
int cipher_open(struct cipher_opener *opener, uint8_t *buf, size_t len);
int cipher_open_rtcp(struct cipher_opener *opener, uint8_t *buf, size_t len);
