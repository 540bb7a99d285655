// Who is here, and who hears whom?
// SPDX-License-Identifier: MIT
//
// The rooms of one worker and what happens in them: every participant receives every track of the others. Worker
// thread, except rooms_new().
#pragma once

#include "sfu/command.h"
#include "sfu/record_queue.h"
#include "sfu/worker.h"

struct rooms;

// `events`: where SFU_* events go; `inbox`: the recorder's, NULL: there is none. Freed by rooms_stop().
struct rooms *rooms_new(struct mailbox *events, struct record_inbox *inbox);

// The worker's handlers; `arg` is the struct rooms.
void rooms_start(void *arg, struct worker *worker);
// A struct command. The answer to COMMAND_LOAD is one line of pairs: worker, rooms, peers, cpu_us (this thread's,
// since it began), letter_us (how long the question was under way), late_us (the latest tick since the last
// question), then what tally_print() says.
void rooms_letter(void *arg, struct mail *mail, int64_t now_us);
bool rooms_tick(void *arg, int64_t now_us, int64_t wall_us);
void rooms_stop(void *arg);
