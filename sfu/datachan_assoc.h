// How do SCTP packets become messages on streams? (RFC 9260, 6525 (resets), 3758 (partial reliability), 8261; usrsctp
// behind this file; inside datachan*)
// SPDX-License-Identifier: MIT
//
// The SCTP thread only. usrsctp's callbacks do no more than queue what came; assoc_turn() passes it on, so a handler
// may call anything here but assoc_free().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assoc;

enum { ASSOC_STREAMS = 1024 }; // each way (RFC 8831 s6.2 would have 65,535; browsers offer 1,024)

// ---- the library: once per process at a time ----
void assoc_library_start(void);
void assoc_library_stop(void); // every association must be freed
void assoc_library_tick(int64_t elapsed_us);

struct assoc_handlers {
    // An SCTP packet to send; may come inside any call.
    void (*packet)(void *arg, const void *data, size_t len);
    // Inside assoc_turn(): a message, or a piece of one that is long; pieces come in order, the last says so.
    void (*message)(void *arg, uint16_t sid, uint32_t ppid, const uint8_t *data, size_t len, bool last);
    // Inside assoc_turn(): the other side ended its half of a stream.
    void (*reset)(void *arg, uint16_t sid);
};

// Begins at once. Both sides do so: RFC 8841 s9.3 has no listener.
struct assoc *assoc_new(uint16_t local_port, uint16_t remote_port, const struct assoc_handlers *handlers, void *arg);
void assoc_free(struct assoc *assoc); // aborts it

void assoc_rx(struct assoc *assoc, const uint8_t *data, size_t len);

// Passes on what came. False: the association is gone and stays so.
bool assoc_turn(struct assoc *assoc);

// How many outgoing streams there are; 0 before the association is up.
uint16_t assoc_streams(const struct assoc *assoc);

struct assoc_manner {
    bool unordered;
    enum { ASSOC_RELIABLE, ASSOC_REXMIT, ASSOC_TIMED } reliability;
    uint32_t limit; // times to send again; milliseconds to try
};

// 0, -EAGAIN: no room now, or another negative errno: never.
int assoc_send(struct assoc *assoc, uint16_t sid, uint32_t ppid, const struct assoc_manner *manner, const void *data,
               size_t len);

// Ends our half of a stream once everything on it has been sent. Until the other side has agreed the stream is not to
// be used.
void assoc_reset(struct assoc *assoc, uint16_t sid);
bool assoc_is_resetting(const struct assoc *assoc, uint16_t sid);
