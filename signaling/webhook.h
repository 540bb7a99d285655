// How do other servers hear of what happens here, for certain and without anybody waiting for them?
// SPDX-License-Identifier: MIT
//
// The signaling thread only. An event is one JSON object, posted to every WEBHOOK_URL (to RECORDING_WEBHOOK when its
// name begins with "recording."):
//
//     {"id": "<uuid>", "event": "call.ended", "timestamp": "2026-01-31T10:00:00.000Z", "data": {...}}
//     X-Roda-Signature: t=<unix time of this try>,v1=<hex HMAC-SHA256 of "<t>.<body>" with WEBHOOK_SECRET>
//
// It is put into the store first and sent once it is there, so it survives a restart; it may arrive twice, with the
// same id. courier.h says what is tried again and in which order.
#pragma once

#include <jansson.h>

#include "signaling/config.h"
#include "signaling/store.h"

enum { WEBHOOK_FINISH_MS = 2000 }; // for what is to be sent when the server ends

struct webhook;

// NULL without WEBHOOK_URL and RECORDING_WEBHOOK. `wake` is called on another thread when webhook_rx() has something
// to do. What an earlier process could not deliver is taken up again; of urls that are no longer set it is dropped.
struct webhook *webhook_new(const struct config *config, struct store *store, void (*wake)(void *arg),
                            void *wake_arg);
void webhook_free(struct webhook *webhook); // before the store; NULL is allowed

// `subject` is what has to keep its order ("call:<id>", "room:<id>"). Takes data. Beyond STORE_DELIVERIES_MAX waiting
// deliveries it is counted as lost. False: some url's delivery would not survive a restart (lost, or the store has no
// place for it and it is only sent now). NULL is allowed: nobody is to be told.
bool webhook_emit(struct webhook *webhook, const char *event, const char *subject, json_t *data, int64_t wall_ms);

// Sends what the store has, notes what was taken. After each wake, and now and then. NULL is allowed.
void webhook_rx(struct webhook *webhook);

struct webhook_health {
    unsigned waiting;
    uint64_t taken, tries_failed, lost; // lost: given up, or no place
};

struct webhook_health webhook_health(const struct webhook *webhook); // NULL: all 0
