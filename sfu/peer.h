// What is one participant's media side?
// SPDX-License-Identifier: MIT
//
// A peer publishes tracks and receives those of others, over one transport, as its negotiation allows. It knows
// nothing of the other peers: the room tells it what to receive and hears what it publishes. Worker thread.
//
// A new RTCPeerConnection of the same participant (a reloaded page) begins a new session: everything but the
// participant itself is replaced.
#pragma once

#include <glib.h>
#include <sys/queue.h>

#include "sfu/command.h"
#include "sfu/feedback.h"
#include "sfu/ingress.h"
#include "sfu/legs.h"
#include "sfu/negotiate.h"
#include "sfu/stats.h"
#include "sfu/tally.h"
#include "sfu/track.h"
#include "sfu/transport.h"
#include "sfu/worker.h"

enum {
    PEER_OFFER_DELAY_US = 20000,   // changes within it become one offer
    PEER_FIRST_OFFER_US = 1000000, // how long a browser may take to make the first offer itself
    PEER_ANSWER_US = 10000000,     // how long our offer waits for its answer
};

struct peer;

// Upward calls to the room.
struct peer_handlers {
    void (*published)(void *arg, struct peer *peer, struct track *track);
    void (*unpublished)(void *arg, struct peer *peer, struct track *track); // the track is freed afterwards
    void (*renewed)(void *arg, struct peer *peer); // it receives nothing any more: peer_receive() what there is
    void (*message)(void *arg, struct peer *peer, const struct datachan_message *message);
};

struct peer_config {
    struct worker *worker;
    struct mailbox *events;
    uint64_t room, id;
    const char *user;
    struct speaker *speaker; // of the room
    unsigned speaker_index;
    struct tally *tally; // of the worker: gets what was counted by what goes
    const struct peer_handlers *handlers;
    void *arg;
};

struct peer {
    // fixed at birth
    struct peer_config cfg;
    char user[SFU_USER_MAX + 1];

    // the participant
    bool muted[SFU_SOURCE_COUNT];
    char expected[SFU_USER_MAX + 1]; // who alone will publish for it, or ""
    struct stats stats;

    // the session
    struct transport *transport;
    struct negotiate *negotiate;
    struct ingress ingress;
    struct feedback feedback;
    struct legs legs;
    bool described;      // the browser has a description of ours
    uint64_t answer_tag; // of the offer being answered
    int64_t offer_at_us; // when to offer; 0: no need
    int64_t offered_us;  // when our last offer was made
    int64_t began_us;    // when the session began

    TAILQ_ENTRY(peer) entry; // in its room
};

struct peer *peer_new(const struct peer_config *cfg, int64_t now_us);
// Unpublishes everything. Not under a callback of its own.
void peer_free(struct peer *peer);

// ---- what the participant says ----
void peer_offer(struct peer *peer, const struct command *command, int64_t now_us);
void peer_answer(struct peer *peer, const struct command *command, int64_t now_us);
void peer_candidate(struct peer *peer, const struct command *command);
void peer_expect(struct peer *peer, const char *user); // NULL: nobody
void peer_mute(struct peer *peer, enum sfu_source source, bool muted, int64_t now_us);
void peer_select_layer(struct peer *peer, const struct command *command, int64_t now_us);

// ---- what the room says ----
void peer_receive(struct peer *peer, struct track *track, struct peer *publisher, int64_t now_us);
void peer_stop_receiving(struct peer *peer, const struct track *track, int64_t now_us);
void peer_tick(struct peer *peer, int64_t now_us, int64_t wall_us);
// One line for the peer (`peer=`), one per track it publishes (`publisher=`) with its layers behind it (`layer=`),
// and one per track it receives (`subscriber=`).
void peer_stats(struct peer *peer, int64_t now_us, GString *text);
// What it has counted and not yet given to cfg.tally.
void peer_tally(const struct peer *peer, struct tally *sum);
