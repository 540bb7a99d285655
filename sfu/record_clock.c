// At which moment of the recording was this RTP timestamp sampled?
// SPDX-License-Identifier: MIT
#include "sfu/record_clock.h"

#include "rtp/ntp.h"
#include "rtp/seq.h"

enum { JUMP_PROOFS = 3, MILLION = 1000000 };

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// ---- wall clock --------------------------------------------------------------------------------------------------

static void open_window(struct record_wall *w, int64_t difference_us, int64_t arrival_us)
{
    w->since_us = arrival_us;
    w->least_us = difference_us;
    w->rtt_us = INT64_MAX;
}

static int64_t least_of(const struct record_wall *w)
{
    return w->has_before ? min64(w->least_us, w->before_us) : w->least_us;
}

// Reports are delayed, never hurried: one that comes early says at once that the clock was set, late ones may be
// stuck in a queue and must insist.
static bool was_set(struct record_wall *w, int64_t difference_us)
{
    int64_t off_us = difference_us - least_of(w);
    w->off = off_us > RECORD_WALL_JUMP_US ? w->off + 1 : 0;
    return w->off >= JUMP_PROOFS || off_us < -RECORD_WALL_JUMP_US;
}

void record_wall_rx(struct record_wall *w, int64_t wall_us, int64_t arrival_us, int64_t rtt_us)
{
    int64_t difference_us = arrival_us - wall_us;
    if (!w->known || was_set(w, difference_us)) {
        *w = (struct record_wall){.known = true, .rtt_before_us = INT64_MAX};
        open_window(w, difference_us, arrival_us);
    } else if (arrival_us - w->since_us > RECORD_WALL_WINDOW_US) {
        w->has_before = true;
        w->before_us = w->least_us;
        w->rtt_before_us = w->rtt_us;
        open_window(w, difference_us, arrival_us);
    }
    w->least_us = min64(w->least_us, difference_us);
    if (rtt_us > 0)
        w->rtt_us = min64(w->rtt_us, rtt_us);
}

// Half the round trip; 0 when it is not known.
static int64_t way_us(const struct record_wall *w)
{
    int64_t rtt_us = min64(w->rtt_us, w->rtt_before_us);
    return w->known && rtt_us != INT64_MAX ? rtt_us / 2 : 0;
}

// Our time at its wall clock `wall_us`. The way here is taken as half the round trip. Only when known.
static int64_t record_wall_us(const struct record_wall *w, int64_t wall_us)
{
    return wall_us + least_of(w) - way_us(w);
}

// ---- sampling clock ----------------------------------------------------------------------------------------------

void record_clock_init(struct record_clock *c, uint32_t clock_hz, int64_t delay_us)
{
    *c = (struct record_clock){.clock_hz = clock_hz, .delay_us = delay_us, .least_us = INT64_MAX};
}

static int64_t count_on(const struct record_clock *c, uint32_t ts)
{
    return c->newest + ts_diff(ts, c->newest_ts);
}

static int64_t us_of(const struct record_clock *c, int64_t ticks)
{
    return ntp_ts_to_us(ticks, c->clock_hz);
}

void record_clock_rx(struct record_clock *c, uint32_t ts, int64_t arrival_us)
{
    if (!c->started) {
        c->started = true;
        c->newest_ts = ts;
    }
    int64_t at = count_on(c, ts);
    if (at > c->newest) {
        c->newest = at;
        c->newest_ts = ts;
    }
    if (!c->reported)
        c->least_us = min64(c->least_us, arrival_us - us_of(c, at));
}

void record_clock_sr(struct record_clock *c, uint32_t ts, int64_t wall_us)
{
    if (!c->started)
        return;
    c->reported = true;
    c->report = count_on(c, ts);
    c->report_wall_us = wall_us;
}

static int64_t truth_us(const struct record_clock *c, const struct record_wall *wall, int64_t at)
{
    if (c->reported && wall->known)
        return record_wall_us(wall, c->report_wall_us + us_of(c, at - c->report));
    return us_of(c, at) + c->least_us - c->delay_us - way_us(wall);
}

int64_t record_clock_us(struct record_clock *c, const struct record_wall *wall, uint32_t ts)
{
    int64_t at = count_on(c, ts);
    int64_t answer_us = truth_us(c, wall, at);
    if (c->told) {
        int64_t elapsed_us = us_of(c, at - c->told_at);
        int64_t error_us = answer_us - (c->told_us + elapsed_us);
        int64_t most_us = elapsed_us > 0 ? elapsed_us * RECORD_CLOCK_SLEW_PPM / MILLION : 0;
        if (error_us > most_us && error_us < RECORD_CLOCK_JUMP_US)
            answer_us = c->told_us + elapsed_us + most_us;
        else if (error_us < -most_us && error_us > -RECORD_CLOCK_JUMP_US)
            answer_us = c->told_us + elapsed_us - most_us;
        if (answer_us < c->told_us)
            answer_us = c->told_us;
    }
    c->told = true;
    c->told_at = at;
    c->told_us = answer_us;
    return answer_us;
}
