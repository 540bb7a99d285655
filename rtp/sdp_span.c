// How is a piece of somebody's text named and taken apart without copying it?
// SPDX-License-Identifier: MIT
#include "rtp/sdp_span.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct sdp_span sdp_span_of(const char *text)
{
    return text ? (struct sdp_span){text, (uint32_t)strlen(text)} : (struct sdp_span){0};
}

bool sdp_span_same(struct sdp_span a, struct sdp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool sdp_span_same_nocase(struct sdp_span a, struct sdp_span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

bool sdp_span_is(struct sdp_span s, const char *text)
{
    return sdp_span_same(s, sdp_span_of(text));
}

bool sdp_span_is_nocase(struct sdp_span s, const char *text)
{
    return sdp_span_same_nocase(s, sdp_span_of(text));
}

bool sdp_span_starts(struct sdp_span s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && (len == 0 || memcmp(s.p, prefix, len) == 0);
}

struct sdp_span sdp_span_cut(struct sdp_span *rest, char delimiter)
{
    const char *end = rest->len ? memchr(rest->p, delimiter, rest->len) : NULL;
    struct sdp_span front = *rest;
    if (!end) {
        *rest = (struct sdp_span){0};
        return front;
    }
    front.len = (uint32_t)(end - front.p);
    *rest = (struct sdp_span){end + 1, rest->len - front.len - 1};
    return front;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct sdp_span sdp_span_trim(struct sdp_span s)
{
    while (s.len && is_blank(*s.p)) {
        s.p++;
        s.len--;
    }
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

struct sdp_span sdp_span_word(struct sdp_span *rest)
{
    *rest = sdp_span_trim(*rest);
    struct sdp_span word = {rest->p, 0};
    while (word.len < rest->len && !is_blank(word.p[word.len]))
        word.len++;
    if (word.len)
        *rest = (struct sdp_span){rest->p + word.len, rest->len - word.len};
    return word;
}

bool sdp_span_has_word(struct sdp_span list, const char *word)
{
    struct sdp_span next;
    while ((next = sdp_span_word(&list)).len)
        if (sdp_span_is(next, word))
            return true;
    return false;
}

bool sdp_span_number(struct sdp_span s, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (digit > 9 || n > (max - digit) / 10 || digit > max)
            return false;
        n = n * 10 + digit;
    }
    if (s.len == 0)
        return false;
    *value = n;
    return true;
}

int sdp_span_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int sdp_span_copy(struct sdp_span s, char *buf, size_t cap)
{
    if (s.len >= cap) {
        if (cap)
            buf[0] = '\0';
        return -ENOSPC;
    }
    if (s.len)
        memcpy(buf, s.p, s.len);
    buf[s.len] = '\0';
    return 0;
}
