// How do SCTP packets become messages on streams?
// SPDX-License-Identifier: MIT
#include "sfu/datachan_assoc.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <usrsctp.h>

#include "sfu/datachan.h"
#include "sfu/log.h"

enum {
    BUFFER = 128 * 1024, // octets each way inside usrsctp: what one association can make us hold
    SCTP_HEADER = 12,    // RFC 9260 s3.1
    SACK_DELAY_MS = 20,
    RTO_MIN_MS = 250,
    RTO_MAX_MS = 10000,
    INIT_RTO_MAX_MS = 3000,
    FINISH_TRIES = 100,
    FINISH_STEP_US = 100000, // of the library's time; nobody waits
};

// What a callback left for assoc_turn().
struct arrival {
    uint16_t sid;
    uint32_t ppid;
    bool last, notification;
    size_t len;
    uint8_t *data; // malloc'ed by usrsctp
};

struct reset {
    uint16_t sid;
    bool asked;
};

struct assoc {
    // fixed at birth
    struct assoc_handlers handlers;
    void *arg;
    void *address; // what usrsctp knows us by: never a pointer to anything
    struct socket *socket;

    bool gone;
    uint16_t streams; // outgoing, as negotiated; 0: not up
    GArray *resets;   // struct reset: outgoing streams being reset
    GQueue arrivals;
};

// By address, so that a callback that comes late finds nothing instead of something freed.
static GHashTable *assocs;
static uintptr_t last_address;

// ---- callbacks ---------------------------------------------------------------------------------------------

static int on_packet(void *address, void *data, size_t len, uint8_t tos, uint8_t set_df)
{
    (void)tos, (void)set_df;
    struct assoc *a = g_hash_table_lookup(assocs, address);
    if (a)
        a->handlers.packet(a->arg, data, len);
    return 0;
}

static int on_receive(struct socket *socket, union sctp_sockstore from, void *data, size_t len,
                      struct sctp_rcvinfo info, int flags, void *address)
{
    (void)socket, (void)from;
    struct assoc *a = g_hash_table_lookup(assocs, address);
    if (!a || !data) {
        free(data);
        if (a)
            a->gone = true;
        return 1;
    }
    struct arrival *arrival = g_new(struct arrival, 1);
    *arrival = (struct arrival){.sid = info.rcv_sid,
                                .ppid = g_ntohl(info.rcv_ppid),
                                .last = flags & MSG_EOR,
                                .notification = flags & MSG_NOTIFICATION,
                                .len = len,
                                .data = data};
    g_queue_push_tail(&a->arrivals, arrival);
    return 1;
}

static void arrival_free(struct arrival *arrival)
{
    free(arrival->data);
    g_free(arrival);
}

// ---- the library -------------------------------------------------------------------------------------------

void assoc_library_start(void)
{
    g_assert(!assocs); // usrsctp is one per process
    assocs = g_hash_table_new(NULL, NULL);
    usrsctp_init_nothreads(0, on_packet, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2); // no answer to packets of associations that are not
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(ASSOC_STREAMS);
    usrsctp_sysctl_set_sctp_sendspace(BUFFER);
    usrsctp_sysctl_set_sctp_recvspace(BUFFER);
    usrsctp_sysctl_set_sctp_delayed_sack_time_default(SACK_DELAY_MS);
    usrsctp_sysctl_set_sctp_init_rto_max_default(INIT_RTO_MAX_MS);
    usrsctp_sysctl_set_sctp_rto_max_default(RTO_MAX_MS);
    usrsctp_sysctl_set_sctp_rto_min_default(RTO_MIN_MS);
}

void assoc_library_tick(int64_t elapsed_us)
{
    usrsctp_handle_timers((uint32_t)(elapsed_us / 1000));
}

void assoc_library_stop(void)
{
    g_assert(g_hash_table_size(assocs) == 0);
    // What was closed is freed by timers; finishing is refused until then.
    int tries = FINISH_TRIES;
    while (usrsctp_finish() != 0 && --tries > 0)
        assoc_library_tick(FINISH_STEP_US);
    g_assert(tries > 0);
    g_clear_pointer(&assocs, g_hash_table_destroy);
}

// ---- life --------------------------------------------------------------------------------------------------

static struct sockaddr_conn address_of(const struct assoc *a, uint16_t port)
{
    return (struct sockaddr_conn){.sconn_family = AF_CONN, .sconn_port = g_htons(port), .sconn_addr = a->address};
}

static bool set(struct assoc *a, int level, int option, const void *value, size_t len)
{
    return usrsctp_setsockopt(a->socket, level, option, value, (socklen_t)len) == 0;
}

static bool subscribe(struct assoc *a, uint16_t type)
{
    struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = type, .se_on = 1};
    return set(a, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event));
}

static bool configure(struct assoc *a)
{
    struct linger abort_on_close = {.l_onoff = 1, .l_linger = 0};
    struct sctp_assoc_value reset = {.assoc_id = SCTP_ALL_ASSOC, .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ};
    struct sctp_initmsg init = {.sinit_num_ostreams = ASSOC_STREAMS, .sinit_max_instreams = ASSOC_STREAMS};
    int on = 1;
    return usrsctp_set_non_blocking(a->socket, 1) == 0 &&
           set(a, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close)) &&
           set(a, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)) &&
           set(a, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &reset, sizeof(reset)) &&
           set(a, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init)) && subscribe(a, SCTP_ASSOC_CHANGE) &&
           subscribe(a, SCTP_STREAM_RESET_EVENT);
}

static bool dial(struct assoc *a, uint16_t local_port, uint16_t remote_port)
{
    struct sockaddr_conn local = address_of(a, local_port), remote = address_of(a, remote_port);
    // usrsctp takes the path MTU without the common header.
    struct sctp_paddrparams path = {.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = DATACHAN_PACKET_MAX - SCTP_HEADER};
    if (usrsctp_bind(a->socket, (struct sockaddr *)&local, sizeof(local)) < 0)
        return false;
    if (usrsctp_connect(a->socket, (struct sockaddr *)&remote, sizeof(remote)) < 0 && errno != EINPROGRESS)
        return false;
    memcpy(&path.spp_address, &remote, sizeof(remote));
    return set(a, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
}

struct assoc *assoc_new(uint16_t local_port, uint16_t remote_port, const struct assoc_handlers *handlers, void *arg)
{
    struct assoc *a = g_new0(struct assoc, 1);
    a->handlers = *handlers;
    a->arg = arg;
    a->resets = g_array_new(FALSE, FALSE, sizeof(struct reset));
    a->address = (void *)++last_address; // NOLINT(performance-no-int-to-ptr): a name
    g_hash_table_insert(assocs, a->address, a);
    usrsctp_register_address(a->address);
    a->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, a->address);
    if (!a->socket || !configure(a) || !dial(a, local_port, remote_port)) {
        sfu_log(SFU_LOG_ERROR, "SCTP: cannot open an association: %s", g_strerror(errno));
        a->gone = true;
    }
    return a;
}

void assoc_free(struct assoc *a)
{
    if (a->socket)
        usrsctp_close(a->socket);
    usrsctp_deregister_address(a->address);
    g_hash_table_remove(assocs, a->address);
    g_queue_clear_full(&a->arrivals, (GDestroyNotify)arrival_free);
    g_array_unref(a->resets);
    g_free(a);
}

// ---- sending -----------------------------------------------------------------------------------------------

uint16_t assoc_streams(const struct assoc *a)
{
    return a->streams;
}

static uint16_t policy_of(const struct assoc_manner *manner)
{
    static const uint16_t policies[] = {
        [ASSOC_RELIABLE] = SCTP_PR_SCTP_NONE,
        [ASSOC_REXMIT] = SCTP_PR_SCTP_RTX,
        [ASSOC_TIMED] = SCTP_PR_SCTP_TTL,
    };
    return policies[manner->reliability];
}

int assoc_send(struct assoc *a, uint16_t sid, uint32_t ppid, const struct assoc_manner *manner, const void *data,
               size_t len)
{
    struct sctp_sendv_spa spa = {
        .sendv_flags = SCTP_SEND_SNDINFO_VALID | SCTP_SEND_PRINFO_VALID,
        .sendv_sndinfo = {.snd_sid = sid,
                          .snd_flags = manner->unordered ? SCTP_UNORDERED : 0,
                          .snd_ppid = g_htonl(ppid)},
        .sendv_prinfo = {.pr_policy = policy_of(manner), .pr_value = manner->limit},
    };
    if (a->gone)
        return -ENOTCONN;
    if (usrsctp_sendv(a->socket, data, len, NULL, 0, &spa, sizeof(spa), SCTP_SENDV_SPA, 0) >= 0)
        return 0;
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

// ---- resets --------------------------------------------------------------------------------------------------

static struct reset *find_reset(const struct assoc *a, uint16_t sid)
{
    for (guint i = 0; i < a->resets->len; i++) {
        struct reset *reset = &g_array_index(a->resets, struct reset, i);
        if (reset->sid == sid)
            return reset;
    }
    return NULL;
}

bool assoc_is_resetting(const struct assoc *a, uint16_t sid)
{
    return find_reset(a, sid) != NULL;
}

void assoc_reset(struct assoc *a, uint16_t sid)
{
    struct reset reset = {sid, false};
    if (sid < a->streams && !find_reset(a, sid))
        g_array_append_val(a->resets, reset);
}

// usrsctp has one request under way at a time and says EALREADY to the next: ask again next turn.
static void ask_resets(struct assoc *a)
{
    GArray *resets = a->resets;
    if (resets->len == 0 || g_array_index(resets, struct reset, resets->len - 1).asked)
        return;
    struct sctp_reset_streams *ask = g_malloc0(sizeof(*ask) + resets->len * sizeof(uint16_t));
    ask->srs_assoc_id = SCTP_ALL_ASSOC;
    ask->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    for (guint i = 0; i < resets->len; i++) {
        struct reset *reset = &g_array_index(resets, struct reset, i);
        if (!reset->asked)
            ask->srs_stream_list[ask->srs_number_streams++] = reset->sid;
    }
    size_t len = sizeof(*ask) + ask->srs_number_streams * sizeof(uint16_t);
    bool taken = set(a, IPPROTO_SCTP, SCTP_RESET_STREAMS, ask, len);
    for (guint i = 0; taken && i < resets->len; i++)
        g_array_index(resets, struct reset, i).asked = true;
    g_free(ask);
}

static void forget_reset(struct assoc *a, uint16_t sid)
{
    struct reset *reset = find_reset(a, sid);
    if (reset && reset->asked)
        g_array_remove_index(a->resets, (guint)(reset - &g_array_index(a->resets, struct reset, 0)));
}

static void on_reset(struct assoc *a, const struct sctp_stream_reset_event *event, size_t len)
{
    size_t count = (len - sizeof(*event)) / sizeof(uint16_t);
    bool outgoing = event->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN;
    bool incoming = event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN;
    for (size_t i = 0; i < count; i++) {
        if (outgoing)
            forget_reset(a, event->strreset_stream_list[i]);
        else if (incoming)
            a->handlers.reset(a->arg, event->strreset_stream_list[i]);
    }
    for (uint16_t sid = 0; incoming && count == 0 && sid < ASSOC_STREAMS; sid++) // no list: all of them
        a->handlers.reset(a->arg, sid);
}

// ---- receiving -----------------------------------------------------------------------------------------------

static void on_change(struct assoc *a, const struct sctp_assoc_change *change)
{
    switch (change->sac_state) {
    case SCTP_COMM_UP:
        a->streams = MIN(change->sac_outbound_streams, ASSOC_STREAMS);
        break;
    case SCTP_COMM_LOST:
    case SCTP_SHUTDOWN_COMP:
    case SCTP_CANT_STR_ASSOC:
    case SCTP_RESTART: // never inside one DTLS association (RFC 8831 s6.2)
        a->gone = true;
        break;
    default:
        break;
    }
}

static void on_notification(struct assoc *a, const struct arrival *arrival)
{
    const union sctp_notification *n = (const void *)arrival->data;
    if (arrival->len < sizeof(n->sn_header) || arrival->len != n->sn_header.sn_length)
        return;
    if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE && arrival->len >= sizeof(n->sn_assoc_change))
        on_change(a, &n->sn_assoc_change);
    else if (n->sn_header.sn_type == SCTP_STREAM_RESET_EVENT && arrival->len >= sizeof(n->sn_strreset_event))
        on_reset(a, &n->sn_strreset_event, arrival->len);
}

void assoc_rx(struct assoc *a, const uint8_t *data, size_t len)
{
    if (len >= SCTP_HEADER && !a->gone)
        usrsctp_conninput(a->address, data, len, 0);
}

bool assoc_turn(struct assoc *a)
{
    struct arrival *arrival;
    while ((arrival = g_queue_pop_head(&a->arrivals))) {
        if (arrival->notification)
            on_notification(a, arrival);
        else
            a->handlers.message(a->arg, arrival->sid, arrival->ppid, arrival->data, arrival->len, arrival->last);
        arrival_free(arrival);
    }
    if (!a->gone)
        ask_resets(a);
    return !a->gone;
}
