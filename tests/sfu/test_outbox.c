// Do queued packets leave whole, in order and in runs, and does a full queue lose the right ones?
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sfu/outbox.h"

#ifndef UDP_GRO
#define UDP_GRO 104 // linux/udp.h
#endif

struct fixture {
    struct pool *pool;
    struct stats stats;
    struct outbox box;
    struct path path;
    int receiver;
};

static int bound_socket(union sockaddr_any *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    address->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, &address->sa, sizeof(address->in)), 0);
    socklen_t len = sizeof(*address);
    assert_int_equal(getsockname(fd, &address->sa, &len), 0);
    return fd;
}

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    union sockaddr_any own;
    f->pool = pool_new(2048);
    f->receiver = bound_socket(&f->path.remote);
    f->path.fd = f->path.out_fd = bound_socket(&own);
    int room = 4 << 20;
    setsockopt(f->receiver, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    outbox_init(&f->box, &f->stats);
}

static void end(struct fixture *f)
{
    outbox_clear(&f->box);
    close(f->receiver);
    close(f->path.fd);
    assert_int_equal(pool_in_use(f->pool), 0);
    pool_free(f->pool);
}

static void add(struct fixture *f, uint16_t len, uint8_t mark, bool video)
{
    struct packet *packet = packet_new(f->pool);
    assert_non_null(packet);
    memset(packet->buf, mark, len);
    packet->len = len;
    packet->video = video;
    outbox_add(&f->box, packet, NULL);
}

static void expect(struct fixture *f, uint16_t len, uint8_t mark)
{
    uint8_t buf[2048];
    ssize_t got = recv(f->receiver, buf, sizeof(buf), MSG_DONTWAIT);
    assert_int_equal(got, len);
    for (unsigned i = 0; i < len; i++)
        assert_int_equal(buf[i], mark);
}

static void expect_nothing(struct fixture *f)
{
    uint8_t buf[2048];
    assert_int_equal(recv(f->receiver, buf, sizeof(buf), MSG_DONTWAIT), -1);
}

// Runs of one size, a shorter end, a longer one after it, single packets: all arrive as they were queued.
static void test_sizes(void **state)
{
    (void)state;
    static const uint16_t cases[][12] = {
        {100},
        {1100, 1100, 1100, 1100},
        {1100, 1100, 1100, 700},
        {700, 1100, 1100, 700, 700, 50, 1100},
        {1, 2, 3, 4, 5, 4, 3, 2, 1},
        {1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1399},
    };
    for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct fixture f;
        begin(&f);
        for (unsigned i = 0; i < 12 && cases[c][i]; i++)
            add(&f, cases[c][i], (uint8_t)i, true);
        assert_true(outbox_flush(&f.box, &f.path));
        for (unsigned i = 0; i < 12 && cases[c][i]; i++)
            expect(&f, cases[c][i], (uint8_t)i);
        expect_nothing(&f);
        end(&f);
    }
}

// More than one batch, more than one run can hold.
static void test_many(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (unsigned i = 0; i < 300; i++)
        add(&f, 300, (uint8_t)i, true);
    assert_int_equal(f.box.count, 300);
    assert_true(outbox_flush(&f.box, &f.path));
    for (unsigned i = 0; i < 300; i++)
        expect(&f, 300, (uint8_t)i);
    end(&f);
}

static void test_asks_for_a_flush(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (unsigned i = 1; i <= OUTBOX_BATCH; i++) {
        struct packet *packet = packet_new(f.pool);
        packet->len = 10;
        assert_int_equal(outbox_add(&f.box, packet, NULL), i == OUTBOX_BATCH);
    }
    end(&f);
}

// Audio first, then video past the bound: the video goes, oldest first, and the audio stays.
static void test_full_queue_loses_old_video(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add(&f, 60, 200, false);
    for (unsigned i = 0; i < OUTBOX_MAX; i++)
        add(&f, 100, (uint8_t)(i % 100), true);
    assert_int_equal(f.box.count, OUTBOX_MAX);
    assert_int_equal(f.stats.drops[DROP_QUEUE_FULL], 1);
    assert_true(outbox_flush(&f.box, &f.path));
    expect(&f, 60, 200);
    expect(&f, 100, 1); // 0 was dropped
    end(&f);
}

static void test_full_of_audio(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (unsigned i = 0; i <= OUTBOX_MAX; i++)
        add(&f, 60, (uint8_t)(i % 100), false);
    assert_int_equal(f.box.count, OUTBOX_MAX);
    assert_true(outbox_flush(&f.box, &f.path));
    expect(&f, 60, 1);
    end(&f);
}

// A packet the kernel refuses for good (too long for the link would be one) must not hold up the others.
static void test_refused_destination(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    union sockaddr_any good = f.path.remote;
    f.path.remote.in.sin_port = 0; // EINVAL
    add(&f, 100, 1, true);
    add(&f, 200, 2, true);
    assert_true(outbox_flush(&f.box, &f.path));
    assert_int_equal(f.stats.drops[DROP_SEND_FAILED], 2);
    f.path.remote = good;
    add(&f, 100, 3, true);
    assert_true(outbox_flush(&f.box, &f.path));
    expect(&f, 100, 3);
    end(&f);
}

// What ICMP says of an earlier packet is told to the next sender, whose packets are none the worse for it.
static void test_an_earlier_error_costs_nothing(void **state)
{
    (void)state;
    static const uint16_t cases[][3] = {{100}, {100, 100}, {100, 200, 100}};
    for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct fixture f;
        begin(&f);
        f.path.out_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(f.path.out_fd, &f.path.remote.sa, sizeof(f.path.remote.in)), 0);
        close(f.receiver);
        assert_int_equal(send(f.path.out_fd, "", 1, 0), 1); // nobody is there
        struct pollfd refused = {.fd = f.path.out_fd};
        assert_int_equal(poll(&refused, 1, -1), 1);
        f.receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(f.receiver, &f.path.remote.sa, sizeof(f.path.remote.in)), 0);
        for (unsigned i = 0; i < 3 && cases[c][i]; i++)
            add(&f, cases[c][i], (uint8_t)i, true);
        assert_true(outbox_flush(&f.box, &f.path));
        for (unsigned i = 0; i < 3 && cases[c][i]; i++)
            expect(&f, cases[c][i], (uint8_t)i);
        assert_int_equal(stats_dropped(&f.stats), 0);
        close(f.path.out_fd);
        end(&f);
    }
}

static void test_every_packet_of_a_lost_run_is_counted(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.path.out_fd = -1; // EBADF
    for (uint8_t mark = 0; mark < 3; mark++)
        add(&f, 100, mark, true);
    assert_true(outbox_flush(&f.box, &f.path));
    assert_int_equal(f.stats.drops[DROP_SEND_FAILED], 3);
    end(&f);
}

// A link too small for the segments of one path says nothing about the others.
static void test_small_link_is_one_paths_matter(void **state)
{
    (void)state;
    struct fixture small, f;
    begin(&small);
    begin(&f);
    union sockaddr_any own = {.in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = 1280, on = 1;
    if (fd < 0 || bind(fd, &own.sa, sizeof(own.in6)) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, sizeof(mtu)) < 0) {
        close(fd);
        end(&small);
        end(&f);
        skip(); // no IPv6 here
    }
    close(small.receiver);
    small.receiver = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(small.receiver, &own.sa, sizeof(own.in6)), 0);
    socklen_t len = sizeof(small.path.remote);
    assert_int_equal(getsockname(small.receiver, &small.path.remote.sa, &len), 0);
    close(small.path.fd);
    small.path.fd = small.path.out_fd = fd;
    for (uint8_t mark = 1; mark <= 3; mark++)
        add(&small, 1300, mark, true);
    assert_true(outbox_flush(&small.box, &small.path));
    for (uint8_t mark = 1; mark <= 3; mark++)
        expect(&small, 1300, mark);

    // The other path still sends its packets as one: a receiver that asks for it gets them as one.
    assert_int_equal(setsockopt(f.receiver, SOL_UDP, UDP_GRO, &on, sizeof(on)), 0);
    add(&f, 500, 1, true);
    add(&f, 500, 2, true);
    assert_true(outbox_flush(&f.box, &f.path));
    uint8_t buf[2048];
    assert_int_equal(recv(f.receiver, buf, sizeof(buf), MSG_DONTWAIT), 1000);
    end(&small);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_asks_for_a_flush),
        cmocka_unit_test(test_full_queue_loses_old_video),
        cmocka_unit_test(test_full_of_audio),
        cmocka_unit_test(test_refused_destination),
        cmocka_unit_test(test_an_earlier_error_costs_nothing),
        cmocka_unit_test(test_every_packet_of_a_lost_run_is_counted),
        cmocka_unit_test(test_small_link_is_one_paths_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
