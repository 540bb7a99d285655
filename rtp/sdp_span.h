// How is a piece of somebody's text named and taken apart without copying it?
// SPDX-License-Identifier: MIT
//
// A span borrows: it is valid as long as the text it points into. It is not NUL-terminated. The empty span
// {NULL, 0} means "absent" throughout rtp/sdp*.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sdp_span {
    const char *p;
    uint32_t len; // bytes
};

// For printf: printf("%.*s", SDP_SPAN_ARG(mid)).
#define SDP_SPAN_ARG(s) (int)(s).len, (s).len ? (s).p : ""

// The whole of a NUL-terminated text, which must outlive the span. NULL gives the empty span.
struct sdp_span sdp_span_of(const char *text);

bool sdp_span_is(struct sdp_span s, const char *text);
bool sdp_span_is_nocase(struct sdp_span s, const char *text); // ASCII case only
bool sdp_span_same(struct sdp_span a, struct sdp_span b);
bool sdp_span_same_nocase(struct sdp_span a, struct sdp_span b);
bool sdp_span_starts(struct sdp_span s, const char *prefix);

// Takes everything up to the first delimiter from the front of *rest; *rest continues after the delimiter and
// becomes empty when there was none.
struct sdp_span sdp_span_cut(struct sdp_span *rest, char delimiter);

// Takes the next word from *rest, words being separated by spaces and tabs. Empty: there is none.
struct sdp_span sdp_span_word(struct sdp_span *rest);

// Does this space-separated list contain the word? (ice-options, msid-semantic, ...)
bool sdp_span_has_word(struct sdp_span list, const char *word);

// Without the spaces and tabs at both ends.
struct sdp_span sdp_span_trim(struct sdp_span s);

// Is it decimal digits and nothing else, with a value <= max? Then *value is set.
bool sdp_span_number(struct sdp_span s, uint64_t max, uint64_t *value);

// The value of one hex digit, either case, or -1.
int sdp_span_hex(char c);

// Copies into buf and NUL-terminates. 0, or -ENOSPC (buf is then empty): nothing is ever cut short.
int sdp_span_copy(struct sdp_span s, char *buf, size_t cap);
