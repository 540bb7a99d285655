// Which SRTP context seals an outgoing SSRC?
// SPDX-License-Identifier: MIT
#include "sfu/streams.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void grow(struct streams *s)
{
    unsigned old = s->size;
    s->size = MAX(8, old * 2);
    s->v = g_realloc_n(s->v, s->size, sizeof(s->v[0]));
    memset(&s->v[old], 0, (s->size - old) * sizeof(s->v[0]));
}

int streams_open(struct streams *s, uint32_t ssrc)
{
    unsigned i = 0;
    while (i < s->size && s->v[i].used)
        i++;
    if (i == STREAMS_MAX)
        return -ENOSPC;
    if (i == s->size)
        grow(s);
    s->v[i] = (struct stream){true, ssrc, s->sealer ? cipher_stream_new(s->sealer, ssrc) : NULL};
    return (int)i;
}

void streams_close(struct streams *s, unsigned handle)
{
    g_assert(handle < s->size && s->v[handle].used);
    if (s->v[handle].cipher)
        cipher_stream_free(s->v[handle].cipher);
    s->v[handle] = (struct stream){0};
}

void streams_set_sealer(struct streams *s, struct cipher_sealer *sealer)
{
    s->sealer = sealer;
    for (unsigned i = 0; i < s->size; i++) {
        if (s->v[i].used)
            s->v[i].cipher = cipher_stream_new(sealer, s->v[i].ssrc);
    }
}

void streams_free(struct streams *s)
{
    for (unsigned i = 0; i < s->size; i++) {
        if (s->v[i].used)
            streams_close(s, i);
    }
    g_free(s->v);
    *s = (struct streams){0};
}
