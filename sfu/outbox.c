// How do the packets of one loop turn leave in as few system calls as possible?
// SPDX-License-Identifier: MIT
#include "sfu/outbox.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "sfu/cipher.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 // linux/udp.h
#endif

enum {
    RUN_PACKETS = 64,  // UDP_MAX_SEGMENTS of linux/udp.h
    RUN_BYTES = 65000, // one IP datagram before segmentation, with room for its headers
};

// Neighbours of equal size: one message to the kernel.
struct run {
    struct packet *first;
    unsigned count;
};

void outbox_init(struct outbox *box, struct stats *stats)
{
    *box = (struct outbox){.stats = stats};
}

static struct packet *outbox_pop(struct outbox *box)
{
    struct packet *packet = box->head;
    box->head = packet->next;
    if (!box->head)
        box->tail = NULL;
    if (box->unsealed == packet)
        box->unsealed = packet->next;
    packet->next = NULL;
    box->count--;
    return packet;
}

void outbox_clear(struct outbox *box)
{
    while (box->head)
        packet_unref(outbox_pop(box));
}

// Makes room: the oldest video packet goes, or the oldest of all where there is no video.
static void drop_oldest(struct outbox *box)
{
    stats_drop(box->stats, DROP_QUEUE_FULL);
    struct packet **link = &box->head, *before = NULL;
    while (*link && !(*link)->video) {
        before = *link;
        link = &(*link)->next;
    }
    if (!*link || !before) {
        packet_unref(outbox_pop(box));
        return;
    }
    struct packet *victim = *link;
    *link = victim->next;
    if (box->tail == victim)
        box->tail = before;
    if (box->unsealed == victim)
        box->unsealed = victim->next;
    box->count--;
    victim->next = NULL;
    packet_unref(victim);
}

bool outbox_add(struct outbox *box, struct packet *packet, struct cipher_stream *cipher)
{
    if (box->count >= OUTBOX_MAX)
        drop_oldest(box);
    packet->next = NULL;
    packet->cipher = cipher;
    if (box->tail)
        box->tail->next = packet;
    else
        box->head = packet;
    box->tail = packet;
    if (!box->unsealed)
        box->unsealed = packet;
    box->count++;
    return box->count >= OUTBOX_BATCH;
}

static bool seal_batch(struct packet *const *packets, struct cipher_job *jobs, unsigned count)
{
    bool all = true;
    cipher_seal(jobs, count);
    for (unsigned i = 0; i < count; i++) {
        packets[i]->len = (uint16_t)jobs[i].len;
        packets[i]->cipher = NULL;
        all = all && packets[i]->len > 0;
    }
    return all;
}

// A packet that could not be sealed has length 0 and must not become an empty datagram.
static void drop_empty(struct outbox *box)
{
    struct packet *all = box->head;
    box->head = box->tail = NULL;
    box->count = 0;
    for (struct packet *p = all, *next; p; p = next) {
        next = p->next;
        if (p->len) {
            outbox_add(box, p, NULL);
            continue;
        }
        stats_drop(box->stats, DROP_SEND_FAILED);
        p->next = NULL;
        packet_unref(p);
    }
}

static void seal_all(struct outbox *box)
{
    struct packet *packets[OUTBOX_BATCH];
    struct cipher_job jobs[OUTBOX_BATCH];
    unsigned count = 0;
    bool all = true;
    for (struct packet *p = box->unsealed; p; p = p->next) {
        if (!p->cipher)
            continue;
        packets[count] = p;
        jobs[count++] = (struct cipher_job){p->cipher, p->buf, p->len};
        if (count == OUTBOX_BATCH) {
            all = seal_batch(packets, jobs, count) && all;
            count = 0;
        }
    }
    all = seal_batch(packets, jobs, count) && all;
    if (!all)
        drop_empty(box);
    box->unsealed = NULL;
}

// Splits up to OUTBOX_BATCH packets from the head of the queue into runs; iov gets one entry per packet.
static unsigned plan(const struct outbox *box, bool join, struct run *runs, struct iovec *iov)
{
    unsigned run_count = 0, packets = 0;
    size_t bytes = 0, segment = 0;
    bool open = false; // may the current run still grow?
    for (struct packet *p = box->head; p && packets < OUTBOX_BATCH; p = p->next, packets++) {
        struct run *last = run_count ? &runs[run_count - 1] : NULL;
        iov[packets] = (struct iovec){p->buf, p->len};
        if (join && open && p->len <= segment && last->count < RUN_PACKETS && bytes + p->len <= RUN_BYTES) {
            last->count++;
            bytes += p->len;
            open = p->len == segment;
            continue;
        }
        runs[run_count++] = (struct run){p, 1};
        segment = bytes = p->len;
        open = true;
    }
    return run_count;
}

union segment_control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(uint16_t))];
};

static void set_segment(struct msghdr *hdr, union segment_control *control, uint16_t size)
{
    hdr->msg_control = control->space;
    hdr->msg_controllen = sizeof(control->space);
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr);
    cmsg->cmsg_level = SOL_UDP;
    cmsg->cmsg_type = UDP_SEGMENT;
    cmsg->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
}

static void pop_run(struct outbox *box, unsigned count)
{
    while (count--)
        packet_unref(outbox_pop(box));
}

static bool is_full(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

// Kernels before 4.18 and some virtual devices refuse UDP_SEGMENT, and so does a link that a segment is too long for
// (EINVAL, since 6.14 EMSGSIZE), which has the single packet fragmented.
static bool is_refused_run(int error)
{
    return error == EIO || error == EINVAL || error == EOPNOTSUPP || error == EMSGSIZE;
}

// Whom a message goes to; through a connected socket, nobody need be named.
static void name_receiver(struct msghdr *hdr, const struct path *path)
{
    if (path_is_connected(path))
        return;
    hdr->msg_name = (void *)(uintptr_t)&path->remote;
    hdr->msg_namelen = address_len(&path->remote);
}

static int send_messages(const struct path *path, const struct run *runs, unsigned run_count, struct iovec *iov)
{
    struct mmsghdr messages[OUTBOX_BATCH];
    union segment_control control[OUTBOX_BATCH];
    for (unsigned i = 0; i < run_count; i++) {
        messages[i].msg_hdr = (struct msghdr){.msg_iov = iov, .msg_iovlen = runs[i].count};
        name_receiver(&messages[i].msg_hdr, path);
        if (runs[i].count > 1)
            set_segment(&messages[i].msg_hdr, &control[i], (uint16_t)iov[0].iov_len);
        iov += runs[i].count;
    }
    if (run_count == 1)
        return sendmsg(path->out_fd, &messages[0].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1;
    return sendmmsg(path->out_fd, messages, run_count, MSG_DONTWAIT);
}

// One system call, the plainest that will do: it has the least to copy (a single packet costs a tenth less).
static int try_runs(const struct path *path, const struct run *runs, unsigned run_count, struct iovec *iov)
{
    if (run_count == 1 && runs[0].count == 1 && path_is_connected(path))
        return send(path->out_fd, iov[0].iov_base, iov[0].iov_len, MSG_DONTWAIT) < 0 ? -1 : 1;
    return send_messages(path, runs, run_count, iov);
}

// Returns how many runs are done with (sent, or refused for good), 0: the socket is full. The first error may be of
// an earlier packet: a connected socket tells whoever sends next what ICMP said, and does not send.
static unsigned send_runs(struct outbox *box, const struct path *path, const struct run *runs, unsigned run_count,
                          struct iovec *iov)
{
    int sent = try_runs(path, runs, run_count, iov);
    if (sent < 0 && !is_full(errno))
        sent = try_runs(path, runs, run_count, iov);
    if (sent > 0)
        return (unsigned)sent;
    if (is_full(errno))
        return 0;
    if (runs[0].count > 1 && is_refused_run(errno)) {
        box->single = true;
        return 0; // outbox_flush() plans again
    }
    for (unsigned i = 0; i < runs[0].count; i++)
        stats_drop(box->stats, DROP_SEND_FAILED); // a filter, a link too small: the next may pass
    return 1;
}

static bool flush_slow(struct outbox *box, const struct path *path)
{
    for (struct packet *p = box->head; p; p = p->next) {
        if (p->len)
            path_send(path, p->buf, p->len);
    }
    outbox_clear(box);
    return true;
}

bool outbox_flush(struct outbox *box, const struct path *path)
{
    seal_all(box);
    if (path->fd < 0)
        return flush_slow(box, path);
    while (box->head) {
        bool join = !box->single;
        struct run runs[OUTBOX_BATCH];
        struct iovec iov[OUTBOX_BATCH];
        unsigned run_count = plan(box, join, runs, iov);
        unsigned done = send_runs(box, path, runs, run_count, iov);
        for (unsigned i = 0; i < done; i++)
            pop_run(box, runs[i].count);
        if (done == 0 && join == !box->single)
            return false;
    }
    return true;
}
