// Which receivers need this frame, and where may they join in? (the AV1 dependency descriptor)
// SPDX-License-Identifier: MIT
//
// "RTP Payload Format For AV1", appendix A: a header extension that tells a middlebox about a frame without its
// payload. Browsers send it with every codec that has layers. A key frame brings the *structure*: templates of
// frames, and *decode targets* (what one receiver gets: a spatial and a temporal layer). Later packets name a
// template and differ from it where they must. One dd_state per SSRC, for its RTX too; no heap.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DD_LEN_MIN = 3,        // A.8.2: the mandatory fields
    DD_TEMPLATES_MAX = 64, // A.8.2: frame_dependency_template_id has six bits
    DD_TARGETS_MAX = 32,   // A.8.2: dt_cnt_minus_one has five bits
    DD_CHAINS_MAX = 32,    // A.8.2: chain_cnt <= DtCnt
    DD_FDIFFS_MAX = 16,    // ours: frames that one frame may refer to
    DD_SPATIAL_MAX = 8,    // ours: spatial layers; more is malformed
    DD_TEMPORAL_MAX = 8,   // ours: temporal layers; more is malformed
    DD_LEN_MAX = 255,      // RFC 8285 section 4.3: bytes of one two-byte extension
    DD_ACTIVE_GROWTH = 5,  // bytes that dd_rewrite() may add: five flags and 32 targets
};

// A.8.3, table A.1: how a frame relates to one decode target.
enum dd_dti { DD_NOT_PRESENT, DD_DISCARDABLE, DD_SWITCH, DD_REQUIRED };

// The indications for all targets: bit i is target i. A target that is present and neither of the others is required.
struct dd_dtis {
    uint32_t present, discardable, switching;
};

struct dd_template {
    struct dd_dtis dtis;
    uint8_t spatial, temporal;
    uint8_t fdiff_count;
    uint8_t fdiff[DD_FDIFFS_MAX];       // how many frames back: 1..16
    uint8_t chain_fdiff[DD_CHAINS_MAX]; // how many frames back the chain's last frame is; 0: none is needed
};

struct dd_target {
    uint8_t spatial, temporal;
    uint8_t chain;   // the chain that protects it; meaningless when there are no chains
    uint64_t layers; // the receivers it serves, see dd_layer_bit()
};

// What was learned from one SSRC's key frames. All zero: nothing yet.
struct dd_state {
    bool has_structure, has_resolutions;
    uint8_t template_offset; // template_id_offset
    uint8_t template_count, target_count, chain_count;
    uint8_t spatial_count;    // highest spatial id of a template and one
    uint16_t structure_frame; // frame_number that brought the structure
    uint16_t active_frame;    // frame_number that brought `active`
    uint32_t active;          // bit i: the sender produces target i now
    uint16_t width[DD_SPATIAL_MAX], height[DD_SPATIAL_MAX];
    struct dd_target target[DD_TARGETS_MAX];
    struct dd_template template[DD_TEMPLATES_MAX];
};

// One packet's descriptor with its template filled in.
struct dd_frame {
    bool start_of_frame, end_of_frame;
    bool has_structure; // it brought the structure: a coded video sequence begins
    bool has_active;    // it brought active_decode_targets_bitmask
    uint8_t template_id;
    uint16_t frame_number;
    uint8_t spatial, temporal;
    struct dd_dtis dtis;
    uint32_t active;      // the sender's active targets as of this packet
    uint64_t layers;      // who needs this frame, see dd_layer_bit(). Of inactive targets only: who wants at
                          // least its layers
    uint8_t switch_up;    // bit t: who receives its spatial layer may go up to temporal layer t with this frame
    bool discardable;     // no later frame refers to it
    uint8_t target_count; // of the structure it uses
    uint8_t fdiff_count, chain_count;
    uint16_t fdiff[DD_FDIFFS_MAX]; // how many frames back: 1..4096; none: it depends on no other frame
    uint8_t chain_fdiff[DD_CHAINS_MAX];
    uint16_t active_at; // bit where the active mask is, or would be; 0: the descriptor has only the mandatory fields
    uint16_t width, height; // largest of its spatial layer; 0: not told
};

// The bit in a `layers` mask of the receiver that wants at most this spatial and temporal layer (each 0..7). Where
// the sender has no such target, or does not produce it, the bit follows the best target not above it; where there
// is none of those, the lowest that is produced.
static inline uint64_t dd_layer_bit(unsigned spatial, unsigned temporal)
{
    return UINT64_C(1) << (8 * spatial + temporal);
}

// The bits of all receivers that want at least this spatial and temporal layer.
static inline uint64_t dd_layers_from(unsigned spatial, unsigned temporal)
{
    return (UINT64_C(0xff) << temporal & 0xff) * UINT64_C(0x0101010101010101) << 8 * spatial;
}

// Parses one descriptor. A structure or an active mask older than the known one (a late packet) serves this packet
// only. Returns 0; -EBADMSG: malformed, *state is unchanged; -ENOENT: it needs a structure that has not been seen,
// then only start_of_frame, end_of_frame, template_id and frame_number are set.
int dd_parse(struct dd_state *state, const uint8_t *data, size_t len, struct dd_frame *frame);

// The indication of a frame for one target.
enum dd_dti dd_dti(const struct dd_dtis *dtis, unsigned target);

// The mask of all targets whose layers are within spatial and temporal, to announce to a receiver that gets no more.
uint32_t dd_targets_within(const struct dd_state *state, unsigned spatial, unsigned temporal);

// Writes a descriptor anew (out is not data) with another frame number and, when `active` is not 0, with that active
// mask (a structure in the packet, or nothing, says "all active"; A.4 wants it said when a middlebox forwards less).
// `active_at` and `target_count` are the frame's. Returns its length (at most len + DD_ACTIVE_GROWTH), or -EBADMSG:
// they do not fit the data; -ENOSPC: cap is too small.
int dd_rewrite(uint8_t *out, size_t cap, const uint8_t *data, size_t len, uint16_t frame_number, uint32_t active,
               unsigned active_at, unsigned target_count);
