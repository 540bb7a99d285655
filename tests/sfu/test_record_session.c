// Does a recording say and hold what happened in the room? (sfu/record_session.c, sfu/record_track.c, sfu/record.c)
// SPDX-License-Identifier: MIT
//
// The real writer thread; the room's time is made up and runs faster.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#include "sfu/command.h"
#include "sfu/now.h"
#include "sfu/record.h"
#include "tests/sfu/record_rig.h"

enum { TURN_US = 20000, WAIT_US = 20 * RIG_SECOND_US };

struct studio {
    char *dir;
    struct mailbox events;
    struct recorder *recorder;
    struct record_queue *queue;
    int64_t now_us;
    struct sfu_event last; // without its texts
    char *last_text;
    unsigned event_count;
};

static void begin(struct studio *s)
{
    char err[256];
    *s = (struct studio){.dir = media_dir(), .now_us = 1000 * (int64_t)RIG_SECOND_US};
    mailbox_init(&s->events, NULL, NULL);
    struct recorder_config cfg = {.dir = s->dir, .events = &s->events};
    s->recorder = recorder_new(&cfg, err, sizeof(err));
    assert_non_null(s->recorder);
    s->queue = record_queue_new(recorder_inbox(s->recorder));
    rig_begin(s->queue, "one", s->now_us);
    record_queue_flush(s->queue, s->now_us);
}

static void hear(struct studio *s)
{
    for (struct mail *mail = mailbox_take(&s->events), *next; mail; mail = next) {
        next = mail->next;
        struct sfu_event *event = event_of_mail(mail);
        assert_int_equal(event->type, SFU_RECORDING);
        g_free(s->last_text);
        s->last = *event;
        s->last_text = g_strdup(event->text);
        s->event_count++;
        sfu_event_free(event);
    }
}

static void until_event(struct studio *s, unsigned count)
{
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    for (hear(s); s->event_count < count; hear(s)) {
        struct pollfd events = {.fd = s->events.fd, .events = POLLIN};
        if (now_monotonic_us() > deadline_us)
            fail_msg("no event");
        poll(&events, 1, 100);
    }
}

// Feeds `count` tracks for so long.
static void run(struct studio *s, struct rig_feed *feeds, unsigned count, double seconds)
{
    int64_t end_us = s->now_us + (int64_t)(seconds * RIG_SECOND_US);
    while (s->now_us < end_us) {
        s->now_us += TURN_US;
        for (unsigned i = 0; i < count; i++)
            rig_feed_until(&feeds[i], s->now_us);
        record_queue_flush(s->queue, s->now_us);
    }
}

// Ends the recording, and the writer.
static json_t *end(struct studio *s)
{
    rig_end(s->queue, s->now_us);
    until_event(s, 2);
    assert_false(s->last.on);
    assert_int_equal(s->last.reason, SFU_OK);
    assert_int_equal(s->last.tag, 2);
    assert_string_equal(s->last_text, "one");
    recorder_free(s->recorder);
    json_t *manifest = rig_manifest(s->dir, "one");
    assert_string_equal(rig_text(manifest, "state"), "complete");
    return manifest;
}

static void forget(struct studio *s, json_t *manifest)
{
    json_decref(manifest);
    mailbox_close(&s->events);
    g_free(s->last_text);
    media_remove(s->dir);
}

static json_t *gap_of(const json_t *file, const char *reason)
{
    size_t i;
    json_t *gap;
    json_array_foreach(json_object_get(file, "gaps"), i,
                       gap) if (strcmp(rig_text(gap, "reason"), reason) == 0) return gap;
    fail_msg("no gap by %s", reason);
    return NULL;
}

// Her microphone and her camera.
static void begin_ana(struct studio *s, struct rig_feed feeds[2])
{
    rig_begin_track(&feeds[0], s->queue, 0, 11, "ana", SFU_MICROPHONE, opus, s->now_us);
    rig_begin_track(&feeds[1], s->queue, 1, 11, "ana", SFU_CAMERA, vp8, s->now_us);
}

// ---- tests -------------------------------------------------------------------------------------------------------

static void test_a_room(void **state)
{
    (void)state;
    struct studio s;
    struct rig_feed feeds[4];
    begin(&s);
    until_event(&s, 1);
    assert_true(s.last.on);
    assert_int_equal(s.last.tag, 1);
    assert_string_equal(s.last_text, "one");
    rig_person(s.queue, RECORD_JOINED, 11, "ana", s.now_us);
    rig_person(s.queue, RECORD_NOTE, 0, "{\"type\":\"room\",\"id\":\"blue\",\"number\":9}", s.now_us);
    rig_person(s.queue, RECORD_NOTE, 0, "{\"type\":\"participant\",\"user\":\"ana\",\"name\":\"Ana \\u00c9\"}",
               s.now_us);
    rig_person(s.queue, RECORD_NOTE, 0, "{\"type\":\"hand\",\"user\":\"ana\"}", s.now_us);
    rig_person(s.queue, RECORD_NOTE, 0, "[]", s.now_us);
    begin_ana(&s, feeds);
    run(&s, feeds, 2, 5);
    rig_person(s.queue, RECORD_JOINED, 12, "../b", s.now_us);
    rig_begin_track(&feeds[2], s.queue, 2, 12, "../b", SFU_SCREEN, h264, s.now_us);
    run(&s, feeds, 3, 5);
    rig_person(s.queue, RECORD_SPEAKER, 11, "ana", s.now_us);
    rig_end_track(&feeds[2], s.now_us);
    rig_person(s.queue, RECORD_LEFT, 12, "../b", s.now_us);
    run(&s, feeds, 2, 2);

    json_t *m = end(&s);
    rig_near(rig_number(m, "duration"), 12, 0.03);
    assert_string_equal(rig_text(m, "started"), "2023-11-14T22:30:00.000Z");
    assert_string_equal(rig_text(json_object_get(m, "room"), "id"), "blue");
    assert_int_equal(rig_number(json_object_get(m, "room"), "number"), 7);
    json_t *ana = json_array_get(json_object_get(m, "participants"), 0);
    assert_string_equal(rig_text(ana, "user"), "ana");
    assert_string_equal(rig_text(ana, "name"), "Ana \xc3\x89");
    assert_int_equal(rig_file_count(m), 3);
    static const struct {
        const char *file, *user, *source, *kind, *codec;
        double start, duration;
    } files[] = {{"1-microphone-ana.webm", "ana", "microphone", "audio", "opus", 0, 12},
                 {"2-camera-ana.webm", "ana", "camera", "video", "vp8", 0, 12},
                 {"3-screen-___b.mkv", "../b", "screen", "video", "h264", 5, 5}};
    for (size_t i = 0; i < 3; i++) {
        json_t *file = rig_file(m, i);
        assert_string_equal(rig_text(file, "file"), files[i].file);
        assert_string_equal(rig_text(file, "user"), files[i].user);
        assert_string_equal(rig_text(file, "source"), files[i].source);
        assert_string_equal(rig_text(file, "kind"), files[i].kind);
        assert_string_equal(rig_text(file, "codec"), files[i].codec);
        assert_string_equal(rig_text(file, "state"), "complete");
        rig_near(rig_number(file, "start"), files[i].start, 0.1);
        rig_near(rig_number(file, "duration"), files[i].duration, 0.1);
        assert_int_equal(json_array_size(json_object_get(file, "gaps")), 0);
        rig_check_file(s.dir, "one", file);
    }
    assert_int_equal(rig_events(m, "joined"), 2);
    assert_int_equal(rig_events(m, "left"), 1);
    assert_int_equal(rig_events(m, "published"), 3);
    assert_int_equal(rig_events(m, "unpublished"), 1);
    assert_int_equal(rig_events(m, "speaker"), 1);
    assert_int_equal(rig_events(m, "hand"), 1);
    forget(&s, m);
}

// Muted is not recorded: a gap of the right length, at the right place, and after it everything is in time.
static void test_mute(void **state)
{
    (void)state;
    struct studio s;
    struct rig_feed feeds[2];
    begin(&s);
    begin_ana(&s, feeds);
    run(&s, feeds, 2, 3.01); // in the middle of whatever is sent
    rig_mute(&feeds[0], true, s.now_us);
    rig_mute(&feeds[1], true, s.now_us);
    int64_t muted_us = s.now_us;
    run(&s, feeds, 2, 4);
    rig_mute(&feeds[0], false, s.now_us);
    rig_mute(&feeds[1], false, s.now_us);
    run(&s, feeds, 2, 5);
    json_t *m = end(&s);
    double at = (double)(muted_us - 1000 * (int64_t)RIG_SECOND_US) / RIG_SECOND_US;
    assert_int_equal(rig_file_count(m), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *file = rig_file(m, i), *gap = gap_of(file, "muted");
        assert_int_equal(json_array_size(json_object_get(file, "gaps")), 1);
        rig_near(rig_number(gap, "start"), at, 0.1);
        // The picture comes back with the next key frame, which the loop has every four seconds.
        rig_near(rig_number(gap, "duration"), i == 0 ? 4 : 4.8, 0.2);
        rig_near(rig_number(file, "duration"), 12, 0.15);
        rig_check_file(s.dir, "one", file);
    }
    assert_int_equal(rig_events(m, "muted"), 2);
    assert_int_equal(rig_events(m, "unmuted"), 2);
    forget(&s, m);
}

// Packets lost for good: the files play, sound keeps its length, gaps are bounded by the next key frame.
static void test_loss(void **state)
{
    (void)state;
    struct studio s;
    struct rig_feed feeds[2];
    begin(&s);
    begin_ana(&s, feeds);
    run(&s, feeds, 2, 4);
    feeds[0].loss_percent = feeds[1].loss_percent = 5;
    run(&s, feeds, 2, 40);
    feeds[0].loss_percent = feeds[1].loss_percent = 0;
    run(&s, feeds, 2, 8);
    json_t *m = end(&s);
    json_t *sound = rig_file(m, 0), *video = rig_file(m, 1);
    rig_near(rig_number(sound, "duration"), 52, 0.1);
    rig_near(rig_number(sound, "packets_lost"), 100, 60);
    rig_near(rig_number(sound, "missing"), 2, 1.2);
    rig_near(rig_number(video, "duration"), 52, 0.1);
    assert_true(rig_number(video, "packets_lost") > 10);
    gap_of(video, "lost");
    rig_check_file(s.dir, "one", sound);
    rig_check_file(s.dir, "one", video);
    forget(&s, m);
}

// The publisher reloads its page: new tracks, new files, in time with the old ones.
static void test_reload(void **state)
{
    (void)state;
    struct studio s;
    struct rig_feed feeds[2];
    begin(&s);
    for (unsigned round = 0; round < 3; round++) {
        begin_ana(&s, feeds);
        run(&s, feeds, 2, 3);
        rig_end_track(&feeds[0], s.now_us);
        rig_end_track(&feeds[1], s.now_us);
        run(&s, feeds, 0, 1);
    }
    json_t *m = end(&s);
    assert_int_equal(rig_file_count(m), 6);
    for (size_t i = 0; i < 6; i++) {
        rig_near(rig_number(rig_file(m, i), "start"), (double)(i / 2) * 4, 0.1);
        rig_near(rig_number(rig_file(m, i), "duration"), 3, 0.1);
        rig_check_file(s.dir, "one", rig_file(m, i));
    }
    forget(&s, m);
}

// Key frames are asked for when pictures are missing, and when the queue was full.
static void test_wants_keyframe(void **state)
{
    (void)state;
    struct studio s;
    struct rig_feed feed;
    begin(&s);
    rig_begin_track(&feed, s.queue, 0, 11, "ana", SFU_CAMERA, vp8, s.now_us);
    run(&s, &feed, 1, 2);
    while (record_queue_take_keyframe(s.queue, 0))
        continue;
    feed.next += 3; // lost for good
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    run(&s, &feed, 1, 1);
    while (!record_queue_take_keyframe(s.queue, 0)) {
        assert_true(now_monotonic_us() < deadline_us);
        g_usleep(5000);
    }
    forget(&s, end(&s));
}

// What cannot begin says so, and takes no harm from what follows.
static void test_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "", ".hidden", "../up", "a/b"};
    struct studio s;
    begin(&s);
    until_event(&s, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        struct record_queue *queue = record_queue_new(recorder_inbox(s.recorder));
        struct rig_feed feed;
        rig_begin(queue, names[i], s.now_us);
        rig_begin_track(&feed, queue, 0, 11, "ana", SFU_MICROPHONE, opus, s.now_us);
        rig_feed_until(&feed, s.now_us + RIG_SECOND_US);
        record_queue_flush(queue, s.now_us);
        until_event(&s, 2 + i);
        assert_false(s.last.on);
        assert_int_equal(s.last.reason, SFU_DISK_FAILED);
        assert_non_null(s.last_text);
        assert_true(record_queue_is_refused(queue));
        rig_end(queue, s.now_us);
    }
    s.event_count = 1;
    forget(&s, end(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_room), cmocka_unit_test(test_mute),           cmocka_unit_test(test_loss),
        cmocka_unit_test(test_reload), cmocka_unit_test(test_wants_keyframe), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, rig_load_loops, rig_free_loops);
}
