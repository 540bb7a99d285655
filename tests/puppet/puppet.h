// What does a participant look like that a program moves? (real ICE, DTLS and SRTP over one UDP socket, no codecs)
// SPDX-License-Identifier: MIT
//
// For tests and benches: a puppet offers and answers SDP as a browser would, checks its path, agrees on keys and
// sends and receives RTP. It is driven: puppet_rx() when its socket is readable, puppet_tick() every few
// milliseconds. It belongs to one thread. IPv4.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/cipher.h"
#include "sfu/dtls.h"

enum {
    PUPPET_SDP_MAX = 65536,
    PUPPET_STREAMS_MAX = 1024, // streams it receives
    PUPPET_TWCC_ID = 3,        // header extension id of the transport-wide number, as it offers it
    PUPPET_BATCH = 64,         // packets sent or received with one system call
    PUPPET_AUDIO_PT = 111,
    PUPPET_VIDEO_PT = 96,
    PUPPET_RTX_PT = 97,
};

struct puppet;

// What it is told; any may be NULL.
struct puppet_handlers {
    // Each RTP packet as it came, its header in the clear. False: it is not to be opened, rtp() is not told.
    // arrived_ns: when the kernel took it, on the wall clock.
    bool (*sealed)(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t arrived_ns);
    void (*rtp)(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us);
    void (*rtcp)(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us);
    void (*data)(void *arg, struct puppet *puppet, const uint8_t *data, size_t len); // an SCTP packet out of DTLS
};

struct puppet_config {
    struct dtls_cert *cert; // may be shared by many
    const char *address;    // local IPv4 address; NULL: 127.0.0.1
    bool audio, video;      // sends
    bool data_channels;
    uint32_t audio_ssrc, video_ssrc; // RTX of the video is video_ssrc + 1
    enum cipher_profile profile;     // the only one it offers and takes; CIPHER_NONE: all
    struct puppet_handlers handlers;
    void *arg;
};

struct puppet *puppet_new(const struct puppet_config *cfg);
void puppet_free(struct puppet *puppet);
int puppet_fd(const struct puppet *puppet);

// ---- negotiation: texts into buf of PUPPET_SDP_MAX ----
void puppet_offer(struct puppet *puppet, char *buf);
void puppet_answer(struct puppet *puppet, const char *offer, char *buf);
void puppet_take_answer(struct puppet *puppet, const char *answer);
void puppet_add_candidate(struct puppet *puppet,
                          const char *line);           // "candidate:..."; others than UDP over IPv4: ignored
void puppet_reoffer(struct puppet *puppet, char *buf); // what is agreed, as an offer of its own
void puppet_restart_ice(struct puppet *puppet);        // the next offer has fresh credentials
void puppet_move(struct puppet *puppet);               // a new socket: another network path

// ---- driving ----
void puppet_rx(struct puppet *puppet, int64_t now_us);
void puppet_tick(struct puppet *puppet, int64_t now_us);
bool puppet_is_connected(const struct puppet *puppet); // path and keys

// Seals and sends a plain packet, which must have room for CIPHER_TRAILER_MAX more. False: not connected.
bool puppet_send_rtp(struct puppet *puppet, uint8_t *data, size_t len);
// Seals only: the sealed length, 0: not connected.
size_t puppet_seal_rtp(struct puppet *puppet, uint8_t *data, size_t len);
// The same for up to PUPPET_BATCH packets with one system call; lens are changed to the sealed ones.
bool puppet_send_frame(struct puppet *puppet, uint8_t *const *packets, size_t *lens, size_t count);
bool puppet_send_rtcp(struct puppet *puppet, uint8_t *data, size_t len, size_t cap);
bool puppet_send_data(struct puppet *puppet, const uint8_t *data, size_t len); // an SCTP packet into DTLS
// Sends bytes as they are, from its own socket.
void puppet_send_raw(struct puppet *puppet, const void *data, size_t len);
// The header extension id of the transport-wide number in what is received or sent; 0: not agreed.
uint8_t puppet_twcc_id(const struct puppet *puppet);
uint32_t puppet_ssrc(const struct puppet *puppet, bool video);
// Where it sends to.
struct sockaddr_in puppet_remote(const struct puppet *puppet);
