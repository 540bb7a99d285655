// Which packet indices has a stream used? (RFC 3711 section 3.3.1, 3.3.2 and appendix A; inside cipher* and dtls*)
// SPDX-License-Identifier: MIT
//
// An index is the 48-bit count of a stream's packets: rollover counter << 16 | sequence number (SRTP), or the 31-bit
// SRTCP index, the sequence number of a DTLS record. The window remembers the highest index used and which of the
// CIPHER_WINDOW before it were.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CIPHER_WINDOW = 1024 }; // indices; libwebrtc uses as many: late resends of a fast video fit

struct cipher_window {
    bool any; // an index was used
    uint64_t top;
    uint64_t bits[CIPHER_WINDOW / 64]; // bit (index % CIPHER_WINDOW): used
};

// The index nearest to the highest one that has this sequence number. A stream begins in rollover 0 and never
// estimates below it (as libsrtp does).
uint64_t cipher_window_estimate(const struct cipher_window *window, uint16_t seq);

// True when the index lies behind the window: whether it was used is forgotten.
bool cipher_window_is_old(const struct cipher_window *window, uint64_t index);

// True when the index was not used before and is not older than the window.
bool cipher_window_is_fresh(const struct cipher_window *window, uint64_t index);

// Marks the index used. Of packets that came from outside: only after their tag verified.
void cipher_window_add(struct cipher_window *window, uint64_t index);
