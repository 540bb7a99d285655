// What does one participant's SCTP association do? (usrsctp behind this file; inside datachan*)
// SPDX-License-Identifier: MIT
//
// The SCTP thread only. usrsctp's callbacks do no more than queue what came; assoc_turn() acts on it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/datachan.h"

struct assoc;

// The library: once per process and life of the hub.
void assoc_library_start(void);
void assoc_library_stop(void); // every association must be freed
void assoc_library_tick(int64_t elapsed_us);

struct assoc *assoc_new(uint64_t id, struct mailbox *reply, uint16_t remote_port, bool client, int64_t now_us);
void assoc_free(struct assoc *assoc); // aborts it; posts DATACHAN_CLOSED

void assoc_rx(struct assoc *assoc, const uint8_t *data, size_t len);

// Queues a message for the participant; takes it.
void assoc_send(struct assoc *assoc, struct datachan_message *message);

// Handles what came and sends what can be sent. False: the association is gone and wants assoc_free().
bool assoc_turn(struct assoc *assoc, int64_t now_us);

struct datachan_event *datachan_event_new(enum datachan_event_type type, uint64_t id, const void *data, size_t len);
