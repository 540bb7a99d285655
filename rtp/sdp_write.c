// How do structs become a session description? (RFC 8866 section 5, in the order browsers write it)
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "rtp/sdp_names.h"

void sdp_writer_init(struct sdp_writer *w, char *buf, size_t cap)
{
    assert(cap >= 1);
    *w = (struct sdp_writer){.buf = buf, .cap = cap, .ok = true};
    buf[0] = '\0';
}

// printf at the end of the text; nothing of it when it does not fit.
__attribute__((format(printf, 2, 0))) static void append_v(struct sdp_writer *w, const char *format, va_list args)
{
    if (!w->ok)
        return;
    size_t room = w->cap - w->len;
    int n = vsnprintf(w->buf + w->len, room, format, args);
    w->ok = n >= 0 && (size_t)n < room;
    if (w->ok)
        w->len += (size_t)n;
    else
        w->buf[w->len] = '\0';
}

__attribute__((format(printf, 2, 3))) static void append(struct sdp_writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_v(w, format, args);
    va_end(args);
}

void sdp_write_line(struct sdp_writer *w, const char *format, ...)
{
    size_t start = w->len;
    va_list args;
    va_start(args, format);
    append_v(w, format, args);
    va_end(args);
    append(w, "\r\n");
    if (!w->ok)
        w->buf[w->len = start] = '\0';
}

static void write_flag(struct sdp_writer *w, bool flag, const char *name)
{
    if (flag)
        sdp_write_line(w, "a=%s", name);
}

static void write_text(struct sdp_writer *w, const char *name, struct sdp_span value)
{
    if (value.len)
        sdp_write_line(w, "a=%s:%.*s", name, SDP_SPAN_ARG(value));
}

static void write_fingerprint(struct sdp_writer *w, const struct sdp_fingerprint *f)
{
    if (f->hash == SDP_HASH_NONE)
        return;
    char hex[SDP_HASH_MAX * 3 + 1];
    for (size_t i = 0; i < f->len; i++)
        (void)snprintf(hex + i * 3, 4, "%02X:", f->value[i]);
    sdp_write_line(w, "a=fingerprint:%s %.*s", sdp_name_text(sdp_hash_names, (int)f->hash), f->len * 3 - 1, hex);
}

static void write_transport(struct sdp_writer *w, const struct sdp_transport *t)
{
    write_text(w, "ice-ufrag", t->ufrag);
    write_text(w, "ice-pwd", t->pwd);
    write_text(w, "ice-options", t->ice_options);
    write_fingerprint(w, &t->fingerprint);
    if (t->setup != SDP_SETUP_NONE)
        sdp_write_line(w, "a=setup:%s", sdp_name_text(sdp_setup_names, (int)t->setup));
}

static void write_session(struct sdp_writer *w, const struct sdp *sdp)
{
    struct sdp_span user = sdp->username.len ? sdp->username : sdp_span_of("-");
    sdp_write_line(w, "v=0");
    sdp_write_line(w, "o=%.*s %" PRIu64 " %" PRIu64 " IN IP4 0.0.0.0", SDP_SPAN_ARG(user), sdp->session_id,
                   sdp->session_version);
    sdp_write_line(w, "s=-");
    sdp_write_line(w, "t=0 0");
    write_flag(w, sdp->ice_lite, "ice-lite");
    if (sdp->has_bundle) {
        append(w, "a=group:BUNDLE");
        for (size_t i = 0; i < sdp->bundle_count; i++)
            append(w, " %.*s", SDP_SPAN_ARG(sdp->bundle[i]));
        sdp_write_line(w, "%s", "");
    }
    write_flag(w, sdp->extmap_allow_mixed, "extmap-allow-mixed");
    write_text(w, "msid-semantic", sdp->msid_semantic);
    write_transport(w, &sdp->transport);
    write_flag(w, sdp->transport.end_of_candidates, "end-of-candidates");
    if (sdp->direction != SDP_SENDRECV)
        sdp_write_line(w, "a=%s", sdp_name_text(sdp_direction_names, (int)sdp->direction));
}

static void write_m_line(struct sdp_writer *w, const struct sdp_media *m)
{
    struct sdp_span kind =
        m->kind == SDP_OTHER ? m->kind_name : sdp_span_of(sdp_name_text(sdp_kind_names, (int)m->kind));
    append(w, "m=%.*s %u %.*s", SDP_SPAN_ARG(kind), m->port, SDP_SPAN_ARG(m->proto));
    for (size_t i = 0; i < m->codec_count; i++)
        append(w, " %u", m->codecs[i].pt);
    if (m->formats.len)
        append(w, " %.*s", SDP_SPAN_ARG(m->formats));
    else if (m->codec_count == 0)
        append(w, " 0");
    sdp_write_line(w, "%s", "");
    sdp_write_line(w, "c=IN IP4 0.0.0.0");
    if (m->as_kbps)
        sdp_write_line(w, "b=AS:%" PRIu32, m->as_kbps);
    if (m->tias_bps)
        sdp_write_line(w, "b=TIAS:%" PRIu32, m->tias_bps);
}

static void write_extmaps(struct sdp_writer *w, const struct sdp_media *m)
{
    write_flag(w, m->extmap_allow_mixed, "extmap-allow-mixed");
    for (size_t i = 0; i < m->extmap_count; i++) {
        const struct sdp_extmap *e = &m->extmaps[i];
        bool both = e->direction == SDP_SENDRECV;
        sdp_write_line(w, "a=extmap:%u%s%s %.*s", e->id, both ? "" : "/",
                       both ? "" : sdp_name_text(sdp_direction_names, (int)e->direction), SDP_SPAN_ARG(e->uri));
    }
}

static void write_codec(struct sdp_writer *w, const struct sdp_codec *c)
{
    if (c->name.len && c->channels > 1)
        sdp_write_line(w, "a=rtpmap:%u %.*s/%" PRIu32 "/%u", c->pt, SDP_SPAN_ARG(c->name), c->clock_hz, c->channels);
    else if (c->name.len)
        sdp_write_line(w, "a=rtpmap:%u %.*s/%" PRIu32, c->pt, SDP_SPAN_ARG(c->name), c->clock_hz);
    for (const struct sdp_name *fb = sdp_feedback_names; fb->name; fb++)
        if (c->feedback & fb->value)
            sdp_write_line(w, "a=rtcp-fb:%u %s", c->pt, fb->name);
    if (c->fmtp.len)
        sdp_write_line(w, "a=fmtp:%u %.*s", c->pt, SDP_SPAN_ARG(c->fmtp));
}

static void append_simulcast(struct sdp_writer *w, const struct sdp_simulcast *list, const char *direction)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct sdp_simulcast_rid *r = &list->rids[i];
        if (i == 0)
            append(w, "%s ", direction);
        else
            append(w, "%c", r->alternative ? ',' : ';');
        append(w, "%s%.*s", r->paused ? "~" : "", SDP_SPAN_ARG(r->rid));
    }
}

static void write_rids(struct sdp_writer *w, const struct sdp_media *m)
{
    for (size_t i = 0; i < m->rid_count; i++) {
        const struct sdp_rid *r = &m->rids[i];
        sdp_write_line(w, "a=rid:%.*s %s%s%.*s", SDP_SPAN_ARG(r->id), r->recv ? "recv" : "send",
                       r->params.len ? " " : "", SDP_SPAN_ARG(r->params));
    }
    if (!m->simulcast_send.count && !m->simulcast_recv.count)
        return;
    append(w, "a=simulcast:");
    append_simulcast(w, &m->simulcast_send, "send");
    if (m->simulcast_send.count && m->simulcast_recv.count)
        append(w, " ");
    append_simulcast(w, &m->simulcast_recv, "recv");
    sdp_write_line(w, "%s", "");
}

static void write_ssrcs(struct sdp_writer *w, const struct sdp_media *m)
{
    for (size_t i = 0; i < m->group_count; i++) {
        const struct sdp_ssrc_group *g = &m->groups[i];
        append(w, "a=ssrc-group:%s", sdp_name_text(sdp_semantics_names, (int)g->semantics));
        for (size_t j = 0; j < g->count; j++)
            append(w, " %" PRIu32, g->ssrcs[j]);
        sdp_write_line(w, "%s", "");
    }
    for (size_t i = 0; i < m->ssrc_count; i++)
        sdp_write_line(w, "a=ssrc:%" PRIu32 " cname:%.*s", m->ssrcs[i].ssrc, SDP_SPAN_ARG(m->ssrcs[i].cname));
}

static void write_rtp(struct sdp_writer *w, const struct sdp_media *m)
{
    if (m->msid.stream.len)
        sdp_write_line(w, "a=msid:%.*s%s%.*s", SDP_SPAN_ARG(m->msid.stream), m->msid.track.len ? " " : "",
                       SDP_SPAN_ARG(m->msid.track));
    write_flag(w, m->rtcp_mux, "rtcp-mux");
    write_flag(w, m->rtcp_mux_only, "rtcp-mux-only");
    write_flag(w, m->rtcp_rsize, "rtcp-rsize");
    for (size_t i = 0; i < m->codec_count; i++)
        write_codec(w, &m->codecs[i]);
    write_rids(w, m);
    write_ssrcs(w, m);
}

static void write_sctp(struct sdp_writer *w, const struct sdp_media *m)
{
    if (m->sctp_port && sdp_span_starts(m->proto, "DTLS/"))
        sdp_write_line(w, "a=sctpmap:%u webrtc-datachannel 1024", m->sctp_port);
    else if (m->sctp_port)
        sdp_write_line(w, "a=sctp-port:%u", m->sctp_port);
    if (m->sctp_port || m->max_message_size != SDP_MESSAGE_SIZE)
        sdp_write_line(w, "a=max-message-size:%" PRIu64, m->max_message_size);
}

static void write_candidates(struct sdp_writer *w, const struct sdp_media *m)
{
    for (size_t i = 0; i < m->candidate_count; i++)
        sdp_write_line(w, "a=%.*s", SDP_SPAN_ARG(m->candidates[i]));
    write_flag(w, m->transport.end_of_candidates, "end-of-candidates");
}

static void write_media(struct sdp_writer *w, const struct sdp *sdp, const struct sdp_media *m)
{
    write_m_line(w, m);
    write_candidates(w, m);
    write_transport(w, &m->transport);
    write_text(w, "mid", m->mid);
    write_flag(w, m->bundle_only, "bundle-only");
    write_extmaps(w, m);
    if (m->kind == SDP_AUDIO || m->kind == SDP_VIDEO || m->direction != sdp->direction)
        sdp_write_line(w, "a=%s", sdp_name_text(sdp_direction_names, (int)m->direction));
    write_rtp(w, m);
    write_sctp(w, m);
}

int sdp_print(const struct sdp *sdp, char *buf, size_t cap)
{
    struct sdp_writer w;
    sdp_writer_init(&w, buf, cap);
    write_session(&w, sdp);
    for (size_t i = 0; i < sdp->media_count; i++)
        write_media(&w, sdp, &sdp->media[i]);
    return w.ok ? (int)w.len : -ENOSPC;
}
