// How long does an interrupted Matroska file play, and what must be mended in it?
// SPDX-License-Identifier: MIT
//
// A writer that was killed leaves whole clusters and perhaps a part of one, and no duration in the file's head.
#pragma once

#include <stdint.h>

// Cuts off a cluster that is not whole, and writes the duration where record_file.c has left room for it. The file is
// open for reading and writing. *duration_us (may be NULL): from the file's first to the end of its last frame.
// 0; -ENODATA: there is no whole cluster; another negative errno: it could not be read or written, or is not ours.
int record_repair(int fd, int64_t *duration_us);
