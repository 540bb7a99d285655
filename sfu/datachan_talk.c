// What does one participant say and hear on its data channels?
// SPDX-License-Identifier: MIT
#include "sfu/datachan_talk.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "sfu/datachan_assoc.h"
#include "sfu/datachan_channel.h"
#include "sfu/dcep.h"

enum { // RFC 8831 s8: payload protocol identifiers
    PPID_DCEP = 50,
    PPID_STRING = 51,
    PPID_BINARY = 53,
    PPID_STRING_EMPTY = 56, // SCTP has no empty messages: one zero octet stands for none
    PPID_BINARY_EMPTY = 57,
};

struct talk {
    // fixed at birth
    uint64_t id;
    struct mailbox *reply;
    bool client;
    struct assoc *assoc;

    struct channels channels;
    int64_t now_us;

    // incoming: tokens left
    int64_t refilled_us;
    double bits, messages;

    // outgoing
    GQueue queue; // struct datachan_message
    size_t queued;
};

// ---- letters -----------------------------------------------------------------------------------------------

static struct datachan_event *event_new(const struct talk *t, enum datachan_event_type type, const void *data,
                                        size_t len)
{
    struct datachan_event *event = g_malloc(sizeof(*event) + len);
    *event = (struct datachan_event){.type = type, .id = t->id, .len = len};
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

static void on_packet(void *arg, const void *data, size_t len)
{
    struct talk *t = arg;
    mailbox_post(t->reply, &event_new(t, DATACHAN_TX, data, len)->mail);
}

// ---- sending -----------------------------------------------------------------------------------------------

static struct assoc_manner manner_of(const struct dcep *open)
{
    struct assoc_manner manner = {.unordered = open->channel_type & DCEP_UNORDERED, .limit = open->reliability};
    if ((open->channel_type & ~DCEP_UNORDERED) == DCEP_REXMIT)
        manner.reliability = ASSOC_REXMIT;
    else if ((open->channel_type & ~DCEP_UNORDERED) == DCEP_TIMED)
        manner.reliability = ASSOC_TIMED;
    return manner;
}

static int send_dcep(struct talk *t, uint16_t sid, const struct dcep *dcep)
{
    static const struct assoc_manner reliable = {.reliability = ASSOC_RELIABLE};
    uint8_t buf[DCEP_OPEN_MAX];
    return assoc_send(t->assoc, sid, PPID_DCEP, &reliable, buf, dcep_write(dcep, buf, sizeof(buf)));
}

// RFC 8832 s6: the DTLS client opens even streams, the server odd ones. Pages like to agree on stream 0 beforehand.
static int free_stream(struct talk *t)
{
    for (unsigned sid = t->client ? 2 : 1; sid < assoc_streams(t->assoc); sid += 2) {
        if (!channels_find(&t->channels, (uint16_t)sid) && !assoc_is_resetting(t->assoc, (uint16_t)sid))
            return (int)sid;
    }
    return -1;
}

// The channel a message goes out on; opened when there is none. 0, -EAGAIN, or another errno: there cannot be one.
static int channel_for(struct talk *t, const struct datachan_message *message, struct channel **channel)
{
    *channel = channels_find_name(&t->channels, message->label, message->protocol);
    if (*channel)
        return 0;
    struct dcep open = {
        .type = DCEP_OPEN, .channel_type = message->channel_type, .reliability = message->reliability};
    g_strlcpy(open.label, message->label, sizeof(open.label));
    g_strlcpy(open.protocol, message->protocol, sizeof(open.protocol));
    int sid = free_stream(t);
    if (sid < 0 || !(*channel = channels_add(&t->channels, (uint16_t)sid, &open)))
        return -ENOSPC;
    int rc = send_dcep(t, (uint16_t)sid, &open);
    if (rc < 0)
        channel_remove(*channel);
    return rc;
}

static int send_message(struct talk *t, const struct datachan_message *message)
{
    static const uint8_t nothing[1];
    struct channel *channel;
    int rc = channel_for(t, message, &channel);
    if (rc < 0)
        return rc;
    struct assoc_manner manner = manner_of(&channel->open);
    if (!channel->acked) // RFC 8832 s6: until the open is answered everything stays in order behind it
        manner.unordered = false;
    bool empty = message->len == 0;
    uint32_t ppid =
        message->binary ? (empty ? PPID_BINARY_EMPTY : PPID_BINARY) : (empty ? PPID_STRING_EMPTY : PPID_STRING);
    return assoc_send(t->assoc, channel->sid, ppid, &manner, empty ? nothing : message->data,
                      empty ? sizeof(nothing) : message->len);
}

static size_t cost(const struct datachan_message *message)
{
    return sizeof(*message) + message->len;
}

void talk_send(struct talk *t, struct datachan_message *message)
{
    if (message->len > DATACHAN_MESSAGE_MAX || t->queued + cost(message) > DATACHAN_QUEUE_MAX) {
        g_free(message);
        return;
    }
    g_queue_push_tail(&t->queue, message);
    t->queued += cost(message);
}

size_t talk_queued(const struct talk *t)
{
    return t->queued;
}

static void send_queue(struct talk *t)
{
    struct datachan_message *message;
    while (assoc_streams(t->assoc) > 0 && (message = g_queue_peek_head(&t->queue))) {
        if (send_message(t, message) == -EAGAIN)
            return;
        g_queue_pop_head(&t->queue);
        t->queued -= cost(message);
        g_free(message);
    }
}

// ---- receiving ---------------------------------------------------------------------------------------------

static void on_dcep(struct talk *t, uint16_t sid, const uint8_t *data, size_t len, bool last)
{
    static const struct dcep ack = {.type = DCEP_ACK};
    struct channel *channel = channels_find(&t->channels, sid);
    struct dcep dcep;
    int rc = last ? dcep_parse(&dcep, data, len) : -E2BIG;
    if (rc == 0 && dcep.type == DCEP_ACK) {
        if (channel)
            channel->acked = true;
        return;
    }
    if (rc == 0 && !channel && !assoc_is_resetting(t->assoc, sid) &&
        (channel = channels_add(&t->channels, sid, &dcep))) {
        channel->acked = true;
        if (send_dcep(t, sid, &ack) == 0)
            return;
        channel_remove(channel);
    }
    assoc_reset(t->assoc, sid); // RFC 8832 s6: a channel that cannot be is closed
}

static bool is_within_rate(struct talk *t, size_t len)
{
    double seconds = (double)(t->now_us - t->refilled_us) / 1e6;
    double bits = (double)len * 8;
    t->refilled_us = t->now_us;
    t->bits = MIN(t->bits + seconds * DATACHAN_RATE_BPS, DATACHAN_RATE_BPS);
    t->messages = MIN(t->messages + seconds * DATACHAN_RATE_MSGS, DATACHAN_RATE_MSGS);
    if (t->bits < bits || t->messages < 1)
        return false;
    t->bits -= bits;
    t->messages -= 1;
    return true;
}

static void deliver(struct talk *t, const struct channel *channel, uint32_t ppid, const uint8_t *data, size_t len)
{
    struct datachan_message *message = g_malloc(sizeof(*message) + len);
    *message = (struct datachan_message){
        .channel_type = channel->open.channel_type,
        .reliability = channel->open.reliability,
        .binary = ppid == PPID_BINARY || ppid == PPID_BINARY_EMPTY,
        .len = len,
    };
    g_strlcpy(message->label, channel->open.label, sizeof(message->label));
    g_strlcpy(message->protocol, channel->open.protocol, sizeof(message->protocol));
    if (len)
        memcpy(message->data, data, len);
    struct datachan_event *event = event_new(t, DATACHAN_MESSAGE, NULL, 0);
    event->message = message;
    mailbox_post(t->reply, &event->mail);
}

static void on_data(struct talk *t, uint16_t sid, uint32_t ppid, const uint8_t *data, size_t len, bool last)
{
    struct channel *channel = channels_find(&t->channels, sid);
    bool empty = ppid == PPID_STRING_EMPTY || ppid == PPID_BINARY_EMPTY;
    if (!channel || (ppid != PPID_STRING && ppid != PPID_BINARY && !empty) ||
        !channel_assemble(channel, data, len, last, &data, &len))
        return;
    channel->acked = true; // it could not speak before it heard of the channel
    if (is_within_rate(t, len))
        deliver(t, channel, ppid, data, empty ? 0 : len);
}

static void on_message(void *arg, uint16_t sid, uint32_t ppid, const uint8_t *data, size_t len, bool last)
{
    if (ppid == PPID_DCEP)
        on_dcep(arg, sid, data, len, last);
    else
        on_data(arg, sid, ppid, data, len, last);
}

// The other side closed its half: close ours (RFC 8831 s6.7).
static void on_reset(void *arg, uint16_t sid)
{
    struct talk *t = arg;
    struct channel *channel = channels_find(&t->channels, sid);
    if (!channel)
        return;
    channel_remove(channel);
    assoc_reset(t->assoc, sid);
}

// ---- life --------------------------------------------------------------------------------------------------

struct talk *talk_new(uint64_t id, struct mailbox *reply, uint16_t remote_port, bool client, int64_t now_us)
{
    static const struct assoc_handlers handlers = {on_packet, on_message, on_reset};
    struct talk *t = g_new0(struct talk, 1);
    t->id = id;
    t->reply = reply;
    t->client = client;
    t->now_us = t->refilled_us = now_us;
    t->bits = DATACHAN_RATE_BPS;
    t->messages = DATACHAN_RATE_MSGS;
    t->assoc = assoc_new(DATACHAN_PORT, remote_port, &handlers, t);
    return t;
}

void talk_free(struct talk *t)
{
    assoc_free(t->assoc);
    mailbox_post(t->reply, &event_new(t, DATACHAN_CLOSED, NULL, 0)->mail);
    g_queue_clear_full(&t->queue, g_free);
    channels_clear(&t->channels);
    g_free(t);
}

void talk_rx(struct talk *t, const uint8_t *data, size_t len)
{
    assoc_rx(t->assoc, data, len);
}

bool talk_turn(struct talk *t, int64_t now_us)
{
    t->now_us = now_us;
    if (!assoc_turn(t->assoc))
        return false;
    send_queue(t);
    return true;
}
