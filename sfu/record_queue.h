// How do a room's packets reach the recorder without the worker ever waiting?
// SPDX-License-Identifier: MIT
//
// In letters of many items, posted when full and at least every 20 ms. What waits to be written is bounded, per room
// and in all; beyond that packets are dropped, and the recording has a gap. The worker's half is called on the room's
// worker only, the writer's half on the writer thread only; what goes back (a key frame is wanted, nothing more is
// wanted) are flags.
//
// A queue belongs to the worker until it puts RECORD_END, then to the writer.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/mailbox.h"
#include "sfu/sfu.h"

enum {
    RECORD_TRACKS_MAX = 256,      // of one room at one time
    RECORD_BATCH_LEN = 32768,     // bytes of items in one letter
    RECORD_QUEUE_MAX = 8 << 20,   // bytes of one room waiting to be written
    RECORD_INBOX_MAX = 256 << 20, // of all rooms together
};

enum record_kind {
    RECORD_BEGIN,     // tag, room, wall_us; text: the directory
    RECORD_END,       // tag, reason
    RECORD_TRACK,     // track, peer, source, on (video); text: user. The place was free
    RECORD_TRACK_END, // track
    RECORD_PACKET,    // track; data: an RTP packet with the house's payload types
    RECORD_REPORT,    // track, ts, wall_us (publisher's), rtt_us; at_us: when it came
    RECORD_MUTED,     // track, on
    RECORD_LOST,      // track: packets found the queue full
    RECORD_JOINED,    // peer; text: user
    RECORD_LEFT,      // peer; text: user
    RECORD_SPEAKER,   // text: user, "" nobody
    RECORD_NOTE,      // text: a JSON object
};

// The fields that its kind names; the others are 0.
struct record_item {
    enum record_kind kind;
    enum sfu_source source;
    enum sfu_reason reason;
    bool on;
    uint16_t track;   // below RECORD_TRACKS_MAX
    uint32_t ts, len; // len: of data; a text's NUL is counted
    int64_t at_us;    // our monotonic time
    int64_t wall_us, rtt_us;
    uint64_t room, peer, tag;
    uint8_t data[];
};

struct record_inbox {
    struct mailbox box; // of struct record_batch; the writer's
    atomic_size_t queued;
};

struct record_batch {
    struct mail mail;
    struct record_queue *queue; // NULL: the writer is to stop
    int64_t sent_us;
    size_t len;
    _Alignas(8) uint8_t data[];
};

void record_inbox_init(struct record_inbox *inbox);
void record_inbox_close(struct record_inbox *inbox); // empty by now
void record_inbox_stop(struct record_inbox *inbox);  // any thread: the last letter

// ---- the worker's half -------------------------------------------------------------------------------------------

struct record_queue *record_queue_new(struct record_inbox *inbox);

// Copies the item and its data. False: the queue is full; that happens to packets and notes only.
bool record_queue_put(struct record_queue *q, const struct record_item *item, const void *data, size_t len);
bool record_queue_put_text(struct record_queue *q, const struct record_item *item, const char *text);

// Posts what has been put. To be called every 20 ms or so, and after RECORD_END.
void record_queue_flush(struct record_queue *q, int64_t now_us);

// Does the writer wait for a key frame of this track? True once.
bool record_queue_take_keyframe(struct record_queue *q, uint16_t track);

// The recording could not begin: put RECORD_END.
bool record_queue_is_refused(const struct record_queue *q);

// ---- the writer's half -------------------------------------------------------------------------------------------

// The items of a letter, in order; NULL at the end. Begin with NULL.
const struct record_item *record_batch_next(const struct record_batch *batch, const struct record_item *item);
void record_batch_free(struct record_batch *batch); // before its queue

void record_queue_want_keyframe(struct record_queue *q, uint16_t track);
void record_queue_refuse(struct record_queue *q);
void record_queue_set_owner(struct record_queue *q, void *owner); // the writer's own mark on it
void *record_queue_owner(const struct record_queue *q);
void record_queue_free(struct record_queue *q);
