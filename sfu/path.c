// Where do a transport's datagrams go?
// SPDX-License-Identifier: MIT
#include "sfu/path.h"

#include <errno.h>
#include <string.h>

bool path_same_address(const union sockaddr_any *a, const union sockaddr_any *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return a->in6.sin6_port == b->in6.sin6_port &&
           memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

int path_send(const struct path *path, const void *data, size_t len)
{
    if (path->fd < 0) {
        ice_send(path->ice, path->id, data, len);
        return 0;
    }
    ssize_t n = sendto(path->fd, data, len, MSG_DONTWAIT, &path->remote.sa, path_address_len(&path->remote));
    return n < 0 ? -errno : 0;
}
