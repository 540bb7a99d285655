// Does a whole call work over real sockets, and does nothing an outsider sends change it?
// SPDX-License-Identifier: MIT
//
// The real sfu with its threads, and puppets (tests/puppet) in place of browsers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sfu/stage.h"

enum {
    LISTENS_US = 1500000, // longer than somebody must be silent for us to be patient (sfu/transport.c)
    FRAME_US = 10000,
};

// ---- tests -------------------------------------------------------------------------------------------------------

static void test_three_hear_each_other(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    for (uint64_t peer = 1; peer <= 3; peer++)
        join(&s, peer);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 200));
    for (unsigned i = 0; i < s.count; i++) {
        assert_int_equal(s.cast[i].seen_count, 4); // two others, audio and video each
        for (unsigned k = 0; k < 4; k++) {
            assert_int_equal(s.cast[i].seen[k].gaps, 0);
            assert_true(s.cast[i].seen[k].packets > 50);
        }
    }
    sfu_ask_stats(s.sfu, ROOM, 9);
    UNTIL(&s, s.stats != NULL);
    static const char *const said[] = {
        "peer=",    "state=connected", "publisher=",      "source=camera", "\nlayer=0 ",
        " bps=",    " received=",      " jitter_us=",     " expected=",    "subscriber=",
        " rtt_us=", " spatial=",       " fraction_lost=", " tx_bytes="};
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++)
        assert_non_null(strstr(s.stats, said[i]));
    end(&s);
}

// What all workers said under that key, together.
static int64_t ask_load(struct stage *s, const char *key)
{
    char *wanted = g_strdup_printf(" %s=", key);
    int64_t sum = 0;
    g_string_truncate(s->load, 0);
    s->loads = 0;
    sfu_ask_load(s->sfu, 5);
    UNTIL(s, s->loads == sfu_worker_count(s->sfu));
    for (const char *at = s->load->str; (at = strstr(at, wanted)); at++)
        sum += g_ascii_strtoll(at + strlen(wanted), NULL, 10);
    g_free(wanted);
    return sum;
}

static void test_workers_remember_who_is_gone(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1), *b = join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    assert_int_equal(ask_load(&s, "peers"), 2);
    assert_int_equal(ask_load(&s, "rooms"), 1);
    assert_int_equal(ask_load(&s, "connected"), 2);
    assert_int_equal(ask_load(&s, "dtls_failed"), 0);
    assert_true(ask_load(&s, "cpu_us") > 0);
    assert_true(ask_load(&s, "rx_packets") > 0);
    int64_t sent = ask_load(&s, "tx_packets");
    assert_true(sent > 0);
    sfu_leave(s.sfu, ROOM, a->peer);
    sfu_leave(s.sfu, ROOM, b->peer);
    UNTIL(&s, s.room_freed);
    assert_int_equal(ask_load(&s, "rooms"), 0);
    assert_int_equal(ask_load(&s, "connected"), 2);
    assert_true(ask_load(&s, "tx_packets") >= sent);
    end(&s);
}

static void test_no_tick_is_later_than_the_server_is_old(void **state)
{
    (void)state;
    struct stage s;
    int64_t before_us = now_monotonic_us();
    begin(&s);
    join(&s, 1);
    UNTIL(&s, s.cast[0].state == SFU_CONNECTED);
    int64_t late_us = ask_load(&s, "late_us");
    assert_true(late_us <= sfu_worker_count(s.sfu) * (now_monotonic_us() - before_us));
    end(&s);
}

static void test_mute_stops_and_resumes(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1), *b = join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));

    sfu_mute(s.sfu, ROOM, a->peer, SFU_CAMERA, true);
    sfu_mute(s.sfu, ROOM, a->peer, SFU_MICROPHONE, true);
    // The first answer comes after the mutes: nothing of a is forwarded any more. The second comes a turn later: what
    // was forwarded before has been sent, too.
    for (unsigned i = 0; i < 2; i++) {
        g_clear_pointer(&s.stats, g_free);
        sfu_ask_stats(s.sfu, ROOM, 1 + i);
        UNTIL(&s, s.stats != NULL);
    }
    UNTIL(&s, (step(&s), forget(&s), true));
    for (unsigned i = 0; i < 50; i++)
        everybody_sends(&s);
    assert_int_equal(b->audio_packets, 0);
    assert_int_equal(b->video_packets, 0);
    assert_true(a->video_packets > 0); // b's are heard as before

    a->keyframe_next = false;
    sfu_mute(s.sfu, ROOM, a->peer, SFU_CAMERA, false);
    sfu_mute(s.sfu, ROOM, a->peer, SFU_MICROPHONE, false);
    UNTIL(&s, all_receive(&s, 20)); // needs the key frame that the sfu asks for
    for (unsigned k = 0; k < b->seen_count; k++)
        assert_int_equal(b->seen[k].gaps, 0);
    end(&s);
}

// RFC 4585 sections 6.2.1 and 6.3.1: one of the packets of the stream it has seen first is missing; it needs a key
// frame.
static void send_nack(struct actor *a, uint16_t seq)
{
    uint8_t buf[16 + CIPHER_TRAILER_MAX] = {0x81, 205, 0, 3, 0, 0, 0, 1};
    wr32(buf + 8, a->seen[0].ssrc);
    wr16(buf + 12, seq);
    assert_true(puppet_send_rtcp(a->puppet, buf, 16, sizeof(buf)));
}

static void send_pli(struct actor *a)
{
    uint8_t buf[12 + CIPHER_TRAILER_MAX] = {0x81, 206, 0, 2, 0, 0, 0, 1};
    wr32(buf + 8, a->seen[0].ssrc);
    assert_true(puppet_send_rtcp(a->puppet, buf, 12, sizeof(buf)));
}

static void play_to_listeners(struct stage *s, struct actor *a)
{
    const int64_t end_us = now_monotonic_us() + LISTENS_US;
    for (int64_t next_us = 0; now_monotonic_us() < end_us; step(s)) {
        if (now_monotonic_us() < next_us)
            continue;
        send_one(a, true);
        next_us = now_monotonic_us() + FRAME_US;
    }
}

// What somebody sends who has sent nothing for a while waits for a tick, and is heard.
static void test_who_only_listens_is_heard(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1), *b = join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    play_to_listeners(&s, a);
    assert_int_equal(b->seen_count, 1);
    for (unsigned asked = 1; asked <= 3; asked++) { // the first while we are patient, the others not
        send_nack(b, (uint16_t)(b->seen[0].last_seq - asked));
        UNTIL(&s, b->seen_count == 2 && b->seen[1].packets == asked); // by RTX
    }
    play_to_listeners(&s, a);
    assert_false(a->keyframe_next);
    send_pli(b);
    UNTIL(&s, a->keyframe_next);
    sfu_ask_stats(s.sfu, ROOM, 9);
    UNTIL(&s, s.stats != NULL);
    assert_int_equal(g_ascii_strtoll(strstr(s.stats, " rx_packets=") + strlen(" rx_packets="), NULL, 10),
                     a->video_seq);
    end(&s);
}

static void test_leaving_frees(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1), *b = join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    sfu_leave(s.sfu, ROOM, a->peer);
    UNTIL(&s, a->gone);
    assert_int_equal(a->reason, SFU_LEFT);
    UNTIL(&s, b->tracks == 0);
    assert_false(s.room_freed);
    sfu_close(s.sfu, ROOM);
    UNTIL(&s, s.room_freed);
    assert_true(b->gone);
    assert_int_equal(b->reason, SFU_CLOSED);
    sfu_leave(s.sfu, ROOM, b->peer); // too late: dropped
    end(&s);
}

// The page is loaded anew: another RTCPeerConnection of the same participant takes the place of the old one.
static void test_reload(void **state)
{
    (void)state;
    char sdp[PUPPET_SDP_MAX];
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1), *b = join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    for (unsigned round = 0; round < 3; round++) {
        puppet_free(a->puppet);
        a->puppet = new_puppet(&s, a);
        a->seen_count = 0;
        a->audio_seq = a->video_seq = 0;
        a->state = SFU_NEW;
        forget(&s);
        puppet_offer(a->puppet, sdp);
        sfu_offer(s.sfu, ROOM, a->peer, 42, sdp, NULL, 0);
        UNTIL(&s, all_see_all(&s));
        UNTIL(&s, all_receive(&s, 20));
    }
    assert_int_equal(b->refused, 0);
    end(&s);
}

// Another network: the browser restarts ICE from another socket; keys and streams go on.
static void test_ice_restart(void **state)
{
    (void)state;
    char sdp[PUPPET_SDP_MAX];
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1);
    join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    unsigned answers = a->answers, seen = a->seen_count;
    puppet_move(a->puppet);
    puppet_restart_ice(a->puppet);
    puppet_reoffer(a->puppet, sdp);
    sfu_offer(s.sfu, ROOM, a->peer, 43, sdp, NULL, 0);
    UNTIL(&s, a->answers == answers + 1);
    forget(&s);
    UNTIL(&s, all_receive(&s, 20));
    assert_int_equal(a->seen_count, seen); // the same streams
    end(&s);
}

static void test_wrong_descriptions(void **state)
{
    (void)state;
    static const struct {
        const char *sdp;
        enum sfu_reason reason;
    } cases[] = {
        {"", SFU_BAD_SDP},
        {"hello", SFU_BAD_SDP},
        {"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", SFU_BAD_SDP}};
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1);
    join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned refused = a->refused;
        sfu_offer(s.sfu, ROOM, a->peer, 5, cases[i].sdp, NULL, 0);
        UNTIL(&s, a->refused == refused + 1);
        assert_int_equal(a->reason, cases[i].reason);
    }
    unsigned refused = a->refused;
    sfu_answer(s.sfu, ROOM, a->peer, 5, cases[2].sdp, NULL, 0);
    sfu_candidate(s.sfu, ROOM, a->peer, 5, "0", "candidate:nonsense");
    UNTIL(&s, a->refused == refused + 2);
    assert_int_equal(a->reason, SFU_BAD_CANDIDATE);
    UNTIL(&s, all_receive(&s, 20));
    end(&s);
}

// ---- what outsiders send -----------------------------------------------------------------------------------------

static void expect_unharmed(struct stage *s)
{
    forget(s);
    UNTIL(s, all_receive(s, 50));
    assert_true(all_connected(s));
    for (unsigned i = 0; i < s->count; i++) {
        assert_int_equal(s->cast[i].seen_count, 2 * (s->count - 1));
        for (unsigned k = 0; k < s->cast[i].seen_count; k++)
            assert_int_equal(s->cast[i].seen[k].gaps, 0);
    }
}

static void send_from(int fd, const struct sockaddr_in *to, const void *data, size_t len)
{
    ssize_t n = sendto(fd, data, len, 0, (const struct sockaddr *)to, sizeof(*to));
    (void)n;
}

// Random bytes that look like STUN, DTLS, RTP and RTCP, from outside and from the participant's own address.
static void test_random_datagrams(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1);
    join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    struct sockaddr_in to = puppet_remote(a->puppet);
    int outsider = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint8_t junk[1200];
    for (unsigned i = 0; i < 2000; i++) {
        size_t len = (size_t)g_random_int_range(0, sizeof(junk));
        for (size_t k = 0; k < len; k++)
            junk[k] = (uint8_t)g_random_int();
        static const uint8_t first[] = {0, 1, 20, 22, 23, 64, 128, 144, 191, 255};
        if (len && i % 2)
            junk[0] = first[i % sizeof(first)];
        if (len > 12 && i % 3 == 0)
            wr32(junk + 8, puppet_ssrc(a->puppet, i % 2)); // forged into a real stream
        send_from(outsider, &to, junk, len);
        puppet_send_raw(a->puppet, junk, len);
        if (i % 10 == 0)
            everybody_sends(&s);
    }
    close(outsider);
    expect_unharmed(&s);
    end(&s);
}

// Sealed packets again, cut short, with a bit changed, and from another address.
static void test_spoilt_srtp(void **state)
{
    (void)state;
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1);
    join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    struct sockaddr_in to = puppet_remote(a->puppet);
    int outsider = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (unsigned i = 0; i < 300; i++) {
        uint8_t buf[PACKET_LEN + CIPHER_TRAILER_MAX], spoilt[sizeof(buf)];
        write_one(a, i % 2, buf);
        size_t len = puppet_seal_rtp(a->puppet, buf, PACKET_LEN);
        memcpy(spoilt, buf, len);
        spoilt[i % len] ^= 1; // before the good one: nothing of it may be remembered
        puppet_send_raw(a->puppet, spoilt, len);
        puppet_send_raw(a->puppet, buf, (size_t)g_random_int_range(0, (int)len));
        send_from(outsider, &to, buf, len);
        puppet_send_raw(a->puppet, buf, len);
        puppet_send_raw(a->puppet, buf, len); // replayed
        send_from(outsider, &to, buf, len);
        step(&s);
    }
    close(outsider);
    expect_unharmed(&s);
    end(&s);
}

// A real ClientHello from an address that ICE has not validated, before and during a call (CVE-2023-49786).
static void test_hello_from_elsewhere(void **state)
{
    (void)state;
    gchar *hello[2];
    gsize len[2];
    for (unsigned i = 0; i < 2; i++) {
        char *path = g_strdup_printf("%s/dtls-clienthello/chromium156-clienthello-%u.bin", VECTORS, i + 1);
        assert_true(g_file_get_contents(path, &hello[i], &len[i], NULL));
        g_free(path);
    }
    struct stage s;
    begin(&s);
    struct actor *a = join(&s, 1);
    join(&s, 2);
    int outsider = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    UNTIL(&s, a->answers == 1); // now the port is known
    struct sockaddr_in to = puppet_remote(a->puppet);
    for (unsigned i = 0; i < 50; i++) {
        send_from(outsider, &to, hello[0], len[0]);
        send_from(outsider, &to, hello[1], len[1]);
        step(&s);
    }
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    for (unsigned i = 0; i < 50; i++) {
        send_from(outsider, &to, hello[0], len[0]);
        puppet_send_raw(a->puppet, hello[0], len[0]);
        puppet_send_raw(a->puppet, hello[1], len[1]);
        step(&s);
    }
    uint8_t answer[2048]; // silence: no reflection of traffic
    assert_int_equal(recv(outsider, answer, sizeof(answer), MSG_DONTWAIT), -1);
    close(outsider);
    expect_unharmed(&s);
    end(&s);
    g_free(hello[0]);
    g_free(hello[1]);
}

static void test_lite(void **state)
{
    (void)state;
    struct stage s;
    begin_with(&s, &(struct sfu_config){.ice_lite = true, .port_min = 45000, .port_max = 45100});
    struct actor *a = join(&s, 1);
    join(&s, 2);
    UNTIL(&s, all_see_all(&s));
    UNTIL(&s, all_receive(&s, 20));
    unsigned port = ntohs(puppet_remote(a->puppet).sin_port);
    assert_in_range(port, 45000, 45100);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers_remember_who_is_gone),
        cmocka_unit_test(test_no_tick_is_later_than_the_server_is_old),
        cmocka_unit_test(test_three_hear_each_other),
        cmocka_unit_test(test_mute_stops_and_resumes),
        cmocka_unit_test(test_who_only_listens_is_heard),
        cmocka_unit_test(test_leaving_frees),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_ice_restart),
        cmocka_unit_test(test_wrong_descriptions),
        cmocka_unit_test(test_random_datagrams),
        cmocka_unit_test(test_spoilt_srtp),
        cmocka_unit_test(test_hello_from_elsewhere),
        cmocka_unit_test(test_lite),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
