// Who writes recordings to the disk?
// SPDX-License-Identifier: MIT
#include "sfu/record.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "sfu/command.h"
#include "sfu/log.h"
#include "sfu/now.h"
#include "sfu/record_hook.h"
#include "sfu/record_recover.h"
#include "sfu/record_session.h"

struct recorder {
    // fixed at start
    struct recorder_config cfg;
    char *dir;
    int dir_fd;
    pthread_t thread;
    struct record_inbox inbox;

    // the writer thread's
    struct record_space space;
    struct record_hooks *hooks;
    GPtrArray *sessions; // of struct record_session
    int64_t due_us;      // the next look
    bool stopping;
};

// ---- recordings that others left ---------------------------------------------------------------------------------

static void add_hook(struct recorder *r, const char *name)
{
    char *path = g_build_filename(r->dir, name, NULL);
    record_hooks_add(r->hooks, path);
    g_free(path);
}

static void on_recovered(void *arg, const struct record_recovered *found)
{
    struct recorder *r = arg;
    if (found->interrupted) {
        sfu_log(SFU_LOG_WARN, "recording %s was interrupted; it is closed now", found->name);
        struct sfu_event event = {.type = SFU_RECORDING, .reason = SFU_INTERRUPTED, .text = found->name};
        event_post(r->cfg.events, &event);
    }
    if (found->wants_hook)
        add_hook(r, found->name);
}

// ---- letters -----------------------------------------------------------------------------------------------------

static struct record_session *begin(struct recorder *r, struct record_queue *queue, const struct record_item *item)
{
    struct record_session_config cfg = {.queue = queue,
                                        .events = r->cfg.events,
                                        .space = &r->space,
                                        .base_fd = r->dir_fd,
                                        .wants_hook = record_hooks_are_wanted(r->hooks)};
    record_space_tick(&r->space, now_monotonic_us());
    struct record_session *session = record_session_new(&cfg, item);
    record_queue_set_owner(queue, session);
    g_ptr_array_add(r->sessions, session);
    return session;
}

static void end(struct recorder *r, struct record_session *session)
{
    if (record_session_is_open(session))
        add_hook(r, record_session_name(session));
    g_ptr_array_remove_fast(r->sessions, session);
    record_session_free(session);
}

// RECORD_END is the last item of a queue, and of its letter.
static void take(struct recorder *r, struct record_batch *batch)
{
    struct record_queue *queue = batch->queue;
    struct record_session *session = queue ? record_queue_owner(queue) : NULL;
    bool ended = false;
    r->stopping |= queue == NULL;
    for (const struct record_item *item = NULL; queue && (item = record_batch_next(batch, item));) {
        if (item->kind == RECORD_BEGIN)
            session = begin(r, queue, item);
        else
            record_session_rx(session, item);
        ended = item->kind == RECORD_END;
    }
    if (session && !ended)
        record_session_tick(session, batch->sent_us);
    record_batch_free(batch);
    if (!ended)
        return;
    end(r, session);
    record_queue_free(queue);
}

// ---- the thread --------------------------------------------------------------------------------------------------

static void look(struct recorder *r)
{
    int64_t now_us = now_monotonic_us();
    if (now_us < r->due_us)
        return;
    r->due_us = now_us + RECORD_LOOP_US;
    record_space_tick(&r->space, now_us);
    for (guint i = 0; i < r->sessions->len; i++)
        record_session_flush(r->sessions->pdata[i], now_us);
    record_hooks_tick(r->hooks);
}

static void *writer_main(void *arg)
{
    struct recorder *r = arg;
    record_recover(r->dir_fd, on_recovered, r);
    while (!r->stopping) {
        struct pollfd letters = {.fd = r->inbox.box.fd, .events = POLLIN};
        bool is_busy = r->sessions->len || !record_hooks_are_idle(r->hooks);
        poll(&letters, 1, is_busy ? RECORD_LOOP_US / 1000 : -1);
        for (struct mail *mail = mailbox_take(&r->inbox.box), *next; mail; mail = next) {
            next = mail->next;
            take(r, (struct record_batch *)mail);
            look(r);
        }
        look(r);
    }
    return NULL;
}

static int open_dir(const char *dir)
{
    if (g_mkdir_with_parents(dir, 0700) < 0)
        return -1;
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct recorder *recorder_new(const struct recorder_config *cfg, char *err, size_t err_size)
{
    int dir_fd = open_dir(cfg->dir);
    if (dir_fd < 0 || faccessat(dir_fd, ".", W_OK | X_OK, 0) < 0) {
        g_snprintf(err, err_size, "recordings cannot be kept in %s: %s; make it a directory this user may write to",
                   cfg->dir, g_strerror(errno));
        if (dir_fd >= 0)
            close(dir_fd);
        return NULL;
    }
    struct recorder *r = g_new0(struct recorder, 1);
    r->cfg = *cfg;
    r->dir = g_canonicalize_filename(cfg->dir, NULL);
    r->dir_fd = dir_fd;
    r->hooks = record_hooks_new(cfg->hook);
    r->sessions = g_ptr_array_new();
    record_space_init(&r->space, dir_fd, cfg->quota_bytes, cfg->free_floor_bytes);
    record_inbox_init(&r->inbox);
    int rc = pthread_create(&r->thread, NULL, writer_main, r);
    g_assert(rc == 0);
    pthread_setname_np(r->thread, "recorder");
    return r;
}

struct record_inbox *recorder_inbox(struct recorder *r)
{
    return &r->inbox;
}

void recorder_free(struct recorder *r)
{
    record_inbox_stop(&r->inbox);
    pthread_join(r->thread, NULL);
    g_assert(r->sessions->len == 0);
    g_ptr_array_unref(r->sessions);
    record_hooks_free(r->hooks);
    record_inbox_close(&r->inbox);
    close(r->dir_fd);
    g_free(r->dir);
    g_free(r);
}
