// May this newcomer come into that room: at once, after waiting, or not? (lock, password, waiting room)
// SPDX-License-Identifier: MIT
#include "signaling/gate.h"

bool gate_may_hash(struct hub *hub, struct fault *fault)
{
    if (bucket_take(&hub->passwords, 1, hub->now_us))
        return true;
    fault_say(fault, ERROR_RATE_LIMITED, "password: too many at a time; try again in a few seconds");
    return false;
}

static enum gate refuse(struct fault *fault, const char *reason, const char *text)
{
    fault_say(fault, ERROR_FORBIDDEN, "%s", text);
    fault->reason = reason;
    return GATE_CLOSED;
}

static struct bucket *tries_of(struct hub *hub, const struct room *room, const char *address)
{
    char place[PLACE_SIZE], key[PLACE_SIZE + ROOM_ID_MAX + 2];
    place_of(place, address);
    g_snprintf(key, sizeof(key), "%s %s", place, room->id);
    return crowd_find(&hub->newcomers, key);
}

static bool take_try(struct bucket *tries, const struct hub *hub, struct fault *fault)
{
    if (bucket_take(tries, 1, hub->now_us))
        return true;
    fault_say(fault, ERROR_RATE_LIMITED, "too many tries at this room; wait %d seconds", TRIES_EVERY_S);
    return false;
}

// What was right costs no try: a group that comes in from one office is not held up.
static bool knows_password(struct hub *hub, const struct room *room, const struct newcomer *who, struct fault *fault)
{
    struct bucket *here = tries_of(hub, room, who->session->address), *anywhere = crowd_find(&hub->tried, room->id);
    if (!room->policy.password)
        return true;
    if (!who->password || !*who->password)
        return refuse(fault, "password-needed", "password: this room asks for one"), false;
    if (!take_try(here, hub, fault) || !take_try(anywhere, hub, fault) || !gate_may_hash(hub, fault))
        return false;
    if (!policy_password_matches(&room->policy, who->password))
        return refuse(fault, "password-wrong", "password: it is not the one of this room"), false;
    bucket_give(here, 1);
    bucket_give(anywhere, 1);
    return true;
}

enum gate gate_try(struct hub *hub, struct room *room, const struct newcomer *who, struct fault *fault)
{
    if (who->is_trusted)
        return GATE_OPEN;
    bool is_first_host = who->is_host && room->participants->len == 0; // nobody else could open it
    if (room->policy.is_locked && !is_first_host)
        return refuse(fault, "locked", "the room is locked: the host lets nobody in at the moment");
    if (!knows_password(hub, room, who, fault))
        return GATE_CLOSED;
    if (who->is_host || !room->policy.has_waiting_room)
        return GATE_OPEN;
    return take_try(tries_of(hub, room, who->session->address), hub, fault) ? GATE_WAIT : GATE_CLOSED;
}
