// How does one source of one participant reach a program that is no participant?
// SPDX-License-Identifier: MIT
//
// As plain RTP to a UDP address, with the house's payload types; sender reports go to the port above (RFC 3550
// section 11). What the kernel does not take at once is dropped and counted. Worker thread.
#pragma once

#include <stdint.h>

#include "sfu/ear.h"

struct tap_config {
    struct worker *worker;
    struct mailbox *events;
    struct flow *sent; // of the worker: what all its taps have sent
    uint64_t room, tag;
    uint64_t peer;
    enum sfu_source source;
    const char *address; // IPv4 or IPv6, in numbers
    uint16_t port;       // not 0, not 65535
};

// An ear of the room. NULL: nothing can be sent to this address. What becomes of it is told by SFU_TAP.
struct ear *tap_new(const struct tap_config *cfg);

uint64_t tap_tag(const struct ear *ear);
