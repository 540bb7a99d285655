// What waits to go out on one WebSocket, and how much of a message has come in?
// SPDX-License-Identifier: MIT
#include "signaling/socket.h"

#include <string.h>

#include "signaling/call_book.h"
#include "signaling/commands.h"
#include "signaling/hub.h"
#include "signaling/log.h"

struct outgoing {
    size_t len;
    unsigned char *buffer;
};

static void outgoing_free(struct outgoing *message)
{
    g_free(message->buffer);
    g_free(message);
}

static void close_with(struct socket *socket, uint16_t code, const char *reason)
{
    if (socket->is_closing)
        return;
    socket->is_closing = true;
    socket->close_code = code;
    g_strlcpy(socket->close_reason, reason, sizeof(socket->close_reason));
    socket->want_write(socket->arg);
}

// ---- what the session says ----------------------------------------------------------------------------------

static void out_send(void *arg, const char *text)
{
    struct socket *socket = arg;
    size_t len = strlen(text);
    if (socket->is_closing)
        return;
    if (socket->out_bytes + len > OUTPUT_MAX) {
        log_warn("ws", "a client reads too slowly: %zu bytes are waiting", socket->out_bytes);
        g_queue_clear_full(&socket->out, (GDestroyNotify)outgoing_free);
        return close_with(socket, CLOSE_POLICY, "too slow");
    }
    struct outgoing *message = g_new0(struct outgoing, 1);
    message->len = len;
    message->buffer = g_malloc(SOCKET_HEADROOM + len);
    memcpy(message->buffer + SOCKET_HEADROOM, text, len);
    g_queue_push_tail(&socket->out, message);
    socket->out_bytes += len;
    socket->want_write(socket->arg);
}

static void out_ping(void *arg)
{
    struct socket *socket = arg;
    socket->wants_ping = true;
    socket->want_write(socket->arg);
}

static void out_close(void *arg, uint16_t code, const char *reason)
{
    close_with(arg, code, reason);
}

static const struct session_output output = {out_send, out_ping, out_close};

// ---- coming and going ---------------------------------------------------------------------------------------

struct socket *socket_new(struct hub *hub, const struct door *door, void (*want_write)(void *arg), void *arg)
{
    struct socket *socket = g_new0(struct socket, 1);
    socket->want_write = want_write;
    socket->arg = arg;
    g_queue_init(&socket->out);
    socket->session = session_new(hub, &output, socket, door->dialect, door->has_identity ? &door->identity : NULL);
    if (door->address[0])
        session_set_address(socket->session, door->address);
    if (door->user[0])
        session_identify(socket->session, door->user, door->name[0] ? door->name : NULL);
    if (door->has_identity)
        book_greet(socket->session);
    return socket;
}

void socket_end_session(struct socket *socket)
{
    struct session *session = socket->session;
    socket->session = NULL;
    if (session)
        hub_lost(session, socket->peer_code);
}

void socket_free(struct socket *socket)
{
    socket_end_session(socket);
    if (socket->in)
        g_byte_array_unref(socket->in);
    g_queue_clear_full(&socket->out, (GDestroyNotify)outgoing_free);
    g_free(socket);
}

// ---- in -----------------------------------------------------------------------------------------------------

// U+0000 is a character of UTF-8; for GLib it is the end of a text.
static bool is_utf8(const uint8_t *data, size_t len)
{
    const char *at = (const char *)data, *end = at + len, *stop;
    while (at < end && !g_utf8_validate(at, end - at, &stop)) {
        if (*stop)
            return false;
        at = stop + 1;
    }
    return true;
}

static void take_message(struct socket *socket, const uint8_t *data, size_t len, bool is_binary)
{
    if (!is_binary && !is_utf8(data, len))
        return close_with(socket, CLOSE_BAD_TEXT, "a text is UTF-8");
    // A binary message is taken for an empty one: refused, and counted like every other.
    command_rx(socket->session, (const char *)data, is_binary ? 0 : len);
}

void socket_rx(struct socket *socket, const void *data, size_t len, bool is_end, bool is_binary)
{
    if (socket->is_closing || !socket->session)
        return;
    if (len + (socket->in ? socket->in->len : 0) > MESSAGE_MAX)
        return close_with(socket, CLOSE_TOO_BIG, "a message has at most 65536 bytes");
    if (is_end && !socket->in)
        return take_message(socket, data, len, is_binary);
    if (!socket->in)
        socket->in = g_byte_array_new();
    g_byte_array_append(socket->in, data, (guint)len);
    if (!is_end)
        return;
    GByteArray *message = g_steal_pointer(&socket->in);
    take_message(socket, message->data, message->len, is_binary);
    g_byte_array_unref(message);
}

uint16_t socket_rx_close(struct socket *socket, const uint8_t *payload, size_t len)
{
    if (len == 0)
        return 0;
    uint16_t code = len > 1 ? (uint16_t)(payload[0] << 8 | payload[1]) : 0;
    if (code < CLOSE_NORMAL || code > CLOSE_LAST)
        return CLOSE_PROTOCOL;
    if (!is_utf8(payload + 2, len - 2))
        return CLOSE_BAD_TEXT;
    socket->peer_code = code;
    return 0;
}

void socket_rx_pong(struct socket *socket)
{
    if (socket->session)
        socket->session->heard_us = socket->session->hub->now_us;
}

// ---- out ----------------------------------------------------------------------------------------------------

struct frame socket_tx(struct socket *socket)
{
    struct outgoing *message = g_queue_pop_head(&socket->out);
    if (message) {
        struct frame frame = {FRAME_TEXT, message->buffer, message->buffer + SOCKET_HEADROOM, message->len, 0, NULL};
        socket->out_bytes -= message->len;
        g_free(message);
        return frame;
    }
    if (socket->is_closing)
        return (struct frame){.type = FRAME_CLOSE, .code = socket->close_code, .reason = socket->close_reason};
    bool is_ping = socket->wants_ping;
    socket->wants_ping = false;
    return (struct frame){.type = is_ping ? FRAME_PING : FRAME_NONE};
}

bool socket_has_more(const struct socket *socket)
{
    return !g_queue_is_empty((GQueue *)&socket->out) || socket->wants_ping || socket->is_closing;
}
