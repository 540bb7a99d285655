// Is a real call recorded, and is the call none the worse for it? (sfu/record_room.c, sfu/tap.c, sfu/audience.c)
// SPDX-License-Identifier: MIT
//
// The real sfu with its threads, and puppets that send what a browser once sent, in real time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "rtp/rtcp.h"
#include "tests/sfu/record_rig.h"
#include "tests/sfu/stage.h"

enum {
    LATE_MS = 1500, // how far durations may be from the truth on a machine with other things to do
    WALL_OFFSET_US = 50 * RIG_SECOND_US, // puppets' wall clocks minus ours
};

static atomic_bool disk_is_stuck, disk_is_full;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    while (atomic_load(&disk_is_stuck))
        g_usleep(1000);
    struct stat st;
    bool grows = fstat(fd, &st) == 0 && at + (off_t)len > st.st_size; // what is there already can be changed
    if (grows && atomic_load(&disk_is_full)) {
        errno = ENOSPC;
        return -1;
    }
    return __real_pwrite(fd, data, len, at);
}

// ---- what puppets send -------------------------------------------------------------------------------------------

static struct rig_loop *vp8, *opus;

// One stream of a puppet. It begins its loop anew, with the key frame, when it is asked for one.
struct voice {
    struct actor *actor;
    const struct rig_loop *loop;
    unsigned next;
    int64_t start_us, turn_us; // first packet; first packet of this turn
    uint16_t seq;
    uint32_t ts;
    int64_t report_us;
};

struct scene {
    struct stage stage;
    struct voice voices[2 * CAST_MAX];
    unsigned voice_count;
    char *dir;
    unsigned loss_percent; // of what puppets send

    // the last of each
    bool recording, tapped;
    enum sfu_reason recording_reason, tap_reason;
    char *recording_text, *tap_text;
    uint64_t recording_tag, tap_tag;
    unsigned recording_events, tap_events;
};

static bool is_video(const struct voice *v)
{
    return codec_is_video(v->loop->codec);
}

static uint32_t ts_at(const struct voice *v, int64_t now_us)
{
    return v->ts + (uint32_t)ntp_us_to_ts(now_us - v->start_us, codec_clock_hz(v->loop->codec));
}

static void send_packet(struct voice *v, bool is_lost)
{
    const struct rig_packet *p = &v->loop->packet[v->next];
    uint8_t buf[2048];
    struct rtp rtp;
    assert_int_equal(rtp_parse(&rtp, p->data, p->len), RTP_OK);
    struct rtp head = {.ts = ts_at(v, v->turn_us + p->at_us),
                       .ssrc = puppet_ssrc(v->actor->puppet, is_video(v)),
                       .seq = v->seq++,
                       .pt = is_video(v) ? PUPPET_VIDEO_PT : PUPPET_AUDIO_PT,
                       .marker = rtp.marker};
    rtp_header_write(&head, false, buf, sizeof(buf));
    memcpy(buf + RTP_HEADER_LEN, p->data + rtp.payload_off, rtp.payload_len);
    if (rtp.payload_len && !is_lost)
        puppet_send_rtp(v->actor->puppet, buf, RTP_HEADER_LEN + (size_t)rtp.payload_len);
}

static void send_report(struct voice *v, int64_t now_us)
{
    uint8_t buf[256];
    struct rtcp_sr sr = {.ssrc = puppet_ssrc(v->actor->puppet, is_video(v)),
                         .ntp = ntp_from_us(now_wall_us() + WALL_OFFSET_US),
                         .ts = ts_at(v, now_us)};
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_sr_write(&w, &sr, NULL, 0);
    rtcp_sdes_write(&w, sr.ssrc, "puppet", 6);
    puppet_send_rtcp(v->actor->puppet, buf, writer_len(&w), sizeof(buf));
}

static void speak(struct voice *v, unsigned loss_percent, int64_t now_us)
{
    if (!puppet_is_connected(v->actor->puppet) || v->actor->gone)
        return;
    if (!v->start_us)
        v->start_us = v->turn_us = now_us;
    if (is_video(v) && v->actor->keyframe_next) {
        v->actor->keyframe_next = false;
        v->next = 0;
        v->turn_us = now_us;
    }
    while (v->turn_us + v->loop->packet[v->next].at_us <= now_us) {
        send_packet(v, (unsigned)g_random_int_range(0, 100) < loss_percent);
        if (++v->next < v->loop->count)
            continue;
        v->next = 0;
        v->turn_us += v->loop->period_us;
    }
    if (now_us < v->report_us)
        return;
    v->report_us = now_us + RIG_SECOND_US;
    send_report(v, now_us);
}

// ---- the scene ---------------------------------------------------------------------------------------------------

static void note(struct scene *s, const struct sfu_event *event)
{
    if (event->type == SFU_RECORDING) {
        s->recording = event->on;
        s->recording_reason = event->reason;
        s->recording_tag = event->tag;
        s->recording_events++;
        g_free(s->recording_text);
        s->recording_text = g_strdup(event->text);
        return;
    }
    s->tapped = event->on;
    s->tap_reason = event->reason;
    s->tap_tag = event->tag;
    s->tap_events++;
    g_free(s->tap_text);
    s->tap_text = g_strdup(event->text);
}

static void play(struct scene *s)
{
    struct stage *stage = &s->stage;
    struct pollfd fds[CAST_MAX + 1] = {{.fd = stage->wake_fd, .events = POLLIN}};
    for (unsigned i = 0; i < stage->count; i++)
        fds[i + 1] = (struct pollfd){.fd = puppet_fd(stage->cast[i].puppet), .events = POLLIN};
    poll(fds, stage->count + 1, 2);
    uint64_t count;
    ssize_t n = read(stage->wake_fd, &count, sizeof(count));
    (void)n;
    for (struct sfu_event *event; (event = sfu_next_event(stage->sfu)); sfu_event_free(event)) {
        if (event->type == SFU_RECORDING || event->type == SFU_TAP)
            note(s, event);
        else
            hear(stage, event);
    }
    for (unsigned i = 0; i < stage->count; i++) {
        puppet_rx(stage->cast[i].puppet, now_monotonic_us());
        puppet_tick(stage->cast[i].puppet, now_monotonic_us());
    }
    for (unsigned i = 0; i < s->voice_count; i++)
        speak(&s->voices[i], s->loss_percent, now_monotonic_us());
}

#define PLAY_UNTIL(scene, condition)                                                                                 \
    do {                                                                                                             \
        int64_t deadline_us = now_monotonic_us() + 3 * (int64_t)DEADLINE_US;                                         \
        while (!(condition)) {                                                                                       \
            if (now_monotonic_us() > deadline_us)                                                                    \
                fail_msg("waited in vain for: %s", #condition);                                                      \
            play(scene);                                                                                             \
        }                                                                                                            \
    } while (0)

static void play_for(struct scene *s, double seconds)
{
    int64_t end_us = now_monotonic_us() + (int64_t)(seconds * RIG_SECOND_US);
    while (now_monotonic_us() < end_us)
        play(s);
}

static struct actor *enter(struct scene *s, uint64_t peer)
{
    struct actor *a = join(&s->stage, peer);
    s->voices[s->voice_count++] = (struct voice){.actor = a, .loop = opus};
    s->voices[s->voice_count++] = (struct voice){.actor = a, .loop = vp8};
    return a;
}

static void raise_curtain(struct scene *s, bool recorder, const char *hook)
{
    *s = (struct scene){.dir = recorder ? media_dir() : NULL};
    begin_with(&s->stage, &(struct sfu_config){.record_dir = s->dir, .record_hook = hook});
}

static void drop_curtain(struct scene *s)
{
    end(&s->stage);
    if (s->dir)
        media_remove(s->dir);
    g_free(s->recording_text);
    g_free(s->tap_text);
}

static void reload(struct scene *s, struct actor *a)
{
    char sdp[PUPPET_SDP_MAX];
    puppet_free(a->puppet);
    a->puppet = new_puppet(&s->stage, a);
    a->state = SFU_NEW;
    a->seen_count = 0;
    for (unsigned i = 0; i < s->voice_count; i++)
        if (s->voices[i].actor == a)
            s->voices[i] = (struct voice){.actor = a, .loop = s->voices[i].loop, .ts = g_random_int()};
    puppet_offer(a->puppet, sdp);
    sfu_offer(s->stage.sfu, ROOM, a->peer, 42, sdp, NULL, 0);
}

static const json_t *find_file(const json_t *m, const char *user, const char *source, unsigned nth)
{
    for (size_t i = 0; i < rig_file_count(m); i++) {
        const json_t *file = rig_file(m, i);
        if (strcmp(rig_text(file, "user"), user) == 0 && strcmp(rig_text(file, "source"), source) == 0 && nth-- == 0)
            return file;
    }
    fail_msg("no file of %s %s", user, source);
    return NULL;
}

// It begins and ends when the test knows it did.
static void check(const struct scene *s, const json_t *m, const char *user, unsigned nth, double start, double end)
{
    static const char *const sources[] = {"microphone", "camera"};
    for (unsigned i = 0; i < 2; i++) {
        const json_t *file = find_file(m, user, sources[i], nth);
        rig_near(rig_number(file, "start"), start, LATE_MS / 1000.0);
        rig_near(rig_number(file, "start") + rig_number(file, "duration"), end, LATE_MS / 1000.0);
        assert_string_equal(rig_text(file, "state"), "complete");
        rig_check_file(s->dir, "call", file);
    }
}

static double gap_length(const json_t *file, const char *reason)
{
    double length = 0;
    size_t i;
    const json_t *gap;
    json_array_foreach(json_object_get(file, "gaps"), i, gap) if (strcmp(rig_text(gap, "reason"), reason) == 0)
        length += rig_number(gap, "duration");
    return length;
}

static double since(int64_t from_us)
{
    return (double)(now_monotonic_us() - from_us) / RIG_SECOND_US;
}

// ---- tests -------------------------------------------------------------------------------------------------------

static void forget_gaps(struct actor *a)
{
    for (unsigned i = 0; i < a->seen_count; i++)
        a->seen[i].gaps = 0;
}

static void expect_no_gaps(const struct actor *a)
{
    for (unsigned i = 0; i < a->seen_count; i++)
        assert_int_equal(a->seen[i].gaps, 0);
}

static void test_a_call(void **state)
{
    (void)state;
    struct scene s;
    raise_curtain(&s, true, "cat");
    struct actor *a = enter(&s, 1), *b = enter(&s, 2);
    PLAY_UNTIL(&s, all_see_all(&s.stage));

    int64_t start_us = now_monotonic_us();
    sfu_record_start(s.stage.sfu, ROOM, 5, "call");
    sfu_record_note(s.stage.sfu, ROOM, "{\"type\":\"participant\",\"user\":\"user-1\",\"name\":\"Ana\"}");
    PLAY_UNTIL(&s, s.recording_events == 1);
    assert_true(s.recording);
    assert_int_equal(s.recording_tag, 5);
    assert_string_equal(s.recording_text, "call");
    sfu_record_start(s.stage.sfu, ROOM, 6, "other"); // there is one already
    PLAY_UNTIL(&s, s.recording_events == 2);
    assert_true(s.recording);
    assert_int_equal(s.recording_reason, SFU_TOO_MANY);
    play_for(&s, 1);

    sfu_mute(s.stage.sfu, ROOM, a->peer, SFU_MICROPHONE, true);
    sfu_mute(s.stage.sfu, ROOM, a->peer, SFU_CAMERA, true);
    int64_t muted_us = now_monotonic_us();
    struct actor *c = enter(&s, 3);
    PLAY_UNTIL(&s, all_see_all(&s.stage));
    double c_start = since(start_us);
    play_for(&s, 1.5);
    sfu_mute(s.stage.sfu, ROOM, a->peer, SFU_MICROPHONE, false);
    sfu_mute(s.stage.sfu, ROOM, a->peer, SFU_CAMERA, false);
    double muted = since(muted_us);

    double b_end = since(start_us);
    reload(&s, b);
    PLAY_UNTIL(&s, all_see_all(&s.stage));
    double b_start = since(start_us);

    // The disk does not answer for two seconds: nobody in the call sees anything of it.
    forget_gaps(a);
    atomic_store(&disk_is_stuck, true);
    play_for(&s, 2);
    atomic_store(&disk_is_stuck, false);
    expect_no_gaps(a);

    sfu_leave(s.stage.sfu, ROOM, c->peer);
    PLAY_UNTIL(&s, c->gone);
    double c_end = since(start_us);
    play_for(&s, 0.5);
    sfu_record_stop(s.stage.sfu, ROOM, 8);
    double stop = since(start_us);
    PLAY_UNTIL(&s, !s.recording);
    assert_int_equal(s.recording_reason, SFU_OK);
    assert_int_equal(s.recording_tag, 8);
    assert_string_equal(s.recording_text, "call");
    sfu_record_stop(s.stage.sfu, ROOM, 9); // none any more: harmless
    PLAY_UNTIL(&s, s.recording_tag == 9);
    assert_false(s.recording);

    json_t *m = rig_manifest(s.dir, "call");
    assert_string_equal(rig_text(m, "state"), "complete");
    rig_near(rig_number(m, "duration"), stop, 0.1);
    assert_int_equal(json_array_size(json_object_get(m, "participants")), 3);
    assert_string_equal(rig_text(json_array_get(json_object_get(m, "participants"), 0), "name"), "Ana");
    assert_int_equal(rig_file_count(m), 8);
    check(&s, m, "user-1", 0, 0, stop);
    check(&s, m, "user-2", 0, 0, b_end);
    check(&s, m, "user-2", 1, b_start, stop);
    check(&s, m, "user-3", 0, c_start, c_end);
    rig_near(gap_length(find_file(m, "user-1", "microphone", 0), "muted"), muted, 0.2);
    rig_near(gap_length(find_file(m, "user-1", "camera", 0), "muted"), muted, 0.4);
    assert_int_equal(rig_events(m, "joined"), 3);
    assert_int_equal(rig_events(m, "left"), 1);
    assert_int_equal(rig_events(m, "muted"), 2);
    json_decref(m);

    char *hook_log = g_build_filename(s.dir, "call", "hook.log", NULL);
    char *hook_exit = g_build_filename(s.dir, "call", "hook.exit", NULL);
    PLAY_UNTIL(&s, g_file_test(hook_exit, G_FILE_TEST_EXISTS));
    json_t *given = json_load_file(hook_log, 0, NULL); // the command is `cat`: its output is the manifest
    assert_string_equal(rig_text(given, "state"), "complete");
    json_decref(given);
    g_free(hook_log);
    g_free(hook_exit);
    drop_curtain(&s);
}

// The disk is full for two seconds: the host hears of it, the files have a hole, the call has none.
static void test_full_disk(void **state)
{
    (void)state;
    struct scene s;
    raise_curtain(&s, true, NULL);
    struct actor *a = enter(&s, 1);
    enter(&s, 2);
    PLAY_UNTIL(&s, all_see_all(&s.stage));
    sfu_record_start(s.stage.sfu, ROOM, 5, "call");
    PLAY_UNTIL(&s, s.recording);
    play_for(&s, 1);
    forget_gaps(a);
    atomic_store(&disk_is_full, true);
    PLAY_UNTIL(&s, s.recording_reason == SFU_DISK_FULL);
    play_for(&s, 2);
    atomic_store(&disk_is_full, false);
    PLAY_UNTIL(&s, s.recording_reason == SFU_OK);
    play_for(&s, 2);
    expect_no_gaps(a);
    sfu_record_stop(s.stage.sfu, ROOM, 6);
    PLAY_UNTIL(&s, !s.recording);
    json_t *m = rig_manifest(s.dir, "call");
    assert_int_equal(rig_events(m, "paused"), 1);
    assert_int_equal(rig_events(m, "resumed"), 1);
    assert_true(rig_file_count(m) >= 8); // each track before and after
    for (size_t i = 0; i < rig_file_count(m); i++)
        if (strcmp(rig_text(rig_file(m, i), "state"), "complete") == 0)
            rig_check_file(s.dir, "call", rig_file(m, i));
    json_decref(m);
    drop_curtain(&s);
}

static double longest_gap(const json_t *file)
{
    double longest = 0;
    size_t i;
    const json_t *gap;
    json_array_foreach(json_object_get(file, "gaps"), i, gap) longest = MAX(longest, rig_number(gap, "duration"));
    return longest;
}

// Every twentieth packet is lost on the way to us, for good: puppets send nothing again.
static void test_loss(void **state)
{
    (void)state;
    struct scene s;
    raise_curtain(&s, true, NULL);
    enter(&s, 1);
    PLAY_UNTIL(&s, all_connected(&s.stage));
    s.loss_percent = 5;
    int64_t start_us = now_monotonic_us();
    sfu_record_start(s.stage.sfu, ROOM, 5, "call");
    play_for(&s, 8);
    sfu_record_stop(s.stage.sfu, ROOM, 6);
    double end = since(start_us);
    PLAY_UNTIL(&s, s.recording_tag == 6);
    json_t *m = rig_manifest(s.dir, "call");
    check(&s, m, "user-1", 0, 0, end);
    double video_gap = longest_gap(find_file(m, "user-1", "camera", 0));
    const json_t *sound = find_file(m, "user-1", "microphone", 0);
    print_message("5 %% loss, nothing sent again: video gaps %.2f s at most, %.0f sound packets lost of %.0f\n",
                  video_gap, rig_number(sound, "packets_lost"),
                  rig_number(sound, "frames") + rig_number(sound, "packets_lost"));
    assert_true(video_gap < 3);
    assert_true(longest_gap(sound) < 0.5);
    assert_true(rig_number(sound, "packets_lost") > 0);
    json_decref(m);
    drop_curtain(&s);
}

// The room ends, or the server, with a recording under way: it is complete.
static void test_ends_with_the_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct scene s;
        raise_curtain(&s, true, NULL);
        enter(&s, 1);
        PLAY_UNTIL(&s, all_connected(&s.stage));
        sfu_record_start(s.stage.sfu, ROOM, 5, "call");
        PLAY_UNTIL(&s, s.recording);
        play_for(&s, 1);
        if (i == 0) {
            sfu_close(s.stage.sfu, ROOM);
            PLAY_UNTIL(&s, !s.recording);
            assert_int_equal(s.recording_reason, SFU_CLOSED);
            assert_int_equal(s.recording_tag, 5);
        }
        end(&s.stage);
        json_t *m = rig_manifest(s.dir, "call");
        assert_string_equal(rig_text(m, "state"), "complete");
        assert_int_equal(rig_file_count(m), 2);
        rig_check_file(s.dir, "call", rig_file(m, 0));
        json_decref(m);
        media_remove(s.dir);
        g_free(s.recording_text);
    }
}

static void test_cannot_record(void **state)
{
    (void)state;
    struct scene s;
    raise_curtain(&s, false, NULL);
    enter(&s, 1);
    sfu_record_start(s.stage.sfu, ROOM, 5, "call");
    PLAY_UNTIL(&s, s.recording_events == 1);
    assert_false(s.recording);
    assert_int_equal(s.recording_reason, SFU_DISK_FAILED);
    drop_curtain(&s);

    raise_curtain(&s, true, NULL);
    enter(&s, 1);
    sfu_record_start(s.stage.sfu, ROOM, 5, "../call");
    PLAY_UNTIL(&s, s.recording_events == 1);
    assert_false(s.recording);
    PLAY_UNTIL(&s, all_connected(&s.stage));
    sfu_record_start(s.stage.sfu, ROOM, 6, "call"); // another try
    PLAY_UNTIL(&s, s.recording);
    drop_curtain(&s);

    char err[256] = "";
    assert_null(sfu_new(&(struct sfu_config){.workers = 1, .record_dir = "/proc/nowhere"}, err, sizeof(err)));
    assert_non_null(strstr(err, "/proc/nowhere"));
}

// ---- taps --------------------------------------------------------------------------------------------------------

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
        cmocka_unit_test(test_a_call),        cmocka_unit_test(test_ends_with_the_room),
        cmocka_unit_test(test_cannot_record), cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_loss),          cmocka_unit_test(test_tap),
        cmocka_unit_test(test_wrong_taps),
    };
    vp8 = rig_loop_new("vp8", 96, CODEC_VP8);
    opus = rig_loop_new("vp8", 111, CODEC_OPUS);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    rig_loop_free(vp8);
    rig_loop_free(opus);
    return rc;
}
