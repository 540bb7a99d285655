// Who reads and deletes recordings without making anybody wait?
// SPDX-License-Identifier: MIT
#include "signaling/librarian.h"

#include <glib.h>

static const int64_t DAY_MS = 86400000;

enum task { TASK_ASK, TASK_LOOK, TASK_FIND, TASK_MARK, TASK_EXPIRE, TASK_END };

struct errand {
    enum task task;
    struct librarian_question question; // its texts are owned
    int64_t before_ms;
};

struct librarian {
    // fixed at start
    struct library *library; // the thread's
    void (*wake)(void *arg);
    void *wake_arg;
    int64_t keep_days;
    GThread *thread;
    GAsyncQueue *errands, *answers;

    // the signaling thread's
    int64_t sweep_ms;
    GHashTable *told;    // ids of recordings told of: those of told_order
    GQueue told_order;   // owns them, the latest at the tail
    GQueue mark_waiting; // of struct mark, in the order of their tickets
};

struct mark {
    uint64_t ticket;
    char id[LIBRARY_ID_MAX + 1];
};

static void errand_free(struct errand *e)
{
    g_free((char *)e->question.id);
    g_free((char *)e->question.name);
    g_free((char *)e->question.query.room);
    g_free((char *)e->question.query.state);
    g_strfreev(e->question.query.rooms);
    g_free(e);
}

static struct errand *errand_new(enum task task, const struct librarian_question *question)
{
    struct errand *e = g_new0(struct errand, 1);
    e->task = task;
    if (!question)
        return e;
    e->question = *question;
    e->question.id = g_strdup(question->id);
    e->question.name = g_strdup(question->name);
    e->question.query.room = g_strdup(question->query.room);
    e->question.query.state = g_strdup(question->query.state);
    e->question.query.rooms = g_strdupv(question->query.rooms);
    return e;
}

// ---- the thread -------------------------------------------------------------------------------------------------

static void give(struct librarian *a, struct librarian_answer *answer)
{
    g_async_queue_push(a->answers, answer);
    a->wake(a->wake_arg);
}

static void answer(struct librarian *a, const struct librarian_question *q)
{
    struct librarian_answer *to = g_new0(struct librarian_answer, 1);
    to->kind = q->kind;
    to->ticket = q->ticket;
    to->id = g_strdup(q->id);
    switch (q->kind) {
    case LIBRARIAN_LIST:
        to->json = library_list(a->library, &q->query, &to->total);
        break;
    case LIBRARIAN_MANIFEST:
        to->json = library_manifest(a->library, q->id, q->query.rooms);
        to->result = to->json ? LIBRARY_OK : LIBRARY_NONE;
        break;
    case LIBRARIAN_FILE:
        to->result = library_file(a->library, q->id, q->name, q->query.rooms, &to->path, &to->type);
        break;
    default: // LIBRARIAN_DELETE
        to->result = library_delete(a->library, q->id, q->query.rooms);
        break;
    }
    give(a, to);
}

static void on_unmarked(void *arg, const char *id, const json_t *manifest)
{
    struct librarian_answer *to = g_new0(struct librarian_answer, 1);
    to->kind = LIBRARIAN_FOUND;
    to->id = g_strdup(id);
    to->json = json_deep_copy(manifest);
    give(arg, to);
}

// Asks to be sent on: the next are looked for when these have been taken.
static void find(struct librarian *a, const char *before)
{
    struct librarian_answer *to = g_new0(struct librarian_answer, 1);
    to->kind = LIBRARIAN_MORE;
    to->id = library_find_unmarked(a->library, before, LIBRARIAN_FOUND_MAX, on_unmarked, a);
    if (to->id)
        give(a, to);
    else
        librarian_answer_free(to);
}

static gpointer librarian_main(gpointer arg)
{
    struct librarian *a = arg;
    enum task task;
    do {
        struct errand *e = g_async_queue_pop(a->errands);
        task = e->task;
        if (task == TASK_ASK)
            answer(a, &e->question);
        else if (task == TASK_LOOK)
            (void)library_look_at(a->library, e->question.id, on_unmarked, a);
        else if (task == TASK_FIND)
            find(a, e->question.id);
        else if (task == TASK_MARK)
            library_mark(a->library, e->question.id);
        else if (task == TASK_EXPIRE)
            library_expire(a->library, e->before_ms);
        errand_free(e);
    } while (task != TASK_END);
    return NULL;
}

// ---- the signaling thread ---------------------------------------------------------------------------------------

struct librarian *librarian_new(const struct config *config, void (*wake)(void *arg), void *wake_arg)
{
    if (!config->recording_dir)
        return NULL;
    struct librarian *a = g_new0(struct librarian, 1);
    a->library = library_new(config->recording_dir);
    a->wake = wake;
    a->wake_arg = wake_arg;
    a->keep_days = config->recording_retention_days;
    a->errands = g_async_queue_new();
    a->answers = g_async_queue_new();
    a->told = g_hash_table_new(g_str_hash, g_str_equal);
    g_queue_init(&a->told_order);
    g_queue_init(&a->mark_waiting);
    a->thread = g_thread_new("librarian", librarian_main, a);
    librarian_announce(a, NULL);
    return a;
}

void librarian_free(struct librarian *a)
{
    struct librarian_answer *left;
    if (!a)
        return;
    g_async_queue_push(a->errands, errand_new(TASK_END, NULL));
    g_thread_join(a->thread);
    while ((left = g_async_queue_try_pop(a->answers)))
        librarian_answer_free(left);
    g_async_queue_unref(a->errands);
    g_async_queue_unref(a->answers);
    library_free(a->library);
    g_queue_clear_full(&a->mark_waiting, g_free);
    g_hash_table_destroy(a->told);
    g_queue_clear_full(&a->told_order, g_free);
    g_free(a);
}

// An errand becomes one answer, so what was not taken yet counts like what was not begun.
static bool is_full(const struct librarian *a)
{
    return g_async_queue_length(a->errands) + g_async_queue_length(a->answers) >= LIBRARIAN_WAITING_MAX;
}

static void post(struct librarian *a, enum task task, const char *id)
{
    g_async_queue_push(a->errands, errand_new(task, &(struct librarian_question){.id = id}));
}

bool librarian_ask(struct librarian *a, const struct librarian_question *question)
{
    if (is_full(a))
        return false;
    g_async_queue_push(a->errands, errand_new(TASK_ASK, question));
    return true;
}

struct librarian_answer *librarian_next(struct librarian *a)
{
    struct librarian_answer *next = a ? g_async_queue_try_pop(a->answers) : NULL;
    if (!next || next->kind != LIBRARIAN_MORE)
        return next;
    post(a, TASK_FIND, next->id);
    librarian_answer_free(next);
    return g_async_queue_try_pop(a->answers);
}

void librarian_answer_free(struct librarian_answer *answer)
{
    json_decref(answer->json);
    g_free(answer->id);
    g_free(answer->path);
    g_free(answer);
}

// What is not looked for now, because the queue is full, is found at the next start.
void librarian_announce(struct librarian *a, const char *id)
{
    if (a && !is_full(a))
        post(a, id ? TASK_LOOK : TASK_FIND, id);
}

bool librarian_may_tell(struct librarian *a, const char *id)
{
    if (g_queue_get_length(&a->mark_waiting) >= LIBRARIAN_TOLD_MAX || g_hash_table_contains(a->told, id))
        return false;
    char *copy = g_strdup(id);
    g_hash_table_add(a->told, copy);
    g_queue_push_tail(&a->told_order, copy);
    if (g_queue_get_length(&a->told_order) > LIBRARIAN_TOLD_MAX) {
        char *oldest = g_queue_pop_head(&a->told_order);
        g_hash_table_remove(a->told, oldest);
        g_free(oldest);
    }
    return true;
}

void librarian_mark_later(struct librarian *a, const char *id, uint64_t ticket)
{
    struct mark *mark = g_new0(struct mark, 1);
    mark->ticket = ticket;
    g_strlcpy(mark->id, id, sizeof(mark->id));
    g_queue_push_tail(&a->mark_waiting, mark);
}

void librarian_settled(struct librarian *a, uint64_t ticket)
{
    struct mark *mark;
    while (a && !is_full(a) && (mark = g_queue_peek_head(&a->mark_waiting)) && mark->ticket <= ticket) {
        post(a, TASK_MARK, mark->id);
        g_free(g_queue_pop_head(&a->mark_waiting));
    }
}

void librarian_tick(struct librarian *a, int64_t wall_ms)
{
    if (!a || wall_ms < a->sweep_ms || is_full(a))
        return;
    a->sweep_ms = wall_ms + LIBRARIAN_SWEEP_S * 1000;
    struct errand *e = errand_new(TASK_EXPIRE, NULL);
    e->before_ms = a->keep_days ? wall_ms - a->keep_days * DAY_MS : 0;
    g_async_queue_push(a->errands, e);
}
