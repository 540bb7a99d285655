// When does memory that people have left behind go back to the system?
// SPDX-License-Identifier: MIT
//
// What somebody needed while joining, or until leaving, lies free between what is still needed, and the C library
// keeps it: after a crowd has left, all of it. It is given back when nobody has come or gone for a while, and now and
// then where people always do. It takes less than a millisecond for some hundred people.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SLACK_QUIET_US = 2000000,
    SLACK_LATE_US = 30000000, // after the first change
};

// All zero is ready.
struct slack {
    uint64_t changes;
    int64_t quiet_us, late_us; // due at the earlier; late_us 0: there is nothing to give back
};

// Whether to do it now. `changes`: how often somebody has come or gone so far.
bool slack_is_due(struct slack *slack, uint64_t changes, int64_t now_us);
