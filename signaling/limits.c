// How often may somebody do something? (token buckets)
// SPDX-License-Identifier: MIT
#include "signaling/limits.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

void bucket_init(struct bucket *bucket, double per_s, double burst, int64_t now_us)
{
    *bucket = (struct bucket){.per_s = per_s, .burst = burst, .tokens = burst, .filled_us = now_us};
}

bool bucket_take(struct bucket *bucket, double cost, int64_t now_us)
{
    if (now_us > bucket->filled_us) {
        bucket->tokens += bucket->per_s * (double)(now_us - bucket->filled_us) / 1e6;
        bucket->filled_us = now_us;
    }
    if (bucket->tokens > bucket->burst)
        bucket->tokens = bucket->burst;
    if (bucket->tokens < cost)
        return false;
    bucket->tokens -= cost;
    return true;
}

void bucket_give(struct bucket *bucket, double cost)
{
    bucket->tokens = bucket->tokens + cost > bucket->burst ? bucket->burst : bucket->tokens + cost;
}

void crowd_init(struct crowd *crowd, double per_s, double burst, int64_t now_us)
{
    for (size_t i = 0; i < CROWD_BUCKETS; i++)
        bucket_init(&crowd->buckets[i], per_s, burst, now_us);
}

struct bucket *crowd_find(struct crowd *crowd, const char *key)
{
    return &crowd->buckets[g_str_hash(key) % CROWD_BUCKETS];
}

void place_of(char out[PLACE_SIZE], const char *address)
{
    enum { HOST_BYTES = 8 };
    struct in6_addr ip;
    g_strlcpy(out, address, PLACE_SIZE);
    if (inet_pton(AF_INET6, address, &ip) != 1 || IN6_IS_ADDR_V4MAPPED(&ip))
        return;
    memset(ip.s6_addr + sizeof(ip) - HOST_BYTES, 0, HOST_BYTES);
    inet_ntop(AF_INET6, &ip, out, PLACE_SIZE);
}

bool place_is_loopback(const char *address)
{
    return g_str_has_prefix(address, "127.") || strcmp(address, "::1") == 0 ||
           g_str_has_prefix(address, "::ffff:127.");
}
