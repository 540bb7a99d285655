// What does a candidate line say? (RFC 8839 section 5.1; inside ice*)
// SPDX-License-Identifier: MIT
//
//     candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [raddr a] [rport p] ...
//
// Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/ice.h"

enum {
    CANDIDATE_FOUNDATION_MAX = 32, // RFC 8839 s5.1: 1*32ice-char
    CANDIDATE_ADDRESS_MAX = 253,   // a domain name at most
};

enum candidate_type { CANDIDATE_HOST, CANDIDATE_SRFLX, CANDIDATE_PRFLX, CANDIDATE_RELAY, CANDIDATE_OTHER };

struct candidate {
    char foundation[CANDIDATE_FOUNDATION_MAX + 1];
    char address[CANDIDATE_ADDRESS_MAX + 1]; // as written: an IP address or a name
    char ufrag[ICE_UFRAG_MAX + 1];           // the extension "ufrag"; "" when the line has none
    uint32_t priority;
    uint16_t port;
    uint8_t component; // 1..255 (the grammar allows more; nobody uses them)
    bool udp;
    enum candidate_type type;
};

// 0, or -EBADMSG. A leading "a=" and "candidate:" may be missing.
int candidate_parse(struct candidate *candidate, const char *line);

// The candidate's transport address; false when it is a name (".local" or other).
bool candidate_sockaddr(const struct candidate *candidate, union sockaddr_any *out);

// Copies a line we wrote, with the address of a host candidate replaced by `announced` when that is of the same
// address family (NULL: never). The result always fits ICE_LINE_MAX.
void candidate_announce(const char *line, const char *announced, char out[ICE_LINE_MAX]);
