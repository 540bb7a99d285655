// What does a candidate line say?
// SPDX-License-Identifier: MIT
#include "sfu/ice_candidate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

// One word of a line: text between single spaces.
struct word {
    const char *p;
    size_t len;
};

static bool next_word(const char **cursor, struct word *word)
{
    word->p = *cursor;
    word->len = strcspn(*cursor, " ");
    *cursor += word->len;
    if (**cursor == ' ')
        ++*cursor;
    return word->len > 0;
}

static bool is_word(const struct word *word, const char *text)
{
    return word->len == strlen(text) && strncasecmp(word->p, text, word->len) == 0;
}

// RFC 8839 s5.1: ALPHA / DIGIT / "+" / "/"
static bool is_ice_chars(const struct word *word)
{
    for (size_t i = 0; i < word->len; i++) {
        char c = word->p[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alpha && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return word->len > 0;
}

static bool is_printable(const struct word *word)
{
    for (size_t i = 0; i < word->len; i++) {
        if (word->p[i] <= ' ' || word->p[i] > '~')
            return false;
    }
    return word->len > 0;
}

static bool parse_number(const struct word *word, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (word->len == 0 || word->len > 10)
        return false;
    for (size_t i = 0; i < word->len; i++) {
        if (word->p[i] < '0' || word->p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(word->p[i] - '0');
    }
    *out = value;
    return value <= max;
}

static bool copy_word(const struct word *word, char *out, size_t size)
{
    if (word->len >= size)
        return false;
    memcpy(out, word->p, word->len);
    out[word->len] = 0;
    return true;
}

static enum candidate_type type_of(const struct word *word)
{
    static const char *const names[] = {"host", "srflx", "prflx", "relay"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_word(word, names[i]))
            return (enum candidate_type)i;
    }
    return CANDIDATE_OTHER;
}

// Pairs of name and value; the value may be anything printable. Firefox leaves a space at the end.
static bool parse_extensions(struct candidate *c, const char *cursor)
{
    struct word name, value;
    while (next_word(&cursor, &name)) {
        if (!next_word(&cursor, &value) || !is_printable(&name) || !is_printable(&value))
            return false;
        if (is_word(&name, "ufrag") && (!is_ice_chars(&value) || !copy_word(&value, c->ufrag, sizeof(c->ufrag))))
            return false;
    }
    return *cursor == 0;
}

static bool parse_fields(struct candidate *c, const char *cursor)
{
    struct word foundation, component, transport, priority, address, port, typ, type;
    if (!next_word(&cursor, &foundation) || !next_word(&cursor, &component) || !next_word(&cursor, &transport) ||
        !next_word(&cursor, &priority) || !next_word(&cursor, &address) || !next_word(&cursor, &port) ||
        !next_word(&cursor, &typ) || !next_word(&cursor, &type))
        return false;
    uint64_t component_id, priority_value, port_value;
    if (!is_ice_chars(&foundation) || !copy_word(&foundation, c->foundation, sizeof(c->foundation)) ||
        !parse_number(&component, UINT8_MAX, &component_id) || component_id == 0 || !is_printable(&transport) ||
        !parse_number(&priority, UINT32_MAX, &priority_value) || !is_printable(&address) ||
        !copy_word(&address, c->address, sizeof(c->address)) || !parse_number(&port, UINT16_MAX, &port_value) ||
        !is_word(&typ, "typ") || !is_printable(&type))
        return false;
    c->component = (uint8_t)component_id;
    c->udp = is_word(&transport, "udp");
    c->priority = (uint32_t)priority_value;
    c->port = (uint16_t)port_value;
    c->type = type_of(&type);
    return parse_extensions(c, cursor);
}

static const char *after(const char *line, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(line, prefix, len) == 0 ? line + len : line;
}

int candidate_parse(struct candidate *candidate, const char *line)
{
    *candidate = (struct candidate){0};
    if (!line || strnlen(line, ICE_LINE_MAX) == ICE_LINE_MAX)
        return -EBADMSG;
    return parse_fields(candidate, after(after(line, "a="), "candidate:")) ? 0 : -EBADMSG;
}

int ice_candidate_check(const char *line)
{
    struct candidate candidate;
    return candidate_parse(&candidate, line);
}

bool candidate_sockaddr(const struct candidate *candidate, union sockaddr_any *out)
{
    bool is_address = address_parse(out, candidate->address);
    if (is_address)
        address_set_port(out, candidate->port);
    return is_address;
}

void candidate_announce(const char *line, const char *announced, char out[ICE_LINE_MAX])
{
    struct candidate c;
    union sockaddr_any ours, theirs;
    snprintf(out, ICE_LINE_MAX, "%s", line);
    if (!announced || candidate_parse(&c, line) < 0 || c.type != CANDIDATE_HOST || !address_parse(&ours, c.address) ||
        !address_parse(&theirs, announced) || ours.sa.sa_family != theirs.sa.sa_family)
        return;
    snprintf(out, ICE_LINE_MAX, "candidate:%s %u %s %u %.64s %u typ host", c.foundation, c.component,
             c.udp ? "UDP" : "TCP", c.priority, announced, c.port);
}
