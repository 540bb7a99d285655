// What does one participant say and hear on its data channels? (DCEP, names, bounds; inside datachan*)
// SPDX-License-Identifier: MIT
//
// The SCTP thread only; one association (datachan_assoc.h) underneath. Answers are letters as datachan.h describes
// them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/datachan.h"

struct talk;

struct talk *talk_new(uint64_t id, struct mailbox *reply, uint16_t remote_port, bool client, int64_t now_us);
void talk_free(struct talk *talk); // posts DATACHAN_CLOSED

void talk_rx(struct talk *talk, const uint8_t *data, size_t len);

// Queues a message for the participant; takes it.
void talk_send(struct talk *talk, struct datachan_message *message);
size_t talk_queued(const struct talk *talk); // bytes that wait

// Handles what came and sends what can be sent. False: it is over and wants talk_free().
bool talk_turn(struct talk *talk, int64_t now_us);
