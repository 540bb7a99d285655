// When is a room's media measured, and who waits for it?
// SPDX-License-Identifier: MIT
//
// However often somebody asks, a room is measured at most once per STATS_EVERY_US; who asks meanwhile shares the last
// snapshot. The signaling thread only.
#pragma once

#include "signaling/exchange.h"
#include "signaling/stats.h"

enum {
    MEASURE_WAIT_US = 1000000, // for the media server; then the answer says what is known
    MEASURE_WAITERS_MAX = 256, // exchanges; who comes then is answered at once
    MEASURE_KEPT_S = 120,      // a snapshot nobody asks for
};

struct measure;

struct measure *measure_new(void);
void measure_free(struct measure *measure); // NULL is allowed

// Asks the media server unless it was asked lately. Rooms without media are not asked.
void measure_ask(struct hub *hub, const struct room *room);

// Whether answers are under way.
bool measure_is_waiting(const struct hub *hub);

// The last snapshot of a room; NULL: never measured.
const struct stats_room *measure_find(const struct hub *hub, const struct room *room);

// Calls answer once nothing is under way any more, or after MEASURE_WAIT_US. False: too many wait already, nothing
// was done.
typedef void(measure_answer_h)(struct exchange *exchange);
bool measure_defer(struct exchange *exchange, measure_answer_h *answer);

void measure_rx(struct hub *hub, const struct sfu_event *event); // SFU_STATS_DATA
void measure_tick(struct hub *hub);
