// Is there room on the disk for more recording?
// SPDX-License-Identifier: MIT
//
// Two limits, each 0 for none: how much all recordings together may take (what was deleted by others is noticed
// within a minute), and how much of the disk must stay free for everybody else. Writer thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    RECORD_SPACE_LOOK_US = 1000000,   // between two looks at the disk
    RECORD_SPACE_COUNT_US = 60000000, // between two counts of what is there; while there is a problem:
    RECORD_SPACE_RECOUNT_US = 2000000,
    RECORD_SPACE_MARGIN = 8 << 20, // bytes that must be there beyond the limits before recording goes on
};

struct record_space {
    int dir_fd; // of all recordings; borrowed
    uint64_t quota_bytes, floor_bytes;

    uint64_t used_bytes, free_bytes;
    int64_t look_us, count_us; // when to look and to count next
    bool is_short;
};

void record_space_init(struct record_space *s, int dir_fd, uint64_t quota_bytes, uint64_t floor_bytes);

// Looks when it is time to.
void record_space_tick(struct record_space *s, int64_t now_us);

// So many bytes were written.
void record_space_add(struct record_space *s, uint64_t bytes);

// NULL, or in a sentence what there is too little of.
const char *record_space_problem(const struct record_space *s);
