// Which SRTP context seals an outgoing SSRC? (a transport's table of streams)
// SPDX-License-Identifier: MIT
//
// Streams are opened before keys are agreed and get their contexts then. Handles are indexes; worker thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sfu/cipher.h"

enum { STREAMS_MAX = 512 };

struct stream {
    bool used;
    uint32_t ssrc;
    struct cipher_stream *cipher; // NULL until keys are agreed
};

// All zero is empty.
struct streams {
    struct stream *v;
    unsigned size;
    struct cipher_sealer *sealer; // borrowed; NULL until keys are agreed
};

int streams_open(struct streams *streams, uint32_t ssrc); // the handle, or -ENOSPC
void streams_close(struct streams *streams, unsigned handle);
void streams_set_sealer(struct streams *streams, struct cipher_sealer *sealer);
void streams_free(struct streams *streams);

// NULL: no such stream, or no keys yet. Hot.
static inline struct cipher_stream *streams_cipher(const struct streams *streams, unsigned handle)
{
    return handle < streams->size ? streams->v[handle].cipher : NULL;
}
