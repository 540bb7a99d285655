// Is what was recorded there after kill -9, and does the hook run once? (sfu/record.c, sfu/record_recover.c,
// record_hook.c)
// SPDX-License-Identifier: MIT
//
// Recorders in processes of their own, fed in real time and killed at random moments, all at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sfu/command.h"
#include "sfu/now.h"
#include "sfu/record.h"
#include "tests/sfu/record_rig.h"

enum {
    PROCESSES = 10,
    TURN_US = 20000,
    LATE_US = 1000000, // how much may be missing at the end
    WAIT_US = 30 * RIG_SECOND_US,
    KILL_MIN_MS = 800,
    KILL_MAX_MS = 3000,
};

// What a process tells before it dies, in memory it shares with the test.
struct diary {
    volatile int64_t fed_us; // how much of the recording was put
    volatile int ended;      // RECORD_END was put
};

struct victim {
    pid_t pid;
    char *dir, *hook;
    struct diary *diary;
};

// Leaves a line in the file `ran` for each run, beside the recordings.
static char *hook_of(const char *dir)
{
    return g_strdup_printf("cat >%s.stdin; ran() { echo \"$1\" >>%s.ran; }; ran", dir, dir);
}

// The process: records until it is killed, or for `end_after_us`.
static void live(const struct victim *v, int64_t end_after_us)
{
    char err[256];
    struct mailbox events;
    mailbox_init(&events, NULL, NULL);
    struct recorder_config cfg = {.dir = v->dir, .hook = v->hook, .events = &events};
    struct recorder *recorder = recorder_new(&cfg, err, sizeof(err));
    struct record_queue *queue = record_queue_new(recorder_inbox(recorder));
    struct rig_feed feeds[2];
    int64_t start_us = now_monotonic_us();
    rig_begin(queue, "one", start_us);
    rig_begin_track(&feeds[0], queue, 0, 11, "ana", SFU_MICROPHONE, opus, start_us);
    rig_begin_track(&feeds[1], queue, 1, 11, "ana", SFU_CAMERA, vp8, start_us);
    for (int64_t now_us = start_us; !end_after_us || now_us < start_us + end_after_us; now_us = now_monotonic_us()) {
        rig_feed_until(&feeds[0], now_us);
        rig_feed_until(&feeds[1], now_us);
        record_queue_flush(queue, now_us);
        v->diary->fed_us = now_us - start_us;
        g_usleep(TURN_US);
    }
    rig_end(queue, now_monotonic_us());
    v->diary->ended = 1;
    for (;;)
        pause();
}

static void start(struct victim *v, int64_t end_after_us)
{
    v->dir = media_dir();
    v->hook = hook_of(v->dir);
    v->diary = mmap(NULL, sizeof(*v->diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(v->diary != MAP_FAILED);
    v->pid = fork();
    assert_true(v->pid >= 0);
    if (v->pid == 0)
        live(v, end_after_us);
}

static void kill_now(struct victim *v)
{
    kill(v->pid, SIGKILL);
    waitpid(v->pid, NULL, 0);
}

static char *beside(const struct victim *v, const char *what)
{
    return g_strdup_printf("%s.%s", v->dir, what);
}

static unsigned runs(const struct victim *v)
{
    char *path = beside(v, "ran"), *text = NULL;
    unsigned count = 0;
    if (g_file_get_contents(path, &text, NULL, NULL))
        for (const char *at = text; *at; at++)
            count += *at == '\n';
    g_free(text);
    g_free(path);
    return count;
}

// Has the hook come to its end? It says so itself, whoever started it.
static bool has_exited(const struct victim *v)
{
    char *path = g_build_filename(v->dir, "one", "hook.exit", NULL);
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    return exists;
}

// The next start of a server on this directory: runs until the hook has.
static unsigned restart(struct victim *v, bool *interrupted)
{
    char err[256];
    struct mailbox events;
    mailbox_init(&events, NULL, NULL);
    struct recorder_config cfg = {.dir = v->dir, .hook = v->hook, .events = &events};
    struct recorder *recorder = recorder_new(&cfg, err, sizeof(err));
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    while (!has_exited(v) && now_monotonic_us() < deadline_us)
        g_usleep(5000);
    recorder_free(recorder);
    unsigned count = 0;
    for (struct mail *mail = mailbox_take(&events), *next; mail; mail = next) {
        next = mail->next;
        struct sfu_event *event = event_of_mail(mail);
        assert_int_equal(event->reason, SFU_INTERRUPTED);
        assert_int_equal(event->room, 0);
        assert_string_equal(event->text, "one");
        *interrupted = true;
        sfu_event_free(event);
        count++;
    }
    mailbox_close(&events);
    return count;
}

static void forget(struct victim *v)
{
    char *ran = beside(v, "ran"), *given = beside(v, "stdin");
    g_unlink(ran);
    g_unlink(given);
    munmap(v->diary, sizeof(*v->diary));
    media_remove(v->dir);
    g_free(ran);
    g_free(given);
    g_free(v->hook);
}

// The hook was given the manifest, as text and by name, and all of it was kept.
static void check_hook(const struct victim *v, const char *state)
{
    char *ran = beside(v, "ran"), *given = beside(v, "stdin"), *text;
    char *path = g_build_filename(v->dir, "one", "manifest.json", NULL), *line = g_strdup_printf("%s\n", path);
    assert_int_equal(runs(v), 1);
    assert_true(g_file_get_contents(ran, &text, NULL, NULL));
    assert_string_equal(text, line);
    g_free(text);
    json_t *manifest = json_load_file(given, 0, NULL);
    assert_string_equal(rig_text(manifest, "state"), state);
    json_decref(manifest);
    g_free(ran);
    g_free(given);
    g_free(path);
    g_free(line);
}

static void check_recording(const struct victim *v)
{
    json_t *m = rig_manifest(v->dir, "one");
    double fed = (double)v->diary->fed_us / RIG_SECOND_US;
    assert_string_equal(rig_text(m, "state"), "interrupted");
    assert_int_equal(rig_file_count(m), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *file = rig_file(m, i);
        double end = rig_number(file, "start") + rig_number(file, "duration");
        if (end < fed - (double)LATE_US / RIG_SECOND_US)
            fail_msg("%f of %f seconds are there", end, fed);
        assert_string_equal(rig_text(file, "state"), "interrupted");
        rig_check_file(v->dir, "one", file);
    }
    json_decref(m);
}

static void test_killed_while_recording(void **state)
{
    (void)state;
    struct victim victims[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++)
        start(&victims[i], 0);
    int at_ms[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++)
        at_ms[i] = g_random_int_range(KILL_MIN_MS, KILL_MAX_MS);
    int64_t start_us = now_monotonic_us();
    for (int ms = 0; ms <= KILL_MAX_MS; ms++) {
        for (unsigned i = 0; i < PROCESSES; i++)
            if (at_ms[i] == ms)
                kill_now(&victims[i]);
        int64_t left_us = start_us + ms * 1000 - now_monotonic_us();
        if (left_us > 0)
            g_usleep((gulong)left_us);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        bool interrupted = false;
        assert_int_equal(restart(&victims[i], &interrupted), 1);
        assert_true(interrupted);
        check_recording(&victims[i]);
        assert_int_equal(restart(&victims[i], &interrupted), 0); // and nothing more at the start after
        check_hook(&victims[i], "interrupted");
        forget(&victims[i]);
    }
}

// Killed just when the recording ends and the hook is about to run, runs, or has run.
static void test_killed_around_the_hook(void **state)
{
    (void)state;
    struct victim victims[PROCESSES];
    for (unsigned i = 0; i < PROCESSES; i++)
        start(&victims[i], 300000);
    for (unsigned i = 0; i < PROCESSES; i++) {
        int64_t deadline_us = now_monotonic_us() + WAIT_US;
        while (!victims[i].diary->ended && now_monotonic_us() < deadline_us)
            g_usleep(1000);
        g_usleep((gulong)g_random_int_range(0, 60000));
        kill_now(&victims[i]);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        bool interrupted = false;
        restart(&victims[i], &interrupted);
        check_hook(&victims[i], interrupted ? "interrupted" : "complete");
        forget(&victims[i]);
    }
}

static char *status_of(const struct victim *v)
{
    char *path = g_build_filename(v->dir, "one", "hook.exit", NULL), *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_free(path);
    return g_strchomp(text);
}

// The machine died while the hook ran: it has left no status, so it runs again. One that failed by itself does not.
static void test_hook_that_was_cut_off(void **state)
{
    (void)state;
    struct victim v;
    start(&v, 0);
    g_free(v.hook);
    v.hook = g_strdup_printf("test -e %s.ran || { echo 1 >>%s.ran; kill -9 0; }; echo 2 >>%s.ran; exit 3;", v.dir,
                             v.dir, v.dir);
    while (!v.diary->fed_us)
        g_usleep(1000);
    g_usleep(RIG_SECOND_US);
    kill_now(&v);
    char err[256];
    struct mailbox events;
    mailbox_init(&events, NULL, NULL);
    struct recorder_config cfg = {.dir = v.dir, .hook = v.hook, .events = &events};
    struct recorder *recorder = recorder_new(&cfg, err, sizeof(err));
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    while (runs(&v) < 1 && now_monotonic_us() < deadline_us)
        g_usleep(1000);
    recorder_free(recorder);
    for (struct mail *mail = mailbox_take(&events), *next; mail; mail = next) {
        next = mail->next;
        sfu_event_free(event_of_mail(mail));
    }
    mailbox_close(&events);
    bool interrupted = false;
    for (unsigned i = 0; i < 3; i++)
        restart(&v, &interrupted);
    assert_false(interrupted);
    assert_int_equal(runs(&v), 2);
    char *status = status_of(&v);
    assert_string_equal(status, "3");
    g_free(status);
    forget(&v);
}

// A recording that another process is making is none of ours.
static void test_living_neighbour(void **state)
{
    (void)state;
    struct victim v;
    char err[256];
    struct mailbox events;
    start(&v, 0);
    int64_t deadline_us = now_monotonic_us() + WAIT_US;
    char *manifest = g_build_filename(v.dir, "one", "manifest.json", NULL);
    while (!g_file_test(manifest, G_FILE_TEST_EXISTS) && now_monotonic_us() < deadline_us)
        g_usleep(1000);
    mailbox_init(&events, NULL, NULL);
    struct recorder_config cfg = {.dir = v.dir, .hook = v.hook, .events = &events};
    recorder_free(recorder_new(&cfg, err, sizeof(err)));
    assert_null(mailbox_take(&events));
    assert_int_equal(runs(&v), 0);
    mailbox_close(&events);
    kill_now(&v);
    bool interrupted = false;
    restart(&v, &interrupted);
    assert_true(interrupted);
    check_hook(&v, "interrupted");
    forget(&v);
    g_free(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_while_recording),
        cmocka_unit_test(test_killed_around_the_hook),
        cmocka_unit_test(test_hook_that_was_cut_off),
        cmocka_unit_test(test_living_neighbour),
    };
    return cmocka_run_group_tests(tests, rig_load_loops, rig_free_loops);
}
