// How do data channel messages come in and go out?
// SPDX-License-Identifier: MIT
#include "sfu/datachan.h"

#include <glib.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "sfu/datachan_assoc.h"
#include "sfu/datachan_talk.h"
#include "sfu/now.h"

enum {
    TICK_MS = 20,             // usrsctp cannot say when it next wants its timers run
    LINGER_US = 2000000,      // it frees what was closed by timers, too
    UNDER_WAY_MAX = 64 << 20, // bytes of letters to the thread; more are dropped, as a network would
};

struct datachan_hub {
    // written by anyone
    struct mailbox box;
    _Atomic size_t under_way;

    // the thread's
    GThread *thread;
    GHashTable *talks; // uint64_t id -> struct talk
    int64_t ticked_us, busy_until_us;
    bool quit;
};

enum letter_type { LETTER_OPEN, LETTER_CLOSE, LETTER_RX, LETTER_SEND, LETTER_QUIT };

struct letter {
    struct mail mail;
    enum letter_type type;
    uint64_t id;
    struct mailbox *reply;
    uint16_t port;
    bool client;
    struct datachan_message *message;
    size_t len;
    uint8_t data[];
};

static size_t cost(const struct letter *letter)
{
    return sizeof(*letter) + letter->len + (letter->message ? letter->message->len : 0);
}

// ---- the thread --------------------------------------------------------------------------------------------

static void open_talk(struct datachan_hub *hub, const struct letter *letter, int64_t now_us)
{
    if (g_hash_table_contains(hub->talks, &letter->id))
        return;
    struct talk *talk = talk_new(letter->id, letter->reply, letter->port, letter->client, now_us);
    g_hash_table_insert(hub->talks, g_memdup2(&letter->id, sizeof(letter->id)), talk);
}

static void to_talk(struct datachan_hub *hub, struct talk *talk, struct letter *letter)
{
    switch (letter->type) {
    case LETTER_CLOSE:
        g_hash_table_remove(hub->talks, &letter->id);
        break;
    case LETTER_RX:
        talk_rx(talk, letter->data, letter->len);
        break;
    case LETTER_SEND:
        talk_send(talk, letter->message);
        letter->message = NULL;
        break;
    case LETTER_OPEN:
    case LETTER_QUIT:
        break;
    }
}

static void carry_out(struct datachan_hub *hub, struct letter *letter, int64_t now_us)
{
    atomic_fetch_sub(&hub->under_way, cost(letter));
    struct talk *talk = g_hash_table_lookup(hub->talks, &letter->id);
    if (letter->type == LETTER_OPEN)
        open_talk(hub, letter, now_us);
    else if (letter->type == LETTER_QUIT)
        hub->quit = true;
    else if (talk)
        to_talk(hub, talk, letter);
}

static gboolean turn(gpointer key, gpointer talk, gpointer now_us)
{
    (void)key;
    return !talk_turn(talk, *(int64_t *)now_us);
}

static void run_turn(struct datachan_hub *hub)
{
    int64_t now_us = now_monotonic_us();
    int64_t elapsed_ms = (now_us - hub->ticked_us) / 1000;
    assoc_library_tick(elapsed_ms * 1000);
    hub->ticked_us += elapsed_ms * 1000; // the rest is not lost
    for (struct mail *mail = mailbox_take(&hub->box), *next; mail; mail = next) {
        next = mail->next;
        struct letter *letter = (struct letter *)mail;
        carry_out(hub, letter, now_us);
        g_free(letter->message);
        g_free(letter);
    }
    g_hash_table_foreach_remove(hub->talks, turn, &now_us);
    if (g_hash_table_size(hub->talks) > 0)
        hub->busy_until_us = now_us + LINGER_US;
}

static gpointer run(gpointer arg)
{
    struct datachan_hub *hub = arg;
    assoc_library_start();
    hub->ticked_us = now_monotonic_us();
    while (!hub->quit) {
        struct pollfd pfd = {.fd = hub->box.fd, .events = POLLIN};
        poll(&pfd, 1, hub->ticked_us < hub->busy_until_us ? TICK_MS : -1);
        run_turn(hub);
    }
    g_hash_table_remove_all(hub->talks);
    assoc_library_stop();
    return NULL;
}

// ---- from a worker -----------------------------------------------------------------------------------------

static struct letter *letter_new(enum letter_type type, uint64_t id, const void *data, size_t len)
{
    struct letter *letter = g_malloc(sizeof(*letter) + len);
    *letter = (struct letter){.type = type, .id = id, .len = len};
    if (len)
        memcpy(letter->data, data, len);
    return letter;
}

static void post(struct datachan_hub *hub, struct letter *letter)
{
    atomic_fetch_add(&hub->under_way, cost(letter));
    mailbox_post(&hub->box, &letter->mail);
}

static bool has_room(struct datachan_hub *hub)
{
    return atomic_load(&hub->under_way) < UNDER_WAY_MAX;
}

void datachan_open(struct datachan_hub *hub, uint64_t id, struct mailbox *reply, uint16_t remote_port, bool client)
{
    struct letter *letter = letter_new(LETTER_OPEN, id, NULL, 0);
    letter->reply = reply;
    letter->port = remote_port;
    letter->client = client;
    post(hub, letter);
}

void datachan_close(struct datachan_hub *hub, uint64_t id)
{
    post(hub, letter_new(LETTER_CLOSE, id, NULL, 0));
}

void datachan_rx(struct datachan_hub *hub, uint64_t id, const uint8_t *data, size_t len)
{
    if (has_room(hub))
        post(hub, letter_new(LETTER_RX, id, data, len));
}

void datachan_send(struct datachan_hub *hub, uint64_t id, const struct datachan_message *message)
{
    if (!has_room(hub))
        return;
    struct letter *letter = letter_new(LETTER_SEND, id, NULL, 0);
    letter->message = g_memdup2(message, sizeof(*message) + message->len);
    post(hub, letter);
}

// ---- life --------------------------------------------------------------------------------------------------

struct datachan_hub *datachan_hub_new(void)
{
    struct datachan_hub *hub = g_new0(struct datachan_hub, 1);
    mailbox_init(&hub->box, NULL, NULL);
    hub->talks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)talk_free);
    hub->thread = g_thread_new("sctp", run, hub);
    return hub;
}

void datachan_hub_free(struct datachan_hub *hub)
{
    if (!hub)
        return;
    post(hub, letter_new(LETTER_QUIT, 0, NULL, 0));
    g_thread_join(hub->thread);
    mailbox_close(&hub->box);
    g_hash_table_destroy(hub->talks);
    g_free(hub);
}
