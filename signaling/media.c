// Which peer of the media server stands for this participant, and what do they tell each other?
// SPDX-License-Identifier: MIT
#include "signaling/media.h"

#include <string.h>

#include "signaling/events.h"
#include "signaling/exchange.h"
#include "signaling/log.h"
#include "signaling/recording.h"
#include "signaling/taps.h"

static struct sfu *sfu_of(const struct participant *p)
{
    return p->room->roster->hub->sfu;
}

static void watch_media(struct participant *p, bool is_connected)
{
    const struct watch *watch = p->room->roster->hub->watch;
    if (watch)
        watch->media(p, is_connected);
}

void media_announce(struct participant *p)
{
    const struct watch *watch = p->room->roster->hub->watch;
    event_media_changed(p);
    if (watch)
        watch->changed(p);
}

bool media_change(struct participant *p, struct fields *f)
{
    bool is_muted = field_bool(f, "isMuted", p->is_muted);
    bool is_video_enabled = field_bool(f, "isVideoEnabled", p->is_video_enabled);
    bool is_sharing_screen = field_bool(f, "isSharingScreen", p->is_sharing_screen);
    if (p->role == ROLE_OBSERVER && (!is_muted || is_video_enabled || is_sharing_screen))
        fault_say(f->fault, ERROR_FORBIDDEN, "an observer only watches");
    if (p->is_audio_locked && !is_muted)
        fault_say(f->fault, ERROR_FORBIDDEN, "isMuted: the host has locked your microphone");
    if (p->is_video_locked && is_video_enabled)
        fault_say(f->fault, ERROR_FORBIDDEN, "isVideoEnabled: the host has locked your camera");
    if (f->fault->error != ERROR_NONE)
        return false;
    p->is_muted = is_muted;
    p->is_video_enabled = is_video_enabled;
    p->is_sharing_screen = is_sharing_screen;
    if (field_has(f, "isSharingScreen"))
        p->is_screen_off = !is_sharing_screen;
    media_apply(p);
    media_announce(p);
    return true;
}

// ---- the peer -----------------------------------------------------------------------------------------------

void media_apply(struct participant *p)
{
    const bool silent = p->role == ROLE_OBSERVER;
    const bool wanted[SFU_SOURCE_COUNT] = {
        [SFU_MICROPHONE] = silent || p->is_muted,
        [SFU_CAMERA] = silent || !p->is_video_enabled,
        // A lock holds whatever name the track is given.
        [SFU_SCREEN] = silent || p->is_screen_off || p->is_video_locked,
        [SFU_SCREEN_AUDIO] = silent || p->is_screen_off || p->is_audio_locked,
    };
    for (int source = 0; p->peer && source < SFU_SOURCE_COUNT; source++) {
        if (p->is_stopped[source] == wanted[source])
            continue;
        p->is_stopped[source] = wanted[source];
        sfu_mute(sfu_of(p), p->room->number, p->peer, (enum sfu_source)source, wanted[source]);
    }
}

void media_join(struct participant *p)
{
    struct room *room = p->room;
    struct roster *roster = room->roster;
    g_assert(p->peer == 0);
    if (room->peer_count++ == 0) {
        room->number = roster_number(roster);
        g_hash_table_insert(roster->numbers, &room->number, room);
    }
    p->peer = roster_number(roster);
    g_hash_table_insert(roster->peers, &p->peer, p);
    memset(p->is_stopped, 0, sizeof(p->is_stopped));
    sfu_join(sfu_of(p), room->number, p->peer, p->user);
    media_apply(p);
    if (room->peer_count == 1)
        recording_media_began(room, p);
    taps_media_began(p);
}

static void forget_peer(struct participant *p, const struct fault *fault)
{
    struct room *room = p->room;
    if (p->peer == 0)
        return;
    exchange_fail_peer(room->roster->hub, p->peer, fault);
    g_hash_table_remove(room->roster->peers, &p->peer);
    p->peer = 0;
    if (--room->peer_count == 0) {
        g_hash_table_remove(room->roster->numbers, &room->number);
        room->number = 0;
        recording_media_ended(room);
    }
    taps_media_ended(p);
    g_clear_pointer(&p->offer, g_free);
    g_clear_pointer(&p->tracks, json_decref);
    if (p->session)
        session_settle_all(p->session, fault);
}

void media_leave(struct participant *p, const struct fault *fault)
{
    if (p->peer)
        sfu_leave(sfu_of(p), p->room->number, p->peer);
    forget_peer(p, fault);
}

void media_close(struct room *room, const struct fault *fault)
{
    if (room->number)
        sfu_close(room->roster->hub->sfu, room->number);
    for (guint i = 0; i < room->participants->len; i++)
        forget_peer(room->participants->pdata[i], fault);
}

// ---- what the participant says ------------------------------------------------------------------------------

// An offer of another RTCPeerConnection (a reloaded page) goes to the same peer: the media server replaces its
// session once it has accepted the offer, and not before.
void media_begin(struct participant *p)
{
    if (p->peer == 0)
        media_join(p);
}

void media_offer(struct participant *p, uint64_t tag, const char *sdp, const struct sfu_mid_source *sources,
                 size_t source_count)
{
    const struct call *call = p->room->call;
    const struct call_member *first = call && call->members->len == 2 ? call->members->pdata[0] : NULL;
    const struct call_member *other = first && strcmp(first->user, p->user) == 0 ? call->members->pdata[1] : first;
    if (call)
        sfu_expect(sfu_of(p), p->room->number, p->peer, other ? other->user : NULL);
    sfu_offer(sfu_of(p), p->room->number, p->peer, tag, sdp, sources, source_count);
}

void media_answer(struct participant *p, uint64_t tag, const char *sdp, const struct sfu_mid_source *sources,
                  size_t source_count)
{
    p->answer_tag = tag;
    sfu_answer(sfu_of(p), p->room->number, p->peer, tag, sdp, sources, source_count);
}

void media_candidate(struct participant *p, uint64_t tag, const char *mid, const char *candidate)
{
    sfu_candidate(sfu_of(p), p->room->number, p->peer, tag, mid, candidate);
}

// ---- what the media server says -----------------------------------------------------------------------------

// Over HTTP it was asked for a call.
static struct exchange *asked_by(const struct participant *p, uint64_t tag)
{
    return p->room->call ? exchange_find(p->room->roster->hub, tag) : NULL;
}

static void settle(struct participant *p, uint64_t tag, const struct fault *fault)
{
    struct exchange *x = asked_by(p, tag);
    if (x && fault)
        return exchange_fail(x, fault);
    if (x)
        return exchange_answer(x, 200, json_pack("{s:s}", "callId", p->room->call->id));
    if (p->session)
        session_settle(p->session, tag, fault);
}

static void rx_offer(struct participant *p, const struct sfu_event *event)
{
    g_free(p->offer);
    p->offer = g_strdup(event->text);
    event_sfu_offer(p);
}

static void rx_answer(struct participant *p, const struct sfu_event *event)
{
    struct exchange *x = asked_by(p, event->tag);
    g_clear_pointer(&p->offer, g_free); // whoever was answered has no offer of ours to answer
    if (x)
        return exchange_answer(x, 200,
                               json_pack("{s:s, s:s, s:{s:s, s:s}}", "callId", p->room->call->id, "fromUserId", "sfu",
                                         "answer", "type", "answer", "sdp", event->text));
    event_sfu_answer(p, event->text);
    settle(p, event->tag, NULL);
}

static void rx_accepted(struct participant *p, const struct sfu_event *event)
{
    if (event->tag == p->answer_tag)
        g_clear_pointer(&p->offer, g_free);
    settle(p, event->tag, NULL);
}

static void rx_refused(struct participant *p, const struct sfu_event *event)
{
    static const enum error errors[] = {
        [SFU_OK] = ERROR_INTERNAL,
        [SFU_BAD_SDP] = ERROR_BAD_SDP,
        [SFU_GLARE] = ERROR_BUSY,
        [SFU_NO_OFFER] = ERROR_BAD_SDP,
        [SFU_LEFT] = ERROR_ROOM_CLOSED,
        [SFU_CLOSED] = ERROR_ROOM_CLOSED,
        [SFU_BAD_CANDIDATE] = ERROR_BAD_FIELD,
        [SFU_MEDIA_FAILED] = ERROR_INTERNAL,
        [SFU_TOO_MANY] = ERROR_BUSY,
    };
    static const char *const openings[] = {
        [SFU_GLARE] = "glare: the server's own offer comes first; roll back and answer it. ",
        [SFU_NO_OFFER] = "there is no offer to answer. ",
        [SFU_BAD_CANDIDATE] = "candidate: ",
        [SFU_TOO_MANY] = "the media server takes no more. ",
    };
    struct fault fault = {0};
    const char *opening = (size_t)event->reason < G_N_ELEMENTS(openings) ? openings[event->reason] : NULL;
    fault_say(&fault, errors[event->reason], "%s%s", opening ? opening : "",
              event->text ? event->text : sfu_reason_name(event->reason));
    settle(p, event->tag, &fault);
}

static void rx_candidate(struct participant *p, const struct sfu_event *event)
{
    event_sfu_candidate(p, event->text ? event->text : "");
}

static void rx_state(struct participant *p, const struct sfu_event *event)
{
    static const char *const told[] = {
        [SFU_CONNECTED] = "connected", [SFU_DISCONNECTED] = "disconnected", [SFU_FAILED] = "failed"};
    if ((size_t)event->state < G_N_ELEMENTS(told) && told[event->state]) {
        log_about(LOG_LEVEL_INFO, "media", p->room->id, NULL, "a participant's media is %s", told[event->state]);
        event_media_state(p, told[event->state]);
    }
    if (event->state == SFU_CONNECTED || event->state == SFU_FAILED)
        watch_media(p, event->state == SFU_CONNECTED);
}

static void rx_tracks(struct participant *p, const struct sfu_event *event)
{
    json_t *tracks = json_array();
    for (size_t i = 0; i < event->track_count; i++) {
        const struct sfu_track *track = &event->tracks[i];
        const struct participant *publisher = room_find(p->room, track->user);
        json_array_append_new(tracks,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "mid", track->mid, "userId", track->user, "name",
                                        publisher ? publisher->name : track->user, "kind",
                                        track->video ? "video" : "audio", "source", sfu_source_name(track->source)));
    }
    json_decref(p->tracks);
    p->tracks = tracks;
    event_tracks(p);
}

static void rx_published(struct participant *p, const struct sfu_event *event)
{
    if (event->source != SFU_SCREEN)
        return;
    bool is_sharing = event->on && !p->is_screen_off && p->role != ROLE_OBSERVER;
    if (is_sharing == p->is_sharing_screen)
        return;
    p->is_sharing_screen = is_sharing;
    media_announce(p);
}

// A peer that went without being asked to: the participant stays and may offer again.
static void rx_gone(struct participant *p, const struct sfu_event *event)
{
    log_debug("media", "room %s: the media of %s is gone: %s", p->room->id, p->user, sfu_reason_name(event->reason));
    struct fault fault = {0};
    fault_say(&fault, event->reason == SFU_TOO_MANY ? ERROR_BUSY : ERROR_INTERNAL, "the media connection is gone: %s",
              event->text ? event->text : sfu_reason_name(event->reason));
    forget_peer(p, &fault);
    event_tracks(p);
    event_media_state(p, "failed");
    watch_media(p, false);
}

static void rx_speaker(const struct hub *hub, const struct sfu_event *event)
{
    const struct room *room = g_hash_table_lookup(hub->roster.numbers, &event->room);
    if (room)
        event_active_speaker(room, g_hash_table_lookup(hub->roster.peers, &event->peer), event->level);
}

void media_rx(struct hub *hub, const struct sfu_event *event)
{
    static void (*const handlers[])(struct participant *, const struct sfu_event *) = {
        [SFU_OFFER] = rx_offer,     [SFU_ANSWER] = rx_answer,       [SFU_ACCEPTED] = rx_accepted,
        [SFU_REFUSED] = rx_refused, [SFU_CANDIDATE] = rx_candidate, [SFU_STATE] = rx_state,
        [SFU_TRACKS] = rx_tracks,   [SFU_PUBLISHED] = rx_published, [SFU_GONE] = rx_gone,
    };
    if (event->type == SFU_SPEAKER)
        return rx_speaker(hub, event);
    // What is said of a peer that has left meanwhile is news to nobody.
    struct participant *p = g_hash_table_lookup(hub->roster.peers, &event->peer);
    if (p && (size_t)event->type < G_N_ELEMENTS(handlers) && handlers[event->type])
        handlers[event->type](p, event);
}
