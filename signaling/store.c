// What is remembered of calls, and since when is it safely so? (the queue, its writer thread, the tickets)
// SPDX-License-Identifier: MIT
#include "signaling/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "signaling/log.h"
#include "signaling/place.h"
#include "signaling/store_read.h"
#include "signaling/store_schema.h"
#include "signaling/store_write.h"

static const char FILE_NAME[] = "roda.db"; // in DATA_DIR

enum {
    BATCH_MAX = 512,     // letters in one transaction
    FAILING_KEEP = 4096, // letters kept while the disk fails: the latest
    RETRY_MIN_MS = 100,
    RETRY_MAX_MS = 5000,
    EXPIRE_EVERY_MS = 1000,
};

struct store {
    // Never changed while the writer runs.
    void (*wake)(void *arg);
    void *wake_arg;
    bool has_chat;
    int64_t retention_days;
    int lock_fd; // keeps a second server away; -1: in memory
    pthread_t thread;
    bool has_thread;
    GPtrArray *recovered; // ids, then NULL

    // Of the signaling thread.
    struct db *reader;
    int64_t expired_ms;
    GQueue pending; // of struct letter: not flushed yet
    uint64_t last_ticket;

    // Of the writer.
    struct db *writer;
    struct pen pen;
    GQueue batch; // of struct letter: taken from the queue, not down yet
    unsigned retry_ms;

    // Of both, under the lock, which is held for no longer than a look.
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GQueue queue; // of struct letter
    bool is_stopping, is_failing;
    int64_t busy_since_us; // the writer has something to put down; 0: nothing
    uint64_t settled;
    struct store_health health;
};

// ---- the writer ---------------------------------------------------------------------------------------------

// What was flushed together is not torn apart.
static bool is_full(const GQueue *batch)
{
    const struct letter *last = batch->length >= BATCH_MAX ? batch->tail->data : NULL;
    return last && last->is_last;
}

// Waits for letters and moves as many as make a batch. False: there are none and none will come.
static bool take_batch(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    while (g_queue_is_empty(&store->queue) && g_queue_is_empty(&store->batch) && !store->is_stopping)
        pthread_cond_wait(&store->changed, &store->lock);
    while (!is_full(&store->batch) && !g_queue_is_empty(&store->queue))
        g_queue_push_tail(&store->batch, g_queue_pop_head(&store->queue));
    bool has_some = !g_queue_is_empty(&store->batch);
    if (has_some && store->busy_since_us == 0)
        store->busy_since_us = g_get_monotonic_time();
    pthread_mutex_unlock(&store->lock);
    return has_some;
}

static int apply_batch(struct store *store, unsigned *refused)
{
    int rc = db_run(store->writer, "BEGIN IMMEDIATE");
    for (const GList *one = store->batch.head; one && rc == 0; one = one->next) {
        bool is_refused;
        rc = pen_apply(&store->pen, one->data, &is_refused);
        *refused += is_refused;
    }
    return rc ? rc : db_run(store->writer, "COMMIT");
}

static void settle_batch(struct store *store, unsigned refused)
{
    const struct letter *last = g_queue_peek_tail(&store->batch);
    pthread_mutex_lock(&store->lock);
    if (store->is_failing)
        log_info("store", "the database can be written again");
    store->is_failing = false;
    store->busy_since_us = 0;
    store->settled = last->ticket;
    store->health.written += store->batch.length - refused;
    store->health.lost += refused;
    pthread_mutex_unlock(&store->lock);
    if (refused)
        log_warn("store", "%u writes did not fit the tables and were left out", refused);
    g_queue_clear_full(&store->batch, g_free);
    store->retry_ms = 0;
    pen_tidy(&store->pen);
    store->wake(store->wake_arg);
}

// The latest state of a call is worth more than how it came about.
static void give_up_oldest(struct store *store)
{
    unsigned lost = 0;
    pthread_mutex_lock(&store->lock);
    unsigned waiting = store->batch.length + store->queue.length;
    for (; waiting > FAILING_KEEP; waiting--, lost++)
        g_free(g_queue_pop_head(g_queue_is_empty(&store->batch) ? &store->queue : &store->batch));
    store->health.lost += lost;
    pthread_mutex_unlock(&store->lock);
    if (lost)
        log_error("store", "%u writes are lost: the database cannot be written", lost);
}

// Returns after a while, or at once when the store is to end.
static void fail_batch(struct store *store, int rc)
{
    char why[sizeof(store->health.why)];
    g_snprintf(why, sizeof(why), "%s (%s)", db_error(store->writer), g_strerror(-rc));
    db_run(store->writer, "ROLLBACK");
    store->retry_ms = CLAMP(store->retry_ms * 2, RETRY_MIN_MS, RETRY_MAX_MS);
    int64_t until_us = g_get_monotonic_time() + store->retry_ms * INT64_C(1000);
    const struct timespec until = {until_us / G_USEC_PER_SEC, until_us % G_USEC_PER_SEC * 1000};
    pthread_mutex_lock(&store->lock);
    if (!store->is_failing)
        log_error("store", "cannot write the database: %s; calls go on, their history may have gaps", why);
    store->is_failing = true;
    store->health.failed_commits++;
    g_strlcpy(store->health.why, why, sizeof(why));
    pthread_mutex_unlock(&store->lock);
    store->wake(store->wake_arg); // nothing is held back any more
    give_up_oldest(store);
    pthread_mutex_lock(&store->lock);
    while (!store->is_stopping && pthread_cond_timedwait(&store->changed, &store->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&store->lock);
}

static bool is_stopping(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    bool stops = store->is_stopping;
    pthread_mutex_unlock(&store->lock);
    return stops;
}

static void *write_loop(void *arg)
{
    struct store *store = arg;
    pthread_setname_np(pthread_self(), "store");
    while (take_batch(store)) {
        unsigned refused = 0;
        int rc = apply_batch(store, &refused);
        if (rc == 0) {
            settle_batch(store, refused);
            continue;
        }
        bool was_last_try = is_stopping(store);
        fail_batch(store, rc);
        if (was_last_try)
            break;
    }
    return NULL;
}

// ---- opening ------------------------------------------------------------------------------------------------

static bool make_data_dir(const char *dir, char *err, size_t err_size)
{
    if (g_mkdir_with_parents(dir, 0700) == 0)
        return true;
    g_snprintf(err, err_size, "DATA_DIR: cannot make the folder %s: %s; name one that this user may write", dir,
               g_strerror(errno));
    return false;
}

// Where the database is: a path, "" for memory, or NULL and the reason.
static char *find_file(const struct config *config, char *err, size_t err_size)
{
    const char *url = config->database_url;
    if (!url) {
        if (!make_data_dir(config->data_dir, err, err_size))
            return NULL;
        return g_build_filename(config->data_dir, FILE_NAME, NULL);
    }
    if (strcmp(url, ":memory:") == 0 || strcmp(url, "sqlite::memory:") == 0)
        return g_strdup("");
    const char *path = url;
    if (g_str_has_prefix(url, "sqlite:///"))
        path = url + strlen("sqlite://");
    else if (g_str_has_prefix(url, "sqlite:"))
        path = url + strlen("sqlite:");
    if (*path && !strchr(path, ':') && !g_str_has_prefix(path, "//"))
        return g_strdup(path);
    g_snprintf(err, err_size,
               "DATABASE_URL: only SQLite is built in: sqlite:///absolute/path, sqlite:relative/path, a path, or "
               ":memory:");
    return NULL;
}

// Beside the file come its log and its lock, so the folder counts too.
static bool can_keep_file(const char *path, char *why, size_t why_size)
{
    char *folder = g_path_get_dirname(path);
    bool ok = place_file_is_usable(path, why, why_size) && place_folder_is_usable(folder, why, why_size);
    g_free(folder);
    return ok;
}

bool store_check(const struct config *config, char *err, size_t err_size)
{
    const char *dir = config->data_dir;
    char why[300];
    if (!config->database_url && !place_folder_is_usable(dir, why, sizeof(why)))
        return g_snprintf(err, err_size, "DATA_DIR: %s", why), false;
    if (!config->database_url && !g_file_test(dir, G_FILE_TEST_IS_DIR))
        return true; // it is made when the server starts
    char *path = config->database_url ? find_file(config, err, err_size) : g_build_filename(dir, FILE_NAME, NULL);
    bool ok = path && (!*path || can_keep_file(path, why, sizeof(why)));
    if (path && !ok)
        g_snprintf(err, err_size, "%s: %s", config->database_url ? "DATABASE_URL" : "DATA_DIR", why);
    g_free(path);
    return ok;
}

// The file beside the database is locked as long as this process lives, however it ends.
static bool lock_out_others(struct store *store, const char *path, char *err, size_t err_size)
{
    char *name = g_strconcat(path, ".lock", NULL);
    store->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool is_open = store->lock_fd >= 0, is_ours = is_open && flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0;
    if (!is_open)
        g_snprintf(err, err_size, "DATABASE_URL: cannot make %s: %s; name a file in a folder this user may write",
                   name, g_strerror(errno));
    else if (!is_ours)
        g_snprintf(err, err_size, "DATABASE_URL: another server uses %s: stop it, or name another file", path);
    g_free(name);
    return is_ours;
}

static bool open_database(struct store *store, const char *name, bool is_full_sync, char *err, size_t err_size)
{
    store->writer = db_open(name, false, err, err_size);
    if (!store->writer || store_schema_open(store->writer, is_full_sync, err, err_size) != 0)
        return false;
    if (store_schema_recover(store->writer, store->recovered) != 0 || !pen_init(&store->pen, store->writer)) {
        g_strlcpy(err, db_error(store->writer), err_size);
        return false;
    }
    store->reader = db_open(name, true, err, err_size);
    if (store->reader)
        db_limit(store->reader, READ_MAX_MS * INT64_C(1000));
    return store->reader != NULL;
}

static bool open_store(struct store *store, const struct config *config, char *err, size_t err_size)
{
    char why[200] = "", memory[64];
    char *path = find_file(config, err, err_size);
    bool ok = path && (!*path || lock_out_others(store, path, err, err_size));
    db_memory_name(memory, sizeof(memory));
    if (ok && !open_database(store, *path ? path : memory, config->database_sync, why, sizeof(why))) {
        g_snprintf(err, err_size, "DATABASE_URL: cannot use %s: %s", *path ? path : "memory", why);
        ok = false;
    }
    g_free(path);
    return ok;
}

struct store *store_new(const struct config *config, void (*wake)(void *arg), void *wake_arg, char *err,
                        size_t err_size)
{
    struct store *store = g_new0(struct store, 1);
    store->wake = wake;
    store->wake_arg = wake_arg;
    store->has_chat = config->chat_history;
    store->retention_days = config->retention_days;
    store->lock_fd = -1;
    store->recovered = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&store->pending);
    g_queue_init(&store->queue);
    g_queue_init(&store->batch);
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&store->changed, &clock);
    pthread_condattr_destroy(&clock);
    if (open_store(store, config, err, err_size)) {
        g_ptr_array_add(store->recovered, NULL);
        g_assert(pthread_create(&store->thread, NULL, write_loop, store) == 0);
        store->has_thread = true;
        return store;
    }
    store_free(store);
    return NULL;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    store_flush(store);
    pthread_mutex_lock(&store->lock);
    store->is_stopping = true;
    pthread_cond_signal(&store->changed);
    pthread_mutex_unlock(&store->lock);
    if (store->has_thread)
        pthread_join(store->thread, NULL);
    unsigned lost = store->batch.length + store->queue.length;
    if (lost)
        log_error("store", "%u writes are lost: the database cannot be written", lost);
    g_queue_clear_full(&store->batch, g_free);
    g_queue_clear_full(&store->queue, g_free);
    g_ptr_array_free(store->recovered, TRUE);
    pen_clear(&store->pen);
    db_close(store->reader);
    db_close(store->writer);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->changed);
    g_free(store);
}

const char *const *store_recovered(const struct store *store)
{
    return (const char *const *)store->recovered->pdata;
}

// ---- tickets and health -------------------------------------------------------------------------------------

uint64_t store_last_ticket(const struct store *store)
{
    return store ? store->last_ticket : 0;
}

// Under the lock.
static bool is_stalled(const struct store *store)
{
    return store->busy_since_us && g_get_monotonic_time() - store->busy_since_us >= STORE_STALL_MS * INT64_C(1000);
}

uint64_t store_settled(struct store *store)
{
    if (!store)
        return 0;
    pthread_mutex_lock(&store->lock);
    bool holds = !store->is_failing && !is_stalled(store);
    uint64_t settled = holds ? store->settled : store->last_ticket;
    pthread_mutex_unlock(&store->lock);
    return settled;
}

bool store_has_room(struct store *store)
{
    if (!store)
        return true;
    pthread_mutex_lock(&store->lock);
    bool has_room = store->queue.length < STORE_QUEUE_NEW_MAX;
    store->health.refused += !has_room;
    pthread_mutex_unlock(&store->lock);
    return has_room;
}

struct store_health store_health(struct store *store)
{
    if (!store)
        return (struct store_health){0};
    pthread_mutex_lock(&store->lock);
    struct store_health health = store->health;
    health.waiting = store->queue.length;
    health.is_degraded = store->is_failing || is_stalled(store);
    health.is_stuck = !store->is_failing && store->busy_since_us &&
                      g_get_monotonic_time() - store->busy_since_us >= STORE_STUCK_MS * INT64_C(1000);
    pthread_mutex_unlock(&store->lock);
    return health;
}

// ---- writing ------------------------------------------------------------------------------------------------

// Takes the letter.
static uint64_t post(struct store *store, struct letter *letter)
{
    pthread_mutex_lock(&store->lock);
    bool has_room = store->queue.length + store->pending.length < STORE_QUEUE_MAX;
    store->health.lost += !has_room;
    pthread_mutex_unlock(&store->lock);
    if (!has_room) {
        g_free(letter);
        return 0;
    }
    letter->ticket = ++store->last_ticket;
    g_queue_push_tail(&store->pending, letter);
    return letter->ticket;
}

void store_flush(struct store *store)
{
    struct letter *letter;
    if (!store || g_queue_is_empty(&store->pending))
        return;
    ((struct letter *)store->pending.tail->data)->is_last = true;
    pthread_mutex_lock(&store->lock);
    while ((letter = g_queue_pop_head(&store->pending)))
        g_queue_push_tail(&store->queue, letter);
    pthread_cond_signal(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

uint64_t store_put_call(struct store *store, const struct store_call *call)
{
    return store ? post(store, letter_call(call)) : 0;
}

uint64_t store_put_participant(struct store *store, const struct store_participant *participant)
{
    return store ? post(store, letter_participant(participant)) : 0;
}

uint64_t store_put_chat(struct store *store, const struct store_chat *chat)
{
    return store && store->has_chat ? post(store, letter_chat(chat)) : 0;
}

uint64_t store_put_delivery(struct store *store, const struct store_delivery *delivery)
{
    return store ? post(store, letter_delivery(delivery)) : 0;
}

uint64_t store_retry_delivery(struct store *store, const struct store_delivery *delivery)
{
    return store ? post(store, letter_retry(delivery)) : 0;
}

uint64_t store_end_delivery(struct store *store, const char *id, const char *url)
{
    return store ? post(store, letter_delivered(id, url)) : 0;
}

void store_expire(struct store *store, int64_t wall_ms)
{
    static const int64_t DAY_MS = INT64_C(86400000);
    if (!store || store->retention_days == 0 || wall_ms - store->expired_ms < EXPIRE_EVERY_MS)
        return;
    store->expired_ms = wall_ms;
    store_flush(store); // nothing else depends on it
    post(store, letter_expire(wall_ms - store->retention_days * DAY_MS));
}

// ---- reading ------------------------------------------------------------------------------------------------

int store_find_calls(struct store *store, const struct store_query *query, store_call_h *row, void *arg)
{
    return store ? read_calls(store->reader, query, row, arg) : 0;
}

int store_count_calls(struct store *store, const struct store_query *query)
{
    return store ? read_count(store->reader, query) : 0;
}

int store_find_call(struct store *store, const char *id, store_call_h *row, void *arg)
{
    return store ? read_call(store->reader, id, row, arg) : 0;
}

int store_find_participants(struct store *store, const char *call, store_participant_h *row, void *arg)
{
    return store_find_participants_of(store, &call, 1, row, arg);
}

int store_find_participants_of(struct store *store, const char *const *calls, unsigned count,
                               store_participant_h *row, void *arg)
{
    return store ? read_participants(store->reader, calls, count, row, arg) : 0;
}

int store_find_states(struct store *store, const char *call, store_change_h *row, void *arg)
{
    return store ? read_states(store->reader, call, row, arg) : 0;
}

int store_find_media(struct store *store, const char *call, store_change_h *row, void *arg)
{
    return store ? read_media(store->reader, call, row, arg) : 0;
}

int store_find_chat(struct store *store, const char *call, store_chat_h *row, void *arg)
{
    return store ? read_chat(store->reader, call, row, arg) : 0;
}

int store_find_deliveries(struct store *store, store_delivery_h *row, void *arg)
{
    return store ? read_deliveries(store->reader, row, arg) : 0;
}
