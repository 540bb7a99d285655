// Who asks something of a call over HTTP, and may they? (what the routes of calls have in common)
// SPDX-License-Identifier: MIT
#include "signaling/caller.h"

#include <string.h>

#include "signaling/call_events.h"
#include "signaling/call_past.h"

enum { NAME_CHARS_MAX = 64 };

bool caller_read(struct exchange *x, const struct dialect *dialect, struct actor *actor)
{
    const char *said = field_id(&x->body, "userId", is_user_id);
    const char *asked = said ? said : field_id(&x->query, "user", is_user_id);
    const char *name = field_text(&x->body, "userName", NAME_CHARS_MAX);
    if (x->identity && asked && strcmp(asked, x->identity->user) != 0)
        fault_say(&x->fault, ERROR_FORBIDDEN, "userId: the token is of %s", x->identity->user);
    if (!x->identity && !asked)
        fault_say(&x->fault, ERROR_BAD_FIELD, "userId: needed, there is no token to tell who asks");
    if (exchange_is_wrong(x))
        return false;
    *actor = x->identity ? actor_of_identity(x->identity, dialect)
                         : (struct actor){.user = asked, .name = name, .dialect = dialect};
    return true;
}

// NULL: it is not one of those that are known without the store, or not the caller's; then the fault says so.
static struct call *find(const struct exchange *x, const struct actor *actor, const char *id, struct fault *fault)
{
    struct call *call = calls_find(x->hub, id);
    return !call || call->is_awaiting ? call : calls_need(x->hub, actor->user, id, fault);
}

static void refuse(struct exchange *x, const struct fault *fault)
{
    if (fault->error == ERROR_INTERNAL)
        exchange_refuse(x, 503, "internal", "%s", fault->text);
    else
        exchange_fail(x, fault);
}

json_t *caller_need_json(struct exchange *x, const struct actor *actor, const char *id)
{
    struct fault fault = {0};
    const struct call *call = find(x, actor, id, &fault);
    json_t *json = call ? call_json(x->hub, call) : NULL;
    if (!call && fault.error == ERROR_NONE)
        json = past_find(x->hub->store, actor->user, id, &fault);
    if (!json)
        refuse(x, &fault);
    return json;
}

struct call *caller_need_call(struct exchange *x, const struct actor *actor, const char *id)
{
    struct fault fault = {0};
    struct call *call = find(x, actor, id, &fault);
    if (call && !call_is_over(call))
        return call;
    json_t *past = call || fault.error ? NULL : past_find(x->hub->store, actor->user, id, &fault);
    if (call || past)
        fault_say(&fault, ERROR_ROOM_CLOSED, "callId: that call is over");
    json_decref(past);
    refuse(x, &fault);
    return NULL;
}

struct participant *caller_need_place(struct exchange *x, const struct actor *actor, struct call *call)
{
    struct fault fault = {0};
    const struct call_member *member = call_find(call, actor->user);
    if (!member || member->status != MEMBER_JOINED) {
        exchange_refuse(x, 403, "forbidden", "callId: answer the call first");
        return NULL;
    }
    struct participant *p = calls_adopt(x->hub, call, actor, &fault);
    if (p)
        return p;
    fault_say(
        &fault, ERROR_BUSY,
        "none of your sockets is in the call: open /ws as this user and say {\"event\":\"CALL_ANSWER\",\"data\":"
        "{\"callId\":\"%s\"}}, then ask again",
        call->id);
    exchange_fail(x, &fault);
    return NULL;
}

struct call *caller_start(struct exchange *x, const struct actor *actor, const struct call_wish *wish)
{
    const struct calls_sink *sink = &x->hub->calls->sink;
    struct fault fault = {0};
    if (sink->may_begin && !sink->may_begin(sink->arg)) {
        exchange_refuse(x, 503, "busy", "the server cannot keep a record of another call now");
        return NULL;
    }
    struct call *call = calls_start(x->hub, actor, wish, &fault);
    if (!call)
        exchange_fail(x, &fault);
    return call;
}
