// Which datagrams came before ICE told us its path?
// SPDX-License-Identifier: MIT
//
// The browser may begin its handshake a moment before we hear which pair was selected. A few DTLS datagrams are kept,
// and looked at only if their address turns out to be the selected one. Part of a transport; worker thread.
#pragma once

#include <stdbool.h>

#include "sfu/ice.h"
#include "sfu/packet.h"

enum { EARLY_MAX = 8 };

struct early_datagram {
    struct packet *packet;
    union sockaddr_any from;
    int fd; // the socket it came in by
};

// All zero is empty.
struct early {
    struct early_datagram datagram[EARLY_MAX];
    unsigned count;
};

// Takes a reference to the packet; false: it is not worth keeping, or there are too many.
bool early_keep(struct early *early, struct packet *packet, const union sockaddr_any *from, int fd);

// Moves everything to `out`, whose owner drops the references; returns how many.
unsigned early_take(struct early *early, struct early_datagram out[EARLY_MAX]);

void early_clear(struct early *early);
