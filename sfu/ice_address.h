// Which of this machine's addresses do we gather on? (inside ice*)
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

#include "sfu/ice.h"

// Fills out with up to ICE_TWIN_MAX addresses (port 0) and returns how many: the configured ones, or every address of
// every interface that is up, without IPv6 link-local ones; without loopback unless there is nothing else (of its
// family, where it is configured).
size_t ice_addresses(const struct ice_config *config, union sockaddr_any out[ICE_TWIN_MAX]);

// 0, or -EINVAL and one sentence in err: an address that does not parse or is not this machine's, a bad port range.
int ice_config_check(const struct ice_config *config, char *err, size_t err_size);
