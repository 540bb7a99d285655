// What does one participant send? (camera frames in bursts, Opus, sender reports; key frames when asked)
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/timers.h"
#include "bench/load/traffic.h"
#include "tests/puppet/puppet.h"

// What all members sent since the last begin.
struct output {
    uint64_t packets, frames, key_frames;
    uint64_t refused;  // packets the socket did not take
    uint64_t behind;   // frames left out because their time was long past
    uint64_t asked;    // key frame requests
    uint64_t nacked;   // packets asked for again; none is sent again
    uint64_t feedback; // transport-wide feedback packets that came
    uint64_t told;     // transport-wide feedback packets that listeners sent
};

struct publisher {
    struct puppet *puppet;
    const struct traffic *traffic;
    struct timers *timers;
    struct output *output;
    struct timer frame, audio, report;
    uint16_t audio_seq, video_seq, picture_id, twcc_seq;
    uint32_t audio_ts, video_ts;
    uint32_t audio_packets, video_packets;
    bool key_next;
    bool has_audio, has_video;
};

struct publisher_config {
    struct puppet *puppet;
    const struct traffic *traffic;
    struct timers *timers;
    struct output *output;
    bool audio, video;
};

// Begins to send, each kind at a random phase.
void publisher_start(struct publisher *publisher, const struct publisher_config *cfg, int64_t now_us);
void publisher_stop(struct publisher *publisher);
void publisher_rx_rtcp(struct publisher *publisher, const uint8_t *data, size_t len);
