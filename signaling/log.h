// How does the server say what happened? (one line per fact, as text or as JSON, on standard error)
// SPDX-License-Identifier: MIT
//
// Any thread: a line is one write(2). Control characters are escaped, so nothing a peer sends can forge a line.
// Secrets, tokens and SDP are never given to this file. From `info` up nothing personal is either: no user id, name,
// address or text; and as a room's id may be a name, a keyed hash stands for it, the same one while the process runs.
// At `debug` ids and names are written as they are.
#pragma once

// The same order as enum sfu_log_level.
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_format { LOG_TEXT, LOG_JSON };

enum {
    LOG_LINE_MAX = 1024, // bytes of one message; the rest is cut off
    LOG_HASH_CHARS = 10, // of what stands for a room
};

// Before any thread is started. Without it: text, info.
void log_init(enum log_level level, enum log_format format);

// `area` is one word: "room", "http", "sfu", ...
__attribute__((format(printf, 3, 4))) void log_line(enum log_level level, const char *area, const char *format, ...);

// About a room, a call, or both (NULL: neither). A call's id is a UUID and is written in full.
__attribute__((format(printf, 5, 6))) void log_about(enum log_level level, const char *area, const char *room,
                                                     const char *call, const char *format, ...);

#define log_error(area, ...) log_line(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_line(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_line(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_line(LOG_LEVEL_DEBUG, area, __VA_ARGS__)
