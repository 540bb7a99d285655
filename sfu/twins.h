// By which of our sockets does one browser reach us?
// SPDX-License-Identifier: MIT
//
// The worker's half of the twin sockets (ice.h): watched, read in batches and closed here. Part of a transport;
// worker thread.
#pragma once

#include <stdbool.h>

#include "sfu/ice.h"
#include "sfu/packet.h"
#include "sfu/worker.h"

// One receive call by `fd` is over: packets[i], which the handler owns, came from from[i], which it borrows.
typedef void twins_rx_h(void *arg, int fd, struct packet *const packets[], const union sockaddr_any from[], int count,
                        int64_t now_us);

struct twin {
    struct watch watch;
    union sockaddr_any local;
    struct twins *twins;
};

struct twins {
    struct worker *worker;
    twins_rx_h *rx;
    void *arg;
    struct twin twin[ICE_TWIN_MAX];
    unsigned count;
};

void twins_init(struct twins *twins, struct worker *worker, twins_rx_h *rx, void *arg);
void twins_close(struct twins *twins);

// Takes the socket bound to `local`; false: it remains the caller's.
bool twins_add(struct twins *twins, int fd, const union sockaddr_any *local);

int twins_fd(const struct twins *twins, const union sockaddr_any *local); // -1: none is bound to it
const union sockaddr_any *twins_local(const struct twins *twins, int fd); // NULL: none of them
void twins_set_patient(struct twins *twins, bool patient);                // see worker_set_patient()
