// What of all that happens is put into the store?
// SPDX-License-Identifier: MIT
#include "signaling/archive.h"

#include "signaling/crypto.h"

void archive_chat(const struct participant *from, const struct participant *to, const char *text)
{
    const struct hub *hub = from->room->roster->hub;
    char id[37];
    crypto_uuid(id);
    const struct store_chat chat = {
        .id = id,
        .room = from->room->id,
        .from = from->user,
        .to = to ? to->user : NULL,
        .text = text,
        .at_ms = hub->wall_ms,
    };
    store_put_chat(hub->store, &chat);
}
