// How do an outgoing stream's numbers relate to its layers' numbers?
// SPDX-License-Identifier: MIT
#include "rtp/timeline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "rtp/ntp.h"
#include "rtp/seq.h"

enum {
    TS_MAX_ERROR_S = 10, // a sender report that is further from the elapsed time is not believed
    UNSEEN_MAX = 64,
};

void timeline_init(struct timeline *t, struct timeline_span *span, size_t capacity, uint32_t clock_hz,
                   uint16_t first_seq)
{
    assert(capacity && !(capacity & (capacity - 1)));
    *t = (struct timeline){
        .span = span,
        .mask = (uint32_t)capacity - 1,
        .clock_hz = clock_hz,
        .newest.seq = UINT64_C(65535) + first_seq, // room below for numbers that nobody was given
    };
}

static inline struct timeline_span *span_at(const struct timeline *t, uint64_t i)
{
    return &t->span[i & t->mask];
}

void timeline_move(struct timeline *t, struct timeline_span *span, size_t capacity)
{
    assert(capacity > t->kept && !(capacity & (capacity - 1)));
    uint32_t mask = (uint32_t)capacity - 1;
    for (uint64_t i = t->count - t->kept; i < t->count; i++)
        span[i & mask] = *span_at(t, i);
    t->span = span;
    t->mask = mask;
}

static inline struct timeline_span *newest_span(const struct timeline *t)
{
    return span_at(t, t->count - 1);
}

// The output number behind everything that is spoken for.
static uint64_t next_out(const struct timeline *t)
{
    if (!t->count)
        return t->newest.seq + 1;
    const struct timeline_span *s = newest_span(t);
    return s->out + (t->newest_in + 1 - s->in);
}

static uint64_t end_of(const struct timeline *t, uint64_t i)
{
    return i + 1 == t->count ? next_out(t) : span_at(t, i + 1)->out;
}

static void push(struct timeline *t, struct timeline_span s)
{
    *span_at(t, t->count++) = s;
    if (t->kept <= t->mask)
        t->kept++;
}

static inline void number(const struct timeline_span *s, const struct timeline_packet *in,
                          struct timeline_packet *out)
{
    *out = (struct timeline_packet){
        .seq = s->out + (in->seq - s->in),
        .ts = in->ts + s->ts_delta,
        .picture_id = (uint16_t)(in->picture_id + s->picture_id_delta),
        .tl0picidx = (uint8_t)(in->tl0picidx + s->tl0picidx_delta),
        .layer = s->layer,
    };
}

// The newest span of a layer that begins at or before seq; NULL: none. *end is one past the span's last input number.
// Spans of one layer never overlap, so no older one can hold seq.
static const struct timeline_span *find_span(const struct timeline *t, uint16_t layer, uint64_t seq, uint64_t *end)
{
    for (uint32_t n = 1; n <= t->kept; n++) {
        const struct timeline_span *s = span_at(t, t->count - n);
        if (s->layer != layer || s->in > seq)
            continue;
        *end = s->in + (end_of(t, t->count - n) - s->out);
        return s;
    }
    return NULL;
}

static bool number_late(const struct timeline *t, const struct timeline_packet *in, struct timeline_packet *out)
{
    uint64_t end;
    const struct timeline_span *s = find_span(t, in->layer, in->seq, &end);
    if (!s || in->seq >= end)
        return false;
    number(s, in, out);
    return true;
}

// How many of the `missing` numbers between the newest packet and this one the subscriber gets to see.
static uint64_t hole(uint64_t missing)
{
    return missing > TIMELINE_GAP_MAX ? 1 : missing;
}

// The output timestamp for a packet after a break, see timeline_switch().
static uint32_t ts_after_break(struct timeline *t, const uint32_t *same_instant_ts, int64_t now_us)
{
    int64_t elapsed_us = now_us > t->newest_us ? now_us - t->newest_us : 0;
    int64_t elapsed = ntp_us_to_ts(elapsed_us, t->clock_hz);
    uint32_t guess = t->newest.ts + (uint32_t)(elapsed ? elapsed : 1);

    // The newest span may run ahead; measured from the truth, errors do not add up over many switches.
    int32_t ahead = t->ts_ahead;
    t->ts_ahead = 0;
    if (!same_instant_ts)
        return guess;
    uint32_t truth = *same_instant_ts + newest_span(t)->ts_delta - (uint32_t)ahead;
    if (llabs((int64_t)ts_diff(truth, guess)) > (int64_t)t->clock_hz * TS_MAX_ERROR_S)
        return guess;
    if (elapsed > INT32_MAX || ts_newer(truth, t->newest.ts))
        return truth;
    t->ts_ahead = ts_diff(t->newest.ts + 1, truth);
    return t->newest.ts + 1;
}

// How many pictures that are missing may still come before what follows now: at most one per missing packet.
static uint64_t unseen(const struct timeline *t)
{
    uint64_t missing = next_out(t) - 1 - t->newest.seq;
    return missing < UNSEEN_MAX ? missing : UNSEEN_MAX;
}

// Begins a span with this packet, `skipped` numbers after the last.
static void begin_span(struct timeline *t, const struct timeline_packet *in, uint64_t skipped, struct timeline_span s)
{
    s.in = in->seq;
    s.out = next_out(t) + skipped;
    s.layer = in->layer;
    push(t, s);
    t->newest_in = in->seq - 1;
}

// A hole too large to be shown: the publisher was away, or began anew under its old SSRC.
static void jump(struct timeline *t, const struct timeline_packet *in, int64_t now_us)
{
    struct timeline_span s = *newest_span(t);
    s.ts_delta = ts_after_break(t, &in->ts, now_us) - in->ts;
    begin_span(t, in, 1, s);
}

// Field by field: a copy of the whole would wait for the narrow stores that have just made *out.
static inline void remember(struct timeline *t, uint64_t in_seq, const struct timeline_packet *out, int64_t now_us)
{
    t->newest_in = in_seq;
    t->newest.seq = out->seq;
    t->newest.ts = out->ts;
    t->newest.picture_id = out->picture_id;
    t->newest.tl0picidx = out->tl0picidx;
    t->newest.layer = out->layer;
    t->newest_us = now_us;
    t->dropping = false;
}

int timeline_forward(struct timeline *t, const struct timeline_packet *in, int64_t now_us,
                     struct timeline_packet *out)
{
    if (!t->count)
        return -ESTALE;
    const struct timeline_span *s = newest_span(t);
    if (in->layer != s->layer || in->seq < s->in)
        return number_late(t, in, out) ? 0 : -ESTALE;
    if (in->seq > t->newest_in + 1 + TIMELINE_GAP_MAX) {
        jump(t, in, now_us);
        s = newest_span(t);
    }
    number(s, in, out);
    if (in->seq > t->newest_in)
        remember(t, in->seq, out, now_us);
    return 0;
}

// The time of what is left out passes too: packets that are missing before it may still come, after a switch.
static void remember_dropped(struct timeline *t, const struct timeline_packet *in)
{
    int32_t passed = ts_diff(timeline_ts(t, in->ts), t->newest.ts);
    t->newest.ts += (uint32_t)passed;
    t->newest_us += ntp_ts_to_us(passed, t->clock_hz);
    t->newest_in = in->seq;
    t->dropping = true;
    t->dropped_ts = in->ts;
}

bool timeline_drop(struct timeline *t, const struct timeline_packet *in, bool whole_picture,
                   struct timeline_packet *out)
{
    if (!t->count)
        return false;
    struct timeline_span *s = newest_span(t);
    if (in->layer != s->layer || in->seq <= t->newest_in)
        return number_late(t, in, out);

    // What is missing between two dropped packets of a picture would have been dropped too.
    bool same_picture = t->dropping && in->ts == t->dropped_ts;
    uint64_t missing = same_picture ? 0 : hole(in->seq - t->newest_in - 1);
    if (s->in > t->newest_in && !missing) { // an empty span moves on
        s->in = in->seq + 1;
    } else {
        struct timeline_span next = *s;
        next.in = in->seq + 1;
        next.out = next_out(t) + missing;
        push(t, next);
        s = newest_span(t);
    }
    if (whole_picture && !same_picture)
        s->picture_id_delta--;
    remember_dropped(t, in);
    return false;
}

// Has the layer already come as far as seq?
static bool is_past(const struct timeline *t, uint16_t layer, uint64_t seq)
{
    for (uint32_t n = 1; n <= t->kept; n++) {
        const struct timeline_span *s = span_at(t, t->count - n);
        if (s->layer == layer)
            return seq < s->in + (end_of(t, t->count - n) - s->out);
    }
    return false;
}

int timeline_switch(struct timeline *t, const struct timeline_packet *in, const uint32_t *same_instant_ts,
                    int64_t now_us, struct timeline_packet *out)
{
    if (is_past(t, in->layer, in->seq))
        return -ESTALE;
    struct timeline_span s = {0};
    if (t->count) {
        s.ts_delta = ts_after_break(t, same_instant_ts, now_us) - in->ts;
        s.picture_id_delta = (uint16_t)(t->newest.picture_id + 1 + unseen(t) - in->picture_id);
        s.tl0picidx_delta = (uint8_t)(t->newest.tl0picidx + 1 + unseen(t) - in->tl0picidx);
    }
    begin_span(t, in, 0, s);
    number(newest_span(t), in, out);
    remember(t, in->seq, out, now_us);
    return 0;
}

bool timeline_reverse(const struct timeline *t, uint16_t seq, uint16_t *layer, uint64_t *in_seq)
{
    if (!t->count)
        return false;
    uint64_t last = next_out(t) - 1;
    uint64_t out = last + (uint64_t)(int64_t)seq_diff(seq, (uint16_t)last);
    if (out > last || out < span_at(t, t->count - t->kept)->out)
        return false;

    uint64_t lo = t->count - t->kept, hi = t->count; // the last span that begins at or before out
    while (hi - lo > 1) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (span_at(t, mid)->out <= out)
            lo = mid;
        else
            hi = mid;
    }
    const struct timeline_span *s = span_at(t, lo);
    *layer = s->layer;
    *in_seq = s->in + (out - s->out);
    return true;
}

uint32_t timeline_ts(const struct timeline *t, uint32_t ts)
{
    return t->count ? ts + newest_span(t)->ts_delta : ts;
}
