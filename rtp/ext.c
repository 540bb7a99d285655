// What do the elements of an RTP header extension say, and how is such a block made?
// SPDX-License-Identifier: MIT
#include "rtp/ext.h"

#include <errno.h>

enum {
    ID_RESERVED = 15,      // RFC 8285 section 4.2: ends a one-byte block
    ONE_BYTE_ID_MAX = 14,  // RFC 8285 section 4.2
    ONE_BYTE_LEN_MAX = 16, // RFC 8285 section 4.2
};

static const char *const uris[EXT_HOUSE_COUNT] = {
    [EXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
    [EXT_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    [EXT_RRID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    [EXT_TWCC] = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    [EXT_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    [EXT_AUDIO_LEVEL] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    [EXT_DEPENDENCY_DESCRIPTOR] =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    [EXT_VIDEO_ORIENTATION] = "urn:3gpp:video-orientation",
    [EXT_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    [EXT_VLA] = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
    [EXT_COLOR_SPACE] = "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
};

const char *ext_uri(enum ext_house house)
{
    return (unsigned)house < EXT_HOUSE_COUNT ? uris[house] : NULL;
}

enum ext_house ext_by_uri(const char *uri, size_t len)
{
    for (unsigned i = EXT_NONE + 1; i < EXT_HOUSE_COUNT; i++)
        if (strlen(uris[i]) == len && memcmp(uris[i], uri, len) == 0)
            return (enum ext_house)i;
    return EXT_NONE;
}

int ext_map_add(struct ext_map *map, uint8_t id, enum ext_house house)
{
    if (id == 0 || id == ID_RESERVED || house == EXT_NONE || (unsigned)house >= EXT_HOUSE_COUNT)
        return -EINVAL;
    uint8_t old_house = map->to_house[id], old_id = map->from_house[house];
    if ((old_house && old_house != house) || (old_id && old_id != id))
        return -EEXIST;
    map->to_house[id] = (uint8_t)house;
    map->from_house[house] = id;
    return 0;
}

// ---- reading ------------------------------------------------------------------------------------------------

struct ext_iter ext_iter(const struct rtp *rtp, const uint8_t *buf)
{
    bool two_byte = (rtp->ext_profile & 0xfff0) == EXT_TWO_BYTE;
    bool known = rtp->ext_off && (two_byte || rtp->ext_profile == EXT_ONE_BYTE);
    return (struct ext_iter){known ? reader_of(buf + rtp->ext_off, rtp->ext_len) : reader_of(NULL, 0), two_byte};
}

bool ext_next(struct ext_iter *it, struct ext *out)
{
    uint8_t head = 0;
    while (head == 0 && reader_left(&it->r)) // a zero octet is padding in both forms
        head = reader_u8(&it->r);
    if (head == 0)
        return false;
    uint8_t id = it->two_byte ? head : head >> 4;
    uint8_t len = it->two_byte ? reader_u8(&it->r) : (uint8_t)((head & 15) + 1);
    if (!it->two_byte && (id == 0 || id == ID_RESERVED)) {
        it->r.p = it->r.end;
        return false;
    }
    const uint8_t *data = reader_bytes(&it->r, len);
    if (!data)
        return false;
    *out = (struct ext){data, id, len};
    return true;
}

bool ext_find(const struct rtp *rtp, const uint8_t *buf, uint8_t id, struct ext *out)
{
    struct ext_iter it = ext_iter(rtp, buf);
    while (ext_next(&it, out))
        if (out->id == id)
            return true;
    return false;
}

void ext_view_init(struct ext_view *view, const struct rtp *rtp, const uint8_t *buf, const struct ext_map *map)
{
    view->has = 0;
    struct ext_iter it = ext_iter(rtp, buf);
    struct ext ext;
    while (ext_next(&it, &ext)) {
        uint8_t house = map->to_house[ext.id];
        if (house == EXT_NONE || ext_view_has(view, house))
            continue;
        view->has |= UINT32_C(1) << house;
        view->off[house] = (uint16_t)(ext.data - buf);
        view->len[house] = ext.len;
    }
}

// ---- writing ------------------------------------------------------------------------------------------------

void ext_list_add(struct ext_list *list, uint8_t id, const void *data, uint8_t len)
{
    if (id == 0 || id == ID_RESERVED || list->n == EXT_LIST_MAX)
        return;
    list->v[list->n++] = (struct ext){data, id, len};
}

static bool ext_list_wants_two_byte(const struct ext_list *list)
{
    for (unsigned i = 0; i < list->n; i++)
        if (list->v[i].id > ONE_BYTE_ID_MAX || list->v[i].len == 0 || list->v[i].len > ONE_BYTE_LEN_MAX)
            return true;
    return false;
}

size_t ext_list_write(const struct ext_list *list, uint8_t *buf, size_t cap)
{
    if (list->n == 0 || cap < RTP_EXT_HEAD_LEN)
        return 0;
    bool two_byte = ext_list_wants_two_byte(list);
    struct writer w = writer_of(buf + RTP_EXT_HEAD_LEN, cap - RTP_EXT_HEAD_LEN);
    for (unsigned i = 0; i < list->n; i++) {
        const struct ext *ext = &list->v[i];
        if (two_byte)
            writer_u16(&w, (uint16_t)(ext->id << 8 | ext->len));
        else
            writer_u8(&w, (uint8_t)(ext->id << 4 | (ext->len - 1)));
        writer_bytes(&w, ext->data, ext->len);
    }
    writer_fill(&w, 0, -writer_len(&w) & 3);
    if (!w.ok)
        return 0;
    wr16(buf, two_byte ? EXT_TWO_BYTE : EXT_ONE_BYTE);
    wr16(buf + 2, (uint16_t)(writer_len(&w) / 4));
    return RTP_EXT_HEAD_LEN + writer_len(&w);
}

// ---- elements -----------------------------------------------------------------------------------------------

static bool ext_holds(const struct ext *ext, size_t len)
{
    return ext->data && ext->len >= len;
}

int ext_text_parse(const struct ext *ext, char *out)
{
    out[0] = '\0';
    if (!ext_holds(ext, 1) || ext->len > EXT_TEXT_MAX)
        return -EBADMSG;
    for (unsigned i = 0; i < ext->len; i++)
        if (ext->data[i] <= ' ' || ext->data[i] > '~')
            return -EBADMSG;
    memcpy(out, ext->data, ext->len);
    out[ext->len] = '\0';
    return 0;
}

int ext_twcc_parse(const struct ext *ext, uint16_t *seq)
{
    if (!ext_holds(ext, 2))
        return -EBADMSG;
    *seq = rd16(ext->data);
    return 0;
}

uint8_t ext_twcc_write(uint8_t out[2], uint16_t seq)
{
    wr16(out, seq);
    return 2;
}

int ext_abs_send_time_parse(const struct ext *ext, uint32_t *ast)
{
    if (!ext_holds(ext, 3))
        return -EBADMSG;
    *ast = rd24(ext->data);
    return 0;
}

uint8_t ext_abs_send_time_write(uint8_t out[3], int64_t now_us)
{
    uint64_t us = (uint64_t)now_us % 64000000;
    wr24(out, (uint32_t)((us << 18) / 1000000));
    return 3;
}

int ext_audio_level_parse(const struct ext *ext, struct ext_audio_level *out)
{
    if (!ext_holds(ext, 1))
        return -EBADMSG;
    *out = (struct ext_audio_level){ext->data[0] & 0x80, ext->data[0] & 0x7f};
    return 0;
}

uint8_t ext_audio_level_write(uint8_t out[1], const struct ext_audio_level *level)
{
    out[0] = (uint8_t)((level->voice ? 0x80 : 0) | (level->level_db & 0x7f));
    return 1;
}

int ext_playout_delay_parse(const struct ext *ext, struct ext_playout_delay *out)
{
    if (!ext_holds(ext, 3))
        return -EBADMSG;
    uint32_t v = rd24(ext->data);
    *out = (struct ext_playout_delay){(uint16_t)((v >> 12) * 10), (uint16_t)((v & 0xfff) * 10)};
    return 0;
}

uint8_t ext_playout_delay_write(uint8_t out[3], const struct ext_playout_delay *delay)
{
    uint32_t min = delay->min_ms / 10, max = delay->max_ms / 10;
    wr24(out, (min > 0xfff ? 0xfff : min) << 12 | (max > 0xfff ? 0xfff : max));
    return 3;
}

int ext_video_orientation_parse(const struct ext *ext, struct ext_video_orientation *out)
{
    if (!ext_holds(ext, 1))
        return -EBADMSG;
    uint8_t v = ext->data[0];
    *out = (struct ext_video_orientation){v & 8, v & 4, (uint16_t)((v & 3) * 90)};
    return 0;
}

uint8_t ext_video_orientation_write(uint8_t out[1], const struct ext_video_orientation *orientation)
{
    out[0] = (uint8_t)((orientation->back_camera ? 8 : 0) | (orientation->flip ? 4 : 0) |
                       (orientation->rotation / 90 & 3));
    return 1;
}
