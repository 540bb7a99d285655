// Do rooms, participants, sessions and peers stay in step whatever happens in whatever order? (a random walk)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/calls.h"
#include "signaling/commands.h"
#include "tests/signaling/rig.h"

enum { CLIENTS = 12, STEPS = 30000, ROOMS = 3, TOKENS = 20, CALLS = 8 };

static uint32_t seed;

// A linear congruential generator: the same walk everywhere (Numerical Recipes' constants).
static unsigned draw(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 10) % n;
}

static char calls[CALLS][CALL_ID_CHARS + 1];         // some of those that were started
static char tokens[TOKENS][SESSION_TOKEN_CHARS + 1]; // some of those that were given out
static const char *const users[] = {"ana", "bob", "carl", "dora", "eve"};

static void say(struct client *client, const char *event, const char *data)
{
    char message[600];
    g_snprintf(message, sizeof(message), "{\"event\":\"%s\",\"id\":1,\"data\":%s}", event, data);
    client_say(client, message);
}

static void join(struct client *client)
{
    static const char *const roles[] = {"host", "participant", "observer"};
    const char *fresh = draw(4) ? "false" : "true";
    char data[400];
    if (draw(3) == 0)
        g_snprintf(data, sizeof(data), "{\"roomId\":\"r%u\",\"sessionToken\":\"%s\",\"freshMedia\":%s}", draw(ROOMS),
                   tokens[draw(TOKENS)], fresh);
    else
        g_snprintf(data, sizeof(data), "{\"roomId\":\"r%u\",\"userId\":\"%s\",\"role\":\"%s\"}", draw(ROOMS),
                   users[draw(5)], roles[draw(3)]);
    say(client, "join-room", data);
    if (client->session && client->session->participant)
        g_strlcpy(tokens[draw(TOKENS)], client->session->participant->session_token, sizeof(tokens[0]));
}

static void start_call(struct client *client)
{
    char data[200];
    const char *more = draw(3) ? "" : ",\"carl\",\"dora\"";
    g_snprintf(data, sizeof(data), "{\"participantIds\":[\"%s\"%s],\"userId\":\"%s\"}", users[draw(5)], more,
               users[draw(5)]);
    say(client, "CALL_INITIATE", data);
    const struct participant *p = client->session ? client->session->participant : NULL;
    if (p && p->room->call)
        g_strlcpy(calls[draw(CALLS)], p->room->call->id, sizeof(calls[0]));
}

// About one of the calls there were, or about whichever it may be.
static void call_command(struct client *client)
{
    static const char *const events[] = {"CALL_ANSWER",   "CALL_ANSWER",     "CALL_ANSWER",
                                         "CALL_DECLINE",  "CALL_END",        "CALL_LEAVE",
                                         "webrtc:accept", "webrtc:end-call", "WEBRTC_ANSWER"};
    char data[300], about[80];
    g_snprintf(about, sizeof(about), ",\"callId\":\"%s\"", calls[draw(CALLS)]);
    const char *event = events[draw(G_N_ELEMENTS(events))], *user = users[draw(5)];
    bool is_relay = strcmp(event, "WEBRTC_ANSWER") == 0;
    g_snprintf(data, sizeof(data), "{\"%s\":\"%s\",\"sdp\":\"v=0\"%s}", is_relay ? "to" : "userId", user,
               draw(3) ? about : "");
    say(client, event, data);
}

static void more_of_calls(struct client *client)
{
    char data[300];
    switch (draw(4)) {
    case 0:
        return start_call(client);
    case 1:
        g_snprintf(data, sizeof(data), "{\"callId\":\"%s\",\"participantIds\":[\"%s\"]}", calls[draw(CALLS)],
                   users[draw(5)]);
        return say(client, "CALL_ADD_PARTICIPANTS", data);
    default:
        return call_command(client);
    }
}

static void command(struct client *client)
{
    const char *user = users[draw(5)];
    char data[300];
    switch (draw(22)) {
    case 0:
        return say(client, "leave-room", "{}");
    case 1:
        return say(client, "close-room", "{}");
    case 2:
        g_snprintf(data, sizeof(data), "{\"targetId\":\"%s\"}", user);
        return say(client, "remove-participant", data);
    case 3:
        g_snprintf(data, sizeof(data), "{\"targetId\":\"%s\",\"locked\":true}", user);
        return say(client, "mute-participant", data);
    case 4:
        g_snprintf(data, sizeof(data), "{\"sdp\":\"v=0\\no=- %u 1\"}", draw(3));
        return say(client, "signal-offer", data);
    case 5:
        return say(client, "signal-answer", "{\"sdp\":\"v=0\"}");
    case 6:
        g_snprintf(data, sizeof(data), "{\"target\":\"%s\",\"sdp\":\"x\"}", user);
        return say(client, "signal-offer", data);
    case 7:
        return say(client, "ice-candidate", "{\"candidate\":\"candidate:1\"}");
    case 8:
        g_snprintf(data, sizeof(data), "{\"isMuted\":%s,\"isSharingScreen\":%s}", draw(2) ? "true" : "false",
                   draw(2) ? "true" : "false");
        return say(client, "media-update", data);
    case 9:
        return say(client, "chat-message", "{\"text\":\"hi\"}");
    case 10:
        g_snprintf(data, sizeof(data), "{\"userId\":\"%s\",\"source\":\"camera\"}", user);
        return say(client, "select-layer", data);
    case 11:
    case 12:
    case 13:
        return join(client);
    default:
        return more_of_calls(client);
    }
}

// A random thing the media server might say of a random peer.
static void media_event(struct rig *rig)
{
    static const struct sfu_track track = {
        .mid = "0", .user = "ana", .publisher = 1, .source = SFU_CAMERA, .video = true};
    GList *peers = g_hash_table_get_values(rig->hub->roster.peers);
    const struct participant *p = peers ? g_list_nth_data(peers, draw(g_list_length(peers))) : NULL;
    g_list_free(peers);
    if (!p)
        return;
    struct sfu_event event = {.type = (enum sfu_event_type)draw(SFU_STATS_DATA + 1),
                              .room = p->room->number,
                              .peer = p->peer,
                              .tag = rig->hub->last_tag,
                              .state = (enum sfu_state)draw(5),
                              .reason = SFU_MEDIA_FAILED,
                              .source = (enum sfu_source)draw(4),
                              .on = draw(2),
                              .text = "v=0",
                              .track_count = 1,
                              .tracks = &track};
    if (event.type == SFU_GONE)
        sfu_leave(rig->sfu, event.room, event.peer); // the fake says it
    else if (event.type != SFU_ROOM_FREED)
        fake_sfu_say(rig->sfu, &event);
    rig_turn(rig);
}

static void step(struct rig *rig, struct client *clients[CLIENTS])
{
    unsigned i = draw(CLIENTS);
    static const uint16_t codes[] = {1000, 1001, 1006, 0};
    static const char *const dialects[] = {"live", "call", "webrtc", "signal", NULL};
    if (!clients[i] || !clients[i]->session)
        clients[i] = client_new(rig, dialects[draw(5)]);
    client_clear(clients[i]);
    switch (draw(20)) {
    case 0:
        return client_drop(clients[i], codes[draw(4)]);
    case 1:
        return rig_pass(rig, draw(12));
    case 2:
    case 3:
        return media_event(rig);
    case 4:
        return fake_sfu_hold(rig->sfu, draw(3) == 0);
    default:
        rig->hub->now_us += 20000; // below the rate limit
        return command(clients[i]);
    }
}

// A call has a room of its own as long as it goes on, and whoever is in that has joined the call.
static void check_call(const struct rig *rig, const struct call *call)
{
    const struct room *room = roster_find(&rig->hub->roster, call->room_id);
    unsigned joined = call_count(call, MEMBER_JOINED), ringing = call_count(call, MEMBER_RINGING);
    assert_true(call_is_over(call) == (room == NULL));
    if (call_is_over(call)) {
        assert_int_equal(joined + ringing, 0);
        return;
    }
    assert_ptr_equal(room->call, call);
    assert_true(joined + ringing >= 2);
    assert_true(joined + ringing <= rig->config.max_participants);
    assert_true((call->status == CALL_RINGING) == (call->answered_ms == 0));
    assert_int_equal(room->participants->len, joined); // nobody comes over HTTP here
    for (guint i = 0; i < call->members->len; i++) {
        const struct call_member *member = call->members->pdata[i];
        assert_true((member->status == MEMBER_JOINED) == (room_find(room, member->user) != NULL));
        assert_true(g_ptr_array_find((GPtrArray *)calls_of(rig->hub, member->user), call, NULL));
    }
}

static void check_calls(const struct rig *rig)
{
    const struct calls *book = rig->hub->calls;
    unsigned live = 0;
    GHashTableIter iter;
    void *call, *list;
    g_hash_table_iter_init(&iter, book->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &call)) {
        check_call(rig, call);
        live += !call_is_over(call);
    }
    assert_int_equal(live, book->live_count);
    assert_int_equal(g_hash_table_size(book->by_id), live + book->over.length);
    g_hash_table_iter_init(&iter, book->by_user);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        for (guint i = 0; i < ((GPtrArray *)list)->len; i++)
            assert_false(call_is_over(((GPtrArray *)list)->pdata[i]));
}

// Everything that is said twice must agree.
static void check(const struct rig *rig)
{
    const struct roster *roster = &rig->hub->roster;
    unsigned participants = 0, peers = 0, numbers = 0;
    GList *rooms = g_hash_table_get_values(roster->rooms);
    for (GList *at = rooms; at; at = at->next) {
        const struct room *room = at->data;
        unsigned here = 0;
        assert_true(room->participants->len > 0 || room->call);
        assert_true(room->participants->len <= rig->config.max_participants);
        for (guint i = 0; i < room->participants->len; i++) {
            const struct participant *p = room->participants->pdata[i];
            assert_ptr_equal(p->room, room);
            assert_true(!p->session || p->session->participant == p);
            assert_ptr_equal(room_find(room, p->user), p); // no name twice
            assert_true(p->role != ROLE_OBSERVER || p->is_muted);
            if (p->peer == 0)
                continue;
            assert_ptr_equal(g_hash_table_lookup(roster->peers, &p->peer), p);
            here++;
        }
        const struct participant *host = room_host(room);
        assert_string_equal(room->host, host ? host->user : "");
        assert_int_equal(here, room->peer_count);
        assert_true((room->number != 0) == (here > 0));
        participants += room->participants->len;
        peers += here;
        numbers += room->number != 0;
    }
    g_list_free(rooms);
    assert_int_equal(participants, roster->participant_count);
    assert_int_equal(peers, g_hash_table_size(roster->peers));
    assert_int_equal(numbers, g_hash_table_size(roster->numbers));
    assert_int_equal(peers, fake_sfu_peer_count(rig->sfu));
    assert_int_equal(numbers, fake_sfu_room_count(rig->sfu));
    check_calls(rig);
}

static void test_storm(void **state)
{
    (void)state;
    for (seed = 1; seed <= 3; seed++) {
        uint32_t first = seed;
        struct rig *rig = rig_new("MAX_PARTICIPANTS=4");
        struct client *clients[CLIENTS] = {NULL};
        unsigned joined = 0;
        for (int i = 0; i < STEPS / 3; i++) {
            step(rig, clients);
            check(rig);
            joined += rig->hub->roster.participant_count;
            while (fake_sfu_take(rig->sfu))
                ;
        }
        assert_true(joined > STEPS / 3); // the walk went where people are
        seed = first;
        rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_storm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
