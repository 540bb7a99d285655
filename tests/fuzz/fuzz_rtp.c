// Does every part of an RTP packet lie within it, and can its extension be written again? (rtp/rtp.c, ext.c)
// SPDX-License-Identifier: MIT
#include "rtp/ext.h"
#include "rtp/rtp.h"
#include "tests/fuzz/fuzz.h"

static void read_element(const struct ext *ext)
{
    char text[EXT_TEXT_MAX + 1];
    uint16_t seq;
    uint32_t ast;
    struct ext_audio_level level;
    struct ext_playout_delay delay;
    struct ext_video_orientation orientation;
    if (ext_text_parse(ext, text) == 0)
        assert(strlen(text) == ext->len);
    ext_twcc_parse(ext, &seq);
    ext_abs_send_time_parse(ext, &ast);
    if (ext_audio_level_parse(ext, &level) == 0)
        assert(level.level_db <= 127);
    if (ext_playout_delay_parse(ext, &delay) == 0)
        assert(delay.min_ms <= 40950 && delay.max_ms <= 40950);
    if (ext_video_orientation_parse(ext, &orientation) == 0)
        assert(orientation.rotation % 90 == 0 && orientation.rotation < 360);
}

static void check_view(const struct rtp *rtp, const uint8_t *data)
{
    struct ext_map map = {0};
    struct ext_view view;
    for (int house = 1; house < EXT_HOUSE_COUNT; house++)
        assert(ext_map_add(&map, (uint8_t)house, (enum ext_house)house) == 0);
    ext_view_init(&view, rtp, data, &map);
    for (int house = 1; house < EXT_HOUSE_COUNT; house++) {
        struct ext ext = ext_view_get(&view, data, (enum ext_house)house), found = {0};
        bool has = ext_find(rtp, data, (uint8_t)house, &found);
        assert(has == ext_view_has(&view, (enum ext_house)house));
        assert(!has || (ext.data == found.data && ext.len == found.len));
        read_element(&ext);
    }
}

// Writes the elements into a packet of our own and reads them there.
static void check_rewrite(const struct rtp *rtp, const uint8_t *data)
{
    static uint8_t out[RTP_HEADER_LEN + RTP_EXT_HEAD_LEN + EXT_LIST_MAX * 257 + 3];
    struct ext_list list = {0};
    struct ext_iter it = ext_iter(rtp, data);
    struct ext ext;
    while (ext_next(&it, &ext)) {
        assert(ext.data >= data + rtp->ext_off && ext.data + ext.len <= data + rtp->ext_off + rtp->ext_len);
        ext_list_add(&list, ext.id, ext.data, ext.len);
    }
    size_t len = rtp_header_write(rtp, list.n > 0, out, sizeof(out));
    assert(len == RTP_HEADER_LEN);
    len += ext_list_write(&list, out + len, sizeof(out) - len);
    struct rtp again;
    assert(rtp_parse(&again, out, len) == RTP_OK);
    assert(again.seq == rtp->seq && again.ssrc == rtp->ssrc && again.ts == rtp->ts && again.pt == rtp->pt);
    it = ext_iter(&again, out);
    for (unsigned i = 0; i < list.n; i++) {
        assert(ext_next(&it, &ext));
        assert(ext.id == list.v[i].id && ext.len == list.v[i].len && memcmp(ext.data, list.v[i].data, ext.len) == 0);
    }
    assert(!ext_next(&it, &ext));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rtp rtp, header;
    char line[256];
    enum rtp_reject reject = rtp_parse(&rtp, data, len);
    assert(rtp_reject_name(reject));
    if (reject != RTP_OK)
        return 0;
    assert((size_t)rtp.payload_off + rtp.payload_len + rtp.padding_len == len);
    assert(rtp_header_len(&rtp) == rtp.payload_off);
    assert(rtp_parse_header(&header, data, len) == RTP_OK);
    assert(header.payload_off == rtp.payload_off && header.payload_len == rtp.payload_len + rtp.padding_len);
    assert(rtp_print(&rtp, line, sizeof(line)) == strlen(line));
    check_view(&rtp, data);
    check_rewrite(&rtp, data);
    return 0;
}
