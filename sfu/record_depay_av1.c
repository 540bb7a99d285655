// How do AV1 payloads become a picture in a file? ("RTP Payload Format For AV1")
// SPDX-License-Identifier: MIT
//
// On the wire OBUs may be cut and carry no lengths; a file wants each whole and with its length (AV1 5.3, the low
// overhead format), and no temporal delimiters (AV1 in Matroska).
#include "sfu/record_depay_av1.h"

#include <errno.h>

#include "rtp/bytes.h"
#include "rtp/codec_av1.h"

enum {
    BIT_Z = 0x80, // "RTP Payload Format For AV1" section 4.4: the first element continues an OBU
    BIT_Y = 0x40, // the last element goes on in the next packet
    SHIFT_W = 4,  // number of elements; 0: every element has a length

    SHIFT_TYPE = 3, // AV1 5.3.2: OBU header
    BIT_EXTENSION = 0x04,
    BIT_HAS_SIZE = 0x02,

    LEB128_MORE = 0x80, // AV1 4.10.5
    LEB128_BITS = 7,
};

static void append_leb128(GByteArray *to, size_t value)
{
    do {
        uint8_t octet = value & (LEB128_MORE - 1);
        value >>= LEB128_BITS;
        if (value)
            octet |= LEB128_MORE;
        g_byte_array_append(to, &octet, 1);
    } while (value);
}

static bool belongs_in_file(unsigned type)
{
    return type != AV1_OBU_TEMPORAL_DELIMITER && type != AV1_OBU_TILE_LIST && type != AV1_OBU_PADDING;
}

// A whole OBU as it came, with or without a length of its own.
static int add_obu(struct record_picture *picture, const uint8_t *obu, size_t len)
{
    struct reader r = reader_of(obu, len);
    uint8_t head[2] = {reader_u8(&r), 0};
    unsigned type = head[0] >> SHIFT_TYPE & 15;
    size_t head_len = head[0] & BIT_EXTENSION ? 2 : 1;
    if (head_len == 2)
        head[1] = reader_u8(&r);
    size_t body_len = head[0] & BIT_HAS_SIZE ? av1_leb128(&r) : reader_left(&r);
    const uint8_t *body = reader_bytes(&r, body_len);
    if (!r.ok)
        return -EBADMSG;
    if (!belongs_in_file(type))
        return 0;
    size_t at = picture->data->len;
    head[0] |= BIT_HAS_SIZE;
    record_picture_append(picture, head, head_len);
    append_leb128(picture->data, body_len);
    record_picture_append(picture, body, body_len);
    if (type != AV1_OBU_SEQUENCE_HEADER)
        return 0;
    size_t whole_len = picture->data->len - at;
    if (whole_len > RECORD_CONFIG_MAX)
        return -EBADMSG;
    picture->keyframe = true;
    g_byte_array_set_size(picture->config, 0);
    g_byte_array_append(picture->config, picture->data->data + at, (guint)whole_len);
    return 0;
}

// One element: a whole OBU, or a piece of one that began before or goes on.
static int add_element(struct record_picture *picture, const uint8_t *data, size_t len, bool continues,
                       bool continued)
{
    if (continues != picture->unit_open)
        return -EBADMSG;
    if (!continues && !continued)
        return add_obu(picture, data, len);
    g_byte_array_append(picture->unit, data, (guint)len);
    picture->unit_open = continued;
    if (continued)
        return 0;
    int rc = add_obu(picture, picture->unit->data, picture->unit->len);
    g_byte_array_set_size(picture->unit, 0);
    return rc;
}

static int add(struct record_picture *picture, const uint8_t *payload, size_t len)
{
    struct av1_payload av1;
    struct reader r = reader_of(payload, len);
    uint8_t head = reader_u8(&r);
    unsigned wanted = head >> SHIFT_W & 3, count = 0;
    if (av1_parse(&av1, payload, len) < 0)
        return -EBADMSG;
    if (av1.width) {
        picture->width = av1.width;
        picture->height = av1.height;
    }
    while (reader_left(&r)) {
        size_t element_len = ++count != wanted ? av1_leb128(&r) : reader_left(&r);
        const uint8_t *element = reader_bytes(&r, element_len);
        bool continues = count == 1 && head & BIT_Z;
        bool continued = !reader_left(&r) && head & BIT_Y;
        if (!element || add_element(picture, element, element_len, continues, continued) < 0)
            return -EBADMSG;
    }
    picture->may_end = !picture->unit_open;
    return 0;
}

static int end(struct record_picture *picture)
{
    return picture->data->len && !picture->unit_open ? 0 : -EBADMSG;
}

const struct record_depay_ops record_depay_av1 = {add, end};
