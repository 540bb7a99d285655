// Who is the dominant speaker?
// SPDX-License-Identifier: MIT
#include "rtp/speaker.h"

enum { PACKET_US = 20000 }; // the time a first packet stands for

void speaker_init(struct speaker *s)
{
    *s = (struct speaker){.current = SPEAKER_NOBODY, .challenger = SPEAKER_NOBODY};
}

void speaker_rx(struct speaker *s, unsigned index, unsigned level, bool vad, int64_t now_us)
{
    if (index >= SPEAKER_MAX)
        return;
    struct speaker_voice *v = &s->voice[index];
    int64_t dt_us = v->last_us ? now_us - v->last_us : PACKET_US;
    if (dt_us <= 0)
        return;
    if (dt_us > SPEAKER_STALE_US)
        dt_us = SPEAKER_STALE_US;
    int32_t loudness_q8 = vad && level < SPEAKER_SILENCE ? (int32_t)(SPEAKER_SILENCE - level) * 256 : 0;
    int64_t tau_us = loudness_q8 > v->loudness_q8 ? SPEAKER_ATTACK_US : SPEAKER_DECAY_US;
    v->loudness_q8 += (int32_t)((loudness_q8 - v->loudness_q8) * dt_us / (tau_us + dt_us));
    v->last_us = now_us;
}

void speaker_forget(struct speaker *s, unsigned index)
{
    if (index >= SPEAKER_MAX)
        return;
    s->voice[index] = (struct speaker_voice){0};
    if (s->challenger == (int)index)
        s->challenger = SPEAKER_NOBODY;
    if (s->current == (int)index) {
        s->current = SPEAKER_NOBODY;
        s->changed = true;
    }
}

// 0 for who is silent.
static int32_t loudness_of(const struct speaker *s, int index, int64_t now_us)
{
    if (index == SPEAKER_NOBODY)
        return 0;
    const struct speaker_voice *v = &s->voice[index];
    if (now_us - v->last_us >= SPEAKER_STALE_US)
        return 0;
    return v->loudness_q8 > (SPEAKER_SILENCE - SPEAKER_FLOOR) * 256 ? v->loudness_q8 : 0;
}

static int find_loudest(const struct speaker *s, int64_t now_us)
{
    int loudest = SPEAKER_NOBODY;
    int32_t best = 0;
    for (int i = 0; i < SPEAKER_MAX; i++) {
        int32_t loudness = loudness_of(s, i, now_us);
        if (loudness > best) {
            best = loudness;
            loudest = i;
        }
    }
    return loudest;
}

static bool leads(const struct speaker *s, int index, int64_t now_us)
{
    if (index == SPEAKER_NOBODY || index == s->current)
        return false;
    return loudness_of(s, index, now_us) > loudness_of(s, s->current, now_us) + SPEAKER_MARGIN * 256;
}

static void take_over(struct speaker *s, int index, int64_t now_us)
{
    s->current = index;
    s->challenger = SPEAKER_NOBODY;
    s->spoke_us = now_us;
    s->changed = true;
}

// Who has led for long enough takes over.
static void hear_challenger(struct speaker *s, int64_t now_us)
{
    if (!leads(s, s->challenger, now_us)) {
        int loudest = find_loudest(s, now_us);
        s->challenger = leads(s, loudest, now_us) ? loudest : SPEAKER_NOBODY;
        s->since_us = now_us;
    }
    int64_t wait_us = s->current == SPEAKER_NOBODY ? SPEAKER_BEGIN_US : SPEAKER_CHANGE_US;
    if (s->challenger != SPEAKER_NOBODY && now_us - s->since_us >= wait_us)
        take_over(s, s->challenger, now_us);
}

bool speaker_due(struct speaker *s, int64_t now_us, int *index, unsigned *level)
{
    if (loudness_of(s, s->current, now_us))
        s->spoke_us = now_us;
    hear_challenger(s, now_us);
    if (s->current != SPEAKER_NOBODY && now_us - s->spoke_us >= SPEAKER_NOBODY_US)
        take_over(s, SPEAKER_NOBODY, now_us);

    bool changed = s->changed;
    s->changed = false;
    *index = s->current;
    *level = SPEAKER_SILENCE - (unsigned)(loudness_of(s, s->current, now_us) / 256);
    return changed;
}
