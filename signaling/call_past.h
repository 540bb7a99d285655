// What is known of a call that is over? (from the store, in the words of call_json())
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/calls.h"

// As call_json() has it; avatars are not remembered.
json_t *past_call_json(struct store *store, const struct store_call *call);

// A call of that id in which the user took part. NULL and the fault: `not-found`, `forbidden`, or `internal` when the
// store cannot be read.
json_t *past_find(struct store *store, const char *user, const char *id, struct fault *fault);
