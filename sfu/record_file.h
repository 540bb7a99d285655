// How do frames become a Matroska file?
// SPDX-License-Identifier: MIT
//
// One track per file, nothing transcoded: WebM (.webm) for Opus, VP8, VP9 and AV1, Matroska (.mkv) for H.264. Every
// flush ends a cluster, so a file whose writer was killed plays to its last flush. The only file that knows
// libavformat. Writer thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/codec.h"
#include "sfu/record_depay.h"

struct record_file;

// "webm" or "mkv".
const char *record_file_extension(enum codec codec);

// Makes the file `name` below dir_fd. `first` is the first frame: a key frame that tells its size and configuration;
// `wall_us` when that was (microseconds since 1970). Negative errno on failure.
int record_file_new(int dir_fd, const char *name, enum codec codec, const struct record_frame *first, int64_t wall_us,
                    struct record_file **file);

// Takes a frame for the next flush. at_us: since the file's first frame, never less than the one before. Timestamps
// in the file rise from frame to frame: one that falls on a tick (1 ms) which is taken gets the next. -EINVAL, -EIO:
// not a frame of this codec; the file goes on without it.
int record_file_put(struct record_file *f, const struct record_frame *frame, int64_t at_us, int64_t duration_us);

// Everything taken so far goes to the disk. After an error the file ends before this flush: record_file_free().
int record_file_flush(struct record_file *f);

// Writes what a player needs to seek, and closes. After an error, here or before, it plays like one that was
// interrupted.
int record_file_free(struct record_file *f);

int64_t record_file_bytes(const struct record_file *f); // on the disk
bool record_file_is_dirty(const struct record_file *f); // something waits for a flush
