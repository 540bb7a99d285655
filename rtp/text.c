// How is a line of text put together piece by piece without overrunning its buffer?
// SPDX-License-Identifier: MIT
#include "rtp/text.h"

#include <stdarg.h>
#include <stdio.h>

struct text text_of(char *buf, size_t cap)
{
    if (cap)
        buf[0] = '\0';
    return (struct text){buf, cap, 0};
}

void text_add(struct text *text, const char *fmt, ...)
{
    size_t room = text->cap - text->len;
    if (room <= 1)
        return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text->buf + text->len, room, fmt, ap);
    va_end(ap);
    if (n > 0)
        text->len += (size_t)n < room ? (size_t)n : room - 1;
}
