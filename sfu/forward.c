// Who gets this packet?
// SPDX-License-Identifier: MIT
//
// The way of a packet from one browser to the others, all of it on one thread:
//
//     worker.c     a socket is readable: receive many datagrams at once, read the clock once
//     transport.c  is it from the path ICE chose? open SRTP
//     ingress.c    which track and layer is this SSRC?
//     track.c      undo RTX, note what is missing, look at the payload, keep the packet for those who ask again
//     forward.c    every sub of the track, unless it is muted; a frame at a time
//     sub_tx.c     is this the layer it gets? which number does it have there?
//     copy.c       write the receiver's copy: its payload type, numbers, extensions
//     outbox.c     after a frame, or at the end of the turn: seal, and send with as few calls as possible
#include "sfu/forward.h"

#include "sfu/sub.h"

// Subscriber by subscriber, not packet by packet: the copies for one are still in the cache when they are sealed and
// sent, and the next one's are written over the same memory.
void forward(struct track *track, const struct packet *const *packets, unsigned count, int64_t now_us)
{
    struct sub *sub;
    if (track->muted) {
        for (unsigned i = 0; i < count; i++)
            stats_drop(&track->layer[packets[i]->layer].stats, DROP_MUTED);
        return;
    }
    TAILQ_FOREACH (sub, &track->subs, of_track) {
        for (unsigned i = 0; i < count; i++)
            sub_tx(sub, packets[i], now_us);
        if (count > 1 && sub->sink->ops->flush)
            sub->sink->ops->flush(sub->sink);
    }
}
