// Where does what the librarian found go? (to the HTTP request that asked, to the webhook)
// SPDX-License-Identifier: MIT
#include "signaling/desk.h"

void desk_ask(struct exchange *x, struct librarian_question *question)
{
    question->ticket = exchange_defer(x);
    if (!librarian_ask(x->hub->librarian, question))
        exchange_refuse(x, 429, "rate-limited", "too many requests for recordings at a time");
}

// The ticket is all that was kept of the page; it is read again.
static void answer_list(struct exchange *x, const struct librarian_answer *answer)
{
    struct page page = exchange_page(x);
    exchange_answer_page(x, &page, "recordings", json_incref(answer->json), answer->total);
}

static void refuse(struct exchange *x, const struct librarian_answer *answer)
{
    if (answer->result == LIBRARY_NONE)
        exchange_refuse(x, 404, "not-found", "there is no such recording, or it is not of a room of yours");
    else if (answer->result == LIBRARY_BUSY)
        exchange_refuse(x, 409, "busy", "it is still being written, or the hook is at work on it");
    else
        exchange_refuse(x, 500, "internal", "the disk failed");
}

void desk_rx(struct hub *hub, const struct librarian_answer *answer)
{
    struct exchange *x = exchange_find(hub, answer->ticket);
    if (answer->kind == LIBRARIAN_FOUND || !x)
        return;
    if (answer->result != LIBRARY_OK)
        refuse(x, answer);
    else if (answer->kind == LIBRARIAN_LIST)
        answer_list(x, answer);
    else if (answer->kind == LIBRARIAN_MANIFEST)
        exchange_answer(x, 200, json_incref(answer->json));
    else if (answer->kind == LIBRARIAN_FILE)
        exchange_answer_file(x, answer->path, answer->type);
    else
        exchange_answer(x, 200, json_pack("{s:s, s:b}", "id", answer->id, "deleted", 1));
}
