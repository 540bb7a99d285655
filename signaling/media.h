// Which peer of the media server stands for this participant, and what do they tell each other?
// SPDX-License-Identifier: MIT
//
// A peer is one RTCPeerConnection. A page that was reloaded, or that gave up on a failed connection, makes another
// one; it is recognised by the session id in its description's o= line (RFC 9429 section 5.2.1: it stays the same for
// the life of a connection) and gets a new peer. Nothing of that is seen by the other participants but their tracks.
#pragma once

#include "signaling/session.h"

// Gives the participant a peer in its room. Its sources are stopped as its media state says; an observer's all are.
void media_join(struct participant *participant);
// Takes it out. Its open questions are answered with `fault`.
void media_leave(struct participant *participant, const struct fault *fault);
// Takes everybody out of the room.
void media_close(struct room *room, const struct fault *fault);

// Tells the media server what the participant's booleans say.
void media_apply(struct participant *participant);
// Tells everybody what they say now.
void media_announce(struct participant *participant);

// Makes sure the participant has a peer.
void media_begin(struct participant *participant);

// {isMuted?, isVideoEnabled?, isSharingScreen?}: what it says of itself is so, and everybody is told. False: the
// fields' fault says why not.
bool media_change(struct participant *participant, struct fields *fields);

// These need a peer. The answer to each comes with the tag.
void media_offer(struct participant *participant, uint64_t tag, const char *sdp, const struct sfu_mid_source *sources,
                 size_t source_count);
void media_answer(struct participant *participant, uint64_t tag, const char *sdp,
                  const struct sfu_mid_source *sources, size_t source_count);
void media_candidate(struct participant *participant, uint64_t tag, const char *mid, const char *candidate);

// What the media server says.
void media_rx(struct hub *hub, const struct sfu_event *event);
