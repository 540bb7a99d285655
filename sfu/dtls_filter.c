// What may the DTLS library see?
// SPDX-License-Identifier: MIT
#include "sfu/dtls_filter.h"

#include <string.h>

#include "rtp/bytes.h"

enum {
    CHANGE_CIPHER_SPEC = 20, // RFC 5246 s6.2.1
    HANDSHAKE = 22,
    APPLICATION_DATA = 23,
    VERSION_MAJOR = 254,   // RFC 6347 s4.1: 255 - 1
    UNIFIED_HEADER = 0x20, // RFC 9147 s4: 001xxxxx, always sealed
    UNIFIED_MASK = 0xe0,
    EPOCH_AT = 3,
    LENGTH_AT = 11,
    RECORD_HEADER = 13,
    MESSAGE_MAX = 65536, // octets of one handshake message; a browser's certificate has some hundred
};

#define SEQUENCE_MASK UINT64_C(0xffffffffffff) // of the 8 octets of epoch and sequence number
#define BIT(n)        (UINT32_C(1) << (n))

// RFC 5246 s7.4, RFC 6347 s4.3.2: handshake messages that each side is sent before it has keys.
static const uint32_t messages[] = {
    [DTLS_SERVER] = BIT(1) | BIT(11) | BIT(15) | BIT(16),
    [DTLS_CLIENT] = BIT(2) | BIT(3) | BIT(11) | BIT(12) | BIT(13) | BIT(14),
};

//  0: type | 1: length (3) | 4: message_seq (2) | 6: fragment_offset (3) | 9: fragment_length (3) | fragment
static bool is_fragment(enum dtls_role role, struct reader *r)
{
    uint8_t type = reader_u8(r);
    uint32_t length = reader_u24(r);
    reader_skip(r, 2);
    uint32_t offset = reader_u24(r);
    uint32_t fragment = reader_u24(r);
    reader_skip(r, fragment);
    return r->ok && type < 32 && (messages[role] & BIT(type)) && length <= MESSAGE_MAX && offset <= length &&
           fragment <= length - offset && (fragment > 0 || length == 0);
}

static bool is_handshake(enum dtls_role role, struct reader body)
{
    bool good = reader_left(&body) > 0;
    while (good && reader_left(&body) > 0)
        good = is_fragment(role, &body);
    return good;
}

static bool is_plain(enum dtls_role role, uint8_t type, struct reader body)
{
    if (type == HANDSHAKE)
        return is_handshake(role, body);
    return type == CHANGE_CIPHER_SPEC && reader_left(&body) == 1 && reader_u8(&body) == 1;
}

static bool is_unified(uint8_t type)
{
    return (type & UNIFIED_MASK) == UNIFIED_HEADER;
}

//  0: type | 1: version (2) | 3: epoch (2) | 5: sequence number (6) | 11: length (2) | fragment
static bool is_record(enum dtls_role role, struct reader *r)
{
    uint8_t type = reader_u8(r);
    if (is_unified(type)) {
        reader_skip(r, reader_left(r));
        return true;
    }
    uint8_t major = reader_u8(r);
    reader_skip(r, 1);
    uint16_t epoch = reader_u16(r);
    reader_skip(r, 6);
    struct reader body = reader_sub(r, reader_u16(r));
    if (!r->ok || major != VERSION_MAJOR)
        return false;
    if (epoch == 0)
        return is_plain(role, type, body);
    return type >= CHANGE_CIPHER_SPEC && type <= APPLICATION_DATA;
}

static bool is_plausible(enum dtls_role role, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    bool good = len > 0;
    while (good && reader_left(&r) > 0)
        good = is_record(role, &r);
    return good;
}

// Of a datagram that is plausible.
static void renumber(struct dtls_filter *filter, uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len && !is_unified(data[at]); at += RECORD_HEADER + rd16(data + at + LENGTH_AT)) {
        if (rd16(data + at + EPOCH_AT) == 0)
            wr64(data + at + EPOCH_AT, filter->next++ & SEQUENCE_MASK);
    }
}

size_t dtls_filter(struct dtls_filter *filter, const uint8_t *data, size_t len, uint8_t out[DTLS_FILTER_MAX])
{
    if (len > DTLS_FILTER_MAX || !is_plausible(filter->role, data, len))
        return 0;
    memcpy(out, data, len);
    renumber(filter, out, len);
    return len;
}
