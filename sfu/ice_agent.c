// What does one browser's ICE agent do?
// SPDX-License-Identifier: MIT
#include "sfu/ice_agent.h"

#include <nice/agent.h>
#include <string.h>

#include "sfu/ice_address.h"
#include "sfu/ice_candidate.h"
#include "sfu/ice_event.h"
#include "sfu/ice_twin.h"
#include "sfu/log.h"

enum {
    PROBE_MS = 12000, // libnice loses consent after 10 s without an answer
    PROBES_MAX = 10,
    IDLE_MS = 5000, // libnice's own: how long it waits for late candidates before it gives up
    IDLE_READY_MS = 100,
    COMPONENT = 1,      // RFC 8843: BUNDLE and rtcp-mux leave one
    LEARNED_MAX = 1024, // peer-reflexive remote candidates per generation; past it the agent is given up
};

struct ice_agent {
    // fixed at birth
    const struct ice_config *config;
    GMainContext *context;
    struct mailbox *reply;
    uint64_t id;
    NiceAgent *nice;
    guint stream; // 0: the agent was given up

    // local
    bool has_local; // ICE_LOCAL was posted
    bool gathered;  // end of local candidates
    union sockaddr_any twins[ICE_TWIN_MAX];
    unsigned twin_count;

    // remote
    bool has_remote; // credentials of this generation are set
    char ufrag[ICE_UFRAG_MAX + 1], pwd[ICE_PWD_MAX + 1];
    unsigned remote_count;  // candidates taken in this generation
    unsigned learned_count; // candidates libnice learned in this generation
    GPtrArray *early;       // lines that came before the credentials they belong to

    // what the worker knows
    bool has_path, slow;
    bool path_is_told;                // of this generation
    union sockaddr_any local, remote; // the path
    bool has_state;
    enum ice_state state;

    // after consent was lost
    GSource *probe; // runs while the old pair is being tried again; NULL: it is not
    unsigned probes;
};

// ---- letters -----------------------------------------------------------------------------------------------

static void post(struct ice_agent *agent, struct ice_event *event)
{
    mailbox_post(agent->reply, &event->mail);
}

static void post_text(struct ice_agent *agent, enum ice_event_type type, const char *text)
{
    post(agent, ice_event_new(type, agent->id, text, strlen(text)));
}

static void post_state(struct ice_agent *agent, enum ice_state state)
{
    if (agent->has_state && agent->state == state)
        return;
    agent->has_state = true;
    agent->state = state;
    struct ice_event *event = ice_event_new(ICE_STATE, agent->id, NULL, 0);
    event->state = state;
    post(agent, event);
}

// ---- local side --------------------------------------------------------------------------------------------

static void to_sockaddr(const NiceAddress *address, union sockaddr_any *out)
{
    memset(out, 0, sizeof(*out));
    nice_address_copy_to_sockaddr(address, &out->sa);
}

static bool same_address(const union sockaddr_any *a, const union sockaddr_any *b)
{
    NiceAddress left, right;
    nice_address_set_from_sockaddr(&left, &a->sa);
    nice_address_set_from_sockaddr(&right, &b->sa);
    return nice_address_equal(&left, &right);
}

static void print_candidate(struct ice_agent *agent, NiceCandidate *candidate, char out[ICE_LINE_MAX])
{
    char *line = nice_agent_generate_local_candidate_sdp(agent->nice, candidate);
    candidate_announce(g_str_has_prefix(line, "a=") ? line + 2 : line, agent->config->announced_address, out);
    g_free(line);
}

static char *print_candidates(struct ice_agent *agent)
{
    GString *text = g_string_new(NULL);
    GSList *list = nice_agent_get_local_candidates(agent->nice, agent->stream, COMPONENT);
    for (GSList *i = list; i; i = i->next) {
        NiceCandidate *candidate = i->data;
        char line[ICE_LINE_MAX];
        if (candidate->type == NICE_CANDIDATE_TYPE_PEER_REFLEXIVE)
            continue;
        print_candidate(agent, candidate, line);
        g_string_append_printf(text, "%s%s", text->len ? "\n" : "", line);
    }
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
    return g_string_free(text, FALSE);
}

static void filter_sockets(struct ice_agent *agent, const char *ufrag)
{
    GPtrArray *sockets = nice_agent_get_sockets(agent->nice, agent->stream, COMPONENT);
    for (guint i = 0; sockets && i < sockets->len; i++)
        ice_filter(g_socket_get_fd(sockets->pdata[i]), ufrag);
    if (sockets)
        g_ptr_array_unref(sockets);
}

static void post_local(struct ice_agent *agent)
{
    char *ufrag = NULL, *pwd = NULL;
    if (!nice_agent_get_local_credentials(agent->nice, agent->stream, &ufrag, &pwd))
        return;
    filter_sockets(agent, ufrag);
    char *text = print_candidates(agent);
    struct ice_event *event = ice_event_new(ICE_LOCAL, agent->id, text, strlen(text));
    g_strlcpy(event->ufrag, ufrag, sizeof(event->ufrag));
    g_strlcpy(event->pwd, pwd, sizeof(event->pwd));
    post(agent, event);
    agent->has_local = true;
    if (agent->gathered)
        post_text(agent, ICE_CANDIDATE, "");
    g_free(text);
    g_free(ufrag);
    g_free(pwd);
}

static void make_twin(struct ice_agent *agent, GSocket *socket)
{
    union sockaddr_any *local = &agent->twins[agent->twin_count];
    socklen_t len = sizeof(*local);
    int fd = g_socket_get_fd(socket);
    memset(local, 0, sizeof(*local));
    if (agent->twin_count == ICE_TWIN_MAX || g_socket_get_socket_type(socket) != G_SOCKET_TYPE_DATAGRAM ||
        getsockname(fd, &local->sa, &len) < 0)
        return;
    int twin = ice_twin_new(fd);
    if (twin < 0)
        return;
    struct ice_event *event = ice_event_new(ICE_TWIN, agent->id, NULL, 0);
    event->fd = twin;
    event->local = *local;
    post(agent, event);
    agent->twin_count++;
}

static void make_twins(struct ice_agent *agent)
{
    GPtrArray *sockets = nice_agent_get_sockets(agent->nice, agent->stream, COMPONENT);
    for (guint i = 0; sockets && i < sockets->len; i++)
        make_twin(agent, sockets->pdata[i]);
    if (sockets)
        g_ptr_array_unref(sockets);
}

static bool has_twin(const struct ice_agent *agent, const union sockaddr_any *local)
{
    for (unsigned i = 0; i < agent->twin_count; i++) {
        if (same_address(&agent->twins[i], local))
            return true;
    }
    return false;
}

// ---- what libnice tells ------------------------------------------------------------------------------------

static void on_candidate(NiceAgent *nice, NiceCandidate *candidate, gpointer arg)
{
    (void)nice;
    struct ice_agent *agent = arg;
    char line[ICE_LINE_MAX];
    if (!agent->has_local || candidate->type == NICE_CANDIDATE_TYPE_PEER_REFLEXIVE)
        return;
    print_candidate(agent, candidate, line);
    post_text(agent, ICE_CANDIDATE, line);
}

static void on_gathered(NiceAgent *nice, guint stream, gpointer arg)
{
    (void)nice, (void)stream;
    struct ice_agent *agent = arg;
    agent->gathered = true;
    if (agent->has_local)
        post_text(agent, ICE_CANDIDATE, "");
}

static void on_path(NiceAgent *nice, guint stream, guint component, NiceCandidate *local, NiceCandidate *remote,
                    gpointer arg)
{
    (void)nice, (void)stream, (void)component;
    struct ice_agent *agent = arg;
    union sockaddr_any ours, theirs;
    // A reflexive candidate is only another name for its base, where the socket is.
    to_sockaddr(&local->base_addr, &ours);
    to_sockaddr(&remote->addr, &theirs);
    if (agent->path_is_told && same_address(&ours, &agent->local) && same_address(&theirs, &agent->remote))
        return;
    agent->has_path = agent->path_is_told = true;
    agent->local = ours;
    agent->remote = theirs;
    agent->slow = local->transport != NICE_CANDIDATE_TRANSPORT_UDP || local->type == NICE_CANDIDATE_TYPE_RELAYED ||
                  !has_twin(agent, &ours);
    struct ice_event *event = ice_event_new(ICE_PATH, agent->id, NULL, 0);
    event->local = ours;
    event->remote = theirs;
    event->slow = agent->slow;
    post(agent, event);
}

static void stop_probe(struct ice_agent *agent)
{
    if (agent->probe) {
        g_source_destroy(agent->probe);
        g_source_unref(agent->probe);
    }
    agent->probe = NULL;
}

static gboolean probe_held(gpointer arg)
{
    struct ice_agent *agent = arg;
    stop_probe(agent);
    agent->probes = 0;
    post_state(agent, ICE_CONNECTED);
    return G_SOURCE_REMOVE;
}

// libnice does not ask a peer again whose consent it has lost, and tells nobody when it answers. Selecting the pair
// anew makes it ask. Nobody but us knows of that until it has held for longer than an unanswered question would.
static void start_probe(struct ice_agent *agent)
{
    NiceCandidate *local, *remote;
    if (agent->probes++ == PROBES_MAX ||
        !nice_agent_get_selected_pair(agent->nice, agent->stream, COMPONENT, &local, &remote))
        return;
    agent->probe = g_timeout_source_new(PROBE_MS);
    g_source_set_callback(agent->probe, probe_held, agent, NULL);
    g_source_attach(agent->probe, agent->context);
    nice_agent_set_selected_pair(agent->nice, agent->stream, COMPONENT, local->foundation, remote->foundation);
}

static void on_failed(struct ice_agent *agent)
{
    stop_probe(agent);
    post_state(agent, agent->has_path ? ICE_DISCONNECTED : ICE_FAILED);
    if (agent->has_path)
        start_probe(agent);
}

// For so long libnice looks every 20 ms whether there is something to check. With a path there will hardly be, and
// what comes after all (a candidate, a check of the browser's) makes it look again.
static void set_idle(struct ice_agent *agent, guint ms)
{
    g_object_set(agent->nice, "idle-timeout", ms, NULL);
}

static void on_state(NiceAgent *nice, guint stream, guint component, guint state, gpointer arg)
{
    (void)nice, (void)stream, (void)component;
    struct ice_agent *agent = arg;
    set_idle(agent, state == NICE_COMPONENT_STATE_READY ? IDLE_READY_MS : IDLE_MS);
    switch ((NiceComponentState)state) {
    case NICE_COMPONENT_STATE_CONNECTING:
        if (!agent->has_path)
            post_state(agent, ICE_CHECKING);
        break;
    case NICE_COMPONENT_STATE_CONNECTED:
    case NICE_COMPONENT_STATE_READY:
        if (!agent->probe)
            post_state(agent, ICE_CONNECTED);
        break;
    case NICE_COMPONENT_STATE_FAILED:
        on_failed(agent);
        break;
    default:
        break;
    }
}

static void give_up(struct ice_agent *agent)
{
    stop_probe(agent);
    sfu_log(SFU_LOG_WARN, "ICE: checks came from more than %d addresses for one participant", LEARNED_MAX);
    nice_agent_remove_stream(agent->nice, agent->stream);
    agent->stream = 0;
    agent->has_path = false;
    post_state(agent, ICE_FAILED);
}

// libnice remembers every address an authenticated check came from, without a bound.
static void on_learned(NiceAgent *nice, NiceCandidate *candidate, gpointer arg)
{
    (void)nice, (void)candidate;
    struct ice_agent *agent = arg;
    if (agent->learned_count++ == LEARNED_MAX)
        give_up(agent);
}

static void on_data(NiceAgent *nice, guint stream, guint component, guint len, gchar *data, gpointer arg)
{
    (void)nice, (void)stream, (void)component;
    struct ice_agent *agent = arg;
    if (!agent->has_path || !agent->slow)
        return;
    struct ice_event *event = ice_event_new(ICE_DATA, agent->id, data, len);
    if (event)
        post(agent, event);
}

// ---- life --------------------------------------------------------------------------------------------------

static void connect_signals(struct ice_agent *agent)
{
    g_signal_connect(agent->nice, "new-candidate-full", G_CALLBACK(on_candidate), agent);
    g_signal_connect(agent->nice, "candidate-gathering-done", G_CALLBACK(on_gathered), agent);
    g_signal_connect(agent->nice, "new-selected-pair-full", G_CALLBACK(on_path), agent);
    g_signal_connect(agent->nice, "component-state-changed", G_CALLBACK(on_state), agent);
    g_signal_connect(agent->nice, "new-remote-candidate-full", G_CALLBACK(on_learned), agent);
}

static void configure(struct ice_agent *agent, const struct ice_agent_options *options)
{
    const struct ice_config *config = options->config;
    union sockaddr_any addresses[ICE_TWIN_MAX];
    size_t count = ice_addresses(config, addresses);
    // Browsers that answer our offer are controlled too; then the first check settles who yields (RFC 8445 s7.3.1.1).
    g_object_set(agent->nice, "controlling-mode", FALSE, "ice-tcp", FALSE, "upnp", FALSE, NULL);
    if (config->stun_host)
        g_object_set(agent->nice, "stun-server", config->stun_host, "stun-server-port",
                     (guint)(config->stun_port ? config->stun_port : 3478), NULL); // RFC 8489 s18.6
    for (size_t i = 0; i < count; i++) {
        NiceAddress address;
        nice_address_init(&address);
        nice_address_set_from_sockaddr(&address, &addresses[i].sa);
        nice_agent_add_local_address(agent->nice, &address);
    }
    agent->stream = nice_agent_add_stream(agent->nice, COMPONENT);
    if (config->port_max)
        nice_agent_set_port_range(agent->nice, agent->stream, COMPONENT, config->port_min, config->port_max);
    nice_agent_attach_recv(agent->nice, agent->stream, COMPONENT, options->context, on_data, agent);
}

struct ice_agent *ice_agent_new(const struct ice_agent_options *options, uint64_t id, struct mailbox *reply)
{
    struct ice_agent *agent = g_new0(struct ice_agent, 1);
    agent->config = options->config;
    agent->context = options->context;
    agent->id = id;
    agent->reply = reply;
    agent->early = g_ptr_array_new_with_free_func(g_free);
    NiceAgentOption flags = NICE_AGENT_OPTION_ICE_TRICKLE;
    if (options->config->lite)
        flags |= NICE_AGENT_OPTION_LITE_MODE;
    if (options->twins) // without the filter a 403 would be answered with a crash: see ice_twin.h
        flags |= NICE_AGENT_OPTION_CONSENT_FRESHNESS;
    agent->nice = nice_agent_new_full(options->context, NICE_COMPATIBILITY_RFC5245, flags);
    configure(agent, options);
    connect_signals(agent);
    if (!nice_agent_gather_candidates(agent->nice, agent->stream)) {
        sfu_log(SFU_LOG_ERROR, "ICE: no local address or no free media port for a participant");
        post_state(agent, ICE_FAILED);
        return agent;
    }
    post_local(agent);
    if (options->twins)
        make_twins(agent);
    return agent;
}

void ice_agent_free(struct ice_agent *agent)
{
    stop_probe(agent);
    g_signal_handlers_disconnect_by_data(agent->nice, agent);
    g_object_unref(agent->nice);
    post(agent, ice_event_new(ICE_CLOSED, agent->id, NULL, 0));
    g_ptr_array_free(agent->early, TRUE);
    explicit_bzero(agent->pwd, sizeof(agent->pwd));
    g_free(agent);
}

// ---- remote side -------------------------------------------------------------------------------------------

static void begin_generation(struct ice_agent *agent)
{
    stop_probe(agent);
    agent->probes = 0;
    set_idle(agent, IDLE_MS);
    nice_agent_restart_stream(agent->nice, agent->stream);
    agent->has_remote = false;
    agent->path_is_told = false;
    agent->remote_count = 0;
    agent->learned_count = 0;
    post_local(agent);
}

void ice_agent_restart(struct ice_agent *agent)
{
    if (agent->stream)
        begin_generation(agent);
}

void ice_agent_remote(struct ice_agent *agent, const char *ufrag, const char *pwd)
{
    if (!agent->stream || (strcmp(agent->ufrag, ufrag) == 0 && strcmp(agent->pwd, pwd) == 0))
        return;
    // Without credentials of this generation these are the first, or the answer to our own restart.
    if (agent->has_remote)
        begin_generation(agent);
    agent->has_remote = true;
    g_strlcpy(agent->ufrag, ufrag, sizeof(agent->ufrag));
    g_strlcpy(agent->pwd, pwd, sizeof(agent->pwd));
    nice_agent_set_remote_credentials(agent->nice, agent->stream, ufrag, pwd);
    GPtrArray *early = agent->early;
    agent->early = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < early->len; i++)
        ice_agent_candidate(agent, early->pdata[i]);
    g_ptr_array_free(early, TRUE);
}

static void take_candidate(struct ice_agent *agent, const struct candidate *line, const union sockaddr_any *address)
{
    static const NiceCandidateType types[] = {
        [CANDIDATE_HOST] = NICE_CANDIDATE_TYPE_HOST,
        [CANDIDATE_SRFLX] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
        [CANDIDATE_RELAY] = NICE_CANDIDATE_TYPE_RELAYED,
    };
    NiceCandidate *candidate = nice_candidate_new(types[line->type]);
    candidate->component_id = COMPONENT;
    candidate->stream_id = agent->stream;
    candidate->transport = NICE_CANDIDATE_TRANSPORT_UDP;
    candidate->priority = line->priority;
    // libnice names a pair by foundations, which all relays of one address share (RFC 8445 section 5.1.1.3): a name
    // of our own tells them apart when the browser has moved from one to the other.
    g_snprintf(candidate->foundation, sizeof(candidate->foundation), "r%u", agent->remote_count);
    nice_address_set_from_sockaddr(&candidate->addr, &address->sa);
    candidate->base_addr = candidate->addr;
    GSList list = {.data = candidate};
    nice_agent_set_remote_candidates(agent->nice, agent->stream, COMPONENT, &list);
    nice_candidate_free(candidate);
}

static bool is_of_this_generation(const struct ice_agent *agent, const struct candidate *candidate)
{
    return agent->has_remote && (!candidate->ufrag[0] || strcmp(candidate->ufrag, agent->ufrag) == 0);
}

void ice_agent_candidate(struct ice_agent *agent, const char *line)
{
    struct candidate candidate;
    union sockaddr_any address;
    if (!agent->stream)
        return;
    if (!*line) {
        nice_agent_peer_candidate_gathering_done(agent->nice, agent->stream);
        return;
    }
    // A lite agent sends no checks of its own and needs no addresses: it learns them from the browser's checks.
    if (agent->config->lite || candidate_parse(&candidate, line) < 0 || !candidate.udp ||
        candidate.component != COMPONENT || candidate.port == 0 || candidate.type == CANDIDATE_PRFLX ||
        candidate.type == CANDIDATE_OTHER || !candidate_sockaddr(&candidate, &address))
        return;
    if (is_of_this_generation(agent, &candidate)) {
        if (agent->remote_count++ < ICE_REMOTE_MAX)
            take_candidate(agent, &candidate, &address);
    } else if (agent->early->len < ICE_REMOTE_MAX) {
        g_ptr_array_add(agent->early, g_strdup(line));
    }
}

static void find_foundation(GSList *candidates, const union sockaddr_any *address,
                            char out[NICE_CANDIDATE_MAX_FOUNDATION])
{
    out[0] = 0;
    for (GSList *i = candidates; i && !out[0]; i = i->next) {
        const NiceCandidate *candidate = i->data;
        union sockaddr_any its;
        to_sockaddr(&candidate->addr, &its);
        if (candidate->transport == NICE_CANDIDATE_TRANSPORT_UDP && same_address(&its, address))
            g_strlcpy(out, candidate->foundation, NICE_CANDIDATE_MAX_FOUNDATION);
    }
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

void ice_agent_moved(struct ice_agent *agent, const union sockaddr_any *local, const union sockaddr_any *remote)
{
    char ours[NICE_CANDIDATE_MAX_FOUNDATION], theirs[NICE_CANDIDATE_MAX_FOUNDATION];
    if (!agent->stream || !agent->has_path)
        return;
    find_foundation(nice_agent_get_local_candidates(agent->nice, agent->stream, COMPONENT), local, ours);
    find_foundation(nice_agent_get_remote_candidates(agent->nice, agent->stream, COMPONENT), remote, theirs);
    if (!ours[0] || !theirs[0] || !nice_agent_set_selected_pair(agent->nice, agent->stream, COMPONENT, ours, theirs))
        return;
    stop_probe(agent);
    agent->probes = 0;
    post_state(agent, ICE_CONNECTED);
}

void ice_agent_send(struct ice_agent *agent, const void *data, size_t len)
{
    GOutputVector vector = {data, len};
    NiceOutputMessage message = {&vector, 1};
    if (agent->has_path)
        nice_agent_send_messages_nonblocking(agent->nice, agent->stream, COMPONENT, &message, 1, NULL, NULL);
}
