// Which STUN and TURN servers may this user use, and with which password?
// SPDX-License-Identifier: MIT
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "signaling/config.h"

// The array for RTCPeerConnection's `iceServers`, to be freed by the caller. A coturn with `use-auth-secret` gets
// credentials of this user that expire TURN_TTL seconds from now: username "<expiry>:<user>", credential
// base64(HMAC-SHA1(TURN_SECRET, username)) (draft-uberti-behave-turn-rest section 2.2).
json_t *ice_servers(const struct config *config, const char *user, int64_t wall_ms);
