// What is an IP address with its port?
// SPDX-License-Identifier: MIT
#include "sfu/address.h"

#include <arpa/inet.h>
#include <string.h>

bool address_parse(union sockaddr_any *a, const char *text)
{
    memset(a, 0, sizeof(*a));
    if (inet_pton(AF_INET, text, &a->in.sin_addr) == 1)
        a->sa.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &a->in6.sin6_addr) == 1)
        a->sa.sa_family = AF_INET6;
    else
        return false;
    return true;
}

bool address_is_same(const union sockaddr_any *a, const union sockaddr_any *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return a->in6.sin6_port == b->in6.sin6_port &&
           memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}
