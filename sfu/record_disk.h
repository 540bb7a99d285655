// How do the bytes of one recorded file reach the disk, whole or not at all?
// SPDX-License-Identifier: MIT
//
// What a muxer writes is collected in memory and goes to the disk in pieces that a player can use: either all of a
// piece is in the file or nothing. What it changes further front (lengths, known only at the end) waits until
// everything before has arrived. So a full disk leaves a file that plays to the last whole piece. Writer thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_DISK_PENDING_MAX = 64 << 20 }; // octets collected; more is an error of the caller's

struct record_disk;

// Makes a new file (it must not exist) below dir_fd. NULL and errno.
struct record_disk *record_disk_new(int dir_fd, const char *name);

// Takes `len` bytes for file offset `at`: at the end of all there is, or anywhere before. 0 or negative errno.
int record_disk_put(struct record_disk *d, int64_t at, const void *data, size_t len);

int64_t record_disk_end(const struct record_disk *d); // offset behind everything taken

// Writes what was collected. On an error the file is as it was, and what was collected is gone. 0 or negative errno.
int record_disk_flush(struct record_disk *d);
// Waits until everything written is safe from a power cut. 0 or negative errno.
int record_disk_sync(struct record_disk *d);
int64_t record_disk_written(const struct record_disk *d); // bytes in the file

int record_disk_fd(const struct record_disk *d); // owned by d
void record_disk_free(struct record_disk *d);    // closes; drops what was not flushed
