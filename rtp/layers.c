// Which layer of a track should a subscriber receive now?
// SPDX-License-Identifier: MIT
#include "rtp/layers.h"

static const struct layers_choice nothing = {.spatial = LAYERS_NONE};

void layers_init(struct layers *l, bool svc)
{
    *l = (struct layers){
        .svc = svc,
        .wanted_spatial = LAYERS_HIGHEST,
        .wanted_temporal = LAYERS_HIGHEST,
        .target = svc ? LAYERS_HIGHEST : LAYERS_NONE,
        .now = nothing,
        .before = nothing,
    };
}

// SVC needs no substitute for a dead layer: the layers below it are sent anyway.
static int8_t find_target(const struct layers *l)
{
    if (l->svc || l->wanted_spatial == LAYERS_NONE)
        return l->wanted_spatial;
    for (int8_t i = l->wanted_spatial; i >= 0; i--)
        if (l->alive >> i & 1)
            return i;
    for (int8_t i = (int8_t)(l->wanted_spatial + 1); i <= LAYERS_HIGHEST; i++)
        if (l->alive >> i & 1)
            return i;
    return LAYERS_NONE;
}

void layers_want(struct layers *l, int spatial, unsigned temporal)
{
    l->wanted_spatial = (int8_t)(spatial < 0 ? LAYERS_NONE : spatial > LAYERS_HIGHEST ? LAYERS_HIGHEST : spatial);
    l->wanted_temporal = (uint8_t)(temporal > LAYERS_HIGHEST ? LAYERS_HIGHEST : temporal);
    l->target = find_target(l);
    if (l->wanted_spatial == LAYERS_NONE)
        layers_restart(l);
}

void layers_set_alive(struct layers *l, uint8_t alive)
{
    l->alive = alive;
    l->target = find_target(l);
}

void layers_restart(struct layers *l)
{
    l->now = l->before = nothing;
}

// Is this key frame the beginning of what we want? With nothing on the screen any layer up to the wanted one will do.
static bool may_switch(const struct layers *l, unsigned spatial)
{
    if (l->wanted_spatial == LAYERS_NONE || (int)spatial == l->now.spatial)
        return false;
    if (l->now.spatial == LAYERS_NONE)
        return l->svc || (int)spatial <= l->wanted_spatial || (int)spatial == l->target;
    return !l->svc && (int)spatial == l->target;
}

static void switch_to(struct layers *l, unsigned spatial, uint64_t seq)
{
    l->before = l->now;
    l->before_until = l->newest + 1;
    l->now = (struct layers_choice){
        .spatial = l->svc ? l->target : (int8_t)spatial,
        .temporal = l->wanted_temporal,
        .since = seq,
    };
    l->newest = seq;
}

static int8_t spatial_at(const struct layers *l, const struct codec_info *info)
{
    if (!l->svc)
        return l->now.spatial;
    return l->target < l->now.spatial || info->keyframe ? l->target : l->now.spatial;
}

// A picture begins: the time to take another choice.
static void choose(struct layers *l, uint64_t seq, const struct codec_info *info)
{
    struct layers_choice next = {
        .spatial = spatial_at(l, info),
        .temporal = (uint8_t)codec_switch_up(info, l->now.temporal, l->wanted_temporal),
        .since = seq,
    };
    if (next.spatial == l->now.spatial && next.temporal == l->now.temporal)
        return;
    l->before = l->now;
    l->before_until = seq;
    l->now = next;
}

static bool is_of(const struct layers *l, const struct layers_choice *c, unsigned spatial)
{
    return c->spatial != LAYERS_NONE && (l->svc || (int)spatial == c->spatial);
}

static enum layers_verdict judge(const struct layers *l, const struct layers_choice *c, bool marker,
                                 const struct codec_info *info)
{
    unsigned spatial = l->svc ? (unsigned)c->spatial : LAYERS_HIGHEST;
    if (!(info->layers & codec_layer_bit(spatial, c->temporal)))
        return info->temporal > c->temporal ? LAYERS_DROP_PICTURE : LAYERS_DROP;
    return !marker && codec_marker(info, marker, spatial) ? LAYERS_FORWARD_MARKER : LAYERS_FORWARD;
}

enum layers_verdict layers_rx(struct layers *l, unsigned spatial, uint64_t seq, bool marker,
                              const struct codec_info *info)
{
    if (info->keyframe && may_switch(l, spatial)) {
        switch_to(l, spatial, seq);
        return judge(l, &l->now, marker, info) == LAYERS_FORWARD_MARKER ? LAYERS_SWITCH_MARKER : LAYERS_SWITCH;
    }
    if (is_of(l, &l->now, spatial)) {
        if (seq > l->newest) {
            l->newest = seq;
            if (info->start_of_frame && info->spatial == 0)
                choose(l, seq, info);
        }
        if (seq >= l->now.since)
            return judge(l, &l->now, marker, info);
    }
    if (is_of(l, &l->before, spatial) && seq < l->before_until)
        return seq >= l->before.since ? judge(l, &l->before, marker, info) : LAYERS_DROP;
    return is_of(l, &l->now, spatial) ? LAYERS_DROP : LAYERS_IGNORE;
}

int layers_wants_keyframe(const struct layers *l)
{
    if (l->target == LAYERS_NONE || l->target == l->now.spatial)
        return LAYERS_NONE;
    if (l->svc && l->target < l->now.spatial)
        return LAYERS_NONE;
    return l->target;
}
