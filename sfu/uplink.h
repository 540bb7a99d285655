// What do the tracks of one publishing peer share?
// SPDX-License-Identifier: MIT
//
// Its numbers (payload types, extension ids), its clock, what it must be told. Part of struct ingress. Worker thread
// only.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rtp/codec.h"
#include "rtp/ext.h"
#include "rtp/speaker.h"
#include "rtp/twcc.h"
#include "sfu/packet.h"
#include "sfu/stats.h"
#include "sfu/ticker.h"

#define UPLINK_NEVER INT64_MAX // due_us when there is nothing to tell

struct track;
TAILQ_HEAD(track_list, track);

enum uplink_kind { UPLINK_NONE, UPLINK_MEDIA, UPLINK_RTX };

// What a payload type of this peer means. Types are unique per BUNDLE group (RFC 9143 section 9.1).
struct uplink_pt {
    enum uplink_kind kind : 8;
    enum codec codec : 8; // UPLINK_MEDIA: the house codec
    uint8_t apt;          // UPLINK_RTX: the payload type it repairs (RFC 4588 section 8.1)
};

struct uplink {
    // negotiated
    struct uplink_pt pt[128];
    struct ext_map ext; // the peer's extension ids

    // passed in
    struct pool *pool;       // of the worker
    struct stats *stats;     // of the peer
    struct ticker *ticker;   // of the worker; NULL: ticks come anyway
    struct speaker *speaker; // of the room, NULL: none; fed by the microphone unless muted
    unsigned speaker_index;  // this peer in it

    struct track_list tracks; // the peer's; in the order of track_new()

    // RTCP towards the publisher: written by feedback.c
    int64_t due_us;         // when there is something to tell it
    int64_t rtt_us;         // 0: not known
    uint32_t media_ssrc;    // one that it sends with, 0: none yet
    struct twcc_recv *twcc; // NULL until a packet brings a transport-wide number

    // One constant between the publisher's wall clock and our monotonic one, fixed at its first sender report, for
    // all its tracks: what was in sync there is in sync here.
    bool has_clock;
    int64_t clock_offset_us; // ours minus theirs
};

static inline void uplink_init(struct uplink *uplink, struct pool *pool, struct stats *stats)
{
    *uplink = (struct uplink){.pool = pool, .stats = stats, .due_us = UPLINK_NEVER};
    TAILQ_INIT(&uplink->tracks);
}

static inline void uplink_clear(struct uplink *uplink)
{
    g_free(uplink->twcc);
    uplink->twcc = NULL;
}

// Feedback should look at this publisher at the first tick after `at_us`.
static inline void uplink_expect(struct uplink *uplink, int64_t at_us)
{
    uplink->due_us = MIN(uplink->due_us, at_us);
}

// The same, and somebody waits for it.
static inline void uplink_wake(struct uplink *uplink, int64_t at_us)
{
    uplink_expect(uplink, at_us);
    if (uplink->ticker)
        ticker_want(uplink->ticker, at_us);
}
