// What can a test see and say of the media server that is none?
// SPDX-License-Identifier: MIT
//
// The second implementation of sfu/sfu.h: no network, no threads. It answers at once (the events wait in the queue as
// the header promises): an offer is accepted when it begins with "v=0", refused as glare when it contains "x-glare";
// an answer needs an offer said before. It aborts when a room or peer number is used twice.
#pragma once

#include "sfu/sfu.h"

unsigned fake_sfu_peer_count(const struct sfu *sfu);
unsigned fake_sfu_room_count(const struct sfu *sfu);

// The next command that came, as one line ("join 1 2 ana", "mute 1 2 camera on"), or NULL. Valid until the next call.
const char *fake_sfu_take(struct sfu *sfu);

// Queues an event with its texts and tracks copied; SFU_OFFER makes an answer welcome.
void fake_sfu_say(struct sfu *sfu, const struct sfu_event *event);

// What questions for statistics are answered with from now on; "" before.
void fake_sfu_set_stats(struct sfu *sfu, const char *text);

// From now on questions about load, offers, answers and candidates stay without reply.
void fake_sfu_hold(struct sfu *sfu, bool hold);
