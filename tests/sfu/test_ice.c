// Do two agents find each other, stay found, and find each other again?
// SPDX-License-Identifier: MIT
#include "sfu/ice.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sfu/now.h"

enum { PATIENCE_US = 20000000, LINES = 16 };

// One agent as its worker would see it.
struct side {
    struct ice *ice;
    uint64_t id;
    struct mailbox box;

    char ufrag[ICE_UFRAG_MAX + 1], pwd[ICE_PWD_MAX + 1];
    char lines[LINES][ICE_LINE_MAX];
    unsigned line_count, locals, paths, datas;
    bool complete, closed, has_state, slow;
    enum ice_state state;
    int twin[ICE_TWIN_MAX];
    union sockaddr_any twin_local[ICE_TWIN_MAX];
    unsigned twin_count;
    union sockaddr_any local, remote;
    char data[64];
};

static const char *const loopback[] = {"127.0.0.1", NULL};

static struct ice *make_ice(const struct ice_config *cfg)
{
    char err[256] = "";
    struct ice *ice = ice_new(cfg, err, sizeof(err));
    if (!ice)
        fail_msg("%s", err);
    return ice;
}

static void take_lines(struct side *s, char *text)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(s->line_count < LINES);
        assert_int_equal(ice_candidate_check(line), 0);
        snprintf(s->lines[s->line_count++], ICE_LINE_MAX, "%s", line);
    }
}

static void take(struct side *s, struct ice_event *e)
{
    assert_int_equal(e->id, s->id);
    assert_false(s->closed); // ICE_CLOSED is the last
    switch (e->type) {
    case ICE_LOCAL:
        s->locals++;
        snprintf(s->ufrag, sizeof(s->ufrag), "%s", e->ufrag);
        snprintf(s->pwd, sizeof(s->pwd), "%s", e->pwd);
        s->line_count = 0;
        s->complete = false;
        take_lines(s, e->data);
        break;
    case ICE_TWIN:
        assert_int_equal(s->locals, 1);
        s->twin_local[s->twin_count] = e->local;
        s->twin[s->twin_count++] = e->fd;
        e->fd = -1;
        break;
    case ICE_CANDIDATE:
        assert_true(s->locals > 0);
        s->complete = e->len == 0;
        take_lines(s, e->data);
        break;
    case ICE_PATH:
        s->paths++;
        s->local = e->local;
        s->remote = e->remote;
        s->slow = e->slow;
        break;
    case ICE_STATE:
        s->has_state = true;
        s->state = e->state;
        break;
    case ICE_DATA:
        s->datas++;
        snprintf(s->data, sizeof(s->data), "%.*s", (int)e->len, e->data);
        break;
    case ICE_CLOSED:
        s->closed = true;
        break;
    }
}

static void drain(struct side *s)
{
    for (struct mail *mail = mailbox_take(&s->box), *next; mail; mail = next) {
        next = mail->next;
        take(s, (struct ice_event *)mail);
        ice_event_free((struct ice_event *)mail);
    }
}

typedef bool(side_is)(const struct side *s);

static void await(struct side *s, side_is *is)
{
    int64_t end_us = now_monotonic_us() + PATIENCE_US;
    for (drain(s); !is(s); drain(s)) {
        struct pollfd pfd = {.fd = s->box.fd, .events = POLLIN};
        if (now_monotonic_us() > end_us)
            fail_msg("nothing more came: %u locals, %u paths, state %d", s->locals, s->paths, (int)s->state);
        poll(&pfd, 1, 100);
    }
}

static bool is_local(const struct side *s)
{
    return s->locals > 0 && s->complete && s->twin_count == s->line_count;
}

static bool is_connected(const struct side *s)
{
    return s->paths > 0 && s->has_state && s->state == ICE_CONNECTED;
}

static bool is_closed(const struct side *s)
{
    return s->closed;
}

static bool is_failed(const struct side *s)
{
    return s->has_state && s->state == ICE_FAILED;
}

static void open_side(struct side *s, struct ice *ice, uint64_t id)
{
    *s = (struct side){.ice = ice, .id = id};
    mailbox_init(&s->box, NULL, NULL);
    ice_open(ice, id, &s->box);
    await(s, is_local);
}

static void close_side(struct side *s)
{
    ice_close(s->ice, s->id);
    await(s, is_closed);
    for (unsigned i = 0; i < s->twin_count; i++)
        close(s->twin[i]);
    mailbox_close(&s->box);
}

// What signaling carries: from tells to.
static void tell(const struct side *from, struct side *to, bool candidates)
{
    ice_remote(to->ice, to->id, from->ufrag, from->pwd);
    for (unsigned i = 0; candidates && i < from->line_count; i++)
        ice_candidate(to->ice, to->id, from->lines[i]);
}

static int twin_of_path(const struct side *s)
{
    for (unsigned i = 0; i < s->twin_count; i++) {
        if (memcmp(&s->twin_local[i], &s->local, sizeof(s->local)) == 0)
            return s->twin[i];
    }
    fail_msg("the path's local address has no twin");
    return -1;
}

static socklen_t len_of(const union sockaddr_any *address)
{
    return address->sa.sa_family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
}

// Media from a's twin arrives at b's twin, from the address ICE named.
static void media_flows(const struct side *a, const struct side *b)
{
    union sockaddr_any from;
    socklen_t len = sizeof(from);
    char buf[16];
    int out = twin_of_path(a), in = twin_of_path(b);
    struct pollfd pfd = {.fd = in, .events = POLLIN};
    assert_int_equal(sendto(out, "\x80media", 6, 0, &a->remote.sa, len_of(&a->remote)), 6);
    assert_int_equal(poll(&pfd, 1, 2000), 1);
    memset(&from, 0, sizeof(from));
    assert_int_equal(recvfrom(in, buf, sizeof(buf), 0, &from.sa, &len), 6);
    assert_memory_equal(buf, "\x80media", 6);
    assert_memory_equal(&from, &b->remote, len_of(&from));
    assert_int_equal(recv(in, buf, sizeof(buf), MSG_DONTWAIT), -1); // and no STUN
}

static void connect_sides(struct side *a, struct side *b)
{
    await(a, is_connected);
    await(b, is_connected);
    assert_false(a->slow);
    assert_false(b->slow);
    media_flows(a, b);
    media_flows(b, a);
}

// ---- connecting --------------------------------------------------------------------------------------------

static void tells_its_candidates(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side s;
    open_side(&s, ice, 7);
    assert_true(strlen(s.ufrag) >= 4); // RFC 8839 s5.4
    assert_true(strlen(s.pwd) >= 22);
    assert_int_equal(s.line_count, 1);
    assert_int_equal(s.twin_count, 1);
    char want[64];
    snprintf(want, sizeof(want), " 127.0.0.1 %u typ host", ntohs(s.twin_local[0].in.sin_port));
    assert_non_null(strstr(s.lines[0], want));
    assert_int_equal(strncmp(s.lines[0], "candidate:", 10), 0);
    close_side(&s);
    ice_free(ice);
}

// Both begin as controlled: the first check settles it (RFC 8445 s7.3.1.1).
static void full_agents_connect(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&a, &b, true);
    tell(&b, &a, true);
    connect_sides(&a, &b);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

static void a_lite_agent_connects(void **state)
{
    (void)state;
    struct ice *full = make_ice(&(struct ice_config){.bind_address = loopback});
    struct ice *lite = make_ice(&(struct ice_config){.bind_address = loopback, .lite = true});
    struct side a, b;
    open_side(&a, full, 1);
    open_side(&b, lite, 1);
    tell(&a, &b, true);
    tell(&b, &a, true);
    connect_sides(&a, &b);
    close_side(&a);
    close_side(&b);
    ice_free(full);
    ice_free(lite);
}

// A receive-only page sends `.local` names alone.
static void a_peer_that_hides_its_address_connects(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&a, &b, true);
    tell(&b, &a, false);
    ice_candidate(ice, a.id,
                  "candidate:1 1 udp 2113937151 e2494022-4d9a-4c1e-a750-cc48d4f8d6ee.local 46154 typ host");
    ice_candidate(ice, a.id, "candidate:2 1 tcp 2113937151 192.0.2.1 9 typ host tcptype active");
    ice_candidate(ice, a.id, NULL);
    connect_sides(&a, &b);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

static void candidates_may_come_first(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    ice_candidate(ice, a.id, b.lines[0]);
    ice_candidate(ice, b.id, a.lines[0]);
    tell(&a, &b, false);
    tell(&b, &a, false);
    connect_sides(&a, &b);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

static void ipv6_connects(void **state)
{
    (void)state;
    static const char *const v6[] = {"::1", NULL};
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = v6});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&a, &b, true);
    tell(&b, &a, true);
    connect_sides(&a, &b);
    assert_int_equal(a.local.sa.sa_family, AF_INET6);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

static void a_failed_agent_comes_back_with_a_late_candidate(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&b, &a, false);
    ice_candidate(ice, a.id, "candidate:1 1 udp 2113937151 127.0.0.1 1 typ host"); // nobody there
    ice_candidate(ice, a.id, NULL);
    await(&a, is_failed);
    tell(&a, &b, false);
    ice_candidate(ice, a.id, b.lines[0]);
    connect_sides(&a, &b);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

// ---- restarts ----------------------------------------------------------------------------------------------

static bool has_new_local(const struct side *s)
{
    return s->locals == 2 && s->complete;
}

static bool has_new_path(const struct side *s)
{
    return s->paths == 2 && s->state == ICE_CONNECTED;
}

static void restart(struct side *a, struct side *b)
{
    char old[ICE_UFRAG_MAX + 1];
    snprintf(old, sizeof(old), "%s", a->ufrag);
    a->paths = b->paths = 1;
    a->locals = b->locals = 1;
    ice_restart(a->ice, a->id);
    await(a, has_new_local);
    assert_string_not_equal(a->ufrag, old);
    assert_int_equal(a->line_count, 1); // the same socket
    media_flows(a, b);                  // on the old path
    tell(a, b, true);                   // which is a restart by the remote side for b
    await(b, has_new_local);
    tell(b, a, true);
    await(a, has_new_path);
    await(b, has_new_path);
    media_flows(a, b);
    media_flows(b, a);
    drain(a);
    assert_int_equal(a->locals, 2); // b's new credentials were the answer, not one more restart
}

static void both_sides_may_restart(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&a, &b, true);
    tell(&b, &a, true);
    connect_sides(&a, &b);
    restart(&a, &b);
    restart(&b, &a);
    restart(&b, &a);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

static void the_same_credentials_change_nothing(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b, witness;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&a, &b, true);
    tell(&b, &a, true);
    connect_sides(&a, &b);
    tell(&a, &b, true);
    tell(&b, &a, true);
    open_side(&witness, ice, 3); // the thread has seen all that was said before
    drain(&a);
    drain(&b);
    assert_int_equal(a.locals + b.locals, 2);
    media_flows(&a, &b);
    close_side(&witness);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

static void candidates_of_another_generation_wait(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    char line[2 * ICE_LINE_MAX];
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    // The line names the credentials it belongs to, as Chromium's do; at first a has others.
    snprintf(line, sizeof(line), "%s generation 0 ufrag %s network-cost 10", b.lines[0], b.ufrag);
    ice_remote(ice, a.id, "older", "0123456789012345678901");
    ice_candidate(ice, a.id, line);
    tell(&b, &a, false);
    await(&a, has_new_local);
    tell(&a, &b, false); // and knows no address: only the line that waited can bring them together
    connect_sides(&a, &b);
    close_side(&a);
    close_side(&b);
    ice_free(ice);
}

// ---- addresses and ports -----------------------------------------------------------------------------------

static void stays_in_its_port_range(void **state)
{
    (void)state;
    struct ice_config cfg = {.bind_address = loopback, .port_min = 41000, .port_max = 41003};
    struct ice *ice = make_ice(&cfg);
    struct side s[4], late = {.ice = ice, .id = 9};
    for (unsigned i = 0; i < 4; i++) {
        open_side(&s[i], ice, i);
        unsigned port = ntohs(s[i].twin_local[0].in.sin_port);
        assert_in_range(port, 41000, 41003);
    }
    mailbox_init(&late.box, NULL, NULL);
    ice_open(ice, late.id, &late.box);
    await(&late, is_failed); // no port left
    ice_restart(ice, late.id);
    ice_remote(ice, late.id, "abcd", "0123456789012345678901");
    ice_candidate(ice, late.id, s[0].lines[0]);
    ice_send(ice, late.id, "x", 1);
    close_side(&late);
    for (unsigned i = 0; i < 4; i++)
        close_side(&s[i]);
    ice_free(ice);
}

static void announces_an_address(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback, .announced_address = "203.0.113.5"});
    struct side s;
    open_side(&s, ice, 1);
    assert_non_null(strstr(s.lines[0], " 203.0.113.5 "));
    assert_null(strstr(s.lines[0], "127.0.0.1"));
    close_side(&s);
    ice_free(ice);
}

static void gathers_on_every_address_by_default(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.lite = false});
    struct side s;
    open_side(&s, ice, 1);
    assert_true(s.line_count >= 1);
    assert_int_equal(s.line_count, s.twin_count);
    close_side(&s);
    ice_free(ice);
}

static void a_stun_server_that_is_silent_delays_only_the_end(void **state)
{
    (void)state;
    struct ice *ice =
        make_ice(&(struct ice_config){.bind_address = loopback, .stun_host = "127.0.0.1", .stun_port = 1});
    struct side s = {.ice = ice, .id = 1};
    mailbox_init(&s.box, NULL, NULL);
    ice_open(ice, s.id, &s.box);
    int64_t end_us = now_monotonic_us() + 1000000;
    while (s.twin_count == 0 && now_monotonic_us() < end_us)
        drain(&s);
    assert_int_equal(s.locals, 1);
    assert_false(s.complete);
    await(&s, is_local);
    close_side(&s);
    ice_free(ice);
}

static void refuses_a_wrong_configuration(void **state)
{
    (void)state;
    static const char *const foreign[] = {"192.0.2.77", NULL};
    static const char *const name[] = {"localhost", NULL};
    static const char *const none[] = {NULL};
    const struct ice_config wrong[] = {
        {.port_min = 5, .port_max = 4}, {.port_min = 0, .port_max = 4}, {.announced_address = "example.com"},
        {.bind_address = foreign},      {.bind_address = name},         {.bind_address = none},
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char err[256] = "";
        assert_null(ice_new(&wrong[i], err, sizeof(err)));
        assert_int_equal(err[strlen(err) - 1], '.');
    }
}

// ---- ends --------------------------------------------------------------------------------------------------

static void agents_that_are_open_are_closed_at_the_end(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    struct side a, b;
    open_side(&a, ice, 1);
    open_side(&b, ice, 2);
    tell(&a, &b, true);
    tell(&b, &a, true);
    ice_free(ice);
    drain(&a);
    drain(&b);
    assert_true(a.closed && b.closed);
    close(a.twin[0]);
    close(b.twin[0]);
    mailbox_close(&a.box);
    mailbox_close(&b.box);
}

static void unknown_ids_are_ignored(void **state)
{
    (void)state;
    struct ice *ice = make_ice(&(struct ice_config){.bind_address = loopback});
    ice_close(ice, 5);
    ice_remote(ice, 5, "abcd", "x");
    ice_restart(ice, 5);
    ice_candidate(ice, 5, NULL);
    ice_moved(ice, 5, &(union sockaddr_any){.in = {.sin_family = AF_INET}},
              &(union sockaddr_any){.in = {.sin_family = AF_INET}});
    ice_send(ice, 5, "x", 1);
    ice_free(ice);
    ice_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_its_candidates),
        cmocka_unit_test(full_agents_connect),
        cmocka_unit_test(a_lite_agent_connects),
        cmocka_unit_test(a_peer_that_hides_its_address_connects),
        cmocka_unit_test(candidates_may_come_first),
        cmocka_unit_test(ipv6_connects),
        cmocka_unit_test(a_failed_agent_comes_back_with_a_late_candidate),
        cmocka_unit_test(both_sides_may_restart),
        cmocka_unit_test(the_same_credentials_change_nothing),
        cmocka_unit_test(candidates_of_another_generation_wait),
        cmocka_unit_test(stays_in_its_port_range),
        cmocka_unit_test(announces_an_address),
        cmocka_unit_test(gathers_on_every_address_by_default),
        cmocka_unit_test(a_stun_server_that_is_silent_delays_only_the_end),
        cmocka_unit_test(refuses_a_wrong_configuration),
        cmocka_unit_test(agents_that_are_open_are_closed_at_the_end),
        cmocka_unit_test(unknown_ids_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
