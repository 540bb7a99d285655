// What is a packet here, and where does its memory come from?
// SPDX-License-Identifier: MIT
#include "sfu/packet.h"

#include <glib.h>
#include <stdlib.h>

// Under ASan every packet is an allocation of its own: a pool would hide what the sanitizer is there to see.
#if defined(__SANITIZE_ADDRESS__)
#define POOL_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_MALLOC 1
#endif
#endif
#ifndef POOL_MALLOC
#define POOL_MALLOC 0
#endif

enum {
    SLAB_PACKETS = 64,
    SLABS_MAX = PACKET_POOL_MAX / SLAB_PACKETS,
    CACHE_LINE = 64,
};

struct pool {
    struct packet *free; // newest first: it is still in the cache
    unsigned max, in_use;
    unsigned slab_count;
    uint64_t exhausted;
    struct packet *slab[SLABS_MAX];
};

struct pool *pool_new(unsigned max)
{
    g_assert(max > 0 && max <= PACKET_POOL_MAX);
    struct pool *pool = g_new0(struct pool, 1);
    pool->max = max;
    return pool;
}

void pool_free(struct pool *pool)
{
    g_assert(pool->in_use == 0);
    for (unsigned i = 0; i < pool->slab_count; i++)
        free(pool->slab[i]);
    g_free(pool);
}

unsigned pool_in_use(const struct pool *pool)
{
    return pool->in_use;
}

uint64_t pool_exhausted(const struct pool *pool)
{
    return pool->exhausted;
}

// Memory for packets; a multiple of the packet's own alignment.
static struct packet *packets_alloc(size_t count)
{
    size_t size = (count * sizeof(struct packet) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct packet *packets = aligned_alloc(CACHE_LINE, size);
    g_assert(packets);
    return packets;
}

static void add_slab(struct pool *pool)
{
    struct packet *slab = packets_alloc(SLAB_PACKETS);
    pool->slab[pool->slab_count++] = slab;
    for (unsigned i = SLAB_PACKETS; i-- > 0;) {
        slab[i].next = pool->free;
        pool->free = &slab[i];
    }
}

static struct packet *take(struct pool *pool)
{
    if (POOL_MALLOC)
        return packets_alloc(1);
    if (!pool->free)
        add_slab(pool);
    struct packet *packet = pool->free;
    pool->free = packet->next;
    return packet;
}

static void give_back(struct pool *pool, struct packet *packet)
{
    if (POOL_MALLOC) {
        free(packet);
        return;
    }
    packet->next = pool->free;
    pool->free = packet;
}

struct packet *packet_new(struct pool *pool)
{
    if (pool->in_use == pool->max) {
        pool->exhausted++;
        return NULL;
    }
    struct packet *packet = take(pool);
    pool->in_use++;
    packet->next = NULL;
    packet->pool = pool;
    packet->refs = 1;
    return packet;
}

void packet_unref(struct packet *packet)
{
    if (!packet)
        return;
    g_assert(packet->refs > 0);
    if (--packet->refs)
        return;
    packet->pool->in_use--;
    give_back(packet->pool, packet);
}
