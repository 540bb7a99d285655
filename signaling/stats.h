// How is the media of a room? (what the media server counted, read from its lines of `key=value` pairs)
// SPDX-License-Identifier: MIT
//
// A snapshot belongs to its room's number in the media server and is kept for a while, so that however often somebody
// asks, a room is measured once per STATS_EVERY_US at most. The signaling thread only.
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "sfu/sfu.h"

enum {
    STATS_EVERY_US = 1000000, // between two measurements of one room
    STATS_WORD_MAX = 40,      // bytes of one key or value
    STATS_LAYERS_MAX = 3,
    STATS_RECEIVED_MAX = 4096, // tracks one peer receives
    STATS_PEERS_MAX = 2000,
};

// One SSRC of a published track.
struct stats_layer {
    char rid[STATS_WORD_MAX];
    int64_t spatial, ssrc, bps, expected, received, jitter_us;
    int64_t asked, recovered, given_up, keyframes, keyframe_asks, dropped;
    double loss_percent; // since the measurement before, before repair
};

struct stats_track {
    char mid[STATS_WORD_MAX], source[STATS_WORD_MAX];
    int64_t muted;
    unsigned layer_count;
    struct stats_layer layers[STATS_LAYERS_MAX];
};

// One track of somebody else, as this peer receives it; loss, jitter and rtt are what its receiver reports.
struct stats_received {
    uint64_t publisher;
    char source[STATS_WORD_MAX];
    int64_t paused, spatial, temporal, bps, lost, fraction_lost, jitter_us, rtt_us; // fraction_lost: of 256
    int64_t nacks, resent, keyframe_asks, tx_packets, tx_bytes, dropped;
};

struct stats_peer {
    uint64_t peer;
    char state[STATS_WORD_MAX];
    int64_t rtt_us, remb_bps, rx_packets, rx_bytes, tx_packets, tx_bytes, dropped;
    int64_t nacks_tx, nacks_rx, plis_tx, plis_rx, firs_tx, firs_rx;
    unsigned track_count;
    struct stats_track tracks[SFU_TRACKS_MAX];
    GArray *received; // of struct stats_received
};

struct stats_room {
    int64_t measured_us;
    GPtrArray *peers; // of struct stats_peer, owned
};

// Reads the text of SFU_STATS_DATA. What it does not know is left out; what goes beyond the bounds too. `before`: an
// earlier snapshot of the same room to take the loss against, or NULL.
struct stats_room *stats_read(const char *text, const struct stats_room *before, int64_t now_us);
void stats_room_free(struct stats_room *room); // NULL is allowed

const struct stats_peer *stats_find_peer(const struct stats_room *room, uint64_t peer); // NULL: none

// What is told of one peer; `user_of` names the publisher of what it receives (NULL: gone).
json_t *stats_peer_json(const struct stats_peer *peer, const char *(*user_of)(void *arg, uint64_t peer), void *arg);

// ---- pairs --------------------------------------------------------------------------------------------------

// One line of pairs, read from its beginning. A word longer than STATS_WORD_MAX - 1 is cut off.
struct pairs {
    const char *at, *end;
    char key[STATS_WORD_MAX], value[STATS_WORD_MAX];
};

// The next line of *text, which moves behind it. False: there is none.
bool pairs_line(struct pairs *pairs, const char **text);
// The next pair into key and value. False: the line is over.
bool pairs_next(struct pairs *pairs);

// Where a number goes: offsetof in whatever is read. The table ends with a NULL key.
struct pairs_number {
    const char *key;
    size_t at;
};

// Puts the current pair where the table says, if it says something.
void pairs_take(const struct pairs *pairs, const struct pairs_number *table, void *into);
