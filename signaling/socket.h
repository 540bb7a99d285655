// What waits to go out on one WebSocket, and how much of a message has come in?
// SPDX-License-Identifier: MIT
//
// Knows no network library: the server feeds it what arrives and asks it what to write next.
#pragma once

#include "signaling/door.h"

enum {
    OUTPUT_MAX = 4 << 20,  // bytes waiting; then the peer is too slow and the socket is closed
    SOCKET_HEADROOM = 32,  // bytes free before every text, for the frame's header
    CLOSE_REASON_MAX = 99, // bytes; RFC 6455 section 5.5 has room for 123
};

struct socket {
    struct session *session;       // NULL: ended already
    void (*want_write)(void *arg); // ask me, there is something to write
    void *arg;
    GByteArray *in; // of a message that comes in pieces: those so far; else NULL
    GQueue out;     // of struct outgoing
    size_t out_bytes;
    bool wants_ping, is_closing;
    uint16_t close_code; // ours
    uint16_t peer_code;  // theirs, 0: none yet
    char close_reason[CLOSE_REASON_MAX + 1];
};

// Makes its session. `want_write` may be called from within any call that leads to the session.
struct socket *socket_new(struct hub *hub, const struct door *door, void (*want_write)(void *arg), void *arg);
// Gives the session to hub_lost().
void socket_free(struct socket *socket);
// The session goes, the socket stays until it is freed.
void socket_end_session(struct socket *socket);

// A piece of a message; `is_end`: its last. A message beyond MESSAGE_MAX closes with 1009, a
// text that is not UTF-8 with 1007.
void socket_rx(struct socket *socket, const void *data, size_t len, bool is_end, bool is_binary);
// The payload of the peer's Close. Returns 0, or the code to close with because it is wrong (RFC 6455 section 7.4).
uint16_t socket_rx_close(struct socket *socket, const uint8_t *payload, size_t len);
void socket_rx_pong(struct socket *socket);

// What to write now. A text lies in `text` after SOCKET_HEADROOM free bytes and is freed with g_free(buffer).
struct frame {
    enum { FRAME_NONE, FRAME_TEXT, FRAME_PING, FRAME_CLOSE } type;
    unsigned char *buffer, *text;
    size_t len;
    uint16_t code;      // FRAME_CLOSE
    const char *reason; // FRAME_CLOSE
};

// Takes the next one out. After FRAME_CLOSE nothing follows.
struct frame socket_tx(struct socket *socket);
bool socket_has_more(const struct socket *socket);
