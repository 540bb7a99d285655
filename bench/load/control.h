// How does a driver move the swarm? (one JSON object a line, in and out)
// SPDX-License-Identifier: MIT
//
// The driver speaks the server's signaling; the swarm knows nothing of it. `pc` numbers a PeerConnection, chosen by
// the driver.
//
//     {"do":"open","pc":1,"audio":true,"video":true}     a new one; audio, video: it publishes
//     {"do":"offer","pc":1}                              -> {"pc":1,"offer":"v=0..."}
//     {"do":"answer","pc":1,"sdp":"v=0..."}              an offer came -> {"pc":1,"answer":"v=0..."}
//     {"do":"take","pc":1,"sdp":"v=0..."}                an answer came
//     {"do":"candidate","pc":1,"candidate":"candidate:..."}
//     {"do":"close","pc":1}
//     {"do":"begin"}, {"do":"end"}                       the window; end -> {"result":{...}}
//
// By itself it says {"pc":1,"connected":true} and {"error":"..."}. It publishes from the moment it is connected and
// ends when its input ends.
#pragma once

#include <stdbool.h>

struct control;
struct member;
struct crowd;

// Adds or removes a member's socket where sockets are waited for.
typedef void control_watch_h(void *arg, struct member *member, bool on);

struct control *control_new(struct crowd *crowd, control_watch_h *watch, void *arg);
void control_free(struct control *control);

// Reads what there is on standard input. False: it has ended.
bool control_rx(struct control *control);
