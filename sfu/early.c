// Which datagrams came before ICE told us its path?
// SPDX-License-Identifier: MIT
#include "sfu/early.h"

#include <string.h>

#include "rtp/demux.h"

bool early_keep(struct early *early, struct packet *packet, const union sockaddr_any *from, int fd)
{
    if (demux(packet->buf, packet->len) != DEMUX_DTLS || early->count == EARLY_MAX)
        return false;
    early->datagram[early->count++] = (struct early_datagram){packet_ref(packet), *from, fd};
    return true;
}

unsigned early_take(struct early *early, struct early_datagram out[EARLY_MAX])
{
    unsigned count = early->count;
    memcpy(out, early->datagram, count * sizeof(out[0]));
    early->count = 0;
    return count;
}

void early_clear(struct early *early)
{
    for (unsigned i = 0; i < early->count; i++)
        packet_unref(early->datagram[i].packet);
    early->count = 0;
}
