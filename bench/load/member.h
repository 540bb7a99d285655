// What is one PeerConnection of the swarm? (a puppet that publishes, listens, or both)
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/load/listener.h"
#include "bench/load/publisher.h"
#include "bench/load/timers.h"
#include "bench/load/traffic.h"
#include "tests/puppet/puppet.h"

// What all members share.
struct crowd {
    struct traffic traffic;
    struct timers *timers;
    struct dtls_cert *cert;
    struct tally tally;
    struct output output;
    void (*connected)(void *arg, unsigned id);
    void *arg;
};

struct member {
    unsigned id;
    struct crowd *crowd;
    struct puppet *puppet;
    struct listener listener;
    struct publisher publisher;
    struct timer tick, feedback, report;
    int64_t arrived_ns; // of the packet being opened
    bool audio, video;  // publishes
    bool connected;
};

struct member *member_new(struct crowd *crowd, unsigned id, bool audio, bool video);
void member_free(struct member *member);
void member_rx(struct member *member, int64_t now_us);
