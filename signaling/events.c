// What does the server say by itself? (one function per event, in the model's names)
// SPDX-License-Identifier: MIT
#include "signaling/events.h"

#include "signaling/ice_servers.h"

// ---- ways to say it: each takes data ------------------------------------------------------------------------

// Whoever may be in more than one call over one socket has to know which this is about.
static void tag(const struct room *room, json_t *data)
{
    if (!room->call)
        return;
    json_object_set_new(data, "callId", json_string(room->call->id));
    json_object_set_new(data, "roomId", json_string(room->id));
}

static void tell(struct participant *to, const char *event, json_t *data)
{
    tag(to->room, data);
    if (to->session)
        session_send(to->session, event, data);
    else
        json_decref(data);
}

static void deliver(struct participant *to, const char *event, json_t *data)
{
    tag(to->room, data);
    if (to->session)
        return session_send(to->session, event, data);
    participant_keep(to, event, data);
    json_decref(data);
}

static void tell_all(const struct room *room, const struct participant *but, const char *event, json_t *data)
{
    struct announcement words = {.event = event, .data = data};
    tag(room, data);
    for (guint i = 0; i < room->participants->len; i++) {
        const struct participant *to = room->participants->pdata[i];
        if (to != but && to->session)
            session_announce(to->session, &words);
    }
    announcement_clear(&words);
}

// ---- shapes -------------------------------------------------------------------------------------------------

json_t *participant_json(const struct participant *p)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "userId", p->user, "name", p->name, "role",
                             role_name(p->role), "isMuted", p->is_muted, "isVideoEnabled", p->is_video_enabled,
                             "isSharingScreen", p->is_sharing_screen);
    if (p->avatar)
        json_object_set_new(json, "avatar", json_string(p->avatar));
    return json;
}

json_t *participants_json(const struct room *room)
{
    json_t *list = json_array();
    for (guint i = 0; i < room->participants->len; i++)
        json_array_append_new(list, participant_json(room->participants->pdata[i]));
    return list;
}

json_t *room_rules_json(const struct room *room)
{
    const struct policy *policy = &room->policy;
    const struct hub *hub = room->roster->hub;
    int64_t size = policy->max_participants ? policy->max_participants : hub->config->max_participants;
    return json_pack("{s:s?, s:b, s:b, s:I, s:b, s:b}", "name", policy->name, "locked", policy->is_locked,
                     "waitingRoom", policy->has_waiting_room, "maxParticipants", (json_int_t)size, "record",
                     policy->is_recorded, "hasPassword", policy->password != NULL);
}

json_t *recording_json(const struct room *room)
{
    static const char *const states[] = {"waiting", "starting", "on", "paused", "stopping"};
    const struct recording *r = room->recording;
    char since[TIMESTAMP_SIZE];
    if (!r)
        return json_pack("{s:b, s:n, s:s, s:n}", "recording", 0, "by", "state", "off", "reason");
    timestamp_print(since, r->since_ms);
    bool is_on = r->state != RECORDING_WAITING && r->state != RECORDING_STOPPING;
    return json_pack("{s:b, s:s?, s:s, s:s, s:s, s:s?}", "recording", is_on, "by", r->by[0] ? r->by : NULL, "state",
                     states[r->state], "since", since, "recordingId", r->id, "reason",
                     r->trouble ? sfu_reason_name(r->trouble) : NULL);
}

json_t *taps_json(const struct room *room)
{
    json_t *list = json_array();
    for (guint i = 0; i < room->taps->len; i++) {
        const struct tap *tap = room->taps->pdata[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "userId", tap->user, "source",
                                              sfu_source_name(tap->source), "active", tap->sdp != NULL));
    }
    return list;
}

// Whose it is to record: nobody's, whoever is host, this one's by its token.
static const char *record_right(const struct participant *p)
{
    const struct config *config = p->room->roster->hub->config;
    if (!config->recording_dir || config->record_rooms != RECORD_HOST || p->record == CLAIM_FALSE)
        return "none";
    return p->record == CLAIM_TRUE ? "self" : "host";
}

static const char *host_of(const struct room *room)
{
    const struct participant *host = room_host(room);
    return host ? host->user : NULL;
}

json_t *joined_json(const struct participant *p, bool resumed)
{
    const struct hub *hub = p->session->hub;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s?, s:o, s:o, s:s, s:o, s:b}", "roomId", p->room->id,
                     "userId", p->user, "name", p->name, "role", role_name(p->role), "sessionToken", p->session_token,
                     "participants", participants_json(p->room), "iceServers",
                     ice_servers(hub->config, p->user, hub->wall_ms), "hostId", host_of(p->room), "room",
                     room_rules_json(p->room), "recording", recording_json(p->room), "recordRight", record_right(p),
                     "taps", taps_json(p->room), "resumed", resumed);
}

static json_t *description_json(const char *type, const char *sdp)
{
    return json_pack("{s:s, s:{s:s, s:s}}", "from", "sfu", "sdp", "type", type, "sdp", sdp);
}

// ---- coming and going ---------------------------------------------------------------------------------------

void event_ice_servers(struct participant *p)
{
    if (!p->session)
        return;
    const struct hub *hub = p->session->hub;
    json_t *servers = ice_servers(hub->config, p->user, hub->wall_ms);
    p->ice_told_us = hub->now_us;
    tell(p, "ice-servers", json_pack("{s:o}", "iceServers", servers));
}

void event_room_participants(struct participant *p)
{
    tell(p, "room-participants",
         json_pack("{s:s, s:s, s:s?, s:s, s:o}", "roomId", p->room->id, "userId", p->user, "hostId", host_of(p->room),
                   "recordRight", record_right(p), "participants", participants_json(p->room)));
}

void event_server_draining(struct session *session)
{
    const struct hub *hub = session->hub;
    int64_t left_us = MAX(hub->drain_until_us - hub->now_us, 0);
    session_send(session, "server-draining", json_pack("{s:I}", "secondsLeft", (json_int_t)(left_us / 1000000)));
}

void event_user_connected(const struct participant *p)
{
    tell_all(p->room, p, "user-connected", participant_json(p));
}

void event_user_disconnected(const struct participant *p, const char *reason)
{
    tell_all(p->room, p, "user-disconnected",
             json_pack("{s:s, s:s, s:s}", "userId", p->user, "name", p->name, "reason", reason));
}

void event_replaced(struct participant *p)
{
    tell(p, "user-disconnected",
         json_pack("{s:s, s:s, s:s}", "userId", p->user, "name", p->name, "reason", "replaced"));
}

void event_remove_participant(struct participant *target, const char *from, const char *reason)
{
    tell(target, "remove-participant",
         json_pack("{s:s, s:s, s:s?}", "targetId", target->user, "from", from, "reason", reason));
}

void event_close_room(const struct room *room, const char *by, const char *reason)
{
    json_t *data = json_pack("{s:s, s:s?, s:s?}", "roomId", room->id, "by", by, "reason", reason);
    if (room->call) {
        json_object_set_new(data, "status", json_string(call_status_name(room->call->status)));
        json_object_set_new(data, "duration", json_integer(room->call->duration_s));
    }
    tell_all(room, NULL, "close-room", data);
}

void event_host_changed(const struct room *room, const struct participant *but)
{
    tell_all(room, but, "host-changed", json_pack("{s:s?}", "hostId", host_of(room)));
}

void event_room_changed(const struct room *room, const char *by)
{
    json_t *data = room_rules_json(room);
    json_object_set_new(data, "roomId", json_string(room->id));
    json_object_set_new(data, "by", by ? json_string(by) : json_null());
    tell_all(room, NULL, "room-changed", data);
}

void event_recording_changed(const struct room *room, const struct participant *but, json_t *data)
{
    tell_all(room, but, "recording-changed", data);
}

void event_recording_state(struct participant *p)
{
    tell(p, "recording-changed", recording_json(p->room));
}

void event_tap_changed(const struct room *room)
{
    tell_all(room, NULL, "tap-changed", json_pack("{s:o}", "taps", taps_json(room)));
}

void event_tap_state(struct participant *p)
{
    tell(p, "tap-changed", json_pack("{s:o}", "taps", taps_json(p->room)));
}

// ---- before the door ----------------------------------------------------------------------------------------

void event_waiting(const struct knock *knock)
{
    session_send(knock->session, "waiting",
                 json_pack("{s:s, s:s}", "roomId", knock->room->id, "userId", knock->user));
}

void event_denied(const struct knock *knock, const char *reason)
{
    session_send(knock->session, "denied", json_pack("{s:s, s:s}", "roomId", knock->room->id, "reason", reason));
}

void event_admitted(struct participant *p)
{
    tell(p, "admitted", joined_json(p, false));
}

static void tell_hosts(const struct room *room, const char *event, json_t *data)
{
    for (guint i = 0; i < room->participants->len; i++) {
        struct participant *to = room->participants->pdata[i];
        if (to->role == ROLE_HOST)
            tell(to, event, json_incref(data));
    }
    json_decref(data);
}

void event_knock(const struct knock *knock, struct participant *host)
{
    json_t *data = json_pack("{s:s, s:s}", "userId", knock->user, "name", knock->name);
    if (knock->avatar)
        json_object_set_new(data, "avatar", json_string(knock->avatar));
    if (host)
        tell(host, "knock", data);
    else
        tell_hosts(knock->room, "knock", data);
}

void event_knock_ended(const struct knock *knock, const char *reason)
{
    tell_hosts(knock->room, "knock-ended", json_pack("{s:s, s:s}", "userId", knock->user, "reason", reason));
}

// ---- what people do -----------------------------------------------------------------------------------------

void event_user_heartbeat(const struct participant *p)
{
    tell_all(p->room, p, "user-heartbeat", json_pack("{s:s}", "userId", p->user));
}

void event_media_changed(const struct participant *p)
{
    tell_all(p->room, NULL, "media-changed",
             json_pack("{s:s, s:s, s:b, s:b, s:b}", "userId", p->user, "name", p->name, "isMuted", p->is_muted,
                       "isVideoEnabled", p->is_video_enabled, "isSharingScreen", p->is_sharing_screen));
}

void event_mute_participant(struct participant *target, const char *from, const char *kind, bool muted, bool locked)
{
    tell(target, "mute-participant",
         json_pack("{s:s, s:s, s:s, s:b, s:b}", "targetId", target->user, "from", from, "kind", kind, "muted", muted,
                   "locked", locked));
}

void event_chat_message(const struct participant *from, struct participant *to, const char *text)
{
    char timestamp[TIMESTAMP_SIZE];
    timestamp_print(timestamp, from->session->hub->wall_ms);
    json_t *data = json_pack("{s:s, s:s, s:s, s:s}", "from", from->user, "name", from->name, "text", text,
                             "timestamp", timestamp);
    if (to) {
        json_object_set_new(data, "to", json_string(to->user));
        return deliver(to, "chat-message", data);
    }
    for (guint i = 0; i < from->room->participants->len; i++) {
        struct participant *one = from->room->participants->pdata[i];
        if (one != from)
            deliver(one, "chat-message", json_incref(data));
    }
    json_decref(data);
}

json_t *relay_json(const char *from, const char *name, const json_t *data)
{
    json_t *copy = json_copy((json_t *)data);
    json_object_set_new(copy, "from", json_string(from));
    json_object_set_new(copy, "fromName", json_string(name));
    return copy;
}

void event_relay(const char *from, const char *name, struct participant *to, const char *event, const json_t *data)
{
    deliver(to, event, relay_json(from, name, data));
}

// ---- what the media server says -----------------------------------------------------------------------------

void event_sfu_offer(struct participant *p)
{
    if (p->offer)
        tell(p, "signal-offer", description_json("offer", p->offer));
}

void event_sfu_answer(struct participant *p, const char *sdp)
{
    deliver(p, "signal-answer", description_json("answer", sdp));
}

void event_sfu_candidate(struct participant *p, const char *candidate)
{
    deliver(p, "ice-candidate",
            json_pack("{s:s, s:{s:s, s:i}}", "from", "sfu", "candidate", "candidate", candidate, "sdpMLineIndex", 0));
}

void event_tracks(struct participant *p)
{
    json_t *tracks = p->tracks ? json_incref(p->tracks) : json_array();
    tell(p, "tracks", json_pack("{s:o}", "tracks", tracks));
}

void event_active_speaker(const struct room *room, const struct participant *speaker, int level)
{
    tell_all(room, NULL, "active-speaker",
             json_pack("{s:s?, s:i}", "userId", speaker ? speaker->user : NULL, "level", level));
}

void event_media_state(struct participant *p, const char *state)
{
    tell(p, "media-state", json_pack("{s:s}", "state", state));
}

void event_missed(struct participant *p)
{
    struct missed *missed;
    while (p->session && (missed = g_queue_pop_head(&p->missed))) {
        session_send(p->session, missed->event, missed->data);
        g_free(missed);
    }
}
