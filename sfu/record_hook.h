// How is a finished recording handed to the operator's own program?
// SPDX-License-Identifier: MIT
//
// The command is run by /bin/sh with the manifest on standard input and the manifest's path as one more argument,
// exactly once for each recording: what claims the right to run (hook.started, made by the process that then runs the
// command) outlives us, and a recording that has none is taken up at the next start. A hook is not stopped when we
// stop. Beside the manifest stay hook.log, the first 64 KiB of its output, and hook.exit, its exit status.
//
// Knows nothing of media. Any one thread; never blocks.
#pragma once

#include <stdbool.h>

enum { RECORD_HOOK_RUNNING_MAX = 2 };

struct record_hooks;

// `command`: as for sh -c; NULL: nothing is ever run.
struct record_hooks *record_hooks_new(const char *command);

// The recording in the directory `path` (it has a manifest.json) is finished: queued.
void record_hooks_add(struct record_hooks *h, const char *path);

// Starts what waits and notes what has ended; to be called often.
void record_hooks_tick(struct record_hooks *h);

bool record_hooks_are_idle(const struct record_hooks *h);
bool record_hooks_are_wanted(const struct record_hooks *h); // is there a command?

// Starts what there is room for; what still waits is left for the next start.
void record_hooks_free(struct record_hooks *h);

// Was the hook of this recording begun?
bool record_hook_was_run(int dir_fd);
