// What does one participant receive?
// SPDX-License-Identifier: MIT
#include "sfu/legs.h"

#include <glib.h>

void legs_init(struct legs *legs, const struct legs_config *cfg)
{
    legs->cfg = *cfg;
    TAILQ_INIT(&legs->subs);
    TAILQ_INIT(&legs->list);
}

static void leg_free(struct legs *legs, struct leg *leg)
{
    negotiate_remove(legs->cfg.negotiate, &leg->outgoing);
    TAILQ_REMOVE(&legs->subs, leg->sub, of_peer);
    TAILQ_REMOVE(&legs->list, leg, entry);
    tally_add_sub(legs->cfg.tally, leg->sub);
    sub_free(leg->sub);
    g_free(leg);
}

void legs_clear(struct legs *legs)
{
    while (!TAILQ_EMPTY(&legs->list))
        leg_free(legs, TAILQ_FIRST(&legs->list));
}

void legs_remove(struct legs *legs, const struct track *track)
{
    struct leg *leg, *next;
    for (leg = TAILQ_FIRST(&legs->list); leg; leg = next) {
        next = TAILQ_NEXT(leg, entry);
        if (leg->track == track)
            leg_free(legs, leg);
    }
}

static struct sub *new_sub(const struct legs *legs, struct track *track, const struct mline *promised)
{
    struct negotiate *n = legs->cfg.negotiate;
    struct sub_config cfg = {.track = track,
                             .sink = legs->cfg.sink,
                             .stats = legs->cfg.stats,
                             .ssrc = promised ? promised->promised_ssrc : negotiate_new_ssrc(n),
                             .paused = true};
    if (track->video && promised)
        cfg.rtx_ssrc = promised->promised_rtx_ssrc;
    else if (track->video)
        cfg.rtx_ssrc = cfg.ssrc + 1 ? cfg.ssrc + 1 : negotiate_new_ssrc(n);
    return sub_new(&cfg);
}

static void describe(struct leg *leg, const struct publication *publication)
{
    leg->outgoing = (struct outgoing){.video = leg->track->video,
                                      .codec = publication->codec,
                                      .red = publication->red,
                                      .ssrc = leg->sub->ssrc,
                                      .rtx_ssrc = leg->sub->rtx_ssrc,
                                      .user = leg->user};
    g_snprintf(leg->outgoing.track_id, sizeof(leg->outgoing.track_id), "%s-%08x", sfu_source_name(leg->track->source),
               leg->sub->ssrc);
}

struct leg *legs_add(struct legs *legs, const struct leg_source *source, int64_t now_us)
{
    struct mline *promised = negotiate_promised(legs->cfg.negotiate, source->user, source->publication);
    struct sub *sub = new_sub(legs, source->track, promised);
    if (!sub)
        return NULL;
    struct leg *leg = g_new0(struct leg, 1);
    leg->sub = sub;
    leg->track = source->track;
    leg->publisher = source->publisher;
    g_strlcpy(leg->user, source->user, sizeof(leg->user));
    describe(leg, source->publication);
    TAILQ_INSERT_TAIL(&legs->subs, sub, of_peer);
    TAILQ_INSERT_TAIL(&legs->list, leg, entry);
    if (promised)
        negotiate_keep(legs->cfg.negotiate, promised, &leg->outgoing);
    else
        negotiate_add(legs->cfg.negotiate, &leg->outgoing);
    sub_set_paused(sub, !leg->outgoing.agreed, now_us);
    return leg;
}

void legs_settle(struct legs *legs, int64_t now_us)
{
    struct leg *leg;
    TAILQ_FOREACH (leg, &legs->list, entry)
        sub_set_paused(leg->sub, !leg->outgoing.agreed, now_us);
}

void legs_want_keyframes(struct legs *legs, int64_t now_us)
{
    struct leg *leg;
    TAILQ_FOREACH (leg, &legs->list, entry) {
        if (leg->outgoing.video)
            sub_keyframe(leg->sub, now_us);
    }
}

void legs_set_layer(struct legs *legs, uint64_t publisher, enum sfu_source source, int spatial, int temporal,
                    int64_t now_us)
{
    struct leg *leg;
    TAILQ_FOREACH (leg, &legs->list, entry) {
        if (leg->publisher == publisher && leg->track->source == source)
            sub_set_layer(leg->sub, spatial, temporal, now_us);
    }
}

size_t legs_tracks(const struct legs *legs, struct sfu_track tracks[SDP_MEDIA_MAX])
{
    size_t count = 0;
    const struct leg *leg;
    TAILQ_FOREACH (leg, &legs->list, entry) {
        if (!leg->outgoing.mline || count == SDP_MEDIA_MAX)
            continue;
        struct sfu_track *t = &tracks[count++];
        *t = (struct sfu_track){
            .publisher = leg->publisher, .source = leg->track->source, .video = leg->outgoing.video};
        g_strlcpy(t->mid, leg->outgoing.mline->mid, sizeof(t->mid));
        g_strlcpy(t->user, leg->user, sizeof(t->user));
    }
    return count;
}

void legs_tally(const struct legs *legs, struct tally *sum)
{
    const struct leg *leg;
    TAILQ_FOREACH (leg, &legs->list, entry)
        tally_add_sub(sum, leg->sub);
}

void leg_stats(const struct leg *leg, int64_t now_us, struct line *line)
{
    line_number(line, "publisher", (int64_t)leg->publisher);
    line_text(line, "source", sfu_source_name(leg->track->source));
    sub_stats(leg->sub, now_us, line);
}
