// What is an IP address with its port?
// SPDX-License-Identifier: MIT
//
// Pure; any thread. Ports are in host order.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

union sockaddr_any {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static inline socklen_t address_len(const union sockaddr_any *a)
{
    return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

static inline uint16_t address_port(const union sockaddr_any *a)
{
    return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

static inline void address_set_port(union sockaddr_any *a, uint16_t port)
{
    *(a->sa.sa_family == AF_INET6 ? &a->in6.sin6_port : &a->in.sin_port) = htons(port);
}

// Port 0; false: it is a name, or nothing.
bool address_parse(union sockaddr_any *a, const char *text);

// The same address and port; an IPv6 scope is not compared.
bool address_is_same(const union sockaddr_any *a, const union sockaddr_any *b);
