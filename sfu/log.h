// Where does a log line go? To one handler, given at start.
// SPDX-License-Identifier: MIT
//
// Any thread. Never on the packet path, never with secrets or SDP.
#pragma once

#include "sfu/sfu.h"

typedef void(sfu_log_h)(int level, const char *line);

// Before any thread is started; NULL: lines are dropped.
void sfu_log_set_handler(sfu_log_h *handler);

__attribute__((format(printf, 2, 3))) void sfu_log(enum sfu_log_level level, const char *format, ...);
