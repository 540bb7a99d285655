// When does memory that people have left behind go back to the system?
// SPDX-License-Identifier: MIT
#include "signaling/slack.h"

bool slack_is_due(struct slack *slack, uint64_t changes, int64_t now_us)
{
    if (changes != slack->changes) {
        slack->changes = changes;
        slack->quiet_us = now_us + SLACK_QUIET_US;
        if (!slack->late_us)
            slack->late_us = now_us + SLACK_LATE_US;
    }
    if (!slack->late_us || (now_us < slack->quiet_us && now_us < slack->late_us))
        return false;
    slack->late_us = 0;
    return true;
}
