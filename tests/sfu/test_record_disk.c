// Does a full or a slow disk cost recording, and nothing else? (sfu/record_space.c, sfu/record_session.c,
// sfu/record_queue.c)
// SPDX-License-Identifier: MIT
//
// The writer's pwrite() is ours (--wrap): it can be told to fail or to block. A real full disk is a tmpfs, where the
// test may mount one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sfu/command.h"
#include "sfu/now.h"
#include "sfu/record.h"
#include "tests/sfu/record_rig.h"

enum { TURN_US = 20000, FASTER = 4, WAIT_US = 30 * RIG_SECOND_US };

// ---- the disk ----------------------------------------------------------------------------------------------------

enum disk { DISK_WELL, DISK_FULL, DISK_STUCK };
static atomic_int disk;
static atomic_uint stuck_count;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

// A full disk takes the beginning of what is written, as a real one would.
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (atomic_load(&disk) == DISK_FULL) {
        if (len > 1)
            return __real_pwrite(fd, data, len / 2, at);
        errno = ENOSPC;
        return -1;
    }
    atomic_fetch_add(&stuck_count, atomic_load(&disk) == DISK_STUCK);
    while (atomic_load(&disk) == DISK_STUCK)
        g_usleep(1000);
    return __real_pwrite(fd, data, len, at);
}

// ---- the studio --------------------------------------------------------------------------------------------------

struct studio {
    char *dir;
    struct mailbox events;
    struct recorder *recorder;
    struct record_queue *queue;
    struct rig_feed sound, video;
    int64_t now_us; // of the room; runs faster than the real clock
    bool on;
    enum sfu_reason reason;
    unsigned event_count;
};

static void begin_in(struct studio *s, char *dir, uint64_t quota_bytes, uint64_t floor_bytes)
{
    char err[256];
    *s = (struct studio){.dir = dir, .now_us = now_monotonic_us()};
    mailbox_init(&s->events, NULL, NULL);
    struct recorder_config cfg = {
        .dir = dir, .quota_bytes = quota_bytes, .free_floor_bytes = floor_bytes, .events = &s->events};
    s->recorder = recorder_new(&cfg, err, sizeof(err));
    assert_non_null(s->recorder);
    s->queue = record_queue_new(recorder_inbox(s->recorder));
    rig_begin(s->queue, "one", s->now_us);
    rig_begin_track(&s->sound, s->queue, 0, 11, "ana", SFU_MICROPHONE, opus, s->now_us);
    rig_begin_track(&s->video, s->queue, 1, 11, "ana", SFU_CAMERA, vp8, s->now_us);
    record_queue_flush(s->queue, s->now_us);
}

static void hear(struct studio *s)
{
    for (struct mail *mail = mailbox_take(&s->events), *next; mail; mail = next) {
        next = mail->next;
        struct sfu_event *event = event_of_mail(mail);
        s->on = event->on;
        s->reason = event->reason;
        s->event_count++;
        sfu_event_free(event);
    }
}

static void feed(struct studio *s)
{
    rig_feed_until(&s->sound, s->now_us);
    rig_feed_until(&s->video, s->now_us);
    record_queue_flush(s->queue, s->now_us);
    hear(s);
}

static void run(struct studio *s, double seconds)
{
    int64_t end_us = s->now_us + (int64_t)(seconds * RIG_SECOND_US);
    while (s->now_us < end_us) {
        g_usleep(TURN_US / FASTER);
        s->now_us += TURN_US;
        feed(s);
    }
}

static void run_until(struct studio *s, bool on, enum sfu_reason reason)
{
    unsigned count = s->event_count;
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    while (s->event_count == count || s->on != on || s->reason != reason) {
        if (now_monotonic_us() > deadline_us)
            fail_msg("no event %d %s", on, sfu_reason_name(reason));
        run(s, 0.02);
    }
}

static json_t *end(struct studio *s)
{
    rig_end(s->queue, s->now_us);
    recorder_free(s->recorder);
    hear(s);
    assert_false(s->on);
    mailbox_close(&s->events);
    json_t *m = rig_manifest(s->dir, "one");
    assert_string_equal(rig_text(m, "state"), "complete");
    return m;
}

// Every file that came to be plays; returns how many.
static unsigned check_files(const struct studio *s, const json_t *m)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig_file_count(m); i++) {
        if (strcmp(rig_text(rig_file(m, i), "state"), "missing") == 0)
            continue;
        rig_check_file(s->dir, "one", rig_file(m, i));
        count++;
    }
    return count;
}

static bool has_gap(const json_t *m, const char *reason, double least)
{
    for (size_t i = 0; i < rig_file_count(m); i++) {
        size_t k;
        json_t *gap;
        json_array_foreach(json_object_get(rig_file(m, i), "gaps"), k,
                           gap) if (strcmp(rig_text(gap, "reason"), reason) == 0 &&
                                    rig_number(gap, "duration") >= least) return true;
    }
    return false;
}

// ---- tests -------------------------------------------------------------------------------------------------------

static void test_writes_fail(void **state)
{
    (void)state;
    struct studio s;
    begin_in(&s, media_dir(), 0, 0);
    run(&s, 1.5);
    assert_true(s.on);
    assert_int_equal(s.reason, SFU_OK);
    atomic_store(&disk, DISK_FULL);
    run_until(&s, true, SFU_DISK_FULL);
    run(&s, 0.5);
    atomic_store(&disk, DISK_WELL);
    run_until(&s, true, SFU_OK);
    run(&s, 5); // a key frame comes with each turn of the loop
    json_t *m = end(&s);
    assert_int_equal(check_files(&s, m), 4);
    assert_true(has_gap(m, "disk", 0.5));
    assert_int_equal(rig_events(m, "paused"), 1);
    assert_int_equal(rig_events(m, "resumed"), 1);
    json_decref(m);
    media_remove(s.dir);
}

// What others put there counts; what they take away makes room again.
static void test_quota(void **state)
{
    (void)state;
    struct studio s;
    char *dir = media_dir(), *other = g_build_filename(dir, "other", NULL);
    char *ballast = g_build_filename(other, "ballast", NULL);
    char *zeros = g_malloc0(24 << 20);
    assert_int_equal(g_mkdir(other, 0700), 0);
    assert_true(g_file_set_contents(ballast, zeros, 24 << 20, NULL));
    g_free(zeros);
    begin_in(&s, dir, 20 << 20, 0);
    run_until(&s, true, SFU_DISK_FULL);
    run(&s, 0.5);
    assert_int_equal(g_unlink(ballast), 0);
    run_until(&s, true, SFU_OK);
    run(&s, 5);
    json_t *m = end(&s);
    assert_int_equal(check_files(&s, m), 2);
    assert_true(rig_number(rig_file(m, 0), "start") > 0.5);
    json_decref(m);
    media_remove(s.dir);
    g_free(other);
    g_free(ballast);
}

static void test_floor(void **state)
{
    (void)state;
    struct studio s;
    begin_in(&s, media_dir(), 0, UINT64_MAX / 4); // no disk has so much
    run_until(&s, true, SFU_DISK_FULL);
    run(&s, 0.5);
    json_t *m = end(&s);
    assert_int_equal(rig_file_count(m), 0);
    json_decref(m);
    media_remove(s.dir);
}

// The disk does not answer. Putting goes on as if nothing were: the queue fills, the rest is dropped, and afterwards
// there is a gap and a request for a key frame.
static void test_stuck(void **state)
{
    (void)state;
    struct studio s;
    begin_in(&s, media_dir(), 0, 0);
    run(&s, 1.5);
    atomic_store(&stuck_count, 0);
    atomic_store(&disk, DISK_STUCK);
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    while (!atomic_load(&stuck_count)) {
        assert_true(now_monotonic_us() < deadline_us);
        run(&s, 0.02);
    }
    uint64_t most = (uint64_t)RECORD_QUEUE_MAX / 100; // packets are larger than that
    while (!s.video.refused && s.video.puts < most) { // the room's time runs ahead
        s.now_us += TURN_US;
        feed(&s);
    }
    assert_true(s.video.refused > 0);
    s.now_us += 10 * RIG_SECOND_US;
    feed(&s);
    struct record_item lost[] = {{.kind = RECORD_LOST, .track = 0, .at_us = s.now_us},
                                 {.kind = RECORD_LOST, .track = 1, .at_us = s.now_us}};
    record_queue_put(s.queue, &lost[0], NULL, 0);
    record_queue_put(s.queue, &lost[1], NULL, 0);
    while (record_queue_take_keyframe(s.queue, 1))
        continue;
    atomic_store(&disk, DISK_WELL);
    deadline_us = now_monotonic_us() + WAIT_US;
    while (!record_queue_take_keyframe(s.queue, 1)) {
        assert_true(now_monotonic_us() < deadline_us);
        s.now_us += TURN_US;
        feed(&s);
        g_usleep(5000);
    }
    s.now_us += 6 * RIG_SECOND_US;
    feed(&s);
    json_t *m = end(&s);
    assert_int_equal(check_files(&s, m), 2);
    assert_true(has_gap(m, "disk", 5));
    json_decref(m);
    media_remove(s.dir);
}

static bool mount_tmpfs(const char *dir)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", dir, "tmpfs", 0, "size=1m") == 0;
}

static void test_small_disk(void **state)
{
    (void)state;
    struct studio s;
    char *dir = media_dir();
    if (!mount_tmpfs(dir)) {
        media_remove(dir);
        skip();
    }
    begin_in(&s, dir, 0, 0);
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    while (s.reason != SFU_DISK_FULL) { // a minute of the room in each second
        assert_true(now_monotonic_us() < deadline_us);
        s.now_us += RIG_SECOND_US;
        feed(&s);
        g_usleep(16000);
    }
    json_t *m = end(&s);
    assert_true(check_files(&s, m) >= 2);
    json_decref(m);
    assert_int_equal(umount(dir), 0);
    media_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_fail), cmocka_unit_test(test_quota),      cmocka_unit_test(test_floor),
        cmocka_unit_test(test_stuck),       cmocka_unit_test(test_small_disk),
    };
    return cmocka_run_group_tests(tests, rig_load_loops, rig_free_loops);
}
