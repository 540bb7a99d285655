// How is a file, or a part of it, read piece by piece without making anybody wait?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct filepart;

// Opens a regular file; NULL with errno otherwise. `etag` of at least 40 bytes
// is a strong validator (RFC 9110 section 8.8.3): it changes whenever the file does.
struct filepart *filepart_open(const char *path, char *etag, size_t etag_size);
void filepart_free(struct filepart *part); // NULL is allowed

uint64_t filepart_size(const struct filepart *part); // of the whole file, as it was when it was opened
uint64_t filepart_left(const struct filepart *part); // of the part, not read yet
void filepart_cut(struct filepart *part, uint64_t first, uint64_t last); // only these bytes; both are within the file

// Up to `size` bytes of what is left; 0 at the end of the part, -EAGAIN while the disk is still fetching (ask again
// in some milliseconds), -EIO when the file is shorter than it was or cannot be read.
ssize_t filepart_read(struct filepart *part, void *out, size_t size);

enum range { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

// A Range header (RFC 9110 section 14.2) over `size` bytes. More than one range, another unit or what is no range at
// all count for nothing, which section 14.2 allows: the whole is sent.
enum range range_parse(const char *text, uint64_t size, uint64_t *first, uint64_t *last);
