// What does a worker do for the recording of one of its rooms?
// SPDX-License-Identifier: MIT
#include "sfu/record_room.h"

#include <glib.h>
#include <string.h>

#include "rtp/ntp.h"
#include "sfu/command.h"
#include "sfu/house.h"
#include "sfu/now.h"
#include "sfu/sub.h"

// One track being recorded; its place in the list is the stream's handle and the item's track.
struct feed {
    struct sub *sub; // NULL: the place is free
    uint64_t publisher;
    char user[SFU_USER_MAX + 1];
    enum sfu_source source;
    bool muted, lost;  // as the writer knows; packets were dropped since the last one put
    int64_t report_us; // when the last report came that the writer knows
};

struct record_room {
    struct ear ear;
    struct sink sink;

    // fixed at birth
    struct worker *worker;
    struct mailbox *events;
    uint64_t room, tag;
    char *dir; // owned
    struct record_queue *queue;

    struct feed feeds[RECORD_TRACKS_MAX];
    unsigned feed_count; // places ever used
    struct stats stats;
    int64_t send_us;    // next letter
    int64_t trouble_us; // when a packet was last dropped; 0: none lately
};

static struct record_room *room_of_ear(const struct ear *ear)
{
    return (struct record_room *)ear;
}

static struct record_room *room_of_sink(struct sink *sink)
{
    return (struct record_room *)((char *)sink - offsetof(struct record_room, sink));
}

static void tell(struct record_room *r, enum sfu_reason reason, const char *text)
{
    struct sfu_event event = {
        .type = SFU_RECORDING, .room = r->room, .tag = r->tag, .on = true, .reason = reason, .text = text};
    event_post(r->events, &event);
}

// ---- the sink ----------------------------------------------------------------------------------------------------

static uint16_t stream_open(struct sink *sink, uint32_t ssrc)
{
    struct record_room *r = room_of_sink(sink);
    (void)ssrc;
    for (uint16_t i = 0; i < RECORD_TRACKS_MAX; i++) {
        if (r->feeds[i].sub)
            continue;
        r->feed_count = MAX(r->feed_count, i + 1u);
        return i;
    }
    return SINK_NO_STREAM;
}

static void stream_close(struct sink *sink, uint16_t stream)
{
    room_of_sink(sink)->feeds[stream].sub = NULL;
}

// The first packet after a loss is preceded by word of it.
static bool put_packet(struct record_room *r, struct feed *feed, const struct packet *out)
{
    struct record_item item = {.kind = RECORD_PACKET, .track = out->stream, .at_us = worker_now_us(r->worker)};
    if (feed->lost) {
        struct record_item lost = {.kind = RECORD_LOST, .track = out->stream, .at_us = item.at_us};
        record_queue_put(r->queue, &lost, NULL, 0);
    }
    feed->lost = !record_queue_put(r->queue, &item, out->buf, out->len);
    return !feed->lost;
}

static void tx(struct sink *sink, struct packet *out)
{
    struct record_room *r = room_of_sink(sink);
    if (!put_packet(r, &r->feeds[out->stream], out)) {
        stats_drop(&r->stats, DROP_QUEUE_FULL);
        if (!r->trouble_us)
            tell(r, SFU_DISK_SLOW, "the disk cannot keep up: the recording has a gap");
        r->trouble_us = worker_now_us(r->worker);
    }
    packet_unref(out);
}

static const struct sink_ops sink_ops = {.stream_open = stream_open, .stream_close = stream_close, .tx = tx};

// ---- tracks ------------------------------------------------------------------------------------------------------

static void put_of_feed(struct record_room *r, const struct feed *feed, enum record_kind kind, bool on)
{
    struct record_item item = {.kind = kind,
                               .track = (uint16_t)(feed - r->feeds),
                               .at_us = worker_now_us(r->worker),
                               .peer = feed->publisher,
                               .source = feed->source,
                               .on = on};
    if (kind == RECORD_TRACK)
        record_queue_put_text(r->queue, &item, feed->user);
    else
        record_queue_put(r->queue, &item, NULL, 0);
}

static void begin_feed(struct record_room *r, uint64_t publisher, const char *user, struct track *track)
{
    struct sub_config cfg = {.track = track, .sink = &r->sink, .stats = &r->stats, .ssrc = g_random_int()};
    struct sub *sub = sub_new(&cfg);
    if (!sub) {
        tell(r, SFU_TOO_MANY, "so many tracks of one room cannot be recorded");
        return;
    }
    struct feed *feed = &r->feeds[sub->stream];
    *feed = (struct feed){.sub = sub, .publisher = publisher, .source = track->source};
    g_strlcpy(feed->user, user, sizeof(feed->user));
    put_of_feed(r, feed, RECORD_TRACK, track->video);
    sub_tick(sub, worker_now_us(r->worker));
}

static void end_feed(struct record_room *r, struct feed *feed)
{
    put_of_feed(r, feed, RECORD_TRACK_END, false);
    sub_free(feed->sub); // closes the stream, which frees the place
}

static struct feed *feed_of_track(struct record_room *r, const struct track *track)
{
    for (unsigned i = 0; i < r->feed_count; i++)
        if (r->feeds[i].sub && r->feeds[i].sub->track == track)
            return &r->feeds[i];
    return NULL;
}

static void on_published(struct ear *ear, struct peer *peer, struct track *track)
{
    struct record_room *r = room_of_ear(ear);
    if (!record_queue_is_refused(r->queue))
        begin_feed(r, peer->cfg.id, peer->user, track);
}

static void on_unpublished(struct ear *ear, struct track *track)
{
    struct record_room *r = room_of_ear(ear);
    struct feed *feed = feed_of_track(r, track);
    if (feed)
        end_feed(r, feed);
}

// ---- people ------------------------------------------------------------------------------------------------------

static void put_of_peer(struct record_room *r, enum record_kind kind, const struct peer *peer)
{
    struct record_item item = {.kind = kind, .at_us = worker_now_us(r->worker), .peer = peer ? peer->cfg.id : 0};
    record_queue_put_text(r->queue, &item, peer ? peer->user : "");
}

static void on_joined(struct ear *ear, struct peer *peer)
{
    put_of_peer(room_of_ear(ear), RECORD_JOINED, peer);
}

// The writer forgets the publisher's clock: no track of it may be left.
static void on_leaving(struct ear *ear, struct peer *peer)
{
    struct record_room *r = room_of_ear(ear);
    for (unsigned i = 0; i < r->feed_count; i++)
        if (r->feeds[i].sub && r->feeds[i].publisher == peer->cfg.id)
            end_feed(r, &r->feeds[i]);
    put_of_peer(r, RECORD_LEFT, peer);
}

static void on_speaker(struct ear *ear, const struct peer *peer)
{
    put_of_peer(room_of_ear(ear), RECORD_SPEAKER, peer);
}

// ---- ticking -----------------------------------------------------------------------------------------------------

static void put_report(struct record_room *r, struct feed *feed)
{
    const struct sub *sub = feed->sub;
    const struct layer *layer = track_find_layer(sub->track, sub->source_id);
    if (!layer || !layer->recvstats.has_sr || layer->recvstats.sr_us == feed->report_us)
        return;
    feed->report_us = layer->recvstats.sr_us;
    struct record_item item = {.kind = RECORD_REPORT,
                               .track = (uint16_t)(feed - r->feeds),
                               .at_us = feed->report_us,
                               .ts = timeline_ts(&sub->timeline, layer->recvstats.sr_ts),
                               .wall_us = ntp_to_us(layer->recvstats.sr_ntp),
                               .rtt_us = sub->track->uplink->rtt_us};
    record_queue_put(r->queue, &item, NULL, 0);
}

static void tick_feed(struct record_room *r, struct feed *feed, int64_t now_us)
{
    struct track *track = feed->sub->track;
    if (track->source != feed->source) { // the publisher says that it shows something else
        struct feed old = *feed;
        end_feed(r, feed);
        begin_feed(r, old.publisher, old.user, track);
        return;
    }
    if (track->muted != feed->muted) {
        feed->muted = track->muted;
        put_of_feed(r, feed, RECORD_MUTED, feed->muted);
    }
    put_report(r, feed);
    if (record_queue_take_keyframe(r->queue, (uint16_t)(feed - r->feeds)))
        sub_keyframe(feed->sub, now_us);
    sub_tick(feed->sub, now_us);
}

static void end_all(struct record_room *r)
{
    for (unsigned i = 0; i < r->feed_count; i++)
        if (r->feeds[i].sub)
            end_feed(r, &r->feeds[i]);
}

static void tick(struct ear *ear, int64_t now_us, int64_t wall_us)
{
    struct record_room *r = room_of_ear(ear);
    (void)wall_us;
    if (now_us < r->send_us)
        return;
    r->send_us = now_us + RECORD_SEND_US;
    if (record_queue_is_refused(r->queue))
        end_all(r);
    for (unsigned i = 0; i < r->feed_count; i++)
        if (r->feeds[i].sub)
            tick_feed(r, &r->feeds[i], now_us);
    record_queue_flush(r->queue, now_us);
    if (r->trouble_us && now_us - r->trouble_us >= RECORD_TROUBLE_US) {
        r->trouble_us = 0;
        tell(r, SFU_OK, r->dir);
    }
}

// ---- life --------------------------------------------------------------------------------------------------------

static void free_room(struct ear *ear, enum sfu_reason reason)
{
    struct record_room *r = room_of_ear(ear);
    int64_t now_us = worker_now_us(r->worker);
    struct record_item item = {.kind = RECORD_END, .at_us = now_us, .tag = r->tag, .reason = reason};
    end_all(r);
    record_queue_put(r->queue, &item, NULL, 0);
    record_queue_flush(r->queue, now_us); // from here on it is the writer's
    g_free(r->dir);
    g_free(r);
}

static const struct ear_ops ear_ops = {
    .joined = on_joined,
    .leaving = on_leaving,
    .published = on_published,
    .unpublished = on_unpublished,
    .speaker = on_speaker,
    .tick = tick,
    .free = free_room,
};

struct ear *record_room_new(const struct record_room_config *cfg, int64_t now_us)
{
    struct record_room *r = g_new0(struct record_room, 1);
    r->ear.ops = &ear_ops;
    r->sink.ops = &sink_ops;
    r->sink.ready = true;
    house_fill_sink(&r->sink);
    r->worker = cfg->worker;
    r->events = cfg->events;
    r->room = cfg->room;
    r->tag = cfg->tag;
    r->dir = g_strdup(cfg->dir);
    r->queue = record_queue_new(cfg->inbox);
    struct record_item item = {
        .kind = RECORD_BEGIN, .at_us = now_us, .wall_us = now_wall_us(), .room = cfg->room, .tag = cfg->tag};
    record_queue_put_text(r->queue, &item, cfg->dir);
    return &r->ear;
}

bool record_room_is_refused(const struct ear *ear)
{
    return record_queue_is_refused(room_of_ear(ear)->queue);
}

void record_room_note(struct ear *ear, const char *json, int64_t now_us)
{
    struct record_item item = {.kind = RECORD_NOTE, .at_us = now_us};
    record_queue_put_text(room_of_ear(ear)->queue, &item, json);
}

void record_room_set_tag(struct ear *ear, uint64_t tag)
{
    room_of_ear(ear)->tag = tag;
}
