// How does a browser's network path to us come about, and stay?
// SPDX-License-Identifier: MIT
#include "sfu/ice.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "sfu/ice_address.h"
#include "sfu/ice_agent.h"
#include "sfu/ice_loop.h"
#include "sfu/ice_twin.h"
#include "sfu/log.h"

enum { SENDS_MAX = 4096 }; // ice_send() letters under way; more datagrams are dropped

struct ice {
    // fixed at birth
    struct ice_config config; // owns its strings
    bool twins;               // this kernel takes the socket filters
    struct ice_loop *loop;
    GThread *thread;

    // written by anyone
    struct mailbox box;
    _Atomic unsigned sends;

    // the ICE thread's
    GHashTable *seats; // uint64_t id -> struct seat
    bool quit;
};

enum command_type {
    COMMAND_OPEN,
    COMMAND_CLOSE,
    COMMAND_REMOTE,
    COMMAND_RESTART,
    COMMAND_CANDIDATE,
    COMMAND_MOVED,
    COMMAND_SEND,
    COMMAND_QUIT
};

// An agent and its place in the loop.
struct seat {
    struct ice_loop *loop;
    struct ice_member *member;
    struct ice_agent *agent;
};

struct command {
    struct mail mail;
    enum command_type type;
    uint64_t id;
    struct mailbox *reply;            // COMMAND_OPEN
    union sockaddr_any local, remote; // COMMAND_MOVED
    size_t len;
    size_t split; // COMMAND_REMOTE: where the password begins
    char data[];  // with a NUL behind it
};

// ---- the thread --------------------------------------------------------------------------------------------

static void open_agent(struct ice *ice, const struct command *command)
{
    g_assert(!g_hash_table_contains(ice->seats, &command->id));
    struct seat *seat = g_new(struct seat, 1);
    *seat = (struct seat){.loop = ice->loop, .member = ice_loop_add(ice->loop)};
    struct ice_agent_options options = {&ice->config, ice_member_context(seat->member), ice->twins};
    ice_loop_enter(ice->loop, seat->member);
    seat->agent = ice_agent_new(&options, command->id, command->reply);
    ice_loop_leave(ice->loop, seat->member);
    g_hash_table_insert(ice->seats, g_memdup2(&command->id, sizeof(command->id)), seat);
}

static void seat_free(gpointer arg)
{
    struct seat *seat = arg;
    ice_loop_enter(seat->loop, seat->member);
    ice_agent_free(seat->agent);
    ice_loop_leave(seat->loop, seat->member);
    ice_loop_remove(seat->loop, seat->member);
    g_free(seat);
}

static void to_agent(struct ice_agent *agent, const struct command *command)
{
    switch (command->type) {
    case COMMAND_REMOTE:
        ice_agent_remote(agent, command->data, command->data + command->split);
        break;
    case COMMAND_RESTART:
        ice_agent_restart(agent);
        break;
    case COMMAND_CANDIDATE:
        ice_agent_candidate(agent, command->data);
        break;
    case COMMAND_MOVED:
        ice_agent_moved(agent, &command->local, &command->remote);
        break;
    case COMMAND_SEND:
        ice_agent_send(agent, command->data, command->len);
        break;
    case COMMAND_OPEN:
    case COMMAND_CLOSE:
    case COMMAND_QUIT:
        break;
    }
}

static void carry_out(struct ice *ice, const struct command *command)
{
    if (command->type == COMMAND_SEND)
        atomic_fetch_sub(&ice->sends, 1);
    if (command->type == COMMAND_OPEN) {
        open_agent(ice, command);
        return;
    }
    if (command->type == COMMAND_CLOSE) {
        g_hash_table_remove(ice->seats, &command->id);
        return;
    }
    if (command->type == COMMAND_QUIT) {
        ice->quit = true;
        return;
    }
    struct seat *seat = g_hash_table_lookup(ice->seats, &command->id);
    if (!seat)
        return;
    ice_loop_enter(ice->loop, seat->member);
    to_agent(seat->agent, command);
    ice_loop_leave(ice->loop, seat->member);
}

static void read_mail(struct ice *ice)
{
    for (struct mail *mail = mailbox_take(&ice->box), *next; mail; mail = next) {
        next = mail->next;
        struct command *command = (struct command *)mail;
        carry_out(ice, command);
        explicit_bzero(command->data, command->len);
        g_free(command);
    }
}

static gpointer run(gpointer arg)
{
    struct ice *ice = arg;
    while (!ice->quit) {
        if (ice_loop_turn(ice->loop))
            read_mail(ice);
    }
    g_hash_table_remove_all(ice->seats);
    return NULL;
}

// ---- from a worker -----------------------------------------------------------------------------------------

static struct command *command_new(enum command_type type, uint64_t id, size_t len)
{
    struct command *command = g_malloc(sizeof(*command) + len + 1);
    *command = (struct command){.type = type, .id = id, .len = len};
    command->data[len] = 0;
    return command;
}

static void post(struct ice *ice, struct command *command)
{
    mailbox_post(&ice->box, &command->mail);
}

void ice_open(struct ice *ice, uint64_t id, struct mailbox *reply)
{
    struct command *command = command_new(COMMAND_OPEN, id, 0);
    command->reply = reply;
    post(ice, command);
}

void ice_close(struct ice *ice, uint64_t id)
{
    post(ice, command_new(COMMAND_CLOSE, id, 0));
}

void ice_remote(struct ice *ice, uint64_t id, const char *ufrag, const char *pwd)
{
    size_t ufrag_size = strlen(ufrag) + 1, pwd_len = strlen(pwd);
    struct command *command = command_new(COMMAND_REMOTE, id, ufrag_size + pwd_len);
    command->split = ufrag_size;
    memcpy(command->data, ufrag, ufrag_size);
    memcpy(command->data + ufrag_size, pwd, pwd_len);
    post(ice, command);
}

void ice_restart(struct ice *ice, uint64_t id)
{
    post(ice, command_new(COMMAND_RESTART, id, 0));
}

void ice_candidate(struct ice *ice, uint64_t id, const char *line)
{
    size_t len = line ? strlen(line) : 0;
    struct command *command = command_new(COMMAND_CANDIDATE, id, len);
    if (len)
        memcpy(command->data, line, len);
    post(ice, command);
}

void ice_moved(struct ice *ice, uint64_t id, const union sockaddr_any *local, const union sockaddr_any *remote)
{
    struct command *command = command_new(COMMAND_MOVED, id, 0);
    command->local = *local;
    command->remote = *remote;
    post(ice, command);
}

void ice_send(struct ice *ice, uint64_t id, const void *data, size_t len)
{
    if (atomic_fetch_add(&ice->sends, 1) >= SENDS_MAX) {
        atomic_fetch_sub(&ice->sends, 1);
        return;
    }
    struct command *command = command_new(COMMAND_SEND, id, len);
    memcpy(command->data, data, len);
    post(ice, command);
}

// ---- life --------------------------------------------------------------------------------------------------

static void copy_config(struct ice *ice, const struct ice_config *cfg)
{
    ice->config = *cfg;
    ice->config.announced_address = g_strdup(cfg->announced_address);
    ice->config.stun_host = g_strdup(cfg->stun_host);
    ice->config.bind_address = (const char *const *)g_strdupv((char **)cfg->bind_address);
}

static bool may_use_twins(void)
{
    enum ice_twin_trial trial = ice_twin_try();
    if (trial == ICE_TWIN_REFUSED)
        sfu_log(SFU_LOG_WARN, "ICE: this kernel refuses the socket filters; media takes a slower way");
    if (trial == ICE_TWIN_UNTRIED)
        sfu_log(SFU_LOG_WARN, "ICE: loopback is down, so the socket filters were not tried; they are taken to work");
    return trial != ICE_TWIN_REFUSED;
}

struct ice *ice_new(const struct ice_config *cfg, char *err, size_t err_size)
{
    if (ice_config_check(cfg, err, err_size) < 0)
        return NULL;
    struct ice *ice = g_new0(struct ice, 1);
    copy_config(ice, cfg);
    mailbox_init(&ice->box, NULL, NULL);
    ice->loop = ice_loop_new(ice->box.fd);
    ice->seats = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, seat_free);
    ice->twins = may_use_twins();
    int buffer = ice_twin_buffer();
    if (buffer < ICE_TWIN_BUFFER)
        sfu_log(SFU_LOG_INFO,
                "ICE: media sockets get buffers of %d KiB; for large rooms raise net.core.rmem_max and "
                "net.core.wmem_max to %d",
                buffer / 1024, ICE_TWIN_BUFFER);
    ice->thread = g_thread_new("ice", run, ice);
    return ice;
}

void ice_free(struct ice *ice)
{
    if (!ice)
        return;
    post(ice, command_new(COMMAND_QUIT, 0, 0));
    g_thread_join(ice->thread);
    g_hash_table_destroy(ice->seats);
    ice_loop_free(ice->loop);
    mailbox_close(&ice->box);
    g_strfreev((char **)ice->config.bind_address);
    g_free((char *)ice->config.announced_address);
    g_free((char *)ice->config.stun_host);
    g_free(ice);
}

bool ice_is_lite(const struct ice *ice)
{
    return ice->config.lite;
}
