// Where does what the librarian found go? (to the HTTP request that asked, to the webhook)
// SPDX-License-Identifier: MIT
#include "signaling/desk.h"

#include "signaling/webhook.h"

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

// ---- what nobody asked for --------------------------------------------------------------------------------------

static json_t *copy_of(const json_t *from, const char *const *names)
{
    json_t *to = json_object();
    for (; *names; names++)
        if (json_object_get(from, *names))
            json_object_set(to, *names, json_object_get(from, *names));
    return to;
}

// The manifest without what makes it long.
static json_t *digest(const char *id, const json_t *manifest)
{
    static const char *const of_all[] = {"state", "started", "duration", NULL};
    static const char *const of_track[] = {"file",  "user",     "source", "kind",   "codec", "state",
                                           "start", "duration", "bytes",  "frames", NULL};
    json_t *json = copy_of(manifest, of_all), *tracks = json_array(), *people = json_array(), *one;
    size_t i;
    json_array_foreach(json_object_get(manifest, "tracks"), i, one)
        json_array_append_new(tracks, copy_of(one, of_track));
    static const char *const of_person[] = {"user", NULL}; // ids, no names: it leaves the house
    json_array_foreach(json_object_get(manifest, "participants"), i, one)
        json_array_append_new(people, copy_of(one, of_person));
    json_object_set_new(json, "recordingId", json_string(id));
    json_object_set(json, "roomId", json_object_get(json_object_get(manifest, "room"), "id"));
    json_object_set_new(json, "participants", people);
    json_object_set_new(json, "tracks", tracks);
    return json;
}

// Told once the store has it: then it arrives, also when we are killed now.
static void announce(struct hub *hub, const struct librarian_answer *answer)
{
    if (!librarian_may_tell(hub->librarian, answer->id))
        return;
    char *subject = g_strconcat("recording:", answer->id, NULL);
    json_t *news = digest(answer->id, answer->json);
    bool is_safe = webhook_emit(hub->webhook, "recording.finished", subject, news, hub->wall_ms);
    g_free(subject);
    if (!is_safe)
        return; // not marked: the next start tells it again
    librarian_mark_later(hub->librarian, answer->id, hub->webhook ? store_last_ticket(hub->store) : 0);
}

void desk_rx(struct hub *hub, const struct librarian_answer *answer)
{
    struct exchange *x = exchange_find(hub, answer->ticket);
    if (answer->kind == LIBRARIAN_FOUND)
        return announce(hub, answer);
    if (!x)
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
