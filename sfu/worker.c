// What does one worker thread do, turn after turn?
// SPDX-License-Identifier: MIT
#include "sfu/worker.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sfu/now.h"

enum {
    EVENTS_PER_TURN = 64,
    BUSY_EVERY_US = 1000000,
    PATIENT_ROUNDS = 16,      // of EVENTS_PER_TURN in a tick; the others wait for the next
    CLOCKS_APART_US = 100,    // between two looks at the same moment
    RX_SKEW_MAX_US = 1000000, // more than this means that somebody set the wall clock
    ID_INDEX_SHIFT = 48,      // ids of different workers never meet
};

TAILQ_HEAD(deferred_list, deferred);

union timestamp_control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(struct timespec))];
};

struct worker {
    // fixed at start
    struct worker_config cfg;
    struct worker_handlers handlers;
    void *arg;
    pthread_t thread;
    int epoll_fd;
    int patient_fd; // epoll, too: what only a tick looks at

    // written by other threads
    struct mailbox letters, ice_box, datachan_box;
    atomic_bool stopping;

    // read by other threads
    atomic_uint busy;

    // the worker's own
    struct watch letters_watch, ice_watch, datachan_watch;
    struct deferred_list deferred;
    GHashTable *correspondents; // id -> struct correspondent
    uint64_t last_id;
    uint64_t turn;
    struct pool *pool;
    struct packet *spare[WORKER_RX_BATCH]; // ready for the next receive call, at the front of the slots below
    int spare_count;
    struct mmsghdr messages[WORKER_RX_BATCH];
    struct iovec iov[WORKER_RX_BATCH];
    union sockaddr_any from[WORKER_RX_BATCH];
    union timestamp_control control[WORKER_RX_BATCH];
    struct stats stats;
    struct ticker ticker;
    int64_t now_us;
    int64_t wall_ahead_us;                // wall clock minus ours, at the last tick
    bool idle;                            // no tick is wanted
    int64_t measured_us, measured_cpu_us; // when worker_busy() was last brought up to date
    struct epoll_event ready[EVENTS_PER_TURN];
    int ready_count;
};

static void letters_ready(void *arg, int64_t now_us)
{
    struct worker *w = arg;
    if (w->idle)
        ticker_start(&w->ticker, now_us);
    w->idle = false;
    for (struct mail *mail = mailbox_take(&w->letters), *next; mail; mail = next) {
        next = mail->next;
        w->handlers.letter(w->arg, mail, now_us);
    }
}

static struct correspondent *correspondent_find(struct worker *w, uint64_t id)
{
    return g_hash_table_lookup(w->correspondents, &id);
}

static void ice_ready(void *arg, int64_t now_us)
{
    struct worker *w = arg;
    for (struct mail *mail = mailbox_take(&w->ice_box), *next; mail; mail = next) {
        next = mail->next;
        struct ice_event *event = (struct ice_event *)mail;
        struct correspondent *c = correspondent_find(w, event->id);
        if (c)
            c->ice(c->arg, event, now_us);
        ice_event_free(event);
    }
}

static void datachan_ready(void *arg, int64_t now_us)
{
    struct worker *w = arg;
    for (struct mail *mail = mailbox_take(&w->datachan_box), *next; mail; mail = next) {
        next = mail->next;
        struct datachan_event *event = (struct datachan_event *)mail;
        struct correspondent *c = correspondent_find(w, event->id);
        if (c)
            c->datachan(c->arg, event, now_us);
        datachan_event_free(event);
    }
}

// What is deferred meanwhile waits for the next turn, so that a full socket has time to drain.
static void run_deferred(struct worker *w)
{
    uint64_t this_turn = w->turn++;
    struct deferred *d;
    while ((d = TAILQ_FIRST(&w->deferred)) && d->turn == this_turn) {
        TAILQ_REMOVE(&w->deferred, d, entry);
        d->queued = false;
        d->run(d->arg);
    }
}

static int timeout_ms(const struct worker *w)
{
    if (!TAILQ_EMPTY(&w->deferred))
        return 1;
    if (w->idle)
        return -1;
    int64_t left_us = ticker_due(&w->ticker) - w->now_us; // of this turn's beginning: late by its length at most
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

static int dispatch(struct worker *w, int epoll_fd, int wait_ms)
{
    int count = w->ready_count = epoll_wait(epoll_fd, w->ready, EVENTS_PER_TURN, wait_ms);
    w->now_us = now_monotonic_us();
    for (int i = 0; i < w->ready_count; i++) {
        struct watch *watch = w->ready[i].data.ptr;
        if (watch) // NULL: unwatched earlier in this turn
            watch->ready(watch->arg, w->now_us);
    }
    w->ready_count = 0;
    return count;
}

static int64_t cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

static void measure(struct worker *w)
{
    int64_t elapsed_us = w->now_us - w->measured_us;
    if (elapsed_us < BUSY_EVERY_US && !w->idle)
        return;
    int64_t used_us = cpu_us();
    atomic_store(&w->busy, w->idle ? 0 : (unsigned)(1000 * (used_us - w->measured_cpu_us) / elapsed_us));
    w->measured_us = w->now_us;
    w->measured_cpu_us = used_us;
}

// Returns the wall clock. Preempted between two looks they would seem apart: then what they were holds.
static int64_t compare_clocks(struct worker *w)
{
    int64_t before_us = now_monotonic_us(), wall_us = now_wall_us(), after_us = now_monotonic_us();
    if (!w->wall_ahead_us || after_us - before_us < CLOCKS_APART_US)
        w->wall_ahead_us = wall_us - after_us;
    return wall_us;
}

static void tick(struct worker *w)
{
    ticker_tick(&w->ticker, w->now_us);
    for (int i = 0; i < PATIENT_ROUNDS && dispatch(w, w->patient_fd, 0) == EVENTS_PER_TURN; i++)
        ;
    int64_t wall_us = compare_clocks(w);
    w->idle = !w->handlers.tick(w->arg, w->now_us, wall_us);
    measure(w);
}

static void turn(struct worker *w)
{
    dispatch(w, w->epoll_fd, timeout_ms(w));
    if (!w->idle && w->now_us >= ticker_due(&w->ticker))
        tick(w);
    run_deferred(w);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    w->now_us = now_monotonic_us();
    ticker_start(&w->ticker, w->now_us);
    w->handlers.start(w->arg, w);
    while (!atomic_load(&w->stopping))
        turn(w);
    letters_ready(w, w->now_us);
    w->handlers.stop(w->arg);
    while (!TAILQ_EMPTY(&w->deferred))
        run_deferred(w);
    return NULL;
}

static void init_slots(struct worker *w)
{
    for (int i = 0; i < WORKER_RX_BATCH; i++) {
        w->iov[i].iov_len = PACKET_ROOM - CIPHER_TRAILER_MAX;
        w->messages[i].msg_hdr = (struct msghdr){.msg_name = &w->from[i],
                                                 .msg_namelen = sizeof(w->from[i]),
                                                 .msg_iov = &w->iov[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = &w->control[i],
                                                 .msg_controllen = sizeof(w->control[i])};
    }
}

static void watch_box(struct worker *w, struct mailbox *box, struct watch *watch, void (*ready)(void *, int64_t))
{
    mailbox_init(box, NULL, NULL);
    *watch = (struct watch){.fd = box->fd, .ready = ready, .arg = w};
    int rc = worker_watch(w, watch);
    g_assert(rc == 0);
}

struct worker *worker_new(const struct worker_config *cfg, const struct worker_handlers *handlers, void *arg)
{
    struct worker *w = g_new0(struct worker, 1);
    w->cfg = *cfg;
    w->handlers = *handlers;
    w->arg = arg;
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->patient_fd = epoll_create1(EPOLL_CLOEXEC);
    g_assert(w->epoll_fd >= 0 && w->patient_fd >= 0);
    TAILQ_INIT(&w->deferred);
    w->correspondents = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    w->pool = pool_new(PACKET_POOL_MAX);
    init_slots(w);
    watch_box(w, &w->letters, &w->letters_watch, letters_ready);
    watch_box(w, &w->ice_box, &w->ice_watch, ice_ready);
    watch_box(w, &w->datachan_box, &w->datachan_watch, datachan_ready);
    int rc = pthread_create(&w->thread, NULL, worker_main, w);
    g_assert(rc == 0);
    char name[16];
    g_snprintf(name, sizeof(name), "worker %u", cfg->index);
    pthread_setname_np(w->thread, name);
    return w;
}

// Letters nobody reads any more: the threads that wrote them have ended by now.
static void discard_letters(struct worker *w)
{
    for (struct mail *mail = mailbox_take(&w->ice_box), *next; mail; mail = next) {
        next = mail->next;
        ice_event_free((struct ice_event *)mail);
    }
    for (struct mail *mail = mailbox_take(&w->datachan_box), *next; mail; mail = next) {
        next = mail->next;
        datachan_event_free((struct datachan_event *)mail);
    }
}

void worker_stop(struct worker *w)
{
    atomic_store(&w->stopping, true);
    uint64_t one = 1;
    ssize_t n = write(w->letters.fd, &one, sizeof(one));
    (void)n; // EAGAIN: it is being woken anyway
    pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w)
{
    discard_letters(w);
    mailbox_close(&w->letters);
    mailbox_close(&w->ice_box);
    mailbox_close(&w->datachan_box);
    g_assert(g_hash_table_size(w->correspondents) == 0);
    g_hash_table_destroy(w->correspondents);
    while (w->spare_count > 0)
        packet_unref(w->spare[--w->spare_count]);
    pool_free(w->pool);
    close(w->epoll_fd);
    close(w->patient_fd);
    g_free(w);
}

unsigned worker_busy(const struct worker *w)
{
    return atomic_load(&w->busy);
}

void worker_post(struct worker *w, struct mail *mail)
{
    mailbox_post(&w->letters, mail);
}

static int epoll_of(const struct worker *w, const struct watch *watch)
{
    return watch->patient ? w->patient_fd : w->epoll_fd;
}

int worker_watch(struct worker *w, struct watch *watch)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    return epoll_ctl(epoll_of(w, watch), EPOLL_CTL_ADD, watch->fd, &event) < 0 ? -errno : 0;
}

void worker_set_patient(struct worker *w, struct watch *watch, bool patient)
{
    if (watch->patient == patient)
        return;
    worker_unwatch(w, watch);
    watch->patient = patient;
    int rc = worker_watch(w, watch);
    g_assert(rc == 0); // it was there a moment ago, and there is room for as many
}

void worker_unwatch(struct worker *w, struct watch *watch)
{
    epoll_ctl(epoll_of(w, watch), EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = 0; i < w->ready_count; i++) {
        if (w->ready[i].data.ptr == watch)
            w->ready[i].data.ptr = NULL;
    }
}

void worker_defer(struct worker *w, struct deferred *deferred)
{
    if (deferred->queued)
        return;
    deferred->queued = true;
    deferred->turn = w->turn;
    TAILQ_INSERT_TAIL(&w->deferred, deferred, entry);
}

void worker_cancel(struct worker *w, struct deferred *deferred)
{
    if (!deferred->queued)
        return;
    deferred->queued = false;
    TAILQ_REMOVE(&w->deferred, deferred, entry);
}

uint64_t worker_register(struct worker *w, const struct correspondent *c)
{
    uint64_t id = ((uint64_t)w->cfg.index + 1) << ID_INDEX_SHIFT | ++w->last_id;
    g_hash_table_insert(w->correspondents, g_memdup2(&id, sizeof(id)), g_memdup2(c, sizeof(*c)));
    return id;
}

void worker_unregister(struct worker *w, uint64_t id)
{
    g_hash_table_remove(w->correspondents, &id);
}

struct mailbox *worker_ice_box(struct worker *w)
{
    return &w->ice_box;
}

struct mailbox *worker_datachan_box(struct worker *w)
{
    return &w->datachan_box;
}

struct ice *worker_ice(struct worker *w)
{
    return w->cfg.ice;
}

struct datachan_hub *worker_hub(struct worker *w)
{
    return w->cfg.hub;
}

struct dtls_cert *worker_cert(struct worker *w)
{
    return w->cfg.cert;
}

struct pool *worker_pool(struct worker *w)
{
    return w->pool;
}

struct stats *worker_stats(struct worker *w)
{
    return &w->stats;
}

struct ticker *worker_ticker(struct worker *w)
{
    return &w->ticker;
}

int64_t worker_now_us(const struct worker *w)
{
    return w->now_us;
}

// With the pool exhausted the socket must still be emptied, or epoll would spin on it. Not at once: whoever sends
// without end would keep all others waiting.
static int drain(struct worker *w, int fd)
{
    uint8_t scratch[PACKET_ROOM];
    for (int i = 0; i < WORKER_RX_BATCH && recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) >= 0; i++)
        stats_drop(&w->stats, DROP_POOL_EXHAUSTED);
    return 0;
}

// When the datagram reached the kernel, on our clock: a turn may come late, and then everything that waited would
// seem to have come at once. Browsers measure the uplink by these differences.
static int64_t arrival_us(const struct worker *w, struct msghdr *hdr)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
        struct timespec at;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&at, CMSG_DATA(c), sizeof(at));
        int64_t us = at.tv_sec * INT64_C(1000000) + at.tv_nsec / 1000 - w->wall_ahead_us;
        return us > w->now_us - RX_SKEW_MAX_US && us < w->now_us + RX_SKEW_MAX_US ? us : w->now_us;
    }
    return w->now_us;
}

static void set_slot(struct worker *w, int i, struct packet *packet)
{
    w->spare[i] = packet;
    w->iov[i].iov_base = packet->buf;
}

static void fill_slots(struct worker *w)
{
    struct packet *packet;
    while (w->spare_count < WORKER_RX_BATCH && (packet = packet_new(w->pool)))
        set_slot(w, w->spare_count++, packet);
}

// The first `got` slots are used up: others take their places.
static void close_up(struct worker *w, int got)
{
    for (int i = 0; i < got; i++) {
        w->messages[i].msg_hdr.msg_namelen = sizeof(w->from[i]);
        w->messages[i].msg_hdr.msg_controllen = sizeof(w->control[i]);
    }
    int left = w->spare_count - got;
    for (int i = 0; i < MIN(got, left); i++)
        set_slot(w, i, w->spare[w->spare_count - 1 - i]);
    w->spare_count = left;
}

int worker_receive(struct worker *w, int fd, struct packet *packets[WORKER_RX_BATCH], const union sockaddr_any **from)
{
    fill_slots(w);
    if (w->spare_count == 0)
        return drain(w, fd);
    int got = recvmmsg(fd, w->messages, (unsigned)w->spare_count, MSG_DONTWAIT, NULL);
    if (got <= 0)
        return 0;
    for (int i = 0; i < got; i++) {
        packets[i] = w->spare[i];
        packets[i]->len = (uint16_t)w->messages[i].msg_len;
        packets[i]->received_us = arrival_us(w, &w->messages[i].msg_hdr);
    }
    close_up(w, got);
    *from = w->from;
    return got;
}
