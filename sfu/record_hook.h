// How is a finished recording handed to the operator's own program?
// SPDX-License-Identifier: MIT
//
// The command is run by /bin/sh with the manifest on standard input and the manifest's path as one more argument,
// once for each recording: who runs it holds a lock (on hook.started) that outlives us, and what it leaves at its end
// (hook.exit, its exit status) says that it need not run again. A hook is not stopped when we stop; one that was
// never begun, or that ended without a status because the machine did, is run at the next start. hook.log has the
// first 64 KiB of its output.
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

// Did the hook of this recording run to its end, or does it run now?
bool record_hook_was_run(int dir_fd);
