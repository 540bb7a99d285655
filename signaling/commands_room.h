// What may a host do with the room and with those who wait? (rows of the table in commands.c)
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/request.h"

// {userId} or {all: true}: in come those who wait, or away they are sent. Nobody waiting under that id: not-found.
void command_admit(struct request *request);
void command_deny(struct request *request);

// {locked}, true when absent.
void command_lock_room(struct request *request);
// {name?, password?, maxParticipants?, waitingRoom?, locked?, expiresIn?}; the ack has the room's rules.
void command_update_room(struct request *request);
