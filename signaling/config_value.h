// What does the text of one setting mean?
// SPDX-License-Identifier: MIT
//
// Each returns whether the text is one, and sets *out only then (a flag: in any case). Lists and objects that were
// there before are freed.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

bool value_list(const char *value, char ***out); // a JSON array of texts, or words between commas
bool value_number(const char *value, int64_t min, int64_t max, int64_t *out);
bool value_flag(const char *value, bool *out);
bool value_choice(const char *value, const char *choices, int64_t *out); // its place among "one|two|three"
bool value_ports(const char *value, int64_t ports[2]);                   // "40000-49999"
bool value_objects(const char *value, json_t **out);                     // TURN servers: see TURN_SERVERS
