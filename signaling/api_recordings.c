// What do the routes of recordings do?
// SPDX-License-Identifier: MIT
#include "signaling/api.h"
#include "signaling/desk.h"
#include "signaling/events.h"
#include "signaling/recording.h"

// ---- of a living room -------------------------------------------------------------------------------------------

static void change(struct exchange *x, bool (*how)(struct room *, const char *, uint64_t, struct fault *))
{
    char by[USER_MAX + 1];
    struct room *room = recording_need_room(x, by);
    if (!room)
        return;
    struct fault fault = {0};
    uint64_t ticket = exchange_defer(x);
    if (!how(room, by[0] ? by : NULL, ticket, &fault))
        exchange_fail(x, &fault);
    else if (!room->number || !room->recording) // nobody to ask: it waits for the first participant, or waited
        exchange_answer(x, 202, recording_json(room));
}

void api_post_recording(struct exchange *x)
{
    change(x, recording_start);
}

void api_delete_recording(struct exchange *x)
{
    change(x, recording_stop);
}

// ---- of what has been recorded ----------------------------------------------------------------------------------

// Who may record a room may see what was recorded there. In open mode: this machine.
static bool may_read(struct exchange *x, struct librarian_question *question)
{
    const struct identity *identity = x->identity;
    bool may =
        identity ? identity->record == CLAIM_TRUE || (identity->record == CLAIM_UNSAID && identity->role == ROLE_HOST)
                 : http_address_is_loopback(x->request->address);
    question->query.rooms = identity ? identity->rooms : NULL;
    static char *nowhere[] = {NULL};
    if (identity && !identity->rooms)
        question->query.rooms = nowhere;
    if (!may)
        exchange_refuse(x, 403, "forbidden", "only who may record a room may see its recordings");
    else if (!x->hub->librarian)
        exchange_refuse(x, 404, "not-found", "this server does not record: RECORDING_DIR is not set");
    return may && x->hub->librarian;
}

static int64_t read_date(struct exchange *x, const char *name)
{
    const char *text = field_text(&x->query, name, TIMESTAMP_SIZE);
    GTimeZone *utc = g_time_zone_new_utc();
    GDateTime *at = text ? g_date_time_new_from_iso8601(text, utc) : NULL;
    int64_t ms = at ? g_date_time_to_unix(at) * 1000 : 0;
    g_time_zone_unref(utc);
    if (at)
        g_date_time_unref(at);
    else if (text)
        fault_say(&x->fault, ERROR_BAD_FIELD, "%s: not a date like 2026-01-31T10:00:00Z", name);
    return ms;
}

void api_get_recordings(struct exchange *x)
{
    static const char *const states[] = {"any", "recording", "complete", "interrupted", NULL};
    struct page page = exchange_page(x);
    struct librarian_question question = {.kind = LIBRARIAN_LIST};
    struct library_query *q = &question.query;
    int state = field_choice(&x->query, "state", states, 0);
    q->room = field_id(&x->query, "roomId", is_room_id);
    q->state = state ? states[state] : NULL;
    q->from_ms = read_date(x, "from");
    q->before_ms = read_date(x, "before");
    q->offset = page.offset;
    q->limit = page.limit;
    if (!exchange_is_wrong(x) && may_read(x, &question))
        desk_ask(x, &question);
}

static void ask_for(struct exchange *x, enum librarian_kind kind, const char *name)
{
    struct librarian_question question = {.kind = kind, .id = exchange_param(x, "id"), .name = name};
    if (may_read(x, &question))
        desk_ask(x, &question);
}

void api_get_recording(struct exchange *x)
{
    ask_for(x, LIBRARIAN_MANIFEST, NULL);
}

void api_get_recording_file(struct exchange *x)
{
    ask_for(x, LIBRARIAN_FILE, exchange_param(x, "name"));
}

void api_remove_recording(struct exchange *x)
{
    ask_for(x, LIBRARIAN_DELETE, NULL);
}
