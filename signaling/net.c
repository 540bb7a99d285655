// What does an IP address mean, and is it of one of these networks?
// SPDX-License-Identifier: MIT
#include "signaling/net.h"

#include <gio/gio.h>
#include <string.h>

bool net_is_range(const char *text)
{
    GInetAddressMask *mask = g_inet_address_mask_new_from_string(text, NULL);
    bool ok = mask != NULL;
    g_clear_object(&mask);
    return ok;
}

// What other notations mean (octal, fewer than four numbers, interfaces) is nothing to guess about.
char *net_address(const char *text)
{
    GInetAddress *address =
        g_hostname_is_ip_address(text) && !strchr(text, '%') ? g_inet_address_new_from_string(text) : NULL;
    char *plain = address ? g_inet_address_to_string(address) : NULL;
    g_clear_object(&address);
    return plain;
}

bool net_has(char *const *ranges, const char *text)
{
    GInetAddress *address = g_inet_address_new_from_string(text);
    bool has = false;
    for (; address && *ranges && !has; ranges++) {
        GInetAddressMask *mask = g_inet_address_mask_new_from_string(*ranges, NULL);
        has = mask && g_inet_address_mask_matches(mask, address);
        g_clear_object(&mask);
    }
    g_clear_object(&address);
    return has;
}
