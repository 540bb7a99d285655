// What is one command on its way to its answer? (what the files of commands have in common)
// SPDX-License-Identifier: MIT
#include "signaling/request.h"

bool request_failed(const struct request *r)
{
    return r->fault.error != ERROR_NONE;
}

void request_reply(struct request *r, json_t *data)
{
    r->is_answered = true;
    session_ack(r->session, r->message.id, data);
}

struct participant *request_participant(struct request *r, const char *field)
{
    const char *user = field_need_id(&r->fields, field, is_user_id);
    struct participant *p = user ? room_find(r->me->room, user) : NULL;
    if (user && !p)
        fault_say(&r->fault, ERROR_NOT_FOUND, "%s: nobody of that name is in the room", field);
    return p;
}
