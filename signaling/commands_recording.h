// Who may start and stop the recording of the room they are in? (rows of the table in commands.c)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/request.h"

// The ack comes when the recording has begun, or has been written to its end.
void command_recording_start(struct request *request);
void command_recording_stop(struct request *request);
