// How does a session description become structs? (RFC 8866 section 5)
// SPDX-License-Identifier: MIT
#include <stddef.h>

#include "rtp/sdp_attr.h"
#include "rtp/sdp_names.h"

enum { TEXT_MAX = 1 << 20 }; // bytes; 16 times what signaling lets through

static bool is_rtp(struct sdp_span proto)
{
    while (proto.len)
        if (sdp_span_is(sdp_span_cut(&proto, '/'), "RTP"))
            return true;
    return false;
}

// RFC 8866 section 5.1
static int on_version(struct sdp_parser *p, struct sdp_span value)
{
    return sdp_span_is(value, "0") ? 0 : sdp_bad(p, "version is not 0");
}

// RFC 8866 section 5.2: o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>
static int on_origin(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp *sdp = p->sdp;
    if (p->media || p->has_origin)
        return sdp_bad(p, "o= not once in the session part");
    sdp->username = sdp_span_word(&value);
    if (!sdp_span_number(sdp_span_word(&value), UINT64_MAX, &sdp->session_id))
        return sdp_bad(p, "session id is not a number");
    if (!sdp_span_number(sdp_span_word(&value), UINT64_MAX, &sdp->session_version))
        return sdp_bad(p, "session version is not a number");
    p->has_origin = true;
    return 0;
}

static int add_codec(struct sdp_parser *p, struct sdp_span format)
{
    struct sdp_media *m = p->media;
    uint64_t pt;
    if (!sdp_span_number(format, 127, &pt))
        return sdp_bad(p, "payload type is not a number of 0..127");
    if (sdp_find_codec(m, (uint8_t)pt))
        return sdp_bad(p, "payload type twice in one m-line");
    if (m->codec_count == SDP_CODECS_MAX)
        return sdp_full(p, "more than 64 payload types in one m-line");
    struct sdp_codec *codec = &m->codecs[m->codec_count++];
    codec->pt = (uint8_t)pt;
    sdp_codec_static(codec, m->kind);
    return 0;
}

static int parse_formats(struct sdp_parser *p, struct sdp_span formats)
{
    if (!formats.len)
        return sdp_bad(p, "m-line without a format");
    if (!is_rtp(p->media->proto)) {
        p->media->formats = formats;
        return 0;
    }
    int err = 0;
    struct sdp_span format;
    while (!err && (format = sdp_span_word(&formats)).len)
        err = add_codec(p, format);
    return err;
}

static void end_media(struct sdp_parser *p)
{
    for (size_t i = 0; p->media && i < p->media->codec_count; i++)
        p->media->codecs[i].feedback |= p->wildcard_feedback;
    p->wildcard_feedback = 0;
    p->own_fingerprint = false;
}

static void inherit(struct sdp_media *m, const struct sdp *sdp)
{
    m->transport = sdp->transport;
    m->direction = sdp->direction;
    m->extmap_allow_mixed = sdp->extmap_allow_mixed;
}

// RFC 8866 section 5.14: m=<media> <port>[/<number of ports>] <proto> <fmt> ...
static int on_media(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp *sdp = p->sdp;
    end_media(p);
    if (sdp->media_count == SDP_MEDIA_MAX)
        return sdp_full(p, "more than 64 m-lines");
    struct sdp_media *m = p->media = &sdp->media[sdp->media_count++];
    struct sdp_span kind_name = sdp_span_word(&value);
    struct sdp_span ports = sdp_span_word(&value);
    struct sdp_span proto = sdp_span_word(&value);
    int kind = sdp_name_value(sdp_kind_names, kind_name);
    uint64_t port;

    sdp_media_init(m, kind < 0 ? SDP_OTHER : (enum sdp_kind)kind);
    inherit(m, sdp);
    if (!sdp_is_token(kind_name))
        return sdp_bad(p, "m-line without a media type");
    if (!sdp_span_number(sdp_span_cut(&ports, '/'), UINT16_MAX, &port))
        return sdp_bad(p, "m-line without a port of 0..65535");
    if (!proto.len)
        return sdp_bad(p, "m-line without a protocol");
    if (kind < 0)
        m->kind_name = kind_name;
    m->port = (uint16_t)port;
    m->proto = proto;
    return parse_formats(p, sdp_span_trim(value));
}

// RFC 8866 section 5.8: b=<bwtype>:<bandwidth>
static int on_bandwidth(struct sdp_parser *p, struct sdp_span value)
{
    struct sdp_span type = sdp_span_cut(&value, ':');
    bool as = sdp_span_is(type, "AS");
    if (!p->media || (!as && !sdp_span_is(type, "TIAS")))
        return 0;
    uint64_t n;
    if (!sdp_span_number(value, UINT32_MAX, &n))
        return sdp_bad(p, "bandwidth is not a number");
    *(as ? &p->media->as_kbps : &p->media->tias_bps) = (uint32_t)n;
    return 0;
}

static const struct sdp_attribute *find_attribute(const struct sdp_attribute *table, struct sdp_span name)
{
    for (; table->name; table++)
        if (sdp_span_is(name, table->name))
            return table;
    return NULL;
}

static int on_attribute(struct sdp_parser *p, struct sdp_span value)
{
    p->attribute = value;
    struct sdp_span name = sdp_span_cut(&value, ':');
    const struct sdp_attribute *attribute = find_attribute(sdp_transport_attributes, name);
    if (!attribute)
        attribute = find_attribute(sdp_rtp_attributes, name);
    if (!attribute || !(p->media ? attribute->media : attribute->session))
        return 0;
    return attribute->parse(p, sdp_span_trim(value));
}

// NUL and control characters have no place in SDP, and a CR in a mid would begin a line when written again.
static bool is_clean(struct sdp_span line)
{
    for (uint32_t i = 0; i < line.len; i++)
        if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
            return false;
    return true;
}

static int parse_line(struct sdp_parser *p, struct sdp_span line)
{
    if (!is_clean(line))
        return sdp_bad(p, "control character");
    if (line.len < 2 || line.p[0] < 'a' || line.p[0] > 'z' || line.p[1] != '=')
        return sdp_bad(p, "line is not of the form x=value");
    if ((line.p[0] == 'v') != (p->error.line == 1))
        return sdp_bad(p, "v=0 must be the first line and only there");
    struct sdp_span value = sdp_span_trim((struct sdp_span){line.p + 2, line.len - 2});
    switch (line.p[0]) {
    case 'v':
        return on_version(p, value);
    case 'o':
        return on_origin(p, value);
    case 'm':
        return on_media(p, value);
    case 'b':
        return on_bandwidth(p, value);
    case 'a':
        return on_attribute(p, value);
    default:
        return 0;
    }
}

static int parse_lines(struct sdp_parser *p, struct sdp_span text)
{
    while (text.len) {
        struct sdp_span line = sdp_span_cut(&text, '\n');
        p->error.line++;
        if (line.len && line.p[line.len - 1] == '\r')
            line.len--;
        int err = line.len || p->error.line == 1 ? parse_line(p, line) : 0;
        if (err)
            return err;
    }
    end_media(p);
    return 0;
}

// RFC 9143 section 7.1: each identification-tag of the group belongs to one m-section.
static int check_bundle(struct sdp_parser *p)
{
    const struct sdp *sdp = p->sdp;
    p->error.line = p->bundle_line;
    for (size_t i = 0; i < sdp->bundle_count; i++) {
        if (!sdp_find_mid(sdp, sdp->bundle[i]))
            return sdp_bad(p, "BUNDLE names a mid that no m-section has");
        for (size_t j = 0; j < i; j++)
            if (sdp_span_same(sdp->bundle[i], sdp->bundle[j]))
                return sdp_bad(p, "BUNDLE names a mid twice");
    }
    return 0;
}

static int check_whole(struct sdp_parser *p)
{
    p->error.line = 0;
    return p->has_origin ? check_bundle(p) : sdp_bad(p, "no o= line");
}

int sdp_parse(struct sdp *sdp, const char *text, size_t len, struct sdp_error *err)
{
    struct sdp_parser p = {.sdp = sdp};
    sdp_init(sdp);
    int result = len > TEXT_MAX ? sdp_full(&p, "description of more than 1 MiB")
                                : parse_lines(&p, (struct sdp_span){text, (uint32_t)len});
    if (!result)
        result = check_whole(&p);
    *err = p.error;
    return result;
}
