// How is a finished recording handed to the operator's own program?
// SPDX-License-Identifier: MIT
#include "sfu/record_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sfu/log.h"

#define STARTED "hook.started"
#define ENDED   "hook.exit"

// $1: the command, $2: the recording's directory. The claim is a lock that the kernel takes away from the dead, so
// that a hook which a power cut ended is not taken for one that runs; others hold it for a moment to look. The output
// is cut by a reader that goes on reading, so that the command does not die of a full pipe.
static const char script[] =
    "cd \"$2\" || exit 1; umask 077\n"
    "exec 9>>" STARTED " || exit 1\n"
    "flock -w 5 9 || exit 0\n"
    "[ ! -e " ENDED " ] || exit 0\n"
    "{ { (eval \"$1 \\\"\\$2/manifest.json\\\"\") <manifest.json; echo $? >hook.exit.part; } 2>&1; } |\n"
    "  { head -c 65536 >hook.log; cat >/dev/null; }\n"
    "mv hook.exit.part " ENDED "\n";

struct record_hooks {
    char *command;
    GQueue waiting;                         // of char *, owned
    pid_t running[RECORD_HOOK_RUNNING_MAX]; // 0: none
};

struct record_hooks *record_hooks_new(const char *command)
{
    struct record_hooks *h = g_new0(struct record_hooks, 1);
    h->command = command && command[0] ? g_strdup(command) : NULL;
    g_queue_init(&h->waiting);
    return h;
}

void record_hooks_add(struct record_hooks *h, const char *path)
{
    if (h->command)
        g_queue_push_tail(&h->waiting, g_strdup(path));
}

// In a session of its own, with every signal as at birth: neither our end nor the terminal's is the hook's end.
static int spawn(const char *command, const char *path, pid_t *pid)
{
    const char *const argv[] = {"sh", "-c", script, "sh", command, path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    int rc = posix_spawn(pid, "/bin/sh", &files, &attr, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return -rc;
}

static void reap(struct record_hooks *h)
{
    for (unsigned i = 0; i < RECORD_HOOK_RUNNING_MAX; i++)
        if (h->running[i] && waitpid(h->running[i], NULL, WNOHANG) != 0)
            h->running[i] = 0;
}

static void start(struct record_hooks *h)
{
    for (unsigned i = 0; i < RECORD_HOOK_RUNNING_MAX && !g_queue_is_empty(&h->waiting); i++) {
        if (h->running[i])
            continue;
        int rc = spawn(h->command, g_queue_peek_head(&h->waiting), &h->running[i]);
        if (rc < 0) {
            h->running[i] = 0; // no processes left: the next tick tries again
            return;
        }
        sfu_log(SFU_LOG_INFO, "recording hook runs for %s", (const char *)g_queue_peek_head(&h->waiting));
        g_free(g_queue_pop_head(&h->waiting));
    }
}

void record_hooks_tick(struct record_hooks *h)
{
    reap(h);
    start(h);
}

bool record_hooks_are_idle(const struct record_hooks *h)
{
    for (unsigned i = 0; i < RECORD_HOOK_RUNNING_MAX; i++)
        if (h->running[i])
            return false;
    return g_queue_is_empty((GQueue *)&h->waiting);
}

bool record_hooks_are_wanted(const struct record_hooks *h)
{
    return h->command != NULL;
}

void record_hooks_free(struct record_hooks *h)
{
    record_hooks_tick(h);
    g_queue_clear_full(&h->waiting, g_free);
    g_free(h->command);
    g_free(h);
}

bool record_hook_was_run(int dir_fd)
{
    struct stat st;
    if (fstatat(dir_fd, ENDED, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    int fd = openat(dir_fd, STARTED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_running = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd);
    return is_running;
}
