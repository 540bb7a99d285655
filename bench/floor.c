// What does forwarding cost at least? (the bare loop: recvmmsg, open, copy and seal N times, one UDP_SEGMENT send
// each)
// SPDX-License-Identifier: MIT
//
// No ICE, no RTCP, no rooms: one thread does with one publisher's packets what nobody who forwards SRTP can leave
// out. A second process is the crowd: it publishes and receives like the swarm of bench/load does. Server CPU by the
// packets that arrived, as everywhere in bench/.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rtp/bytes.h"
#include "rtp/rtp.h"
#include "sfu/cipher.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 // linux/udp.h
#endif

enum {
    LISTENERS_MAX = 1000,
    BATCH = 64,
    ROOM = 1536,
    BUFFER = 4 << 20,
    EVENTS = 256,
    WARM_US = 1000000,
    REST_US = 1000,
    SSRC = 0x1234567,
};

struct options {
    const char *address, *crowd_address, *netns, *engine, *profile_name;
    enum cipher_profile profile;
    int listeners, frame, packet, server_core, crowd_core;
    double fps, seconds;
};

// What the two processes know of each other.
struct shared {
    _Atomic uint16_t server_port; // where to publish
    _Atomic int ready;            // the crowd's ports are known
    atomic_bool open, over;       // the window
    _Atomic uint64_t arrived;
    uint16_t ports[LISTENERS_MAX];
};

static int64_t clock_us(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0)
        return;
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        g_printerr("floor: cannot pin to core %d\n", core);
}

static int open_socket(const char *address, uint16_t *port)
{
    int room = BUFFER;
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t len = sizeof(local);
    inet_pton(AF_INET, address, &local.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, len) < 0)
        g_error("floor: cannot bind %s: %s", address, strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    getsockname(fd, (struct sockaddr *)&local, &len);
    *port = ntohs(local.sin_port);
    return fd;
}

static void connect_to(int fd, const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    int rc = connect(fd, (struct sockaddr *)&to, sizeof(to));
    g_assert(rc == 0);
}

// Keys do not matter here, only that both sides have them.
static struct cipher_keys keys_of(const struct options *o)
{
    struct cipher_keys keys = {.profile = o->profile};
    memset(keys.key, 1, sizeof(keys.key));
    memset(keys.salt, 2, sizeof(keys.salt));
    return keys;
}

static struct cipher_stream *new_stream(const struct options *o)
{
    struct cipher_keys keys = keys_of(o);
    return cipher_stream_new(cipher_sealer_new(&keys), SSRC);
}

static void point_at(struct mmsghdr *messages, struct iovec *iov, uint8_t (*bufs)[ROOM])
{
    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){bufs[i], ROOM};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
}

// ---- the crowd
// -----------------------------------------------------------------------------------------------------

struct publisher {
    const struct options *options;
    int fd;
    struct cipher_stream *stream;
    uint16_t seq;
    int64_t due_us;
};

static void publish(struct publisher *p)
{
    static uint8_t bufs[BATCH][ROOM];
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];
    struct cipher_job jobs[BATCH];
    const struct options *o = p->options;
    unsigned total = (unsigned)o->frame, count = (total + (unsigned)o->packet - 1) / (unsigned)o->packet;
    point_at(messages, iov, bufs);
    for (unsigned i = 0; i < count; i++) {
        struct rtp rtp = {.ssrc = SSRC, .seq = p->seq++, .pt = 96, .marker = i == count - 1};
        rtp_header_write(&rtp, false, bufs[i], ROOM);
        jobs[i] = (struct cipher_job){p->stream, bufs[i], total / count + (i >= count - total % count)};
    }
    cipher_seal(jobs, count);
    for (unsigned i = 0; i < count; i++)
        iov[i].iov_len = jobs[i].len;
    int sent = sendmmsg(p->fd, messages, count, 0);
    (void)sent; // a full socket loses them, as a network would
}

static unsigned drain(int fd)
{
    static uint8_t bufs[BATCH][ROOM];
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];
    unsigned total = 0;
    int got;
    point_at(messages, iov, bufs);
    do {
        got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
        total += got > 0 ? (unsigned)got : 0;
    } while (got == BATCH);
    return total;
}

static int open_listeners(const struct options *o, struct shared *shared)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < o->listeners; i++) {
        int fd = open_socket(o->crowd_address, &shared->ports[i]);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
    return epoll_fd;
}

static void crowd(const struct options *o, struct shared *shared)
{
    uint16_t port;
    int64_t period_us = (int64_t)(1e6 / o->fps);
    struct publisher p = {.options = o, .fd = open_socket(o->crowd_address, &port), .stream = new_stream(o)};
    struct epoll_event events[EVENTS];
    int epoll_fd = open_listeners(o, shared), count = 0;
    prctl(PR_SET_TIMERSLACK, 1); // ns
    pin(o->crowd_core);
    atomic_store(&shared->ready, 1);
    while (!atomic_load(&shared->server_port))
        usleep(1000);
    connect_to(p.fd, o->address, atomic_load(&shared->server_port));
    p.due_us = clock_us(CLOCK_MONOTONIC);
    while (!atomic_load(&shared->over)) {
        // It does not wait for its sockets: see bench/load/swarm.c.
        int64_t left_us = CLAMP(p.due_us - clock_us(CLOCK_MONOTONIC), 0, REST_US);
        struct timespec left = {0, left_us * 1000};
        if (count < EVENTS)
            nanosleep(&left, NULL);
        count = epoll_wait(epoll_fd, events, EVENTS, 0);
        if (clock_us(CLOCK_MONOTONIC) >= p.due_us) {
            publish(&p);
            p.due_us += period_us;
        }
        for (int i = 0; i < count; i++) {
            unsigned arrived = drain(events[i].data.fd);
            if (atomic_load(&shared->open))
                atomic_fetch_add(&shared->arrived, arrived);
        }
    }
}

// ---- the forwarder
// -------------------------------------------------------------------------------------------------

struct forwarder {
    struct cipher_opener *opener;
    int listeners;
    int fds[LISTENERS_MAX];
    struct cipher_stream *streams[LISTENERS_MAX];
    uint8_t in[BATCH][ROOM];
    size_t lens[BATCH];
    uint8_t out[BATCH][ROOM];
    uint64_t refused;
};

static void send_run(struct forwarder *f, int fd, struct iovec *iov, unsigned count)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(uint16_t))];
    } control;
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    uint16_t size = (uint16_t)iov[0].iov_len;
    if (count > 1) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        *CMSG_FIRSTHDR(&message) =
            (struct cmsghdr){.cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(uint16_t))};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &size, sizeof(size));
    }
    f->refused += sendmsg(fd, &message, 0) < 0 ? count : 0;
}

static void send_to(struct forwarder *f, int listener, unsigned count)
{
    struct cipher_job jobs[BATCH];
    struct iovec iov[BATCH];
    for (unsigned i = 0; i < count; i++) {
        memcpy(f->out[i], f->in[i], f->lens[i]);
        jobs[i] = (struct cipher_job){f->streams[listener], f->out[i], f->lens[i]};
    }
    cipher_seal(jobs, count);
    for (unsigned i = 0; i < count; i++)
        iov[i] = (struct iovec){f->out[i], jobs[i].len};
    for (unsigned first = 0, end; first < count; first = end) {
        size_t bytes = iov[first].iov_len;
        for (end = first + 1; end < count && iov[end].iov_len == iov[first].iov_len; end++) {
            if ((bytes += iov[end].iov_len) > 65000)
                break;
        }
        send_run(f, f->fds[listener], &iov[first], end - first);
    }
}

static void forward(struct forwarder *f, int fd)
{
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];
    unsigned count = 0;
    point_at(messages, iov, f->in);
    int got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        int len = cipher_open(f->opener, f->in[i], messages[i].msg_len);
        if (len < 0)
            continue;
        if (count != (unsigned)i)
            memcpy(f->in[count], f->in[i], (size_t)len);
        f->lens[count++] = (size_t)len;
    }
    for (int i = 0; count && i < f->listeners; i++)
        send_to(f, i, count);
}

static void run_until(struct forwarder *f, int fd, int64_t end_us)
{
    int64_t left_us;
    while ((left_us = end_us - clock_us(CLOCK_MONOTONIC)) > 0) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        if (poll(&pfd, 1, (int)(left_us / 1000 + 1)) > 0)
            forward(f, fd);
    }
}

static struct forwarder *forwarder_new(const struct options *o, const struct shared *shared)
{
    struct forwarder *f = g_new0(struct forwarder, 1);
    struct cipher_keys keys = keys_of(o);
    uint16_t port;
    f->opener = cipher_opener_new(&keys);
    f->listeners = o->listeners;
    for (int i = 0; i < o->listeners; i++) {
        f->fds[i] = open_socket(o->address, &port);
        f->streams[i] = new_stream(o);
        connect_to(f->fds[i], o->crowd_address, shared->ports[i]);
    }
    return f;
}

static void enter(const char *netns)
{
    int fd = netns ? open(netns, O_RDONLY | O_CLOEXEC) : -1;
    if (netns && (fd < 0 || setns(fd, CLONE_NEWNET) < 0))
        g_error("floor: cannot enter %s: %s", netns, strerror(errno));
}

static void report(const struct options *o, const struct shared *shared, double cpu_us, uint64_t refused)
{
    double packets = (double)atomic_load(&shared->arrived);
    double expected = o->fps * ceil((double)o->frame / o->packet) * o->listeners * o->seconds;
    printf("{\"engine\":\"%s\",\"profile\":\"%s\",\"listeners\":%d,\"fps\":%g,\"frame\":%d,\"packet\":%d,"
           "\"packets\":%.0f,\"expected\":%.0f,\"refused\":%" G_GUINT64_FORMAT
           ",\"cpu_s\":%.6f,\"ns_per_packet\":%.1f}\n",
           cipher_engine_name(), o->profile_name, o->listeners, o->fps, o->frame, o->packet, packets, expected,
           refused, cpu_us / 1e6, packets > 0 ? cpu_us * 1000 / packets : 0.0);
}

static void serve(const struct options *o, struct shared *shared)
{
    uint16_t port;
    while (!atomic_load(&shared->ready))
        usleep(1000);
    enter(o->netns);
    pin(o->server_core);
    struct forwarder *f = forwarder_new(o, shared);
    int fd = open_socket(o->address, &port);
    atomic_store(&shared->server_port, port);
    run_until(f, fd, clock_us(CLOCK_MONOTONIC) + WARM_US);
    int64_t before_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    atomic_store(&shared->open, true);
    run_until(f, fd, clock_us(CLOCK_MONOTONIC) + (int64_t)(o->seconds * 1e6));
    int64_t after_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    atomic_store(&shared->open, false);
    atomic_store(&shared->over, true);
    report(o, shared, (double)(after_us - before_us), f->refused);
}

static enum cipher_profile profile_of(const char *name)
{
    if (g_str_equal(name, "GCM_128"))
        return CIPHER_GCM_128;
    if (g_str_equal(name, "GCM_256"))
        return CIPHER_GCM_256;
    return g_str_equal(name, "CM_SHA1_80") ? CIPHER_CM_SHA1_80 : CIPHER_NONE;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"address", 0, 0, G_OPTION_ARG_STRING, &o->address, "the forwarder's address (127.0.0.1)", "A"},
        {"crowd-address", 0, 0, G_OPTION_ARG_STRING, &o->crowd_address, "the crowd's (127.0.0.1)", "A"},
        {"netns", 0, 0, G_OPTION_ARG_STRING, &o->netns, "network namespace of the forwarder, a path", "P"},
        {"server-core", 0, 0, G_OPTION_ARG_INT, &o->server_core, "core of the forwarder", "N"},
        {"crowd-core", 0, 0, G_OPTION_ARG_INT, &o->crowd_core, "core of the crowd", "N"},
        {"engine", 0, 0, G_OPTION_ARG_STRING, &o->engine, "auto, libsrtp, ipsec-mb", "E"},
        {"profile", 0, 0, G_OPTION_ARG_STRING, &o->profile_name, "GCM_128, GCM_256, CM_SHA1_80", "P"},
        {"listeners", 0, 0, G_OPTION_ARG_INT, &o->listeners, "fan-out (50)", "N"},
        {"fps", 0, 0, G_OPTION_ARG_DOUBLE, &o->fps, "bursts a second (30)", "N"},
        {"frame", 0, 0, G_OPTION_ARG_INT, &o->frame, "bytes of a burst (11000)", "N"},
        {"packet", 0, 0, G_OPTION_ARG_INT, &o->packet, "bytes of an RTP packet (1100)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->seconds, "length of the window (5)", "N"},
        G_OPTION_ENTRY_NULL};
    GError *error = NULL;
    GOptionContext *context = g_option_context_new("- the least that forwarding costs");
    g_option_context_add_main_entries(context, entries, NULL);
    bool ok = g_option_context_parse(context, &argc, &argv, &error);
    g_option_context_free(context);
    o->profile = profile_of(o->profile_name);
    if (!ok)
        g_printerr("floor: %s\n", error->message);
    return ok && o->profile && o->listeners > 0 && o->listeners <= LISTENERS_MAX && o->fps > 0 && o->packet >= 100 &&
           o->packet <= 1400 && o->frame >= 100 && o->frame <= o->packet * BATCH && o->seconds > 0;
}

int main(int argc, char **argv)
{
    struct options o = {.address = "127.0.0.1",
                        .crowd_address = "127.0.0.1",
                        .engine = "auto",
                        .profile_name = "GCM_128",
                        .listeners = 50,
                        .frame = 11000,
                        .packet = 1100,
                        .server_core = -1,
                        .crowd_core = -1,
                        .fps = 30,
                        .seconds = 5};
    if (!read_options(&o, argc, argv) || cipher_engine_select(o.engine) < 0) {
        g_printerr("floor: an option is out of range (--help), or this engine is not here\n");
        return 2;
    }
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert(shared != MAP_FAILED);
    pid_t child = fork();
    g_assert(child >= 0);
    if (child == 0) {
        crowd(&o, shared);
        _exit(0);
    }
    serve(&o, shared);
    waitpid(child, NULL, 0);
    return 0;
}
