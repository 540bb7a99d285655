// How does the server say what happened? (one line per fact, as text or as JSON, on standard error)
// SPDX-License-Identifier: MIT
#include "signaling/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_INFO;
static enum log_format line_format = LOG_TEXT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_init(enum log_level level, enum log_format format)
{
    max_level = level;
    line_format = format;
}

// JSON's escapes serve both formats: a line stays one line.
static void escape(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && n + 7 < size; c++) {
        if (*c < 0x20 || *c == 0x7f)
            n += (size_t)snprintf(out + n, size - n, "\\u%04x", *c);
        else if (line_format == LOG_JSON && (*c == '"' || *c == '\\'))
            n += (size_t)snprintf(out + n, size - n, "\\%c", *c);
        else
            out[n++] = (char)*c;
    }
    out[n] = '\0';
}

static void print_time(char *out, size_t size)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + n, size - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    if (level > max_level)
        return;
    char message[LOG_LINE_MAX], safe[2 * LOG_LINE_MAX], when[40], line[3 * LOG_LINE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    escape(safe, sizeof(safe), message);
    print_time(when, sizeof(when));

    const char *name = level_names[level];
    int len;
    if (line_format == LOG_JSON)
        len = snprintf(line, sizeof(line), "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"%s\"}\n",
                       when, name, area, safe);
    else
        len = snprintf(line, sizeof(line), "%s %-5s %-7s %s\n", when, name, area, safe);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
        return; // nobody listens: there is nowhere to say so
}
