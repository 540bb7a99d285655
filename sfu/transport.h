// How do bytes travel between one browser and us? (one path: ICE + DTLS + SRTP + SCTP)
// SPDX-License-Identifier: MIT
//
// Belongs to one peer; worker thread. It accepts packets only from the path that ICE selected, changes nothing before
// a tag verifies, and counts what it drops by reason. What is sent during a loop turn leaves at the end of the turn,
// or when so much waits that it may as well go.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/datachan.h"
#include "sfu/packet.h"
#include "sfu/sfu.h"
#include "sfu/sink.h"

struct transport;
struct worker;

// Why it is SFU_FAILED; neither: the other side has closed it.
struct transport_fault {
    bool ice, dtls;
};

// Upward calls; `now_us` is the turn's time. All are required.
struct transport_handlers {
    void (*rtp)(void *arg, struct packet *packet,
                int64_t now_us);                 // opened and parsed; borrowed: take a reference to keep it
    void (*rtp_done)(void *arg, int64_t now_us); // after the last packet of one receive call
    void (*rtcp)(void *arg, const uint8_t *data, size_t len, int64_t now_us); // opened compound
    void (*message)(void *arg, const struct datachan_message *message);
    void (*state)(void *arg, enum sfu_state state, struct transport_fault fault);
    void (*local)(void *arg);                       // local credentials are known or have changed
    void (*candidate)(void *arg, const char *line); // one more local candidate, "" = end
};

struct transport *transport_new(struct worker *worker, const struct transport_handlers *handlers, void *arg);

// Sends what it can (DTLS close_notify), then frees. The worker reaps: not under its own callback.
void transport_free(struct transport *transport);

// ---- negotiation ----
struct transport_local {
    const char *ufrag, *pwd; // NULL until handlers.local
    const char *fingerprint; // sha-256
    const char *candidates;  // lines joined by '\n', "" none yet
    bool complete;           // no more candidates will come
    bool impossible;         // ICE could not begin: there will be no credentials
    bool lite;               // RFC 8445 s2.5
};
void transport_local(const struct transport *transport, struct transport_local *out);

struct transport_remote {
    const char *ufrag, *pwd;
    const char *fingerprint_algorithm;
    const uint8_t *fingerprint;
    size_t fingerprint_len;
    bool client;        // the remote side's setup is passive: we are the DTLS client
    uint16_t sctp_port; // 0: no data channels negotiated
};
// 0, or -EBADMSG/-ENOTSUP/-EBUSY (see dtls_set_fingerprint()); nothing changes on failure. Other ICE credentials than
// the last restart ICE (RFC 8839 section 4.4.1.1.1).
int transport_set_remote(struct transport *transport, const struct transport_remote *remote);
void transport_add_candidate(struct transport *transport, const char *line); // NULL: end

// ---- sending ----
struct sink *transport_sink(struct transport *transport);

// Queues one compound RTCP packet (plain; at most 1,200 bytes); dropped and counted when not connected.
void transport_tx_rtcp(struct transport *transport, const uint8_t *data, size_t len);
void transport_tx_message(struct transport *transport, const struct datachan_message *message);

enum sfu_state transport_state(const struct transport *transport);
void transport_tick(struct transport *transport, int64_t now_us); // at every tick

// What the browser sends now should not wait for ticks: media and messages do this, and who asks for packets
// again.
void transport_hurry(struct transport *transport, int64_t now_us);
