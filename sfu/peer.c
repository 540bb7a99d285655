// What is one participant's media side?
// SPDX-License-Identifier: MIT
#include "sfu/peer.h"

#include <glib.h>
#include <string.h>

#include "sfu/house.h"
#include "sfu/ice.h"
#include "sfu/log.h"

static void post(struct peer *p, struct sfu_event event)
{
    event.room = p->cfg.room;
    event.peer = p->cfg.id;
    event_post(p->cfg.events, &event);
}

static void post_refusal(struct peer *p, uint64_t tag, enum sfu_reason reason, const char *text)
{
    post(p, (struct sfu_event){.type = SFU_REFUSED, .tag = tag, .reason = reason, .text = text});
}

static void want_offer(struct peer *p, int64_t now_us)
{
    if (!p->offer_at_us)
        p->offer_at_us = now_us + PEER_OFFER_DELAY_US;
}

// ---- publishing ------------------------------------------------------------------------------------------------

static void accept_codecs(struct peer *p, struct track *track, const struct mline *mline)
{
    for (unsigned i = 0; i < mline->codec_count; i++) {
        const struct mline_codec *c = &mline->codecs[i];
        if (c->codec != mline->publication.codec && c->codec != CODEC_RED)
            continue;
        track_accept_pt(track, c->pt);
        if (c->rtx_pt)
            track_accept_pt(track, c->rtx_pt);
    }
    const struct publication *pub = &mline->publication;
    for (unsigned i = 0; i < pub->layer_count; i++) {
        if (pub->ssrc[i] && ingress_declare(&p->ingress, track, i, false, pub->ssrc[i]) < 0)
            stats_drop(&p->stats, DROP_TABLE_FULL);
        if (pub->rtx_ssrc[i] && ingress_declare(&p->ingress, track, i, true, pub->rtx_ssrc[i]) < 0)
            stats_drop(&p->stats, DROP_TABLE_FULL);
    }
}

static void publish(struct peer *p, struct mline *mline, int64_t now_us)
{
    const struct publication *pub = &mline->publication;
    struct track_config cfg = {.uplink = &p->ingress.uplink,
                               .mid = mline->mid,
                               .cname = p->user,
                               .source = pub->source,
                               .video = mline->kind == SDP_VIDEO,
                               .clock_hz = codec_clock_hz(pub->codec),
                               .rid_count = pub->layer_count > 1 ? pub->layer_count : 0,
                               .nack = pub->nack,
                               .pli = pub->pli,
                               .fir = pub->fir};
    for (unsigned i = 0; i < cfg.rid_count; i++)
        cfg.rids[i] = pub->rid[i];
    mline->track = track_new(&cfg);
    mline->track_codec = pub->codec;
    accept_codecs(p, mline->track, mline);
    track_set_muted(mline->track, p->muted[pub->source], now_us);
    post(p, (struct sfu_event){.type = SFU_PUBLISHED, .source = pub->source, .on = true});
    p->cfg.handlers->published(p->cfg.arg, p, mline->track);
}

static void unpublish(struct peer *p, struct mline *mline)
{
    struct track *track = mline->track;
    mline->track = NULL;
    post(p, (struct sfu_event){.type = SFU_PUBLISHED, .source = track->source, .on = false});
    p->cfg.handlers->unpublished(p->cfg.arg, p, track);
    sub_detach_all(track);
    ingress_forget(&p->ingress, track);
    tally_add_track(p->cfg.tally, track);
    track_free(track);
}

static void republish(struct peer *p, struct mline *mline, int64_t now_us)
{
    struct track *track = mline->track;
    const struct publication *pub = &mline->publication;
    accept_codecs(p, track, mline);
    if (track->source == pub->source)
        return;
    post(p, (struct sfu_event){.type = SFU_PUBLISHED, .source = track->source, .on = false});
    track->source = pub->source;
    post(p, (struct sfu_event){.type = SFU_PUBLISHED, .source = pub->source, .on = true});
    track_set_muted(track, p->muted[pub->source], now_us);
}

static bool is_same_publication(const struct mline *mline)
{
    return mline->publication.codec == mline->track_codec && strcmp(mline->track->mid, mline->mid) == 0 &&
           MAX(mline->publication.layer_count, 1u) == mline->track->layer_count;
}

// Makes tracks and streams what the descriptions say.
static void carry_out(struct peer *p, int64_t now_us)
{
    negotiate_fill_uplink(p->negotiate, &p->ingress.uplink);
    negotiate_fill_sink(p->negotiate, transport_sink(p->transport));
    for (unsigned i = 0; i < p->negotiate->mline_count; i++) {
        struct mline *mline = p->negotiate->mlines[i];
        if (mline->track && (!mline->publishing || !is_same_publication(mline)))
            unpublish(p, mline);
        if (mline->track)
            republish(p, mline, now_us);
        else if (mline->publishing)
            publish(p, mline, now_us);
    }
    legs_settle(&p->legs, now_us);
    if (negotiate_wants_offer(p->negotiate))
        want_offer(p, now_us);
}

// ---- our descriptions --------------------------------------------------------------------------------------------

static void post_tracks(struct peer *p)
{
    struct sfu_track tracks[SDP_MEDIA_MAX];
    size_t count = legs_tracks(&p->legs, tracks);
    post(p, (struct sfu_event){.type = SFU_TRACKS, .track_count = count, .tracks = tracks});
}

static bool local_is_known(const struct peer *p, struct transport_local *local)
{
    transport_local(p->transport, local);
    return local->ufrag != NULL;
}

static void post_description(struct peer *p, bool offer, int64_t now_us)
{
    struct transport_local local;
    transport_local(p->transport, &local);
    char *sdp = g_malloc(NEGOTIATE_TEXT_MAX);
    int len = offer ? negotiate_print_offer(p->negotiate, &local, sdp, NEGOTIATE_TEXT_MAX)
                    : negotiate_print_answer(p->negotiate, &local, sdp, NEGOTIATE_TEXT_MAX);
    g_assert(len > 0);
    post_tracks(p);
    post(p,
         (struct sfu_event){.type = offer ? SFU_OFFER : SFU_ANSWER, .tag = offer ? 0 : p->answer_tag, .text = sdp});
    g_free(sdp);
    p->described = true;
    if (offer)
        p->offered_us = now_us;
    else
        carry_out(p, now_us); // streams were placed on its m-lines
}

// The answer waits for ICE credentials: at the start, and after an ICE restart. Where ICE could not begin they will
// never come.
static void try_answer(struct peer *p, int64_t now_us)
{
    struct transport_local local;
    if (p->negotiate->state != NEGOTIATE_REMOTE_OFFER)
        return;
    if (local_is_known(p, &local))
        post_description(p, false, now_us);
    else if (local.impossible)
        post_refusal(p, p->answer_tag, SFU_MEDIA_FAILED, "the server has no address or port left for media");
}

static void try_offer(struct peer *p, int64_t now_us)
{
    struct transport_local local;
    if (!p->offer_at_us || now_us < p->offer_at_us || p->negotiate->state != NEGOTIATE_STABLE)
        return;
    if (!p->negotiate->has_remote && now_us < p->began_us + PEER_FIRST_OFFER_US)
        return;
    if (!local_is_known(p, &local))
        return;
    p->offer_at_us = 0;
    if (negotiate_wants_offer(p->negotiate))
        post_description(p, true, now_us);
}

// ---- the transport's calls ---------------------------------------------------------------------------------------

static void on_rtp(void *arg, struct packet *packet, int64_t now_us)
{
    struct peer *p = arg;
    ingress_rx(&p->ingress, packet, now_us);
}

static void on_rtp_done(void *arg, int64_t now_us)
{
    struct peer *p = arg;
    ingress_flush(&p->ingress, now_us);
}

static void on_rtcp(void *arg, const uint8_t *data, size_t len, int64_t now_us)
{
    struct peer *p = arg;
    ingress_flush(&p->ingress, now_us); // what came before it is forwarded before it
    feedback_rx(&p->feedback, data, len, now_us);
}

static void on_message(void *arg, const struct datachan_message *message)
{
    struct peer *p = arg;
    p->cfg.handlers->message(p->cfg.arg, p, message);
}

static void on_state(void *arg, enum sfu_state state, struct transport_fault fault)
{
    struct peer *p = arg;
    tally_state(p->cfg.tally, state, fault);
    post(p, (struct sfu_event){.type = SFU_STATE, .state = state});
    // Nothing was sent before keys were agreed, or while the path was gone.
    if (state == SFU_CONNECTED)
        legs_want_keyframes(&p->legs, worker_now_us(p->cfg.worker));
    if (state == SFU_FAILED)
        try_answer(p, worker_now_us(p->cfg.worker));
}

static void on_local(void *arg)
{
    struct peer *p = arg;
    try_answer(p, worker_now_us(p->cfg.worker));
}

static void on_candidate(void *arg, const char *line)
{
    struct peer *p = arg;
    if (p->described)
        post(p, (struct sfu_event){.type = SFU_CANDIDATE, .text = line});
}

static const struct transport_handlers transport_calls = {
    .rtp = on_rtp,
    .rtp_done = on_rtp_done,
    .rtcp = on_rtcp,
    .message = on_message,
    .state = on_state,
    .local = on_local,
    .candidate = on_candidate,
};

// ---- session -----------------------------------------------------------------------------------------------------

static void open_session(struct peer *p, struct negotiate *negotiate, int64_t now_us)
{
    p->negotiate = negotiate;
    p->transport = transport_new(p->cfg.worker, &transport_calls, p);
    legs_init(&p->legs, &(struct legs_config){negotiate, transport_sink(p->transport), &p->stats, p->cfg.tally});
    ingress_init(&p->ingress, worker_pool(p->cfg.worker), &p->stats);
    p->ingress.uplink.ticker = worker_ticker(p->cfg.worker);
    p->ingress.uplink.speaker = p->cfg.speaker;
    p->ingress.uplink.speaker_index = p->cfg.speaker_index;
    struct feedback_config cfg = {.transport = p->transport,
                                  .ingress = &p->ingress,
                                  .subs = &p->legs.subs,
                                  .stats = &p->stats,
                                  .ssrc = g_random_int() | 1,
                                  .cname = "roda"};
    feedback_init(&p->feedback, &cfg);
    negotiate_expect(negotiate, p->expected, cfg.ssrc);
    p->described = false;
    p->offer_at_us = p->offered_us = 0;
    p->began_us = now_us;
}

static void close_session(struct peer *p)
{
    for (unsigned i = 0; i < p->negotiate->mline_count; i++) {
        if (p->negotiate->mlines[i]->track)
            unpublish(p, p->negotiate->mlines[i]);
    }
    legs_clear(&p->legs);
    tally_add_feedback(p->cfg.tally, &p->feedback);
    ingress_clear(&p->ingress);
    transport_free(p->transport);
    negotiate_free(p->negotiate);
}

struct peer *peer_new(const struct peer_config *cfg, int64_t now_us)
{
    struct peer *p = g_new0(struct peer, 1);
    p->cfg = *cfg;
    g_strlcpy(p->user, cfg->user, sizeof(p->user));
    p->cfg.user = p->user;
    open_session(p, negotiate_new(), now_us);
    return p;
}

void peer_free(struct peer *p)
{
    close_session(p);
    tally_add_drops(p->cfg.tally, &p->stats);
    g_free(p);
}

// ---- what the participant says -----------------------------------------------------------------------------------

static struct sdp *parse(struct peer *p, const struct command *command)
{
    struct sdp *sdp = g_new(struct sdp, 1);
    struct sdp_error error;
    if (sdp_parse(sdp, command->text, strlen(command->text), &error) == 0)
        return sdp;
    char text[160];
    g_snprintf(text, sizeof(text), "line %d: %s", error.line, error.what);
    post_refusal(p, command->tag, SFU_BAD_SDP, text);
    g_free(sdp);
    return NULL;
}

static void set_remote(struct peer *p, const struct transport_remote *remote)
{
    if (!remote->ufrag)
        return; // every m-line is rejected
    int rc = transport_set_remote(p->transport, remote);
    g_assert(rc == 0); // negotiate has checked the fingerprint
}

// A candidate in the description is as good as a trickled one; a malformed one is as harmless.
static void add_candidates(struct peer *p, const struct sdp *sdp)
{
    char line[ICE_LINE_MAX + 1];
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];
        for (unsigned c = 0; c < media->candidate_count; c++) {
            if (sdp_span_copy(media->candidates[c], line, sizeof(line)) == 0 && ice_candidate_check(line) == 0)
                transport_add_candidate(p->transport, line);
        }
    }
}

void peer_offer(struct peer *p, const struct command *command, int64_t now_us)
{
    struct sdp *sdp = parse(p, command);
    if (!sdp)
        return;
    struct transport_remote remote;
    struct refusal refusal;
    bool renew = negotiate_is_other_session(p->negotiate, sdp);
    struct negotiate *n = renew ? negotiate_new() : p->negotiate;
    if (negotiate_offer(n, sdp, command->sources, command->source_count, &remote, &refusal) < 0) {
        post_refusal(p, command->tag, refusal.reason, refusal.text);
        if (renew)
            negotiate_free(n);
        g_free(sdp);
        return;
    }
    if (renew) {
        close_session(p);
        open_session(p, n, now_us);
        p->cfg.handlers->renewed(p->cfg.arg, p);
    }
    p->answer_tag = command->tag;
    set_remote(p, &remote);
    add_candidates(p, sdp);
    g_free(sdp);
    carry_out(p, now_us);
    try_answer(p, now_us);
}

void peer_answer(struct peer *p, const struct command *command, int64_t now_us)
{
    struct sdp *sdp = parse(p, command);
    if (!sdp)
        return;
    struct transport_remote remote;
    struct refusal refusal;
    if (negotiate_answer(p->negotiate, sdp, command->sources, command->source_count, &remote, &refusal) < 0) {
        post_refusal(p, command->tag, refusal.reason, refusal.text);
        g_free(sdp);
        return;
    }
    set_remote(p, &remote);
    add_candidates(p, sdp);
    g_free(sdp);
    carry_out(p, now_us);
    post(p, (struct sfu_event){.type = SFU_ACCEPTED, .tag = command->tag});
}

void peer_candidate(struct peer *p, const struct command *command)
{
    bool end = !command->text || !command->text[0];
    if (!end && ice_candidate_check(command->text) < 0) {
        post_refusal(p, command->tag, SFU_BAD_CANDIDATE, "not a candidate line (RFC 8839 section 5.1)");
        return;
    }
    transport_add_candidate(p->transport, end ? NULL : command->text);
    post(p, (struct sfu_event){.type = SFU_ACCEPTED, .tag = command->tag});
}

void peer_expect(struct peer *p, const char *user)
{
    g_strlcpy(p->expected, user ? user : "", sizeof(p->expected));
    negotiate_expect(p->negotiate, p->expected, p->feedback.ssrc);
}

void peer_mute(struct peer *p, enum sfu_source source, bool muted, int64_t now_us)
{
    p->muted[source] = muted;
    struct track *track;
    TAILQ_FOREACH (track, &p->ingress.uplink.tracks, entry) {
        if (track->source == source)
            track_set_muted(track, muted, now_us);
    }
}

void peer_select_layer(struct peer *p, const struct command *command, int64_t now_us)
{
    legs_set_layer(&p->legs, command->publisher, command->source, command->spatial, command->temporal, now_us);
}

// ---- what the room says ------------------------------------------------------------------------------------------

static const struct mline *mline_of_track(const struct peer *p, const struct track *track)
{
    for (unsigned i = 0; i < p->negotiate->mline_count; i++) {
        if (p->negotiate->mlines[i]->track == track)
            return p->negotiate->mlines[i];
    }
    g_assert_not_reached();
}

void peer_receive(struct peer *p, struct track *track, struct peer *publisher, int64_t now_us)
{
    const struct publication *pub = &mline_of_track(publisher, track)->publication;
    struct leg_source source = {track, pub, publisher->cfg.id, publisher->user};
    const struct leg *leg = legs_add(&p->legs, &source, now_us);
    if (!leg)
        sfu_log(SFU_LOG_WARN, "peer %" G_GUINT64_FORMAT ": no room for another stream", p->cfg.id);
    else if (leg->outgoing.agreed)
        post_tracks(p);
    else
        want_offer(p, now_us);
}

void peer_stop_receiving(struct peer *p, const struct track *track, int64_t now_us)
{
    legs_remove(&p->legs, track);
    if (negotiate_wants_offer(p->negotiate))
        want_offer(p, now_us);
}

void peer_tick(struct peer *p, int64_t now_us, int64_t wall_us)
{
    transport_tick(p->transport, now_us);
    if (now_us >= feedback_due(&p->feedback))
        feedback_tick(&p->feedback, now_us, wall_us);
    if (p->negotiate->state == NEGOTIATE_LOCAL_OFFER && now_us > p->offered_us + PEER_ANSWER_US) {
        negotiate_rollback(p->negotiate);
        want_offer(p, now_us);
    }
    try_offer(p, now_us);
}

static void add_line(GString *text, const struct line *line)
{
    g_string_append_len(text, line->buf, (gssize)line->len);
    g_string_append_c(text, '\n');
}

static void add_track(const struct peer *p, struct track *track, int64_t now_us, GString *text)
{
    char buf[2048];
    struct line line = line_of(buf, sizeof(buf));
    line_number(&line, "publisher", (int64_t)p->cfg.id);
    track_stats(track, &line);
    add_line(text, &line);
    for (unsigned i = 0; i < track->layer_count; i++) {
        if (!track->layer[i].bound)
            continue;
        line = line_of(buf, sizeof(buf));
        line_number(&line, "layer", i);
        layer_stats(&track->layer[i], now_us, &line);
        add_line(text, &line);
    }
}

void peer_stats(struct peer *p, int64_t now_us, GString *text)
{
    static const char *const states[] = {"new", "connecting", "connected", "disconnected", "failed"};
    char buf[2048];
    struct line line = line_of(buf, sizeof(buf));
    line_number(&line, "peer", (int64_t)p->cfg.id);
    line_text(&line, "state", states[transport_state(p->transport)]);
    feedback_stats(&p->feedback, &line);
    line_stats(&line, &p->stats);
    add_line(text, &line);
    struct track *track;
    TAILQ_FOREACH (track, &p->ingress.uplink.tracks, entry)
        add_track(p, track, now_us, text);
    const struct leg *leg;
    TAILQ_FOREACH (leg, &p->legs.list, entry) {
        line = line_of(buf, sizeof(buf));
        line_number(&line, "subscriber", (int64_t)p->cfg.id);
        leg_stats(leg, now_us, &line);
        add_line(text, &line);
    }
}

void peer_tally(const struct peer *p, struct tally *sum)
{
    const struct track *track;
    tally_add_drops(sum, &p->stats);
    tally_add_feedback(sum, &p->feedback);
    TAILQ_FOREACH (track, &p->ingress.uplink.tracks, entry)
        tally_add_track(sum, track);
    legs_tally(&p->legs, sum);
}
