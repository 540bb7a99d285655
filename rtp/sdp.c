// What is in a description? Initial values and look-ups on the structs.
// SPDX-License-Identifier: MIT
#include "rtp/sdp.h"

#include <string.h>

void sdp_init(struct sdp *sdp)
{
    memset(sdp, 0, offsetof(struct sdp, media));
    sdp->direction = SDP_SENDRECV;
}

void sdp_media_init(struct sdp_media *media, enum sdp_kind kind)
{
    memset(media, 0, sizeof(*media));
    media->kind = kind;
    media->direction = SDP_SENDRECV;
    media->max_message_size = SDP_MESSAGE_SIZE;
}

const struct sdp_media *sdp_find_mid(const struct sdp *sdp, struct sdp_span mid)
{
    for (size_t i = 0; i < sdp->media_count; i++)
        if (sdp->media[i].mid.len && sdp_span_same(sdp->media[i].mid, mid))
            return &sdp->media[i];
    return NULL;
}

const struct sdp_codec *sdp_find_codec(const struct sdp_media *media, uint8_t pt)
{
    for (size_t i = 0; i < media->codec_count; i++)
        if (media->codecs[i].pt == pt)
            return &media->codecs[i];
    return NULL;
}

const struct sdp_extmap *sdp_find_extmap(const struct sdp_media *media, const char *uri)
{
    for (size_t i = 0; i < media->extmap_count; i++)
        if (sdp_span_is(media->extmaps[i].uri, uri))
            return &media->extmaps[i];
    return NULL;
}

const struct sdp_ssrc *sdp_find_ssrc(const struct sdp_media *media, uint32_t ssrc)
{
    for (size_t i = 0; i < media->ssrc_count; i++)
        if (media->ssrcs[i].ssrc == ssrc)
            return &media->ssrcs[i];
    return NULL;
}

const struct sdp_rid *sdp_find_rid(const struct sdp_media *media, struct sdp_span rid)
{
    for (size_t i = 0; i < media->rid_count; i++)
        if (sdp_span_same(media->rids[i].id, rid))
            return &media->rids[i];
    return NULL;
}

bool sdp_is_bundled(const struct sdp *sdp, const struct sdp_media *media)
{
    for (size_t i = 0; i < sdp->bundle_count; i++)
        if (sdp_span_same(sdp->bundle[i], media->mid))
            return true;
    return false;
}

bool sdp_is_rejected(const struct sdp_media *media)
{
    return media->port == 0 && !media->bundle_only;
}

enum sdp_direction sdp_direction_reverse(enum sdp_direction direction)
{
    unsigned send = direction & SDP_SENDONLY, recv = direction & SDP_RECVONLY;
    return (enum sdp_direction)((send ? SDP_RECVONLY : 0) | (recv ? SDP_SENDONLY : 0));
}
