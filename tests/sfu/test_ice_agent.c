// What does an agent do when the network, the kernel or the peer is not as it should be?
// SPDX-License-Identifier: MIT
//
// Each agent runs on a main context of the test's own, so that the test can let one of them fall silent.
#include "sfu/ice_agent.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rtp/bytes.h"
#include "sfu/now.h"

struct side {
    GMainContext *context;
    struct ice_agent_options options;
    struct ice_agent *agent;
    struct mailbox box;
    bool frozen;

    char ufrag[ICE_UFRAG_MAX + 1], pwd[ICE_PWD_MAX + 1], line[ICE_LINE_MAX];
    char other_line[ICE_LINE_MAX]; // of an agent with two addresses
    unsigned paths, states, twins;
    union sockaddr_any local, remote;
    bool slow, closed;
    enum ice_state state;
    uint16_t port;
    GString *data;
};

static const char *const loopback[] = {"127.0.0.1", NULL};
static const struct ice_config config = {.bind_address = loopback};

static void take(struct side *s, const struct ice_event *e)
{
    switch (e->type) {
    case ICE_LOCAL:
        snprintf(s->ufrag, sizeof(s->ufrag), "%s", e->ufrag);
        snprintf(s->pwd, sizeof(s->pwd), "%s", e->pwd);
        snprintf(s->line, sizeof(s->line), "%.*s", (int)strcspn(e->data, "\n"), e->data);
        snprintf(s->other_line, sizeof(s->other_line), "%s", e->data + strcspn(e->data, "\n"));
        break;
    case ICE_TWIN:
        s->twins++;
        break;
    case ICE_PATH:
        s->paths++;
        s->slow = e->slow;
        s->local = e->local;
        s->remote = e->remote;
        s->port = ntohs(e->remote.in.sin_port);
        break;
    case ICE_STATE:
        s->states++;
        s->state = e->state;
        break;
    case ICE_DATA:
        g_string_append_len(s->data, e->data, (gssize)e->len);
        break;
    case ICE_CANDIDATE:
        break;
    case ICE_CLOSED:
        s->closed = true;
        break;
    }
}

static void turn(struct side *s)
{
    while (!s->frozen && g_main_context_iteration(s->context, FALSE)) {
    }
    for (struct mail *mail = mailbox_take(&s->box), *next; mail; mail = next) {
        next = mail->next;
        take(s, (struct ice_event *)mail);
        ice_event_free((struct ice_event *)mail);
    }
}

typedef bool(side_is)(const struct side *s);

// Lets both live until one of them is so.
static void await(struct side *a, struct side *b, side_is *is, int64_t patience_us)
{
    int64_t end_us = now_monotonic_us() + patience_us;
    while (!is(a)) {
        if (now_monotonic_us() > end_us)
            fail_msg("nothing more came: %u paths, state %d", a->paths, (int)a->state);
        turn(a);
        if (b)
            turn(b);
        poll(NULL, 0, 1);
    }
}

static bool is_connected(const struct side *s)
{
    return s->paths > 0 && s->states > 0 && s->state == ICE_CONNECTED;
}

static bool is_disconnected(const struct side *s)
{
    return s->states > 0 && s->state == ICE_DISCONNECTED;
}

static bool is_failed(const struct side *s)
{
    return s->states > 0 && s->state == ICE_FAILED;
}

static bool has_data(const struct side *s)
{
    return s->data->len > 0;
}

static void open_side_with(struct side *s, const struct ice_config *cfg, bool twins)
{
    *s = (struct side){.context = g_main_context_new(), .data = g_string_new(NULL)};
    s->options = (struct ice_agent_options){cfg, s->context, twins};
    mailbox_init(&s->box, NULL, NULL);
    s->agent = ice_agent_new(&s->options, 1, &s->box);
    turn(s);
}

static void open_side(struct side *s, bool twins)
{
    open_side_with(s, &config, twins);
}

static void close_side(struct side *s)
{
    ice_agent_free(s->agent);
    turn(s);
    assert_true(s->closed);
    g_main_context_unref(s->context);
    g_string_free(s->data, TRUE);
    mailbox_close(&s->box);
}

static void connect_sides(struct side *a, struct side *b)
{
    ice_agent_remote(a->agent, b->ufrag, b->pwd);
    ice_agent_remote(b->agent, a->ufrag, a->pwd);
    ice_agent_candidate(a->agent, b->line);
    ice_agent_candidate(b->agent, a->line);
    await(a, b, is_connected, 5000000);
    await(b, a, is_connected, 5000000);
}

static void data_goes_by_the_slow_door(void **state)
{
    (void)state;
    struct side a, b;
    open_side(&a, false);
    open_side(&b, false);
    assert_int_equal(a.twins, 0);
    ice_agent_send(a.agent, "too early", 9);
    connect_sides(&a, &b);
    assert_true(a.slow && b.slow);
    ice_agent_send(a.agent, "\x80hello", 6);
    await(&b, &a, has_data, 5000000);
    assert_string_equal(b.data->str, "\x80hello");
    ice_agent_send(b.agent, "\x16hello yourself", 15);
    await(&a, &b, has_data, 5000000);
    assert_string_equal(a.data->str, "\x16hello yourself");
    close_side(&a);
    close_side(&b);
}

static void one_side_may_have_twins(void **state)
{
    (void)state;
    struct side a, b;
    open_side(&a, true);
    open_side(&b, false);
    connect_sides(&a, &b);
    assert_false(a.slow);
    assert_true(b.slow);
    close_side(&a);
    close_side(&b);
}

static void a_stranger_is_not_heard(void **state)
{
    (void)state;
    struct side a, b;
    open_side(&a, false);
    open_side(&b, false);
    connect_sides(&a, &b);
    int stranger = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(b.port)};
    assert_int_equal(sendto(stranger, "\x80wrong", 6, 0, (struct sockaddr *)&to, sizeof(to)), 6);
    ice_agent_send(b.agent, "\x80right", 6);
    await(&a, &b, has_data, 5000000);
    assert_string_equal(a.data->str, "\x80right");
    close(stranger);
    close_side(&a);
    close_side(&b);
}

// RFC 7675: who does not answer for some time may not be sent to.
static void consent_is_lost_and_found_again(void **state)
{
    (void)state;
    struct side a, b;
    open_side(&a, true);
    open_side(&b, true);
    connect_sides(&a, &b);
    b.frozen = true;
    await(&a, NULL, is_disconnected, 20000000);
    b.frozen = false;
    await(&a, &b, is_connected, 20000000); // its answers are enough
    b.frozen = true;
    await(&a, NULL, is_disconnected, 20000000);
    b.frozen = false;
    ice_agent_moved(a.agent, &a.local, &a.remote); // and its media, at once
    turn(&a);
    assert_true(is_connected(&a));
    assert_int_equal(a.paths, 1);
    close_side(&a);
    close_side(&b);
}

static bool has_moved(const struct side *s)
{
    return s->paths >= 2;
}

// The peer has two addresses. When the better one falls silent and media come from the other, that is the path.
static void a_path_may_change_without_restart(void **state)
{
    (void)state;
    static const char *const two[] = {"127.0.0.1", "127.0.0.2", NULL};
    static const struct ice_config wide = {.bind_address = two};
    struct side a, b;
    open_side(&a, false);
    open_side_with(&b, &wide, false);
    assert_int_equal(b.other_line[0], '\n');
    connect_sides(&a, &b);
    ice_agent_candidate(a.agent, b.other_line + 1);
    turn(&a);

    union sockaddr_any other = a.remote, nobody = a.remote;
    const char *line = other.in.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? b.other_line : b.line;
    const char *at = strstr(line, " 127.0.0.");
    assert_non_null(at);
    other.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)(at[9] - '0'));
    other.in.sin_port = htons((uint16_t)atoi(at + 11));
    nobody.in.sin_port = htons(1);
    a.paths = 1;
    ice_agent_moved(a.agent, &a.local, &nobody);
    turn(&a);
    assert_int_equal(a.paths, 1);
    ice_agent_moved(a.agent, &a.local, &other);
    await(&a, &b, has_moved, 1000000);
    assert_memory_equal(&a.remote, &other, sizeof(other.in));
    assert_int_equal(a.state, ICE_CONNECTED);
    ice_agent_send(a.agent, "\x80moved", 6);
    await(&b, &a, has_data, 5000000);
    assert_string_equal(b.data->str, "\x80moved");
    close_side(&a);
    close_side(&b);
}

// ---- hostile peers -----------------------------------------------------------------------------------------

struct raw {
    int fd;
    uint16_t port;
    const struct side *victim;
};

enum { USERNAME = 0x0006, ERROR_CODE = 0x0009, PRIORITY = 0x0024, CONTROLLING = 0x802a };

static const char raw_pwd[] = "raw-raw-raw-raw-raw-raw";

static void open_raw(struct raw *raw, const struct side *victim)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    raw->fd = socket(AF_INET, SOCK_DGRAM, 0);
    raw->victim = victim;
    assert_int_equal(bind(raw->fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(raw->fd, (struct sockaddr *)&at, &len), 0);
    raw->port = ntohs(at.sin_port);
}

static void attribute(struct writer *w, uint16_t type, const void *value, size_t len)
{
    writer_u16(w, type);
    writer_u16(w, (uint16_t)len);
    writer_bytes(w, value, len);
    writer_fill(w, 0, -len & 3);
}

static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;
    while (len--) {
        crc ^= *data++;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ UINT32_C(0xedb88320) : crc >> 1;
    }
    return ~crc;
}

// MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 s14.5, 14.7).
static size_t finish(struct writer *w, const char *key)
{
    uint8_t mac[20], fingerprint[4];
    gsize mac_len = sizeof(mac);
    wr16(w->start + 2, (uint16_t)(writer_len(w) + 24 - 20));
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guchar *)key, strlen(key));
    g_hmac_update(hmac, w->start, (gssize)writer_len(w));
    g_hmac_get_digest(hmac, mac, &mac_len);
    g_hmac_unref(hmac);
    attribute(w, 0x0008, mac, sizeof(mac));
    wr16(w->start + 2, (uint16_t)(writer_len(w) + 8 - 20));
    wr32(fingerprint, crc32_of(w->start, writer_len(w)) ^ UINT32_C(0x5354554e));
    attribute(w, 0x8028, fingerprint, sizeof(fingerprint));
    assert_true(w->ok);
    return writer_len(w);
}

static uint16_t port_of(const char *line)
{
    const char *at = strstr(line, "127.0.0.1 ");
    assert_non_null(at);
    return (uint16_t)atoi(at + 10);
}

static void send_raw(const struct raw *raw, const uint8_t *data, size_t len)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port_of(raw->victim->line))};
    assert_int_equal(sendto(raw->fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
}

static void send_request(const struct raw *raw, const char *ufrag, const char *pwd)
{
    uint8_t buf[256];
    char username[ICE_UFRAG_MAX + 8];
    struct writer w = writer_of(buf, sizeof(buf));
    snprintf(username, sizeof(username), "%s:raw", ufrag);
    writer_u32(&w, 0x00010000);
    writer_u32(&w, 0x2112a442);
    writer_fill(&w, 5, 12);
    attribute(&w, USERNAME, username, strlen(username));
    attribute(&w, PRIORITY, "\x6e\x7f\xff\xff", 4);
    attribute(&w, CONTROLLING, "12345678", 8);
    send_raw(raw, buf, finish(&w, pwd));
}

static void answer_with_error(const struct raw *raw, const uint8_t *request, uint8_t class, uint8_t number)
{
    uint8_t buf[256];
    const uint8_t code[] = {0, 0, class, number};
    struct writer w = writer_of(buf, sizeof(buf));
    writer_u32(&w, 0x01110000);
    writer_bytes(&w, request + 4, 16); // cookie and transaction
    attribute(&w, ERROR_CODE, code, sizeof(code));
    send_raw(raw, buf, finish(&w, raw_pwd));
}

static void be_remote(const struct raw *raw, struct side *victim)
{
    char line[ICE_LINE_MAX];
    snprintf(line, sizeof(line), "candidate:1 1 udp 2113937151 127.0.0.1 %u typ host", raw->port);
    ice_agent_remote(victim->agent, "raw", raw_pwd);
    ice_agent_candidate(victim->agent, line);
    ice_agent_candidate(victim->agent, "");
}

static void errors_do_no_harm(void **state)
{
    (void)state;
    static const uint8_t errors[][2] = {{4, 3}, {5, 0}, {4, 87}, {4, 3}};
    struct side a;
    struct raw raw;
    unsigned answered = 0;
    open_side(&a, true);
    open_raw(&raw, &a);
    be_remote(&raw, &a);
    int64_t end_us = now_monotonic_us() + 20000000;
    while (answered < 4 && now_monotonic_us() < end_us) {
        uint8_t buf[512];
        turn(&a);
        if (recv(raw.fd, buf, sizeof(buf), MSG_DONTWAIT) >= 20 && buf[0] == 0 && buf[1] == 1) {
            answer_with_error(&raw, buf, errors[answered][0], errors[answered][1]);
            answered++;
        }
        poll(NULL, 0, 1);
    }
    assert_int_equal(answered, 4);
    turn(&a);
    assert_int_equal(a.paths, 0);
    close(raw.fd);
    close_side(&a);
}

static int first_answer(struct side *a, const struct raw *raw, uint8_t buf[512])
{
    for (unsigned i = 0; i < 2000; i++) {
        turn(a);
        int len = (int)recv(raw->fd, buf, 512, MSG_DONTWAIT);
        if (len > 0)
            return len;
        poll(NULL, 0, 1);
    }
    return -1;
}

// Whoever does not know the user name learns not even that somebody is here.
static void strangers_get_silence(void **state)
{
    (void)state;
    struct side a;
    struct raw raw;
    uint8_t buf[512];
    open_side(&a, true);
    open_raw(&raw, &a);
    send_request(&raw, "0000", raw_pwd);
    send_request(&raw, a.ufrag, a.pwd);
    assert_true(first_answer(&a, &raw, buf) > 20);
    assert_int_equal(rd16(buf), 0x0101); // success: the answer to the second
    assert_int_equal(recv(raw.fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
    close(raw.fd);
    close_side(&a);
}

static void answers_are_no_longer_than_questions(void **state)
{
    (void)state;
    struct side a;
    struct raw raw;
    uint8_t buf[512];
    open_side(&a, true);
    open_raw(&raw, &a);
    send_request(&raw, a.ufrag, "a wrong password......");
    int len = first_answer(&a, &raw, buf);
    assert_true(len < 20 + 4 + 8 + 8 + 12 + 24 + 8);
    assert_int_equal(rd16(buf), 0x0111);
    close(raw.fd);
    close_side(&a);
}

// One who has the password could make libnice remember an address per datagram.
static void too_many_addresses_end_the_agent(void **state)
{
    (void)state;
    struct side a;
    open_side(&a, true);
    for (unsigned i = 0; i < 2000 && !is_failed(&a); i++) {
        struct raw raw;
        open_raw(&raw, &a);
        send_request(&raw, a.ufrag, a.pwd);
        turn(&a);
        close(raw.fd);
    }
    assert_true(is_failed(&a));
    ice_agent_remote(a.agent, "raw", raw_pwd);
    ice_agent_restart(a.agent);
    ice_agent_candidate(a.agent, "");
    close_side(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_by_the_slow_door),
        cmocka_unit_test(one_side_may_have_twins),
        cmocka_unit_test(a_stranger_is_not_heard),
        cmocka_unit_test(consent_is_lost_and_found_again),
        cmocka_unit_test(a_path_may_change_without_restart),
        cmocka_unit_test(errors_do_no_harm),
        cmocka_unit_test(strangers_get_silence),
        cmocka_unit_test(answers_are_no_longer_than_questions),
        cmocka_unit_test(too_many_addresses_end_the_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
