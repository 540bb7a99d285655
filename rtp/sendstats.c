// What does a sender report say about an outgoing stream, and what does its receiver answer?
// SPDX-License-Identifier: MIT
#include "rtp/sendstats.h"

#include "rtp/ntp.h"
#include "rtp/seq.h"

void sendstats_init(struct sendstats *ss, uint32_t ssrc, uint32_t clock_hz)
{
    *ss = (struct sendstats){.ssrc = ssrc, .clock_hz = clock_hz};
}

void sendstats_tx(struct sendstats *ss, uint32_t ts, size_t payload_len, int64_t now_us)
{
    // The first packet of a frame is the one that left with the least delay.
    if (!ss->mapped && (!ss->timed || ts_newer(ts, ss->ts))) {
        ss->ts = ts;
        ss->at_us = now_us;
        ss->timed = true;
    }
    ss->packets++;
    ss->octets += payload_len;
    rate_add(&ss->rate, now_us, payload_len);
}

void sendstats_map(struct sendstats *ss, uint32_t ts, int64_t at_us)
{
    ss->ts = ts;
    ss->at_us = at_us;
    ss->timed = ss->mapped = true;
}

void sendstats_unmap(struct sendstats *ss)
{
    ss->timed = ss->mapped = false;
}

bool sendstats_sr(const struct sendstats *ss, int64_t now_us, uint64_t ntp, struct rtcp_sr *out)
{
    if (!ss->packets || !ss->timed)
        return false;
    *out = (struct rtcp_sr){
        .ssrc = ss->ssrc,
        .ntp = ntp,
        .ts = ss->ts + (uint32_t)ntp_us_to_ts(now_us - ss->at_us, ss->clock_hz),
        .packets = (uint32_t)ss->packets,
        .octets = (uint32_t)ss->octets,
    };
    return true;
}

void sendstats_rr(struct sendstats *ss, const struct rtcp_report *report, int64_t now_us, uint64_t ntp)
{
    ss->has_rr = true;
    ss->fraction_lost = report->fraction_lost;
    ss->lost = report->lost;
    ss->jitter_ts = report->jitter_ts;
    ss->ext_seq = report->ext_seq;
    ss->rr_us = now_us;
    if (!report->lsr)
        return;

    // RFC 3550 section 6.4.1, figure 2: A - LSR - DLSR. Coarse clocks may make it a little less than nothing.
    int32_t rtt = (int32_t)(ntp_compact(ntp) - report->lsr - report->dlsr);
    ss->rtt_us = rtt > 0 ? ntp_compact_to_us((uint32_t)rtt) : 1;
}

uint64_t sendstats_bps(struct sendstats *ss, int64_t now_us)
{
    return rate_bps(&ss->rate, now_us);
}
