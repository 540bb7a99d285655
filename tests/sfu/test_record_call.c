// Is a real call recorded, and is the call none the worse for it? (sfu/record_room.c, sfu/audience.c)
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

#include "tests/sfu/record_scene.h"

enum { LATE_MS = 1500 }; // how far durations may be from the truth on a machine with other things to do

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

// ---- what is found -----------------------------------------------------------------------------------------------

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

// When what happened in the call below, in seconds of its recording.
struct course {
    int64_t start_us;
    double muted; // for how long
    double b_end, b_start, c_start, c_end, stop;
};

static void begin_recording(struct scene *s, struct course *course)
{
    course->start_us = now_monotonic_us();
    sfu_record_start(s->stage.sfu, ROOM, 5, "call");
    sfu_record_note(s->stage.sfu, ROOM, "{\"type\":\"participant\",\"user\":\"user-1\",\"name\":\"Ana\"}");
    PLAY_UNTIL(s, s->recording_events == 1);
    assert_true(s->recording);
    assert_int_equal(s->recording_tag, 5);
    assert_string_equal(s->recording_text, "call");
    sfu_record_start(s->stage.sfu, ROOM, 6, "other"); // there is one already
    PLAY_UNTIL(s, s->recording_events == 2);
    assert_true(s->recording);
    assert_int_equal(s->recording_reason, SFU_TOO_MANY);
    play_for(s, 1);
}

static void mute_both(struct scene *s, const struct actor *a, bool muted)
{
    sfu_mute(s->stage.sfu, ROOM, a->peer, SFU_MICROPHONE, muted);
    sfu_mute(s->stage.sfu, ROOM, a->peer, SFU_CAMERA, muted);
}

// Somebody comes while the first is muted; the second reloads the page; who came goes again.
static void come_and_go(struct scene *s, struct course *course, struct actor *a, struct actor *b)
{
    mute_both(s, a, true);
    int64_t muted_us = now_monotonic_us();
    struct actor *c = enter(s, 3);
    PLAY_UNTIL(s, all_see_all(&s->stage));
    course->c_start = since(course->start_us);
    play_for(s, 1.5);
    mute_both(s, a, false);
    course->muted = since(muted_us);

    course->b_end = since(course->start_us);
    reload(s, b);
    PLAY_UNTIL(s, all_see_all(&s->stage));
    course->b_start = since(course->start_us);

    // The disk does not answer for two seconds: nobody in the call sees anything of it.
    forget_gaps(a);
    atomic_store(&disk_is_stuck, true);
    play_for(s, 2);
    atomic_store(&disk_is_stuck, false);
    expect_no_gaps(a);

    sfu_leave(s->stage.sfu, ROOM, c->peer);
    PLAY_UNTIL(s, c->gone);
    course->c_end = since(course->start_us);
    play_for(s, 0.5);
}

static void end_recording(struct scene *s, struct course *course)
{
    sfu_record_stop(s->stage.sfu, ROOM, 8);
    course->stop = since(course->start_us);
    PLAY_UNTIL(s, !s->recording);
    assert_int_equal(s->recording_reason, SFU_OK);
    assert_int_equal(s->recording_tag, 8);
    assert_string_equal(s->recording_text, "call");
    sfu_record_stop(s->stage.sfu, ROOM, 9); // none any more: harmless
    PLAY_UNTIL(s, s->recording_tag == 9);
    assert_false(s->recording);
}

static void check_manifest(const struct scene *s, const struct course *course)
{
    json_t *m = rig_manifest(s->dir, "call");
    assert_string_equal(rig_text(m, "state"), "complete");
    rig_near(rig_number(m, "duration"), course->stop, 0.1);
    assert_int_equal(json_array_size(json_object_get(m, "participants")), 3);
    assert_string_equal(rig_text(json_array_get(json_object_get(m, "participants"), 0), "name"), "Ana");
    assert_int_equal(rig_file_count(m), 8);
    check(s, m, "user-1", 0, 0, course->stop);
    check(s, m, "user-2", 0, 0, course->b_end);
    check(s, m, "user-2", 1, course->b_start, course->stop);
    check(s, m, "user-3", 0, course->c_start, course->c_end);
    rig_near(gap_length(find_file(m, "user-1", "microphone", 0), "muted"), course->muted, 0.2);
    rig_near(gap_length(find_file(m, "user-1", "camera", 0), "muted"), course->muted, 0.4);
    assert_int_equal(rig_events(m, "joined"), 3);
    assert_int_equal(rig_events(m, "left"), 1);
    assert_int_equal(rig_events(m, "muted"), 2);
    json_decref(m);
}

// The command is `cat`: its output is the manifest.
static void check_hook(struct scene *s)
{
    char *hook_log = g_build_filename(s->dir, "call", "hook.log", NULL);
    char *hook_exit = g_build_filename(s->dir, "call", "hook.exit", NULL);
    PLAY_UNTIL(s, g_file_test(hook_exit, G_FILE_TEST_EXISTS));
    json_t *given = json_load_file(hook_log, 0, NULL);
    assert_string_equal(rig_text(given, "state"), "complete");
    json_decref(given);
    g_free(hook_log);
    g_free(hook_exit);
}

static void test_a_call(void **state)
{
    (void)state;
    struct scene s;
    struct course course;
    raise_curtain(&s, true, "cat");
    struct actor *a = enter(&s, 1), *b = enter(&s, 2);
    PLAY_UNTIL(&s, all_see_all(&s.stage));
    begin_recording(&s, &course);
    come_and_go(&s, &course, a, b);
    end_recording(&s, &course);
    check_manifest(&s, &course);
    check_hook(&s);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call),        cmocka_unit_test(test_ends_with_the_room),
        cmocka_unit_test(test_cannot_record), cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_loss),
    };
    return cmocka_run_group_tests(tests, rig_load_loops, rig_free_loops);
}
