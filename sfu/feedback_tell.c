// What do we tell a peer about the packets in between? (RTCP out)
// SPDX-License-Identifier: MIT
#include "sfu/feedback.h"

#include <string.h>

#include "rtp/rtcp.h"
#include "rtp/rtcpfb.h"

enum {
    ALIVE_US = 100000, // between two looks at which layers are alive
    RTT_US = 50000,    // of a publisher that receives nothing, so that nothing measures it

    // octets of packets with nothing in them, or one thing
    SR_LEN = 28,       // RFC 3550 section 6.4.1
    RR_LEN = 8,        // section 6.4.2
    SDES_LEN = 16,     // section 6.5: header, SSRC, item, end and padding of one chunk
    NACK_LEN_MIN = 16, // RFC 4585 section 6.2.1
    PLI_LEN = 12,      // section 6.3.1
    FIR_LEN = 20,      // RFC 5104 section 4.3.1
};

// A compound being filled; packets that do not fit begin the next one.
struct compound {
    struct feedback *fb;
    struct writer w;
    uint8_t buf[FEEDBACK_PACKET_MAX];
};

static void compound_send(struct compound *c)
{
    if (writer_len(&c->w))
        transport_tx_rtcp(c->fb->transport, c->buf, writer_len(&c->w));
    c->w = writer_of(c->buf, sizeof(c->buf));
}

static struct writer *compound_room(struct compound *c, size_t len)
{
    if (writer_left(&c->w) < len)
        compound_send(c);
    return &c->w;
}

static size_t sdes_len(const char *cname)
{
    return SDES_LEN + strlen(cname);
}

static void tell_arrivals(struct feedback *fb, int64_t now_us)
{
    struct uplink *uplink = &fb->ingress->uplink;
    uint8_t buf[FEEDBACK_PACKET_MAX];
    size_t len;
    if (!uplink->twcc || !twcc_recv_due(uplink->twcc, now_us))
        return;
    while ((len = twcc_recv_write(uplink->twcc, fb->ssrc, uplink->media_ssrc, buf, sizeof(buf))) > 0) {
        fb->twccs_tx++;
        transport_tx_rtcp(fb->transport, buf, len);
    }
}

static void tell_losses(struct feedback *fb, struct compound *c, const struct track *track, struct layer *layer,
                        int64_t now_us)
{
    uint16_t seqs[LOSS_MAX];
    int64_t rtt_us = fb->ingress->uplink.rtt_us;
    size_t count = loss_due(&layer->loss, now_us, rtt_us ? rtt_us : RTT_US, seqs, LOSS_MAX);
    for (size_t done = 0; done < count && track->nack;) {
        struct writer *w = compound_room(c, NACK_LEN_MIN);
        done += rtcpfb_nack_write(w, fb->ssrc, layer->ssrc, seqs + done, count - done);
        fb->nacks_tx++;
    }
}

// A dead layer does not answer, and the browser would begin all others anew each time: that waits until it is back.
static bool waits_for_keyframe(const struct track *track, const struct layer *layer)
{
    bool alive = track->layer_count == 1 || track->alive >> layer->rank & 1;
    return layer->keyframe_wanted && layer->bound && alive;
}

static void tell_keyframe(struct feedback *fb, struct compound *c, const struct track *track, struct layer *layer,
                          int64_t now_us)
{
    if (!waits_for_keyframe(track, layer))
        return;
    if (layer->keyframe_asked_us && now_us - layer->keyframe_asked_us < TRACK_KEYFRAME_US)
        return;
    layer->keyframe_asked_us = now_us;
    layer->keyframe_asks++;
    if (track->pli) {
        rtcpfb_pli_write(compound_room(c, PLI_LEN), fb->ssrc, layer->ssrc);
        fb->plis_tx++;
    } else if (track->fir) {
        struct rtcpfb_fir fir = {layer->ssrc, layer->fir_seq++};
        rtcpfb_fir_write(compound_room(c, FIR_LEN), fb->ssrc, &fir, 1);
        fb->firs_tx++;
    }
}

// What one publisher must be told now. Returns true while something is still missing or wanted.
static bool tell_wants(struct feedback *fb, struct compound *c, int64_t now_us)
{
    bool busy = false;
    struct track *track;
    TAILQ_FOREACH (track, &fb->ingress->uplink.tracks, entry)
        for (struct layer *layer = track->layer; layer < track->layer + track->layer_count; layer++) {
            tell_losses(fb, c, track, layer, now_us);
            tell_keyframe(fb, c, track, layer, now_us);
            busy |= loss_pending(&layer->loss) || waits_for_keyframe(track, layer);
        }
    return busy;
}

static size_t collect_blocks(struct feedback *fb, struct rtcp_report *blocks, int64_t now_us)
{
    size_t count = 0;
    struct track *track;
    TAILQ_FOREACH (track, &fb->ingress->uplink.tracks, entry)
        for (struct layer *layer = track->layer; layer < track->layer + track->layer_count; layer++)
            if (layer->bound && count < RTCP_REPORTS_MAX &&
                recvstats_block(&layer->recvstats, now_us, &blocks[count]))
                count++;
    return count;
}

static void tell_receiver_report(struct feedback *fb, struct compound *c, int64_t now_us)
{
    struct rtcp_report blocks[RTCP_REPORTS_MAX];
    if (now_us < fb->report_us)
        return;
    fb->report_us = now_us + FEEDBACK_REPORT_US;
    size_t count = collect_blocks(fb, blocks, now_us);
    if (!count)
        return;
    struct writer *w = compound_room(c, RR_LEN + count * RTCP_REPORT_LEN + sdes_len(fb->cname));
    rtcp_rr_write(w, fb->ssrc, blocks, count);
    rtcp_sdes_write(w, fb->ssrc, fb->cname, strlen(fb->cname));
    fb->reports_tx++;
}

static void tell_sender_reports(struct feedback *fb, struct compound *c, int64_t now_us, int64_t wall_us)
{
    struct sub *sub;
    TAILQ_FOREACH (sub, fb->subs, of_peer) {
        struct rtcp_sr sr;
        sub_tick(sub, now_us);
        if (!sub_report(sub, now_us, wall_us, &sr))
            continue;
        const char *cname = sub->track->cname;
        struct writer *w = compound_room(c, SR_LEN + sdes_len(cname));
        rtcp_sr_write(w, &sr, NULL, 0);
        rtcp_sdes_write(w, sub->ssrc, cname, strlen(cname));
        fb->reports_tx++;
    }
}

static void tick_tracks(struct feedback *fb, int64_t now_us)
{
    struct track *track;
    if (now_us < fb->alive_us)
        return;
    fb->alive_us = now_us + ALIVE_US;
    TAILQ_FOREACH (track, &fb->ingress->uplink.tracks, entry)
        track_tick(track, now_us);
}

void feedback_tick(struct feedback *fb, int64_t now_us, int64_t wall_us)
{
    struct compound c;
    c.fb = fb;
    c.w = writer_of(c.buf, sizeof(c.buf));
    fb->wall_offset_us = wall_us - now_us;

    tick_tracks(fb, now_us);
    tell_receiver_report(fb, &c, now_us);
    bool busy = tell_wants(fb, &c, now_us);
    tell_sender_reports(fb, &c, now_us, wall_us);
    compound_send(&c);
    tell_arrivals(fb, now_us);

    fb->due_us = now_us + FEEDBACK_IDLE_US;
    fb->ingress->uplink.due_us = UPLINK_NEVER;
    if (busy)
        uplink_wake(&fb->ingress->uplink, now_us + FEEDBACK_TICK_US);
}
