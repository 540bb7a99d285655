// How long does a page of the history take when there are a million calls? (script/bench history)
// SPDX-License-Identifier: MIT
//
// bench_history [calls]: fills a database of its own through the store, then asks for pages as HTTP does. Prints one
// JSON object a line.
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "signaling/log.h"
#include "signaling/store.h"

enum { USERS = 2000, CHATS = 500, ASKED = 300, PAGE = 100, TURN = 1000 };

static const int64_t T0 = INT64_C(1769853600000);

static void no_wake(void *arg)
{
    (void)arg;
}

static void no_call(void *arg, const struct store_call *call)
{
    (void)call;
    ++*(unsigned *)arg;
}

static void put(struct store *store, unsigned i)
{
    char id[40], chat[16], users[2][16];
    g_snprintf(id, sizeof(id), "%08x-0000-4000-8000-%012x", i * 2654435761u, i);
    g_snprintf(chat, sizeof(chat), "chat-%u", i % CHATS);
    // Everybody's calls are spread over all of the time, but user 0 has one in ten.
    g_snprintf(users[0], sizeof(users[0]), "user-%u", i % 10 == 0 ? 0 : i % USERS);
    g_snprintf(users[1], sizeof(users[1]), "user-%u", 1 + (i / 7) % (USERS - 1));
    const struct store_call call = {.id = id,
                                    .room = id,
                                    .type = i % 50 == 0 ? "AUDIO" : "VIDEO",
                                    .status = "ENDED",
                                    .initiator = users[0],
                                    .chat_id = chat,
                                    .reason = "ended",
                                    .started_ms = T0 + i * INT64_C(1000),
                                    .answered_ms = T0 + i * INT64_C(1000) + 5,
                                    .ended_ms = T0 + i * INT64_C(1000) + 900,
                                    .changed_ms = T0 + i * INT64_C(1000) + 900};
    store_put_call(store, &call);
    for (int side = 0; side < 2; side++) {
        const struct store_participant participant = {.call = id,
                                                      .user = users[side],
                                                      .status = "LEFT",
                                                      .invited_ms = call.started_ms,
                                                      .joined_ms = call.answered_ms,
                                                      .left_ms = call.ended_ms,
                                                      .changed_ms = call.changed_ms};
        store_put_participant(store, &participant);
    }
}

static void wait_for(struct store *store)
{
    store_flush(store);
    while (store_settled(store) < store_last_ticket(store))
        g_usleep(100);
}

static void fill(struct store *store, unsigned calls)
{
    int64_t from_us = g_get_monotonic_time();
    for (unsigned i = 0; i < calls; i++) {
        put(store, i);
        if (i % TURN == TURN - 1)
            wait_for(store);
    }
    wait_for(store);
    double seconds = (double)(g_get_monotonic_time() - from_us) / G_USEC_PER_SEC;
    struct store_health health = store_health(store);
    printf("{\"filled\": %u, \"seconds\": %.1f, \"calls_per_s\": %.0f, \"lost\": %" PRIu64 "}\n", calls, seconds,
           calls / seconds, health.lost);
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void ask(struct store *store, const char *what, struct store_query query)
{
    int64_t took_us[ASKED], counted_us = 0;
    unsigned rows = 0;
    char user[16];
    for (unsigned i = 0; i < ASKED; i++) {
        if (query.user && i > 0) {
            g_snprintf(user, sizeof(user), "user-%u", (i * 7) % USERS);
            query.user = user;
        }
        int64_t from_us = g_get_monotonic_time();
        store_find_calls(store, &query, no_call, &rows);
        took_us[i] = g_get_monotonic_time() - from_us;
        store_count_calls(store, &query);
        counted_us = MAX(counted_us, g_get_monotonic_time() - from_us - took_us[i]);
    }
    qsort(took_us, ASKED, sizeof(took_us[0]), compare);
    printf("{\"page\": \"%s\", \"rows\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f, "
           "\"count_max_ms\": %.2f}\n",
           what, (double)rows / ASKED, (double)took_us[ASKED / 2] / 1000, (double)took_us[ASKED * 99 / 100] / 1000,
           (double)took_us[ASKED - 1] / 1000, (double)counted_us / 1000);
    fflush(stdout);
}

static void ask_all(struct store *store)
{
    ask(store, "one user's", (struct store_query){.user = "user-0", .limit = PAGE});
    ask(store, "one user's, page 10", (struct store_query){.user = "user-0", .limit = PAGE, .offset = 900});
    ask(store, "one user's, AUDIO", (struct store_query){.user = "user-0", .type = "AUDIO", .limit = PAGE});
    ask(store, "one user's, one chat", (struct store_query){.user = "user-0", .chat_id = "chat-0", .limit = PAGE});
    ask(store, "everybody's", (struct store_query){.limit = PAGE});
    ask(store, "everybody's, page 100", (struct store_query){.limit = PAGE, .offset = 9900});
    ask(store, "everybody's, AUDIO", (struct store_query){.type = "AUDIO", .limit = PAGE});
    ask(store, "one chat's", (struct store_query){.chat_id = "chat-1", .limit = PAGE});
    ask(store, "active", (struct store_query){.is_active = true, .limit = PAGE});
}

static struct store *open_store(const char *path, const char *what)
{
    struct config config;
    char err[400];
    int64_t from_us = g_get_monotonic_time();
    config_init(&config);
    config_set(&config, "DATABASE_URL", path, err, sizeof(err));
    struct store *store = store_new(&config, no_wake, NULL, err, sizeof(err));
    config_clear(&config);
    if (!store)
        fprintf(stderr, "%s\n", err);
    else if (what)
        printf("{\"opened\": \"%s\", \"seconds\": %.2f}\n", what,
               (double)(g_get_monotonic_time() - from_us) / G_USEC_PER_SEC);
    return store;
}

int main(int argc, char **argv)
{
    unsigned calls = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
    char *dir = g_dir_make_tmp("roda-history-XXXXXX", NULL), *path = g_build_filename(dir, "roda.db", NULL);
    char *lock = g_strconcat(path, ".lock", NULL);
    log_init(LOG_LEVEL_WARN, LOG_TEXT);
    struct store *store = open_store(path, NULL);
    if (store)
        fill(store, calls);
    store_free(store);
    GStatBuf st;
    if (g_stat(path, &st) == 0)
        printf("{\"file_mib\": %.0f}\n", (double)st.st_size / (1 << 20));
    store = store ? open_store(path, "again, with its check") : NULL;
    if (store)
        ask_all(store);
    store_free(store);
    g_remove(path);
    g_remove(lock);
    g_rmdir(dir);
    g_free(lock);
    g_free(path);
    g_free(dir);
    return store ? EXIT_SUCCESS : EXIT_FAILURE;
}
