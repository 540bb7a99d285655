// Does the media server say so when something is used up, and go on? (m-lines, media ports)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rtp/ext.h"
#include "tests/sfu/stage.h"

// With every media port taken an offer is refused rather than left without an answer.
static void test_no_free_port(void **state)
{
    (void)state;
    struct stage s;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(own);
    int taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(taken, (struct sockaddr *)&own, len), 0);
    assert_int_equal(getsockname(taken, (struct sockaddr *)&own, &len), 0);
    uint16_t port = ntohs(own.sin_port);
    begin_with(&s, &(struct sfu_config){.port_min = port, .port_max = port});
    struct actor *ann = join(&s, 1);
    UNTIL(&s, ann->refused);
    assert_int_equal(ann->reason, SFU_MEDIA_FAILED);
    assert_int_equal(ann->state, SFU_FAILED);
    close(taken);
    end(&s);
}

// An offer of many m-lines with long names; the first `sending` of them send.
static char *large_offer(unsigned count, unsigned sending)
{
    char fmtp[113];
    memset(fmtp, '7', sizeof(fmtp) - 1);
    fmtp[sizeof(fmtp) - 1] = 0;
    GString *sdp = g_string_new("v=0\r\no=- 77 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\n"
                                "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=fingerprint:sha-256 00");
    for (unsigned i = 1; i < 32; i++)
        g_string_append_printf(sdp, ":%02X", i);
    g_string_append(sdp, "\r\na=group:BUNDLE");
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(sdp, " %032u", i);
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(sdp,
                               "\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:%032u\r\na=%s\r\n"
                               "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 x=%s\r\na=rtpmap:97 rtx/90000\r\n"
                               "a=fmtp:97 apt=96\r\na=rtcp-fb:* nack\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:* ccm fir",
                               i, i < sending ? "sendonly" : "recvonly", fmtp);
        for (enum ext_house house = EXT_MID; house < EXT_HOUSE_COUNT; house++) {
            if (house == EXT_MID || house == EXT_TWCC || house == EXT_PLAYOUT_DELAY)
                g_string_append_printf(sdp, "\r\na=extmap:%d %s", house, ext_uri(house));
        }
    }
    g_string_append(sdp, "\r\n");
    assert_true(sdp->len < SFU_SDP_MAX);
    return g_string_free(sdp, FALSE);
}

static size_t answer_length(struct stage *s, uint64_t peer)
{
    size_t len = 0;
    int64_t deadline_us = now_monotonic_us() + DEADLINE_US;
    while (len == 0 && now_monotonic_us() < deadline_us) {
        struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
        poll(&fd, 1, 10);
        struct sfu_event *event;
        while ((event = sfu_next_event(s->sfu))) {
            if (event->type == SFU_ANSWER && event->peer == peer)
                len = strlen(event->text);
            sfu_event_free(event);
        }
    }
    return len;
}

// Our answer may be longer than any offer we take.
static void test_largest_answer(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    char user[SFU_USER_MAX + 1], *publishes = large_offer(SFU_TRACKS_MAX, SFU_TRACKS_MAX),
                                 *receives = large_offer(64, 0);
    memset(user, 'u', SFU_USER_MAX);
    user[SFU_USER_MAX] = 0;
    for (uint64_t peer = 1; peer <= 4; peer++) {
        sfu_join(s.sfu, ROOM, peer, user);
        sfu_offer(s.sfu, ROOM, peer, 1, publishes, NULL, 0);
        assert_true(answer_length(&s, peer) > 0);
    }
    sfu_join(s.sfu, ROOM, 5, user);
    sfu_offer(s.sfu, ROOM, 5, 1, receives, NULL, 0);
    assert_true(answer_length(&s, 5) > SFU_SDP_MAX);
    g_free(publishes);
    g_free(receives);
    end(&s);
}

// Joins and leaves again; returns why the peer is gone.
static enum sfu_reason try_to_join(struct stage *s, uint64_t room, uint64_t peer)
{
    enum sfu_reason reason = SFU_OK;
    int64_t deadline_us = now_monotonic_us() + DEADLINE_US;
    sfu_join(s->sfu, room, peer, "guest");
    sfu_leave(s->sfu, room, peer);
    while (reason == SFU_OK && now_monotonic_us() < deadline_us) {
        struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
        poll(&fd, 1, 10);
        struct sfu_event *event;
        while ((event = sfu_next_event(s->sfu))) {
            if (event->type == SFU_GONE && event->peer == peer)
                reason = event->reason;
            else
                hear(s, event);
            sfu_event_free(event);
        }
    }
    return reason;
}

// A worker that has too much to do takes nobody new, keeps those it has, and a new room goes to another.
static void test_busy_worker(void **state)
{
    (void)state;
    struct stage s;
    uint64_t guest = 100;
    begin_with(&s, &(struct sfu_config){.busy_max = 1});
    struct actor *ann = join(&s, 1);
    UNTIL(&s, all_connected(&s));
    enum sfu_reason reason;
    int64_t deadline_us = now_monotonic_us() + DEADLINE_US;
    do {
        for (unsigned i = 0; i < 20; i++)
            everybody_sends(&s);
        reason = try_to_join(&s, ROOM, ++guest);
    } while (reason == SFU_LEFT && now_monotonic_us() < deadline_us);
    assert_int_equal(reason, SFU_TOO_MANY);
    assert_int_equal(try_to_join(&s, ROOM + 1, ++guest), SFU_LEFT);
    assert_false(ann->gone);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_free_port),
        cmocka_unit_test(test_largest_answer),
        cmocka_unit_test(test_busy_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
