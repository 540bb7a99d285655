// Who waits before the door, and how does that end? (knock, denied, gone)
// SPDX-License-Identifier: MIT
#include "signaling/waiting.h"

#include "signaling/events.h"
#include "signaling/log.h"

struct knock *waiting_knock(struct session *session, struct room *room, const char *user, const char *name,
                            struct fault *fault)
{
    if (room->knocks->len >= KNOCKS_MAX) {
        fault_say(fault, ERROR_ROOM_FULL, "%d people wait to be let in already", KNOCKS_MAX);
        return NULL;
    }
    struct knock *knock = knock_add(room, session, user, name);
    session->knock = knock;
    log_debug("room", "%s: %s knocks", room->id, user);
    event_knock(knock, NULL);
    return knock;
}

void waiting_move(struct knock *knock, struct session *session)
{
    struct session *old = knock->session;
    old->knock = NULL;
    knock->session = session;
    session->knock = knock;
    session_close(old, CLOSE_NORMAL, "resumed on another socket");
}

void waiting_show(struct participant *host)
{
    for (guint i = 0; i < host->room->knocks->len; i++)
        event_knock(host->room->knocks->pdata[i], host);
}

static void end(struct knock *knock, const char *reason)
{
    log_debug("room", "%s: %s waits no more: %s", knock->room->id, knock->user, reason);
    event_knock_ended(knock, reason);
    knock->session->knock = NULL;
    knock_free(knock);
}

void waiting_deny(struct knock *knock, const char *reason)
{
    event_denied(knock, reason);
    end(knock, "denied");
}

void waiting_gone(struct knock *knock, const char *reason)
{
    end(knock, reason);
}
