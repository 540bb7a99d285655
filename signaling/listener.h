// Where does libwebsockets listen, and what does it wait with?
// SPDX-License-Identifier: MIT
//
// One thread: the one that calls server_run(). A part of server.c, which alone knows what connections are for.
#pragma once

#include <libwebsockets.h>

#include "signaling/config.h"
#include "signaling/loop.h"

enum { HEADER_BYTES_MAX = 16384 }; // of a request

struct listener {
    struct lws_context *context; // NULL: closed
    struct lws_vhost *vhost;
    struct loop *loop; // NULL: libwebsockets waits by itself
    int ticker, alarm; // timers; libwebsockets closes them
    struct lws_protocol_vhost_options headers[16];
};

// As config says, for protocols, which stay as they are; user is lws_context_user(). False: one sentence in err, with
// what to do about it, and listener_close() is to be called.
bool listener_open(struct listener *listener, const struct config *config, const struct lws_protocols *protocols,
                   void *user, char *err, size_t err_size);
void listener_close(struct listener *listener);

int listener_port(const struct listener *listener);

// Waits until there is something to do, and does it. False: it cannot go on.
bool listener_turn(struct listener *listener);

// The first protocol hears LWS_CALLBACK_RAW_RX_FILE every TICK_EVERY_MS, and asks here whether that is what it was.
//
// This is no timer of libwebsockets, for two reasons. Its poll() counts in milliseconds, wakes a moment before and
// asks again and again until the time has come. And with libev it does not bring forward a wait that has begun, so
// its timers may be TICK_EVERY_MS late: who cannot wait that long asks to be woken as well.
bool listener_ticked(const struct listener *listener);
void listener_wake_in(struct listener *listener, int64_t us);
