// Where do a transport's datagrams go? (the pair ICE selected: a twin socket and a remote address, or the slow door)
// SPDX-License-Identifier: MIT
//
// The seam between ICE and sending: a mode with one shared UDP port would only change who fills this in.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/ice.h"

struct path {
    int fd;     // the worker's socket; -1: slow door
    int out_fd; // what is sent goes here: connected to `remote` if that could be, else the same as fd
    union sockaddr_any remote;
    struct ice *ice; // for the slow door
    uint64_t id;
};

// A path over the twin socket `fd` bound to `local`; `fd` -1: through the slow door.
void path_open(struct path *path, int fd, const union sockaddr_any *local, const union sockaddr_any *remote);
void path_close(struct path *path); // the twin stays open; harmless on a path that is not open

static inline bool path_is_connected(const struct path *path)
{
    return path->out_fd != path->fd;
}

// One datagram, without blocking; 0 or negative errno.
int path_send(const struct path *path, const void *data, size_t len);
