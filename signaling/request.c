// What is one command on its way to its answer? (what the files of commands have in common)
// SPDX-License-Identifier: MIT
#include "signaling/request.h"

#include <errno.h>
#include <string.h>

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

void request_token(struct request *r, const char *session_token)
{
    const char *token = field_text(&r->fields, "token", TOKEN_MAX);
    char why[120];
    struct identity identity;
    if (!token || auth_is_open(r->hub->auth) || request_failed(r))
        return;
    int rc = auth_verify(r->hub->auth, token, r->hub->wall_ms, &identity, why, sizeof(why));
    if (rc == -ETIME && session_token)
        return;
    if (rc != 0) {
        fault_say(&r->fault, ERROR_UNAUTHORIZED, "token: %s", why);
        return;
    }
    const struct account *mine = r->session->user;
    bool is_same = mine && strcmp(mine->key, identity.user) == 0;
    if (!is_same && hub_user_is_full(r->hub, identity.user)) {
        fault_say(&r->fault, ERROR_RATE_LIMITED, "you have too many connections open (MAX_CONNECTIONS_PER_USER)");
        return identity_clear(&identity);
    }
    session_set_identity(r->session, &identity);
}
