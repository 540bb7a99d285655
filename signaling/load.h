// How busy are the media threads, and does each still move?
// SPDX-License-Identifier: MIT
//
// Every second each worker is asked how it is. Who does not answer for LOAD_STUCK_S stands still: /health says so,
// and systemd's watchdog is no longer told that all is well. The signaling thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sfu/sfu.h"

enum {
    LOAD_EVERY_S = 1,
    LOAD_STUCK_S = 10,
    LOAD_WORKERS_MAX = 64,
    LOAD_DROPS_MAX = 64, // reasons
    LOAD_REASON_MAX = 32,
};

// One worker, as of its last answer. Counters since the process began.
struct load_worker {
    int64_t answered_us;
    int64_t waiting_us; // since when a question is not answered; 0: none is
    int64_t rooms, peers;
    int64_t cpu_us, letter_us, late_us;
    double busy; // share of one core, between the last two answers
    int64_t connected, ice_failed, dtls_failed, nacks_tx, nacks_rx, keyframes_tx, keyframes_rx, resent;
    int64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tap_packets, tap_bytes;
};

struct load {
    int64_t asked_us; // 0: never
    unsigned worker_count;
    struct load_worker workers[LOAD_WORKERS_MAX];
    // Drops of all workers by reason, as the media server names them.
    unsigned reason_count;
    char reasons[LOAD_DROPS_MAX][LOAD_REASON_MAX];
    int64_t drops[LOAD_WORKERS_MAX][LOAD_DROPS_MAX];
};

// Asks if it is time. Called every tick.
void load_tick(struct load *load, struct sfu *sfu, int64_t now_us);
// SFU_LOAD_DATA.
void load_rx(struct load *load, const struct sfu_event *event, int64_t now_us);

// Whether a worker that was asked has been silent for too long.
bool load_is_stuck(const struct load *load, int64_t now_us);
