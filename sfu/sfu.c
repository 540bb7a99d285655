// How is the media server put together, and how do commands find their worker?
// SPDX-License-Identifier: MIT
#include "sfu/sfu.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "sfu/cipher.h"
#include "sfu/command.h"
#include "sfu/datachan.h"
#include "sfu/dtls.h"
#include "sfu/ice.h"
#include "sfu/log.h"
#include "sfu/now.h"
#include "sfu/record.h"
#include "sfu/room.h"
#include "sfu/worker.h"

enum { WORKERS_MAX = 64 };

// Where a room lives, and how many of its peers have not been reported gone.
struct placement {
    unsigned worker;
    unsigned peers;
};

struct sfu {
    // fixed at start
    struct ice *ice;
    struct datachan_hub *hub;
    struct dtls_cert *cert;
    struct recorder *recorder; // NULL: nothing can be recorded
    struct worker *workers[WORKERS_MAX];
    unsigned worker_count;
    unsigned busy_max; // thousandths of a core
    char description[256];

    // the signaling thread's
    GHashTable *placements; // room id -> struct placement
    unsigned load[WORKERS_MAX];
    struct mail *waiting; // events taken from the mailbox, not yet asked for

    struct mailbox events;
};

// ---- start and stop --------------------------------------------------------------------------------------

static int select_cipher(const struct sfu_config *cfg, char *err, size_t err_size)
{
    const char *name = cfg->cipher_engine ? cfg->cipher_engine : "auto";
    int rc = cipher_engine_select(name);
    if (rc < 0)
        g_snprintf(err, err_size, "cipher engine \"%s\" %s; use auto or libsrtp", name,
                   rc == -EINVAL ? "does not exist" : "is not available on this machine");
    return rc;
}

static void start_worker(struct sfu *sfu, unsigned index)
{
    static const struct worker_handlers handlers = {rooms_start, rooms_letter, rooms_tick, rooms_stop};
    struct worker_config cfg = {.index = index, .ice = sfu->ice, .hub = sfu->hub, .cert = sfu->cert};
    struct rooms *rooms = rooms_new(&sfu->events, sfu->recorder ? recorder_inbox(sfu->recorder) : NULL);
    sfu->workers[index] = worker_new(&cfg, &handlers, rooms);
}

static int start_recorder(struct sfu *sfu, const struct sfu_config *cfg, char *err, size_t err_size)
{
    struct recorder_config recorder_cfg = {.dir = cfg->record_dir,
                                           .hook = cfg->record_hook,
                                           .quota_bytes = cfg->record_quota_bytes,
                                           .free_floor_bytes = cfg->record_free_floor_bytes,
                                           .events = &sfu->events};
    if (!cfg->record_dir)
        return 0;
    sfu->recorder = recorder_new(&recorder_cfg, err, err_size);
    return sfu->recorder ? 0 : -1;
}

struct sfu *sfu_new(const struct sfu_config *cfg, char *err, size_t err_size)
{
    sfu_log_set_handler(cfg->log);
    if (select_cipher(cfg, err, err_size) < 0)
        return NULL;
    struct ice_config ice_cfg = {.lite = cfg->ice_lite,
                                 .port_min = cfg->port_min,
                                 .port_max = cfg->port_max,
                                 .announced_address = cfg->announced_address,
                                 .bind_address = cfg->bind_address,
                                 .stun_host = cfg->stun_host,
                                 .stun_port = cfg->stun_port};
    struct ice *ice = ice_new(&ice_cfg, err, err_size);
    if (!ice)
        return NULL;
    struct sfu *sfu = g_new0(struct sfu, 1);
    sfu->ice = ice;
    sfu->hub = datachan_hub_new();
    sfu->cert = dtls_cert_new();
    sfu->placements = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    mailbox_init(&sfu->events, cfg->wake, cfg->wake_arg);
    if (start_recorder(sfu, cfg, err, err_size) < 0) {
        sfu_free(sfu);
        return NULL;
    }
    sfu->busy_max = 10 * (cfg->busy_max ? cfg->busy_max : SFU_BUSY_MAX);
    sfu->worker_count = CLAMP(cfg->workers ? cfg->workers : g_get_num_processors(), 1, WORKERS_MAX);
    for (unsigned i = 0; i < sfu->worker_count; i++)
        start_worker(sfu, i);
    g_snprintf(sfu->description, sizeof(sfu->description), "%u worker%s, cipher engine %s, ICE %s", sfu->worker_count,
               sfu->worker_count == 1 ? "" : "s", cipher_engine_name(), cfg->ice_lite ? "lite" : "full");
    return sfu;
}

// Workers stop first, while those they write to still listen; then those who write to workers; then what is left.
void sfu_free(struct sfu *sfu)
{
    if (!sfu)
        return;
    for (unsigned i = 0; i < sfu->worker_count; i++)
        worker_stop(sfu->workers[i]);
    if (sfu->recorder)
        recorder_free(sfu->recorder);
    datachan_hub_free(sfu->hub);
    ice_free(sfu->ice);
    for (unsigned i = 0; i < sfu->worker_count; i++)
        worker_free(sfu->workers[i]);
    struct sfu_event *event;
    while ((event = sfu_next_event(sfu)))
        sfu_event_free(event);
    mailbox_close(&sfu->events);
    dtls_cert_free(sfu->cert);
    g_hash_table_destroy(sfu->placements);
    g_free(sfu);
}

const char *sfu_describe(const struct sfu *sfu)
{
    return sfu->description;
}

// ---- commands --------------------------------------------------------------------------------------------

static struct placement *placement_find(struct sfu *sfu, uint64_t room)
{
    return g_hash_table_lookup(sfu->placements, &room);
}

static bool is_too_busy(const struct sfu *sfu, unsigned worker)
{
    return worker_busy(sfu->workers[worker]) >= sfu->busy_max;
}

// The fewest peers, not the least work: how busy somebody is now says little of a room that is just beginning.
static bool is_better(const struct sfu *sfu, unsigned one, unsigned other)
{
    bool busy = is_too_busy(sfu, one);
    return busy == is_too_busy(sfu, other) ? sfu->load[one] < sfu->load[other] : !busy;
}

static unsigned least_loaded(const struct sfu *sfu)
{
    unsigned best = 0;
    for (unsigned i = 1; i < sfu->worker_count; i++) {
        if (is_better(sfu, i, best))
            best = i;
    }
    return best;
}

static struct placement *place(struct sfu *sfu, uint64_t room, unsigned worker)
{
    struct placement *placement = g_new0(struct placement, 1);
    placement->worker = worker;
    g_hash_table_insert(sfu->placements, g_memdup2(&room, sizeof(room)), placement);
    return placement;
}

// A command for a room that is gone is dropped: its SFU_GONE events say so.
static void post(struct sfu *sfu, struct command *command)
{
    struct placement *placement = placement_find(sfu, command->room);
    if (!placement)
        command_free(command);
    else
        worker_post(sfu->workers[placement->worker], &command->mail);
}

static void post_tagged(struct sfu *sfu, struct command *command, uint64_t tag)
{
    command->tag = tag;
    post(sfu, command);
}

static void refuse(struct sfu *sfu, uint64_t room, uint64_t peer, bool is_new_room)
{
    struct sfu_event gone = {.type = SFU_GONE,
                             .room = room,
                             .peer = peer,
                             .reason = SFU_TOO_MANY,
                             .text = "the server's processor is at its limit: try again later"};
    struct sfu_event freed = {.type = SFU_ROOM_FREED, .room = room};
    sfu_log(SFU_LOG_WARN, "a participant was refused: its worker is busy (limit %u %%)", sfu->busy_max / 10);
    event_post(&sfu->events, &gone);
    if (is_new_room)
        event_post(&sfu->events, &freed);
}

void sfu_join(struct sfu *sfu, uint64_t room, uint64_t peer, const char *user)
{
    struct placement *placement = placement_find(sfu, room);
    unsigned worker = placement ? placement->worker : least_loaded(sfu);
    bool refused = is_too_busy(sfu, worker);
    if (refused && !placement)
        return refuse(sfu, room, peer, true);
    if (!placement)
        placement = place(sfu, room, worker);
    placement->peers++;
    sfu->load[placement->worker]++;
    if (refused)
        refuse(sfu, room, peer, false);
    else
        post(sfu, command_new(COMMAND_JOIN, room, peer, user));
}

void sfu_leave(struct sfu *sfu, uint64_t room, uint64_t peer)
{
    post(sfu, command_new(COMMAND_LEAVE, room, peer, NULL));
}

void sfu_close(struct sfu *sfu, uint64_t room)
{
    post(sfu, command_new(COMMAND_CLOSE, room, 0, NULL));
}

static void post_description(struct sfu *sfu, struct command *command, uint64_t tag,
                             const struct sfu_mid_source *sources, size_t source_count)
{
    command->source_count = MIN(source_count, SFU_SOURCES_MAX);
    if (command->source_count)
        memcpy(command->sources, sources, command->source_count * sizeof(sources[0]));
    post_tagged(sfu, command, tag);
}

void sfu_offer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *sdp,
               const struct sfu_mid_source *sources, size_t source_count)
{
    post_description(sfu, command_new(COMMAND_OFFER, room, peer, sdp), tag, sources, source_count);
}

void sfu_answer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *sdp,
                const struct sfu_mid_source *sources, size_t source_count)
{
    post_description(sfu, command_new(COMMAND_ANSWER, room, peer, sdp), tag, sources, source_count);
}

void sfu_candidate(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t tag, const char *mid,
                   const char *candidate)
{
    (void)mid; // everything is bundled: there is one transport
    post_tagged(sfu, command_new(COMMAND_CANDIDATE, room, peer, candidate), tag);
}

void sfu_expect(struct sfu *sfu, uint64_t room, uint64_t peer, const char *user)
{
    post(sfu, command_new(COMMAND_EXPECT, room, peer, user));
}

void sfu_mute(struct sfu *sfu, uint64_t room, uint64_t peer, enum sfu_source source, bool muted)
{
    struct command *command = command_new(COMMAND_MUTE, room, peer, NULL);
    command->source = source;
    command->muted = muted;
    post(sfu, command);
}

void sfu_select_layer(struct sfu *sfu, uint64_t room, uint64_t peer, uint64_t publisher, enum sfu_source source,
                      int spatial, int temporal)
{
    struct command *command = command_new(COMMAND_SELECT_LAYER, room, peer, NULL);
    command->publisher = publisher;
    command->source = source;
    command->spatial = spatial;
    command->temporal = temporal;
    post(sfu, command);
}

void sfu_ask_stats(struct sfu *sfu, uint64_t room, uint64_t tag)
{
    post_tagged(sfu, command_new(COMMAND_STATS, room, 0, NULL), tag);
}

void sfu_ask_load(struct sfu *sfu, uint64_t tag)
{
    for (unsigned i = 0; i < sfu->worker_count; i++) {
        struct command *command = command_new(COMMAND_LOAD, 0, i, NULL);
        command->tag = tag;
        command->asked_us = now_monotonic_us();
        worker_post(sfu->workers[i], &command->mail);
    }
}

unsigned sfu_worker_count(const struct sfu *sfu)
{
    return sfu->worker_count;
}

void sfu_record_start(struct sfu *sfu, uint64_t room, uint64_t tag, const char *dir)
{
    post_tagged(sfu, command_new(COMMAND_RECORD_START, room, 0, dir), tag);
}

void sfu_record_stop(struct sfu *sfu, uint64_t room, uint64_t tag)
{
    post_tagged(sfu, command_new(COMMAND_RECORD_STOP, room, 0, NULL), tag);
}

void sfu_record_note(struct sfu *sfu, uint64_t room, const char *json)
{
    if (strlen(json) <= SFU_NOTE_MAX)
        post(sfu, command_new(COMMAND_RECORD_NOTE, room, 0, json));
    else
        sfu_log(SFU_LOG_WARN, "a note for a recording is too long: dropped");
}

void sfu_tap_start(struct sfu *sfu, uint64_t room, uint64_t tag, uint64_t peer, enum sfu_source source,
                   const char *address, uint16_t port)
{
    struct command *command = command_new(COMMAND_TAP_START, room, peer, address);
    command->source = source;
    command->port = port;
    post_tagged(sfu, command, tag);
}

void sfu_tap_stop(struct sfu *sfu, uint64_t room, uint64_t tag)
{
    post_tagged(sfu, command_new(COMMAND_TAP_STOP, room, 0, NULL), tag);
}

// ---- events ----------------------------------------------------------------------------------------------

static void account(struct sfu *sfu, const struct sfu_event *event)
{
    struct placement *placement = placement_find(sfu, event->room);
    if (!placement)
        return;
    if (event->type == SFU_GONE) {
        placement->peers--;
        sfu->load[placement->worker]--;
    }
    // With a join on its way the worker makes the room anew, so it keeps its place.
    if (event->type == SFU_ROOM_FREED && placement->peers == 0)
        g_hash_table_remove(sfu->placements, &event->room);
}

struct sfu_event *sfu_next_event(struct sfu *sfu)
{
    if (!sfu->waiting)
        sfu->waiting = mailbox_take(&sfu->events);
    if (!sfu->waiting)
        return NULL;
    struct mail *mail = sfu->waiting;
    sfu->waiting = mail->next;
    struct sfu_event *event = event_of_mail(mail);
    account(sfu, event);
    return event;
}
