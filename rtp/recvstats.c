// What does a receiver report say about a layer, and which packet is this really?
// SPDX-License-Identifier: MIT
#include "rtp/recvstats.h"

#include <stdlib.h>

#include "rtp/ntp.h"

enum {
    NO_SUSPECT = 0x10000,
    JITTER_STEP_MAX_S = 5, // a larger step is a new timestamp base, not jitter
};

void recvstats_init(struct recvstats *rs, uint32_t ssrc, uint32_t clock_hz)
{
    *rs = (struct recvstats){.ssrc = ssrc, .clock_hz = clock_hz, .suspect = NO_SUSPECT};
}

static void begin(struct recvstats *rs, uint64_t seq)
{
    rs->unwrap.newest = rs->base = seq;
    rs->received = rs->received_prior = rs->expected_prior = 0;
    rs->jitter_q4 = 0;
    rs->has_transit = false;
    rs->suspect = NO_SUSPECT;
}

// RFC 3550 A.1, update_seq(): the extended number, or 0.
static uint64_t believe(struct recvstats *rs, uint16_t seq)
{
    if (!rs->unwrap.newest) {
        begin(rs, seq_unwrap_peek(&rs->unwrap, seq));
        return rs->unwrap.newest;
    }
    uint16_t ahead = (uint16_t)(seq - (uint16_t)rs->unwrap.newest);
    if (ahead < RECVSTATS_DROPOUT_MAX || ahead > 0xffff - RECVSTATS_MISORDER_MAX)
        return seq_unwrap_rx(&rs->unwrap, seq);
    if (seq != rs->suspect) {
        rs->suspect = (uint16_t)(seq + 1);
        return 0;
    }
    begin(rs, rs->unwrap.newest + ahead);
    rs->restarts++;
    return rs->unwrap.newest;
}

// RFC 3550 A.8.
static void measure_jitter(struct recvstats *rs, uint32_t ts, int64_t now_us)
{
    uint32_t transit = (uint32_t)ntp_us_to_ts(now_us, rs->clock_hz) - ts;
    int64_t d = llabs((int64_t)ts_diff(transit, rs->transit_ts));
    if (rs->has_transit && d <= (int64_t)rs->clock_hz * JITTER_STEP_MAX_S)
        rs->jitter_q4 += (uint32_t)d - ((rs->jitter_q4 + 8) >> 4);
    rs->transit_ts = transit;
    rs->has_transit = true;
}

uint64_t recvstats_rx(struct recvstats *rs, uint16_t seq, uint32_t ts, int64_t now_us, size_t len)
{
    uint64_t ext = believe(rs, seq);
    if (!ext)
        return 0;
    rs->received++;
    rs->packets++;
    rs->bytes += len;
    rate_add(&rs->rate, now_us, len);
    measure_jitter(rs, ts, now_us);
    return ext;
}

void recvstats_sr(struct recvstats *rs, uint64_t ntp, uint32_t rtp_ts, int64_t now_us)
{
    if (!ntp) // RFC 3550 section 6.4.1: a sender without a clock
        return;
    rs->has_sr = true;
    rs->sr_ntp = ntp;
    rs->sr_ts = rtp_ts;
    rs->sr_us = now_us;
}

bool recvstats_block(struct recvstats *rs, int64_t now_us, struct rtcp_report *out)
{
    if (!rs->unwrap.newest)
        return false;

    // RFC 3550 A.3
    uint64_t expected = rs->unwrap.newest - rs->base + 1;
    int64_t interval = (int64_t)(expected - rs->expected_prior);
    int64_t interval_lost = interval - (int64_t)(rs->received - rs->received_prior);
    rs->expected_prior = expected;
    rs->received_prior = rs->received;

    uint64_t cycles = (rs->unwrap.newest >> 16) - (rs->base >> 16);
    *out = (struct rtcp_report){
        .ssrc = rs->ssrc,
        .lost = (int32_t)(expected - rs->received),
        .ext_seq = (uint32_t)(cycles << 16 | (rs->unwrap.newest & 0xffff)),
        .jitter_ts = rs->jitter_q4 >> 4,
    };
    if (interval > 0 && interval_lost > 0)
        out->fraction_lost = (uint8_t)((interval_lost << 8) / interval); // < 256: the newest was received
    if (rs->has_sr) {
        out->lsr = ntp_compact(rs->sr_ntp);
        out->dlsr = ntp_compact_from_us(now_us - rs->sr_us);
    }
    return true;
}

uint64_t recvstats_bps(struct recvstats *rs, int64_t now_us)
{
    return rate_bps(&rs->rate, now_us);
}

bool recvstats_wall_us(const struct recvstats *rs, uint32_t ts, int64_t *wall_us)
{
    if (!rs->has_sr)
        return false;
    *wall_us = ntp_to_us(rs->sr_ntp) + ntp_ts_to_us(ts_diff(ts, rs->sr_ts), rs->clock_hz);
    return true;
}

bool recvstats_same_instant(const struct recvstats *from, uint32_t ts, const struct recvstats *to, uint32_t *out)
{
    int64_t wall_us;
    if (!to->has_sr || !recvstats_wall_us(from, ts, &wall_us))
        return false;
    *out = to->sr_ts + (uint32_t)ntp_us_to_ts(wall_us - ntp_to_us(to->sr_ntp), to->clock_hz);
    return true;
}
