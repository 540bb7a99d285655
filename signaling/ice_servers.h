// Which STUN and TURN servers may this user use, and with which password?
// SPDX-License-Identifier: MIT
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "signaling/config.h"

// The array for RTCPeerConnection's `iceServers`, to be freed by the caller: STUN_SERVERS, TURN_SERVERS in their order,
// TURN_URLS. A browser tries all of them at once, so each is the fallback of the others. A coturn with
// `use-auth-secret` (an entry with `secret`, or TURN_URLS with TURN_SECRET) gets credentials of this user that expire
// TURN_TTL seconds from now: username "<expiry>:<user>", credential base64(HMAC-SHA1(secret, username))
// (draft-uberti-behave-turn-rest section 2.2). The secret itself is told to nobody.
json_t *ice_servers(const struct config *config, const char *user, int64_t wall_ms);

// Whether somebody in a long call needs new ones.
bool ice_servers_expire(const struct config *config);
