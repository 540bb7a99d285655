// Which of this machine's addresses do we gather on?
// SPDX-License-Identifier: MIT
#include "sfu/ice_address.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_usable(const struct ifaddrs *i, bool loopback)
{
    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_LOOPBACK) == loopback)
        return false;
    if (i->ifa_addr->sa_family == AF_INET)
        return true;
    return i->ifa_addr->sa_family == AF_INET6 &&
           !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr);
}

static size_t collect(const struct ifaddrs *list, bool loopback, union sockaddr_any out[ICE_TWIN_MAX])
{
    size_t count = 0;
    for (const struct ifaddrs *i = list; i && count < ICE_TWIN_MAX; i = i->ifa_next) {
        if (!is_usable(i, loopback))
            continue;
        bool v6 = i->ifa_addr->sa_family == AF_INET6;
        memset(&out[count], 0, sizeof(out[count]));
        memcpy(&out[count++], i->ifa_addr, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    }
    return count;
}

static size_t every_address(union sockaddr_any out[ICE_TWIN_MAX])
{
    struct ifaddrs *list;
    if (getifaddrs(&list) < 0)
        return 0;
    size_t count = collect(list, false, out);
    if (count == 0)
        count = collect(list, true, out);
    freeifaddrs(list);
    return count;
}

static bool is_loopback(const union sockaddr_any *address)
{
    if (address->sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
    return ntohl(address->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

// A browser on this machine reaches loopback and any other address from several of its own, and may settle on another
// pair than libnice, which goes by priorities alone: their media then never meet. It needs only one of the two.
static size_t without_loopback(union sockaddr_any *list, size_t count)
{
    bool has_v4 = false, has_v6 = false;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        *(list[i].sa.sa_family == AF_INET6 ? &has_v6 : &has_v4) |= !is_loopback(&list[i]);
    for (size_t i = 0; i < count; i++)
        if (!is_loopback(&list[i]) || !(list[i].sa.sa_family == AF_INET6 ? has_v6 : has_v4))
            list[kept++] = list[i];
    return kept;
}

size_t ice_addresses(const struct ice_config *config, union sockaddr_any out[ICE_TWIN_MAX])
{
    if (!config->bind_address)
        return every_address(out);
    size_t count = 0;
    while (count < ICE_TWIN_MAX && config->bind_address[count] &&
           address_parse(&out[count], config->bind_address[count]))
        count++;
    return without_loopback(out, count);
}

__attribute__((format(printf, 3, 4))) static int refuse(char *err, size_t err_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err, err_size, format, args);
    va_end(args);
    return -EINVAL;
}

static int try_bind(const char *text)
{
    union sockaddr_any address;
    if (!address_parse(&address, text))
        return -EINVAL;
    int fd = socket(address.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = bind(fd, &address.sa, address_len(&address)) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

int ice_config_check(const struct ice_config *config, char *err, size_t err_size)
{
    union sockaddr_any ignored;
    if (config->port_min > config->port_max || (config->port_min == 0 && config->port_max != 0))
        return refuse(err, err_size, "The media port range is wrong: give two ports, the smaller first.");
    if (config->announced_address && !address_parse(&ignored, config->announced_address))
        return refuse(err, err_size, "The announced address \"%s\" is not an IP address.", config->announced_address);
    if (config->bind_address && !config->bind_address[0])
        return refuse(err, err_size, "The list of media addresses is empty: name one or leave it out.");
    for (size_t i = 0; config->bind_address && config->bind_address[i]; i++) {
        int rc = try_bind(config->bind_address[i]);
        if (rc == -EINVAL)
            return refuse(err, err_size, "The media address \"%s\" is not an IP address.", config->bind_address[i]);
        if (rc < 0)
            return refuse(err, err_size, "The media address %s is not one of this machine's.",
                          config->bind_address[i]);
    }
    return 0;
}
