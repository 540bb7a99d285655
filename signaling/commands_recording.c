// Who may start and stop the recording of the room they are in? (rows of the table in commands.c)
// SPDX-License-Identifier: MIT
#include "signaling/commands_recording.h"

#include "signaling/recording.h"

static void change(struct request *r, bool (*how)(struct room *, const char *, uint64_t, struct fault *))
{
    struct room *room = r->me->room;
    if (!recording_may(r->me))
        fault_say(&r->fault, ERROR_FORBIDDEN, "you may not record this room");
    uint64_t tag = ++r->hub->last_tag;
    if (request_failed(r) || !how(room, r->me->user, tag, &r->fault))
        return;
    bool is_asked = room->number && room->recording; // the media server answers
    r->is_answered = is_asked && session_wait(r->session, tag, r->message.id, r->message.event);
}

void command_recording_start(struct request *r)
{
    change(r, recording_start);
}

void command_recording_stop(struct request *r)
{
    change(r, recording_stop);
}
