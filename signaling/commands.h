// What may a client ask for? (one table: name, function, who may, what it costs)
// SPDX-License-Identifier: MIT
//
// To add one: write a function in commands.c and a row in its table, under the model's name. A dialect that wants
// another name for it adds a row to its own table.
#pragma once

#include "signaling/session.h"

// One message of the client: reads it, checks it against the table, does it, replies. Whatever is wrong with it
// changes nothing and is answered with an error; only a client that goes on for long after `rate-limited` is shown
// the door.
void command_rx(struct session *session, const char *text, size_t len);

// Whether a command of that model name is in the table.
bool command_exists(const char *name);
// The name of that row of the table, from 0; NULL: there are no more.
const char *command_name(size_t row);
