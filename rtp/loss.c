// Which packets of a layer must be asked for again, and when?
// SPDX-License-Identifier: MIT
#include "rtp/loss.h"

#include <string.h>

enum { LOSS_WANT_BACK_MAX = 0x8000 }; // 16 bits on the wire cannot name anything older

// The first gap that is not before seq.
static unsigned find(const struct loss *l, uint64_t seq)
{
    unsigned lo = 0, hi = l->count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (l->gap[mid].seq < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void drop_first(struct loss *l, unsigned n)
{
    l->count = (uint16_t)(l->count - n);
    memmove(l->gap, l->gap + n, l->count * sizeof *l->gap);
}

static void open_gaps(struct loss *l, uint64_t first, uint64_t end, int64_t now_us)
{
    if (first < l->floor)
        first = l->floor;
    if (first >= end)
        return;
    if (end - first > (uint64_t)(LOSS_MAX - l->count)) {
        l->given_up += l->count + (end - first);
        l->count = 0;
        l->floor = end;
        l->keyframe = true;
        return;
    }
    for (uint64_t seq = first; seq < end; seq++)
        l->gap[l->count++] = (struct loss_gap){.seq = seq, .opened_us = now_us};
}

static void close_gap(struct loss *l, uint64_t seq)
{
    unsigned i = find(l, seq);
    if (i == l->count || l->gap[i].seq != seq)
        return;
    if (l->gap[i].asks)
        l->recovered++;
    l->count--;
    memmove(&l->gap[i], &l->gap[i + 1], (l->count - i) * sizeof *l->gap);
}

void loss_rx(struct loss *l, uint64_t seq, int64_t now_us)
{
    if (seq <= l->newest) {
        if (l->count)
            close_gap(l, seq);
        return;
    }
    if (l->newest && seq != l->newest + 1)
        open_gaps(l, l->newest + 1, seq, now_us);
    l->newest = seq;
}

void loss_want(struct loss *l, uint64_t seq, int64_t now_us)
{
    if (seq > l->newest || seq < l->floor || l->newest - seq >= LOSS_WANT_BACK_MAX)
        return;
    unsigned i = find(l, seq);
    if (i < l->count && l->gap[i].seq == seq) {
        l->gap[i].wanted = true;
        return;
    }
    if (l->count == LOSS_MAX)
        return;
    memmove(&l->gap[i + 1], &l->gap[i], (l->count - i) * sizeof *l->gap);
    l->gap[i] = (struct loss_gap){.seq = seq, .opened_us = now_us, .wanted = true};
    l->count++;
}

static bool is_due(const struct loss *l, const struct loss_gap *g, int64_t now_us, int64_t repeat_us)
{
    if (g->asks >= LOSS_ASKS_MAX)
        return false;
    if (g->asks)
        return now_us - g->asked_us >= repeat_us;
    return g->wanted || l->newest - g->seq >= LOSS_REORDER_PACKETS || now_us - g->opened_us >= LOSS_REORDER_US;
}

size_t loss_due(struct loss *l, int64_t now_us, int64_t rtt_us, uint16_t *out, size_t cap)
{
    int64_t repeat_us = rtt_us > LOSS_REPEAT_MIN_US ? rtt_us : LOSS_REPEAT_MIN_US;
    unsigned kept = 0;
    size_t n = 0;
    for (unsigned i = 0; i < l->count; i++) {
        struct loss_gap g = l->gap[i];
        if (now_us - g.opened_us >= LOSS_AGE_MAX_US) {
            l->given_up++;
            continue;
        }
        if (n < cap && is_due(l, &g, now_us, repeat_us)) {
            g.asks++;
            g.asked_us = now_us;
            out[n++] = (uint16_t)g.seq;
        }
        l->gap[kept++] = g;
    }
    l->count = (uint16_t)kept;
    l->asked += n;
    return n;
}

bool loss_keyframe_needed(struct loss *l)
{
    bool needed = l->keyframe;
    l->keyframe = false;
    return needed;
}

void loss_forget_before(struct loss *l, uint64_t seq)
{
    if (seq <= l->floor)
        return;
    l->floor = seq;
    l->keyframe = false;
    drop_first(l, find(l, seq));
}
