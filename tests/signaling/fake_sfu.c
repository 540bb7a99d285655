// What if there were no media? (sfu/sfu.h for the tests of signaling)
// SPDX-License-Identifier: MIT
#include "tests/signaling/fake_sfu.h"

#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct fake_peer {
    uint64_t room, peer;
    bool is_offered; // an offer of ours waits for an answer
};

struct sfu {
    struct sfu_config config;
    GPtrArray *peers;  // of struct fake_peer
    GHashTable *spent; // numbers of rooms and peers that are gone
    GQueue commands, events;
    char *taken;
    bool is_holding;
    char *stats; // or NULL: ""
};

struct sfu *sfu_new(const struct sfu_config *cfg, char *err, size_t err_size)
{
    if (cfg->cipher_engine && strcmp(cfg->cipher_engine, "libsrtp") == 0) {
        g_snprintf(err, err_size, "there is no cipher engine \"libsrtp\": try auto");
        return NULL;
    }
    struct sfu *sfu = g_new0(struct sfu, 1);
    sfu->config = *cfg;
    sfu->peers = g_ptr_array_new_with_free_func(g_free);
    sfu->spent = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return sfu;
}

void sfu_free(struct sfu *sfu)
{
    if (!sfu)
        return;
    g_ptr_array_free(sfu->peers, TRUE);
    g_hash_table_destroy(sfu->spent);
    g_queue_clear_full(&sfu->commands, g_free);
    g_queue_clear_full(&sfu->events, (GDestroyNotify)sfu_event_free);
    g_free(sfu->taken);
    g_free(sfu->stats);
    g_free(sfu);
}

const char *sfu_describe(const struct sfu *sfu)
{
    (void)sfu;
    return "no media server: a test";
}

// ---- what the test sees -------------------------------------------------------------------------------------

__attribute__((format(printf, 2, 3))) static void note(struct sfu *sfu, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_queue_push_tail(&sfu->commands, g_strdup_vprintf(format, args));
    va_end(args);
}

const char *fake_sfu_take(struct sfu *sfu)
{
    g_free(sfu->taken);
    return sfu->taken = g_queue_pop_head(&sfu->commands);
}

unsigned fake_sfu_peer_count(const struct sfu *sfu)
{
    return sfu->peers->len;
}

unsigned fake_sfu_room_count(const struct sfu *sfu)
{
    GHashTable *rooms = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < sfu->peers->len; i++)
        g_hash_table_add(rooms, &((struct fake_peer *)sfu->peers->pdata[i])->room);
    unsigned count = g_hash_table_size(rooms);
    g_hash_table_destroy(rooms);
    return count;
}

void fake_sfu_hold(struct sfu *sfu, bool hold)
{
    sfu->is_holding = hold;
}

// ---- events -------------------------------------------------------------------------------------------------

static struct fake_peer *find_peer(const struct sfu *sfu, uint64_t room, uint64_t peer)
{
    for (guint i = 0; i < sfu->peers->len; i++) {
        struct fake_peer *one = sfu->peers->pdata[i];
        if (one->room == room && one->peer == peer)
            return one;
    }
    return NULL;
}

void fake_sfu_say(struct sfu *sfu, const struct sfu_event *event)
{
    struct sfu_event *copy = g_new0(struct sfu_event, 1);
    *copy = *event;
    copy->text = g_strdup(event->text);
    copy->tracks = g_memdup2(event->tracks, event->track_count * sizeof(*event->tracks));
    struct fake_peer *one = find_peer(sfu, event->room, event->peer);
    if (event->type == SFU_OFFER && one)
        one->is_offered = true;
    bool was_empty = g_queue_is_empty(&sfu->events);
    g_queue_push_tail(&sfu->events, copy);
    if (was_empty && sfu->config.wake)
        sfu->config.wake(sfu->config.wake_arg);
}

struct sfu_event *sfu_next_event(struct sfu *sfu)
{
    return g_queue_pop_head(&sfu->events);
}

void sfu_event_free(struct sfu_event *event)
{
    g_free((char *)event->text);
    g_free((struct sfu_track *)event->tracks);
    g_free(event);
}

static void answer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, enum sfu_event_type type,
                   enum sfu_reason reason, const char *text)
{
    if (!sfu->is_holding)
        fake_sfu_say(sfu, &(struct sfu_event){
                              .type = type, .room = room, .peer = peer, .tag = tag, .reason = reason, .text = text});
}

// ---- commands -----------------------------------------------------------------------------------------------

static void spend(struct sfu *sfu, uint64_t number)
{
    g_hash_table_add(sfu->spent, g_memdup2(&number, sizeof(number)));
}

void sfu_join(struct sfu *sfu, uint64_t room, uint64_t peer, const char *user)
{
    g_assert(room != 0 && peer != 0 && !find_peer(sfu, room, peer));
    g_assert(!g_hash_table_contains(sfu->spent, &room) && !g_hash_table_contains(sfu->spent, &peer));
    struct fake_peer *one = g_new0(struct fake_peer, 1);
    one->room = room;
    one->peer = peer;
    g_ptr_array_add(sfu->peers, one);
    note(sfu, "join %" PRIu64 " %" PRIu64 " %s", room, peer, user);
}

static bool has_room(const struct sfu *sfu, uint64_t room)
{
    for (guint i = 0; i < sfu->peers->len; i++)
        if (((struct fake_peer *)sfu->peers->pdata[i])->room == room)
            return true;
    return false;
}

static void go(struct sfu *sfu, struct fake_peer *one, enum sfu_reason reason)
{
    struct sfu_event event = {.type = SFU_GONE, .room = one->room, .peer = one->peer, .reason = reason};
    spend(sfu, one->peer);
    g_ptr_array_remove(sfu->peers, one);
    fake_sfu_say(sfu, &event);
    if (has_room(sfu, event.room))
        return;
    spend(sfu, event.room);
    fake_sfu_say(sfu, &(struct sfu_event){.type = SFU_ROOM_FREED, .room = event.room});
}

void sfu_leave(struct sfu *sfu, uint64_t room, uint64_t peer)
{
    struct fake_peer *one = find_peer(sfu, room, peer);
    note(sfu, "leave %" PRIu64 " %" PRIu64, room, peer);
    if (one)
        go(sfu, one, SFU_LEFT);
}

void sfu_close(struct sfu *sfu, uint64_t room)
{
    note(sfu, "close %" PRIu64, room);
    for (guint i = sfu->peers->len; i > 0; i--)
        if (((struct fake_peer *)sfu->peers->pdata[i - 1])->room == room)
            go(sfu, sfu->peers->pdata[i - 1], SFU_CLOSED);
}

static void note_description(struct sfu *sfu, const char *what, uint64_t room, uint64_t peer,
                             const struct sfu_mid_source *sources, size_t source_count)
{
    GString *line = g_string_new(what);
    g_string_append_printf(line, " %" PRIu64 " %" PRIu64, room, peer);
    for (size_t i = 0; i < source_count; i++)
        g_string_append_printf(line, " %s=%s", sources[i].mid, sfu_source_name(sources[i].source));
    note(sfu, "%s", line->str);
    g_string_free(line, TRUE);
}

void sfu_offer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *sdp,
               const struct sfu_mid_source *sources, size_t source_count)
{
    struct fake_peer *one = find_peer(sfu, room, peer);
    note_description(sfu, "offer", room, peer, sources, source_count);
    if (!one)
        return;
    if (!g_str_has_prefix(sdp, "v=0"))
        return answer(sfu, room, peer, tag, SFU_REFUSED, SFU_BAD_SDP, "line 1: v= is missing");
    if (one->is_offered || strstr(sdp, "x-glare"))
        return answer(sfu, room, peer, tag, SFU_REFUSED, SFU_GLARE, NULL);
    answer(sfu, room, peer, tag, SFU_ANSWER, SFU_OK, "v=0\r\ns=the answer\r\n");
}

void sfu_answer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *sdp,
                const struct sfu_mid_source *sources, size_t source_count)
{
    struct fake_peer *one = find_peer(sfu, room, peer);
    note_description(sfu, "answer", room, peer, sources, source_count);
    if (!one)
        return;
    if (!one->is_offered)
        return answer(sfu, room, peer, tag, SFU_REFUSED, SFU_NO_OFFER, NULL);
    if (!g_str_has_prefix(sdp, "v=0"))
        return answer(sfu, room, peer, tag, SFU_REFUSED, SFU_BAD_SDP, "line 1: v= is missing");
    one->is_offered = sfu->is_holding;
    answer(sfu, room, peer, tag, SFU_ACCEPTED, SFU_OK, NULL);
}

void sfu_candidate(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *mid,
                   const char *candidate)
{
    note(sfu, "candidate %" PRIu64 " %" PRIu64 " %s %s", room, peer, mid ? mid : "-",
         candidate && *candidate ? candidate : "end");
    if (!find_peer(sfu, room, peer))
        return;
    bool ok = !candidate || !*candidate || g_str_has_prefix(candidate, "candidate:");
    answer(sfu, room, peer, tag, ok ? SFU_ACCEPTED : SFU_REFUSED, ok ? SFU_OK : SFU_BAD_CANDIDATE, NULL);
}

void sfu_expect(struct sfu *sfu, uint64_t room, uint64_t peer, const char *user)
{
    note(sfu, "expect %" PRIu64 " %" PRIu64 " %s", room, peer, user ? user : "nobody");
}

void sfu_mute(struct sfu *sfu, uint64_t room, uint64_t peer, enum sfu_source source, bool muted)
{
    note(sfu, "mute %" PRIu64 " %" PRIu64 " %s %s", room, peer, sfu_source_name(source), muted ? "on" : "off");
}

void sfu_select_layer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t publisher, enum sfu_source source,
                      int spatial, int temporal)
{
    note(sfu, "layer %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %d %d", room, peer, publisher, sfu_source_name(source),
         spatial, temporal);
}

void sfu_ask_stats(struct sfu *sfu, uint64_t room, uint64_t tag)
{
    note(sfu, "stats %" PRIu64, room);
    answer(sfu, room, 0, tag, SFU_STATS_DATA, SFU_OK, sfu->stats ? sfu->stats : "");
}

void fake_sfu_set_stats(struct sfu *sfu, const char *text)
{
    g_free(sfu->stats);
    sfu->stats = g_strdup(text);
}

// Asked every second by itself, so it is no command a test waits for.
void sfu_ask_load(struct sfu *sfu, uint64_t tag)
{
    char text[120];
    g_snprintf(text, sizeof(text),
               "worker=0 rooms=%u peers=%u cpu_us=1000 letter_us=20 late_us=30 rx_packets=7 tap_packets=4 "
               "tap_bytes=400 drop_muted=2",
               fake_sfu_room_count(sfu), fake_sfu_peer_count(sfu));
    answer(sfu, 0, 0, tag, SFU_LOAD_DATA, SFU_OK, text);
}

unsigned sfu_worker_count(const struct sfu *sfu)
{
    (void)sfu;
    return 1;
}

void sfu_record_start(struct sfu *sfu, uint64_t room, uint64_t tag, const char *dir)
{
    note(sfu, "record %" PRIu64 " %s", room, dir);
    if (!has_room(sfu, room) || sfu->is_holding)
        return;
    fake_sfu_say(sfu, &(struct sfu_event){.type = SFU_RECORDING, .room = room, .tag = tag, .on = true, .text = dir});
}

void sfu_record_stop(struct sfu *sfu, uint64_t room, uint64_t tag)
{
    note(sfu, "record-stop %" PRIu64, room);
    if (has_room(sfu, room))
        answer(sfu, room, 0, tag, SFU_RECORDING, SFU_OK, NULL);
}

void sfu_record_note(struct sfu *sfu, uint64_t room, const char *json)
{
    note(sfu, "record-note %" PRIu64 " %s", room, json);
}

void sfu_tap_start(struct sfu *sfu, uint64_t room, uint64_t tag, uint64_t peer, enum sfu_source source,
                   const char *address, uint16_t port)
{
    note(sfu, "tap %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %s %u", room, tag, peer, sfu_source_name(source), address,
         port);
}

void sfu_tap_stop(struct sfu *sfu, uint64_t room, uint64_t tag)
{
    note(sfu, "tap-stop %" PRIu64 " %" PRIu64, room, tag);
    if (has_room(sfu, room))
        answer(sfu, room, 0, tag, SFU_TAP, SFU_OK, NULL);
}

// ---- words --------------------------------------------------------------------------------------------------

static const char *const source_names[] = {"microphone", "camera", "screen", "screen-audio"};

const char *sfu_source_name(enum sfu_source source)
{
    return source_names[source];
}

bool sfu_source_parse(const char *name, enum sfu_source *source)
{
    for (int i = 0; i < SFU_SOURCE_COUNT; i++) {
        if (strcmp(source_names[i], name) == 0) {
            *source = (enum sfu_source)i;
            return true;
        }
    }
    return false;
}

const char *sfu_reason_name(enum sfu_reason reason)
{
    static const char *const names[] = {"ok",        "bad-sdp",     "glare",        "no-offer",   "bad-candidate",
                                        "left",      "closed",      "media-failed", "too-many",   "disk-full",
                                        "disk-slow", "disk-failed", "interrupted",  "bad-address"};
    return names[reason];
}
