// Does the kernel give STUN to one socket and all else to its twin, and drop STUN nobody here waits for?
// SPDX-License-Identifier: MIT
#include "sfu/ice_twin.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "sfu/ice.h"

struct pair {
    int stun, twin, sender;
    union sockaddr_any local;
    socklen_t len;
};

static void open_pair(struct pair *p, int family)
{
    *p = (struct pair){.len = family == AF_INET6 ? sizeof(p->local.in6) : sizeof(p->local.in)};
    p->local.sa.sa_family = (sa_family_t)family;
    if (family == AF_INET6)
        p->local.in6.sin6_addr = in6addr_loopback;
    else
        p->local.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->stun = socket(family, SOCK_DGRAM, 0);
    p->sender = socket(family, SOCK_DGRAM, 0);
    assert_int_equal(bind(p->stun, &p->local.sa, p->len), 0);
    assert_int_equal(getsockname(p->stun, &p->local.sa, &p->len), 0);
    p->twin = ice_twin_new(p->stun);
    assert_true(p->twin >= 0);
}

static void close_pair(struct pair *p)
{
    close(p->stun);
    close(p->twin);
    close(p->sender);
}

static void send_to(struct pair *p, const void *data, size_t len)
{
    assert_int_equal(sendto(p->sender, data, len, 0, &p->local.sa, p->len), len);
}

// The length of the datagram that waits, -1: none. What loopback delivers, it delivers before sendto() returns.
static int receive(int fd, uint8_t *buf, size_t cap)
{
    return (int)recv(fd, buf, cap, MSG_DONTWAIT);
}

static void expect(int fd, const void *data, size_t len)
{
    uint8_t buf[1500];
    assert_int_equal(receive(fd, buf, sizeof(buf)), len);
    assert_memory_equal(buf, data, len);
}

static void expect_nothing(int fd)
{
    uint8_t buf[1500];
    assert_int_equal(receive(fd, buf, sizeof(buf)), -1);
}

static void works_here(void **state)
{
    (void)state;
    assert_int_equal(ice_twin_try(), ICE_TWIN_WORKS);
}

static void splits_by_first_byte(int family)
{
    struct pair p;
    open_pair(&p, family);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t datagram[2] = {(uint8_t)byte, 0xff};
        send_to(&p, datagram, sizeof(datagram));
        expect(byte <= 3 ? p.stun : p.twin, datagram, sizeof(datagram));
        expect_nothing(byte <= 3 ? p.twin : p.stun);
    }
    close_pair(&p);
}

static void splits_ipv4(void **state)
{
    (void)state;
    splits_by_first_byte(AF_INET);
}

static void splits_ipv6(void **state)
{
    (void)state;
    splits_by_first_byte(AF_INET6);
}

static void answers_from_the_same_port(void **state)
{
    (void)state;
    struct pair p;
    union sockaddr_any from, sender = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    socklen_t len = sizeof(sender.in);
    uint8_t byte = 0x80;
    open_pair(&p, AF_INET);
    assert_int_equal(bind(p.sender, &sender.sa, len), 0);
    assert_int_equal(getsockname(p.sender, &sender.sa, &len), 0);
    assert_int_equal(sendto(p.twin, &byte, 1, 0, &sender.sa, len), 1);
    assert_int_equal(recvfrom(p.sender, &byte, 1, MSG_DONTWAIT, &from.sa, &len), 1);
    assert_int_equal(from.in.sin_port, p.local.in.sin_port);
    close_pair(&p);
}

static void refuses_what_is_no_socket(void **state)
{
    (void)state;
    assert_true(ice_twin_new(-1) < 0);
    assert_true(ice_filter(-1, "abcd") < 0);
    assert_true(ice_filter(-1, "abcdefghi") < 0);
}

// ---- the filter --------------------------------------------------------------------------------------------

struct stun {
    uint8_t buf[512];
    struct writer w;
};

static void stun_begin(struct stun *s, uint16_t type)
{
    s->w = writer_of(s->buf, sizeof(s->buf));
    writer_u16(&s->w, type);
    writer_u16(&s->w, 0);
    writer_u32(&s->w, 0x2112a442);
    writer_fill(&s->w, 7, 12);
}

static void stun_attribute(struct stun *s, uint16_t type, const void *value, size_t len)
{
    writer_u16(&s->w, type);
    writer_u16(&s->w, (uint16_t)len);
    writer_bytes(&s->w, value, len);
    writer_fill(&s->w, 0, -len & 3);
}

static void pass(struct pair *p, const struct stun *s, bool passes)
{
    send_to(p, s->buf, writer_len(&s->w));
    if (passes)
        expect(p->stun, s->buf, writer_len(&s->w));
    expect_nothing(p->stun);
    expect_nothing(p->twin);
}

static void request(struct pair *p, const char *username, unsigned others_before, bool passes)
{
    struct stun s;
    stun_begin(&s, 0x0001);
    for (unsigned i = 0; i < others_before; i++)
        stun_attribute(&s, (uint16_t)(0x8022 + i), "some software", i);
    if (username)
        stun_attribute(&s, 0x0006, username, strlen(username));
    stun_attribute(&s, 0x0024, "\1\2\3\4", 4);
    pass(p, &s, passes);
}

static void error(struct pair *p, uint8_t class, uint8_t number, bool passes)
{
    uint8_t value[] = {0, 0, class, number, 'n', 'o'};
    struct stun s;
    stun_begin(&s, 0x0111);
    stun_attribute(&s, 0x8022, "x", 1);
    stun_attribute(&s, 0x0009, value, sizeof(value));
    pass(p, &s, passes);
}

static void passes_requests_for_our_name(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, AF_INET);
    assert_int_equal(ice_filter(p.stun, "aB+9"), 0);
    request(&p, "aB+9:them", 0, true);
    request(&p, "aB+9:", 0, true);
    request(&p, "aB+9:them", 11, true);
    close_pair(&p);
}

static void drops_requests_for_others(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, AF_INET);
    assert_int_equal(ice_filter(p.stun, "aB+9"), 0);
    request(&p, "aB+8:them", 0, false);
    request(&p, "bB+9:them", 0, false);
    request(&p, "aB+9", 0, false);
    request(&p, "aB+99:them", 0, false);
    request(&p, "them:aB+9", 0, false);
    request(&p, "", 0, false);
    request(&p, NULL, 0, false);
    request(&p, "aB+9:them", 12, false); // deeper than it looks
    close_pair(&p);
}

static void drops_malformed_requests(void **state)
{
    (void)state;
    static const uint8_t wild[] = {0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 0,    0,    0,   0,   0,   0,
                                   0, 0, 0, 0, 0,    0,    0x80, 0x22, 0xff, 0xff, 'a', 'B', '+', '9'};
    struct pair p;
    open_pair(&p, AF_INET);
    assert_int_equal(ice_filter(p.stun, "aB+9"), 0);
    for (size_t len = 2; len <= sizeof(wild); len++) {
        send_to(&p, wild, len);
        expect_nothing(p.stun);
    }
    close_pair(&p);
}

static void passes_only_role_conflicts_of_errors(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, AF_INET);
    assert_int_equal(ice_filter(p.stun, "aB+9"), 0);
    error(&p, 4, 87, true);
    error(&p, 4, 3, false);
    error(&p, 4, 1, false);
    error(&p, 5, 87, false);
    close_pair(&p);
}

static void passes_answers_and_what_is_not_stun(void **state)
{
    (void)state;
    struct pair p;
    struct stun success, indication;
    open_pair(&p, AF_INET);
    assert_int_equal(ice_filter(p.stun, "aB+9"), 0);
    stun_begin(&success, 0x0101);
    stun_begin(&indication, 0x0011);
    pass(&p, &success, true);
    pass(&p, &indication, true);
    close(p.twin); // alone, libnice's socket gets everything
    p.twin = dup(p.stun);
    send_to(&p, "\x80\x60 rtp", 6);
    expect(p.stun, "\x80\x60 rtp", 6);
    close_pair(&p);
}

static void takes_a_new_name(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, AF_INET6);
    assert_int_equal(ice_filter(p.stun, "aB+9"), 0);
    assert_int_equal(ice_filter(p.stun, "zzzz"), 0);
    request(&p, "aB+9:them", 0, false);
    request(&p, "zzzz:them", 0, true);
    close_pair(&p);
}

// What it says of a new socket holds for a twin.
static void tells_how_much_the_kernel_holds(void **state)
{
    (void)state;
    struct pair p;
    int rx = 0, tx = 0;
    socklen_t len = sizeof(rx);
    open_pair(&p, AF_INET);
    assert_int_equal(getsockopt(p.twin, SOL_SOCKET, SO_RCVBUF, &rx, &len), 0);
    assert_int_equal(getsockopt(p.twin, SOL_SOCKET, SO_SNDBUF, &tx, &len), 0);
    assert_int_equal(ice_twin_buffer(), (rx < tx ? rx : tx) / 2);
    assert_in_range(ice_twin_buffer(), 1, ICE_TWIN_BUFFER);
    close_pair(&p);
}

// A network of its own has nothing in it, not even a loopback that is up.
static void is_not_tried_without_loopback(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? 100 : (int)ice_twin_try());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100)
        skip(); // this machine does not give networks away
    assert_int_equal(WEXITSTATUS(status), ICE_TWIN_UNTRIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_here),
        cmocka_unit_test(is_not_tried_without_loopback),
        cmocka_unit_test(splits_ipv4),
        cmocka_unit_test(splits_ipv6),
        cmocka_unit_test(answers_from_the_same_port),
        cmocka_unit_test(refuses_what_is_no_socket),
        cmocka_unit_test(passes_requests_for_our_name),
        cmocka_unit_test(drops_requests_for_others),
        cmocka_unit_test(drops_malformed_requests),
        cmocka_unit_test(passes_only_role_conflicts_of_errors),
        cmocka_unit_test(passes_answers_and_what_is_not_stun),
        cmocka_unit_test(takes_a_new_name),
        cmocka_unit_test(tells_how_much_the_kernel_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
