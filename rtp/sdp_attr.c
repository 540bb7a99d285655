// What do the attributes of the session and of its transports say? (groups, ICE, DTLS, SCTP)
// SPDX-License-Identifier: MIT
#include "rtp/sdp_attr.h"

#include <ctype.h>
#include <string.h>

#include "rtp/sdp_names.h"

int sdp_bad(struct sdp_parser *p, const char *what)
{
    p->error.what = what;
    return -EBADMSG;
}

int sdp_full(struct sdp_parser *p, const char *what)
{
    p->error.what = what;
    return -E2BIG;
}

bool sdp_is_token(struct sdp_span s)
{
    for (uint32_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.p[i]) && !(s.p[i] && strchr("!#$%&'*+-.^_`{|}~", s.p[i])))
            return false;
    return s.len > 0;
}

static struct sdp_transport *transport(struct sdp_parser *p)
{
    return p->media ? &p->media->transport : &p->sdp->transport;
}

// RFC 8839 section 5.4: ice-char = ALPHA / DIGIT / "+" / "/"
static bool is_ice_text(struct sdp_span s, uint32_t min, uint32_t max)
{
    for (uint32_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
            return false;
    return s.len >= min && s.len <= max;
}

static int on_ice_ufrag(struct sdp_parser *p, struct sdp_span value)
{
    if (!is_ice_text(value, 4, 256))
        return sdp_bad(p, "ice-ufrag is not 4 to 256 letters, digits, + or /");
    transport(p)->ufrag = value;
    return 0;
}

static int on_ice_pwd(struct sdp_parser *p, struct sdp_span value)
{
    if (!is_ice_text(value, 22, 256))
        return sdp_bad(p, "ice-pwd is not 22 to 256 letters, digits, + or /");
    transport(p)->pwd = value;
    return 0;
}

static int on_ice_options(struct sdp_parser *p, struct sdp_span value)
{
    if (!value.len)
        return sdp_bad(p, "ice-options without an option");
    transport(p)->ice_options = value;
    return 0;
}

static int on_ice_lite(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    p->sdp->ice_lite = true;
    return 0;
}

static int on_end_of_candidates(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    transport(p)->end_of_candidates = true;
    return 0;
}

static int on_candidate(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_media *m = p->media;
    if (!value.len)
        return sdp_bad(p, "empty candidate");
    if (m->candidate_count < SDP_CANDIDATES_MAX)
        m->candidates[m->candidate_count++] = p->attribute;
    return 0;
}

static int on_setup(struct sdp_parser *p, struct sdp_span value)
{
    int setup = sdp_name_value(sdp_setup_names, value);
    if (setup < 0)
        return sdp_bad(p, "setup is not actpass, active, passive or holdconn");
    transport(p)->setup = (enum sdp_setup)setup;
    return 0;
}

// RFC 8122 section 5: two hex digits a byte, colons between them.
static bool parse_hash(struct sdp_fingerprint *f, struct sdp_span text)
{
    if (text.len != (uint32_t)f->len * 3 - 1)
        return false;
    for (uint32_t i = 0; i < f->len; i++) {
        const char *c = text.p + (size_t)i * 3;
        int high = sdp_span_hex(c[0]), low = sdp_span_hex(c[1]);
        if (high < 0 || low < 0 || (i + 1 < f->len && c[2] != ':'))
            return false;
        f->value[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int on_fingerprint(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_span name = sdp_span_word(&value);
    int hash = sdp_name_value(sdp_hash_names, name);
    if (!sdp_is_token(name))
        return sdp_bad(p, "fingerprint without a hash name");
    if (hash < 0)
        return 0;
    struct sdp_fingerprint f = {.hash = (enum sdp_hash)hash, .len = sdp_hash_len((enum sdp_hash)hash)};
    if (!parse_hash(&f, sdp_span_trim(value)))
        return sdp_bad(p, "fingerprint is not what its hash yields, in hex with colons");
    struct sdp_fingerprint *kept = &transport(p)->fingerprint;
    if (!p->own_fingerprint || f.hash > kept->hash)
        *kept = f;
    p->own_fingerprint = true;
    return 0;
}

static int on_group(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp *sdp = p->sdp;
    struct sdp_span mid;
    if (!sdp_span_is(sdp_span_word(&value), "BUNDLE") || sdp->has_bundle)
        return 0;
    sdp->has_bundle = true;
    p->bundle_line = p->error.line;
    while ((mid = sdp_span_word(&value)).len) {
        if (sdp->bundle_count == SDP_MEDIA_MAX)
            return sdp_full(p, "more than 64 mids in a group");
        sdp->bundle[sdp->bundle_count++] = mid;
    }
    return 0;
}

static int on_msid_semantic(struct sdp_parser *p, struct sdp_span value)
{
    p->sdp->msid_semantic = value;
    return 0;
}

static int on_mid(struct sdp_parser *p, struct sdp_span value)
{
    if (!sdp_is_token(value))
        return sdp_bad(p, "mid is not a token");
    if (value.len > SDP_MID_MAX)
        return sdp_full(p, "mid of more than 32 bytes");
    if (p->media->mid.len)
        return sdp_bad(p, "second mid in one m-section");
    if (sdp_find_mid(p->sdp, value))
        return sdp_bad(p, "mid of an earlier m-section");
    p->media->mid = value;
    return 0;
}

static int on_bundle_only(struct sdp_parser *p, struct sdp_span value)
{
    (void)value;
    p->media->bundle_only = true;
    return 0;
}

static int on_sctp_port(struct sdp_parser *p, struct sdp_span value)
{
    uint64_t port;
    if (!sdp_span_number(value, UINT16_MAX, &port))
        return sdp_bad(p, "sctp-port is not a number of 0..65535");
    p->media->sctp_port = (uint16_t)port;
    return 0;
}

// draft-ietf-mmusic-sctp-sdp-07 section 6: sctpmap:5000 webrtc-datachannel 1024
static int on_sctpmap(struct sdp_parser *p, struct sdp_span value)
{
    uint64_t port;
    if (!sdp_span_number(sdp_span_word(&value), UINT16_MAX, &port))
        return sdp_bad(p, "sctpmap does not begin with a port");
    p->media->sctp_port = (uint16_t)port;
    return 0;
}

static int on_max_message_size(struct sdp_parser *p, struct sdp_span value)
{
    if (!sdp_span_number(value, UINT64_MAX, &p->media->max_message_size))
        return sdp_bad(p, "max-message-size is not a number");
    return 0;
}

const struct sdp_attribute sdp_transport_attributes[] = {
    {"ice-ufrag", true, true, on_ice_ufrag},
    {"ice-pwd", true, true, on_ice_pwd},
    {"ice-options", true, true, on_ice_options},
    {"ice-lite", true, false, on_ice_lite},
    {"candidate", false, true, on_candidate},
    {"end-of-candidates", true, true, on_end_of_candidates},
    {"setup", true, true, on_setup},
    {"fingerprint", true, true, on_fingerprint},
    {"group", true, false, on_group},
    {"msid-semantic", true, false, on_msid_semantic},
    {"mid", false, true, on_mid},
    {"bundle-only", false, true, on_bundle_only},
    {"sctp-port", false, true, on_sctp_port},
    {"sctpmap", false, true, on_sctpmap},
    {"max-message-size", false, true, on_max_message_size},
    {0},
};
