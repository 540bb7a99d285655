// How does the server say what happened?
// SPDX-License-Identifier: MIT
#include "signaling/log.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_INFO;
static enum log_format line_format = LOG_TEXT;
static unsigned char hash_key[32]; // drawn anew for each process: hashes of two runs cannot be compared

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_init(enum log_level level, enum log_format format)
{
    max_level = level;
    line_format = format;
    g_assert(getrandom(hash_key, sizeof(hash_key), 0) == sizeof(hash_key));
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

static void hash_of(const char *text, char out[LOG_HASH_CHARS + 1])
{
    char *hash = g_compute_hmac_for_string(G_CHECKSUM_SHA256, hash_key, sizeof(hash_key), text, -1);
    g_strlcpy(out, hash, LOG_HASH_CHARS + 1);
    g_free(hash);
}

// ` room=ab12...` or `,"room":"ab12..."`.
static void print_pair(char *out, size_t size, const char *key, const char *value)
{
    char safe[512];
    escape(safe, sizeof(safe), value);
    size_t n = strlen(out);
    snprintf(out + n, size - n, line_format == LOG_JSON ? ",\"%s\":\"%s\"" : " %s=%s", key, safe);
}

static void print_about(char *out, size_t size, const char *room, const char *call)
{
    char hash[LOG_HASH_CHARS + 1];
    out[0] = '\0';
    if (room) {
        hash_of(room, hash);
        print_pair(out, size, "room", hash);
    }
    if (room && max_level == LOG_LEVEL_DEBUG)
        print_pair(out, size, "roomId", room);
    if (call)
        print_pair(out, size, "call", call);
}

static void write_line(enum log_level level, const char *area, const char *about, const char *format, va_list args)
{
    char message[LOG_LINE_MAX], safe[2 * LOG_LINE_MAX], when[40], line[4 * LOG_LINE_MAX];
    vsnprintf(message, sizeof(message), format, args);
    char *valid = g_utf8_make_valid(message, -1); // it may have been cut within a character
    escape(safe, sizeof(safe), valid);
    g_free(valid);
    print_time(when, sizeof(when));

    const char *name = level_names[level];
    int len;
    if (line_format == LOG_JSON)
        len =
            snprintf(line, sizeof(line), "{\"time\":\"%s\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"%s\"%s}\n",
                     when, name, area, safe, about);
    else
        len = snprintf(line, sizeof(line), "%s %-5s %-7s %s%s\n", when, name, area, safe, about);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
        return; // nobody listens: there is nowhere to say so
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    va_list args;
    if (level > max_level)
        return;
    va_start(args, format);
    write_line(level, area, "", format, args);
    va_end(args);
}

void log_about(enum log_level level, const char *area, const char *room, const char *call, const char *format, ...)
{
    char about[LOG_LINE_MAX];
    va_list args;
    if (level > max_level)
        return;
    print_about(about, sizeof(about), room, call);
    va_start(args, format);
    write_line(level, area, about, format, args);
    va_end(args);
}
