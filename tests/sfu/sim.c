// How does a whole room behave? The clock, the links, and our side of each peer.
// SPDX-License-Identifier: MIT
#include "tests/sfu/sim.h"

#include <glib.h>
#include <string.h>

#include "rtp/ntp.h"

enum { POOL_MAX = 16384, TICK_US = 10000, EXT_FIRST = 1 };

const struct sim_quality sim_perfect = {.delay_us = 10000};
const struct sim_quality sim_shaky = {.loss_permille = 30, .delay_us = 20000, .jitter_us = 8000};

// ---- the transport that is not there ---------------------------------------------------------------------

static struct sim_peer *peer_of_sink(struct sink *sink)
{
    return (void *)((char *)sink - offsetof(struct sim_peer, sink));
}

static uint16_t stream_open(struct sink *sink, uint32_t ssrc)
{
    struct sim_peer *peer = peer_of_sink(sink);
    for (uint16_t i = 0; i < SIM_STREAMS_MAX; i++) {
        if (peer->streams[i].seen)
            continue;
        peer->streams[i].ssrc = ssrc;
        peer->streams[i].seen = g_malloc0(1 << 16);
        return i;
    }
    return SINK_NO_STREAM;
}

static void stream_close(struct sink *sink, uint16_t stream)
{
    struct sim_peer *peer = peer_of_sink(sink);
    g_assert(peer->streams[stream].seen);
    g_free(peer->streams[stream].seen);
    peer->streams[stream].seen = NULL;
}

// One key, one SSRC, one sequence number: SRTP must never see it twice.
static void tx(struct sink *sink, struct packet *out)
{
    struct sim_peer *peer = peer_of_sink(sink);
    struct rtp rtp;
    g_assert_cmpint(rtp_parse(&rtp, out->buf, out->len), ==, RTP_OK);
    uint8_t *seen = peer->streams[out->stream].seen;
    g_assert(seen);
    g_assert_cmpuint(rtp.ssrc, ==, peer->streams[out->stream].ssrc);
    g_assert(!seen[rtp.seq]);
    seen[rtp.seq] = 1;
    seen[(uint16_t)(rtp.seq + 0x8000)] = 0;

    if (out->twcc_offset)
        ext_twcc_write(out->buf + out->twcc_offset, peer->twcc_seq++);
    peer->tx_packets++;
    sim_down(peer, out->buf, out->len, false);
    packet_unref(out);
}

static const struct sink_ops sink_ops = {stream_open, stream_close, tx, NULL};

void transport_hurry(struct transport *transport, int64_t now_us)
{
    (void)transport, (void)now_us; // here everything is heard at once
}

void transport_tx_rtcp(struct transport *transport, const uint8_t *data, size_t len)
{
    g_assert_cmpuint(len, <=, FEEDBACK_PACKET_MAX);
    sim_down(transport->peer, data, len, true);
}

// ---- numbers: every browser has its own ------------------------------------------------------------------

uint8_t sim_pt(const struct sim_peer *peer, enum codec codec)
{
    return (uint8_t)(96 + peer->pt_shift + 2 * codec);
}

uint8_t sim_rtx_pt(const struct sim_peer *peer, enum codec codec)
{
    return sim_pt(peer, codec) + 1;
}

uint8_t sim_ext(const struct sim_peer *peer, enum ext_house house)
{
    return (uint8_t)(EXT_FIRST + (house + peer->ext_shift) % EXT_HOUSE_COUNT);
}

static void negotiate(struct sim_peer *peer)
{
    struct uplink *uplink = &peer->ingress.uplink;
    for (enum codec codec = 0; codec < CODEC_COUNT; codec++) {
        uint8_t pt = sim_pt(peer, codec), rtx_pt = sim_rtx_pt(peer, codec);
        uplink->pt[pt] = (struct uplink_pt){.kind = UPLINK_MEDIA, .codec = codec};
        uplink->pt[rtx_pt] = (struct uplink_pt){.kind = UPLINK_RTX, .apt = pt};
        peer->sink.pt[codec] = pt;
        peer->sink.rtx_pt[codec] = rtx_pt;
    }
    for (enum ext_house house = EXT_NONE + 1; house < EXT_HOUSE_COUNT; house++) {
        g_assert_cmpint(ext_map_add(&uplink->ext, sim_ext(peer, house), house), ==, 0);
        peer->sink.ext_id[house] = sim_ext(peer, house);
    }
    peer->sink.ext_id[EXT_ABS_SEND_TIME] = 0;
}

// ---- links -----------------------------------------------------------------------------------------------

static void put(struct sim_link *link, struct sim *sim, const void *data, size_t len, bool rtcp)
{
    const struct sim_quality *q = &link->quality;
    link->sent++;
    if (dice_below(&sim->dice, 1000) < q->loss_permille) {
        link->lost++;
        return;
    }
    struct sim_datagram *d = g_malloc(sizeof(*d) + len);
    int64_t jitter_us = q->jitter_us ? dice_below(&sim->dice, (uint32_t)q->jitter_us) : 0;
    *d = (struct sim_datagram){.at_us = sim->now_us + q->delay_us + jitter_us, .rtcp = rtcp, .len = (uint16_t)len};
    memcpy(d->buf, data, len);
    struct sim_datagram **at = &link->first;
    while (*at && (*at)->at_us <= d->at_us)
        at = &(*at)->next;
    d->next = *at;
    *at = d;
}

void sim_up(struct sim_peer *peer, const void *data, size_t len, bool rtcp)
{
    put(&peer->up, peer->sim, data, len, rtcp);
}

void sim_down(struct sim_peer *peer, const void *data, size_t len, bool rtcp)
{
    put(&peer->down, peer->sim, data, len, rtcp);
}

static struct sim_datagram *take(struct sim_link *link, int64_t now_us)
{
    struct sim_datagram *d = link->first;
    if (!d || d->at_us > now_us)
        return NULL;
    link->first = d->next;
    return d;
}

static void drain(struct sim_link *link)
{
    struct sim_datagram *d;
    while ((d = take(link, INT64_MAX)))
        g_free(d);
}

// ---- arrival at our side ---------------------------------------------------------------------------------

static void arrive_up(struct sim_peer *peer, const struct sim_datagram *d)
{
    struct sim *sim = peer->sim;
    if (d->rtcp) {
        feedback_rx(&peer->feedback, d->buf, d->len, sim->now_us);
        return;
    }
    struct packet *packet = packet_new(sim->pool);
    g_assert(packet);
    memcpy(packet->buf, d->buf, d->len);
    packet->len = d->len;
    packet->received_us = sim->now_us;
    g_assert_cmpint(rtp_parse(&packet->rtp, packet->buf, packet->len), ==, RTP_OK);
    ingress_rx(&peer->ingress, packet, sim->now_us);
    ingress_flush(&peer->ingress, sim->now_us);
    packet_unref(packet);
}

// ---- arrival at the browser ------------------------------------------------------------------------------

static struct sim_receiver *receiver_of(const struct sim_peer *peer, uint32_t ssrc)
{
    for (unsigned i = 0; i < peer->receiver_count; i++)
        if (peer->receivers[i]->ssrc == ssrc || peer->receivers[i]->rtx_ssrc == ssrc)
            return peer->receivers[i];
    return NULL;
}

static void browser_nack(struct sim_peer *peer, const struct rtcpfb *fb)
{
    struct rtcpfb_nack_iter it = rtcpfb_nack_iter(fb);
    uint16_t seq;
    while (rtcpfb_nack_next(&it, &seq))
        for (unsigned i = 0; i < peer->sender_count; i++)
            sim_sender_nack(peer->senders[i], fb->media_ssrc, seq);
}

static void browser_keyframe(struct sim_peer *peer, uint32_t ssrc, bool fir)
{
    for (unsigned i = 0; i < peer->sender_count; i++)
        sim_sender_keyframe(peer->senders[i], ssrc, fir);
}

static void browser_twcc(struct sim_peer *peer, const struct rtcpfb *fb)
{
    struct twcc twcc;
    g_assert_cmpint(twcc_parse(fb, &twcc), ==, 0);
    peer->feedbacks++;
    struct twcc_iter it = twcc_iter(&twcc);
    for (struct twcc_status s; twcc_next(&it, &s);) {
        peer->twcc_reported += s.received;
        peer->twcc_missing += !s.received;
    }
}

static void browser_rtcpfb(struct sim_peer *peer, const struct rtcp *rtcp)
{
    struct rtcpfb fb;
    struct rtcpfb_fir fir;
    g_assert_cmpint(rtcpfb_parse(rtcp, &fb), ==, 0);
    if (fb.kind == RTCPFB_NACK)
        browser_nack(peer, &fb);
    else if (fb.kind == RTCPFB_PLI)
        browser_keyframe(peer, fb.media_ssrc, false);
    else if (fb.kind == RTCPFB_TWCC)
        browser_twcc(peer, &fb);
    else
        while (rtcpfb_fir_next(&fb.fci, &fir))
            browser_keyframe(peer, fir.ssrc, true);
}

static void browser_sr(struct sim_peer *peer, const struct rtcp *rtcp)
{
    struct reader reports;
    struct rtcp_sr sr;
    g_assert_cmpint(rtcp_sr_parse(rtcp, &sr, &reports), ==, 0);
    struct sim_receiver *receiver = receiver_of(peer, sr.ssrc);
    if (!receiver)
        return;
    receiver->has_sr = true;
    receiver->sr = sr;
    receiver->srs++;
    recvstats_sr(&receiver->recvstats, sr.ntp, sr.ts, peer->sim->now_us);
}

static void browser_rr(struct sim_peer *peer, const struct rtcp *rtcp)
{
    struct reader reports;
    struct rtcp_report report;
    uint32_t ssrc;
    g_assert_cmpint(rtcp_rr_parse(rtcp, &ssrc, &reports), ==, 0);
    while (rtcp_report_next(&reports, &report))
        peer->rr_lost += report.fraction_lost > 0;
}

static void browser_sdes(struct sim_peer *peer, const struct rtcp *rtcp)
{
    struct reader r = rtcp->body;
    struct rtcp_sdes sdes;
    while (rtcp_sdes_next(&r, &sdes)) {
        struct sim_receiver *receiver = receiver_of(peer, sdes.ssrc);
        if (receiver)
            g_snprintf(receiver->cname, sizeof(receiver->cname), "%.*s", sdes.cname_len, sdes.cname);
    }
    g_assert(r.ok);
}

static void browser_rtcp(struct sim_peer *peer, const struct sim_datagram *d)
{
    struct reader r = reader_of(d->buf, d->len);
    struct rtcp rtcp;
    while (rtcp_next(&r, &rtcp)) {
        if (rtcp.type == RTCP_SR)
            browser_sr(peer, &rtcp);
        else if (rtcp.type == RTCP_RR)
            browser_rr(peer, &rtcp);
        else if (rtcp.type == RTCP_SDES)
            browser_sdes(peer, &rtcp);
        else
            browser_rtcpfb(peer, &rtcp);
    }
    g_assert(r.ok);
}

static void arrive_down(struct sim_peer *peer, const struct sim_datagram *d)
{
    struct rtp rtp;
    if (d->rtcp) {
        browser_rtcp(peer, d);
        return;
    }
    g_assert_cmpint(rtp_parse(&rtp, d->buf, d->len), ==, RTP_OK);
    struct sim_receiver *receiver = receiver_of(peer, rtp.ssrc);
    if (receiver) // what is still in the air after sim_unsubscribe() belongs to nobody
        sim_receiver_rtp(receiver, &rtp, d->buf, d->len);
}

static void browser_reports(struct sim_peer *peer)
{
    uint8_t buf[FEEDBACK_PACKET_MAX];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtcp_report blocks[SIM_RECEIVERS_MAX];
    size_t count = 0;
    if (peer->sim->now_us < peer->rr_us)
        return;
    peer->rr_us = peer->sim->now_us + 1000000;
    for (unsigned i = 0; i < peer->receiver_count; i++)
        count += recvstats_block(&peer->receivers[i]->recvstats, peer->sim->now_us, &blocks[count]);
    if (!count)
        return;
    rtcp_rr_write(&w, 1, blocks, MIN(count, RTCP_REPORTS_MAX));
    sim_up(peer, buf, writer_len(&w), true);
}

// ---- time ------------------------------------------------------------------------------------------------

static void step(struct sim *sim)
{
    struct sim_datagram *d;
    sim->now_us += SIM_STEP_US;
    for (unsigned i = 0; i < sim->peer_count; i++) {
        struct sim_peer *peer = sim->peers[i];
        if (peer->gone)
            continue;
        while ((d = take(&peer->down, sim->now_us))) {
            arrive_down(peer, d);
            g_free(d);
        }
        for (unsigned j = 0; j < peer->sender_count; j++)
            sim_sender_tick(peer->senders[j]);
        for (unsigned j = 0; j < peer->receiver_count; j++)
            sim_receiver_tick(peer->receivers[j]);
        browser_reports(peer);
        while ((d = take(&peer->up, sim->now_us))) {
            arrive_up(peer, d);
            g_free(d);
        }
    }
    for (unsigned i = 0; i < sim->peer_count && sim->now_us % TICK_US == 0; i++)
        if (!sim->peers[i]->gone && feedback_due(&sim->peers[i]->feedback) <= sim->now_us)
            feedback_tick(&sim->peers[i]->feedback, sim->now_us, sim->now_us + sim->wall_us);
}

void sim_run(struct sim *sim, int64_t us)
{
    for (int64_t end = sim->now_us + us; sim->now_us < end;)
        step(sim);
}

// ---- coming and going ------------------------------------------------------------------------------------

struct sim *sim_new(uint64_t seed)
{
    struct sim *sim = g_new0(struct sim, 1);
    sim->now_us = INT64_C(5000000000);
    sim->wall_us = INT64_C(1790000000000000);
    sim->dice.state = seed;
    g_random_set_seed((guint32)seed); // the subs' first numbers
    sim->pool = pool_new(POOL_MAX);
    sim->last_ssrc = 1000;
    return sim;
}

struct sim_peer *sim_join(struct sim *sim, struct sim_quality up, struct sim_quality down)
{
    g_assert(sim->peer_count < SIM_PEERS_MAX);
    struct sim_peer *peer = g_new0(struct sim_peer, 1);
    peer->sim = sim;
    peer->index = sim->peer_count;
    peer->up.quality = up;
    peer->down.quality = down;
    peer->clock_us = sim->wall_us + 1234567 * (int64_t)(peer->index + 1);
    peer->pt_shift = (uint8_t)(peer->index % 3 * 4);
    peer->ext_shift = (uint8_t)(peer->index % 4);
    peer->transport.peer = peer;
    peer->sink.ops = &sink_ops;
    peer->sink.ready = true;
    TAILQ_INIT(&peer->subs);
    ingress_init(&peer->ingress, sim->pool, &peer->stats);
    negotiate(peer);
    struct feedback_config cfg = {.transport = &peer->transport,
                                  .ingress = &peer->ingress,
                                  .subs = &peer->subs,
                                  .stats = &peer->stats,
                                  .ssrc = 1,
                                  .cname = "roda"};
    feedback_init(&peer->feedback, &cfg);
    sim->peers[sim->peer_count++] = peer;
    return peer;
}

static const char *const rids_low_first[] = {"q", "h", "f"}, *const rids_high_first[] = {"f", "h", "q"};

static void open_track(struct sim_sender *sender)
{
    struct sim_peer *peer = sender->peer;
    const struct sim_media *media = &sender->media;
    char cname[16];
    g_snprintf(cname, sizeof(cname), "peer-%u", peer->index);
    struct track_config cfg = {
        .uplink = &peer->ingress.uplink,
        .mid = sender->mid,
        .cname = cname,
        .source = media->video ? SFU_CAMERA : SFU_MICROPHONE,
        .video = media->video,
        .rid_count = media->layers > 1 ? media->layers : 0,
        .nack = media->video,
        .pli = media->video,
    };
    for (unsigned i = 0; i < cfg.rid_count; i++)
        cfg.rids[i] = media->high_first ? rids_high_first[i] : rids_low_first[i];
    sender->track = track_new(&cfg);
    for (enum codec codec = 0; codec < CODEC_COUNT; codec++) {
        if (codec_is_video(codec) != media->video)
            continue;
        track_accept_pt(sender->track, sim_pt(peer, codec));
        track_accept_pt(sender->track, sim_rtx_pt(peer, codec));
    }
}

struct sim_sender *sim_publish(struct sim_peer *peer, const struct sim_media *media)
{
    g_assert(peer->sender_count < SIM_SENDERS_MAX);
    struct sim *sim = peer->sim;
    struct sim_sender *sender = g_new0(struct sim_sender, 1);
    sender->peer = peer;
    sender->media = *media;
    sender->stream_count = MAX(1, media->layers);
    sender->next_us = sim->now_us + 1000 + dice_below(&sim->dice, 10000);
    sender->report_us = sender->next_us + 300000;
    sender->level_db = 30;
    g_snprintf(sender->mid, sizeof(sender->mid), "%u", peer->sender_count);
    for (unsigned i = 0; i < sender->stream_count; i++) {
        struct sim_stream *s = &sender->stream[i];
        s->ssrc = ++sim->last_ssrc;
        s->rtx_ssrc = media->video ? ++sim->last_ssrc : 0;
        s->seq = media->first_seq;
        s->rtx_seq = 65500;
        s->ts_base = media->first_ts + i * 777777;
        s->picture_id = media->first_picture_id;
        s->tl0picidx = 250;
        s->keyframe = true;
        s->named = 60;
        s->sent = g_new0(struct sim_sent, SIM_SENT_MAX);
    }
    open_track(sender);
    for (unsigned i = 0; i < sender->stream_count && media->declared; i++) {
        g_assert_cmpint(ingress_declare(&peer->ingress, sender->track, i, false, sender->stream[i].ssrc), ==, 0);
        if (media->video)
            g_assert_cmpint(ingress_declare(&peer->ingress, sender->track, i, true, sender->stream[i].rtx_ssrc), ==,
                            0);
        sender->stream[i].named = 0;
    }
    peer->senders[peer->sender_count++] = sender;
    return sender;
}

void sim_reload(struct sim_sender *sender)
{
    struct sim *sim = sender->peer->sim;
    for (unsigned i = 0; i < sender->stream_count; i++) {
        struct sim_stream *s = &sender->stream[i];
        s->ssrc = ++sim->last_ssrc;
        s->rtx_ssrc = s->rtx_ssrc ? ++sim->last_ssrc : 0;
        s->seq = (uint16_t)dice_next(&sim->dice) & 0x7fff;
        s->ts_base = (uint32_t)dice_next(&sim->dice);
        s->picture_id = (uint16_t)dice_next(&sim->dice) & 0x7fff;
        s->frame = 0;
        s->phase = 0;
        s->keyframe = true;
        s->named = 60;
        memset(s->sent, 0, SIM_SENT_MAX * sizeof(s->sent[0]));
    }
    sender->report_us = sim->now_us + 300000;
}

void sim_unpublish(struct sim_sender *sender, bool bye)
{
    struct sim_peer *peer = sender->peer;
    uint8_t buf[64];
    struct writer w = writer_of(buf, sizeof(buf));
    for (unsigned i = 0; i < sender->stream_count && bye; i++)
        rtcp_bye_write(&w, &sender->stream[i].ssrc, 1);
    if (bye)
        feedback_rx(&peer->feedback, buf, writer_len(&w), peer->sim->now_us);
    sub_detach_all(sender->track);
    ingress_forget(&peer->ingress, sender->track);
    track_free(sender->track);
    sender->track = NULL;
    sender->silent = true;
}

struct sim_receiver *sim_subscribe(struct sim_peer *peer, struct sim_sender *sender)
{
    g_assert(peer->receiver_count < SIM_RECEIVERS_MAX);
    struct sim_receiver *r = g_new0(struct sim_receiver, 1);
    r->peer = peer;
    r->from = sender;
    r->ssrc = ++peer->sim->last_ssrc;
    r->rtx_ssrc = sender->media.video ? ++peer->sim->last_ssrc : 0;
    r->nack = sender->media.video;
    r->got = g_new0(struct sim_got, SIM_BUFFER);
    recvstats_init(&r->recvstats, r->ssrc, sender->media.video ? 90000 : 48000);
    struct sub_config cfg = {
        .track = sender->track, .sink = &peer->sink, .stats = &peer->stats, .ssrc = r->ssrc, .rtx_ssrc = r->rtx_ssrc};
    r->sub = sub_new(&cfg);
    g_assert(r->sub);
    TAILQ_INSERT_TAIL(&peer->subs, r->sub, of_peer);
    peer->receivers[peer->receiver_count++] = r;
    return r;
}

void sim_unsubscribe(struct sim_receiver *r)
{
    if (!r->sub)
        return;
    TAILQ_REMOVE(&r->peer->subs, r->sub, of_peer);
    sub_free(r->sub);
    r->sub = NULL;
}

void sim_leave(struct sim_peer *peer)
{
    for (unsigned i = 0; i < peer->receiver_count; i++)
        sim_unsubscribe(peer->receivers[i]);
    for (unsigned i = 0; i < peer->sender_count; i++)
        if (peer->senders[i]->track)
            sim_unpublish(peer->senders[i], false);
    drain(&peer->up);
    drain(&peer->down);
    peer->gone = true;
}

static void peer_free(struct sim_peer *peer)
{
    for (unsigned i = 0; i < peer->receiver_count; i++)
        sim_receiver_free(peer->receivers[i]);
    for (unsigned i = 0; i < peer->sender_count; i++)
        sim_sender_free(peer->senders[i]);
    for (unsigned i = 0; i < SIM_STREAMS_MAX; i++)
        g_assert(!peer->streams[i].seen);
    ingress_clear(&peer->ingress);
    g_free(peer);
}

void sim_free(struct sim *sim)
{
    for (unsigned i = 0; i < sim->peer_count; i++)
        if (!sim->peers[i]->gone)
            sim_leave(sim->peers[i]);
    for (unsigned i = 0; i < sim->peer_count; i++)
        peer_free(sim->peers[i]);
    g_assert_cmpuint(pool_in_use(sim->pool), ==, 0);
    pool_free(sim->pool);
    g_free(sim);
}
