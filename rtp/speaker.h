// Who is the dominant speaker?
// SPDX-License-Identifier: MIT
//
// Audio levels of RFC 6464 (0 is loudest, 127 silence, in -dBov) are smoothed per participant: quick to rise, slow to
// fall. A challenger takes over when it has been clearly louder for a while; after two seconds of silence nobody
// speaks. One per room.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SPEAKER_MAX = 64, // participants
    SPEAKER_NOBODY = -1,
    SPEAKER_SILENCE = 127,       // RFC 6464 section 3: level of digital silence
    SPEAKER_FLOOR = 60,          // -dBov: what is not louder is not speech
    SPEAKER_MARGIN = 3,          // dB by which a challenger must be louder
    SPEAKER_CHANGE_US = 400000,  // for so long
    SPEAKER_BEGIN_US = 100000,   // when nobody speaks: for so long
    SPEAKER_NOBODY_US = 2000000, // silence until nobody is the speaker
    SPEAKER_STALE_US = 300000,   // a participant who sends nothing for so long is silent (DTX, mute)
    SPEAKER_ATTACK_US = 50000,   // time constants of the smoothing
    SPEAKER_DECAY_US = 400000,
};

struct speaker_voice {
    int64_t last_us;     // 0: no packet yet
    int32_t loudness_q8; // 256 * (127 - level), smoothed
};

// All zero is not ready: speaker_init().
struct speaker {
    struct speaker_voice voice[SPEAKER_MAX];
    int current;      // or SPEAKER_NOBODY
    int challenger;   // or SPEAKER_NOBODY
    int64_t since_us; // since when the challenger leads
    int64_t spoke_us; // when the current one was last above the floor
    bool changed;     // not yet told
};

void speaker_init(struct speaker *s);

// A packet of participant `index` (0..SPEAKER_MAX-1; others are ignored). `vad`: the V bit; true where the sender
// does not use it (RFC 6464 section 4, vad=off). Packets that come late are the caller's to leave out.
void speaker_rx(struct speaker *s, unsigned index, unsigned level, bool vad, int64_t now_us);

// The participant left or was muted.
void speaker_forget(struct speaker *s, unsigned index);

// To be called every 50..100 ms. True when the speaker changed: *index is the participant or SPEAKER_NOBODY, *level
// its smoothed level in -dBov (SPEAKER_SILENCE for nobody).
bool speaker_due(struct speaker *s, int64_t now_us, int *index, unsigned *level);
