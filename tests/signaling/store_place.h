// Where does a test keep a store, and what does it put in?
// SPDX-License-Identifier: MIT
//
// Include it behind cmocka.h.
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/store.h"
#include "signaling/store_read.h"

enum { PATIENCE_S = 20 };

static const int64_t T0 = INT64_C(1769853600000); // 2026-01-31T10:00:00Z
static const int64_t DAY = INT64_C(86400000);

// ---- a store in a folder of its own ---------------------------------------------------------------------------

struct place {
    char *dir, *path;
    struct config config;
    GMutex lock;
    GCond woken;
    char err[400];
};

static inline void on_wake(void *arg)
{
    struct place *place = arg;
    g_mutex_lock(&place->lock);
    g_cond_broadcast(&place->woken);
    g_mutex_unlock(&place->lock);
}

static inline void set(struct place *place, const char *key, const char *value)
{
    assert_int_equal(config_set(&place->config, key, value, place->err, sizeof(place->err)), 0);
}

static inline struct place *place_new(void)
{
    struct place *place = g_new0(struct place, 1);
    log_init(LOG_LEVEL_ERROR, LOG_TEXT);
    place->dir = g_dir_make_tmp("roda-store-XXXXXX", NULL);
    assert_non_null(place->dir);
    place->path = g_build_filename(place->dir, "roda.db", NULL);
    g_mutex_init(&place->lock);
    g_cond_init(&place->woken);
    config_init(&place->config);
    set(place, "DATABASE_URL", place->path);
    return place;
}

static inline void place_free(struct place *place)
{
    GDir *dir = g_dir_open(place->dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        char *file = g_build_filename(place->dir, name, NULL);
        g_remove(file);
        g_free(file);
    }
    g_dir_close(dir);
    assert_int_equal(g_rmdir(place->dir), 0);
    config_clear(&place->config);
    g_mutex_clear(&place->lock);
    g_cond_clear(&place->woken);
    g_free(place->dir);
    g_free(place->path);
    g_free(place);
}

static inline struct store *open_store(struct place *place)
{
    struct store *store = store_new(&place->config, on_wake, place, place->err, sizeof(place->err));
    if (!store)
        fail_msg("%s", place->err);
    return store;
}

static inline void open_badly(struct place *place, const char *why)
{
    assert_null(store_new(&place->config, on_wake, place, place->err, sizeof(place->err)));
    if (!strstr(place->err, why))
        fail_msg("\"%s\" does not say \"%s\"", place->err, why);
}

// Until the condition holds; woken by the writer.
static inline void wait_until(struct place *place, struct store *store, bool (*holds)(struct store *, uint64_t),
                              uint64_t arg)
{
    int64_t until_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    g_mutex_lock(&place->lock);
    while (!holds(store, arg)) {
        int64_t look_us = MIN(until_us, g_get_monotonic_time() + G_USEC_PER_SEC / 10);
        g_cond_wait_until(&place->woken, &place->lock, look_us);
        if (g_get_monotonic_time() >= until_us)
            fail_msg("nothing changed for %d s", PATIENCE_S);
    }
    g_mutex_unlock(&place->lock);
}

static inline bool is_settled(struct store *store, uint64_t ticket)
{
    return store_settled(store) >= ticket;
}

static inline bool has_written(struct store *store, uint64_t count)
{
    return store_health(store).written >= count;
}

static inline bool is_degraded(struct store *store, uint64_t wanted)
{
    return store_health(store).is_degraded == (wanted != 0);
}

static inline bool has_lost(struct store *store, uint64_t count)
{
    return store_health(store).lost >= count;
}

static inline void settle(struct place *place, struct store *store)
{
    store_flush(store);
    wait_until(place, store, is_settled, store_last_ticket(store));
}

// ---- calls ----------------------------------------------------------------------------------------------------

static inline struct store_call make_call(const char *id, const char *status, int64_t at_ms)
{
    return (struct store_call){.id = id,
                               .room = "room-1",
                               .type = "VIDEO",
                               .status = status,
                               .initiator = "ana",
                               .initiator_name = "Ana María",
                               .started_ms = at_ms,
                               .changed_ms = at_ms};
}

static inline struct store_participant make_participant(const char *call, const char *user, int64_t at_ms)
{
    return (struct store_participant){.call = call,
                                      .user = user,
                                      .name = "Somebody",
                                      .status = "RINGING",
                                      .is_video_enabled = true,
                                      .invited_ms = at_ms,
                                      .changed_ms = at_ms};
}

// What was found, one line a row.
static inline void note_call(void *arg, const struct store_call *c)
{
    g_string_append_printf(arg, "%s %s %s%s%s;", c->id, c->type, c->status, c->reason ? " " : "",
                           c->reason ? c->reason : "");
}

static inline void note_participant(void *arg, const struct store_participant *p)
{
    g_string_append_printf(arg, "%s %s%s%s%s;", p->user, p->status, p->is_muted ? " muted" : "",
                           p->is_video_enabled ? " video" : "", p->is_sharing_screen ? " screen" : "");
}

static inline void note_change(void *arg, const struct store_change *c)
{
    if (c->status)
        g_string_append_printf(arg, "+%d %s%s%s;", (int)(c->at_ms - T0), c->status, c->reason ? " " : "",
                               c->reason ? c->reason : "");
    else
        g_string_append_printf(arg, "+%d %s %d%d%d;", (int)(c->at_ms - T0), c->user, c->is_muted, c->is_video_enabled,
                               c->is_sharing_screen);
}

static inline void note_chat(void *arg, const struct store_chat *c)
{
    g_string_append_printf(arg, "%s->%s: %s;", c->from, c->to ? c->to : "all", c->text);
}

static inline void note_delivery(void *arg, const struct store_delivery *d)
{
    g_string_append_printf(arg, "%s %s %u;", d->id, d->url, d->attempts);
}

static inline void expect(GString *found, const char *wanted)
{
    assert_string_equal(found->str, wanted);
    g_string_free(found, TRUE);
}

#define EXPECT(wanted, find, ...)                                                                                    \
    do {                                                                                                             \
        GString *found = g_string_new(NULL);                                                                         \
        assert_true(find(__VA_ARGS__, found) >= 0);                                                                  \
        expect(found, wanted);                                                                                       \
    } while (0)

#define EXPECT_CALLS(store, wanted, ...)                                                                             \
    EXPECT(wanted, store_find_calls, store, (&(struct store_query){__VA_ARGS__}), note_call)

static inline void put_life(struct store *store)
{
    struct store_call call = make_call("c1", "RINGING", T0);
    struct store_participant ana = make_participant("c1", "ana", T0), bob = make_participant("c1", "bob", T0);
    ana.status = "JOINED";
    store_put_call(store, &call);
    store_put_participant(store, &ana);
    store_put_participant(store, &bob);
    call.status = "CONNECTING";
    call.answered_ms = call.changed_ms = T0 + 10;
    store_put_call(store, &call);
    bob.status = "JOINED";
    bob.joined_ms = bob.changed_ms = T0 + 10;
    store_put_participant(store, &bob);
    call.status = "CONNECTED";
    call.connected_ms = call.changed_ms = T0 + 20;
    store_put_call(store, &call);
    bob.is_muted = true;
    bob.changed_ms = T0 + 30;
    store_put_participant(store, &bob);
}
