// Who is here, and who hears whom?
// SPDX-License-Identifier: MIT
#include "sfu/room.h"

#include <glib.h>
#include <sys/queue.h>
#include <time.h>

#include "rtp/speaker.h"
#include "sfu/audience.h"
#include "sfu/now.h"
#include "sfu/peer.h"

struct room {
    uint64_t id;
    struct rooms *rooms;
    struct peer_list peers;
    struct audience audience;
    struct speaker speaker;
    struct peer *voices[SPEAKER_MAX]; // by speaker index
};

struct rooms {
    struct worker *worker;
    struct mailbox *events;
    struct record_inbox *inbox; // the recorder's; NULL: there is none
    GHashTable *by_id;          // room id -> struct room, owned
    struct tally tally;         // of who is gone
};

static void post(const struct room *room, struct sfu_event event)
{
    event.room = room->id;
    event_post(room->rooms->events, &event);
}

static struct room *room_find(const struct rooms *rooms, uint64_t id)
{
    return g_hash_table_lookup(rooms->by_id, &id);
}

static struct peer *peer_find(const struct room *room, uint64_t id)
{
    struct peer *peer;
    TAILQ_FOREACH (peer, &room->peers, entry) {
        if (peer->cfg.id == id)
            return peer;
    }
    return NULL;
}

// ---- what peers say ----------------------------------------------------------------------------------------------

static void on_published(void *arg, struct peer *publisher, struct track *track)
{
    struct room *room = arg;
    struct peer *peer;
    TAILQ_FOREACH (peer, &room->peers, entry) {
        if (peer != publisher)
            peer_receive(peer, track, publisher, worker_now_us(room->rooms->worker));
    }
    audience_published(&room->audience, publisher, track);
}

static void on_unpublished(void *arg, struct peer *publisher, struct track *track)
{
    struct room *room = arg;
    struct peer *peer;
    TAILQ_FOREACH (peer, &room->peers, entry) {
        if (peer != publisher)
            peer_stop_receiving(peer, track, worker_now_us(room->rooms->worker));
    }
    audience_unpublished(&room->audience, track);
}

static void receive_all(struct room *room, struct peer *receiver)
{
    struct peer *peer;
    TAILQ_FOREACH (peer, &room->peers, entry) {
        struct track *track;
        if (peer == receiver)
            continue;
        TAILQ_FOREACH (track, &peer->ingress.uplink.tracks, entry)
            peer_receive(receiver, track, peer, worker_now_us(room->rooms->worker));
    }
}

static void on_renewed(void *arg, struct peer *peer)
{
    receive_all(arg, peer);
}

static void on_message(void *arg, struct peer *sender, const struct datachan_message *message)
{
    struct room *room = arg;
    struct peer *peer;
    TAILQ_FOREACH (peer, &room->peers, entry) {
        if (peer != sender)
            transport_tx_message(peer->transport, message);
    }
}

static const struct peer_handlers peer_calls = {on_published, on_unpublished, on_renewed, on_message};

// ---- coming and going --------------------------------------------------------------------------------------------

static struct room *room_new(struct rooms *rooms, uint64_t id)
{
    struct room *room = g_new0(struct room, 1);
    room->id = id;
    room->rooms = rooms;
    TAILQ_INIT(&room->peers);
    room->audience = (struct audience){.worker = rooms->worker,
                                       .events = rooms->events,
                                       .tapped = &rooms->tally.tapped,
                                       .inbox = rooms->inbox,
                                       .room = id,
                                       .peers = &room->peers};
    audience_init(&room->audience);
    speaker_init(&room->speaker);
    g_hash_table_insert(rooms->by_id, g_memdup2(&id, sizeof(id)), room);
    return room;
}

// A participant past the table's end is heard but never the dominant speaker.
static unsigned free_voice(const struct room *room)
{
    unsigned index = 0;
    while (index < SPEAKER_MAX && room->voices[index])
        index++;
    return index;
}

static void join(struct rooms *rooms, const struct command *command, int64_t now_us)
{
    struct room *room = room_find(rooms, command->room);
    if (!room)
        room = room_new(rooms, command->room);
    unsigned voice = free_voice(room);
    struct peer_config cfg = {.worker = rooms->worker,
                              .events = rooms->events,
                              .room = room->id,
                              .id = command->peer,
                              .user = command->text,
                              .speaker = voice < SPEAKER_MAX ? &room->speaker : NULL,
                              .speaker_index = voice,
                              .tally = &rooms->tally,
                              .handlers = &peer_calls,
                              .arg = room};
    struct peer *peer = peer_new(&cfg, now_us);
    if (voice < SPEAKER_MAX)
        room->voices[voice] = peer;
    receive_all(room, peer);
    TAILQ_INSERT_TAIL(&room->peers, peer, entry);
    audience_joined(&room->audience, peer);
}

static void remove_peer(struct room *room, struct peer *peer, enum sfu_reason reason)
{
    uint64_t id = peer->cfg.id;
    if (peer->cfg.speaker) {
        speaker_forget(&room->speaker, peer->cfg.speaker_index);
        room->voices[peer->cfg.speaker_index] = NULL;
    }
    TAILQ_REMOVE(&room->peers, peer, entry);
    audience_leaving(&room->audience, peer);
    peer_free(peer);
    post(room, (struct sfu_event){.type = SFU_GONE, .peer = id, .reason = reason});
}

static void free_if_empty(struct rooms *rooms, struct room *room)
{
    if (!TAILQ_EMPTY(&room->peers))
        return;
    uint64_t id = room->id;
    audience_close(&room->audience);
    post(room, (struct sfu_event){.type = SFU_ROOM_FREED});
    g_hash_table_remove(rooms->by_id, &id);
}

static void close_room(struct rooms *rooms, struct room *room)
{
    while (!TAILQ_EMPTY(&room->peers))
        remove_peer(room, TAILQ_FIRST(&room->peers), SFU_CLOSED);
    free_if_empty(rooms, room);
}

// ---- the worker's calls ------------------------------------------------------------------------------------------

static void tell_stats(struct room *room, uint64_t tag, int64_t now_us)
{
    GString *text = g_string_new(NULL);
    struct peer *peer;
    TAILQ_FOREACH (peer, &room->peers, entry)
        peer_stats(peer, now_us, text);
    post(room, (struct sfu_event){.type = SFU_STATS_DATA, .tag = tag, .text = text->str});
    g_string_free(text, TRUE);
}

static int64_t thread_cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

static void tell_load(struct rooms *rooms, const struct command *command)
{
    char buf[2048];
    struct line line = line_of(buf, sizeof(buf));
    struct tally sum = rooms->tally;
    unsigned peers = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, rooms->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct room *room = value;
        const struct peer *peer;
        TAILQ_FOREACH (peer, &room->peers, entry) {
            peer_tally(peer, &sum);
            peers++;
        }
    }
    line_number(&line, "worker", (int64_t)command->peer);
    line_number(&line, "rooms", g_hash_table_size(rooms->by_id));
    line_number(&line, "peers", peers);
    line_number(&line, "cpu_us", thread_cpu_us());
    line_number(&line, "letter_us", MAX(now_monotonic_us() - command->asked_us, 0));
    line_number(&line, "late_us", worker_ticker(rooms->worker)->late_us);
    tally_print(&sum, worker_stats(rooms->worker), &line);
    worker_ticker(rooms->worker)->late_us = 0;
    struct sfu_event event = {.type = SFU_LOAD_DATA, .peer = command->peer, .tag = command->tag, .text = line.buf};
    event_post(rooms->events, &event);
}

static void room_command(struct rooms *rooms, struct room *room, const struct command *command, int64_t now_us)
{
    switch (command->type) {
    case COMMAND_CLOSE:
        close_room(rooms, room);
        break;
    case COMMAND_STATS:
        tell_stats(room, command->tag, now_us);
        break;
    default:
        audience_command(&room->audience, command, now_us);
        break;
    }
}

static void peer_command(struct rooms *rooms, struct room *room, struct peer *peer, const struct command *command,
                         int64_t now_us)
{
    switch (command->type) {
    case COMMAND_LEAVE:
        remove_peer(room, peer, SFU_LEFT);
        free_if_empty(rooms, room);
        break;
    case COMMAND_OFFER:
        peer_offer(peer, command, now_us);
        break;
    case COMMAND_ANSWER:
        peer_answer(peer, command, now_us);
        break;
    case COMMAND_CANDIDATE:
        peer_candidate(peer, command);
        break;
    case COMMAND_MUTE:
        peer_mute(peer, command->source, command->muted, now_us);
        break;
    case COMMAND_SELECT_LAYER:
        peer_select_layer(peer, command, now_us);
        break;
    case COMMAND_EXPECT:
        peer_expect(peer, command->text);
        break;
    default:
        g_assert_not_reached();
    }
}

static bool is_for_room(enum command_type type)
{
    return type == COMMAND_CLOSE || type == COMMAND_STATS || audience_means(type);
}

static void carry_out(struct rooms *rooms, const struct command *command, int64_t now_us)
{
    if (command->type == COMMAND_JOIN) {
        join(rooms, command, now_us);
        return;
    }
    if (command->type == COMMAND_LOAD) {
        tell_load(rooms, command);
        return;
    }
    struct room *room = room_find(rooms, command->room);
    if (!room)
        return;
    if (is_for_room(command->type)) {
        room_command(rooms, room, command, now_us);
        return;
    }
    struct peer *peer = peer_find(room, command->peer);
    if (peer)
        peer_command(rooms, room, peer, command, now_us);
}

struct rooms *rooms_new(struct mailbox *events, struct record_inbox *inbox)
{
    struct rooms *rooms = g_new0(struct rooms, 1);
    rooms->events = events;
    rooms->inbox = inbox;
    rooms->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return rooms;
}

void rooms_start(void *arg, struct worker *worker)
{
    struct rooms *rooms = arg;
    rooms->worker = worker;
}

void rooms_letter(void *arg, struct mail *mail, int64_t now_us)
{
    struct command *command = (struct command *)mail;
    carry_out(arg, command, now_us);
    command_free(command);
}

static void tick_speaker(struct room *room, int64_t now_us)
{
    int index;
    unsigned level;
    if (!speaker_due(&room->speaker, now_us, &index, &level))
        return;
    struct peer *peer = index == SPEAKER_NOBODY ? NULL : room->voices[index];
    post(room, (struct sfu_event){.type = SFU_SPEAKER, .peer = peer ? peer->cfg.id : 0, .level = -(int)level});
    audience_speaker(&room->audience, peer);
}

bool rooms_tick(void *arg, int64_t now_us, int64_t wall_us)
{
    struct rooms *rooms = arg;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, rooms->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct room *room = value;
        struct peer *peer;
        TAILQ_FOREACH (peer, &room->peers, entry)
            peer_tick(peer, now_us, wall_us);
        tick_speaker(room, now_us);
        audience_tick(&room->audience, now_us, wall_us);
    }
    return g_hash_table_size(rooms->by_id) > 0;
}

void rooms_stop(void *arg)
{
    struct rooms *rooms = arg;
    GHashTableIter iter;
    gpointer value;
    // Closing a room takes it out of the table.
    for (g_hash_table_iter_init(&iter, rooms->by_id); g_hash_table_iter_next(&iter, NULL, &value);
         g_hash_table_iter_init(&iter, rooms->by_id))
        close_room(rooms, value);
    g_hash_table_destroy(rooms->by_id);
    g_free(rooms);
}
