// How is a letter from ICE made? (inside ice*)
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sfu/ice.h"

// With room for len bytes and a NUL behind them; data may be NULL when len is 0. NULL only for ICE_DATA: too many
// such letters are under way in the process, and a datagram may be lost.
struct ice_event *ice_event_new(enum ice_event_type type, uint64_t id, const void *data, size_t len);
