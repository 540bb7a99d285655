// Which receivers need this frame, and where may they join in? (the AV1 dependency descriptor)
// SPDX-License-Identifier: MIT
#include "rtp/dd.h"

#include <errno.h>

#include "rtp/bits.h"
#include "rtp/seq.h"

enum {
    MANDATORY_BITS = 24,
    FLAG_BITS = 5,
    LATE_FRAMES = 128, // further back than this is no late packet but a sender that began anew
};

// A.8.2, extended_descriptor_fields, first bit first.
enum {
    FLAG_STRUCTURE = 16,
    FLAG_ACTIVE = 8,
    FLAG_DTIS = 4,
    FLAG_FDIFFS = 2,
    FLAG_CHAINS = 1,
};

// A.8.3, table A.2
enum { NEXT_SAME, NEXT_TEMPORAL, NEXT_SPATIAL, NEXT_NONE };

static uint32_t all_targets(const struct dd_state *state)
{
    return (uint32_t)((UINT64_C(1) << state->target_count) - 1);
}

static void read_layers(struct bit_reader *r, struct dd_state *state)
{
    unsigned spatial = 0, temporal = 0, next;

    do {
        if (state->template_count == DD_TEMPLATES_MAX || spatial == DD_SPATIAL_MAX || temporal == DD_TEMPORAL_MAX) {
            r->ok = false;
            return;
        }
        struct dd_template *t = &state->template[state->template_count++];
        t->spatial = (uint8_t)spatial;
        t->temporal = (uint8_t)temporal;
        next = bit_read(r, 2);
        if (next == NEXT_TEMPORAL)
            temporal++;
        if (next == NEXT_SPATIAL) {
            temporal = 0;
            spatial++;
        }
    } while (r->ok && next != NEXT_NONE);
    state->spatial_count = (uint8_t)(spatial + 1);
}

static struct dd_dtis read_dtis(struct bit_reader *r, unsigned target_count)
{
    struct dd_dtis dtis = {0};

    for (unsigned i = 0; i < target_count; i++) {
        unsigned dti = bit_read(r, 2);
        uint32_t bit = UINT32_C(1) << i;
        if (dti != DD_NOT_PRESENT)
            dtis.present |= bit;
        if (dti == DD_DISCARDABLE)
            dtis.discardable |= bit;
        if (dti == DD_SWITCH)
            dtis.switching |= bit;
    }
    return dtis;
}

static void read_template_fdiffs(struct bit_reader *r, struct dd_template *t)
{
    while (bit_read_flag(r)) {
        if (t->fdiff_count == DD_FDIFFS_MAX) {
            r->ok = false;
            return;
        }
        t->fdiff[t->fdiff_count++] = (uint8_t)(bit_read(r, 4) + 1);
    }
}

static void read_template_chains(struct bit_reader *r, struct dd_state *state)
{
    state->chain_count = (uint8_t)bit_read_ns(r, state->target_count + 1U);
    if (!state->chain_count)
        return;
    for (unsigned i = 0; i < state->target_count; i++)
        state->target[i].chain = (uint8_t)bit_read_ns(r, state->chain_count);
    for (unsigned i = 0; i < state->template_count; i++)
        for (unsigned chain = 0; chain < state->chain_count; chain++)
            state->template[i].chain_fdiff[chain] = (uint8_t)bit_read(r, 4);
}

static void read_resolutions(struct bit_reader *r, struct dd_state *state)
{
    state->has_resolutions = bit_read_flag(r);
    if (!state->has_resolutions)
        return;
    for (unsigned i = 0; i < state->spatial_count; i++) {
        // 65536 does not fit and no encoder makes it
        uint32_t width = bit_read(r, 16) + 1, height = bit_read(r, 16) + 1;
        state->width[i] = (uint16_t)(width <= UINT16_MAX ? width : UINT16_MAX);
        state->height[i] = (uint16_t)(height <= UINT16_MAX ? height : UINT16_MAX);
    }
}

// A.8.2, decode_target_layers: a target is as high as the highest template in it.
static void name_targets(struct dd_state *state)
{
    for (unsigned i = 0; i < state->target_count; i++) {
        struct dd_target *target = &state->target[i];
        for (const struct dd_template *t = state->template; t < state->template + state->template_count; t++) {
            if (!(t->dtis.present >> i & 1))
                continue;
            if (t->spatial > target->spatial)
                target->spatial = t->spatial;
            if (t->temporal > target->temporal)
                target->temporal = t->temporal;
        }
    }
}

static void read_structure(struct bit_reader *r, struct dd_state *state)
{
    *state = (struct dd_state){.has_structure = true};
    state->template_offset = (uint8_t)bit_read(r, 6);
    state->target_count = (uint8_t)(bit_read(r, 5) + 1);
    read_layers(r, state);
    for (unsigned i = 0; i < state->template_count; i++)
        state->template[i].dtis = read_dtis(r, state->target_count);
    for (unsigned i = 0; i < state->template_count; i++)
        read_template_fdiffs(r, &state->template[i]);
    read_template_chains(r, state);
    name_targets(state);
    read_resolutions(r, state);
    state->active = all_targets(state);
}

// Is a better for this receiver than b? Within its wish the highest counts; beyond it, the lowest.
static bool serves_better(const struct dd_target *a, const struct dd_target *b, unsigned spatial, unsigned temporal)
{
    bool a_within = a->spatial <= spatial && a->temporal <= temporal;
    bool b_within = b->spatial <= spatial && b->temporal <= temporal;

    if (a_within != b_within)
        return a_within;
    if (a->spatial != b->spatial)
        return (a->spatial > b->spatial) == a_within;
    return a->temporal != b->temporal && (a->temporal > b->temporal) == a_within;
}

// Gives every receiver to one active target, so that a packet's `layers` is a few ORs.
static void share_receivers(struct dd_state *state)
{
    for (unsigned i = 0; i < state->target_count; i++)
        state->target[i].layers = 0;
    for (unsigned i = 0; i < DD_SPATIAL_MAX * DD_TEMPORAL_MAX; i++) {
        struct dd_target *best = NULL;
        for (unsigned t = 0; t < state->target_count; t++) {
            struct dd_target *target = &state->target[t];
            if (!(state->active >> t & 1))
                continue;
            if (!best || serves_better(target, best, i / DD_TEMPORAL_MAX, i % DD_TEMPORAL_MAX))
                best = target;
        }
        if (best)
            best->layers |= dd_layer_bit(i / DD_TEMPORAL_MAX, i % DD_TEMPORAL_MAX);
    }
}

static void read_frame_fdiffs(struct bit_reader *r, struct dd_frame *frame)
{
    unsigned size;

    while ((size = bit_read(r, 2))) {
        if (frame->fdiff_count == DD_FDIFFS_MAX) {
            r->ok = false;
            return;
        }
        frame->fdiff[frame->fdiff_count++] = (uint16_t)(bit_read(r, 4 * size) + 1);
    }
}

// A.8.2, frame_dependency_definition: the template, and what the packet says in its place.
static void read_definition(struct bit_reader *r, const struct dd_state *state, const struct dd_template *t,
                            unsigned flags, struct dd_frame *frame)
{
    frame->spatial = t->spatial;
    frame->temporal = t->temporal;
    frame->target_count = state->target_count;
    frame->chain_count = state->chain_count;
    frame->dtis = flags & FLAG_DTIS ? read_dtis(r, state->target_count) : t->dtis;
    if (flags & FLAG_FDIFFS) {
        read_frame_fdiffs(r, frame);
    } else {
        frame->fdiff_count = t->fdiff_count;
        for (unsigned i = 0; i < t->fdiff_count; i++)
            frame->fdiff[i] = t->fdiff[i];
    }
    for (unsigned i = 0; i < state->chain_count; i++)
        frame->chain_fdiff[i] = flags & FLAG_CHAINS ? (uint8_t)bit_read(r, 8) : t->chain_fdiff[i];
    frame->width = state->width[t->spatial];
    frame->height = state->height[t->spatial];
}

static void conclude(const struct dd_state *state, struct dd_frame *frame)
{
    frame->active = state->active;
    frame->discardable = frame->dtis.present && frame->dtis.present == frame->dtis.discardable;
    for (unsigned i = 0; i < state->target_count; i++) {
        const struct dd_target *target = &state->target[i];
        if (frame->dtis.present >> i & 1)
            frame->layers |= target->layers;
        if (frame->dtis.switching >> i & 1)
            frame->switch_up |= (uint8_t)(target->layers >> (DD_TEMPORAL_MAX * frame->spatial));
    }
    // Senders announce a layer later than they send it: whoever wants it may have it.
    if (frame->dtis.present && !(frame->dtis.present & state->active))
        frame->layers = dd_layers_from(frame->spatial, frame->temporal);
}

static bool is_late(uint16_t frame_number, uint16_t known)
{
    int16_t ahead = seq_diff(frame_number, known);
    return ahead < 0 && ahead >= -LATE_FRAMES;
}

// Makes `mask` the active targets. Nothing active would leave packets for nobody: then all are.
static void set_active(struct dd_state *state, uint32_t mask, uint16_t frame_number)
{
    state->active_frame = frame_number;
    mask = mask ? mask : all_targets(state);
    if (mask == state->active)
        return;
    state->active = mask;
    share_receivers(state);
}

static void read_mandatory(struct bit_reader *r, struct dd_frame *frame)
{
    *frame = (struct dd_frame){0};
    frame->start_of_frame = bit_read_flag(r);
    frame->end_of_frame = bit_read_flag(r);
    frame->template_id = (uint8_t)bit_read(r, 6);
    frame->frame_number = (uint16_t)bit_read(r, 16);
}

// Takes over what a good descriptor taught: `use` is *state itself or the structure that the packet brought.
static void learn(struct dd_state *state, struct dd_state *use, const struct dd_frame *frame, uint32_t active)
{
    bool late = state->has_structure && (is_late(frame->frame_number, state->structure_frame) ||
                                         is_late(frame->frame_number, state->active_frame));

    if (frame->has_structure) {
        use->structure_frame = frame->frame_number;
        share_receivers(use);
        set_active(use, active, frame->frame_number);
        if (!late)
            *state = *use;
    } else if (frame->has_active && !late) {
        set_active(state, active, frame->frame_number);
    }
}

int dd_parse(struct dd_state *state, const uint8_t *data, size_t len, struct dd_frame *frame)
{
    struct dd_state fresh; // so that what is malformed further on leaves *state as it was
    struct dd_state *use = state;
    struct bit_reader r;

    bit_reader_init(&r, data, len);
    read_mandatory(&r, frame);
    unsigned flags = len > DD_LEN_MIN ? bit_read(&r, FLAG_BITS) : 0;
    if (!r.ok || len > DD_LEN_MAX)
        return -EBADMSG;
    if (flags & FLAG_STRUCTURE) {
        use = &fresh;
        read_structure(&r, use);
    }
    unsigned index = (frame->template_id + DD_TEMPLATES_MAX - use->template_offset) % DD_TEMPLATES_MAX;
    if (!r.ok || index >= use->template_count)
        return flags & FLAG_STRUCTURE ? -EBADMSG : -ENOENT;

    struct dd_frame told = *frame;
    told.has_structure = flags & FLAG_STRUCTURE;
    told.has_active = flags & FLAG_ACTIVE;
    told.active_at = len > DD_LEN_MIN ? (uint16_t)r.at : 0;
    uint32_t active = told.has_active ? bit_read(&r, use->target_count) : use->active;
    read_definition(&r, use, &use->template[index], flags, &told);
    if (!r.ok)
        return -EBADMSG;
    learn(state, use, &told, active);
    conclude(use, &told);
    *frame = told;
    return 0;
}

enum dd_dti dd_dti(const struct dd_dtis *dtis, unsigned target)
{
    if (!(dtis->present >> target & 1))
        return DD_NOT_PRESENT;
    if (dtis->discardable >> target & 1)
        return DD_DISCARDABLE;
    return dtis->switching >> target & 1 ? DD_SWITCH : DD_REQUIRED;
}

uint32_t dd_targets_within(const struct dd_state *state, unsigned spatial, unsigned temporal)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < state->target_count; i++)
        if (state->target[i].spatial <= spatial && state->target[i].temporal <= temporal)
            mask |= UINT32_C(1) << i;
    return mask & state->active;
}

int dd_rewrite(uint8_t *out, size_t cap, const uint8_t *data, size_t len, uint16_t frame_number, uint32_t active,
               unsigned active_at, unsigned target_count)
{
    struct bit_reader r;
    struct bit_writer w;

    if (active && (!target_count || target_count > DD_TARGETS_MAX))
        return -EBADMSG;
    bit_reader_init(&r, data, len);
    bit_writer_init(&w, out, cap);
    bit_copy(&w, &r, 8);
    bit_write(&w, frame_number, 16);
    bit_skip(&r, 16);
    if (active) {
        unsigned flags = len > DD_LEN_MIN ? bit_read(&r, FLAG_BITS) : 0;
        bit_write(&w, flags | FLAG_ACTIVE, FLAG_BITS);
        if (active_at > r.at)
            bit_copy(&w, &r, active_at - r.at);
        bit_write(&w, active, target_count);
        if (flags & FLAG_ACTIVE)
            bit_skip(&r, target_count);
    }
    if (r.ok)
        bit_copy(&w, &r, r.end - r.at);
    if (!r.ok)
        return -EBADMSG;
    size_t written = bit_writer_finish(&w);
    return w.ok ? (int)written : -ENOSPC;
}
