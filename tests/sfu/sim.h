// How does a whole room behave, without a network and without waiting?
// SPDX-License-Identifier: MIT
//
// The real media path (ingress, track, forward, sub, feedback) between browsers that are played: senders that encode
// stamped pictures and sound, receivers that check each packet, and links that lose, delay and reorder. Time is a
// number. The sim takes the place of transport.c at link time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/loss.h"
#include "rtp/recvstats.h"
#include "sfu/feedback.h"
#include "sfu/ingress.h"
#include "sfu/sub.h"
#include "tests/rtp/dice.h"

enum {
    SIM_STEP_US = 1000,
    SIM_SECOND_US = 1000000,
    SIM_PEERS_MAX = 8,
    SIM_STREAMS_MAX = 64,   // outgoing SSRCs of one sink
    SIM_SENDERS_MAX = 4,    // of one peer
    SIM_RECEIVERS_MAX = 32, // of one peer
    SIM_SENT_MAX = 1024,    // packets a sender keeps for NACKs
    SIM_BUFFER = 1024,      // packets a receiver puts in order
    SIM_PACKET_MAX = 1500,
};

struct sim;
struct sim_peer;

// ---- what is sent ------------------------------------------------------------------------------------------------

// Written into every payload behind the codec's own bytes.
struct sim_stamp {
    uint32_t stream;       // sender's ssrc at birth
    uint32_t frame;        // 1..
    uint32_t ref;          // the frame it needs; 0: none (key frame, sound)
    uint64_t capture_us;   // on the sim's clock
    uint16_t index, count; // of the frame's packets
    uint8_t temporal;
};

enum { SIM_STAMP_LEN = 25 };

struct sim_media {
    bool video;
    enum codec codec;     // VP8, OPUS or RED
    unsigned layers;      // simulcast; 0 and 1: one SSRC
    bool high_first;      // rids are listed largest first
    unsigned temporal;    // VP8: 1..3 temporal layers; 0: one, and no layer index in the payload
    unsigned frame_us;    // 33,333 or 20,000
    unsigned packets;     // per frame of the lowest layer, doubled for each above
    unsigned key_packets; // of a key frame, likewise
    bool declared;        // SSRCs are in SDP rather than learned from mid and rid
    uint16_t first_seq;   // near 65535: wraps soon
    uint32_t first_ts;
    uint16_t first_picture_id;
};

extern const struct sim_media sim_camera, sim_simulcast, sim_microphone;

struct sim_sent {
    bool used, marker;
    uint16_t seq;
    uint32_t ts;
    uint16_t len; // 0: only padding
    uint8_t payload[SIM_PACKET_MAX];
};

// One SSRC.
struct sim_stream {
    uint32_t ssrc, rtx_ssrc;
    uint16_t seq, rtx_seq;
    uint32_t ts_base;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint32_t frame, last_at[3]; // frames sent, and the last of each temporal layer
    unsigned phase;             // in the pattern of temporal layers
    bool keyframe;              // the next frame is one
    bool off;                   // the encoder does not produce it now
    unsigned named;             // packets that still carry mid and rid
    struct sim_sent *sent;      // ring by seq
    uint64_t packets, octets, keyframes, resent, plis, firs;
};

struct sim_sender {
    struct sim_peer *peer;
    struct sim_media media;
    struct track *track;
    char mid[8];
    unsigned stream_count;
    struct sim_stream stream[TRACK_LAYERS_MAX];
    int64_t next_us, report_us;
    bool silent; // sends nothing: switched off, or gone
    uint8_t level_db;
};

// ---- what is received --------------------------------------------------------------------------------------------

struct sim_got {
    uint64_t seq; // extended; 0: empty
    uint16_t len;
    bool marker, padding;
    uint32_t ts;
    uint8_t buf[SIM_PACKET_MAX]; // payload
};

struct sim_receiver {
    struct sim_peer *peer;
    struct sub *sub;
    struct sim_sender *from;
    uint32_t ssrc, rtx_ssrc;

    struct recvstats recvstats;
    struct loss loss;
    bool nack;
    struct sim_got *got; // ring by extended number
    uint64_t next;       // to play; 0: nothing yet
    int64_t begin_us;    // when to play the first: packets overtake one another
    bool playing;
    int64_t waiting_us; // since when `next` is missing; 0: it is not

    // the frame being put together
    unsigned have; // packets of it
    struct sim_stamp stamp;
    uint16_t picture_id;
    bool padded; // numbers were padding since the last frame
    bool gap;    // numbers were given up since the last frame

    // the decoder
    uint32_t decoded[256]; // frame numbers, by number
    uint32_t stream;       // that they are of
    bool has_last;
    uint32_t first_ts, last_ts;
    uint64_t first_capture_us;
    uint16_t last_picture_id;
    int64_t frozen_us; // since when it cannot decode; 0: it can
    int64_t asked_us;  // last PLI

    // reports
    bool has_sr;
    struct rtcp_sr sr;
    int64_t skew_us; // play-out time by sender reports minus capture time, of the last frame
    bool has_skew;
    char cname[64];

    // counted
    uint64_t packets, rtx_packets, paddings, duplicates;
    uint64_t frames, keyframes, undecodable;
    uint64_t skipped, jumped; // numbers given up: after waiting, because a key frame came
    uint64_t nacks, plis, srs;
    uint64_t per_layer[TRACK_LAYERS_MAX], per_temporal[3]; // frames
    int64_t ts_error_max_us;                               // how far timestamps ever were from capture times
    int64_t delay_max_us;                                  // capture to play
};

// ---- links and peers ---------------------------------------------------------------------------------------------

struct sim_quality {
    unsigned loss_permille;
    int64_t delay_us, jitter_us; // jitter over the packet spacing reorders
};
extern const struct sim_quality sim_perfect, sim_shaky; // 10 ms away; with loss and jitter

struct sim_datagram {
    struct sim_datagram *next;
    int64_t at_us;
    bool rtcp;
    uint16_t len;
    uint8_t buf[];
};

struct sim_link {
    struct sim_quality quality;
    struct sim_datagram *first; // by at_us
    uint64_t sent, lost;
};

struct transport {
    struct sim_peer *peer;
};

struct sim_peer {
    struct sim *sim;
    unsigned index;
    struct sim_link up, down;
    int64_t clock_us; // its wall clock minus the sim's clock
    bool gone;

    // our side of it
    struct transport transport;
    struct sink sink;
    struct ingress ingress;
    struct feedback feedback;
    struct sub_list subs;
    struct stats stats;
    struct {
        uint32_t ssrc;
        uint8_t *seen; // by sequence number; NULL: the handle is free
    } streams[SIM_STREAMS_MAX];
    uint16_t twcc_seq;
    uint64_t tx_packets;

    // the browser's side
    uint8_t pt_shift, ext_shift; // its own numbers
    uint16_t twcc_out;
    uint64_t twcc_reported, twcc_missing, feedbacks;
    uint64_t rr_lost;
    unsigned sender_count, receiver_count;
    struct sim_sender *senders[SIM_SENDERS_MAX];
    struct sim_receiver *receivers[SIM_RECEIVERS_MAX];
    int64_t rr_us;
};

struct sim {
    int64_t now_us;
    int64_t wall_us; // our wall clock minus the sim's clock
    struct dice dice;
    struct pool *pool;
    uint32_t last_ssrc;
    unsigned peer_count;
    struct sim_peer *peers[SIM_PEERS_MAX];
};

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *sim); // and asserts that every packet came back to the pool
void sim_run(struct sim *sim, int64_t us);

struct sim_peer *sim_join(struct sim *sim, struct sim_quality up, struct sim_quality down);
void sim_leave(struct sim_peer *peer); // its senders' and receivers' counters stay readable

// Every other peer that is there (or comes by sim_subscribe()) may receive it.
struct sim_sender *sim_publish(struct sim_peer *peer, const struct sim_media *media);
void sim_unpublish(struct sim_sender *sender, bool bye);
void sim_reload(struct sim_sender *sender); // goes on with new SSRCs, numbers and timestamps on the same mid

struct sim_receiver *sim_subscribe(struct sim_peer *peer, struct sim_sender *sender);
void sim_unsubscribe(struct sim_receiver *receiver);

// ---- between the parts -------------------------------------------------------------------------------------------

void sim_up(struct sim_peer *peer, const void *data, size_t len, bool rtcp);   // browser to us
void sim_down(struct sim_peer *peer, const void *data, size_t len, bool rtcp); // us to browser

uint8_t sim_pt(const struct sim_peer *peer, enum codec codec);
uint8_t sim_rtx_pt(const struct sim_peer *peer, enum codec codec);
uint8_t sim_ext(const struct sim_peer *peer, enum ext_house house);

void sim_sender_tick(struct sim_sender *sender);
void sim_sender_nack(struct sim_sender *sender, uint32_t ssrc, uint16_t seq);
void sim_sender_keyframe(struct sim_sender *sender, uint32_t ssrc, bool fir);
void sim_sender_probe(struct sim_sender *sender, unsigned stream, bool on_rtx, unsigned count); // only padding
void sim_sender_free(struct sim_sender *sender);

void sim_receiver_rtp(struct sim_receiver *receiver, const struct rtp *rtp, const uint8_t *buf, size_t len);
void sim_receiver_tick(struct sim_receiver *receiver);
void sim_receiver_free(struct sim_receiver *receiver);
