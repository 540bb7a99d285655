// What has one worker done since it started?
// SPDX-License-Identifier: MIT
#include "sfu/tally.h"

void tally_add_drops(struct tally *sum, const struct stats *stats)
{
    for (unsigned i = 0; i < DROP_COUNT; i++)
        sum->drops[i] += stats->drops[i];
}

void tally_add_track(struct tally *sum, const struct track *track)
{
    for (unsigned i = 0; i < track->layer_count; i++)
        tally_add_drops(sum, &track->layer[i].stats);
}

void tally_add_sub(struct tally *sum, const struct sub *sub)
{
    sum->tx.packets += sub->stats.tx.packets;
    sum->tx.bytes += sub->stats.tx.bytes;
    sum->resent += sub->resent_packets;
    tally_add_drops(sum, &sub->stats);
}

void tally_add_feedback(struct tally *sum, const struct feedback *fb)
{
    sum->nacks_tx += fb->nacks_tx;
    sum->nacks_rx += fb->nacks_rx;
    sum->keyframes_tx += fb->plis_tx + fb->firs_tx;
    sum->keyframes_rx += fb->plis_rx + fb->firs_rx;
}

// A DTLS that the other side closed has ended, not failed.
void tally_state(struct tally *sum, enum sfu_state state, struct transport_fault fault)
{
    sum->connected += state == SFU_CONNECTED;
    sum->ice_failed += state == SFU_FAILED && fault.ice;
    sum->dtls_failed += state == SFU_FAILED && fault.dtls;
}

void tally_print(const struct tally *tally, const struct stats *worker, struct line *line)
{
    struct stats all = {.rx = worker->rx, .tx = tally->tx};
    for (unsigned i = 0; i < DROP_COUNT; i++)
        all.drops[i] = tally->drops[i] + worker->drops[i];
    line_number(line, "connected", (int64_t)tally->connected);
    line_number(line, "ice_failed", (int64_t)tally->ice_failed);
    line_number(line, "dtls_failed", (int64_t)tally->dtls_failed);
    line_number(line, "nacks_tx", (int64_t)tally->nacks_tx);
    line_number(line, "nacks_rx", (int64_t)tally->nacks_rx);
    line_number(line, "keyframes_tx", (int64_t)tally->keyframes_tx);
    line_number(line, "keyframes_rx", (int64_t)tally->keyframes_rx);
    line_number(line, "resent", (int64_t)tally->resent);
    line_number(line, "tap_packets", (int64_t)tally->tapped.packets);
    line_number(line, "tap_bytes", (int64_t)tally->tapped.bytes);
    line_stats(line, &all);
}
