// Which channels does a participant have?
// SPDX-License-Identifier: MIT
#include "sfu/datachan_channel.h"

#include <string.h>

struct channel *channels_find(struct channels *channels, uint16_t sid)
{
    for (unsigned i = 0; i < DATACHAN_CHANNEL_MAX; i++) {
        if (channels->list[i].used && channels->list[i].sid == sid)
            return &channels->list[i];
    }
    return NULL;
}

struct channel *channels_find_name(struct channels *channels, const char *label, const char *protocol)
{
    for (unsigned i = 0; i < DATACHAN_CHANNEL_MAX; i++) {
        struct channel *c = &channels->list[i];
        if (c->used && strcmp(c->open.label, label) == 0 && strcmp(c->open.protocol, protocol) == 0)
            return c;
    }
    return NULL;
}

struct channel *channels_add(struct channels *channels, uint16_t sid, const struct dcep *open)
{
    if (channels_find(channels, sid))
        return NULL;
    for (unsigned i = 0; i < DATACHAN_CHANNEL_MAX; i++) {
        struct channel *c = &channels->list[i];
        if (c->used)
            continue;
        *c = (struct channel){.used = true, .sid = sid, .open = *open};
        return c;
    }
    return NULL;
}

static void drop_partial(struct channel *channel)
{
    if (channel->partial)
        g_byte_array_unref(channel->partial);
    channel->partial = NULL;
    channel->whole = false;
}

void channel_remove(struct channel *channel)
{
    drop_partial(channel);
    channel->used = false;
}

void channels_clear(struct channels *channels)
{
    for (unsigned i = 0; i < DATACHAN_CHANNEL_MAX; i++)
        channel_remove(&channels->list[i]);
}

bool channel_assemble(struct channel *channel, const uint8_t *data, size_t len, bool last, const uint8_t **message,
                      size_t *message_len)
{
    if (channel->whole)
        drop_partial(channel);
    size_t before = channel->partial ? channel->partial->len : 0;
    if (before + len > DATACHAN_MESSAGE_MAX) {
        channel->too_long = true;
        drop_partial(channel);
    }
    if (channel->too_long) {
        channel->too_long = !last;
        return false;
    }
    if (last && !channel->partial) { // nearly always
        *message = data;
        *message_len = len;
        return true;
    }
    if (!channel->partial)
        channel->partial = g_byte_array_new();
    g_byte_array_append(channel->partial, data, (guint)len);
    channel->whole = last;
    *message = channel->partial->data;
    *message_len = channel->partial->len;
    return last;
}
