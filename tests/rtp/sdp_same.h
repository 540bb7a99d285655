// Do two descriptions say the same? (field by field; spans by their text)
// SPDX-License-Identifier: MIT
#pragma once

#include <string.h>

#include "rtp/sdp.h"

// Returns the name of the function's first expression that does not hold, or goes on.
#define SDP_SAME(condition)                                                                                          \
    do {                                                                                                             \
        if (!(condition))                                                                                            \
            return #condition;                                                                                       \
    } while (0)

#define SDP_SAME_FIELD(field) SDP_SAME(a->field == b->field)
#define SDP_SAME_SPAN(field)  SDP_SAME(sdp_span_same(a->field, b->field))

static inline const char *sdp_transport_difference(const struct sdp_transport *a, const struct sdp_transport *b)
{
    SDP_SAME_SPAN(ufrag);
    SDP_SAME_SPAN(pwd);
    SDP_SAME_SPAN(ice_options);
    SDP_SAME_FIELD(fingerprint.hash);
    SDP_SAME_FIELD(fingerprint.len);
    SDP_SAME(memcmp(a->fingerprint.value, b->fingerprint.value, sizeof(a->fingerprint.value)) == 0);
    SDP_SAME_FIELD(setup);
    SDP_SAME_FIELD(end_of_candidates);
    return NULL;
}

static inline const char *sdp_codec_difference(const struct sdp_codec *a, const struct sdp_codec *b)
{
    SDP_SAME_FIELD(pt);
    SDP_SAME_FIELD(feedback);
    SDP_SAME_FIELD(channels);
    SDP_SAME_FIELD(clock_hz);
    SDP_SAME_SPAN(name);
    SDP_SAME_SPAN(fmtp);
    return NULL;
}

static inline const char *sdp_simulcast_difference(const struct sdp_simulcast *a, const struct sdp_simulcast *b)
{
    SDP_SAME_FIELD(count);
    for (size_t i = 0; i < a->count; i++) {
        SDP_SAME_SPAN(rids[i].rid);
        SDP_SAME_FIELD(rids[i].paused);
        SDP_SAME_FIELD(rids[i].alternative);
    }
    return NULL;
}

static inline const char *sdp_lists_difference(const struct sdp_media *a, const struct sdp_media *b)
{
    for (size_t i = 0; i < a->candidate_count; i++)
        SDP_SAME_SPAN(candidates[i]);
    for (size_t i = 0; i < a->extmap_count; i++) {
        SDP_SAME_FIELD(extmaps[i].id);
        SDP_SAME_FIELD(extmaps[i].direction);
        SDP_SAME_SPAN(extmaps[i].uri);
    }
    for (size_t i = 0; i < a->ssrc_count; i++) {
        SDP_SAME_FIELD(ssrcs[i].ssrc);
        SDP_SAME_SPAN(ssrcs[i].cname);
    }
    for (size_t i = 0; i < a->group_count; i++) {
        SDP_SAME_FIELD(groups[i].semantics);
        SDP_SAME_FIELD(groups[i].count);
        SDP_SAME(memcmp(a->groups[i].ssrcs, b->groups[i].ssrcs, sizeof(a->groups[i].ssrcs)) == 0);
    }
    for (size_t i = 0; i < a->rid_count; i++) {
        SDP_SAME_SPAN(rids[i].id);
        SDP_SAME_FIELD(rids[i].recv);
        SDP_SAME_SPAN(rids[i].params);
    }
    return NULL;
}

static inline const char *sdp_media_difference(const struct sdp_media *a, const struct sdp_media *b)
{
    SDP_SAME_FIELD(kind);
    SDP_SAME_SPAN(kind_name);
    SDP_SAME_FIELD(port);
    SDP_SAME_SPAN(proto);
    SDP_SAME_SPAN(formats);
    SDP_SAME_SPAN(mid);
    SDP_SAME_FIELD(bundle_only);
    SDP_SAME_FIELD(rtcp_mux);
    SDP_SAME_FIELD(rtcp_mux_only);
    SDP_SAME_FIELD(rtcp_rsize);
    SDP_SAME_FIELD(direction);
    SDP_SAME_FIELD(extmap_allow_mixed);
    SDP_SAME_SPAN(msid.stream);
    SDP_SAME_SPAN(msid.track);
    SDP_SAME_FIELD(as_kbps);
    SDP_SAME_FIELD(tias_bps);
    SDP_SAME_FIELD(sctp_port);
    SDP_SAME_FIELD(max_message_size);
    SDP_SAME_FIELD(candidate_count);
    SDP_SAME_FIELD(codec_count);
    SDP_SAME_FIELD(extmap_count);
    SDP_SAME_FIELD(ssrc_count);
    SDP_SAME_FIELD(group_count);
    SDP_SAME_FIELD(rid_count);
    const char *difference = sdp_transport_difference(&a->transport, &b->transport);
    for (size_t i = 0; i < a->codec_count && !difference; i++)
        difference = sdp_codec_difference(&a->codecs[i], &b->codecs[i]);
    if (!difference)
        difference = sdp_simulcast_difference(&a->simulcast_send, &b->simulcast_send);
    if (!difference)
        difference = sdp_simulcast_difference(&a->simulcast_recv, &b->simulcast_recv);
    return difference ? difference : sdp_lists_difference(a, b);
}

// NULL: they say the same; else what is different.
static inline const char *sdp_difference(const struct sdp *a, const struct sdp *b)
{
    SDP_SAME_SPAN(username);
    SDP_SAME_FIELD(session_id);
    SDP_SAME_FIELD(session_version);
    SDP_SAME_FIELD(ice_lite);
    SDP_SAME_FIELD(extmap_allow_mixed);
    SDP_SAME_SPAN(msid_semantic);
    SDP_SAME_FIELD(direction);
    SDP_SAME_FIELD(has_bundle);
    SDP_SAME_FIELD(bundle_count);
    SDP_SAME_FIELD(media_count);
    for (size_t i = 0; i < a->bundle_count; i++)
        SDP_SAME_SPAN(bundle[i]);
    const char *difference = sdp_transport_difference(&a->transport, &b->transport);
    for (size_t i = 0; i < a->media_count && !difference; i++)
        difference = sdp_media_difference(&a->media[i], &b->media[i]);
    return difference;
}
