// What may a host do with the room and with those who wait? (rows of the table in commands.c)
// SPDX-License-Identifier: MIT
#include "signaling/commands_room.h"

#include "signaling/events.h"
#include "signaling/gate.h"
#include "signaling/presence.h"
#include "signaling/recording.h"
#include "signaling/waiting.h"

// ---- those who wait -----------------------------------------------------------------------------------------

// The one a request names; NULL when all are meant, or with the fault.
static struct knock *read_knock(struct request *r)
{
    bool is_all = field_bool(&r->fields, "all", false);
    const char *user = is_all ? NULL : field_need_id(&r->fields, "userId", is_user_id);
    struct knock *knock = user ? room_find_knock(r->me->room, user) : NULL;
    if (user && !knock)
        fault_say(&r->fault, ERROR_NOT_FOUND, "userId: nobody of that name waits");
    return knock;
}

void command_admit(struct request *r)
{
    const struct room *room = r->me->room;
    struct knock *one = read_knock(r);
    if (request_failed(r))
        return;
    if (one) {
        presence_admit(one, &r->fault);
        return;
    }
    guint stay = 0; // whoever cannot be let in does not hold up the others; the first reason is told
    while (room->knocks->len > stay)
        stay += !presence_admit(room->knocks->pdata[stay], &r->fault);
}

void command_deny(struct request *r)
{
    const struct room *room = r->me->room;
    struct knock *one = read_knock(r);
    if (request_failed(r))
        return;
    if (one)
        return waiting_deny(one, "denied");
    while (room->knocks->len > 0)
        waiting_deny(room->knocks->pdata[0], "denied");
}

// ---- the room -----------------------------------------------------------------------------------------------

void command_lock_room(struct request *r)
{
    struct policy_wish wish = {.waiting_room = -1, .record = -1, .locked = field_bool(&r->fields, "locked", true)};
    if (!request_failed(r))
        presence_change(r->me->room, &wish, r->me->user);
}

void command_update_room(struct request *r)
{
    struct policy_wish wish;
    policy_wish_read(&wish, &r->fields, r->hub->config->max_participants);
    if (wish.record >= 0 && !recording_may(r->me))
        fault_say(&r->fault, ERROR_FORBIDDEN, "record: you may not record this room");
    if (wish.record == 1)
        recording_is_possible(r->hub, &r->fault);
    if (request_failed(r) || (wish.password && !gate_may_hash(r->hub, &r->fault)))
        return;
    presence_change(r->me->room, &wish, r->me->user);
    request_reply(r, room_rules_json(r->me->room));
}
