// Which layer of a track should a subscriber receive now?
// SPDX-License-Identifier: MIT
//
// Two kinds of tracks. Simulcast: each spatial layer is an SSRC of its own (0 the smallest) and a change waits for a
// key frame of the new one. SVC: one SSRC carries them all; going down is possible at any picture, going up at a key
// picture. A track with one SSRC and one layer is simulcast of one. Temporal layers are left at any picture and added
// where the codec says so. Facts about packets come from codec_inspect().
//
// One `struct layers` per subscriber.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/codec.h"

enum {
    LAYERS_HIGHEST = 7, // as wanted spatial or temporal layer: the best there is
    LAYERS_NONE = -1,   // as wanted spatial layer: nothing; as current layer: nothing yet
};

enum layers_verdict {
    LAYERS_DROP,           // timeline_drop(), part of a picture
    LAYERS_DROP_PICTURE,   // timeline_drop(), the whole picture is left out
    LAYERS_IGNORE,         // not of the layer being sent (simulcast): the timeline need not know
    LAYERS_FORWARD,        // timeline_forward()
    LAYERS_FORWARD_MARKER, // ... and set the RTP marker: the picture ends here for this subscriber
    LAYERS_SWITCH,         // timeline_switch(), then send; the marker as in the packet
    LAYERS_SWITCH_MARKER,  // ... and set the RTP marker
};

// What is sent, as of a packet of the layer.
struct layers_choice {
    int8_t spatial; // LAYERS_NONE: nothing
    uint8_t temporal;
    uint64_t since; // first sequence number it holds for
};

struct layers {
    bool svc;
    int8_t wanted_spatial;
    uint8_t wanted_temporal;
    uint8_t alive;
    int8_t target;   // what wanted and alive come to
    uint64_t newest; // highest number sent of the layer being sent
    struct layers_choice now;
    struct layers_choice before; // for packets that come late
    uint64_t before_until;       // the first number it does not hold for
};

// Wants LAYERS_HIGHEST of everything; nothing is alive yet.
void layers_init(struct layers *l, bool svc);

// spatial: 0..7 or LAYERS_NONE, which takes effect at once (a pause; what comes after needs a key frame).
// temporal: 0..7.
void layers_want(struct layers *l, int spatial, unsigned temporal);

// Bit i: layer i sends something. When the wanted layer is dead, the next lower living one is the target, else the
// lowest living one.
void layers_set_alive(struct layers *l, uint8_t alive);

// The picture was lost beyond repair, or the source restarted: go on only with a key frame.
void layers_restart(struct layers *l);

// What to do with a packet. `spatial`: simulcast: the index of its SSRC; SVC: ignored (info tells). `seq`: extended.
enum layers_verdict layers_rx(struct layers *l, unsigned spatial, uint64_t seq, bool marker,
                              const struct codec_info *info);

// The spatial layer whose key frame is being waited for, or LAYERS_NONE. Of SVC: any (there is one SSRC).
int layers_wants_keyframe(const struct layers *l);

// What is being sent; LAYERS_NONE: nothing.
static inline int layers_current(const struct layers *l)
{
    return l->now.spatial;
}
