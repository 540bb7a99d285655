// Does nobody hear of a change before the store has it, and everybody everything in order?
// SPDX-License-Identifier: MIT
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/archive.h"
#include "tests/signaling/rig.h"

// A rig whose store can be kept from writing: a thief holds the database's lock.
struct vault {
    char *dir, *path;
    struct rig *rig;
    sqlite3 *thief;
};

static struct vault vault_new(void)
{
    struct vault vault = {.dir = g_dir_make_tmp("roda-held-XXXXXX", NULL)};
    vault.path = g_build_filename(vault.dir, "roda.db", NULL);
    char *settings = g_strdup_printf("CHAT_HISTORY=true DATABASE_URL=%s", vault.path);
    vault.rig = rig_new(settings);
    g_free(settings);
    rig_open_store(vault.rig);
    assert_int_equal(sqlite3_open(vault.path, &vault.thief), SQLITE_OK);
    return vault;
}

static void vault_free(struct vault *vault)
{
    sqlite3_close(vault->thief);
    rig_free(vault->rig);
    char *lock = g_strconcat(vault->path, ".lock", NULL);
    g_remove(vault->path);
    g_remove(lock);
    g_rmdir(vault->dir);
    g_free(lock);
    g_free(vault->path);
    g_free(vault->dir);
}

static void lock(struct vault *vault)
{
    assert_int_equal(sqlite3_exec(vault->thief, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void unlock(struct vault *vault)
{
    assert_int_equal(sqlite3_exec(vault->thief, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

static const char *next_event(struct client *client, int *id)
{
    json_t *message = g_queue_pop_head(&client->inbox);
    if (!message)
        return NULL;
    json_decref(client->last);
    client->last = message;
    *id = (int)json_integer_value(json_object_get(message, "id"));
    return text_of(message, "event");
}

static void test_order(void **state)
{
    (void)state;
    struct vault vault = vault_new();
    struct client *ana = client_new(vault.rig, NULL), *bob = client_new(vault.rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    client_clear(ana);
    client_clear(bob);
    lock(&vault);
    client_say(ana, "{\"event\":\"heartbeat\",\"id\":1}");
    client_say(ana, "{\"event\":\"chat-message\",\"id\":2,\"data\":{\"text\":\"olá\"}}");
    client_say(ana, "{\"event\":\"nonsense\",\"id\":3}");
    client_say(bob, "{\"event\":\"heartbeat\",\"id\":4}"); // ana hears of it behind her ack
    int id;
    assert_string_equal(next_event(ana, &id), "ack");
    assert_int_equal(id, 1);
    assert_null(next_event(ana, &id));
    assert_true(client_was_told(bob, "chat-message")); // who has to wait is who wants to be sure
    unlock(&vault);
    rig_settle(vault.rig);
    static const struct {
        const char *event;
        int id;
    } wanted[] = {{"ack", 2}, {"error", 3}, {"user-heartbeat", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        assert_string_equal(next_event(ana, &id), wanted[i].event);
        assert_int_equal(id, wanted[i].id);
    }
    assert_null(next_event(ana, &id));
    client_ask(ana, "heartbeat", "{}"); // nothing is left behind
    vault_free(&vault);
}

// The close comes after what waits; a socket that is gone takes it along.
static void test_close(void **state)
{
    (void)state;
    struct vault vault = vault_new();
    struct client *ana = client_new(vault.rig, NULL), *bob = client_new(vault.rig, NULL);
    client_join(ana, "ana", "\"role\":\"host\"");
    client_join(bob, "bob", NULL);
    lock(&vault);
    client_say(bob, "{\"event\":\"chat-message\",\"id\":1,\"data\":{\"text\":\"tchau\"}}");
    client_say(ana, "{\"event\":\"chat-message\",\"id\":2,\"data\":{\"text\":\"tchau\"}}");
    client_say(ana, "{\"event\":\"close-room\",\"id\":3}");
    client_clear(ana);
    assert_int_equal(ana->close_code, 0);
    client_drop(bob, 1006);
    unlock(&vault);
    rig_settle(vault.rig);
    int id;
    assert_string_equal(next_event(ana, &id), "ack");
    assert_int_equal(id, 2);
    assert_true(client_was_told(ana, "close-room"));
    assert_int_equal(ana->close_code, 1000);
    vault_free(&vault);
}

// A database that is stuck holds up nobody for ever; and nobody may pile up words meanwhile.
static void test_bounds(void **state)
{
    (void)state;
    struct vault vault = vault_new();
    struct client *ana = client_new(vault.rig, NULL), *bob = client_new(vault.rig, NULL);
    client_join(ana, "ana", NULL);
    client_join(bob, "bob", NULL);
    GString *chat = g_string_new("{\"event\":\"chat-message\",\"data\":{\"text\":\"");
    for (int i = 0; i < 4000; i++)
        g_string_append(chat, "ú");
    g_string_append(chat, "\"}}");
    lock(&vault);
    client_say(ana, "{\"event\":\"chat-message\",\"id\":1,\"data\":{\"text\":\"a\"}}");
    client_clear(ana);
    for (int i = 0; i < HELD_BYTES_MAX / 8000 + 1; i++) {
        if (i % 10 == 9)
            rig_pass(vault.rig, 0.25);
        if (ana->close_code || client_was_told(ana, "ack"))
            break; // told: this machine is so slow that STORE_STALL_MS came first
        client_say(bob, chat->str);
    }
    assert_true(ana->close_code == CLOSE_TRY_AGAIN_LATER || client_was_told(ana, "ack"));
    g_string_free(chat, TRUE);
    client_say(bob, "{\"event\":\"chat-message\",\"id\":2,\"data\":{\"text\":\"b\"}}");
    rig_settle(vault.rig); // though the thief is still there
    assert_true(client_was_told(bob, "ack"));
    assert_true(store_health(vault.rig->hub->store).is_degraded);
    unlock(&vault);
    vault_free(&vault);
}

// ---- HTTP -----------------------------------------------------------------------------------------------------

static void count_go(void *arg)
{
    ++*(int *)arg;
}

static void test_holds(void **state)
{
    (void)state;
    struct vault vault = vault_new();
    struct store *store = vault.rig->hub->store;
    struct holds holds = {0};
    struct hold three[3] = {0};
    int gone = 0;
    lock(&vault);
    uint64_t ticket = store_put_chat(store, &(struct store_chat){.id = "1", .room = "r", .from = "a", .text = "t"});
    assert_true(ticket > 0);
    for (int i = 0; i < 3; i++)
        hold_until(&holds, &three[i], ticket, count_go, &gone);
    holds_open(&holds, store);
    assert_int_equal(gone, 0);
    hold_cancel(&holds, &three[1]);
    hold_cancel(&holds, &three[1]);
    unlock(&vault);
    rig_settle(vault.rig);
    holds_open(&holds, store);
    assert_int_equal(gone, 2);
    hold_until(&holds, &three[0], ticket + 1, count_go, &gone);
    holds_clear(&holds);
    holds_open(&holds, store);
    assert_int_equal(gone, 2);
    vault_free(&vault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
