// What does one worker thread do, turn after turn?
// SPDX-License-Identifier: MIT
//
// A worker owns its rooms and everything below them; nothing of it is touched by another thread. One turn: wait for
// sockets and letters, read the clock once, handle what arrived, tick if it is time (ticker.h), then run what was
// deferred (flush transports, free what was closed). Only worker_new(), worker_post(), worker_busy(),
// worker_stop() and worker_free() are for other threads.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "sfu/datachan.h"
#include "sfu/dtls.h"
#include "sfu/ice.h"
#include "sfu/mailbox.h"
#include "sfu/packet.h"
#include "sfu/stats.h"
#include "sfu/ticker.h"

enum {
    WORKER_RX_BATCH = 32, // datagrams per receive call
};

struct worker;

// What the layer above does on this thread.
struct worker_handlers {
    void (*start)(void *arg, struct worker *worker);              // the first call
    void (*letter)(void *arg, struct mail *mail, int64_t now_us); // a letter of worker_post(); owns it
    bool (*tick)(void *arg, int64_t now_us, int64_t wall_us);     // false: nothing to tick until the next letter
    void (*stop)(void *arg);                                      // the last call: free everything
};

struct worker_config {
    unsigned index;
    struct ice *ice;
    struct datachan_hub *hub;
    struct dtls_cert *cert;
};

// Starts the thread.
struct worker *worker_new(const struct worker_config *cfg, const struct worker_handlers *handlers, void *arg);

// Asks the thread to stop and joins it; afterwards it sends no more letters. Then end the threads that write to it,
// then worker_free().
void worker_stop(struct worker *worker);
void worker_free(struct worker *worker);

// Any thread.
void worker_post(struct worker *worker, struct mail *mail);

// How busy the thread is: thousandths of a core's time over the last second. Any thread.
unsigned worker_busy(const struct worker *worker);

// ---- on the worker's own thread --------------------------------------------------------------------------

// A file descriptor somebody listens to. Embedded in its owner; remove it before the owner is freed.
struct watch {
    int fd;
    void (*ready)(void *arg, int64_t now_us);
    void *arg;
    bool patient; // the worker's
};

int worker_watch(struct worker *worker, struct watch *watch); // 0 or negative errno
void worker_unwatch(struct worker *worker, struct watch *watch);

// Patient: what arrives waits for the next tick instead of waking the thread. For those who only send feedback, which
// would otherwise cause more turns than the media does.
void worker_set_patient(struct worker *worker, struct watch *watch, bool patient);

// Something to do once, at the end of this turn (or of the next, when deferred by something deferred). Embedded in
// its owner; cancel it before the owner is freed.
struct deferred {
    TAILQ_ENTRY(deferred) entry;
    void (*run)(void *arg);
    void *arg;
    uint64_t turn; // the turn that runs it
    bool queued;
};

// Runs after everything queued before it; deferring what is queued already changes nothing.
void worker_defer(struct worker *worker, struct deferred *deferred);
void worker_cancel(struct worker *worker, struct deferred *deferred);

// Who receives the letters of ICE and SCTP for an id. The handlers borrow the event (they may take its fd).
struct correspondent {
    void (*ice)(void *arg, struct ice_event *event, int64_t now_us);
    void (*datachan)(void *arg, struct datachan_event *event, int64_t now_us);
    void *arg;
};

// A new id, unique in the process, under which ICE and SCTP letters reach `c` until worker_unregister().
uint64_t worker_register(struct worker *worker, const struct correspondent *c);
void worker_unregister(struct worker *worker, uint64_t id);

// Where the answers for this worker go.
struct mailbox *worker_ice_box(struct worker *worker);
struct mailbox *worker_datachan_box(struct worker *worker);

struct ice *worker_ice(struct worker *worker);
struct datachan_hub *worker_hub(struct worker *worker);
struct dtls_cert *worker_cert(struct worker *worker);
struct pool *worker_pool(struct worker *worker);
struct stats *worker_stats(struct worker *worker);
struct ticker *worker_ticker(struct worker *worker);
int64_t worker_now_us(const struct worker *worker);

// Receives up to WORKER_RX_BATCH datagrams without blocking: packets[i] has `len` bytes from from[i], which reached
// the kernel at received_us. The caller owns the packets; *from is good until the next call. Returns how many; 0 when
// there is nothing; what finds the pool empty is read and dropped (counted).
int worker_receive(struct worker *worker, int fd, struct packet *packets[WORKER_RX_BATCH],
                   const union sockaddr_any **from);
