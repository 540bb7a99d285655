// How does a browser check a path? (the few STUN messages of RFC 8445 that a test participant needs)
// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STUN_MESSAGE_MAX = 512, STUN_ID_LEN = 12 };

// A binding request of the controlling side that nominates at once (RFC 8445 section 7.2.2). Returns its length.
size_t stun_request(uint8_t buf[STUN_MESSAGE_MAX], const uint8_t id[STUN_ID_LEN], const char *username,
                    const char *password);

bool stun_is_request(const uint8_t *data, size_t len);
bool stun_is_success(const uint8_t *data, size_t len);

// The success response to a request (RFC 8489 section 6.3.1).
size_t stun_response(uint8_t buf[STUN_MESSAGE_MAX], const uint8_t *request, const struct sockaddr_in *from,
                     const char *password);
