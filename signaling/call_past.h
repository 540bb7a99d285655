// What is known of a call that is over? (from the store, in the words of call_json())
// SPDX-License-Identifier: MIT
#pragma once

#include "signaling/calls.h"

// Appends the calls of a page to the array, as call_json() has them; avatars are not remembered. 0, or -errno when the
// store cannot be read.
int past_list(struct store *store, const struct store_query *query, json_t *calls);

// A call of that id in which the user took part. NULL and the fault: `not-found`, `forbidden`, or `internal` when the
// store cannot be read.
json_t *past_find(struct store *store, const char *user, const char *id, struct fault *fault);
