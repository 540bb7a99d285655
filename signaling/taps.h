// Which participants' sound and pictures are copied to programs outside, and does everybody in the room know?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. A tap is of a user in a room, not of a connection: it goes on when its participant's
// media begin anew, and ends when the participant leaves for good. The media server copies (sfu.h, sfu_tap_start);
// this file says what, to where, and tells everybody at once.
#pragma once

#include "signaling/exchange.h"

// Whether this server has taps at all; false and the fault.
bool taps_are_possible(const struct hub *hub, struct fault *fault);

// What a tap is to be.
struct tap_wish {
    const char *user;
    enum sfu_source source;
    const char *address; // as net_address() gives it
    uint16_t port;       // sender reports go to the port above
};

// The new tap, owned by the room; NULL and the fault: nothing changes.
const struct tap *taps_add(struct room *room, const struct tap_wish *wish, struct fault *fault);
struct tap *taps_find(const struct room *room, const char *id); // NULL: there is none
void taps_remove(struct room *room, struct tap *tap);           // ends and frees it

// ---- what others tell it ----------------------------------------------------------------------------------------

void taps_media_began(struct participant *participant);       // it has a new peer
void taps_media_ended(struct participant *participant);       // and now none
void taps_left(struct room *room, const char *user);          // for good
void taps_rx(struct hub *hub, const struct sfu_event *event); // SFU_TAP
