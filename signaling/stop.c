// How does the server come to its end?
// SPDX-License-Identifier: MIT
#include "signaling/stop.h"

enum { WHEN_DRAINED = 1, AT_ONCE };

void stop_ask(struct stop *stop, bool at_once)
{
    stop->wish = at_once || stop->wish ? AT_ONCE : WHEN_DRAINED;
}

bool stop_is_over(struct stop *stop, struct hub *hub, struct notify *notify)
{
    if (!stop->wish)
        return false;
    if (!hub->is_draining) {
        notify_stopping(notify);
        hub_drain(hub, stop->wish == AT_ONCE ? 0 : hub->config->drain_timeout);
    }
    if (!hub->is_ending && (stop->wish == AT_ONCE || hub_is_drained(hub))) {
        stop->ended_us = hub->now_us + END_MS * INT64_C(1000);
        hub_end(hub);
    }
    return hub->is_ending && (hub->sessions->len == 0 || hub->now_us >= stop->ended_us);
}
