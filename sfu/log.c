// Where does a log line go?
// SPDX-License-Identifier: MIT
#include "sfu/log.h"

#include <stdarg.h>
#include <stdio.h>

static sfu_log_h *log_handler;

void sfu_log_set_handler(sfu_log_h *handler)
{
    log_handler = handler;
}

void sfu_log(enum sfu_log_level level, const char *format, ...)
{
    if (!log_handler)
        return;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log_handler((int)level, line);
}
