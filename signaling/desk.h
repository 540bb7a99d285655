// Where does what the librarian found go? (to the HTTP request that asked, to the webhook)
// SPDX-License-Identifier: MIT
//
// The signaling thread only.
#pragma once

#include "signaling/exchange.h"
#include "signaling/librarian.h"

// Asks for the one behind this request, which is deferred; refused and answered when too many wait.
void desk_ask(struct exchange *exchange, struct librarian_question *question);

void desk_rx(struct hub *hub, const struct librarian_answer *answer); // borrowed
