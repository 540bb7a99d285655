// What has been recorded? (directories of the media server's recordings: list, read, delete, let go of the old)
// SPDX-License-Identifier: MIT
//
// sfu/README.md shows what a recording is on the disk. Reads and writes the disk and waits for it: any one thread but
// the signaling thread (librarian.h). An id is the name of a directory; what is no such name is not found.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LIBRARY_ID_MAX = 128,            // bytes of an id
    LIBRARY_MANIFEST_MAX = 64 << 20, // bytes of a manifest
};

struct library;

struct library *library_new(const char *dir);
void library_free(struct library *library);

// What somebody may see, and wants to.
struct library_query {
    char **rooms;               // NULL-terminated, "*" stands for all; NULL: every room
    const char *room, *state;   // NULL: any
    int64_t from_ms, before_ms; // began at or after, and before; 0: no matter when
    int offset, limit;
};

// {id, roomId, state, startedAt, duration, bytes, participants: [{userId, name}], trackCount} each, newest first.
// *total: how many there are in all.
json_t *library_list(struct library *library, const struct library_query *query, int64_t *total);

// The manifest with its `id`, if it is of one of the rooms; NULL: there is none.
json_t *library_manifest(struct library *library, const char *id, char **rooms);

enum library_result { LIBRARY_OK, LIBRARY_NONE, LIBRARY_BUSY, LIBRARY_FAILED };

// The path (to be freed) and the type of one of its files, which the manifest names and which is finished.
enum library_result library_file(struct library *library, const char *id, const char *name, char **rooms, char **path,
                                 const char **type);

// Gone at once for everybody, then from the disk. BUSY: it is being recorded, or its hook runs.
enum library_result library_delete(struct library *library, const char *id, char **rooms);

// Deletes what ended before, and what an earlier deletion left.
void library_expire(struct library *library, int64_t before_ms);

typedef void(library_found_h)(void *arg, const char *id, const json_t *manifest);

// Finished recordings nobody was told of, until library_mark() says so: the newest `max` of those that are older than
// the one with the id `before` (NULL: of all). Returns the id of the last when there may be more, to be freed.
char *library_find_unmarked(struct library *library, const char *before, unsigned max, library_found_h *found,
                            void *arg);
// Whether this is one.
bool library_look_at(struct library *library, const char *id, library_found_h *found, void *arg);
void library_mark(struct library *library, const char *id);
