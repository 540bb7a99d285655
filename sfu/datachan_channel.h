// Which channels does a participant have? (inside datachan*)
// SPDX-License-Identifier: MIT
//
// A plain table, at most DATACHAN_CHANNEL_MAX long. The SCTP thread only.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "sfu/datachan.h"
#include "sfu/dcep.h"

struct channel {
    bool used;
    bool acked;   // the other side has answered our open, or it was its own
    uint16_t sid; // the SCTP stream, both ways
    struct dcep open;
    GByteArray *partial; // a message in pieces, NULL: none
    bool whole;          // its last piece came
    bool too_long;       // its rest is thrown away
};

struct channels {
    struct channel list[DATACHAN_CHANNEL_MAX];
};

struct channel *channels_find(struct channels *channels, uint16_t sid);
struct channel *channels_find_name(struct channels *channels, const char *label, const char *protocol);

// NULL when the table is full or the stream taken.
struct channel *channels_add(struct channels *channels, uint16_t sid, const struct dcep *open);
void channel_remove(struct channel *channel);
void channels_clear(struct channels *channels);

// Adds a piece; true when the message is whole and not too long: it lies in *message until the next call (which may
// point into `data`, or into the channel's own bytes).
bool channel_assemble(struct channel *channel, const uint8_t *data, size_t len, bool last, const uint8_t **message,
                      size_t *message_len);
