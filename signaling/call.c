// What is a call, who takes part in it, and what becomes of it? (data and time; nobody is told anything here)
// SPDX-License-Identifier: MIT
#include "signaling/call.h"

#include <string.h>

#include "signaling/crypto.h"

static const int64_t SECOND_US = 1000000;

const char *call_type_name(enum call_type type)
{
    return type == CALL_AUDIO ? "AUDIO" : "VIDEO";
}

const char *call_status_name(enum call_status status)
{
    static const char *const names[] = {"RINGING", "CONNECTING", "CONNECTED", "ENDED",
                                        "MISSED",  "DECLINED",   "FAILED",    "BUSY"};
    return names[status];
}

const char *member_status_name(enum member_status status)
{
    static const char *const names[] = {"RINGING", "JOINED", "DECLINED", "LEFT", "MISSED", "BUSY"};
    return names[status];
}

// ---- call and members ---------------------------------------------------------------------------------------

static void member_free(void *arg)
{
    struct call_member *member = arg;
    g_free(member->name);
    g_free(member->avatar);
    g_free(member->reason);
    g_free(member);
}

static struct call_member *member_add(struct call *call, const char *user, struct moment now)
{
    struct call_member *member = g_new0(struct call_member, 1);
    g_strlcpy(member->user, user, sizeof(member->user));
    member->invited_ms = now.ms;
    member->is_video_enabled = call->type == CALL_VIDEO;
    g_ptr_array_add(call->members, member);
    return member;
}

struct call *call_new(enum call_type type, const char *initiator, const char *name, const char *avatar,
                      struct moment now)
{
    struct call *call = g_new0(struct call, 1);
    crypto_uuid(call->id);
    crypto_uuid(call->room_id);
    call->type = type;
    call->dialect = &dialect_signal;
    call->members = g_ptr_array_new_with_free_func(member_free);
    call->started_ms = call->changed_ms = now.ms;
    g_strlcpy(call->started_by, initiator, sizeof(call->started_by));
    struct call_member *member = member_add(call, initiator, now);
    call_member_name(member, name, avatar);
    call_member_join(call, member, now);
    return call;
}

void call_free(struct call *call)
{
    g_ptr_array_free(call->members, TRUE);
    g_free(call->chat_id);
    g_free(call->room_name);
    g_free(call->reason);
    g_free(call);
}

bool call_is_over(const struct call *call)
{
    return call->status >= CALL_ENDED;
}

struct call_member *call_find(const struct call *call, const char *user)
{
    for (guint i = 0; i < call->members->len; i++) {
        struct call_member *member = call->members->pdata[i];
        if (strcmp(member->user, user) == 0)
            return member;
    }
    return NULL;
}

struct call_member *call_initiator(const struct call *call)
{
    return call->members->pdata[0];
}

unsigned call_count(const struct call *call, enum member_status status)
{
    unsigned count = 0;
    for (guint i = 0; i < call->members->len; i++)
        count += ((const struct call_member *)call->members->pdata[i])->status == status;
    return count;
}

int64_t call_duration_s(const struct call *call, struct moment now)
{
    if (call_is_over(call) || !call->connected_us)
        return call->duration_s;
    return (now.us - call->connected_us) / SECOND_US;
}

// ---- what happens to a member -------------------------------------------------------------------------------

static void set_reason(char **at, const char *reason)
{
    g_free(*at);
    *at = g_strdup(reason);
}

void call_member_name(struct call_member *member, const char *name, const char *avatar)
{
    if (name)
        set_reason(&member->name, name);
    if (avatar)
        set_reason(&member->avatar, avatar);
}

struct call_member *call_invite(struct call *call, const char *user, const char *name, const char *avatar,
                                int64_t ring_us, struct moment now)
{
    struct call_member *member = call_find(call, user);
    if (!member)
        member = member_add(call, user, now);
    call_member_name(member, name, avatar);
    set_reason(&member->reason, NULL);
    member->status = MEMBER_RINGING;
    member->is_removed = false;
    member->invited_ms = call->changed_ms = now.ms;
    member->left_ms = 0;
    member->ring_until_us = now.us + ring_us;
    call->is_awaiting = false;
    return member;
}

void call_uninvite(struct call *call, struct call_member *guest)
{
    g_ptr_array_remove(call->members, guest);
    call->is_awaiting = true;
}

void call_member_join(struct call *call, struct call_member *member, struct moment now)
{
    member->status = MEMBER_JOINED;
    member->joined_ms = call->changed_ms = now.ms;
    member->left_ms = member->ring_until_us = 0;
    member->is_connected = false;
    set_reason(&member->reason, NULL);
}

void call_member_out(struct call *call, struct call_member *member, enum member_status status, const char *reason,
                     struct moment now)
{
    member->status = status;
    member->left_ms = call->changed_ms = now.ms;
    member->ring_until_us = 0;
    member->is_connected = false;
    set_reason(&member->reason, reason);
}

void call_member_connected(struct call *call, struct call_member *member, bool is_connected, struct moment now)
{
    member->is_connected = is_connected;
    call->changed_ms = now.ms;
}

// ---- what becomes of the call -------------------------------------------------------------------------------

enum call_status call_end_status(const struct call *call)
{
    return call->status == CALL_RINGING ? CALL_MISSED : CALL_ENDED;
}

void call_finish(struct call *call, enum call_status status, const char *by, const char *reason, struct moment now)
{
    g_assert(!call_is_over(call) && status >= CALL_ENDED);
    for (guint i = 0; i < call->members->len; i++) {
        struct call_member *member = call->members->pdata[i];
        member->was_there = member->status == MEMBER_RINGING || member->status == MEMBER_JOINED;
        if (member->was_there)
            call_member_out(call, member, member->status == MEMBER_RINGING ? MEMBER_MISSED : MEMBER_LEFT, NULL, now);
    }
    call->duration_s = call_duration_s(call, now);
    call->status = status;
    call->ended_ms = call->changed_ms = now.ms;
    call->is_awaiting = false;
    g_strlcpy(call->ended_by, by ? by : "", sizeof(call->ended_by));
    set_reason(&call->reason, reason);
}

// Nobody accepted and nobody rings any more.
static enum call_status unanswered_status(const struct call *call)
{
    if (call_count(call, MEMBER_MISSED) > 0)
        return CALL_MISSED;
    return call_count(call, MEMBER_DECLINED) > 0 ? CALL_DECLINED
           : call_count(call, MEMBER_BUSY) > 0   ? CALL_BUSY
                                                 : CALL_MISSED;
}

static const char *unanswered_reason(enum call_status status)
{
    return status == CALL_BUSY ? "busy" : status == CALL_DECLINED ? "declined" : "no-answer";
}

static bool settle_ringing(struct call *call, const char *by, const char *reason, struct moment now)
{
    if (call_initiator(call)->status != MEMBER_JOINED)
        return call_finish(call, CALL_MISSED, by, reason ? reason : "cancelled", now), true;
    if (call_count(call, MEMBER_JOINED) >= 2) {
        call->status = CALL_CONNECTING;
        call->answered_ms = call->changed_ms = now.ms;
        call->is_awaiting = false;
        return true;
    }
    if (call->is_awaiting || call_count(call, MEMBER_RINGING) > 0)
        return false;
    enum call_status status = unanswered_status(call);
    call_finish(call, status, by, reason ? reason : unanswered_reason(status), now);
    return true;
}

static unsigned connected_count(const struct call *call)
{
    unsigned count = 0;
    for (guint i = 0; i < call->members->len; i++)
        count += ((const struct call_member *)call->members->pdata[i])->is_connected;
    return count;
}

// Time to connect is counted while there are two who could.
static void settle_deadline(struct call *call, struct moment now)
{
    bool is_counting = call->status == CALL_CONNECTING && call_count(call, MEMBER_JOINED) >= 2;
    if (!is_counting)
        call->connect_until_us = 0;
    else if (!call->connect_until_us)
        call->connect_until_us = now.us + CALL_CONNECT_S * SECOND_US;
}

// One alone is kept company by those who ring still; nobody is not.
static bool is_deserted(const struct call *call)
{
    unsigned joined = call_count(call, MEMBER_JOINED);
    return joined == 0 || (joined == 1 && call_count(call, MEMBER_RINGING) == 0);
}

bool call_settle(struct call *call, const char *by, const char *reason, struct moment now)
{
    bool changed = false;
    if (call_is_over(call))
        return false;
    if (call->status == CALL_RINGING)
        changed = settle_ringing(call, by, reason, now);
    if (!call_is_over(call) && call->status != CALL_RINGING && is_deserted(call))
        return call_finish(call, CALL_ENDED, by, reason ? reason : "left", now), true;
    if (call->status == CALL_CONNECTING && connected_count(call) >= 2) {
        call->status = CALL_CONNECTED;
        call->connected_us = now.us;
        call->connected_ms = call->changed_ms = now.ms;
        changed = true;
    }
    settle_deadline(call, now);
    return changed;
}

// ---- what time does -----------------------------------------------------------------------------------------

struct call_member *call_ring_out(struct call *call, struct moment now)
{
    for (guint i = 0; i < call->members->len; i++) {
        struct call_member *member = call->members->pdata[i];
        if (member->status != MEMBER_RINGING || now.us < member->ring_until_us)
            continue;
        call_member_out(call, member, MEMBER_MISSED, "no-answer", now);
        return member;
    }
    return NULL;
}

bool call_expire(struct call *call, struct moment now)
{
    if (call_is_over(call))
        return false;
    if (call->is_awaiting && now.us >= call->await_until_us)
        return call_finish(call, CALL_MISSED, NULL, "no-answer", now), true;
    if (call->connect_until_us && now.us >= call->connect_until_us)
        return call_finish(call, CALL_FAILED, NULL, "connect-timeout", now), true;
    return false;
}
