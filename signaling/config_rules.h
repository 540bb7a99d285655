// What must the text of a setting look like, and may it be shown?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>

// NULL: the text is fine for that key; else what is wrong with it, as the end of a sentence. A list is asked about
// element by element.
const char *config_rule_fault(const char *key, const char *text);

// Whether the value of that key is nobody's business: it ends in _SECRET, _TOKEN or _PASSWORD.
bool config_rule_is_secret(const char *key);

// The value as it may be shown, to be freed with g_free(): secrets, and the passwords in URLs, are "***".
char *config_rule_mask(const char *key, const char *text);

// Whether what is posted there is encrypted or stays on this machine, or need not (`is_insecure`).
bool config_url_is_safe(const char *url, bool is_insecure);
