// May this packet be sent again now?
// SPDX-License-Identifier: MIT
#include "sfu/resend.h"

#include <glib.h>

enum { REFILL_MAX_US = 1000000 }; // longer silence earns no more

// Never 0, which is no time.
static uint32_t ms_of(int64_t now_us)
{
    uint32_t ms = (uint32_t)(now_us / 1000);
    return ms ? ms : 1;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void resend_init(struct resend *r)
{
    *r = (struct resend){.tokens = RESEND_BURST};
}

void resend_clear(struct resend *r)
{
    g_free(r->slot);
    r->slot = NULL;
}

static struct resend_slot *slot_of(struct resend *r, uint16_t seq)
{
    if (!r->slot)
        r->slot = g_new0(struct resend_slot, RESEND_SLOTS);
    return &r->slot[seq % RESEND_SLOTS];
}

void resend_note(struct resend *r, uint16_t seq, bool empty, int64_t now_us)
{
    *slot_of(r, seq) = (struct resend_slot){ms_of(now_us), seq, empty};
}

static void refill(struct resend *r, uint64_t stream_bps, int64_t now_us)
{
    int64_t half_bps = clamp((int64_t)(stream_bps / 2), RESEND_FLOOR_BPS, INT32_MAX);
    int64_t elapsed_us = clamp(now_us - r->counted_us, 0, REFILL_MAX_US);
    int64_t earned = half_bps * elapsed_us / 8 / 1000000;
    if (!earned)
        return;
    r->counted_us = now_us;
    r->tokens = clamp(r->tokens + earned, 0, RESEND_BURST);
}

enum drop resend_ask(struct resend *r, uint16_t seq, size_t octets, uint64_t stream_bps, int64_t rtt_us,
                     int64_t now_us, bool *empty)
{
    struct resend_slot *slot = slot_of(r, seq);
    bool known = slot->at_ms && slot->seq == seq;
    int64_t since_us = INT64_C(1000) * (ms_of(now_us) - slot->at_ms);
    if (known && since_us < clamp(rtt_us, RESEND_WAIT_MIN_US, RESEND_WAIT_MAX_US))
        return DROP_RESEND_TWICE;
    refill(r, stream_bps, now_us);
    if (r->tokens < (int64_t)octets)
        return DROP_RESEND_RATE;
    r->tokens -= (int64_t)octets;
    *empty = known && slot->empty;
    *slot = (struct resend_slot){ms_of(now_us), seq, *empty};
    return DROP_COUNT;
}
