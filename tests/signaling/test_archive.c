// Does the store hear of everything that happens in a call, and of nothing else?
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/archive.h"
#include "signaling/calls.h"
#include "tests/signaling/rig.h"

static struct rig *archive_rig(const char *settings)
{
    struct rig *rig = rig_new(settings);
    rig_open_store(rig);
    return rig;
}

static struct client *user_new(struct rig *rig, const char *user)
{
    struct client *client = client_new(rig, "call");
    session_identify(client->session, user, user);
    return client;
}

static struct call *start(struct rig *rig, struct client *caller, const char *const *users, size_t count)
{
    struct fault fault = {0};
    struct actor actor;
    const struct call_wish wish = {.type = CALL_VIDEO, .users = users, .user_count = count, .chat_id = "consult"};
    assert_true(actor_of_session(caller->session, &actor));
    struct call *call = calls_start(rig->hub, &actor, &wish, &fault);
    if (!call)
        fail_msg("%s", fault.text);
    return call;
}

static void answer(struct rig *rig, struct client *client, struct call *call, bool accept)
{
    struct fault fault = {0};
    struct actor actor;
    assert_true(actor_of_session(client->session, &actor));
    if (!(accept ? calls_answer(rig->hub, call, &actor, NULL, &fault)
                 : calls_decline(rig->hub, call, &actor, "no time", &fault)))
        fail_msg("%s", fault.text);
}

// ---- what the store says --------------------------------------------------------------------------------------

static void note_call(void *arg, const struct store_call *c)
{
    g_string_append_printf(arg, "%s %s %s by %s: %s", c->type, c->status, c->chat_id, c->ended_by ? c->ended_by : "-",
                           c->reason ? c->reason : "-");
}

static void note_participant(void *arg, const struct store_participant *p)
{
    g_string_append_printf(arg, "%s %s%s%s;", p->user, p->status, p->is_muted ? " muted" : "",
                           p->is_video_enabled ? " video" : "");
}

static void note_change(void *arg, const struct store_change *c)
{
    g_string_append_printf(arg, "%s;", c->status ? c->status : c->user);
}

static void note_chat(void *arg, const struct store_chat *c)
{
    g_string_append_printf(arg, "%s: %s;", c->from, c->text);
}

#define EXPECT(wanted, find, id, note)                                                                               \
    do {                                                                                                             \
        GString *found = g_string_new(NULL);                                                                         \
        assert_true(find(rig->hub->store, id, note, found) >= 0);                                                    \
        assert_string_equal(found->str, wanted);                                                                     \
        g_string_free(found, TRUE);                                                                                  \
    } while (0)

static void test_whole_call(void **state)
{
    (void)state;
    static const char *const users[] = {"bob", "eva"};
    struct rig *rig = archive_rig("DATABASE_URL=:memory: CHAT_HISTORY=true");
    struct client *ana = user_new(rig, "ana"), *bob = user_new(rig, "bob"), *eva = user_new(rig, "eva");
    struct call *call = start(rig, ana, users, 2);
    char id[CALL_ID_CHARS + 1];
    g_strlcpy(id, call->id, sizeof(id));
    rig_settle(rig);
    EXPECT("VIDEO RINGING consult by -: -", store_find_call, id, note_call);
    EXPECT("ana JOINED video;bob RINGING video;eva RINGING video;", store_find_participants, id, note_participant);
    answer(rig, eva, call, false);
    answer(rig, bob, call, true);
    client_say(bob, "{\"event\":\"media-update\",\"data\":{\"isMuted\":true}}");
    client_say(ana, "{\"event\":\"chat-message\",\"data\":{\"text\":\"bom dia\"}}");
    rig_settle(rig);
    EXPECT("ana JOINED video;bob JOINED muted video;eva DECLINED video;", store_find_participants, id,
           note_participant);
    EXPECT("RINGING;CONNECTING;", store_find_states, id, note_change);
    EXPECT("bob;", store_find_media, id, note_change);
    EXPECT("ana: bom dia;", store_find_chat, id, note_chat);
    rig_pass(rig, 1);
    struct fault fault = {0};
    struct actor actor;
    assert_true(actor_of_session(ana->session, &actor));
    assert_true(calls_end(rig->hub, call, &actor, "Chamada encerrada", &fault));
    rig_settle(rig);
    EXPECT("VIDEO ENDED consult by ana: Chamada encerrada", store_find_call, id, note_call);
    EXPECT("RINGING;CONNECTING;ENDED;", store_find_states, id, note_change);
    EXPECT("ana LEFT video;bob LEFT muted video;eva DECLINED video;", store_find_participants, id, note_participant);
    rig_free(rig);
}

// A room that is no call leaves no trace, but what CHAT_HISTORY asks for.
static void test_plain_room(void **state)
{
    (void)state;
    struct rig *rig = archive_rig("DATABASE_URL=:memory:");
    struct client *ana = client_new(rig, NULL);
    client_join(ana, "ana", NULL);
    client_say(ana, "{\"event\":\"chat-message\",\"data\":{\"text\":\"bom dia\"}}");
    client_say(ana, "{\"event\":\"media-update\",\"data\":{\"isMuted\":true}}");
    assert_int_equal(store_last_ticket(rig->hub->store), 0);
    rig_free(rig);
}

// The server ends in the middle of a call: it does not stay open.
static void test_server_ends(void **state)
{
    (void)state;
    static const char *const users[] = {"bob"};
    struct rig *rig = archive_rig("DATABASE_URL=:memory:");
    struct client *ana = user_new(rig, "ana"), *bob = user_new(rig, "bob");
    struct call *call = start(rig, ana, users, 1);
    answer(rig, bob, call, true);
    struct store *store = rig->store;
    rig->store = NULL; // is looked into afterwards
    rig_free(rig);
    settle_store(store);
    assert_int_equal(store_count_calls(store, &(struct store_query){.is_active = true}), 0);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_call),
        cmocka_unit_test(test_plain_room),
        cmocka_unit_test(test_server_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
