// What does one publisher send, and what happens to a packet before it is forwarded?
// SPDX-License-Identifier: MIT
//
// A track is one m-line that a peer sends on: one layer (its only SSRC) or up to three (simulcast, one SSRC per rid).
// Each layer keeps the last packets for whoever asks again, and knows what is missing. A track belongs to its
// publishing peer; its subs (sub.h) belong to the peers that receive it. Worker thread only.
//
//     ingress_rx() --> track_rx() --> forward() --> sub_tx() ...
//                         |
//                  history, loss, statistics
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rtp/codec.h"
#include "rtp/ext.h"
#include "rtp/history.h"
#include "rtp/loss.h"
#include "rtp/recvstats.h"
#include "sfu/packet.h"
#include "sfu/sfu.h"
#include "sfu/stats.h"
#include "sfu/uplink.h"

enum {
    TRACK_LAYERS_MAX = 3,       // SSRCs of a simulcast track
    TRACK_HISTORY_VIDEO = 512,  // packets a video layer keeps
    TRACK_HISTORY_AUDIO = 64,   // packets an audio layer keeps
    TRACK_KEYFRAME_US = 500000, // between two key frame requests for one layer
    TRACK_DEAD_US = 1000000,    // a layer silent for so long, while another sends, is dead
    TRACK_KEEP_US = 2000000,    // for so long a packet can be asked for again
};

struct sub;
TAILQ_HEAD(sub_list, sub);

// ---- layer ----------------------------------------------------------------------------------------------------

// One SSRC of a track. A publisher that comes back with another SSRC begins the layer anew, under another id.
struct layer {
    // negotiated
    char rid[EXT_TEXT_MAX + 1]; // "": no simulcast

    // learned
    bool bound;  // ssrc is known
    uint16_t id; // never used twice in its track; 0 until bound. The timeline's name for it
    uint32_t ssrc;
    uint32_t rtx_ssrc; // 0: not known
    uint32_t area;     // width * height of the last key frame that told; 0: not known
    uint8_t rank;      // the spatial layer it is: 0 the smallest picture

    struct recvstats recvstats;
    struct history history;
    struct loss loss;
    struct codec_state codec;
    struct stats stats;
    int64_t last_us; // when the last packet came
    uint64_t floor;  // older numbers are not taken any more

    // key frame request: pending until a key frame comes
    bool keyframe_wanted;
    int64_t keyframe_asked_us; // 0: not yet
    uint8_t fir_seq;
    uint64_t keyframes, keyframe_asks;

    struct history_slot *slots; // owned
};

// ---- track ----------------------------------------------------------------------------------------------------

struct track {
    // fixed at birth
    struct uplink *uplink;
    char mid[SFU_MID_MAX + 1];
    char cname[SFU_USER_MAX + 1]; // of the publisher; all its tracks have the same (RFC 3550 section 6.5.1)
    bool video;
    bool svc; // one SSRC that may carry several spatial layers
    uint32_t clock_hz;
    unsigned layer_count; // 1..TRACK_LAYERS_MAX

    // negotiated, may change
    enum sfu_source source;
    uint64_t pts[2];     // bit n: payload type n belongs to this m-line
    bool nack, pli, fir; // what the publisher understands

    // state
    bool muted;
    uint16_t epoch; // changes when its subs must begin anew: unmuted, layers put in another order
    uint16_t last_id;
    uint8_t alive; // bit per rank: it sends while the others do
    struct layer layer[TRACK_LAYERS_MAX];
    struct sub_list subs;     // by of_track
    TAILQ_ENTRY(track) entry; // in uplink->tracks
};

struct track_config {
    struct uplink *uplink;
    const char *mid;
    const char *cname;
    enum sfu_source source;
    bool video;
    uint32_t clock_hz;                  // 0: 90000 for video, 48000 for audio
    unsigned rid_count;                 // 0 or 1: no simulcast
    const char *rids[TRACK_LAYERS_MAX]; // best guess of lowest first; put right when pictures tell their size
    bool nack, pli, fir;
};

// Puts itself into the uplink's list.
struct track *track_new(const struct track_config *cfg);

// Its subs must have been detached before (sub_detach_all()), its SSRCs forgotten (ingress_forget()).
void track_free(struct track *track);

// This m-line sends (or may send) this payload type, media or RTX.
void track_accept_pt(struct track *track, uint8_t pt);
static inline bool track_accepts_pt(const struct track *track, uint8_t pt)
{
    return track->pts[pt >> 6 & 1] >> (pt & 63) & 1;
}

struct track *track_find_mid(const struct uplink *uplink, const char *mid); // NULL: none
struct layer *track_find_rid(struct track *track, const char *rid);         // NULL: none

// The layer with this id (timeline's name), NULL when it has begun anew since.
struct layer *track_find_layer(struct track *track, uint16_t id);
// The layer of this rank; svc: the only one.
struct layer *track_layer_of_rank(struct track *track, unsigned rank);

// The layer comes (again) with this SSRC: its numbers, history and loss begin anew unless it is the same as before.
void track_bind(struct track *track, struct layer *layer, uint32_t ssrc);

// The layer has ended (RTCP BYE): it is dead until it comes again.
void track_unbind(struct track *track, struct layer *layer);

// Takes one packet that came on `layer`, media or RTX: fills the rest of the packet and remembers it. The packet's
// rtp and ext are set; it is borrowed. Returns true when it should be forwarded; from then on it is immutable.
// Packets of only padding are forwarded too: subs leave them out and close the gap.
bool track_rx(struct track *track, struct layer *layer, struct packet *packet, int64_t now_us);

// Which layers are alive now, and which packets are too old to keep; to be called every 100 ms or so.
void track_tick(struct track *track, int64_t now_us);

// Subs begin anew when the track goes on, video with the next key frame, which is asked for.
void track_set_muted(struct track *track, bool muted, int64_t now_us);

// Somebody waits for a key frame of this layer. Remembered until one comes; asked for by feedback.c, at most once per
// TRACK_KEYFRAME_US.
void track_want_keyframe(struct track *track, struct layer *layer, int64_t now_us);

// mid, source and muted, as one line's pairs.
void track_stats(const struct track *track, struct line *line);
// Its rate, loss, jitter and counters, as one line's pairs.
void layer_stats(struct layer *layer, int64_t now_us, struct line *line);
