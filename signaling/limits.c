// How often may somebody do something? (token buckets)
// SPDX-License-Identifier: MIT
#include "signaling/limits.h"

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
