// How does one recorded track become files?
// SPDX-License-Identifier: MIT
//
//     packets -> record_order -> record_depay -> frames + record_clock -> record_file
//
// One file as a rule; another one when the disk let the recording down in between, or the codec changed. What is
// missing in between is listed as gaps, with the reason. Writer thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/record_clock.h"
#include "sfu/record_manifest.h"
#include "sfu/record_space.h"
#include "sfu/sfu.h"

enum {
    RECORD_FLUSH_US = 500000,   // between two writes of a file; and what is lost when we are killed, at most
    RECORD_GAP_MIN_US = 200000, // shorter ones are only summed up
    RECORD_IDLE_US = 5000000,   // nothing for so long, without a reason we know, is listed too
    RECORD_FILES_MAX = 100,     // of one track
};

// What the tracks of one recording share; the recording's.
struct record_place {
    int dir_fd;
    int64_t epoch_us, epoch_wall_us; // when it began: our monotonic time, and since 1970
    struct record_manifest *manifest;
    struct record_space *space;
    bool paused; // for want of space: nothing is written
    int err;     // the last thing that went wrong on the disk; the recording takes note and clears it
    unsigned file_count;
};

struct record_track_config {
    struct record_place *place;
    struct record_wall *wall; // of the publisher
    const char *user;
    enum sfu_source source;
    bool video;
};

struct record_track;

struct record_track *record_track_new(const struct record_track_config *cfg);
// Writes what is held back, and finishes the file.
void record_track_free(struct record_track *t);

// An RTP packet in the house's payload types. What is malformed is left out.
void record_track_rx(struct record_track *t, const uint8_t *data, size_t len, int64_t at_us);
// A sender report, in the timestamps of the packets.
void record_track_sr(struct record_track *t, uint32_t ts, int64_t wall_us);

// Why packets may be missing from here on.
void record_track_set_muted(struct record_track *t, bool muted);
void record_track_note_overrun(struct record_track *t); // the queue was full

// `now_us`: time as of the packets given so far.
void record_track_tick(struct record_track *t, int64_t now_us);

// Writes to the disk when it is time; `now_us`: real time. On an error the file ends (place->err).
void record_track_flush(struct record_track *t, int64_t now_us);

// The file ends here; another one begins when the place is no longer paused.
void record_track_pause(struct record_track *t);

// Does it hold back pictures until a key frame?
bool record_track_wants_keyframe(const struct record_track *t);
