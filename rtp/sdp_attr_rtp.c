// What do the attributes of an RTP m-section say? (codecs, header extensions, SSRCs, rids, simulcast)
// SPDX-License-Identifier: MIT
#include <ctype.h>

#include "rtp/sdp_attr.h"
#include "rtp/sdp_names.h"

static int on_direction(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    int direction = sdp_name_value(sdp_direction_names, p->attribute);
    if (direction < 0)
        return sdp_bad(p, "a direction takes no value");
    *(p->media ? &p->media->direction : &p->sdp->direction) = (enum sdp_direction)direction;
    return 0;
}

static int on_extmap_allow_mixed(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    *(p->media ? &p->media->extmap_allow_mixed : &p->sdp->extmap_allow_mixed) = true;
    return 0;
}

static int on_rtcp_mux(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    p->media->rtcp_mux = true;
    return 0;
}

// RFC 8858: who can do nothing else does multiplex.
static int on_rtcp_mux_only(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    p->media->rtcp_mux = p->media->rtcp_mux_only = true;
    return 0;
}

static int on_rtcp_rsize(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    p->media->rtcp_rsize = true;
    return 0;
}

// Takes the payload type from the front of *value. *codec is NULL for one that the m-line does not list.
static bool take_codec(struct sdp_media *m, struct sdp_span *value, struct sdp_codec **codec)
{
    uint64_t pt;
    if (!sdp_span_number(sdp_span_word(value), 127, &pt))
        return false;
    *codec = (struct sdp_codec *)sdp_find_codec(m, (uint8_t)pt);
    return true;
}

static int on_rtpmap(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_codec *codec;
    if (!take_codec(p->media, &value, &codec))
        return sdp_bad(p, "rtpmap without a payload type of 0..127");
    if (!codec)
        return 0;
    uint64_t clock_hz, channels = 1;
    struct sdp_span rest = sdp_span_trim(value);
    struct sdp_span name = sdp_span_cut(&rest, '/');
    struct sdp_span clock = sdp_span_cut(&rest, '/');
    if (!sdp_is_token(name))
        return sdp_bad(p, "rtpmap without a codec name");
    if (!sdp_span_number(clock, UINT32_MAX, &clock_hz) || clock_hz == 0)
        return sdp_bad(p, "rtpmap without a clock rate");
    if (rest.len && p->media->kind == SDP_AUDIO && (!sdp_span_number(rest, 255, &channels) || channels == 0))
        return sdp_bad(p, "rtpmap with a wrong number of channels");
    codec->name = name;
    codec->clock_hz = (uint32_t)clock_hz;
    codec->channels = p->media->kind == SDP_AUDIO ? (uint8_t)channels : 0;
    return 0;
}

static int on_fmtp(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_codec *codec;
    if (!take_codec(p->media, &value, &codec))
        return sdp_bad(p, "fmtp without a payload type of 0..127");
    if (codec)
        codec->fmtp = sdp_span_trim(value);
    return 0;
}

static int on_rtcp_fb(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_span all = value;
    struct sdp_codec *codec = NULL;
    bool wildcard = sdp_span_is(sdp_span_word(&all), "*");
    if (wildcard)
        value = all;
    else if (!take_codec(p->media, &value, &codec))
        return sdp_bad(p, "rtcp-fb without * or a payload type of 0..127");
    int bit = sdp_name_value(sdp_feedback_names, sdp_span_trim(value));
    if (bit < 0)
        return 0;
    if (wildcard)
        p->wildcard_feedback |= (uint8_t)bit;
    if (codec)
        codec->feedback |= (uint8_t)bit;
    return 0;
}

// RFC 8285 section 6: 1..255, and 4096..4351 for an offer with more extensions than ids
static bool is_extmap_id(uint64_t id)
{
    return (id >= 1 && id <= 255) || (id >= 4096 && id <= 4351);
}

static int on_extmap(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_media *m = p->media;
    struct sdp_span direction_text = sdp_span_word(&value);
    struct sdp_span id_text = sdp_span_cut(&direction_text, '/');
    struct sdp_span uri = sdp_span_word(&value);
    int direction = direction_text.len ? sdp_name_value(sdp_direction_names, direction_text) : SDP_SENDRECV;
    uint64_t id;
    if (!sdp_span_number(id_text, UINT16_MAX, &id) || !is_extmap_id(id))
        return sdp_bad(p, "extmap without an id of 1..255 or 4096..4351");
    if (direction < 0)
        return sdp_bad(p, "extmap with a wrong direction");
    if (!uri.len)
        return sdp_bad(p, "extmap without a URI");
    for (size_t i = 0; i < m->extmap_count; i++)
        if (m->extmaps[i].id == id)
            return sdp_bad(p, "extmap id used twice in one m-section");
    if (m->extmap_count == SDP_EXTMAPS_MAX)
        return sdp_full(p, "more than 32 header extensions in one m-section");
    m->extmaps[m->extmap_count++] =
        (struct sdp_extmap){.id = (uint16_t)id, .direction = (enum sdp_direction)direction, .uri = uri};
    return 0;
}

static int on_msid(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_span stream = sdp_span_word(&value);
    if (!stream.len)
        return sdp_bad(p, "msid without a stream");
    if (!p->media->msid.stream.len)
        p->media->msid = (struct sdp_msid){.stream = stream, .track = sdp_span_word(&value)};
    return 0;
}

static int on_ssrc(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_media *m = p->media;
    uint64_t ssrc;
    if (!sdp_span_number(sdp_span_word(&value), UINT32_MAX, &ssrc))
        return sdp_bad(p, "ssrc is not a 32-bit number");
    struct sdp_ssrc *entry = (struct sdp_ssrc *)sdp_find_ssrc(m, (uint32_t)ssrc);
    if (!entry && m->ssrc_count == SDP_SSRCS_MAX)
        return sdp_full(p, "more than 32 SSRCs in one m-section");
    if (!entry) {
        entry = &m->ssrcs[m->ssrc_count++];
        entry->ssrc = (uint32_t)ssrc;
    }
    struct sdp_span attribute = sdp_span_trim(value);
    if (sdp_span_is(sdp_span_cut(&attribute, ':'), "cname"))
        entry->cname = attribute;
    return 0;
}

static int on_ssrc_group(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_media *m = p->media;
    int semantics = sdp_name_value(sdp_semantics_names, sdp_span_word(&value));
    if (semantics < 0)
        return 0;
    if (m->group_count == SDP_GROUPS_MAX)
        return sdp_full(p, "more than 16 ssrc-groups in one m-section");
    struct sdp_ssrc_group *group = &m->groups[m->group_count++];
    group->semantics = (enum sdp_semantics)semantics;
    struct sdp_span word;
    while ((word = sdp_span_word(&value)).len) {
        uint64_t ssrc;
        if (!sdp_span_number(word, UINT32_MAX, &ssrc))
            return sdp_bad(p, "ssrc-group with something that is not an SSRC");
        if (group->count == SDP_GROUP_SSRCS_MAX)
            return sdp_full(p, "more than 8 SSRCs in one ssrc-group");
        group->ssrcs[group->count++] = (uint32_t)ssrc;
    }
    return group->count ? 0 : sdp_bad(p, "ssrc-group without SSRCs");
}

// RFC 8851 section 10: rid-id = 1*(alpha-numeric / "-" / "_")
static bool is_rid(struct sdp_span s)
{
    for (uint32_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return s.len > 0;
}

static int on_rid(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_media *m = p->media;
    struct sdp_span id = sdp_span_word(&value);
    struct sdp_span direction = sdp_span_word(&value);
    bool recv = sdp_span_is(direction, "recv");
    if (!is_rid(id))
        return sdp_bad(p, "rid is not letters, digits, - and _");
    if (id.len > SDP_RID_MAX)
        return sdp_full(p, "rid of more than 16 bytes");
    if (!recv && !sdp_span_is(direction, "send"))
        return sdp_bad(p, "rid is neither send nor recv");
    if (sdp_find_rid(m, id))
        return sdp_bad(p, "rid used twice in one m-section");
    if (m->rid_count == SDP_RIDS_MAX)
        return sdp_full(p, "more than 8 rids in one m-section");
    m->rids[m->rid_count++] = (struct sdp_rid){.id = id, .recv = recv, .params = sdp_span_trim(value)};
    return 0;
}

// RFC 8853 section 5.1: sc-str-list = sc-alt-list *( ";" sc-alt-list ), sc-alt-list = sc-id *( "," sc-id )
static int parse_simulcast_list(struct sdp_parser *p, struct sdp_simulcast *list, struct sdp_span text)
{
    if (list->count)
        return sdp_bad(p, "simulcast with the same direction twice");
    while (text.len) {
        struct sdp_span stream = sdp_span_cut(&text, ';');
        bool alternative = false;
        do {
            struct sdp_span rid = sdp_span_cut(&stream, ',');
            bool paused = sdp_span_starts(rid, "~");
            if (paused)
                rid = (struct sdp_span){rid.p + 1, rid.len - 1};
            if (!is_rid(rid))
                return sdp_bad(p, "simulcast with something that is not a rid");
            if (list->count == SDP_RIDS_MAX)
                return sdp_full(p, "more than 8 rids in one simulcast list");
            list->rids[list->count++] = (struct sdp_simulcast_rid){rid, paused, alternative};
            alternative = true;
        } while (stream.len);
    }
    return list->count ? 0 : sdp_bad(p, "simulcast without rids");
}

static int on_simulcast(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_media *m = p->media;
    struct sdp_span direction = sdp_span_word(&value);
    do {
        struct sdp_span list = sdp_span_word(&value);
        bool send = sdp_span_is(direction, "send");
        if (!send && !sdp_span_is(direction, "recv"))
            return sdp_bad(p, "simulcast is neither send nor recv");
        int err = parse_simulcast_list(p, send ? &m->simulcast_send : &m->simulcast_recv, list);
        if (err)
            return err;
    } while ((direction = sdp_span_word(&value)).len);
    return 0;
}

const struct sdp_attribute sdp_rtp_attributes[] = {
    {"sendrecv", true, true, on_direction},
    {"sendonly", true, true, on_direction},
    {"recvonly", true, true, on_direction},
    {"inactive", true, true, on_direction},
    {"extmap-allow-mixed", true, true, on_extmap_allow_mixed},
    {"rtcp-mux", false, true, on_rtcp_mux},
    {"rtcp-mux-only", false, true, on_rtcp_mux_only},
    {"rtcp-rsize", false, true, on_rtcp_rsize},
    {"rtpmap", false, true, on_rtpmap},
    {"fmtp", false, true, on_fmtp},
    {"rtcp-fb", false, true, on_rtcp_fb},
    {"extmap", false, true, on_extmap},
    {"msid", false, true, on_msid},
    {"ssrc", false, true, on_ssrc},
    {"ssrc-group", false, true, on_ssrc_group},
    {"rid", false, true, on_rid},
    {"simulcast", false, true, on_simulcast},
    {0},
};
