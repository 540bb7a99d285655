// What does a recording say about itself?
// SPDX-License-Identifier: MIT
//
// manifest.json in the recording's directory: the room, who was there, one entry per file with its place in time and
// its gaps, and a timeline. Replaced as a whole (rename), so that a reader always finds a valid one. Times are
// seconds since the recording began; README.md of this folder shows an example. The only file of sfu/ that knows
// jansson. Writer thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_TIMELINE_MAX = 20000, // entries; later ones are counted only
    RECORD_GAPS_MAX = 2000,      // entries per file; likewise
};

#define RECORD_MANIFEST "manifest.json"

struct record_manifest;

// A new one, not yet on the disk. dir_fd is borrowed. `wall_us`: when it begins, microseconds since 1970.
struct record_manifest *record_manifest_new(int dir_fd, uint64_t room, int64_t wall_us, bool wants_hook);

// The one in that directory, NULL: there is none that can be read.
struct record_manifest *record_manifest_load(int dir_fd);
void record_manifest_free(struct record_manifest *m);

// Replaces the file if anything has changed. `durable`: waits until it is safe from a power cut. 0 or negative errno.
int record_manifest_write(struct record_manifest *m, bool durable);
bool record_manifest_is_changed(const struct record_manifest *m);

// "recording", then one of "complete", "interrupted".
void record_manifest_set_state(struct record_manifest *m, const char *state, int64_t end_us);
const char *record_manifest_state(const struct record_manifest *m);
bool record_manifest_wants_hook(const struct record_manifest *m);

// ---- people and events -------------------------------------------------------------------------------------------

void record_manifest_joined(struct record_manifest *m, int64_t at_us, const char *user);
void record_manifest_left(struct record_manifest *m, int64_t at_us, const char *user);

// A line of the timeline; user and source may be NULL.
void record_manifest_event(struct record_manifest *m, int64_t at_us, const char *type, const char *user,
                           const char *source);

// A JSON object with a "type" becomes a line of the timeline. {"type":"room", ...} fills in `room` instead, and
// {"type":"participant","user":u, ...} the participant u. -EINVAL: it is not such an object.
int record_manifest_note(struct record_manifest *m, int64_t at_us, const char *text);

// ---- files -------------------------------------------------------------------------------------------------------

struct record_facts {
    const char *file, *user, *source, *codec; // codec as in MIME types, lower case
    bool video, closed;
    uint16_t width, height;
    int64_t start_us, duration_us;
    int64_t bytes, missing_us; // missing_us: sound lost in gaps too short to be listed
    uint64_t frames, lost_packets;
};

// A new entry; its number for the calls below.
size_t record_manifest_add_file(struct record_manifest *m, const struct record_facts *facts);
void record_manifest_set_file(struct record_manifest *m, size_t index, const struct record_facts *facts);
void record_manifest_add_gap(struct record_manifest *m, size_t index, int64_t at_us, int64_t duration_us,
                             const char *reason);

size_t record_manifest_file_count(const struct record_manifest *m);
const char *record_manifest_file_name(const struct record_manifest *m, size_t index); // NULL: malformed
bool record_manifest_file_is_open(const struct record_manifest *m, size_t index);
// How long the file of an interrupted recording turned out to be; negative: there is no such file.
void record_manifest_settle_file(struct record_manifest *m, size_t index, int64_t duration_us, int64_t bytes);
int64_t record_manifest_last_us(const struct record_manifest *m); // where the last file ends
