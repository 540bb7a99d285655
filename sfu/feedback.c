// What does a peer tell us about the packets in between? (RTCP in)
// SPDX-License-Identifier: MIT
#include "sfu/feedback.h"

#include <glib.h>

#include "rtp/ntp.h"
#include "rtp/rtcp.h"
#include "rtp/rtcpfb.h"

void feedback_init(struct feedback *fb, const struct feedback_config *cfg)
{
    *fb = (struct feedback){
        .transport = cfg->transport,
        .ingress = cfg->ingress,
        .subs = cfg->subs,
        .stats = cfg->stats,
        .ssrc = cfg->ssrc,
    };
    g_strlcpy(fb->cname, cfg->cname, sizeof(fb->cname));
}

static struct sub *sub_of(const struct feedback *fb, uint32_t ssrc)
{
    struct sub *sub;
    TAILQ_FOREACH (sub, fb->subs, of_peer)
        if (sub->ssrc == ssrc)
            return sub;
    return NULL;
}

static void hear_reports(struct feedback *fb, struct reader *reports, int64_t now_us)
{
    uint64_t ntp = ntp_from_us(now_us + fb->wall_offset_us);
    struct rtcp_report report;
    while (rtcp_report_next(reports, &report)) {
        struct sub *sub = sub_of(fb, report.ssrc);
        if (!sub)
            continue;
        fb->reports_rx++;
        sendstats_rr(&sub->sendstats, &report, now_us, ntp);
        if (sub->sendstats.rtt_us)
            fb->ingress->uplink.rtt_us = sub->sendstats.rtt_us;
    }
}

// The first report of a layer puts its subs in sync with the publisher's other tracks: tell them soon.
static void hear_sender(struct feedback *fb, const struct rtcp_sr *sr, int64_t now_us)
{
    struct uplink *uplink = &fb->ingress->uplink;
    const struct ingress_ssrc *from = ingress_find(fb->ingress, sr->ssrc);
    struct sub *sub;
    if (!from || from->rtx || !sr->ntp)
        return;
    if (!uplink->has_clock) {
        uplink->has_clock = true;
        uplink->clock_offset_us = now_us - ntp_to_us(sr->ntp);
    }
    struct layer *layer = &from->track->layer[from->layer];
    bool first = !layer->recvstats.has_sr;
    recvstats_sr(&layer->recvstats, sr->ntp, sr->ts, now_us);
    if (!first)
        return;
    TAILQ_FOREACH (sub, &from->track->subs, of_track)
        if (sub->report_us && sub->source_id == layer->id)
            sub->report_us = now_us;
}

// Requests beyond what a real receiver makes are not even looked up.
static bool may_nack(struct feedback *fb, int64_t now_us)
{
    if (now_us - fb->nacks_since_us >= FEEDBACK_NACK_US) {
        fb->nacks_since_us = now_us;
        fb->nacks_taken = 0;
    }
    return fb->nacks_taken++ < FEEDBACK_NACKS_MAX;
}

static void hear_nack(struct feedback *fb, const struct rtcpfb *msg, int64_t now_us)
{
    struct sub *sub = sub_of(fb, msg->media_ssrc);
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(msg);
    uint16_t seq;
    fb->nacks_rx++;
    if (!sub)
        return;
    transport_hurry(fb->transport, now_us);
    while (rtcpfb_nack_next(&it, &seq) && may_nack(fb, now_us))
        sub_resend(sub, seq, now_us);
}

static void hear_keyframe(struct feedback *fb, uint32_t ssrc, int64_t now_us)
{
    struct sub *sub = sub_of(fb, ssrc);
    if (sub)
        sub_keyframe(sub, now_us);
}

static void hear_fir(struct feedback *fb, const struct rtcpfb *msg, int64_t now_us)
{
    struct reader fci = msg->fci;
    struct rtcpfb_fir fir;
    fb->firs_rx++;
    while (rtcpfb_fir_next(&fci, &fir))
        hear_keyframe(fb, fir.ssrc, now_us);
}

static void hear_remb(struct feedback *fb, const struct rtcpfb *msg)
{
    struct reader ssrcs;
    fb->rembs_rx++;
    rtcpfb_remb_parse(msg, &fb->remb_bps, &ssrcs);
}

static void hear_feedback(struct feedback *fb, const struct rtcp *rtcp, int64_t now_us)
{
    struct rtcpfb msg;
    if (rtcpfb_parse(rtcp, &msg) < 0) {
        stats_drop(fb->stats, DROP_BAD_RTCP);
        return;
    }
    switch (msg.kind) {
    case RTCPFB_NACK:
        hear_nack(fb, &msg, now_us);
        break;
    case RTCPFB_PLI:
        fb->plis_rx++;
        hear_keyframe(fb, msg.media_ssrc, now_us);
        break;
    case RTCPFB_FIR:
        hear_fir(fb, &msg, now_us);
        break;
    case RTCPFB_TWCC:
        fb->twccs_rx++;
        break;
    case RTCPFB_REMB:
        hear_remb(fb, &msg);
        break;
    default:
        break;
    }
}

static int hear_sr(struct feedback *fb, const struct rtcp *rtcp, int64_t now_us)
{
    struct reader reports;
    struct rtcp_sr sr;
    int err = rtcp_sr_parse(rtcp, &sr, &reports);
    if (err)
        return err;
    hear_sender(fb, &sr, now_us);
    hear_reports(fb, &reports, now_us);
    return 0;
}

static int hear_rr(struct feedback *fb, const struct rtcp *rtcp, int64_t now_us)
{
    struct reader reports;
    uint32_t ssrc;
    int err = rtcp_rr_parse(rtcp, &ssrc, &reports);
    if (!err)
        hear_reports(fb, &reports, now_us);
    return err;
}

static int hear_bye(struct feedback *fb, const struct rtcp *rtcp)
{
    struct rtcp_bye bye;
    int err = rtcp_bye_parse(rtcp, &bye);
    while (!err && reader_left(&bye.ssrcs))
        ingress_bye(fb->ingress, reader_u32(&bye.ssrcs));
    return err;
}

static int hear(struct feedback *fb, const struct rtcp *rtcp, int64_t now_us)
{
    switch (rtcp->type) {
    case RTCP_SR:
        return hear_sr(fb, rtcp, now_us);
    case RTCP_RR:
        return hear_rr(fb, rtcp, now_us);
    case RTCP_BYE:
        return hear_bye(fb, rtcp);
    case RTCP_RTPFB:
    case RTCP_PSFB:
        hear_feedback(fb, rtcp, now_us);
        return 0;
    default: // SDES, XR, APP tell us nothing we need
        return 0;
    }
}

void feedback_rx(struct feedback *fb, const uint8_t *data, size_t len, int64_t now_us)
{
    struct reader r = reader_of(data, len);
    struct rtcp rtcp;
    while (rtcp_next(&r, &rtcp))
        if (hear(fb, &rtcp, now_us) < 0)
            stats_drop(fb->stats, DROP_BAD_RTCP);
    if (!r.ok)
        stats_drop(fb->stats, DROP_BAD_RTCP);
}

void feedback_stats(const struct feedback *fb, struct line *line)
{
    line_number(line, "rtt_us", fb->ingress->uplink.rtt_us);
    line_number(line, "nacks_tx", (int64_t)fb->nacks_tx);
    line_number(line, "plis_tx", (int64_t)fb->plis_tx);
    line_number(line, "firs_tx", (int64_t)fb->firs_tx);
    line_number(line, "reports_tx", (int64_t)fb->reports_tx);
    line_number(line, "twccs_tx", (int64_t)fb->twccs_tx);
    line_number(line, "nacks_rx", (int64_t)fb->nacks_rx);
    line_number(line, "plis_rx", (int64_t)fb->plis_rx);
    line_number(line, "firs_rx", (int64_t)fb->firs_rx);
    line_number(line, "reports_rx", (int64_t)fb->reports_rx);
    line_number(line, "rembs_rx", (int64_t)fb->rembs_rx);
    line_number(line, "twccs_rx", (int64_t)fb->twccs_rx);
    line_number(line, "remb_bps", (int64_t)fb->remb_bps);
}
