// What does a worker do for the recording of one of its rooms?
// SPDX-License-Identifier: MIT
//
// As little as it can: a sub per track, whose packets are copied into record_queue. It never waits; when the writer
// cannot keep up, packets are dropped here, and only here. Worker thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sfu/ear.h"
#include "sfu/record_queue.h"

enum {
    RECORD_SEND_US = 20000,      // between two letters
    RECORD_TROUBLE_US = 5000000, // without loss, until the trouble is over
};

struct record_room_config {
    struct worker *worker;
    struct mailbox *events;
    struct record_inbox *inbox;
    uint64_t room, tag;
    const char *dir;
};

// An ear of the room; it is told of by SFU_RECORDING.
struct ear *record_room_new(const struct record_room_config *cfg, int64_t now_us);

// The writer could not begin: the ear does nothing any more.
bool record_room_is_refused(const struct ear *ear);

void record_room_note(struct ear *ear, const char *json, int64_t now_us);

// The tag that the end is told with.
void record_room_set_tag(struct ear *ear, uint64_t tag);
