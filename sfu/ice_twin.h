// How do media and STUN on one port reach two threads? (RFC 7983; inside ice*)
// SPDX-License-Identifier: MIT
//
// The kernel does it. A second socket, the twin, is bound to the address and port of libnice's with SO_REUSEPORT, and
// a classic BPF program of the group picks the socket by the first byte: STUN (0..3) goes to index 0, libnice's, all
// else to index 1, the twin. A second program, on libnice's socket alone, lets through only STUN that belongs to the
// agent: what carries another user name is dropped by the kernel, unanswered and without waking the thread.
#pragma once

#include <stdbool.h>

enum {
    ICE_TWIN_BUFFER =
        1 << 20, // bytes asked of the kernel for each direction: a key frame for everybody in a large room
};

// Whether this kernel does both as said. Tried on loopback; where that is down, nothing this machine sends to itself
// arrives, and all that is known is that the kernel takes the programs.
enum ice_twin_trial { ICE_TWIN_REFUSED, ICE_TWIN_UNTRIED, ICE_TWIN_WORKS };
enum ice_twin_trial ice_twin_try(void);

// What the kernel grants of ICE_TWIN_BUFFER in the narrower direction (net.core.rmem_max, wmem_max); 0: no socket.
int ice_twin_buffer(void);

// The twin of a bound UDP socket: a file descriptor the caller owns, or a negative errno.
int ice_twin_new(int fd);

// Lets only these pass: requests whose USERNAME begins with "<ufrag>:" (RFC 8445 s7.2.2), error responses that say
// 487 (role conflict), every success response and indication, and all that is not STUN. Replaces an earlier filter.
// 0 or a negative errno.
//
// Other errors add nothing that silence would not say (a check that is not answered fails), and libnice 0.1.21 takes
// a 403 that comes before a pair is selected badly: it reads the address of a pair that is not there.
int ice_filter(int fd, const char *ufrag);
