// What happens in one recording, from its first to its last item?
// SPDX-License-Identifier: MIT
//
// A directory, a manifest, the room's tracks. It takes the items of its queue in order and knows no other time than
// theirs, except for when to write. Writer thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sfu/mailbox.h"
#include "sfu/record_queue.h"
#include "sfu/record_space.h"

enum {
    RECORD_RETRY_US = 2000000,    // after the disk refused a write
    RECORD_MANIFEST_US = 1000000, // between two writes of the manifest, or
    RECORD_MANIFEST_SLOWER = 20,  // so many times as long as writing it took
};

struct record_session;

struct record_session_config {
    struct record_queue *queue;
    struct mailbox *events; // where SFU_RECORDING goes
    struct record_space *space;
    int base_fd; // of all recordings
    bool wants_hook;
};

// `begin`: the queue's first item, RECORD_BEGIN. Whether the directory can be made is told by an event; if not, the
// queue is refused and the session takes no note of what follows.
struct record_session *record_session_new(const struct record_session_config *cfg, const struct record_item *begin);

// The next item of the queue. RECORD_END closes everything.
void record_session_rx(struct record_session *s, const struct record_item *item);

// All items up to this time have been given.
void record_session_tick(struct record_session *s, int64_t items_us);

// Writes what is due; `now_us`: real time.
void record_session_flush(struct record_session *s, int64_t now_us);

bool record_session_is_open(const struct record_session *s);     // false: nothing was recorded
const char *record_session_name(const struct record_session *s); // of its directory
void record_session_free(struct record_session *s);

// Is it the name of a directory a recording may have? Letters, digits, ".", "_" and "-", not "." first.
bool record_session_name_is_good(const char *name);
