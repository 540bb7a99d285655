// How do data channel messages come in and go out? (RFC 8831, 8832 (DCEP), 8841, 9260; usrsctp behind one thread)
// SPDX-License-Identifier: MIT
//
// usrsctp keeps process-global state, so ONE thread owns it (usrsctp_init_nothreads). The functions below are called
// from worker threads and never block; results are `struct datachan_event` letters to the mailbox given at
// datachan_open(). SCTP packets travel inside DTLS, which belongs to the worker: DATACHAN_TX asks it to send one.
//
// A channel is known by label and protocol. A message that arrives on a channel of one participant is given to the
// worker with label, protocol and payload; datachan_send() delivers it on the receiver's channel of the same label
// and protocol, which is opened (DCEP, same reliability and order) when the receiver has none.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/dcep.h"
#include "sfu/mailbox.h"

enum {
    DATACHAN_MESSAGE_MAX = 65536,      // bytes of one message; a longer one is dropped and counted
    DATACHAN_NAME_MAX = DCEP_NAME_MAX, // bytes of a label or a protocol; a longer one closes that channel
    DATACHAN_CHANNEL_MAX = 32,         // channels per participant
    DATACHAN_RATE_BPS =
        2000000, // bits per second one participant may send before messages are dropped (token bucket, 1 s deep)
    DATACHAN_RATE_MSGS = 500,     // messages per second, likewise
    DATACHAN_QUEUE_MAX = 1 << 20, // bytes waiting for one receiver; more: the message is dropped for that receiver
    DATACHAN_PACKET_MAX = 1136,   // bytes of one SCTP packet: sealed it fits DTLS_MTU
    DATACHAN_PORT = 5000,         // our side's port (a=sctp-port)
};

struct datachan_hub;
struct datachan_hub *datachan_hub_new(void); // one at a time in a process
void datachan_hub_free(struct datachan_hub *hub);

struct datachan_message {
    char label[DATACHAN_NAME_MAX + 1];
    char protocol[DATACHAN_NAME_MAX + 1];
    uint8_t channel_type; // RFC 8832 s5.1: reliability and order of the channel it came on
    uint32_t reliability;
    bool binary; // PPID 53/57 rather than 51/56 (RFC 8831 s8)
    size_t len;
    uint8_t data[]; // empty messages have len 0
};

// Opens the association `id`. remote_port from SDP (a=sctp-port); `client`: we are the DTLS client (decides even or
// odd stream ids, RFC 8832 s6).
// An association that was aborted, or that SCTP gave up, ends with DATACHAN_CLOSED too; what is sent to it is
// dropped.
void datachan_open(struct datachan_hub *hub, uint64_t id, struct mailbox *reply, uint16_t remote_port, bool client);
void datachan_close(struct datachan_hub *hub, uint64_t id);

// One SCTP packet out of DTLS.
void datachan_rx(struct datachan_hub *hub, uint64_t id, const uint8_t *data, size_t len);

// Delivers a message to participant `id`, at once or when its association is up. The message is copied. Dropped: a
// message longer than DATACHAN_MESSAGE_MAX, one for which there is no room or no further channel.
void datachan_send(struct datachan_hub *hub, uint64_t id, const struct datachan_message *message);

enum datachan_event_type {
    DATACHAN_TX,      // data, len: an SCTP packet to send inside DTLS
    DATACHAN_MESSAGE, // message: one whole message of a participant
    DATACHAN_CLOSED,  // the last letter of this id
};

struct datachan_event {
    struct mail mail;
    enum datachan_event_type type;
    uint64_t id;
    struct datachan_message *message; // owned by the event
    size_t len;
    uint8_t data[];
};

void datachan_event_free(struct datachan_event *event);
