// What did a server that is gone leave unfinished?
// SPDX-License-Identifier: MIT
//
// Looks at every recording below a directory: what an ended process was still recording is mended (record_repair) and
// its manifest closed as "interrupted"; what is recorded by a living process is left alone. Writer thread.
#pragma once

#include <stdbool.h>

struct record_recovered {
    const char *name; // of its directory
    bool interrupted; // it was closed just now
    bool wants_hook;  // its hook is to run, and has not
};

// Calls `found` for every recording that was interrupted or whose hook has not run.
void record_recover(int base_fd, void (*found)(void *arg, const struct record_recovered *recovered), void *arg);
