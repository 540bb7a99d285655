// How do the packets of one loop turn leave in as few system calls as possible?
// SPDX-License-Identifier: MIT
//
// A transport's queue of outgoing packets. A flush seals what is not sealed, joins neighbours of equal size (the last
// of a run may be shorter) into one UDP_SEGMENT send and hands all runs to one sendmmsg(). What the socket does not
// take stays queued; a full queue loses its oldest video first, because late audio hurts more. Worker thread.
#pragma once

#include <stdbool.h>

#include "sfu/packet.h"
#include "sfu/path.h"
#include "sfu/stats.h"

enum {
    OUTBOX_BATCH = 64, // packets at which outbox_add() asks for a flush
    OUTBOX_MAX = 512,  // packets waiting for a socket that is full
};

struct cipher_stream;

struct outbox {
    struct packet *head, *tail;
    unsigned count;
    struct packet *unsealed; // the first packet that still has to be sealed
    bool single;             // the way does not take runs
    struct stats *stats;
};

void outbox_init(struct outbox *box, struct stats *stats);
// Frees what is queued.
void outbox_clear(struct outbox *box);

// Takes the packet. `cipher` seals it at the flush; NULL: it is sealed already. True: time to flush.
bool outbox_add(struct outbox *box, struct packet *packet, struct cipher_stream *cipher);

// The path has changed: the new one may take runs.
static inline void outbox_new_path(struct outbox *box)
{
    box->single = false;
}

// Sends what the path takes; true when the queue is empty then. Every queued packet is sealed afterwards.
bool outbox_flush(struct outbox *box, const struct path *path);
