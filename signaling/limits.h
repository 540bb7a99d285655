// How often may somebody do something? (token buckets)
// SPDX-License-Identifier: MIT
//
// Pure: time is a parameter, nothing is allocated.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Holds up to `burst` tokens and gains `per_s` of them a second.
struct bucket {
    double per_s, burst;
    double tokens;
    int64_t filled_us;
};

void bucket_init(struct bucket *bucket, double per_s, double burst, int64_t now_us);

// Takes `cost` tokens, or none and returns false. A clock that steps back is taken as standing still.
bool bucket_take(struct bucket *bucket, double cost, int64_t now_us);
// Puts back what was taken for something that turned out to be welcome.
void bucket_give(struct bucket *bucket, double cost);

enum { CROWD_BUCKETS = 1024, PLACE_SIZE = 64 };

// A bucket for each of any number of keys. Keys that fall on the same place share one.
struct crowd {
    struct bucket buckets[CROWD_BUCKETS];
};

void crowd_init(struct crowd *crowd, double per_s, double burst, int64_t now_us);
struct bucket *crowd_find(struct crowd *crowd, const char *key);

// Who counts as one: an IPv4 address, or the /64 an IPv6 address lies in, for its owner has all of that (RFC 6177
// section 2). What is no address stands for itself.
void place_of(char out[PLACE_SIZE], const char *address);
bool place_is_loopback(const char *address);
