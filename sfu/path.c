// Where do a transport's datagrams go?
// SPDX-License-Identifier: MIT
#include "sfu/path.h"

#include <errno.h>
#include <unistd.h>

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 // linux/in6.h
#endif

// ---- the sender --------------------------------------------------------------------------------------------
//
// A connected socket remembers its route, which spares a look-up at each send. But on the address of the twin it
// would also take what the browser sends, STUN too, which is for ICE. So it is bound to the same port of a multicast
// address that nobody joins: the kernel then gives its datagrams the unicast source of the route and delivers none to
// it.

static union sockaddr_any nobody(int family, uint16_t port)
{
    union sockaddr_any address = {.sa = {0}};
    address.sa.sa_family = (sa_family_t)family;
    if (family == AF_INET6)
        address.in6.sin6_addr.s6_addr[0] = 0xff; // ff00::, reserved (RFC 4291 section 2.7.1)
    else
        address.in.sin_addr.s_addr = htonl(INADDR_UNSPEC_GROUP); // 224.0.0.0, reserved (RFC 1112 section 4)
    address_set_port(&address, port);
    return address;
}

static void copy_option(int from, int to, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);
    if (getsockopt(from, level, option, &value, &len) == 0 && value != 0)
        setsockopt(to, level, option, &value, sizeof(value));
}

// A socket that leaves by the same interface as `like`.
static int socket_like(int like, int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        copy_option(like, fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
                    family == AF_INET6 ? IPV6_UNICAST_IF : IP_UNICAST_IF);
    return fd;
}

// Would the kernel give a datagram to `remote` this source? With several addresses on one interface it may not.
static bool is_natural_source(int like, const union sockaddr_any *local, const union sockaddr_any *remote)
{
    union sockaddr_any source = nobody(local->sa.sa_family, 0);
    socklen_t len = sizeof(source);
    int fd = socket_like(like, local->sa.sa_family);
    bool natural =
        fd >= 0 && connect(fd, &remote->sa, address_len(remote)) == 0 && getsockname(fd, &source.sa, &len) == 0;
    address_set_port(&source, address_port(local));
    if (fd >= 0)
        close(fd);
    return natural && address_is_same(&source, local);
}

static bool set_up(int fd, int like, const union sockaddr_any *local, const union sockaddr_any *remote)
{
    int one = 1, zero = 0;
    int family = local->sa.sa_family;
    union sockaddr_any bound = nobody(family, address_port(local));
    copy_option(like, fd, SOL_SOCKET, SO_SNDBUF);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &zero, sizeof(zero));
    else
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof(zero));
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0 &&
           bind(fd, &bound.sa, address_len(&bound)) == 0 && connect(fd, &remote->sa, address_len(remote)) == 0;
}

// Returns -1 when there can be none.
static int sender_new(int like, const union sockaddr_any *local, const union sockaddr_any *remote)
{
    if (!is_natural_source(like, local, remote))
        return -1;
    int fd = socket_like(like, local->sa.sa_family);
    if (fd < 0 || set_up(fd, like, local, remote))
        return fd;
    close(fd);
    return -1;
}

void path_open(struct path *path, int fd, const union sockaddr_any *local, const union sockaddr_any *remote)
{
    int sender = fd < 0 ? -1 : sender_new(fd, local, remote);
    path->fd = fd;
    path->out_fd = sender < 0 ? fd : sender;
    path->remote = *remote;
}

void path_close(struct path *path)
{
    if (path->out_fd >= 0 && path->out_fd != path->fd)
        close(path->out_fd);
    path->fd = path->out_fd = -1;
}

int path_send(const struct path *path, const void *data, size_t len)
{
    if (path->fd < 0) {
        ice_send(path->ice, path->id, data, len);
        return 0;
    }
    bool connected = path_is_connected(path);
    ssize_t n = sendto(path->out_fd, data, len, MSG_DONTWAIT, connected ? NULL : &path->remote.sa,
                       connected ? 0 : address_len(&path->remote));
    return n < 0 ? -errno : 0;
}
