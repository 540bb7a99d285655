// What happens to all sessions together? (made, driven by time and by the media server, ended)
// SPDX-License-Identifier: MIT
//
// The driver (server.c, or a test) sets hub->now_us and hub->wall_ms before each call.
#pragma once

#include "signaling/session.h"

enum { TICK_EVERY_MS = 250 };

// config, auth and sfu stay the caller's and must outlive the hub.
struct hub *hub_new(const struct config *config, const struct auth *auth, struct sfu *sfu, int64_t now_us,
                    int64_t wall_ms);
void hub_free(struct hub *hub); // every session must have been given to hub_lost()

bool hub_is_full(const struct hub *hub); // no place for another WebSocket

// The socket of that session is closed, by the peer with `code` or by us; the session is freed. A participant whose
// client closed with 1000 has left; one whose page has gone (1001) keeps its place for a short while, any other for
// long.
void hub_lost(struct session *session, uint16_t code);

// Pings the silent, lets go of the lost, frees forgotten rooms. Every TICK_EVERY_MS.
void hub_tick(struct hub *hub);

// Takes everything the media server has to say.
void hub_rx_sfu(struct hub *hub);

// The store has put something down: who waited for that may be answered.
void hub_rx_store(struct hub *hub);

// Takes what was found out about recordings.
void hub_rx_librarian(struct hub *hub);

// Nobody new comes in and no call begins; who is in a room stays, may come back after a lost socket, and is told how
// long.
void hub_drain(struct hub *hub, int64_t seconds);
bool hub_is_drained(const struct hub *hub); // everybody has gone, or the time is over

// Every socket is closed with 1001.
void hub_end(struct hub *hub);
