// What does one subscriber receive of one track, and as which packets?
// SPDX-License-Identifier: MIT
//
// A sub is one outgoing stream: it chooses the layer (layers.h), renumbers (timeline.h), writes its own copy of each
// packet in its sink's numbers, and answers when its receiver asks again. It belongs to the receiving peer. Worker
// thread only. Sending does not allocate; what only some streams need grows in sub_tick() and with the first loss.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rtp/layers.h"
#include "rtp/sendstats.h"
#include "rtp/timeline.h"
#include "sfu/packet.h"
#include "sfu/resend.h"
#include "sfu/sink.h"
#include "sfu/stats.h"
#include "sfu/track.h"

enum {
    SUB_SPANS_FIRST = 16,         // of the timeline: enough for audio, and for video of which little is left out
    SUB_SPANS_VIDEO = 128,        // once more than the first were needed within TRACK_KEEP_US
    SUB_REPORT_US = 1000000,      // between two sender reports
    SUB_REPORT_FIRST_US = 100000, // from the first packet to the first
};

struct sub {
    // fixed at birth
    struct sink *sink;
    uint32_t ssrc, rtx_ssrc; // rtx_ssrc 0: none
    uint16_t stream, rtx_stream;
    bool video;

    // whom it follows; NULL: the track is gone, the sub sends nothing until its owner frees it
    struct track *track;
    TAILQ_ENTRY(sub) of_track;
    TAILQ_ENTRY(sub) of_peer; // for its owner's list

    bool paused;
    uint16_t epoch;     // the track's, when last looked at
    uint16_t source_id; // id of the layer being sent
    uint64_t first_seq; // outgoing number where it last began anew; older ones get only padding
    struct layers layers;
    struct timeline timeline; // its spans are owned
    uint64_t spans_before;    // count of the timeline
    int64_t spans_us;         // then

    // resending
    uint16_t rtx_seq;
    struct resend resend;

    // reports
    struct sendstats sendstats;
    int64_t report_us; // next sender report; 0: nothing sent yet
    struct stats stats;
    struct stats *peer_stats;
    uint64_t nacks, resent_packets, keyframe_asks; // asked by the receiver, sent again, PLI and FIR from it
};

struct sub_config {
    struct track *track;
    struct sink *sink;
    struct stats *stats; // of the receiving peer
    uint32_t ssrc;
    uint32_t rtx_ssrc; // 0: nothing is sent again
    bool paused;       // until sub_set_paused(false): its m-line is not agreed yet
};

// Joins the track's list; the owner keeps it in its own by of_peer. NULL when the sink has no more streams.
struct sub *sub_new(const struct sub_config *cfg);

// Leaves the track's list if it is in it. The owner has taken it out of its own.
void sub_free(struct sub *sub);

// The track ends: its subs stay, without a track, until their owners free them.
void sub_detach_all(struct track *track);

// One packet of its track, in the order of arrival. Hot.
void sub_tx(struct sub *sub, const struct packet *packet, int64_t now_us);

// The receiver asks again for the packet it knows by this number.
void sub_resend(struct sub *sub, uint16_t out_seq, int64_t now_us);

// The receiver needs a key frame.
void sub_keyframe(struct sub *sub, int64_t now_us);

// Which layer from now on: 0.. lowest first, -1: the highest there is.
void sub_set_layer(struct sub *sub, int spatial, int temporal, int64_t now_us);

// Paused: nothing is sent, and afterwards it goes on like an unmuted track.
void sub_set_paused(struct sub *sub, bool paused, int64_t now_us);

// To be called every 50 ms or so: asks for the key frame it waits for.
void sub_tick(struct sub *sub, int64_t now_us);

// The sender report for now. False: none to send yet.
bool sub_report(struct sub *sub, int64_t now_us, int64_t wall_us, struct rtcp_sr *sr);

// ssrc, layers, rate, loss, rtt and counters, as one line's pairs.
void sub_stats(struct sub *sub, int64_t now_us, struct line *line);
