// Which ears does a room have? (its recording, its taps)
// SPDX-License-Identifier: MIT
#include "sfu/audience.h"

#include "sfu/record_room.h"
#include "sfu/tap.h"

// ---- what happens in the room ------------------------------------------------------------------------------------

void audience_joined(struct audience *a, struct peer *peer)
{
    struct ear *ear;
    TAILQ_FOREACH (ear, &a->ears, entry) {
        if (ear->ops->joined)
            ear->ops->joined(ear, peer);
    }
}

void audience_leaving(struct audience *a, struct peer *peer)
{
    struct ear *ear;
    if (a->speaker == peer)
        a->speaker = NULL;
    TAILQ_FOREACH (ear, &a->ears, entry) {
        if (ear->ops->leaving)
            ear->ops->leaving(ear, peer);
    }
}

void audience_published(struct audience *a, struct peer *peer, struct track *track)
{
    struct ear *ear;
    TAILQ_FOREACH (ear, &a->ears, entry) {
        if (ear->ops->published)
            ear->ops->published(ear, peer, track);
    }
}

void audience_unpublished(struct audience *a, struct track *track)
{
    struct ear *ear;
    TAILQ_FOREACH (ear, &a->ears, entry) {
        if (ear->ops->unpublished)
            ear->ops->unpublished(ear, track);
    }
}

void audience_speaker(struct audience *a, const struct peer *peer)
{
    struct ear *ear;
    a->speaker = peer;
    TAILQ_FOREACH (ear, &a->ears, entry) {
        if (ear->ops->speaker)
            ear->ops->speaker(ear, peer);
    }
}

void audience_tick(struct audience *a, int64_t now_us, int64_t wall_us)
{
    struct ear *ear;
    TAILQ_FOREACH (ear, &a->ears, entry)
        ear->ops->tick(ear, now_us, wall_us);
}

// ---- coming and going --------------------------------------------------------------------------------------------

static void add(struct audience *a, struct ear *ear)
{
    TAILQ_INSERT_TAIL(&a->ears, ear, entry);
    struct peer *peer;
    TAILQ_FOREACH (peer, a->peers, entry) {
        struct track *track;
        if (ear->ops->joined)
            ear->ops->joined(ear, peer);
        TAILQ_FOREACH (track, &peer->ingress.uplink.tracks, entry) {
            if (ear->ops->published)
                ear->ops->published(ear, peer, track);
        }
    }
    if (a->speaker && ear->ops->speaker)
        ear->ops->speaker(ear, a->speaker);
}

static void end(struct audience *a, struct ear *ear, enum sfu_reason reason)
{
    TAILQ_REMOVE(&a->ears, ear, entry);
    if (ear == a->recording)
        a->recording = NULL;
    else
        a->tap_count--;
    ear->ops->free(ear, reason);
}

void audience_init(struct audience *a)
{
    TAILQ_INIT(&a->ears);
}

void audience_close(struct audience *a)
{
    while (!TAILQ_EMPTY(&a->ears))
        end(a, TAILQ_FIRST(&a->ears), SFU_CLOSED);
}

// ---- recording ---------------------------------------------------------------------------------------------------

static void post_recording(const struct audience *a, const struct command *command, bool on, enum sfu_reason reason,
                           const char *text)
{
    struct sfu_event event = {
        .type = SFU_RECORDING, .room = a->room, .tag = command->tag, .on = on, .reason = reason, .text = text};
    event_post(a->events, &event);
}

static void start_recording(struct audience *a, const struct command *command, int64_t now_us)
{
    if (a->recording && record_room_is_refused(a->recording))
        end(a, a->recording, SFU_DISK_FAILED);
    if (!a->inbox) {
        post_recording(a, command, false, SFU_DISK_FAILED, "no directory for recordings is configured");
        return;
    }
    if (a->recording) {
        post_recording(a, command, true, SFU_TOO_MANY, "this room is being recorded already");
        return;
    }
    struct record_room_config cfg = {.worker = a->worker,
                                     .events = a->events,
                                     .inbox = a->inbox,
                                     .room = a->room,
                                     .tag = command->tag,
                                     .dir = command->text};
    a->recording = record_room_new(&cfg, now_us);
    add(a, a->recording);
}

// The writer answers for a recording that it could begin.
static void stop_recording(struct audience *a, const struct command *command)
{
    if (!a->recording || record_room_is_refused(a->recording))
        post_recording(a, command, false, SFU_OK, NULL);
    if (!a->recording)
        return;
    record_room_set_tag(a->recording, command->tag);
    end(a, a->recording, SFU_OK);
}

// ---- taps --------------------------------------------------------------------------------------------------------

static struct ear *tap_find(const struct audience *a, uint64_t tag)
{
    struct ear *ear;
    TAILQ_FOREACH (ear, &a->ears, entry) {
        if (ear != a->recording && tap_tag(ear) == tag)
            return ear;
    }
    return NULL;
}

static void post_no_tap(const struct audience *a, const struct command *command, enum sfu_reason reason,
                        const char *text)
{
    struct sfu_event event = {.type = SFU_TAP,
                              .room = a->room,
                              .peer = command->peer,
                              .tag = command->tag,
                              .source = command->source,
                              .reason = reason,
                              .text = text};
    event_post(a->events, &event);
}

static void start_tap(struct audience *a, const struct command *command)
{
    struct tap_config cfg = {.worker = a->worker,
                             .events = a->events,
                             .sent = a->tapped,
                             .room = a->room,
                             .tag = command->tag,
                             .peer = command->peer,
                             .source = command->source,
                             .address = command->text,
                             .port = command->port};
    struct ear *old = tap_find(a, command->tag);
    if (old)
        end(a, old, SFU_OK);
    if (a->tap_count == SFU_TAPS_MAX) {
        post_no_tap(a, command, SFU_TOO_MANY, "this room has as many taps as it may");
        return;
    }
    struct ear *tap = tap_new(&cfg);
    if (!tap) {
        post_no_tap(a, command, SFU_BAD_ADDRESS, "nothing can be sent to this address and port");
        return;
    }
    a->tap_count++;
    add(a, tap);
}

static void stop_tap(struct audience *a, const struct command *command)
{
    struct ear *tap = tap_find(a, command->tag);
    if (tap)
        end(a, tap, SFU_OK);
    else
        post_no_tap(a, command, SFU_OK, NULL);
}

// ---- commands ----------------------------------------------------------------------------------------------------

bool audience_means(enum command_type type)
{
    return type >= COMMAND_RECORD_START;
}

void audience_command(struct audience *a, const struct command *command, int64_t now_us)
{
    switch (command->type) {
    case COMMAND_RECORD_START:
        start_recording(a, command, now_us);
        break;
    case COMMAND_RECORD_STOP:
        stop_recording(a, command);
        break;
    case COMMAND_RECORD_NOTE:
        if (a->recording)
            record_room_note(a->recording, command->text, now_us);
        break;
    case COMMAND_TAP_START:
        start_tap(a, command);
        break;
    default: // COMMAND_TAP_STOP
        stop_tap(a, command);
        break;
    }
}
