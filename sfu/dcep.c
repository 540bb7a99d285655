// How is a data channel opened?
// SPDX-License-Identifier: MIT
#include "sfu/dcep.h"

#include <errno.h>
#include <string.h>

#include "rtp/bytes.h"

static bool is_channel_type(uint8_t type)
{
    return (type & ~DCEP_UNORDERED) <= DCEP_TIMED;
}

static int parse_name(struct reader *r, size_t len, char out[DCEP_NAME_MAX + 1])
{
    const uint8_t *name = reader_bytes(r, len);
    if (!r->ok || (len && memchr(name, 0, len)))
        return -EBADMSG;
    if (len > DCEP_NAME_MAX)
        return -E2BIG;
    if (len)
        memcpy(out, name, len);
    return 0;
}

static int parse_open(struct dcep *dcep, struct reader *r)
{
    dcep->channel_type = reader_u8(r);
    dcep->priority = reader_u16(r);
    dcep->reliability = reader_u32(r);
    size_t label_len = reader_u16(r), protocol_len = reader_u16(r);
    if (!r->ok || !is_channel_type(dcep->channel_type) || reader_left(r) != label_len + protocol_len)
        return -EBADMSG;
    int label = parse_name(r, label_len, dcep->label);
    int protocol = parse_name(r, protocol_len, dcep->protocol);
    return label == -EBADMSG || protocol == 0 ? label : protocol;
}

int dcep_parse(struct dcep *dcep, const uint8_t *buf, size_t len)
{
    struct reader r = reader_of(buf, len);
    *dcep = (struct dcep){.type = reader_u8(&r)};
    if (dcep->type == DCEP_OPEN)
        return parse_open(dcep, &r);
    return dcep->type == DCEP_ACK && len == 1 ? 0 : -EBADMSG;
}

size_t dcep_write(const struct dcep *dcep, uint8_t *buf, size_t cap)
{
    struct writer w = writer_of(buf, cap);
    writer_u8(&w, dcep->type);
    if (dcep->type == DCEP_OPEN) {
        size_t label_len = strlen(dcep->label), protocol_len = strlen(dcep->protocol);
        writer_u8(&w, dcep->channel_type);
        writer_u16(&w, dcep->priority);
        writer_u32(&w, dcep->reliability);
        writer_u16(&w, (uint16_t)label_len);
        writer_u16(&w, (uint16_t)protocol_len);
        writer_bytes(&w, dcep->label, label_len);
        writer_bytes(&w, dcep->protocol, protocol_len);
    }
    return w.ok ? writer_len(&w) : 0;
}
