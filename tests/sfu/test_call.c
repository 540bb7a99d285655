// Does a whole call work over real sockets, and does nothing an outsider sends change it?
// SPDX-License-Identifier: MIT
//
// The real sfu with its threads, and puppets (tests/puppet) in place of browsers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rtp/bytes.h"
#include "rtp/ext.h"
#include "sfu/now.h"
#include "sfu/sfu.h"
#include "tests/puppet/puppet.h"

enum {
    CAST_MAX = 4,
    ROOM = 7,
    DEADLINE_US = 10000000,
    PACKET_LEN = 200,
    SEEN_MAX = 64,
};

// One participant of the test.
struct actor {
    uint64_t peer;
    char user[16];
    struct puppet *puppet;
    struct stage *stage;
    uint16_t audio_seq, video_seq;
    uint32_t ts;
    bool keyframe_next;

    // what it received, by SSRC
    struct {
        uint32_t ssrc;
        uint64_t packets, keyframes;
        uint16_t last_seq;
        uint64_t gaps;
    } seen[SEEN_MAX];
    unsigned seen_count;
    uint64_t audio_packets, video_packets, rtcp_packets;

    // what it was told
    unsigned answers, offers, accepted, refused, tracks;
    enum sfu_reason reason;
    enum sfu_state state;
    bool gone;
};

struct stage {
    struct sfu *sfu;
    int wake_fd;
    struct dtls_cert *cert;
    struct actor cast[CAST_MAX];
    unsigned count;
    bool room_freed;
    uint64_t speaker;
    char *stats;
};

static void wake(void *arg)
{
    uint64_t one = 1;
    struct stage *s = arg;
    ssize_t n = write(s->wake_fd, &one, sizeof(one));
    (void)n;
}

static void on_rtp(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us)
{
    struct actor *a = arg;
    (void)puppet;
    (void)now_us;
    assert_true(len >= 12);
    uint32_t ssrc = rd32(data + 8);
    uint16_t seq = rd16(data + 2);
    unsigned i = 0;
    while (i < a->seen_count && a->seen[i].ssrc != ssrc)
        i++;
    assert_true(i < SEEN_MAX);
    if (i == a->seen_count)
        a->seen[a->seen_count++].ssrc = ssrc;
    else if ((uint16_t)(seq - a->seen[i].last_seq) != 1)
        a->seen[i].gaps++;
    a->seen[i].last_seq = seq;
    a->seen[i].packets++;
    if ((data[1] & 0x7f) == PUPPET_AUDIO_PT)
        a->audio_packets++;
    else
        a->video_packets++;
}

// A PLI (RFC 4585 section 6.3.1) makes the next picture a key frame, as in a browser.
static void on_rtcp(void *arg, struct puppet *puppet, const uint8_t *data, size_t len, int64_t now_us)
{
    struct actor *a = arg;
    (void)puppet;
    (void)now_us;
    a->rtcp_packets++;
    for (size_t at = 0; at + 4 <= len; at += 4 + 4 * (size_t)rd16(data + at + 2)) {
        if (data[at + 1] == 206 && (data[at] & 31) == 1)
            a->keyframe_next = true;
    }
}

static void begin_with(struct stage *s, const struct sfu_config *base)
{
    static const char *const bind[] = {"127.0.0.1", NULL};
    char err[256] = "";
    memset(s, 0, sizeof(*s));
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct sfu_config cfg = *base;
    cfg.workers = 2;
    cfg.bind_address = bind;
    cfg.wake = wake;
    cfg.wake_arg = s;
    s->sfu = sfu_new(&cfg, err, sizeof(err));
    if (!s->sfu)
        fail_msg("%s", err);
    s->cert = dtls_cert_new();
}

static void begin(struct stage *s)
{
    begin_with(s, &(struct sfu_config){0});
}

static void end(struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++)
        puppet_free(s->cast[i].puppet);
    sfu_free(s->sfu);
    dtls_cert_free(s->cert);
    close(s->wake_fd);
    g_free(s->stats);
}

static struct actor *actor_of(struct stage *s, uint64_t peer)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].peer == peer)
            return &s->cast[i];
    }
    return NULL;
}

static void hear(struct stage *s, const struct sfu_event *event)
{
    struct actor *a = actor_of(s, event->peer);
    char sdp[PUPPET_SDP_MAX];
    switch (event->type) {
    case SFU_OFFER:
        a->offers++;
        puppet_answer(a->puppet, event->text, sdp);
        sfu_answer(s->sfu, ROOM, a->peer, 1, sdp, NULL, 0);
        break;
    case SFU_ANSWER:
        a->answers++;
        puppet_take_answer(a->puppet, event->text);
        break;
    case SFU_ACCEPTED:
        a->accepted++;
        break;
    case SFU_REFUSED:
        a->refused++;
        a->reason = event->reason;
        break;
    case SFU_STATE:
        a->state = event->state;
        break;
    case SFU_TRACKS:
        a->tracks = (unsigned)event->track_count;
        break;
    case SFU_GONE:
        a->gone = true;
        a->reason = event->reason;
        break;
    case SFU_ROOM_FREED:
        s->room_freed = true;
        break;
    case SFU_SPEAKER:
        s->speaker = event->peer;
        break;
    case SFU_STATS_DATA:
        g_free(s->stats);
        s->stats = g_strdup(event->text);
        break;
    default:
        break;
    }
}

static void step(struct stage *s)
{
    struct pollfd fds[CAST_MAX + 1] = {{.fd = s->wake_fd, .events = POLLIN}};
    for (unsigned i = 0; i < s->count; i++)
        fds[i + 1] = (struct pollfd){.fd = puppet_fd(s->cast[i].puppet), .events = POLLIN};
    poll(fds, s->count + 1, 2);
    uint64_t count;
    ssize_t n = read(s->wake_fd, &count, sizeof(count));
    (void)n;
    struct sfu_event *event;
    while ((event = sfu_next_event(s->sfu))) {
        hear(s, event);
        sfu_event_free(event);
    }
    for (unsigned i = 0; i < s->count; i++) {
        puppet_rx(s->cast[i].puppet, now_monotonic_us());
        puppet_tick(s->cast[i].puppet, now_monotonic_us());
    }
}

// Runs the stage until a condition holds; fails the test when it does not in time.
#define UNTIL(stage, condition)                                                                                      \
    do {                                                                                                             \
        int64_t deadline_us = now_monotonic_us() + DEADLINE_US;                                                      \
        while (!(condition)) {                                                                                       \
            if (now_monotonic_us() > deadline_us)                                                                    \
                fail_msg("waited in vain for: %s", #condition);                                                      \
            step(stage);                                                                                             \
        }                                                                                                            \
    } while (0)

static struct puppet *new_puppet(struct stage *s, struct actor *a)
{
    struct puppet_config cfg = {.cert = s->cert,
                                .audio = true,
                                .video = true,
                                .audio_ssrc = 1000 * (uint32_t)a->peer + g_random_int_range(1, 100) * 4,
                                .handlers = {.rtp = on_rtp, .rtcp = on_rtcp},
                                .arg = a};
    cfg.video_ssrc = cfg.audio_ssrc + 1;
    return puppet_new(&cfg);
}

static struct actor *join(struct stage *s, uint64_t peer)
{
    char sdp[PUPPET_SDP_MAX];
    struct actor *a = &s->cast[s->count];
    *a = (struct actor){.peer = peer, .stage = s, .keyframe_next = true};
    g_snprintf(a->user, sizeof(a->user), "user-%u", (unsigned)peer);
    a->puppet = new_puppet(s, a);
    s->count++;
    sfu_join(s->sfu, ROOM, peer, a->user);
    puppet_offer(a->puppet, sdp);
    sfu_offer(s->sfu, ROOM, peer, 42, sdp, NULL, 0);
    return a;
}

static void write_one(struct actor *a, bool video, uint8_t buf[PACKET_LEN + CIPHER_TRAILER_MAX])
{
    memset(buf, 0, PACKET_LEN);
    buf[0] = 0x80;
    buf[1] = video ? 0x80 | PUPPET_VIDEO_PT : PUPPET_AUDIO_PT;
    wr16(buf + 2, video ? a->video_seq++ : a->audio_seq++);
    wr32(buf + 4, a->ts += 960);
    wr32(buf + 8, puppet_ssrc(a->puppet, video));
    if (!video) {
        buf[12] = 0x78; // an Opus frame of 20 ms
        return;
    }
    // RFC 7741: a one-packet frame; the key frame says 320x180 (RFC 6386 section 9.1).
    static const uint8_t key[] = {0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0}, delta[] = {0x10, 0x11, 0, 0};
    memcpy(buf + 12, a->keyframe_next ? key : delta, a->keyframe_next ? sizeof(key) : sizeof(delta));
    a->keyframe_next = false;
}

static void send_one(struct actor *a, bool video)
{
    uint8_t buf[PACKET_LEN + CIPHER_TRAILER_MAX];
    write_one(a, video, buf);
    puppet_send_rtp(a->puppet, buf, PACKET_LEN);
}

static void everybody_sends(struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        send_one(&s->cast[i], false);
        send_one(&s->cast[i], true);
    }
    step(s);
}

static bool all_connected(const struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].state != SFU_CONNECTED || !puppet_is_connected(s->cast[i].puppet))
            return false;
    }
    return true;
}

// Everybody has an m-line for every other's audio and video, and nothing is left to negotiate.
static bool all_see_all(const struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].tracks != 2 * (s->count - 1) || s->cast[i].accepted < s->cast[i].offers)
            return false;
    }
    return all_connected(s);
}

static bool all_receive(struct stage *s, uint64_t packets)
{
    everybody_sends(s);
    for (unsigned i = 0; i < s->count; i++) {
        if (s->cast[i].audio_packets < packets || s->cast[i].video_packets < packets)
            return false;
    }
    return true;
}

static void forget(struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++)
        s->cast[i].audio_packets = s->cast[i].video_packets = 0;
}

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
    assert_non_null(strstr(s.stats, "state=connected"));
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
    g_free(s.stats);
    s.stats = NULL;
    sfu_ask_stats(s.sfu, ROOM, 1); // comes after the mutes: from here on nothing of a is forwarded
    UNTIL(&s, s.stats != NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_hear_each_other), cmocka_unit_test(test_mute_stops_and_resumes),
        cmocka_unit_test(test_leaving_frees),         cmocka_unit_test(test_reload),
        cmocka_unit_test(test_ice_restart),           cmocka_unit_test(test_wrong_descriptions),
        cmocka_unit_test(test_random_datagrams),      cmocka_unit_test(test_spoilt_srtp),
        cmocka_unit_test(test_hello_from_elsewhere),  cmocka_unit_test(test_lite),
        cmocka_unit_test(test_largest_answer),        cmocka_unit_test(test_no_free_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
