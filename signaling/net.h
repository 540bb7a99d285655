// What does an IP address mean, and is it of one of these networks?
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

// An address, or a network as 10.1.0.0/16 without bits beyond its prefix.
bool net_is_range(const char *text);

// The address (IPv4 or IPv6, in numbers) in the one way it is written here, to be freed with g_free(); NULL: it is
// none.
char *net_address(const char *text);

// Whether one of the ranges (NULL-terminated, each as net_is_range() wants it) has the address. An IPv4 address
// written as IPv6 is of no IPv4 network.
bool net_has(char *const *ranges, const char *address);
