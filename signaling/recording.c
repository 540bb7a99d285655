// Is this room recorded, who wants it to be, and who is told? (the state of a room's recording; no files here)
// SPDX-License-Identifier: MIT
#include "signaling/recording.h"

#include <string.h>

#include "signaling/crypto.h"
#include "signaling/events.h"
#include "signaling/librarian.h"
#include "signaling/log.h"

static struct hub *hub_of(const struct room *room)
{
    return room->roster->hub;
}

static bool is_always(const struct hub *hub)
{
    return hub->config->record_rooms == RECORD_ALWAYS;
}

// ---- who may ----------------------------------------------------------------------------------------------------

bool recording_may(const struct participant *p)
{
    return p->record == CLAIM_UNSAID ? p->role == ROLE_HOST : p->record == CLAIM_TRUE;
}

bool recording_may_identity(const struct identity *identity, const char *room)
{
    if (!identity)
        return true;
    bool may = identity->record == CLAIM_UNSAID ? identity->role == ROLE_HOST : identity->record == CLAIM_TRUE;
    return may && identity_covers(identity, room);
}

// Somebody in the room may with its session token what it may there.
static const struct participant *bearer_in(const struct room *room, const struct exchange *x)
{
    const char *bearer = http_bearer(x->request->authorization);
    return room && bearer ? room_find_token(room, bearer) : NULL;
}

struct room *recording_need_room(struct exchange *x, char by[USER_MAX + 1])
{
    const char *id = exchange_param(x, "id");
    struct room *room = roster_find(&x->hub->roster, id);
    const struct participant *p = bearer_in(room, x);
    bool is_trusted = auth_is_open(x->hub->auth) && !http_bearer(x->request->authorization) &&
                      http_address_is_loopback(x->request->address);
    bool may = is_trusted || (p ? recording_may(p) : x->identity && recording_may_identity(x->identity, id));
    g_strlcpy(by, p ? p->user : x->identity ? x->identity->user : "", USER_MAX + 1);
    if (!may)
        exchange_refuse(x, 403, "forbidden", "you may not record this room");
    else if (!room)
        exchange_refuse(x, 404, "not-found", "there is no room %s", id);
    return may ? room : NULL;
}

bool recording_is_possible(const struct hub *hub, struct fault *fault)
{
    if (!hub->config->recording_dir)
        fault_say(fault, ERROR_FORBIDDEN, "this server does not record: RECORDING_DIR is not set");
    else if (hub->config->record_rooms == RECORD_NEVER)
        fault_say(fault, ERROR_FORBIDDEN, "this server does not record: RECORD_ROOMS is never");
    return fault->error == ERROR_NONE;
}

// ---- what it says -----------------------------------------------------------------------------------------------

static void tell(const struct room *room)
{
    event_recording_changed(room, NULL, recording_json(room));
}

// It is over; `trouble` is why it did not end as it should have.
static void forget(struct room *room, enum sfu_reason trouble)
{
    json_t *last = recording_json(room);
    json_object_set_new(last, "recording", json_false());
    json_object_set_new(last, "state", json_string("off"));
    json_object_set_new(last, "reason", trouble ? json_string(sfu_reason_name(trouble)) : json_null());
    g_clear_pointer(&room->recording, g_free);
    event_recording_changed(room, NULL, last);
}

// ---- notes for the timeline -------------------------------------------------------------------------------------

static void note(const struct room *room, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    sfu_record_note(hub_of(room)->sfu, room->number, text);
    free(text);
    json_decref(json);
}

static void note_participant(const struct participant *p)
{
    note(p->room, json_pack("{s:s, s:s, s:s, s:s}", "type", "participant", "user", p->user, "name", p->name, "role",
                            role_name(p->role)));
}

static void note_tap(const struct room *room, const struct tap *tap, bool on)
{
    note(room, json_pack("{s:s, s:s, s:s}", "type", on ? "tap-started" : "tap-ended", "user", tap->user, "source",
                         sfu_source_name(tap->source)));
}

// Of what is being sent already.
static void note_taps(const struct room *room)
{
    for (guint i = 0; i < room->taps->len; i++) {
        const struct tap *tap = room->taps->pdata[i];
        if (tap->sdp)
            note_tap(room, tap, true);
    }
}

static bool is_recording(const struct room *room)
{
    return room->recording && room->number && room->recording->state != RECORDING_WAITING &&
           room->recording->state != RECORDING_STOPPING;
}

void recording_noted_mute(const struct participant *target, const char *by, const char *kind, bool muted)
{
    if (is_recording(target->room))
        note(target->room, json_pack("{s:s, s:s, s:s, s:s}", "type", muted ? "muted-by-host" : "unlocked-by-host",
                                     "user", target->user, "by", by, "kind", kind));
}

void recording_noted_tap(const struct room *room, const struct tap *tap, bool on)
{
    if (is_recording(room))
        note_tap(room, tap, on);
}

// ---- starting and stopping --------------------------------------------------------------------------------------

static void make_id(const struct hub *hub, char id[RECORDING_ID_CHARS + 1])
{
    GDateTime *now = g_date_time_new_from_unix_utc(hub->wall_ms / 1000);
    char *text = g_date_time_format(now, "%Y%m%dT%H%M%SZ-");
    g_strlcpy(id, text, RECORDING_ID_CHARS + 1);
    crypto_random_text(id + strlen(id), RECORDING_ID_CHARS - strlen(id));
    g_free(text);
    g_date_time_unref(now);
}

// Everybody is told before the media server is: nobody is recorded who could not know.
static void begin(struct room *room, const struct participant *but, uint64_t tag)
{
    struct hub *hub = hub_of(room);
    struct recording *r = room->recording;
    make_id(hub, r->id);
    r->state = RECORDING_STARTING;
    r->since_ms = hub->wall_ms;
    r->trouble = SFU_OK;
    event_recording_changed(room, but, recording_json(room));
    sfu_record_start(hub->sfu, room->number, tag, r->id);
    note(room, json_pack("{s:s, s:s, s:s?, s:s?}", "type", "room", "id", room->id, "title", room->policy.name,
                         "recordedBy", r->by[0] ? r->by : NULL));
    for (guint i = 0; i < room->participants->len; i++)
        note_participant(room->participants->pdata[i]);
    note_taps(room);
    log_info("recording", "%s begins", r->id);
}

static void want(struct room *room, const char *by, const struct participant *but, uint64_t tag)
{
    room->recording = g_new0(struct recording, 1);
    room->recording->since_ms = hub_of(room)->wall_ms;
    g_strlcpy(room->recording->by, by ? by : "", sizeof(room->recording->by));
    if (room->number)
        begin(room, but, tag);
    else
        make_id(hub_of(room), room->recording->id);
}

bool recording_start(struct room *room, const char *by, uint64_t tag, struct fault *fault)
{
    if (!recording_is_possible(hub_of(room), fault))
        return false;
    if (room->recording)
        return !fault_say(fault, ERROR_BUSY,
                          room->recording->state == RECORDING_STOPPING
                              ? "the recording that was stopped is still being written"
                              : "this room is being recorded already");
    room->is_record_declined = false;
    want(room, by, NULL, tag);
    if (!room->number)
        tell(room);
    return true;
}

bool recording_stop(struct room *room, const char *by, uint64_t tag, struct fault *fault)
{
    struct recording *r = room->recording;
    if (!r || r->state == RECORDING_STOPPING)
        return !fault_say(fault, ERROR_NOT_FOUND, "this room is not being recorded");
    if (is_always(hub_of(room)))
        return !fault_say(fault, ERROR_FORBIDDEN, "every room of this server is recorded: RECORD_ROOMS is always");
    room->is_record_declined = true;
    log_info("recording", "%s is stopped", r->id);
    if (r->state == RECORDING_WAITING) {
        forget(room, SFU_OK);
        return true;
    }
    if (by)
        g_strlcpy(r->by, by, sizeof(r->by));
    r->state = RECORDING_STOPPING;
    tell(room);
    sfu_record_stop(hub_of(room)->sfu, room->number, tag);
    return true;
}

// ---- what others tell it ----------------------------------------------------------------------------------------

// Whoever brings the room's first media is in the middle of its join, and told with it.
void recording_media_began(struct room *room, const struct participant *first)
{
    const struct hub *hub = hub_of(room);
    bool is_wanted = is_always(hub) || (room->policy.is_recorded && !room->is_record_declined);
    struct fault fault = {0};
    if (room->recording)
        begin(room, first, 0);
    else if (is_wanted && recording_is_possible(hub, &fault))
        want(room, NULL, first, 0);
}

// The media server ends the recording by itself. What was to be recorded waits for the next beginning.
void recording_media_ended(struct room *room)
{
    struct recording *r = room->recording;
    if (!r)
        return;
    if (r->state == RECORDING_STOPPING)
        return forget(room, SFU_OK);
    r->state = RECORDING_WAITING;
    r->trouble = SFU_OK;
    tell(room);
}

void recording_joined(const struct participant *p)
{
    if (is_recording(p->room))
        note_participant(p);
}

// Answers whoever asked for it.
static void settle(struct hub *hub, const struct room *room, const struct sfu_event *event, bool is_ok)
{
    const char *id = room && room->recording ? room->recording->id : event->text;
    struct exchange *x = exchange_find(hub, event->tag);
    struct fault fault = {0};
    if (!is_ok)
        fault_say(&fault, ERROR_INTERNAL, "it cannot be recorded: %s", event->text ? event->text : "the disk failed");
    for (guint i = 0; room && i < room->participants->len; i++) {
        const struct participant *p = room->participants->pdata[i];
        if (p->session)
            session_settle(p->session, event->tag, is_ok ? NULL : &fault);
    }
    if (x && !is_ok)
        exchange_fail(x, &fault);
    else if (x)
        exchange_answer(x, event->on ? 201 : 200,
                        json_pack("{s:s?, s:s?, s:b}", "roomId", room ? room->id : NULL, "recordingId", id,
                                  "recording", event->on));
}

static void rx_on(struct room *room, const struct sfu_event *event)
{
    struct recording *r = room->recording;
    if (r->state == RECORDING_STOPPING || r->state == RECORDING_WAITING)
        return;
    bool is_pause = event->reason == SFU_DISK_FULL || event->reason == SFU_DISK_FAILED;
    r->state = is_pause ? RECORDING_PAUSED : RECORDING_ON;
    r->trouble = event->reason;
    if (event->reason != SFU_OK)
        log_warn("recording", "%s: %s", r->id, event->text ? event->text : sfu_reason_name(event->reason));
    tell(room);
}

void recording_rx(struct hub *hub, const struct sfu_event *event)
{
    struct room *room = g_hash_table_lookup(hub->roster.numbers, &event->room);
    bool is_failure = event->reason == SFU_DISK_FAILED && !event->on;
    settle(hub, room, event, !is_failure);
    if (room && room->recording && event->on)
        rx_on(room, event);
    else if (room && room->recording)
        forget(room, is_failure ? event->reason : SFU_OK);
    if (!event->on && event->text)
        librarian_announce(hub->librarian, event->text);
}
