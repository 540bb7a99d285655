// What does one participant's SCTP association do?
// SPDX-License-Identifier: MIT
#include "sfu/datachan_assoc.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <usrsctp.h>

#include "sfu/datachan_channel.h"
#include "sfu/dcep.h"
#include "sfu/log.h"

enum { // RFC 8831 s8: payload protocol identifiers
    PPID_DCEP = 50,
    PPID_STRING = 51,
    PPID_BINARY = 53,
    PPID_STRING_EMPTY = 56, // SCTP has no empty messages: one zero octet stands for none
    PPID_BINARY_EMPTY = 57,
};

enum {
    BUFFER = 128 * 1024, // octets each way inside usrsctp: what one association can make us hold
    SCTP_HEADER = 12,    // RFC 9260 s3.1
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

struct assoc {
    // fixed at birth
    uint64_t id;
    struct mailbox *reply;
    bool client;
    void *address; // what usrsctp knows us by: never a pointer to anything
    struct socket *socket;

    // association
    bool up, gone;
    uint16_t streams; // outgoing, as negotiated
    GArray *resets;   // struct reset: outgoing streams to reset
    struct channels channels;

    // incoming
    GQueue arrivals;
    int64_t refilled_us;
    double bits, messages; // tokens left

    // outgoing
    GQueue queue; // struct datachan_message
    size_t queued;
};

struct reset {
    uint16_t sid;
    bool asked;
};

// By address, so that a callback that comes late finds nothing instead of something freed.
static GHashTable *assocs;
static uintptr_t last_address;

// ---- letters -----------------------------------------------------------------------------------------------

struct datachan_event *datachan_event_new(enum datachan_event_type type, uint64_t id, const void *data, size_t len)
{
    struct datachan_event *event = g_malloc(sizeof(*event) + len);
    *event = (struct datachan_event){.type = type, .id = id, .len = len};
    if (len)
        memcpy(event->data, data, len);
    return event;
}

void datachan_event_free(struct datachan_event *event)
{
    if (!event)
        return;
    g_free(event->message);
    g_free(event);
}

static void post(struct assoc *a, enum datachan_event_type type, const void *data, size_t len)
{
    mailbox_post(a->reply, &datachan_event_new(type, a->id, data, len)->mail);
}

// ---- callbacks ---------------------------------------------------------------------------------------------

static int on_packet(void *address, void *data, size_t len, uint8_t tos, uint8_t set_df)
{
    (void)tos, (void)set_df;
    struct assoc *a = g_hash_table_lookup(assocs, address);
    if (a)
        post(a, DATACHAN_TX, data, len);
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
    usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(CHANNEL_STREAMS);
    usrsctp_sysctl_set_sctp_sendspace(BUFFER);
    usrsctp_sysctl_set_sctp_recvspace(BUFFER);
    usrsctp_sysctl_set_sctp_delayed_sack_time_default(20);
    usrsctp_sysctl_set_sctp_init_rto_max_default(3000);
    usrsctp_sysctl_set_sctp_rto_max_default(10000);
    usrsctp_sysctl_set_sctp_rto_min_default(250);
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

static bool set(struct assoc *a, int level, int option, const void *value, socklen_t len)
{
    return usrsctp_setsockopt(a->socket, level, option, value, len) == 0;
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
    struct sctp_initmsg init = {.sinit_num_ostreams = CHANNEL_STREAMS, .sinit_max_instreams = CHANNEL_STREAMS};
    int on = 1;
    return usrsctp_set_non_blocking(a->socket, 1) == 0 &&
           set(a, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close)) &&
           set(a, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)) &&
           set(a, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &reset, sizeof(reset)) &&
           set(a, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init)) && subscribe(a, SCTP_ASSOC_CHANGE) &&
           subscribe(a, SCTP_STREAM_RESET_EVENT);
}

// Both sides call connect: RFC 8841 s9.3 has no listener.
static bool dial(struct assoc *a, uint16_t remote_port)
{
    struct sockaddr_conn local = address_of(a, DATACHAN_PORT), remote = address_of(a, remote_port);
    struct sctp_paddrparams path = {.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = DATACHAN_PACKET_MAX - SCTP_HEADER};
    if (usrsctp_bind(a->socket, (struct sockaddr *)&local, sizeof(local)) < 0)
        return false;
    if (usrsctp_connect(a->socket, (struct sockaddr *)&remote, sizeof(remote)) < 0 && errno != EINPROGRESS)
        return false;
    memcpy(&path.spp_address, &remote, sizeof(remote));
    return set(a, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
}

struct assoc *assoc_new(uint64_t id, struct mailbox *reply, uint16_t remote_port, bool client, int64_t now_us)
{
    struct assoc *a = g_new0(struct assoc, 1);
    a->id = id;
    a->reply = reply;
    a->client = client;
    a->refilled_us = now_us;
    a->bits = DATACHAN_RATE_BPS;
    a->messages = DATACHAN_RATE_MSGS;
    a->resets = g_array_new(FALSE, FALSE, sizeof(struct reset));
    a->address = (void *)++last_address; // NOLINT(performance-no-int-to-ptr): a name
    g_hash_table_insert(assocs, a->address, a);
    usrsctp_register_address(a->address);
    a->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, a->address);
    if (!a->socket || !configure(a) || !dial(a, remote_port)) {
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
    post(a, DATACHAN_CLOSED, NULL, 0);
    g_queue_clear_full(&a->arrivals, (GDestroyNotify)arrival_free);
    g_queue_clear_full(&a->queue, g_free);
    channels_clear(&a->channels);
    g_array_unref(a->resets);
    g_free(a);
}

// ---- sending -----------------------------------------------------------------------------------------------

static struct sctp_prinfo policy_of(const struct dcep *open)
{
    switch (open->channel_type & ~DCEP_UNORDERED) {
    case DCEP_REXMIT:
        return (struct sctp_prinfo){SCTP_PR_SCTP_RTX, open->reliability};
    case DCEP_TIMED:
        return (struct sctp_prinfo){SCTP_PR_SCTP_TTL, open->reliability};
    default:
        return (struct sctp_prinfo){SCTP_PR_SCTP_NONE, 0};
    }
}

// False: not now.
static bool send_on(struct assoc *a, uint16_t sid, uint32_t ppid, bool ordered, struct sctp_prinfo policy,
                    const void *data, size_t len)
{
    struct sctp_sendv_spa spa = {
        .sendv_flags = SCTP_SEND_SNDINFO_VALID | SCTP_SEND_PRINFO_VALID,
        .sendv_sndinfo = {.snd_sid = sid, .snd_flags = ordered ? 0 : SCTP_UNORDERED, .snd_ppid = g_htonl(ppid)},
        .sendv_prinfo = policy,
    };
    ssize_t n = usrsctp_sendv(a->socket, data, len, NULL, 0, &spa, (socklen_t)sizeof(spa), SCTP_SENDV_SPA, 0);
    return n >= 0;
}

static bool send_dcep(struct assoc *a, uint16_t sid, const struct dcep *dcep)
{
    uint8_t buf[DCEP_OPEN_MAX];
    size_t len = dcep_write(dcep, buf, sizeof(buf));
    return send_on(a, sid, PPID_DCEP, true, (struct sctp_prinfo){SCTP_PR_SCTP_NONE, 0}, buf, len);
}

static bool is_resetting(const struct assoc *a, uint16_t sid)
{
    for (guint i = 0; i < a->resets->len; i++) {
        if (g_array_index(a->resets, struct reset, i).sid == sid)
            return true;
    }
    return false;
}

// RFC 8832 s6: the DTLS client opens even streams, the server odd ones.
static int free_stream(struct assoc *a)
{
    for (unsigned sid = a->client ? 0 : 1; sid < a->streams; sid += 2) {
        if (!channels_find(&a->channels, (uint16_t)sid) && !is_resetting(a, (uint16_t)sid))
            return (int)sid;
    }
    return -1;
}

// The channel a message goes out on; opened when there is none. NULL: no room for one more.
static struct channel *channel_for(struct assoc *a, const struct datachan_message *message)
{
    struct channel *channel = channels_find_name(&a->channels, message->label, message->protocol);
    if (channel)
        return channel;
    struct dcep open = {
        .type = DCEP_OPEN, .channel_type = message->channel_type, .reliability = message->reliability};
    g_strlcpy(open.label, message->label, sizeof(open.label));
    g_strlcpy(open.protocol, message->protocol, sizeof(open.protocol));
    int sid = free_stream(a);
    if (sid < 0 || !(channel = channels_add(&a->channels, (uint16_t)sid, &open)))
        return NULL;
    if (!send_dcep(a, channel->sid, &open)) {
        channel_remove(channel);
        return NULL;
    }
    return channel;
}

static bool send_message(struct assoc *a, struct channel *channel, const struct datachan_message *message)
{
    static const uint8_t nothing[1];
    bool empty = message->len == 0;
    uint32_t ppid =
        message->binary ? (empty ? PPID_BINARY_EMPTY : PPID_BINARY) : (empty ? PPID_STRING_EMPTY : PPID_STRING);
    // RFC 8832 s6: until the open is answered everything stays in order behind it.
    bool ordered = !(channel->open.channel_type & DCEP_UNORDERED) || !channel->acked;
    return send_on(a, channel->sid, ppid, ordered, policy_of(&channel->open), empty ? nothing : message->data,
                   empty ? 1 : message->len);
}

static size_t cost(const struct datachan_message *message)
{
    return sizeof(*message) + message->len;
}

void assoc_send(struct assoc *a, struct datachan_message *message)
{
    if (a->gone || message->len > DATACHAN_MESSAGE_MAX || a->queued + cost(message) > DATACHAN_QUEUE_MAX) {
        g_free(message);
        return;
    }
    g_queue_push_tail(&a->queue, message);
    a->queued += cost(message);
}

static void send_queue(struct assoc *a)
{
    struct datachan_message *message;
    while (a->up && (message = g_queue_peek_head(&a->queue))) {
        struct channel *channel = channel_for(a, message);
        if (channel && !send_message(a, channel, message) && (errno == EWOULDBLOCK || errno == EAGAIN))
            return;
        g_queue_pop_head(&a->queue);
        a->queued -= cost(message);
        g_free(message);
    }
}

// ---- closing channels --------------------------------------------------------------------------------------

static void reset_stream(struct assoc *a, uint16_t sid)
{
    struct reset reset = {sid, false};
    if (!is_resetting(a, sid))
        g_array_append_val(a->resets, reset);
}

// usrsctp has one reset under way at a time and says EALREADY to the next: ask again next turn.
static void ask_resets(struct assoc *a)
{
    size_t room = sizeof(struct sctp_reset_streams) + a->resets->len * sizeof(uint16_t);
    if (!a->up || a->resets->len == 0 || g_array_index(a->resets, struct reset, a->resets->len - 1).asked)
        return;
    struct sctp_reset_streams *ask = g_malloc0(room);
    ask->srs_assoc_id = SCTP_ALL_ASSOC;
    ask->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    for (guint i = 0; i < a->resets->len; i++) {
        struct reset *reset = &g_array_index(a->resets, struct reset, i);
        if (!reset->asked)
            ask->srs_stream_list[ask->srs_number_streams++] = reset->sid;
    }
    socklen_t len = (socklen_t)(sizeof(*ask) + ask->srs_number_streams * sizeof(uint16_t));
    bool ok = set(a, IPPROTO_SCTP, SCTP_RESET_STREAMS, ask, len);
    for (guint i = 0; ok && i < a->resets->len; i++)
        g_array_index(a->resets, struct reset, i).asked = true;
    g_free(ask);
}

static void forget_reset(struct assoc *a, uint16_t sid)
{
    for (guint i = 0; i < a->resets->len; i++) {
        struct reset *reset = &g_array_index(a->resets, struct reset, i);
        if (reset->sid == sid && reset->asked) {
            g_array_remove_index(a->resets, i);
            return;
        }
    }
}

// The other side closed its half: close ours (RFC 8831 s6.7).
static void incoming_was_reset(struct assoc *a, uint16_t sid)
{
    struct channel *channel = channels_find(&a->channels, sid);
    if (!channel)
        return;
    channel_remove(channel);
    reset_stream(a, sid);
}

static void on_reset(struct assoc *a, const struct sctp_stream_reset_event *event, size_t len)
{
    size_t count = (len - sizeof(*event)) / sizeof(uint16_t);
    for (size_t i = 0; i < count; i++) {
        if (event->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN)
            forget_reset(a, event->strreset_stream_list[i]);
        else if (event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)
            incoming_was_reset(a, event->strreset_stream_list[i]);
    }
    if (count > 0 || !(event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN))
        return;
    for (unsigned i = 0; i < DATACHAN_CHANNEL_MAX; i++) { // no list: all of them
        if (a->channels.list[i].used)
            incoming_was_reset(a, a->channels.list[i].sid);
    }
}

// ---- receiving ---------------------------------------------------------------------------------------------

static void on_change(struct assoc *a, const struct sctp_assoc_change *change)
{
    switch (change->sac_state) {
    case SCTP_COMM_UP:
        a->up = true;
        a->streams = MIN(change->sac_outbound_streams, CHANNEL_STREAMS);
        break;
    case SCTP_COMM_LOST:
    case SCTP_SHUTDOWN_COMP:
    case SCTP_CANT_STR_ASSOC:
    case SCTP_RESTART: // never inside one DTLS association (RFC 8831 s6.2): a new one has a new `id`
        a->up = false;
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

static void on_dcep(struct assoc *a, const struct arrival *arrival)
{
    static const struct dcep ack = {.type = DCEP_ACK};
    struct channel *channel = channels_find(&a->channels, arrival->sid);
    struct dcep dcep;
    int rc = arrival->last ? dcep_parse(&dcep, arrival->data, arrival->len) : -E2BIG;
    if (rc == 0 && dcep.type == DCEP_ACK) {
        if (channel)
            channel->acked = true;
        return;
    }
    if (rc == 0 && !channel && !is_resetting(a, arrival->sid) &&
        (channel = channels_add(&a->channels, arrival->sid, &dcep))) {
        channel->acked = true;
        if (send_dcep(a, arrival->sid, &ack))
            return;
        channel_remove(channel);
    }
    if (arrival->sid < a->streams) // RFC 8832 s6: a channel that cannot be is closed
        reset_stream(a, arrival->sid);
}

static bool is_within_rate(struct assoc *a, size_t len, int64_t now_us)
{
    double seconds = (double)(now_us - a->refilled_us) / 1e6;
    double bits = (double)len * 8;
    a->refilled_us = now_us;
    a->bits = MIN(a->bits + seconds * DATACHAN_RATE_BPS, DATACHAN_RATE_BPS);
    a->messages = MIN(a->messages + seconds * DATACHAN_RATE_MSGS, DATACHAN_RATE_MSGS);
    if (a->bits < bits || a->messages < 1)
        return false;
    a->bits -= bits;
    a->messages -= 1;
    return true;
}

static bool is_data(uint32_t ppid)
{
    return ppid == PPID_STRING || ppid == PPID_BINARY || ppid == PPID_STRING_EMPTY || ppid == PPID_BINARY_EMPTY;
}

static void deliver(struct assoc *a, const struct channel *channel, uint32_t ppid, const uint8_t *data, size_t len)
{
    if (ppid == PPID_STRING_EMPTY || ppid == PPID_BINARY_EMPTY)
        len = 0;
    struct datachan_message *message = g_malloc(sizeof(*message) + len);
    *message = (struct datachan_message){
        .channel_type = channel->open.channel_type,
        .reliability = channel->open.reliability,
        .binary = ppid == PPID_BINARY || ppid == PPID_BINARY_EMPTY,
        .len = len,
    };
    g_strlcpy(message->label, channel->open.label, sizeof(message->label));
    g_strlcpy(message->protocol, channel->open.protocol, sizeof(message->protocol));
    memcpy(message->data, data, len);
    struct datachan_event *event = datachan_event_new(DATACHAN_MESSAGE, a->id, NULL, 0);
    event->message = message;
    mailbox_post(a->reply, &event->mail);
}

static void on_data(struct assoc *a, const struct arrival *arrival, int64_t now_us)
{
    struct channel *channel = channels_find(&a->channels, arrival->sid);
    const uint8_t *message;
    size_t len;
    if (!channel || !is_data(arrival->ppid) ||
        !channel_assemble(channel, arrival->data, arrival->len, arrival->last, &message, &len))
        return;
    channel->acked = true; // it could not speak before it heard of the channel
    if (is_within_rate(a, len, now_us))
        deliver(a, channel, arrival->ppid, message, len);
}

static void handle(struct assoc *a, const struct arrival *arrival, int64_t now_us)
{
    if (arrival->notification)
        on_notification(a, arrival);
    else if (arrival->ppid == PPID_DCEP)
        on_dcep(a, arrival);
    else
        on_data(a, arrival, now_us);
}

void assoc_rx(struct assoc *a, const uint8_t *data, size_t len)
{
    if (len >= SCTP_HEADER && !a->gone)
        usrsctp_conninput(a->address, data, len, 0);
}

bool assoc_turn(struct assoc *a, int64_t now_us)
{
    struct arrival *arrival;
    while ((arrival = g_queue_pop_head(&a->arrivals))) {
        handle(a, arrival, now_us);
        arrival_free(arrival);
    }
    if (a->gone)
        return false;
    send_queue(a);
    ask_resets(a);
    return true;
}
