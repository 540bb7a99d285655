// Who writes recordings to the disk?
// SPDX-License-Identifier: MIT
//
// One thread for all rooms: it takes what the workers put into record_queue, and nothing it waits for (a slow disk, a
// full one) makes anybody else wait. At its start it closes what an earlier process left unfinished; when a recording
// has ended it runs the operator's hook.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sfu/mailbox.h"
#include "sfu/record_queue.h"

enum { RECORD_LOOP_US = 100000 }; // between two looks at what is due

struct recorder;

struct recorder_config {
    const char *dir;  // of all recordings; made if need be
    const char *hook; // NULL: none
    uint64_t quota_bytes, free_floor_bytes;
    struct mailbox *events; // where SFU_RECORDING goes
};

// Starts the thread. NULL, and one sentence in err, when the directory cannot be used.
struct recorder *recorder_new(const struct recorder_config *cfg, char *err, size_t err_size);

// Where workers put what they record.
struct record_inbox *recorder_inbox(struct recorder *r);

// Every worker has stopped: writes what is queued, finishes all files, stops the thread.
void recorder_free(struct recorder *r);
