// How do bytes travel between one browser and us?
// SPDX-License-Identifier: MIT
#include "sfu/transport.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "rtp/bytes.h"
#include "rtp/demux.h"
#include "sfu/cipher.h"
#include "sfu/dtls.h"
#include "sfu/early.h"
#include "sfu/ice.h"
#include "sfu/log.h"
#include "sfu/outbox.h"
#include "sfu/path.h"
#include "sfu/streams.h"
#include "sfu/twins.h"
#include "sfu/worker.h"

enum {
    PATH_SILENT_US = 500000, // after which packets from another address may be the browser's new path
    MOVED_US = 300000,       // between two words to ICE about it
    HURRY_US = 1000000,      // after which what arrives may wait for a tick again
};

struct transport {
    // fixed at birth
    struct worker *worker;
    struct transport_handlers handlers;
    void *arg;
    uint64_t id; // of our ICE agent and our SCTP association

    // ICE
    char ufrag[ICE_UFRAG_MAX + 1], pwd[ICE_PWD_MAX + 1];
    char remote_ufrag[ICE_UFRAG_MAX + 1], remote_pwd[ICE_PWD_MAX + 1];
    GString *candidates;
    bool complete;
    bool has_local; // credentials were given once
    bool has_path;
    struct path path;
    int64_t heard_us; // when the last packet verified
    int64_t moved_us; // when ICE was last told that the browser has moved
    int64_t hurry_us; // when the last packet came that could not wait
    bool patient;     // see worker_set_patient()
    enum ice_state ice_state;
    struct twins twins;
    struct early early;

    // DTLS, SRTP, SCTP
    struct dtls *dtls; // NULL until the remote description came
    int64_t dtls_due_us;
    struct cipher_sealer *sealer;
    struct cipher_opener *opener;
    uint16_t sctp_port;
    bool dtls_client, sctp_open;
    bool keyless; // DTLS is done, but no SRTP profile was agreed on
    enum sfu_state state;

    // sending
    struct sink sink;
    struct streams streams;
    uint16_t twcc_seq;
    struct outbox outbox;
    struct deferred flush;
};

// ---- state -----------------------------------------------------------------------------------------------

static enum sfu_state state_now(const struct transport *t)
{
    if (t->dtls && (dtls_state(t->dtls) == DTLS_FAILED || dtls_state(t->dtls) == DTLS_CLOSED))
        return SFU_FAILED;
    if (t->ice_state == ICE_FAILED || t->keyless)
        return SFU_FAILED;
    if (t->ice_state == ICE_DISCONNECTED)
        return SFU_DISCONNECTED;
    if (t->has_path && t->opener)
        return SFU_CONNECTED;
    return t->dtls ? SFU_CONNECTING : SFU_NEW;
}

static void update_state(struct transport *t)
{
    enum sfu_state state = state_now(t);
    if (state == t->state)
        return;
    t->state = state;
    t->sink.ready = state == SFU_CONNECTED;
    bool dtls_failed = t->keyless || (t->dtls && dtls_state(t->dtls) == DTLS_FAILED);
    t->handlers.state(t->arg, state, (struct transport_fault){t->ice_state == ICE_FAILED, dtls_failed});
}

// ---- sending ---------------------------------------------------------------------------------------------

static struct transport *of_sink(struct sink *sink)
{
    return (struct transport *)((char *)sink - offsetof(struct transport, sink));
}

static uint16_t stream_open(struct sink *sink, uint32_t ssrc)
{
    int handle = streams_open(&of_sink(sink)->streams, ssrc);
    return handle < 0 ? SINK_NO_STREAM : (uint16_t)handle;
}

static void flush(struct transport *t)
{
    if (!t->outbox.head || outbox_flush(&t->outbox, &t->path))
        return;
    // The socket is full. Try again next turn, when it has had time to drain.
    worker_defer(t->worker, &t->flush);
}

static void stream_close(struct sink *sink, uint16_t stream)
{
    struct transport *t = of_sink(sink);
    if (stream == SINK_NO_STREAM)
        return;
    flush(t); // what is queued still needs the stream's context
    streams_close(&t->streams, stream);
}

static void enqueue(struct transport *t, struct packet *out, struct cipher_stream *cipher)
{
    if (outbox_add(&t->outbox, out, cipher))
        flush(t);
    else
        worker_defer(t->worker, &t->flush);
}

static void sink_tx(struct sink *sink, struct packet *out)
{
    struct transport *t = of_sink(sink);
    struct cipher_stream *cipher = streams_cipher(&t->streams, out->stream);
    if (!sink->ready || !cipher) {
        stats_drop(worker_stats(t->worker), DROP_NOT_CONNECTED);
        packet_unref(out);
        return;
    }
    if (out->twcc_offset)
        wr16(out->buf + out->twcc_offset, t->twcc_seq++);
    enqueue(t, out, cipher);
}

static void sink_flush(struct sink *sink)
{
    flush(of_sink(sink));
}

static const struct sink_ops transport_sink_ops = {stream_open, stream_close, sink_tx, sink_flush};

struct sink *transport_sink(struct transport *t)
{
    return &t->sink;
}

static void flush_deferred(void *arg)
{
    flush(arg);
}

void transport_tx_rtcp(struct transport *t, const uint8_t *data, size_t len)
{
    struct packet *out =
        t->sink.ready && len <= PACKET_ROOM - CIPHER_TRAILER_MAX ? packet_new(worker_pool(t->worker)) : NULL;
    if (!out) {
        stats_drop(worker_stats(t->worker), DROP_NOT_CONNECTED);
        return;
    }
    memcpy(out->buf, data, len);
    size_t sealed = cipher_seal_rtcp(t->sealer, out->buf, len, PACKET_ROOM);
    if (sealed == 0) {
        packet_unref(out);
        return;
    }
    out->len = (uint16_t)sealed;
    out->video = false;
    enqueue(t, out, NULL);
}

// ---- DTLS and what it carries ------------------------------------------------------------------------------

static void open_sctp(struct transport *t)
{
    if (t->sctp_open || t->sctp_port == 0 || !t->opener)
        return;
    t->sctp_open = true;
    datachan_open(worker_hub(t->worker), t->id, worker_datachan_box(t->worker), t->sctp_port, t->dtls_client);
}

static void keys_agreed(struct transport *t)
{
    struct cipher_keys seal, open;
    if (dtls_srtp_keys(t->dtls, &seal, &open) < 0) {
        t->keyless = true;
        return;
    }
    t->sealer = cipher_sealer_new(&seal);
    t->opener = cipher_opener_new(&open);
    explicit_bzero(&seal, sizeof(seal));
    explicit_bzero(&open, sizeof(open));
    streams_set_sealer(&t->streams, t->sealer);
    open_sctp(t);
}

// Moves everything DTLS has produced to where it belongs.
static void pump_dtls(struct transport *t)
{
    uint8_t buf[DTLS_PLAIN_MAX];
    size_t len;
    while ((len = dtls_next_tx(t->dtls, buf, sizeof(buf))) > 0) {
        if (t->has_path) // else DTLS sends it again
            path_send(&t->path, buf, len);
    }
    while ((len = dtls_read(t->dtls, buf, sizeof(buf))) > 0) {
        transport_hurry(t, worker_now_us(t->worker)); // a file comes in more packets than a tick takes
        if (t->sctp_open)
            datachan_rx(worker_hub(t->worker), t->id, buf, len);
        if (t->opener)
            dtls_settle(t->dtls);
    }
    if (!t->opener && dtls_state(t->dtls) == DTLS_CONNECTED)
        keys_agreed(t);
    t->dtls_due_us = dtls_due(t->dtls);
    update_state(t);
}

void transport_tx_message(struct transport *t, const struct datachan_message *message)
{
    if (t->sctp_open)
        datachan_send(worker_hub(t->worker), t->id, message);
}

static void datachan_letter(void *arg, struct datachan_event *event, int64_t now_us)
{
    struct transport *t = arg;
    (void)now_us;
    if (event->type == DATACHAN_TX && dtls_send(t->dtls, event->data, event->len) == 0)
        pump_dtls(t);
    else if (event->type == DATACHAN_MESSAGE)
        t->handlers.message(t->arg, event->message);
}

// ---- receiving ---------------------------------------------------------------------------------------------

// The browser is where this packet came from, which ICE does not know or believes lost.
static void tell_moved(struct transport *t, int fd, const union sockaddr_any *from, int64_t now_us)
{
    if (now_us < t->moved_us + MOVED_US)
        return;
    const union sockaddr_any *local = twins_local(&t->twins, fd);
    if (local)
        ice_moved(worker_ice(t->worker), t->id, local, from);
    t->moved_us = now_us;
}

// Who sends no media and misses nothing sends only feedback, which may wait a little.
static void set_patient(struct transport *t, bool patient)
{
    t->patient = patient;
    twins_set_patient(&t->twins, patient);
}

void transport_hurry(struct transport *t, int64_t now_us)
{
    t->hurry_us = now_us;
    if (t->patient)
        set_patient(t, false);
}

static void heard(struct transport *t, int64_t now_us)
{
    t->heard_us = now_us;
    dtls_settle(t->dtls); // nobody else could have sealed it
    if (t->ice_state == ICE_DISCONNECTED)
        tell_moved(t, t->path.fd, &t->path.remote, now_us);
}

static void rx_rtp(struct transport *t, struct packet *packet, int64_t now_us)
{
    struct stats *stats = worker_stats(t->worker);
    int len = cipher_open(t->opener, packet->buf, packet->len);
    if (len < 0) {
        stats_drop(stats, len == -EALREADY ? DROP_REPLAYED : DROP_BAD_TAG);
        return;
    }
    packet->len = (uint16_t)len;
    heard(t, now_us);
    transport_hurry(t, now_us);
    if (rtp_parse(&packet->rtp, packet->buf, packet->len) != RTP_OK) {
        stats_drop(stats, DROP_BAD_RTP);
        return;
    }
    flow_add(&stats->rx, packet->len);
    t->handlers.rtp(t->arg, packet, now_us);
}

static void rx_rtcp(struct transport *t, struct packet *packet, int64_t now_us)
{
    int len = cipher_open_rtcp(t->opener, packet->buf, packet->len);
    if (len < 0) {
        stats_drop(worker_stats(t->worker), len == -EALREADY ? DROP_REPLAYED : DROP_BAD_TAG);
        return;
    }
    heard(t, now_us);
    t->handlers.rtcp(t->arg, packet->buf, (size_t)len, now_us);
}

// A datagram of the selected path.
static void rx_datagram(struct transport *t, struct packet *packet, int64_t now_us)
{
    enum demux what = demux(packet->buf, packet->len);
    if (what == DEMUX_DTLS && t->dtls) {
        dtls_rx(t->dtls, packet->buf, packet->len, now_us);
        pump_dtls(t);
    } else if (what == DEMUX_RTP && t->opener) {
        rx_rtp(t, packet, now_us);
    } else if (what == DEMUX_RTCP && t->opener) {
        rx_rtcp(t, packet, now_us);
    } else {
        stats_drop(worker_stats(t->worker), what == DEMUX_UNKNOWN ? DROP_NOT_MEDIA : DROP_NOT_CONNECTED);
    }
}

// From another address than the selected one: dropped. But a browser with several networks may change its path
// without a word, and then what verifies is proof of where it is.
static void rx_elsewhere(struct transport *t, int fd, const union sockaddr_any *from, struct packet *packet,
                         int64_t now_us)
{
    stats_drop(worker_stats(t->worker), DROP_WRONG_PATH);
    if (!t->opener || now_us < t->heard_us + PATH_SILENT_US || now_us < t->moved_us + MOVED_US)
        return;
    enum demux what = demux(packet->buf, packet->len);
    if ((what == DEMUX_RTP && cipher_open(t->opener, packet->buf, packet->len) >= 0) ||
        (what == DEMUX_RTCP && cipher_open_rtcp(t->opener, packet->buf, packet->len) >= 0))
        tell_moved(t, fd, from, now_us);
}

static void rx_from(struct transport *t, int fd, const union sockaddr_any *from, struct packet *packet,
                    int64_t now_us)
{
    if (!t->has_path && !early_keep(&t->early, packet, from, fd))
        stats_drop(worker_stats(t->worker), DROP_WRONG_PATH);
    if (!t->has_path)
        return;
    if (t->path.fd == fd && address_is_same(from, &t->path.remote))
        rx_datagram(t, packet, now_us);
    else
        rx_elsewhere(t, fd, from, packet, now_us);
}

static void rx_batch(void *arg, int fd, struct packet *const packets[], const union sockaddr_any from[], int count,
                     int64_t now_us)
{
    struct transport *t = arg;
    for (int i = 0; i < count; i++) {
        rx_from(t, fd, &from[i], packets[i], now_us);
        packet_unref(packets[i]);
    }
    t->handlers.rtp_done(t->arg, now_us);
}

static void rx_slow(struct transport *t, const struct ice_event *event, int64_t now_us)
{
    struct packet *packet =
        event->len <= PACKET_ROOM - CIPHER_TRAILER_MAX ? packet_new(worker_pool(t->worker)) : NULL;
    if (!packet) {
        stats_drop(worker_stats(t->worker), DROP_POOL_EXHAUSTED);
        return;
    }
    memcpy(packet->buf, event->data, event->len);
    packet->len = (uint16_t)event->len;
    packet->received_us = now_us;
    union sockaddr_any from = t->path.remote; // libnice has checked it
    rx_from(t, -1, &from, packet, now_us);
    packet_unref(packet);
    t->handlers.rtp_done(t->arg, now_us);
}

// ---- ICE ---------------------------------------------------------------------------------------------------

static void take_twin(struct transport *t, struct ice_event *event)
{
    if (twins_add(&t->twins, event->fd, &event->local))
        event->fd = -1;
}

static void take_path(struct transport *t, const struct ice_event *event, int64_t now_us)
{
    bool first = !t->has_path;
    flush(t);
    path_close(&t->path);
    path_open(&t->path, event->slow ? -1 : twins_fd(&t->twins, &event->local), &event->local, &event->remote);
    t->has_path = true;
    transport_hurry(t, now_us);
    outbox_new_path(&t->outbox);
    if (first && t->dtls)
        dtls_start(t->dtls, now_us);
    struct early_datagram early[EARLY_MAX];
    unsigned count = early_take(&t->early, early);
    for (unsigned i = 0; i < count; i++) {
        rx_from(t, early[i].fd, &early[i].from, early[i].packet, now_us);
        packet_unref(early[i].packet);
    }
    if (t->dtls)
        pump_dtls(t);
}

static void take_local(struct transport *t, const struct ice_event *event)
{
    g_strlcpy(t->ufrag, event->ufrag, sizeof(t->ufrag));
    g_strlcpy(t->pwd, event->pwd, sizeof(t->pwd));
    g_string_assign(t->candidates, event->data);
    t->complete = false;
    t->has_local = true;
    t->handlers.local(t->arg);
}

static void take_candidate(struct transport *t, const char *line)
{
    if (!*line)
        t->complete = true;
    else
        g_string_append_printf(t->candidates, "%s%s", t->candidates->len ? "\n" : "", line);
    t->handlers.candidate(t->arg, line);
}

static void ice_letter(void *arg, struct ice_event *event, int64_t now_us)
{
    struct transport *t = arg;
    switch (event->type) {
    case ICE_LOCAL:
        take_local(t, event);
        break;
    case ICE_TWIN:
        take_twin(t, event);
        break;
    case ICE_CANDIDATE:
        take_candidate(t, event->data);
        break;
    case ICE_PATH:
        take_path(t, event, now_us);
        break;
    case ICE_STATE:
        t->ice_state = event->state;
        update_state(t);
        break;
    case ICE_DATA:
        rx_slow(t, event, now_us);
        break;
    case ICE_CLOSED:
        break;
    }
}

// ---- life --------------------------------------------------------------------------------------------------

struct transport *transport_new(struct worker *worker, const struct transport_handlers *handlers, void *arg)
{
    struct transport *t = g_new0(struct transport, 1);
    t->worker = worker;
    t->handlers = *handlers;
    t->arg = arg;
    t->candidates = g_string_new(NULL);
    t->path = (struct path){.fd = -1, .out_fd = -1, .ice = worker_ice(worker)};
    t->sink.ops = &transport_sink_ops;
    t->flush = (struct deferred){.run = flush_deferred, .arg = t};
    twins_init(&t->twins, worker, rx_batch, t);
    outbox_init(&t->outbox, worker_stats(worker));
    struct correspondent c = {ice_letter, datachan_letter, t};
    t->id = worker_register(worker, &c);
    t->path.id = t->id;
    ice_open(worker_ice(worker), t->id, worker_ice_box(worker));
    return t;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    worker_unregister(t->worker, t->id);
    worker_cancel(t->worker, &t->flush);
    if (t->sctp_open)
        datachan_close(worker_hub(t->worker), t->id);
    flush(t);
    outbox_clear(&t->outbox);
    if (t->dtls) {
        uint8_t buf[DTLS_MTU + 128];
        size_t len;
        dtls_shutdown(t->dtls);
        while ((len = dtls_next_tx(t->dtls, buf, sizeof(buf))) > 0 && t->has_path)
            path_send(&t->path, buf, len);
        dtls_free(t->dtls);
    }
    path_close(&t->path);
    ice_close(worker_ice(t->worker), t->id);
    twins_close(&t->twins);
    early_clear(&t->early);
    streams_free(&t->streams);
    cipher_sealer_free(t->sealer);
    cipher_opener_free(t->opener);
    g_string_free(t->candidates, TRUE);
    g_free(t);
}

void transport_tick(struct transport *t, int64_t now_us)
{
    if (!t->patient && t->state == SFU_CONNECTED && now_us >= t->hurry_us + HURRY_US)
        set_patient(t, true);
    if (!t->dtls || now_us < t->dtls_due_us)
        return;
    dtls_tick(t->dtls, now_us);
    pump_dtls(t);
}

// ---- negotiation -------------------------------------------------------------------------------------------

void transport_local(const struct transport *t, struct transport_local *out)
{
    *out = (struct transport_local){.ufrag = t->ufrag[0] ? t->ufrag : NULL,
                                    .pwd = t->ufrag[0] ? t->pwd : NULL,
                                    .fingerprint = dtls_cert_fingerprint(worker_cert(t->worker)),
                                    .candidates = t->candidates->str,
                                    .complete = t->complete,
                                    .impossible = t->ice_state == ICE_FAILED && !t->has_local,
                                    .lite = ice_is_lite(worker_ice(t->worker))};
}

static int set_dtls(struct transport *t, const struct transport_remote *remote)
{
    if (t->dtls)
        return dtls_set_fingerprint(t->dtls, remote->fingerprint_algorithm, remote->fingerprint,
                                    remote->fingerprint_len);
    struct dtls *dtls = dtls_new(worker_cert(t->worker), remote->client ? DTLS_CLIENT : DTLS_SERVER);
    int rc = dtls_set_fingerprint(dtls, remote->fingerprint_algorithm, remote->fingerprint, remote->fingerprint_len);
    if (rc < 0) {
        dtls_free(dtls);
        return rc;
    }
    t->dtls = dtls;
    t->dtls_client = remote->client;
    if (t->has_path)
        dtls_start(dtls, worker_now_us(t->worker));
    t->dtls_due_us = dtls_due(dtls);
    return 0;
}

static bool is_restart(const struct transport *t, const struct transport_remote *remote)
{
    return t->remote_ufrag[0] &&
           (strcmp(t->remote_ufrag, remote->ufrag) != 0 || strcmp(t->remote_pwd, remote->pwd) != 0);
}

int transport_set_remote(struct transport *t, const struct transport_remote *remote)
{
    int rc = set_dtls(t, remote);
    if (rc < 0)
        return rc;
    if (is_restart(t, remote))
        t->ufrag[0] = t->pwd[0] = 0; // fresh ones come as ICE_LOCAL
    g_strlcpy(t->remote_ufrag, remote->ufrag, sizeof(t->remote_ufrag));
    g_strlcpy(t->remote_pwd, remote->pwd, sizeof(t->remote_pwd));
    ice_remote(worker_ice(t->worker), t->id, remote->ufrag, remote->pwd);
    t->sctp_port = remote->sctp_port;
    open_sctp(t);
    update_state(t);
    return 0;
}

void transport_add_candidate(struct transport *t, const char *line)
{
    ice_candidate(worker_ice(t->worker), t->id, line);
}

enum sfu_state transport_state(const struct transport *t)
{
    return t->state;
}
