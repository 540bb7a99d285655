// How do HTTP and WebSocket come in from the network? (it and listener.c alone know libwebsockets)
// SPDX-License-Identifier: MIT
//
// One thread: whoever calls server_run(). Only server_wake() and server_stop() may be called from elsewhere.
#pragma once

#include "signaling/session.h"

enum { CLOSE_PATIENCE_S = 5 }; // how long one closing socket may take

struct server;

// Listens, but serves nobody yet. NULL and one sentence, with what to do about it, in err.
struct server *server_new(const struct config *config, char *err, size_t err_size);
void server_free(struct server *server);

// "http://localhost:3001": where a person on this machine finds it.
const char *server_url(const struct server *server);

// Serves until server_stop(), then until the calls are over or DRAIN_TIMEOUT has passed, then closes every socket
// (1001). No session is left afterwards.
void server_run(struct server *server, struct hub *hub);

void server_wake(void *server); // any thread: the media server or the store has something to say

// Any thread, and signal handlers. The second time it is at once.
void server_stop(struct server *server, bool at_once);

// Any thread, and signal handlers: reads TLS_CERT and TLS_KEY anew. A renewed pair is also found without being told.
void server_reload(struct server *server);
