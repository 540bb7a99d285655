// What has the signaling side done since it started? (plain numbers, counted where it happens, read by metrics.c)
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

#include "signaling/message.h"

enum {
    COUNTERS_STATUS_CLASSES = 6, // of HTTP: 2xx is 2
    COUNTERS_CALL_STATUSES = 8,  // enum call_status fits
};

struct counters {
    uint64_t sockets_opened, messages_rx, messages_tx;
    uint64_t joins, resumes, leaves;
    uint64_t refusals[ERROR_COUNT]; // over WebSocket, by code
    uint64_t http[COUNTERS_STATUS_CLASSES];
    uint64_t calls_begun, calls_over[COUNTERS_CALL_STATUSES]; // by enum call_status
    uint64_t recordings_ended, recordings_failed; // failed: with gaps, or cut short
    // Events of the media server: ever, and the most that waited at one time since somebody last read it.
    uint64_t sfu_events;
    unsigned sfu_events_peak;
};

static inline void counters_http(struct counters *counters, int status)
{
    if (status / 100 < COUNTERS_STATUS_CLASSES)
        counters->http[status / 100]++;
}
