// Is everything that was acknowledged still known after kill -9 in the middle of 100 calls?
// SPDX-License-Identifier: MIT
//
// Each round: the real process, 100 pairs of sockets that call, answer, mute and hang up at random, each waiting for
// the answer to one thing at a time; SIGKILL at a random moment; a new process on the same database. Everything that
// was acknowledged must be in the history, and the history must make sense.
//
// ROUNDS=n and SEED=n in the environment.
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/store_read.h"
#include "tests/signaling/wire.h"

enum {
    PAIRS = 100,
    ROUNDS = 3,
    AFTER_MAX = 300,    // things said after all 100 calls are running
    WAIT_MAX_US = 4000, // between the last of them and the kill
    CALLS_PER_PAIR = 6, // nobody may ring more often
};

// ---- what we were told ----------------------------------------------------------------------------------------

enum step { NOTHING, STARTED, ANSWERED, ENDED };

// One call, as its users know it.
struct fact {
    char id[37];
    char users[2][16];
    enum step step;    // that was acknowledged
    int muted[2];      // acknowledged; -1: nothing was said
    char reason[32];   // with which it was ended
    bool is_uncertain; // something was said about it and not answered
};

enum kind { START, ANSWER, MUTE, END };

struct pair {
    unsigned number;
    struct ws sockets[2];
    char users[2][16];
    struct fact *fact; // its running call, or NULL
    unsigned started;
    // What was said and is not answered yet.
    bool is_waiting;
    enum kind kind;
    unsigned side;
    int muted;
    char reason[32];
};

struct round {
    GRand *random;
    struct process process;
    struct pair pairs[PAIRS];
    GPtrArray *facts;
    unsigned said, acked;
    int id;
};

// ---- saying ---------------------------------------------------------------------------------------------------

static void say(struct round *round, struct pair *pair, enum kind kind, unsigned side, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *data = g_strdup_vprintf(format, args);
    va_end(args);
    static const char *const names[] = {"CALL_INITIATE", "CALL_ANSWER", "CALL_PARTICIPANT_MEDIA_UPDATE", "CALL_END"};
    char *text = g_strdup_printf("{\"event\":\"%s\",\"id\":%d,\"data\":{%s}}", names[kind], ++round->id, data);
    ws_say(&pair->sockets[side], text);
    pair->is_waiting = true;
    pair->kind = kind;
    pair->side = side;
    round->said++;
    g_free(text);
    g_free(data);
}

// The next thing this pair does. `settle`: only what brings it into a call.
static void act(struct round *round, struct pair *pair, bool settle)
{
    const struct fact *fact = pair->fact;
    unsigned side = (unsigned)g_rand_int_range(round->random, 0, 2);
    if (!fact && pair->started < CALLS_PER_PAIR)
        return say(round, pair, START, 0, "\"userId\":\"%s\",\"participantIds\":[\"%s\"],\"type\":\"VIDEO\"",
                   pair->users[0], pair->users[1]);
    if (fact && fact->step == STARTED)
        return say(round, pair, ANSWER, 1, "\"userId\":\"%s\",\"callId\":\"%s\"", pair->users[1], fact->id);
    if (!fact || settle)
        return;
    if (g_rand_int_range(round->random, 0, 10) == 0) {
        g_snprintf(pair->reason, sizeof(pair->reason), "end-%d", round->id);
        return say(round, pair, END, side, "\"callId\":\"%s\",\"reason\":\"%s\"", fact->id, pair->reason);
    }
    pair->muted = g_rand_int_range(round->random, 0, 2);
    say(round, pair, MUTE, side, "\"callId\":\"%s\",\"isMuted\":%s", fact->id, pair->muted ? "true" : "false");
}

// ---- hearing --------------------------------------------------------------------------------------------------

static void begin_fact(struct round *round, struct pair *pair, const char *id)
{
    struct fact *fact = pair->fact = g_new0(struct fact, 1);
    g_strlcpy(fact->id, id, sizeof(fact->id));
    memcpy(fact->users, pair->users, sizeof(fact->users));
    fact->step = STARTED;
    fact->muted[0] = fact->muted[1] = -1;
    pair->started++;
    g_ptr_array_add(round->facts, fact);
}

static void acknowledged(struct round *round, struct pair *pair, const json_t *data)
{
    round->acked++;
    pair->is_waiting = false;
    if (pair->kind == START)
        return begin_fact(round, pair, json_string_value(json_object_get(data, "callId")));
    if (pair->kind == ANSWER)
        pair->fact->step = ANSWERED;
    if (pair->kind == MUTE)
        pair->fact->muted[pair->side] = pair->muted;
    if (pair->kind != END)
        return;
    pair->fact->step = ENDED;
    g_strlcpy(pair->fact->reason, pair->reason, sizeof(pair->fact->reason));
    pair->fact = NULL;
}

// One message of that socket; false: it is closed.
static bool hear(struct round *round, struct pair *pair, unsigned side)
{
    json_t *message = ws_take(&pair->sockets[side]);
    const char *event = json_string_value(json_object_get(message, "event"));
    if (!message)
        return false;
    if (json_object_get(message, "id") && strcmp(event, "ack") != 0)
        fail_msg("refused: %s", json_dumps(message, 0));
    if (json_object_get(message, "id"))
        acknowledged(round, pair, json_object_get(message, "data"));
    json_decref(message);
    return true;
}

static void hear_what_is_there(struct round *round)
{
    for (unsigned i = 0; i < PAIRS; i++)
        for (unsigned side = 0; side < 2; side++)
            while (ws_has_more(&round->pairs[i].sockets[side]))
                assert_true(hear(round, &round->pairs[i], side));
}

// ---- a round --------------------------------------------------------------------------------------------------

static void connect_all(struct round *round)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        struct pair *pair = &round->pairs[i];
        pair->number = i;
        for (unsigned side = 0; side < 2; side++) {
            int status;
            g_snprintf(pair->users[side], sizeof(pair->users[side]), "%c%u", side ? 'b' : 'a', i);
            pair->sockets[side] = ws_open(&round->process, "/ws?dialect=call", NULL, &status);
            assert_int_equal(status, 101);
        }
    }
}

static bool all_are_in_calls(const struct round *round)
{
    for (unsigned i = 0; i < PAIRS; i++)
        if (!round->pairs[i].fact || round->pairs[i].fact->step != ANSWERED)
            return false;
    return true;
}

static void fill(struct round *round)
{
    while (!all_are_in_calls(round)) {
        for (unsigned i = 0; i < PAIRS; i++)
            if (!round->pairs[i].is_waiting)
                act(round, &round->pairs[i], true);
        hear_what_is_there(round);
    }
}

static void live(struct round *round)
{
    unsigned until = round->said + (unsigned)g_rand_int_range(round->random, 1, AFTER_MAX);
    while (round->said < until) {
        struct pair *pair = &round->pairs[g_rand_int_range(round->random, 0, PAIRS)];
        if (pair->is_waiting)
            hear_what_is_there(round);
        else
            act(round, pair, false);
    }
    int64_t until_us = g_get_monotonic_time() + g_rand_int_range(round->random, 0, WAIT_MAX_US);
    while (g_get_monotonic_time() < until_us)
        hear_what_is_there(round);
}

// What was sent before the end still counts.
static void hear_the_rest(struct round *round)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        struct pair *pair = &round->pairs[i];
        for (unsigned side = 0; side < 2; side++) {
            while (hear(round, pair, side))
                ;
            ws_close(&pair->sockets[side]);
        }
        if (pair->is_waiting && pair->fact)
            pair->fact->is_uncertain = true;
    }
}

// ---- what is known afterwards ---------------------------------------------------------------------------------

struct history {
    struct db *db;
    GHashTable *calls; // id -> struct known
};

struct known {
    char status[16], reason[64];
    int64_t started_ms, answered_ms, ended_ms;
    GString *states;
    unsigned participants;
    bool is_joined[2], is_muted[2], is_open;
};

static void known_free(void *arg)
{
    g_string_free(((struct known *)arg)->states, TRUE);
    g_free(arg);
}

static void add_call(void *arg, const struct store_call *call)
{
    struct known *known = g_new0(struct known, 1);
    g_strlcpy(known->status, call->status, sizeof(known->status));
    g_strlcpy(known->reason, call->reason ? call->reason : "", sizeof(known->reason));
    known->started_ms = call->started_ms;
    known->answered_ms = call->answered_ms;
    known->ended_ms = call->ended_ms;
    known->states = g_string_new(NULL);
    g_hash_table_insert(arg, g_strdup(call->id), known);
}

static void add_state(void *arg, const struct store_change *change)
{
    struct known *known = arg;
    g_string_append_printf(known->states, "%s ", change->status);
}

static void add_participant(void *arg, const struct store_participant *participant)
{
    struct known *known = arg;
    unsigned side = participant->user[0] == 'b';
    known->participants++;
    known->is_joined[side] = participant->joined_ms > 0;
    known->is_muted[side] = participant->is_muted;
    known->is_open |= strcmp(participant->status, "JOINED") == 0 || strcmp(participant->status, "RINGING") == 0;
}

static GHashTable *read_history(const char *path)
{
    GHashTable *calls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
    char err[200];
    struct db *db = db_open(path, true, err, sizeof(err));
    assert_non_null(db);
    db_limit(db, G_USEC_PER_SEC * INT64_C(60));
    struct store_query query = {.limit = 100};
    while (read_calls(db, &query, add_call, calls) > 0)
        query.offset += query.limit;
    GHashTableIter iter;
    gpointer id, known;
    g_hash_table_iter_init(&iter, calls);
    while (g_hash_table_iter_next(&iter, &id, &known)) {
        assert_true(read_states(db, id, add_state, known) > 0);
        assert_true(read_participants(db, (const char *const[]){id}, 1, add_participant, known) > 0);
    }
    db_close(db);
    return calls;
}

static void check_sense(const char *id, const struct known *known)
{
    static const char *const lives[] = {"RINGING MISSED ",           "RINGING FAILED ",
                                        "RINGING CONNECTING ENDED ", "RINGING CONNECTING FAILED ",
                                        "RINGING DECLINED ",         NULL};
    char *last = g_strconcat(" ", known->status, " ", NULL);
    if (!g_strv_contains(lives, known->states->str) || !g_str_has_suffix(known->states->str, last))
        fail_msg("%s: %s: %s", id, known->status, known->states->str);
    assert_int_equal(known->participants, 2);
    assert_false(known->is_open);
    assert_true(known->ended_ms >= known->started_ms && known->ended_ms >= known->answered_ms);
    g_free(last);
}

static void check_fact(const struct fact *fact, const struct known *known)
{
    if (!known)
        fail_msg("call %s was acknowledged and is gone", fact->id);
    if (fact->step >= ANSWERED && (known->answered_ms == 0 || !known->is_joined[1]))
        fail_msg("call %s was answered, and nothing is known of it", fact->id);
    if (fact->step == ENDED)
        assert_string_equal(known->status, "ENDED");
    if (fact->step == ENDED)
        assert_string_equal(known->reason, fact->reason);
    for (unsigned side = 0; side < 2 && !fact->is_uncertain; side++)
        if (fact->muted[side] >= 0)
            assert_int_equal(known->is_muted[side], fact->muted[side]);
    if (fact->step < ENDED && !fact->is_uncertain)
        assert_string_equal(known->reason, "server-restart");
}

static void check(struct round *round, const char *path)
{
    GHashTable *calls = read_history(path);
    GHashTableIter iter;
    gpointer id, known;
    g_hash_table_iter_init(&iter, calls);
    while (g_hash_table_iter_next(&iter, &id, &known))
        check_sense(id, known);
    for (guint i = 0; i < round->facts->len; i++) {
        const struct fact *fact = round->facts->pdata[i];
        check_fact(fact, g_hash_table_lookup(calls, fact->id));
    }
    unsigned unanswered = 0;
    for (unsigned i = 0; i < PAIRS; i++)
        unanswered += round->pairs[i].is_waiting && round->pairs[i].kind == START;
    assert_in_range(g_hash_table_size(calls), round->facts->len, round->facts->len + unanswered);
    g_hash_table_destroy(calls);
}

// The list behind that path of the new process; to be released.
static json_t *ask_list(const struct round *round, const char *what, const char *user)
{
    char *path = g_strdup_printf("/calls/%s?limit=100&user=%s", what, user);
    struct answer answer = http_ask(&round->process, "GET", path, NULL, NULL);
    assert_int_equal(answer.status, 200);
    json_t *json = json_loads(answer.body, 0, NULL), *calls = json_incref(json_object_get(json, "calls"));
    assert_true(json_is_array(calls));
    json_decref(json);
    answer_clear(&answer);
    g_free(path);
    return calls;
}

static const char *status_in(const json_t *calls, const char *id)
{
    size_t i;
    const json_t *call;
    json_array_foreach(calls, i, call)
    {
        if (strcmp(json_string_value(json_object_get(call, "id")), id) == 0)
            return json_string_value(json_object_get(call, "status"));
    }
    return NULL;
}

// What users are told is the same: every call that was acknowledged, and none that goes on.
static void check_routes(const struct round *round)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        const char *user = round->pairs[i].users[i % 2];
        json_t *history = ask_list(round, "history", user), *active = ask_list(round, "active", user);
        assert_int_equal(json_array_size(active), 0);
        for (guint k = 0; k < round->facts->len; k++) {
            const struct fact *fact = round->facts->pdata[k];
            if (strcmp(fact->users[i % 2], user) != 0)
                continue;
            const char *status = status_in(history, fact->id);
            if (!status)
                fail_msg("call %s was acknowledged and is not in the history", fact->id);
            assert_string_equal(status, fact->step == ENDED || strcmp(status, "ENDED") == 0 ? "ENDED" : "FAILED");
        }
        json_decref(history);
        json_decref(active);
    }
}

static void play(guint32 seed, const char *path)
{
    char *url = g_strconcat("DATABASE_URL=", path, NULL);
    const char *const environment[] = {url, "DRAIN_TIMEOUT=0", "MAX_CONNECTIONS=1000", NULL};
    struct round *round = g_new0(struct round, 1);
    round->random = g_rand_new_with_seed(seed);
    round->facts = g_ptr_array_new_with_free_func(g_free);
    round->process = process_start(environment);
    connect_all(round);
    fill(round);
    live(round);
    process_kill(&round->process);
    hear_the_rest(round);
    round->process = process_start(environment);
    check(round, path);
    check_routes(round);
    printf("seed %u: %u things said, %u acknowledged, %u calls: all there\n", seed, round->said, round->acked,
           round->facts->len);
    assert_int_equal(process_stop(&round->process), 0);
    g_ptr_array_free(round->facts, TRUE);
    g_rand_free(round->random);
    g_free(round);
    g_free(url);
}

static unsigned number_of(const char *name, unsigned otherwise)
{
    const char *text = g_getenv(name);
    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void test_kill(void **state)
{
    (void)state;
    unsigned rounds = number_of("ROUNDS", ROUNDS), seed = number_of("SEED", g_random_int());
    printf("SEED=%u ROUNDS=%u\n", seed, rounds);
    fflush(stdout);
    for (unsigned i = 0; i < rounds; i++) {
        char *dir = g_dir_make_tmp("roda-crash-XXXXXX", NULL);
        char *path = g_build_filename(dir, "roda.db", NULL), *lock = g_strconcat(path, ".lock", NULL);
        play(seed + i, path);
        g_remove(path);
        g_remove(lock);
        assert_int_equal(g_rmdir(dir), 0);
        g_free(lock);
        g_free(path);
        g_free(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
