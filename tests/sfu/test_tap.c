// Is a track of a call sent on to whoever was asked for, as plain RTP? (sfu/tap.c, sfu/audience.c)
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sfu/record_scene.h"

// Two UDP ports side by side; returns the lower one.
static uint16_t open_ports(int fd[2])
{
    for (unsigned tries = 0; tries < 100; tries++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(at);
        for (unsigned i = 0; i < 2; i++)
            fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(fd[0], (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(getsockname(fd[0], (struct sockaddr *)&at, &len), 0);
        uint16_t port = ntohs(at.sin_port);
        at.sin_port = htons((uint16_t)(port + 1));
        if (port < UINT16_MAX && bind(fd[1], (struct sockaddr *)&at, sizeof(at)) == 0)
            return port;
        close(fd[0]);
        close(fd[1]);
    }
    fail_msg("no two ports");
    return 0;
}

// What came: its number, and the SSRC of the last.
static unsigned take_packets(int fd, uint32_t *ssrc, size_t ssrc_at, uint8_t type)
{
    uint8_t buf[2048];
    unsigned count = 0;
    for (ssize_t n = recv(fd, buf, sizeof(buf), 0); n >= 12; n = recv(fd, buf, sizeof(buf), 0)) {
        assert_int_equal(type == RTCP_SR ? buf[1] : buf[1] & 0x7f, type);
        *ssrc = rd32(buf + ssrc_at);
        count++;
    }
    return count;
}

static void test_tap(void **state)
{
    (void)state;
    struct scene s;
    int fd[2];
    uint16_t port = open_ports(fd);
    char line[64];
    uint32_t ssrc = 0, report_ssrc = 0;
    unsigned packets = 0, reports = 0;
    raise_curtain(&s, false, NULL);
    struct actor *a = enter(&s, 1);
    sfu_tap_start(s.stage.sfu, ROOM, 31, a->peer, SFU_CAMERA, "127.0.0.1", port); // not published yet
    PLAY_UNTIL(&s, s.tap_events == 1);
    assert_true(s.tapped);
    assert_int_equal(s.tap_tag, 31);
    g_snprintf(line, sizeof(line), "m=video %u RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n", port);
    assert_non_null(strstr(s.tap_text, line));
    PLAY_UNTIL(&s, (packets += take_packets(fd[0], &ssrc, 8, PUPPET_VIDEO_PT)) >= 50);
    PLAY_UNTIL(&s, (reports += take_packets(fd[1], &report_ssrc, 4, RTCP_SR)) >= 2);
    assert_int_equal(ssrc, report_ssrc);

    sfu_mute(s.stage.sfu, ROOM, a->peer, SFU_CAMERA, true);
    play_for(&s, 0.3);
    take_packets(fd[0], &ssrc, 8, PUPPET_VIDEO_PT);
    play_for(&s, 0.5);
    assert_int_equal(take_packets(fd[0], &ssrc, 8, PUPPET_VIDEO_PT), 0);
    sfu_mute(s.stage.sfu, ROOM, a->peer, SFU_CAMERA, false);
    PLAY_UNTIL(&s, take_packets(fd[0], &ssrc, 8, PUPPET_VIDEO_PT));

    reload(&s, a); // it ends, and begins again
    PLAY_UNTIL(&s, s.tap_events == 3);
    assert_true(s.tapped);
    sfu_tap_start(s.stage.sfu, ROOM, 31, a->peer, SFU_MICROPHONE, "127.0.0.1", port); // in its place
    PLAY_UNTIL(&s, s.tap_events == 5);
    assert_true(s.tapped);
    g_snprintf(line, sizeof(line), "m=audio %u RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n", port);
    assert_non_null(strstr(s.tap_text, line));
    sfu_tap_stop(s.stage.sfu, ROOM, 31);
    PLAY_UNTIL(&s, !s.tapped);
    assert_int_equal(s.tap_reason, SFU_OK);
    sfu_ask_load(s.stage.sfu, 0);
    PLAY_UNTIL(&s, s.tapped_packets >= 50); // also of taps that are gone
    drop_curtain(&s);
    close(fd[0]);
    close(fd[1]);
}

static void test_wrong_taps(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        uint16_t port;
    } wrong[] = {{"localhost", 5000}, {"", 5000}, {"127.0.0.1", 0}, {"127.0.0.1", 65535}, {"::g", 5000}};
    struct scene s;
    raise_curtain(&s, false, NULL);
    struct actor *a = enter(&s, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        sfu_tap_start(s.stage.sfu, ROOM, i, a->peer, SFU_CAMERA, wrong[i].address, wrong[i].port);
        PLAY_UNTIL(&s, s.tap_events == i + 1);
        assert_int_equal(s.tap_reason, SFU_BAD_ADDRESS);
        assert_int_equal(s.tap_tag, i);
    }
    unsigned events = s.tap_events;
    for (unsigned i = 0; i <= SFU_TAPS_MAX; i++) // of somebody who never comes
        sfu_tap_start(s.stage.sfu, ROOM, 100 + i, 99, SFU_CAMERA, i % 2 ? "::1" : "127.0.0.1", 5000);
    PLAY_UNTIL(&s, s.tap_events == events + 1);
    assert_int_equal(s.tap_reason, SFU_TOO_MANY);
    assert_int_equal(s.tap_tag, 100 + SFU_TAPS_MAX);
    sfu_tap_stop(s.stage.sfu, ROOM, 7000); // there is none
    PLAY_UNTIL(&s, s.tap_tag == 7000);
    drop_curtain(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tap),
        cmocka_unit_test(test_wrong_taps),
    };
    return cmocka_run_group_tests(tests, rig_load_loops, rig_free_loops);
}
