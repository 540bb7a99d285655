// How is a line of text put together piece by piece without overrunning its buffer?
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

struct text {
    char *buf; // always terminated when cap > 0
    size_t cap;
    size_t len; // characters so far, without the NUL; at most cap - 1
};

struct text text_of(char *buf, size_t cap);

// Appends, cut to what fits.
void text_add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
