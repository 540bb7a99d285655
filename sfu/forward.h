// Who gets this packet?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

#include "sfu/packet.h"
#include "sfu/track.h"

// Gives packets that track_rx() took, in the order they came, to every sub of the track. Worker thread; neither
// allocates nor blocks.
void forward(struct track *track, const struct packet *const *packets, unsigned count, int64_t now_us);
