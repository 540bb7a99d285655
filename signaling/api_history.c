// Which calls has somebody had, and which go on? (the lists of calls)
// SPDX-License-Identifier: MIT
#include "signaling/api.h"

#include "signaling/call_events.h"
#include "signaling/call_past.h"
#include "signaling/calls.h"

// Whose calls: the bearer's, in open mode of the user the query names. NULL: refused and answered.
static const char *asker(struct exchange *x)
{
    if (x->identity)
        return x->identity->user;
    const char *user = field_need_id(&x->query, "user", is_user_id);
    return exchange_is_wrong(x) ? NULL : user;
}

// ---- the routes ---------------------------------------------------------------------------------------------

void api_get_call_history(struct exchange *x)
{
    static const char *const types[] = {"AUDIO", "VIDEO", NULL};
    struct page page = exchange_page(x);
    int type = field_choice(&x->query, "type", types, -1);
    struct store_query query = {.user = asker(x),
                                .type = type < 0 ? NULL : types[type],
                                .chat_id = field_text(&x->query, "chatId", CALL_TEXT_MAX),
                                .offset = (unsigned)page.offset,
                                .limit = (unsigned)page.limit};
    if (!query.user || exchange_is_wrong(x))
        return;
    json_t *calls = json_array();
    int rc = page.offset > STORE_OFFSET_MAX ? 0 : past_list(x->hub->store, &query, calls);
    int total = store_count_calls(x->hub->store, &query);
    if (rc == 0 && total >= 0)
        return exchange_answer_page(x, &page, "calls", calls, total);
    json_decref(calls);
    exchange_refuse(x, 503, "internal", "the history cannot be read now");
}

void api_get_active_calls(struct exchange *x)
{
    struct page page = exchange_page(x);
    const char *user = asker(x);
    if (!user || exchange_is_wrong(x))
        return;
    const GPtrArray *calls = calls_of(x->hub, user);
    guint count = calls ? calls->len : 0;
    json_t *items = json_array();
    for (guint i = (guint)page.offset; i < count && json_array_size(items) < (size_t)page.limit; i++)
        json_array_append_new(items, call_json(x->hub, calls->pdata[count - 1 - i])); // the newest first
    exchange_answer_page(x, &page, "calls", items, count);
}
